//! The record of `courier.push.v1`: what a vendor told of a parcel, in its own words.

use serde::{Deserialize, Serialize};

use super::names::closed_set;
use super::{TimestampMicros, Vendor};

/// XXH3-128 of vendor, account and raw body of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushId(#[serde(with = "apache_avro::serde::fixed")] pub [u8; 16]);

closed_set! {
    /// How a push was authenticated. A way that only a newer program knows is read as none.
    Signature {
        /// The vendor's signature matched one of the account's secrets.
        Verified = "VERIFIED",
        /// The account accepts pushes without a signature.
        Unsigned = "UNSIGNED",
    }
}

closed_set! {
    /// Whose doing it is that the vendor told something.
    Origin {
        /// The vendor's: it posted a push.
        Push = "PUSH",
        /// Ours: `processor reconcile` asked the vendor, and this is the answer.
        Query = "QUERY",
    }
}

impl Default for Origin {
    /// Of records from before there were queries.
    fn default() -> Self {
        Self::Push
    }
}

/// One parcel of one push, as received. Topic `courier.push.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/push_event.avsc")]
pub struct PushEvent {
    pub push_id: PushId,
    pub part: u16,
    pub parts: u16,
    pub vendor: Vendor,
    pub account: String,
    pub received_at: TimestampMicros,
    pub signature: Signature,
    pub vendor_carrier: String,
    pub tracking_number: String,
    #[serde(default)]
    pub request_type: Option<String>,
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub content_type: String,
    #[serde(default)]
    pub push_time: Option<String>,
    #[serde(default)]
    pub business_id: Option<String>,
    pub payload: String,
    #[serde(default)]
    pub origin: Origin,
    #[serde(default)]
    pub query_reason: Option<String>,
    #[serde(default)]
    pub reference: Option<String>,
}
