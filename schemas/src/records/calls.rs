//! The record of `courier.vendor.call.v1`: one call of a vendor's API.

use serde::{Deserialize, Serialize};

use super::names::{closed_set, named_set};
use super::{PushId, TimestampMicros, Vendor};

/// XXH3-128 of kind, vendor, account, number, round and attempt: the repetition of a call whose answer was lost has the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(#[serde(with = "apache_avro::serde::fixed")] pub [u8; 16]);

closed_set! {
    /// What a call is for.
    CallKind {
        /// To have a parcel followed.
        Subscribe = "SUBSCRIBE",
        /// To ask about a parcel now.
        Query = "QUERY",
        /// Something that a newer program knows.
        Other = "OTHER",
    }
}

closed_set! {
    /// What an answer means for the caller.
    CallClass {
        /// The vendor did it.
        Done = "DONE",
        /// The vendor says that the number is subscribed already.
        Duplicate = "DUPLICATE",
        /// Not now: the same call may succeed later.
        Retry = "RETRY",
        /// Not this one: the same call would be refused again.
        Rejected = "REJECTED",
        /// The account is at fault, not the parcel.
        Account = "ACCOUNT",
        /// The vendor knows nothing of the parcel.
        NoResult = "NO_RESULT",
        /// It is not known whether the vendor did it.
        Unknown = "UNKNOWN",
    }
}

named_set! {
    /// Why a call is made.
    CallReason {
        /// The first call of a subscription.
        New = "NEW",
        /// The call before failed.
        Retry = "RETRY",
        /// The answer to this very call was lost.
        InDoubt = "IN_DOUBT",
        /// The vendor gave up the subscription before.
        Resubscribe = "RESUBSCRIBE",
        /// To find out whether a stopped account works again.
        Probe = "PROBE",
        /// Query: no event for longer than such parcels usually take.
        Stalled = "STALLED",
        /// Query: pushes may have been lost while they could not be received.
        Gap = "GAP",
        /// Query: a subscription without any push.
        FirstPushLate = "FIRST_PUSH_LATE",
        /// Query: the vendor does not follow the parcel any more.
        Aborted = "ABORTED",
        /// Query: the vendor ended the subscription of a parcel that is under way.
        EndedOpen = "ENDED_OPEN",
        /// Query: to measure what pushes miss.
        Audit = "AUDIT",
        /// Query: somebody asked for it.
        Manual = "MANUAL",
    }
}

/// One call of a vendor's API and its answer. Topic `courier.vendor.call.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/vendor_call.avsc")]
pub struct VendorCall {
    pub call_id: CallId,
    pub kind: CallKind,
    pub api: String,
    pub vendor: Vendor,
    pub account: String,
    pub vendor_carrier: String,
    pub carrier: String,
    pub tracking_number: String,
    pub reason: CallReason,
    pub started_at: TimestampMicros,
    pub duration_ms: i32,
    #[serde(default)]
    pub http_status: Option<u16>,
    #[serde(default)]
    pub code: Option<String>,
    pub class: CallClass,
    #[serde(default)]
    pub message: Option<String>,
    pub month: i32,
    pub bytes: i32,
    #[serde(default)]
    pub items: Option<i32>,
    #[serde(default)]
    pub push_id: Option<PushId>,
}
