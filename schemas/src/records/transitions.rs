//! The record of `courier.transition.v1`: a change from one status to the next.

use serde::{Deserialize, Serialize};

use super::names::closed_set;
use super::{EpochDay, Leg, Origin, Status, TimestampMicros, TimestampMillis, Vendor};

closed_set! {
    /// The kind of a transition record.
    Op {
        /// New or changed.
        Observed = "OBSERVED",
        /// Void: the vendor rewrote history.
        Retracted = "RETRACTED",
        /// One that a newer program knows. No program writes it.
        Other = "OTHER",
    }
}

closed_set! {
    /// Whether a change of status is to be expected.
    Verdict {
        /// Ordinary.
        Expected = "EXPECTED",
        /// Happens; counted, no alert.
        Tolerated = "TOLERATED",
        /// Should not happen.
        Anomaly = "ANOMALY",
        /// One that a newer program knows. No program writes it.
        Other = "OTHER",
    }
}

/// A change of (leg, status, sub-status) from one event to the next. Topic `courier.transition.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/transition.avsc")]
pub struct Transition {
    pub transition_id: i64,
    pub op: Op,
    pub version: i64,
    pub vendor: Vendor,
    pub account: String,
    pub carrier: String,
    pub tracking_number: String,
    pub epoch: EpochDay,
    pub first_received_at: TimestampMicros,
    pub received_at: TimestampMicros,
    pub from_status: Status,
    #[serde(default)]
    pub from_sub_status: Option<String>,
    pub to_status: Status,
    #[serde(default)]
    pub to_sub_status: Option<String>,
    #[serde(default)]
    pub raw_code: Option<String>,
    pub leg: Leg,
    pub occurred_at: TimestampMillis,
    #[serde(default)]
    pub dwell_seconds: Option<i64>,
    pub verdict: Verdict,
    pub is_exception: bool,
    #[serde(default)]
    pub party: Option<String>,
    #[serde(default)]
    pub area_code: Option<String>,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub origin: Origin,
}
