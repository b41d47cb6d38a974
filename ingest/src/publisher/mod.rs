//! Stores pushes and requests for subscriptions: either all records of one are stored, or the result is an error. It is a trait so
//! that every answer can be tested without a broker; `kafka` implements it for production.

pub mod kafka;

use std::future::Future;

use bytes::Bytes;
use courierflow_schemas::records::{PushEvent, SubscriptionRequest, TimestampMicros, Vendor};

/// The records of one push, or of one request for subscriptions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// One event per parcel.
    pub events: Vec<PushEvent>,
    /// The push itself, if it or a part of it cannot be used.
    pub dead_letter: Option<DeadLetter>,
    /// One record per subscription that is asked for or cancelled.
    pub requests: Vec<SubscriptionRequest>,
}

/// A push that is unusable at least in part, unchanged. Topic `courier.push.dead.v1`.
#[derive(Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The raw body.
    pub body: Bytes,
    /// The reason, a stable name.
    pub reason: &'static str,
    /// The indices of the unusable parcels, `1,4`; empty for all.
    pub parts: String,
    /// The vendor.
    pub vendor: Vendor,
    /// The account.
    pub account: String,
    /// When the push had been read.
    pub received_at: TimestampMicros,
    /// Its Content-Type.
    pub content_type: String,
}

/// Why the records of a push or request are not all known to be stored. Some of them may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker, the topics or the schema id are known to be unavailable, so nothing was tried.
    #[error("not ready")]
    NotReady,
    /// The queue to the broker is full.
    #[error("queue full")]
    QueueFull,
    /// No acknowledgement within the deadline.
    #[error("no acknowledgement in time")]
    AckTimeout,
    /// The broker or the client refused a record.
    #[error("not delivered: {0}")]
    NotDelivered(String),
}

/// Stores the records of a push or request.
pub trait Publisher: Send + Sync + 'static {
    /// Returns when every record of the batch is acknowledged by the broker, or when one of them has failed.
    fn publish(&self, batch: Batch) -> impl Future<Output = Result<(), PublishError>> + Send;
}
