//! The group's committed offsets, once no transaction is pending on them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use courierflow_schemas::topics;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;

use super::progress::Progress;
use crate::shutdown::Shutdown;

const REQUEST: Duration = Duration::from_secs(10);
/// A transaction of a dead owner is resolved within its own time-out; if it takes longer, something is wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// Why the offsets could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StableOffsetsError {
    #[error("committed offsets: {0}")]
    Kafka(#[from] KafkaError),
    #[error("shutting down")]
    ShutDown,
}

/// The group's committed offsets of push partitions; `None` where nothing was ever committed. `OffsetFetch` of a
/// `read_committed` consumer requires stable offsets (KIP-447): the broker answers only when no transaction is pending on
/// them.
pub(super) fn stable_offsets<C: ConsumerContext>(
    member: &BaseConsumer<C>,
    partitions: &[i32],
    shutdown: &Shutdown,
) -> Result<BTreeMap<i32, Option<Progress>>, StableOffsetsError> {
    let mut wanted = TopicPartitionList::new();
    for &partition in partitions {
        wanted.add_partition(topics::PUSH, partition);
    }
    let begun = Instant::now();
    loop {
        match member.committed_offsets(wanted.clone(), REQUEST) {
            Ok(offsets) => {
                let elements = offsets.elements();
                let progress = elements
                    .iter()
                    .map(|element| (element.partition(), Progress::committed(element)));
                return Ok(progress.collect());
            }
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) if begun.elapsed() > PATIENCE => return Err(error.into()),
            Err(error) => tracing::info!(%error, ?partitions, "waiting for stable offsets"),
        }
        if shutdown.has_begun() {
            return Err(StableOffsetsError::ShutDown);
        }
    }
}
