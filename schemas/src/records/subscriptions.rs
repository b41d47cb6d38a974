//! The records of subscribing: what is asked for, the state of each subscription, and what must be kept secret of it.

use serde::{Deserialize, Serialize};

use super::names::{closed_set, named_set};
use super::{CallId, TimestampMicros, TimestampMillis};

closed_set! {
    /// What a request asks for.
    RequestAction {
        /// That the parcel be followed.
        Subscribe = "SUBSCRIBE",
        /// That no more calls be made for it.
        Cancel = "CANCEL",
        /// Something that a newer program knows.
        Other = "OTHER",
    }
}

closed_set! {
    /// How much the vendor shall tell.
    Product {
        /// Times and texts.
        Plain = "PLAIN",
        /// Also the administrative area of each event.
        Area = "AREA",
        /// Also the detailed statuses.
        Advanced = "ADVANCED",
        /// Also the time of arrival that the vendor expects.
        Forecast = "FORECAST",
        /// Something that a newer program knows.
        Other = "OTHER",
    }
}

closed_set! {
    /// Where a subscription stands.
    SubscriptionState {
        /// Accepted, nothing done yet.
        Requested = "REQUESTED",
        /// A call is intended or under way; `call_id` is set.
        Calling = "CALLING",
        /// A call is to be made at `not_before`.
        Waiting = "WAITING",
        /// The vendor follows the parcel.
        Active = "ACTIVE",
        /// The vendor does not follow it any more; it is asked daily.
        Fallback = "FALLBACK",
        /// No further subscription is possible before the next month.
        Quota = "QUOTA",
        /// The parcel has come to its end.
        Ended = "ENDED",
        /// The vendor refused it, or the request cannot be used.
        Rejected = "REJECTED",
        /// Given up after a long time without news.
        Expired = "EXPIRED",
        /// Somebody asked for its end.
        Cancelled = "CANCELLED",
        /// Something that a newer program knows.
        Other = "OTHER",
    }
}

impl SubscriptionState {
    /// True for the states that only a new request leaves.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Ended | Self::Rejected | Self::Expired | Self::Cancelled)
    }
}

named_set! {
    /// Why a subscription is in its state, or why a vendor refused a call.
    Reason {
        /// The vendor found no record of the number.
        NoRecord = "NO_RECORD",
        /// Nothing changed for a long time.
        Stale = "STALE",
        /// The number was subscribed as often as the vendor takes in a month.
        Quota = "QUOTA",
        /// The vendor does not support the carrier.
        UnknownCarrier = "UNKNOWN_CARRIER",
        /// The request, or the callback address in it, cannot be used.
        BadData = "BAD_DATA",
        /// The vendor cannot resolve the sender's or the recipient's place.
        BadPlace = "BAD_PLACE",
        /// The vendor cannot tell the carrier from the number.
        NotRecognised = "NOT_RECOGNISED",
        /// The callback address contains a word that the vendor does not take.
        Sensitive = "SENSITIVE",
        /// The carrier's check of the telephone number failed.
        Phone = "PHONE",
        /// The vendor failed every time.
        VendorError = "VENDOR_ERROR",
        /// The account cannot make calls: its key is wrong or its units are used up.
        AccountStopped = "ACCOUNT_STOPPED",
        /// Somebody else has subscribed the number, and its pushes may go there.
        Foreign = "FOREIGN",
        /// The vendor follows the parcel under another carrier.
        Corrected = "CORRECTED",
        /// The vendor takes a new subscription only some time after the end of the last one.
        TooEarly = "TOO_EARLY",
        /// It is not known whether the last call arrived.
        InDoubt = "IN_DOUBT",
        /// Somebody asked for it.
        Cancelled = "CANCELLED",
    }
}

/// Somebody asks for a subscription or for its end. Topic `courier.subscription.request.v1`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/subscription_request.avsc")]
pub struct SubscriptionRequest {
    pub request_id: String,
    pub requester: String,
    pub action: RequestAction,
    pub requested_at: TimestampMicros,
    #[serde(default)]
    pub vendor: Option<String>,
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub carrier: Option<String>,
    pub tracking_number: String,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub product: Option<Product>,
    #[serde(default)]
    pub international: Option<International>,
    #[serde(default)]
    pub reference: Option<String>,
    #[serde(default)]
    pub not_before: Option<TimestampMillis>,
    #[serde(default)]
    pub force: bool,
}

/// It may hold a telephone number and places.
impl std::fmt::Debug for SubscriptionRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubscriptionRequest")
            .field("request_id", &self.request_id)
            .field("action", &self.action)
            .field("tracking_number", &self.tracking_number)
            .finish_non_exhaustive()
    }
}

/// The two ends of an international parcel, in the vendor's codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/subscription_request.avsc")]
pub struct International {
    #[serde(default)]
    pub departure_country: Option<String>,
    #[serde(default)]
    pub departure_carrier: Option<String>,
    #[serde(default)]
    pub destination_country: Option<String>,
    #[serde(default)]
    pub destination_carrier: Option<String>,
}

/// The state of a subscription. Topic `courier.subscription.v1`.
///
/// `vendor` is a text, because a request may name a vendor that does not exist, and its refusal is a record, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/subscription.avsc")]
pub struct Subscription {
    pub vendor: String,
    pub account: String,
    pub tracking_number: String,
    pub carrier: String,
    pub vendor_carrier: String,
    #[serde(default)]
    pub former_carriers: Vec<String>,
    pub version: i64,
    pub state: SubscriptionState,
    #[serde(default)]
    pub reason: Option<Reason>,
    #[serde(default)]
    pub code: Option<String>,
    pub since: TimestampMicros,
    pub requested_at: TimestampMicros,
    pub requester: String,
    pub request_ids: Vec<String>,
    #[serde(default)]
    pub reference: Option<String>,
    pub api: String,
    pub product: Product,
    #[serde(default)]
    pub international: bool,
    pub round: u16,
    pub attempt: u16,
    #[serde(default)]
    pub call_id: Option<CallId>,
    #[serde(default)]
    pub not_before: Option<TimestampMillis>,
    #[serde(default)]
    pub calls: Vec<MonthOfCalls>,
    #[serde(default)]
    pub duplicate: bool,
    #[serde(default)]
    pub first_push_at: Option<TimestampMicros>,
    #[serde(default)]
    pub ended_word: Option<String>,
    #[serde(default)]
    pub ended_at: Option<TimestampMicros>,
    #[serde(default)]
    pub in_doubt: bool,
    #[serde(default)]
    pub failed: u16,
    #[serde(default)]
    pub too_early: u16,
    #[serde(default)]
    pub unexplained: u16,
    #[serde(default)]
    pub not_recognised: u16,
    #[serde(default)]
    pub unsent: u16,
}

impl Subscription {
    /// The key of its record and of its [`SubscriptionSecret`]'s. The carrier is not in it, because it may become known later,
    /// and may change. The partition is that of the tracking number, see [`crate::partition::number_of_subscription`].
    pub fn key(vendor: &str, account: &str, tracking_number: &str) -> String {
        format!("{vendor}:{account}:{tracking_number}")
    }
}

/// Calls that the vendor accepted in a month, under one of its carriers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/subscription.avsc")]
pub struct MonthOfCalls {
    pub month: i32,
    pub vendor_carrier: String,
    pub accepted: u16,
    pub last_at: TimestampMillis,
}

/// What must be remembered for a further subscription and nobody else may see. Topic `courier.subscription.secret.v1`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/subscription_secret.avsc")]
pub struct SubscriptionSecret {
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub international: Option<International>,
}

impl std::fmt::Debug for SubscriptionSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubscriptionSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_telephone_numbers_nor_places_are_printed() {
        let text = |text: &str| Some(text.to_owned());
        let asked = SubscriptionRequest {
            request_id: "r1".to_owned(),
            requester: "oms".to_owned(),
            action: RequestAction::Subscribe,
            requested_at: TimestampMicros(0),
            vendor: None,
            account: None,
            carrier: text("sf"),
            tracking_number: "SF0000000000001".to_owned(),
            phone: text("13488888888"),
            from: text("广东省深圳市南山区"),
            to: text("北京市朝阳区"),
            product: None,
            international: None,
            reference: None,
            not_before: None,
            force: false,
        };
        let printed = format!("{asked:?}");
        assert_eq!(
            printed,
            r#"SubscriptionRequest { request_id: "r1", action: Subscribe, tracking_number: "SF0000000000001", .. }"#
        );
    }
}
