//! All topics have the same number of partitions, at run time too: state is found by partition number, and a number's records are on
//! the partition of the same number of every topic (I2). Somebody may give one topic more partitions under a running system.

use std::fmt;
use std::time::Duration;

use courierflow_schemas::topics;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;

const REQUEST: Duration = Duration::from_secs(5);

/// Two topics with different numbers of partitions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct PartitionCountsDiffer {
    topic: &'static str,
    partitions: usize,
    other: &'static str,
    of_other: usize,
}

impl fmt::Display for PartitionCountsDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            partitions,
            other,
            of_other,
        } = self;
        write!(
            f,
            "{topic} has {partitions} partitions and {other} has {of_other}: a parcel's state is found by its partition, so the \
             number must not change under a running system; see \"More partitions\" in the runbook"
        )
    }
}

/// Compares the topics that derive reads and writes. `Ok(None)` if they agree, or if one of them is not there.
pub(crate) fn difference<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> KafkaResult<Option<PartitionCountsDiffer>> {
    let of_push = count(consumer, topics::PUSH)?;
    for other in [topics::SHIPMENT, topics::TRANSITION] {
        let of_other = count(consumer, other)?;
        if of_push > 0 && of_other > 0 && of_push != of_other {
            return Ok(Some(PartitionCountsDiffer {
                topic: topics::PUSH,
                partitions: of_push,
                other,
                of_other,
            }));
        }
    }
    Ok(None)
}

fn count<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str) -> KafkaResult<usize> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST)?;
    Ok(metadata.topics().first().map_or(0, |found| found.partitions().len()))
}
