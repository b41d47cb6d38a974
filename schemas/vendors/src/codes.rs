//! The vendors' status codes as data: one row a code, with what it means here. Tests and documentation read these tables.

use courierflow_schemas::records::Status;
use courierflow_schemas::records::Status::{
    AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp,
    Returned, Returning, Unknown,
};

/// Which table and guards a push is read with. The same number means different things to different vendors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Kuaidi100, every product.
    Kuaidi100,
    /// Kdniao within China.
    Kdniao,
    /// Kdniao across borders: the same table, guarded by [`CROSS_BORDER_GUARDS`].
    KdniaoCrossBorder,
}

/// One code of a vendor.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// As the vendor writes it: no sign, no leading zeros.
    pub code: u16,
    /// Canonical status.
    pub status: Status,
    /// Canonical refinement.
    pub sub_status: &'static str,
    /// Counts as an exception, whatever the status.
    pub is_exception: bool,
    /// Status names that stand for the code where a vendor sends names only (rule 9).
    pub names: &'static [&'static str],
}

const fn row(code: u16, status: Status, sub_status: &'static str, names: &'static [&'static str]) -> CodeRow {
    CodeRow {
        code,
        status,
        sub_status,
        is_exception: matches!(status, Exception),
        names,
    }
}

/// Kuaidi100's 拒签: an exception, or the end of the parcel, as the rest of the push decides (rule 13).
pub const KUAIDI100_REFUSED: u16 = 14;

/// Kuaidi100, ascending by code. Names: base and advanced names of the vendor's documents and their short forms.
pub const KUAIDI100: &[CodeRow] = &[
    row(0, InTransit, "IN_TRANSIT", &["在途"]),
    row(1, PickedUp, "PICKED_UP", &["揽收"]),
    row(2, Exception, "UNSPECIFIED", &["疑难"]),
    row(3, Delivered, "UNSPECIFIED", &["签收"]),
    row(4, Returned, "RETURN_SIGNED", &["退签"]),
    row(5, OutForDelivery, "OUT_FOR_DELIVERY", &["派件"]),
    row(6, Returning, "RETURNING", &["退回"]),
    row(7, InTransit, "HANDED_TO_OTHER_CARRIER", &["转投", "转单"]),
    row(8, Customs, "UNSPECIFIED", &["清关"]),
    row(10, Customs, "AWAITING", &["待清关"]),
    row(11, Customs, "IN_PROGRESS", &["清关中"]),
    row(12, Customs, "CLEARED", &["已清关"]),
    row(13, Exception, "CUSTOMS_EXCEPTION", &["清关异常"]),
    row(14, Exception, "REFUSED", &["拒签"]),
    row(101, InfoReceived, "ORDER_CREATED", &["已下单"]),
    row(102, InfoReceived, "AWAITING_PICKUP", &["待揽收"]),
    row(103, PickedUp, "PICKED_UP", &["已揽收"]),
    row(201, Exception, "DELIVERY_OVERDUE", &["超时未签收"]),
    row(202, Exception, "NO_UPDATE", &["超时未更新"]),
    row(203, Exception, "REFUSED", &["拒收"]),
    row(204, Exception, "DELIVERY_FAILED", &["派件异常"]),
    row(205, Exception, "PICKUP_OVERDUE", &["柜或驿站超时未取", "柜/站超时未取"]),
    row(206, Exception, "RECIPIENT_UNREACHABLE", &["无法联系"]),
    row(207, Exception, "OUT_OF_SERVICE_AREA", &["超区"]),
    row(208, Exception, "HELD_AT_DEPOT", &["滞留"]),
    row(209, Exception, "DAMAGED", &["破损"]),
    row(210, Exception, "CANCEL_REQUESTED", &["销单"]),
    row(301, Delivered, "RECIPIENT", &["本人签收", "本人"]),
    row(302, Delivered, "AFTER_EXCEPTION", &["派件异常后签收"]),
    row(303, Delivered, "PROXY", &["代签"]),
    row(304, Delivered, "LOCKER_OR_STATION", &["投柜或驿站签收", "投柜或站签收"]),
    row(401, Cancelled, "WAYBILL_VOIDED", &["已销单"]),
    row(501, AvailableForPickup, "LOCKER_OR_STATION", &["投柜或驿站"]),
    row(1001, InTransit, "ARRIVED_DEST_CITY", &["到达派件城市"]),
    row(1002, InTransit, "LINEHAUL", &["干线"]),
    row(1003, InTransit, "REDIRECTED_NEW_ADDRESS", &["转递"]),
];

/// Kdniao (`State`, `StateEx`, `Action`), ascending by code. It sends no names.
pub const KDNIAO: &[CodeRow] = &[
    row(0, Unknown, "NO_TRACE", &[]),
    row(1, PickedUp, "PICKED_UP", &[]),
    row(2, InTransit, "IN_TRANSIT", &[]),
    row(3, Delivered, "UNSPECIFIED", &[]),
    row(4, Exception, "UNSPECIFIED", &[]),
    row(5, InTransit, "REDIRECTED_NEW_ADDRESS", &[]),
    row(6, Customs, "UNSPECIFIED", &[]),
    row(10, InfoReceived, "AWAITING_PICKUP", &[]),
    row(201, InTransit, "ARRIVED_DEST_CITY", &[]),
    row(202, OutForDelivery, "OUT_FOR_DELIVERY", &[]),
    row(204, InTransit, "ARRIVED_HUB", &[]),
    row(205, InTransit, "ARRIVED_DELIVERY_DEPOT", &[]),
    row(206, InTransit, "LEFT_ORIGIN_DEPOT", &[]),
    row(211, AvailableForPickup, "LOCKER_OR_STATION", &[]),
    row(301, Delivered, "RECIPIENT", &[]),
    row(302, Delivered, "AFTER_EXCEPTION", &[]),
    row(304, Delivered, "PROXY", &[]),
    row(311, Delivered, "LOCKER_OR_STATION", &[]),
    row(401, Exception, "NO_CARRIER_INFO", &[]),
    row(402, Exception, "DELIVERY_OVERDUE", &[]),
    row(403, Exception, "NO_UPDATE", &[]),
    // 拒收(退件): on its way back, and a refusal that the exception rates count (rule 13).
    CodeRow {
        code: 404,
        status: Returning,
        sub_status: "REFUSED",
        is_exception: true,
        names: &[],
    },
    row(405, Exception, "DELIVERY_FAILED", &[]),
    row(406, Returned, "RETURN_SIGNED", &[]),
    row(407, Returning, "RETURNING", &[]),
    row(412, Exception, "PICKUP_OVERDUE", &[]),
    row(413, Exception, "INTERCEPTED", &[]),
    row(414, Exception, "DAMAGED", &[]),
    row(415, Cancelled, "CANCELLED_BY_SHIPPER", &[]),
    row(416, Exception, "RECIPIENT_UNREACHABLE", &[]),
    row(417, Exception, "DELAYED", &[]),
    row(418, OutForDelivery, "RETRIEVED_FROM_LOCKER", &[]),
    row(419, OutForDelivery, "REATTEMPT", &[]),
    row(420, Exception, "BAD_ADDRESS", &[]),
    row(421, Exception, "BAD_PHONE", &[]),
    row(422, Exception, "MISSORTED", &[]),
    row(423, Exception, "OUT_OF_SERVICE_AREA", &[]),
    row(601, Customs, "AWAITING", &[]),
    row(602, Customs, "IN_PROGRESS", &[]),
    row(603, Customs, "CLEARED", &[]),
    row(604, Exception, "CUSTOMS_EXCEPTION", &[]),
];

/// A code that means something else when the text says so (rule 12): the vendor's cross-border example uses 1 for a
/// pre-advice and 211 for a depot.
#[derive(Debug)]
pub struct Guard {
    /// The code in doubt.
    pub code: u16,
    /// Lower case; looked for in the lower-cased text.
    pub phrases: &'static [&'static str],
    /// The guard changes the meaning if a phrase is there (true), or if none is (false).
    pub applies_if_found: bool,
    /// What the event is instead.
    pub status: Status,
    /// Its refinement.
    pub sub_status: &'static str,
}

/// Guards of [`Profile::KdniaoCrossBorder`].
pub const CROSS_BORDER_GUARDS: &[Guard] = &[
    Guard {
        code: 1,
        phrases: &[
            "will soon be handed",
            "label created",
            "information received",
            "pre-advice",
            "being prepared by the sender",
        ],
        applies_if_found: true,
        status: InfoReceived,
        sub_status: "ORDER_CREATED",
    },
    Guard {
        code: 211,
        phrases: &[
            "locker",
            "pickup point",
            "pick-up point",
            "parcel shop",
            "collection point",
            "access point",
            "post office",
            "快递柜",
            "驿站",
            "自提",
        ],
        applies_if_found: false,
        status: InTransit,
        sub_status: "ARRIVED_DELIVERY_DEPOT",
    },
];

/// Who answers for an exception, by sub-status (rule 45).
pub const PARTIES: &[(&str, &str)] = &[
    ("DELIVERY_OVERDUE", "carrier"),
    ("NO_UPDATE", "carrier"),
    ("HELD_AT_DEPOT", "carrier"),
    ("DELIVERY_FAILED", "carrier"),
    ("DAMAGED", "carrier"),
    ("DELAYED", "carrier"),
    ("MISSORTED", "carrier"),
    ("REFUSED", "consignee"),
    ("PICKUP_OVERDUE", "consignee"),
    ("RECIPIENT_UNREACHABLE", "consignee"),
    ("BAD_PHONE", "consignee"),
    ("OUT_OF_SERVICE_AREA", "shipper"),
    ("CANCEL_REQUESTED", "shipper"),
    ("NO_CARRIER_INFO", "shipper"),
    ("BAD_ADDRESS", "shipper"),
    ("INTERCEPTED", "shipper"),
    ("CUSTOMS_EXCEPTION", "customs"),
    ("UNSPECIFIED", "unknown"),
];

/// The responsible party of an exception; `unknown` for a sub-status without a row.
pub fn party_of(sub_status: Option<&str>) -> &'static str {
    PARTIES
        .iter()
        .find(|(name, _)| Some(*name) == sub_status)
        .map_or("unknown", |(_, party)| party)
}

impl Profile {
    /// Its table.
    pub const fn codes(self) -> &'static [CodeRow] {
        match self {
            Self::Kuaidi100 => KUAIDI100,
            Self::Kdniao | Self::KdniaoCrossBorder => KDNIAO,
        }
    }

    /// Its guards.
    pub const fn guards(self) -> &'static [Guard] {
        match self {
            Self::Kuaidi100 | Self::Kdniao => &[],
            Self::KdniaoCrossBorder => CROSS_BORDER_GUARDS,
        }
    }

    /// The row of a code exactly as the vendor writes it.
    pub fn find(self, code: &str) -> Option<&'static CodeRow> {
        if code.len() > 1 && code.starts_with('0') || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.find_number(code.parse().ok()?)
    }

    fn find_number(self, code: u16) -> Option<&'static CodeRow> {
        let rows = self.codes();
        rows.binary_search_by_key(&code, |row| row.code)
            .ok()
            .and_then(|position| rows.get(position))
    }

    /// The row that an unknown code falls back to (rule 10): Kuaidi100 100x → 0, three digits → their first.
    pub fn find_fallback(self, unknown_code: &str) -> Option<&'static CodeRow> {
        if !unknown_code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match unknown_code.len() {
            4 if self == Self::Kuaidi100 && unknown_code.starts_with("100") => self.find("0"),
            3 => self.find(unknown_code.get(..1)?),
            _ => None,
        }
    }

    /// The row that a status name stands for (rule 9).
    pub fn find_name(self, name: &str) -> Option<&'static CodeRow> {
        self.codes().iter().find(|row| row.names.contains(&name))
    }
}

/// How far along a status is, to order events of the same second (rule 7).
pub const fn rank(status: Status) -> u8 {
    match status {
        Unknown => 0,
        InfoReceived => 10,
        PickedUp => 20,
        InTransit | Customs => 30,
        OutForDelivery => 40,
        Exception => 42,
        AvailableForPickup => 45,
        Delivered => 50,
        Returning => 60,
        Returned => 70,
        Cancelled => 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ascend_so_that_they_can_be_searched() {
        for table in [KUAIDI100, KDNIAO] {
            assert!(table.is_sorted_by(|a, b| a.code < b.code));
        }
    }

    #[test]
    fn rule_9_no_name_stands_for_two_codes() {
        for row in KUAIDI100 {
            for name in row.names {
                assert_eq!(Profile::Kuaidi100.find_name(name), Some(row), "{name}");
            }
        }
    }

    #[test]
    fn rule_10_unknown_codes_fall_back() {
        let code = |profile: Profile, code| profile.find_fallback(code).map(|row| row.code);
        assert_eq!(code(Profile::Kuaidi100, "1004"), Some(0));
        assert_eq!(code(Profile::Kuaidi100, "1014"), None);
        assert_eq!(code(Profile::Kdniao, "1004"), None);
        assert_eq!(code(Profile::Kuaidi100, "299"), Some(2));
        assert_eq!(code(Profile::Kuaidi100, "999"), None);
        assert_eq!(code(Profile::Kuaidi100, "15"), None);
        assert_eq!(code(Profile::Kdniao, "999"), None);
        assert_eq!(code(Profile::Kdniao, "699"), Some(6));
        assert_eq!(code(Profile::Kdniao, "三"), None, "three bytes are not three digits");
    }

    #[test]
    fn a_code_is_found_only_as_the_vendor_writes_it() {
        assert_eq!(Profile::Kuaidi100.find("0").map(|row| row.code), Some(0));
        for code in ["", "00", "03", "+3", "3.0", "65539", "３", "99999999999999999999"] {
            assert_eq!(Profile::Kuaidi100.find(code), None, "{code}");
        }
    }

    #[test]
    fn rule_45_every_exception_has_a_party() {
        for row in KUAIDI100.iter().chain(KDNIAO).filter(|row| row.is_exception) {
            assert!(
                PARTIES.iter().any(|(sub_status, _)| *sub_status == row.sub_status),
                "{}",
                row.sub_status
            );
        }
    }
}
