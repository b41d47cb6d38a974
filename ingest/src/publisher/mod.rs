//! Where pushes go: the records of one push are stored all or answered with an error. A trait, so that every answer can be
//! tested without a broker; `kafka` is the real one.

pub mod kafka;

use std::future::Future;

use bytes::Bytes;
use courierflow_schemas::records::{PushEvent, TimestampMicros, Vendor};

/// What one push leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// One event per parcel.
    pub events: Vec<PushEvent>,
    /// The push itself, if (a part of) it cannot be used.
    pub dead_letter: Option<DeadLetter>,
}

/// A push of which something cannot be used, as it came. Topic `courier.push.dead.v1`.
#[derive(Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The raw body.
    pub body: Bytes,
    /// Why, by a stable name.
    pub reason: &'static str,
    /// Which parcels of the push are meant, `1,4`; empty for all.
    pub parts: String,
    /// Whose push.
    pub vendor: Vendor,
    /// Under which account.
    pub account: String,
    /// When it had been read.
    pub received_at: TimestampMicros,
    /// Its Content-Type.
    pub content_type: String,
}

/// Why the records of a push are not known to be stored. Some of them may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker, the topics or the schema id are known to be missing: nothing was tried.
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

/// Stores the records of a push.
pub trait Publisher: Send + Sync + 'static {
    /// Returns when every record of the batch is acknowledged by the broker, or one of them is not going to be.
    fn publish(&self, batch: Batch) -> impl Future<Output = Result<(), PublishError>> + Send;
}
