//! What a status and its sub-status mean, independently of the vendor: the single table of sub-statuses. Topics and tables
//! contain the names; the words in both languages, the responsible party and failed attempts come from this table.

use std::fmt;

use crate::records::Status::{
    self, AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
    PickedUp, Returned, Returning, Unknown,
};
use crate::records::UnknownName;

/// A word in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// The party responsible for an exception (rule 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The carrier.
    Carrier,
    /// The recipient.
    Consignee,
    /// The sender.
    Shipper,
    /// Customs.
    Customs,
    /// Unknown.
    Unknown,
}

impl Party {
    /// The name in records and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Consignee => "consignee",
            Self::Shipper => "shipper",
            Self::Customs => "customs",
            Self::Unknown => "unknown",
        }
    }

    /// Every party.
    pub const ALL: [Self; 5] = [
        Self::Carrier,
        Self::Consignee,
        Self::Shipper,
        Self::Customs,
        Self::Unknown,
    ];

    /// Its name in both languages.
    pub const fn name(self) -> Name {
        let (zh, en) = match self {
            Self::Carrier => ("快递公司", "Carrier"),
            Self::Consignee => ("收件人", "Consignee"),
            Self::Shipper => ("寄件人", "Shipper"),
            Self::Customs => ("海关", "Customs"),
            Self::Unknown => ("未知", "Unknown"),
        };
        Name { zh, en }
    }
}

/// Declares the sub-statuses with their canonical names.
macro_rules! sub_statuses {
    ($($variant:ident = $text:literal,)+) => {
        /// Refinement of a status. The set is open for consumers: a later version may add to it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "[`MEANINGS`] says what each means")]
        pub enum SubStatus {
            $($variant,)+
        }

        impl SubStatus {
            /// Every sub-status.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The canonical name, as in topics and tables.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

sub_statuses! {
    NoTrace = "NO_TRACE",
    OrderCreated = "ORDER_CREATED",
    AwaitingPickup = "AWAITING_PICKUP",
    PickedUp = "PICKED_UP",
    InTransit = "IN_TRANSIT",
    Linehaul = "LINEHAUL",
    LeftOriginDepot = "LEFT_ORIGIN_DEPOT",
    ArrivedHub = "ARRIVED_HUB",
    ArrivedDestCity = "ARRIVED_DEST_CITY",
    ArrivedDeliveryDepot = "ARRIVED_DELIVERY_DEPOT",
    RedirectedNewAddress = "REDIRECTED_NEW_ADDRESS",
    HandedToOtherCarrier = "HANDED_TO_OTHER_CARRIER",
    LeftOriginCountry = "LEFT_ORIGIN_COUNTRY",
    ArrivedDestCountry = "ARRIVED_DEST_COUNTRY",
    Unspecified = "UNSPECIFIED",
    Awaiting = "AWAITING",
    InProgress = "IN_PROGRESS",
    Cleared = "CLEARED",
    OutForDelivery = "OUT_FOR_DELIVERY",
    Reattempt = "REATTEMPT",
    RetrievedFromLocker = "RETRIEVED_FROM_LOCKER",
    LockerOrStation = "LOCKER_OR_STATION",
    Recipient = "RECIPIENT",
    AfterException = "AFTER_EXCEPTION",
    Proxy = "PROXY",
    DeliveryOverdue = "DELIVERY_OVERDUE",
    NoUpdate = "NO_UPDATE",
    Refused = "REFUSED",
    DeliveryFailed = "DELIVERY_FAILED",
    PickupOverdue = "PICKUP_OVERDUE",
    RecipientUnreachable = "RECIPIENT_UNREACHABLE",
    OutOfServiceArea = "OUT_OF_SERVICE_AREA",
    HeldAtDepot = "HELD_AT_DEPOT",
    Damaged = "DAMAGED",
    Lost = "LOST",
    Destroyed = "DESTROYED",
    CancelRequested = "CANCEL_REQUESTED",
    CustomsException = "CUSTOMS_EXCEPTION",
    SecurityOrFees = "SECURITY_OR_FEES",
    NoCarrierInfo = "NO_CARRIER_INFO",
    Intercepted = "INTERCEPTED",
    Delayed = "DELAYED",
    BadAddress = "BAD_ADDRESS",
    BadPhone = "BAD_PHONE",
    Missorted = "MISSORTED",
    Returning = "RETURNING",
    ReturnSigned = "RETURN_SIGNED",
    WaybillVoided = "WAYBILL_VOIDED",
    CancelledByShipper = "CANCELLED_BY_SHIPPER",
}

impl SubStatus {
    /// True if an exception of this kind comes from the vendor's clock, not from a scan of the carrier. It can vanish
    /// later.
    pub const fn is_vendor_clock(self) -> bool {
        matches!(self, Self::DeliveryOverdue | Self::NoUpdate | Self::PickupOverdue)
    }
}

impl fmt::Display for SubStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for SubStatus {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|sub_status| sub_status.as_str() == name)
            .ok_or_else(|| UnknownName("sub-status", name.to_owned()))
    }
}

/// One row of [`MEANINGS`].
#[derive(Debug)]
pub struct Meaning {
    /// Canonical status.
    pub status: Status,
    /// Canonical refinement.
    pub sub_status: SubStatus,
    /// Its name in both languages.
    pub name: Name,
    /// The responsible party if it counts as an exception; `None` if it never does.
    pub party: Option<Party>,
    /// Whether it means, as an exception, a failed attempt to deliver (rule 10.3).
    pub is_failed_attempt: bool,
}

impl Meaning {
    const fn exception(self, party: Party) -> Self {
        Self {
            party: Some(party),
            ..self
        }
    }

    const fn failed_attempt(self, party: Party) -> Self {
        Self {
            party: Some(party),
            is_failed_attempt: true,
            ..self
        }
    }
}

const fn row(status: Status, sub_status: SubStatus, zh: &'static str, en: &'static str) -> Meaning {
    Meaning {
        status,
        sub_status,
        name: Name { zh, en },
        party: None,
        is_failed_attempt: false,
    }
}

/// Every status with every sub-status that it can have.
#[rustfmt::skip]
pub const MEANINGS: &[Meaning] = &[
    row(Unknown, SubStatus::NoTrace, "暂无轨迹", "No trace yet"),
    row(InfoReceived, SubStatus::OrderCreated, "已下单", "Order created"),
    row(InfoReceived, SubStatus::AwaitingPickup, "待揽收", "Awaiting pick-up"),
    row(PickedUp, SubStatus::PickedUp, "已揽收", "Picked up"),
    row(InTransit, SubStatus::InTransit, "在途", "In transit"),
    row(InTransit, SubStatus::Linehaul, "干线", "Line haul"),
    row(InTransit, SubStatus::LeftOriginDepot, "寄件网点发件", "Left origin depot"),
    row(InTransit, SubStatus::ArrivedHub, "到达转运中心", "Arrived at hub"),
    row(InTransit, SubStatus::ArrivedDestCity, "到达派件城市", "Arrived in destination city"),
    row(InTransit, SubStatus::ArrivedDeliveryDepot, "到达派件网点", "Arrived at delivery depot"),
    row(InTransit, SubStatus::RedirectedNewAddress, "转寄", "Redirected to another address"),
    row(InTransit, SubStatus::HandedToOtherCarrier, "转投", "Handed to another carrier"),
    row(InTransit, SubStatus::LeftOriginCountry, "离开发件国", "Left the country of origin"),
    row(InTransit, SubStatus::ArrivedDestCountry, "到达目的国", "Arrived in the destination country"),
    row(Customs, SubStatus::Unspecified, "清关", "Customs"),
    row(Customs, SubStatus::Awaiting, "待清关", "Awaiting customs"),
    row(Customs, SubStatus::InProgress, "清关中", "In customs"),
    row(Customs, SubStatus::Cleared, "已清关", "Customs cleared"),
    row(OutForDelivery, SubStatus::OutForDelivery, "派件中", "Out for delivery"),
    row(OutForDelivery, SubStatus::Reattempt, "重新派送", "Delivery tried again"),
    row(OutForDelivery, SubStatus::RetrievedFromLocker, "快件取出", "Taken out of the locker"),
    row(AvailableForPickup, SubStatus::LockerOrStation, "投柜或驿站", "In a locker or station"),
    row(Delivered, SubStatus::Unspecified, "签收", "Delivered"),
    row(Delivered, SubStatus::Recipient, "本人签收", "Delivered to recipient"),
    row(Delivered, SubStatus::AfterException, "派件异常后签收", "Delivered after an exception"),
    row(Delivered, SubStatus::Proxy, "代签", "Delivered to somebody else"),
    row(Delivered, SubStatus::LockerOrStation, "投柜或驿站签收", "Collected from a locker or station"),
    row(Exception, SubStatus::Unspecified, "疑难", "Problem").exception(Party::Unknown),
    row(Exception, SubStatus::DeliveryOverdue, "超时未签收", "Not signed for in time").exception(Party::Carrier),
    row(Exception, SubStatus::NoUpdate, "超时未更新", "No update in time").exception(Party::Carrier),
    row(Exception, SubStatus::Refused, "拒收", "Refused by the recipient").failed_attempt(Party::Consignee),
    row(Exception, SubStatus::DeliveryFailed, "派件异常", "Delivery failed").failed_attempt(Party::Carrier),
    row(Exception, SubStatus::PickupOverdue, "柜或驿站超时未取", "Not collected from locker or station in time").exception(Party::Consignee),
    row(Exception, SubStatus::RecipientUnreachable, "无法联系", "Recipient unreachable").failed_attempt(Party::Consignee),
    row(Exception, SubStatus::OutOfServiceArea, "超区", "Outside the service area").exception(Party::Shipper),
    row(Exception, SubStatus::HeldAtDepot, "滞留", "Held at the depot").exception(Party::Carrier),
    row(Exception, SubStatus::Damaged, "破损", "Damaged").exception(Party::Carrier),
    row(Exception, SubStatus::Lost, "丢失", "Lost").exception(Party::Carrier),
    row(Exception, SubStatus::Destroyed, "销毁", "Destroyed").exception(Party::Unknown),
    row(Exception, SubStatus::CancelRequested, "销单", "Cancellation requested").exception(Party::Shipper),
    row(Exception, SubStatus::CustomsException, "清关异常", "Customs exception").exception(Party::Customs),
    row(Exception, SubStatus::SecurityOrFees, "安检或费用问题", "Security or fees").exception(Party::Unknown),
    row(Exception, SubStatus::NoCarrierInfo, "发货无信息", "Shipped, no information").exception(Party::Shipper),
    row(Exception, SubStatus::Intercepted, "已拦截", "Intercepted").exception(Party::Shipper),
    row(Exception, SubStatus::Delayed, "配送延迟", "Delivery delayed").exception(Party::Carrier),
    row(Exception, SubStatus::BadAddress, "地址不详", "Incomplete address").failed_attempt(Party::Shipper),
    row(Exception, SubStatus::BadPhone, "电话错误", "Wrong phone number").failed_attempt(Party::Consignee),
    row(Exception, SubStatus::Missorted, "错分件", "Missorted").exception(Party::Carrier),
    row(Returning, SubStatus::Returning, "退回", "On its way back"),
    row(Returning, SubStatus::Refused, "拒收退件", "Refused, going back").failed_attempt(Party::Consignee),
    row(Returned, SubStatus::ReturnSigned, "退签", "Returned to the sender"),
    row(Returned, SubStatus::Refused, "拒签", "Refused and returned").failed_attempt(Party::Consignee),
    row(Cancelled, SubStatus::WaybillVoided, "已销单", "Waybill voided"),
    row(Cancelled, SubStatus::CancelledByShipper, "客户取消发货", "Cancelled by the shipper"),
];

/// What a status and its refinement mean.
pub fn meaning_of(status: Status, sub_status: SubStatus) -> Option<&'static Meaning> {
    let mut rows = MEANINGS.iter();
    rows.find(|row| row.status == status && row.sub_status == sub_status)
}

/// The responsible party of an exception, by its sub-status; unknown where the table has none.
pub fn party_of(sub_status: Option<&str>) -> Party {
    reason(sub_status).and_then(|row| row.party).unwrap_or(Party::Unknown)
}

/// True if an exception of this kind is a failed attempt to deliver.
pub fn is_failed_attempt(sub_status: Option<&str>) -> bool {
    reason(sub_status).is_some_and(|row| row.is_failed_attempt)
}

/// The reasons of exceptions, each sub-status once.
pub fn reasons() -> impl Iterator<Item = &'static Meaning> {
    MEANINGS
        .iter()
        .filter(|row| row.party.is_some() && row.status == Exception)
}

fn reason(sub_status: Option<&str>) -> Option<&'static Meaning> {
    let wanted: SubStatus = sub_status?.parse().ok()?;
    reasons().find(|row| row.sub_status == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_meaning_is_there_twice_and_every_sub_status_has_one() {
        for (position, meaning) in MEANINGS.iter().enumerate() {
            for other in MEANINGS.iter().take(position) {
                let of = |meaning: &Meaning| (meaning.status, meaning.sub_status);
                assert!(of(other) != of(meaning), "{meaning:?}");
            }
        }
        for sub_status in SubStatus::ALL {
            assert!(MEANINGS.iter().any(|row| row.sub_status == *sub_status), "{sub_status}");
            assert_eq!(sub_status.as_str().parse(), Ok(*sub_status));
        }
    }

    #[test]
    fn rule_6_7_every_exception_has_a_party() {
        for row in MEANINGS {
            assert!(row.status != Exception || row.party.is_some(), "{row:?}");
            if row.party.is_some() {
                // A refusal may be reported as a return; the reason is the same.
                let of_reason = reason(Some(row.sub_status.as_str())).unwrap();
                assert_eq!(of_reason.party, row.party);
                assert_eq!(of_reason.is_failed_attempt, row.is_failed_attempt);
            }
        }
        assert_eq!(party_of(Some("REFUSED")), Party::Consignee);
        assert_eq!(party_of(None), Party::Unknown);
        assert_eq!(party_of(Some("NEW")), Party::Unknown);
    }
}
