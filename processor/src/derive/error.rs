//! The errors that end a worker.

use courierflow_schemas::settings::SettingsError;
use courierflow_schemas::wire::DecodeError;
use courierflow_service::partition_counts::PartitionCountsDiffer;
use rdkafka::error::KafkaError;

use super::record_reader::RecordReaderError;
use super::restore::RestoreError;
use crate::exactly_once::member::is_fenced;
use crate::exactly_once::producer::ProducerError;
use crate::exactly_once::stable_offsets::StableOffsetsError;
use crate::exactly_once::supervisor::Failure;
use crate::start_offsets::DataLoss;

/// Why a worker ended, or why a push event could not be processed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    #[error(transparent)]
    Producer(#[from] ProducerError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error(transparent)]
    StableOffsets(#[from] StableOffsetsError),
    #[error("consumer: {0}")]
    Consumer(#[from] KafkaError),
    /// The key for ids can no longer be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A temporary condition that is not the record's fault: read it again later.
    #[error("not now: {0}")]
    NotNow(DecodeError),
    /// Push events are gone before they were read.
    #[error(transparent)]
    DataLoss(#[from] DataLoss),
    /// A topic has another number of partitions than the others, or than the configuration.
    #[error(transparent)]
    PartitionCounts(#[from] PartitionCountsDiffer),
    /// Too many push events cannot be derived: more likely our fault than theirs.
    #[error("{0}")]
    Poisoned(String),
    #[error(transparent)]
    RecordReader(#[from] RecordReaderError),
    #[error("state of a shipment cannot be packed or unpacked: {0}")]
    Pack(#[from] postcard::Error),
    #[error("a record of partition {0} that we wrote cannot be read: state is corrupted")]
    Corrupted(i32),
}

impl Failure for WorkerError {
    fn is_for_an_operator(&self) -> bool {
        matches!(
            self,
            Self::Poisoned(_)
                | Self::DataLoss(_)
                | Self::PartitionCounts(_)
                | Self::Restore(RestoreError::Misplaced { .. })
        )
    }

    fn is_fenced(&self) -> bool {
        match self {
            Self::Producer(error) => error.kafka().is_some_and(is_fenced),
            Self::Consumer(error) | Self::StableOffsets(StableOffsetsError::Kafka(error)) => is_fenced(error),
            _ => false,
        }
    }
}
