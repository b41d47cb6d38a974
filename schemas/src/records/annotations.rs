//! The record of `courier.annotation.v1`: what a person says of a parcel.

use serde::{Deserialize, Serialize};

use super::names::closed_set;
use super::{EpochDay, TimestampMicros, TimestampMillis};

closed_set! {
    /// What is said of a parcel.
    AnnotationKind {
        /// It was delivered.
        Delivered = "DELIVERED",
        /// It is lost.
        Lost = "LOST",
        /// It was destroyed.
        Destroyed = "DESTROYED",
        /// It counts in no figure.
        Excluded = "EXCLUDED",
        /// What was said before is taken back.
        None = "NONE",
        /// Something that a newer program knows.
        Other = "OTHER",
    }
}

/// What a person says of a parcel. Topic `courier.annotation.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/annotation.avsc")]
pub struct Annotation {
    pub vendor: String,
    pub account: String,
    pub carrier: String,
    pub tracking_number: String,
    pub epoch: EpochDay,
    pub kind: AnnotationKind,
    #[serde(default)]
    pub occurred_at: Option<TimestampMillis>,
    pub reason: String,
    pub annotated_by: String,
    pub annotated_at: TimestampMicros,
    pub seen_status: String,
    #[serde(default)]
    pub seen_event_at: Option<TimestampMillis>,
}
