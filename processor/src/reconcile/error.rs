//! The errors that end a worker.

use std::panic::{AssertUnwindSafe, catch_unwind};

use courierflow_schemas::wire::{DecodeError, EncodeError};
use courierflow_service::partition_counts::PartitionCountsDiffer;
use rdkafka::error::KafkaError;

use crate::exactly_once::member::is_fenced;
use crate::exactly_once::producer::ProducerError;
use crate::exactly_once::stable_offsets::StableOffsetsError;
use crate::exactly_once::supervisor::Failure;
use crate::start_offsets::DataLoss;

/// Why a worker ended, or why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    #[error(transparent)]
    Producer(#[from] ProducerError),
    #[error(transparent)]
    StableOffsets(#[from] StableOffsetsError),
    /// After its coordinator has moved, a group's offsets may for a while be those of some seconds before.
    #[error("the offsets of the group tell of calls that are recorded already: they are older than what was committed")]
    OldOffsets,
    #[error("consumer: {0}")]
    Consumer(#[from] KafkaError),
    /// A temporary condition that is not the record's fault: read it again later.
    #[error("not now: {0}")]
    NotNow(DecodeError),
    /// Nothing is lost for a consumer that reads everything that is there; the group's events have this kind all the same.
    #[error(transparent)]
    DataLoss(#[from] DataLoss),
    /// A topic has another number of partitions than the others, or than the configuration.
    #[error(transparent)]
    PartitionCounts(#[from] PartitionCountsDiffer),
    /// A record of ours does not fit its schema: a bug.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A bug. Nothing of the worker is used again.
    #[error("the worker panicked")]
    Panicked,
    #[error("client of the vendors: {0}")]
    Client(#[from] reqwest::Error),
}

impl Failure for WorkerError {
    fn is_for_an_operator(&self) -> bool {
        matches!(self, Self::DataLoss(_) | Self::PartitionCounts(_))
    }

    fn is_fenced(&self) -> bool {
        match self {
            Self::Producer(error) => error.kafka().is_some_and(is_fenced),
            Self::Consumer(error) | Self::StableOffsets(StableOffsetsError::Kafka(error)) => is_fenced(error),
            _ => false,
        }
    }
}

/// A panic of the worker is an error of it: the thread goes on, and builds the worker again.
pub(super) fn caught(run: impl FnOnce() -> Result<(), WorkerError>) -> Result<(), WorkerError> {
    // AssertUnwindSafe is sound, because of a worker that panicked nothing is used again but what ends it.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(WorkerError::Panicked))
}
