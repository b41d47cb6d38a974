//! The group's committed offsets, once no transaction is pending on them.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionListElem;

use crate::shutdown::Shutdown;

const REQUEST: Duration = Duration::from_secs(10);
/// A transaction of a dead owner is resolved within its own time-out; if it takes longer, something is wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// Why the offsets could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StableOffsetsError {
    #[error("committed offsets: {0}")]
    Kafka(#[from] KafkaError),
    #[error("shutting down")]
    ShutDown,
}

/// The group's committed offsets of the `wanted` partitions. `OffsetFetch` of a `read_committed` consumer requires stable offsets
/// (KIP-447): the broker answers only when no transaction is pending on them.
pub(crate) fn stable_offsets<C: ConsumerContext>(
    member: &BaseConsumer<C>,
    wanted: &TopicPartitionList,
    shutdown: &Shutdown,
) -> Result<TopicPartitionList, StableOffsetsError> {
    let begun = Instant::now();
    loop {
        match member.committed_offsets(wanted.clone(), REQUEST) {
            Ok(offsets) => return Ok(offsets),
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) if begun.elapsed() > PATIENCE => return Err(error.into()),
            Err(error) => {
                let partitions: Vec<i32> = wanted
                    .elements()
                    .iter()
                    .map(TopicPartitionListElem::partition)
                    .collect();
                tracing::info!(%error, ?partitions, "waiting for stable offsets");
            }
        }
        if shutdown.has_begun() {
            return Err(StableOffsetsError::ShutDown);
        }
    }
}
