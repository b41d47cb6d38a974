//! Where a consumer of a group starts to read a partition: at the committed offset, and if there is none, at the beginning.
//!
//! The client's own answer to a committed offset that no longer exists is to begin somewhere else without a word
//! (`auto.offset.reset`). Here it is an error, because records were lost: retention deleted them before they were read, or the
//! topic was deleted and made anew. Kafka drops the offsets of a topic that is deleted, so whoever knows otherwise that something was
//! read says that, too ([`report_lost_place`]), and whoever knows how far a topic reached, that it does not any more
//! ([`report_shortened`]).

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use serde::Deserialize;

/// Per request; a broker that is slower is asked again by the next attempt.
const REQUEST: Duration = Duration::from_secs(10);

/// What to do when records are gone before they were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDataLoss {
    /// Stop and wait for an operator, who looks at what is missing and sets `continue`.
    #[default]
    Stop,
    /// Log and count what is missing, and go on with what is there.
    Continue,
}

/// A committed offset of a partition that lies outside of what the partition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LostRecords {
    topic: String,
    partition: i32,
    /// Up to which it was read; or, of a topic that is read from its beginning, to which it reached.
    committed: i64,
    /// First offset that exists.
    low: i64,
    /// Offset behind the last record.
    high: i64,
}

impl LostRecords {
    /// Judges a committed offset against the offsets of its partition.
    fn find(topic: &str, partition: i32, committed: i64, (low, high): (i64, i64)) -> Option<Self> {
        (!(low..=high).contains(&committed)).then(|| Self {
            topic: topic.to_owned(),
            partition,
            committed,
            low,
            high,
        })
    }

    /// Judges the end of a partition that reached this offset when it was committed. Where it begins says nothing: it is compacted.
    pub(crate) fn find_shortened(topic: &str, partition: i32, reached: i64, (low, high): (i64, i64)) -> Option<Self> {
        (high < reached).then(|| Self {
            topic: topic.to_owned(),
            partition,
            committed: reached,
            low,
            high,
        })
    }

    /// How many records are known to be lost; of a topic that was made anew nobody knows.
    fn count(&self) -> u64 {
        u64::try_from(self.low.saturating_sub(self.committed)).unwrap_or(0)
    }
}

impl fmt::Display for LostRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            partition,
            committed,
            low,
            high,
        } = self;
        if committed > high {
            write!(
                f,
                "{topic}/{partition} ends at offset {high}, before the committed offset {committed}: was the topic deleted and \
                 made anew?"
            )
        } else {
            write!(
                f,
                "{topic}/{partition} begins at offset {low}, behind the committed offset {committed}: records were deleted \
                 before they were read"
            )
        }
    }
}

/// All that was lost, for the log, `/readyz` and the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; set on_data_loss = \"continue\" to go on without them", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub(crate) struct DataLoss(Vec<LostRecords>);

/// What [`ConsumerContext::rebalance`] does, but partitions are assigned with the offsets that this module decides, and that `adjust`
/// may change; it is told in which partitions records are lost. Fails if records are lost and that stops the consumer; nothing is assigned then.
pub(crate) fn rebalance<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    event: RDKafkaRespErr,
    partitions: &mut TopicPartitionList,
    on_data_loss: OnDataLoss,
    counter: &metrics::Counter,
    adjust: impl FnOnce(&mut TopicPartitionList, &BTreeSet<i32>),
) -> Result<(), DataLoss> {
    match event {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
            return assign(consumer, partitions, on_data_loss, counter, adjust);
        }
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => unassign(consumer, &Rebalance::Revoke(partitions)),
        error => unassign(consumer, &Rebalance::Error(KafkaError::Rebalance(error.into()))),
    }
    Ok(())
}

/// The same for a consumer that reads everything that its partitions hold, whatever its group has committed.
pub(crate) fn rebalance_from_the_beginning<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    event: RDKafkaRespErr,
    partitions: &mut TopicPartitionList,
) {
    match event {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
            let mut offsets = partitions.clone();
            say_if_failed(offsets.set_all_offsets(Offset::Beginning));
            let change = Rebalance::Assign(partitions);
            consumer.context().pre_rebalance(consumer, &change);
            say_if_failed(consumer.assign(&offsets));
            consumer.context().post_rebalance(consumer, &change);
        }
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => unassign(consumer, &Rebalance::Revoke(partitions)),
        error => unassign(consumer, &Rebalance::Error(KafkaError::Rebalance(error.into()))),
    }
}

fn assign<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: &mut TopicPartitionList,
    on_data_loss: OnDataLoss,
    counter: &metrics::Counter,
    adjust: impl FnOnce(&mut TopicPartitionList, &BTreeSet<i32>),
) -> Result<(), DataLoss> {
    let Starts { mut offsets, lost } = starts(consumer, partitions).unwrap_or_else(|error| {
        tracing::warn!(%error, "start offsets: the client looks them up itself");
        Starts::unknown(partitions)
    });
    report(&lost, counter);
    let stops = !lost.is_empty() && on_data_loss == OnDataLoss::Stop;
    if stops {
        offsets = TopicPartitionList::new();
    }
    adjust(&mut offsets, &lost.iter().map(|lost| lost.partition).collect());
    let change = Rebalance::Assign(partitions);
    consumer.context().pre_rebalance(consumer, &change);
    say_if_failed(if is_cooperative(consumer) {
        consumer.incremental_assign(&offsets)
    } else {
        consumer.assign(&offsets)
    });
    if !stops && !lost.is_empty() {
        // So that the next owner does not find the same loss again.
        say_if_failed(consumer.commit(&resume_points(&lost), CommitMode::Async));
    }
    consumer.context().post_rebalance(consumer, &change);
    if stops { Err(DataLoss(lost)) } else { Ok(()) }
}

fn unassign<C: ConsumerContext>(consumer: &BaseConsumer<C>, change: &Rebalance<'_>) {
    consumer.context().pre_rebalance(consumer, change);
    say_if_failed(match change {
        Rebalance::Revoke(partitions) if is_cooperative(consumer) => consumer.incremental_unassign(partitions),
        _ => consumer.unassign(),
    });
    consumer.context().post_rebalance(consumer, change);
}

fn is_cooperative<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> bool {
    matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
}

fn say_if_failed(done: KafkaResult<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "rebalance");
    }
}

struct Starts {
    offsets: TopicPartitionList,
    lost: Vec<LostRecords>,
}

impl Starts {
    fn unknown(partitions: &TopicPartitionList) -> Self {
        Self {
            offsets: partitions.clone(),
            lost: Vec::new(),
        }
    }
}

fn starts<C: ConsumerContext>(consumer: &BaseConsumer<C>, partitions: &TopicPartitionList) -> KafkaResult<Starts> {
    let mut starts = Starts::unknown(partitions);
    if partitions.count() == 0 {
        return Ok(starts);
    }
    let committed = consumer.committed_offsets(partitions.clone(), REQUEST)?;
    let low = edges(consumer, partitions, Offset::Beginning)?;
    let high = edges(consumer, partitions, Offset::End)?;
    for element in committed.elements() {
        let (topic, partition) = (element.topic(), element.partition());
        let start = match element.offset() {
            Offset::Offset(committed) => {
                let watermarks = (edge(&low, topic, partition)?, edge(&high, topic, partition)?);
                match LostRecords::find(topic, partition, committed, watermarks) {
                    None => Offset::Offset(committed),
                    Some(lost) => {
                        starts.lost.push(lost);
                        Offset::Beginning
                    }
                }
            }
            _ => Offset::Beginning,
        };
        starts.offsets.set_partition_offset(topic, partition, start)?;
    }
    Ok(starts)
}

/// The first or the end offset of all partitions, in one request to each leader: the group waits for us meanwhile. To a
/// broker, -2 and -1 are the times of the beginning and of the end, and they are the numbers of these two offsets.
pub(crate) fn edges<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: &TopicPartitionList,
    edge: Offset,
) -> KafkaResult<TopicPartitionList> {
    let mut times = partitions.clone();
    times.set_all_offsets(edge)?;
    consumer.offsets_for_times(times, REQUEST)
}

/// What [`edges`] says of one partition.
pub(crate) fn edge(edges: &TopicPartitionList, topic: &str, partition: i32) -> KafkaResult<i64> {
    let unknown = KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition);
    let found = edges.find_partition(topic, partition).ok_or(unknown)?;
    found.error()?;
    match found.offset() {
        Offset::Offset(offset) => Ok(offset),
        _ => Err(KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset)),
    }
}

/// Says that Kafka has dropped the offset up to which a partition was read, so that all its records are read and nobody knows what was
/// lost in between. `known` is what tells that it was read, in the plural.
pub(crate) fn report_lost_place(topic: &str, partition: i32, known: &str, counter: &metrics::Counter) {
    tracing::error!(
        topic,
        partition,
        "records lost: {known} are known and no offset is committed: was the topic deleted and made anew? All records that are there are \
         read again"
    );
    // Once, so that the alarm rings.
    counter.increment(1);
}

/// Says of which partitions the end is lost, and returns them. Fails if that stops the consumer.
pub(crate) fn report_shortened(
    lost: Vec<LostRecords>,
    on_data_loss: OnDataLoss,
    counter: &metrics::Counter,
) -> Result<BTreeSet<i32>, DataLoss> {
    report(&lost, counter);
    if lost.is_empty() || on_data_loss == OnDataLoss::Continue {
        Ok(lost.iter().map(|lost| lost.partition).collect())
    } else {
        Err(DataLoss(lost))
    }
}

/// Where reading goes on without what is lost.
fn resume_points(lost: &[LostRecords]) -> TopicPartitionList {
    let mut points = TopicPartitionList::with_capacity(lost.len());
    for lost in lost {
        // Fails only for an offset below zero, which no broker has.
        let _ = points.add_partition_offset(&lost.topic, lost.partition, Offset::Offset(lost.low));
    }
    points
}

fn report(lost: &[LostRecords], counter: &metrics::Counter) {
    for lost in lost {
        tracing::error!(
            topic = lost.topic,
            partition = lost.partition,
            from = lost.committed,
            to = lost.low,
            "records lost: {lost}"
        );
        // At least one, so that the alarm rings also where nobody knows how many.
        counter.increment(lost.count().max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_that_do_not_exist_any_more_are_lost_records() {
        for (committed, watermarks, lost) in [
            (0, (0, 0), None),
            (5, (0, 10), None),
            (10, (0, 10), None),
            (5, (5, 10), None),
            (10, (10, 10), None),
            (4, (5, 10), Some(1)),
            (0, (40, 40), Some(40)),
            // The topic was made anew: nobody knows.
            (11, (0, 10), Some(0)),
            (7, (0, 0), Some(0)),
        ] {
            let found = LostRecords::find("t", 3, committed, watermarks).map(|lost| lost.count());
            assert_eq!(found, lost, "{committed} of {watermarks:?}");
        }
    }

    #[test]
    fn a_partition_that_ends_before_it_did_is_lost_records_wherever_it_begins() {
        for (reached, watermarks, lost) in [
            (0, (0, 0), false),
            (10, (0, 10), false),
            (10, (12, 15), false),
            (10, (0, 9), true),
            (10, (0, 0), true),
        ] {
            let found = LostRecords::find_shortened("t", 3, reached, watermarks);
            assert_eq!(found.is_some(), lost, "{reached} of {watermarks:?}");
        }
    }

    #[test]
    fn what_is_shortened_stops_the_consumer_unless_an_operator_has_looked() {
        let counter = metrics::Counter::noop();
        let lost = || -> Vec<LostRecords> { LostRecords::find_shortened("t", 3, 10, (0, 0)).into_iter().collect() };
        let stopped = report_shortened(lost(), OnDataLoss::Stop, &counter).unwrap_err();
        assert!(stopped.to_string().starts_with("t/3 ends at offset 0"), "{stopped}");
        assert_eq!(
            report_shortened(lost(), OnDataLoss::Continue, &counter),
            Ok([3].into_iter().collect())
        );
        assert_eq!(
            report_shortened(Vec::new(), OnDataLoss::Stop, &counter),
            Ok(BTreeSet::new())
        );
    }

    #[test]
    fn what_is_said_names_topic_partition_and_both_offsets() {
        let said = |committed, watermarks| LostRecords::find("t", 3, committed, watermarks).unwrap().to_string();
        assert_eq!(
            said(2, (5, 10)),
            "t/3 begins at offset 5, behind the committed offset 2: records were deleted before they were read"
        );
        assert!(said(12, (0, 10)).starts_with("t/3 ends at offset 10, before the committed offset 12"));
    }
}
