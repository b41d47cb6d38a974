//! Where the partitions of a new assignment are read from, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use metrics::{Counter, counter};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::stored::{Held, Run, first_to_read};
use crate::start_offsets;

/// A worker reads a partition.
#[derive(Clone, Debug)]
pub(super) struct PartitionRun {
    pub(super) run: Run,
    /// Everything from here on is inserted by this run.
    pub(super) first: i64,
    /// Records before this offset had been inserted once, as far as Kafka knows.
    pub(super) reread_to: Option<i64>,
    /// To be committed at once. Nothing before it is read: there are better rows, or nothing was committed yet.
    pub(super) commits: Option<i64>,
}

/// Moves the offsets of an assignment back to where rows may be missing, and says so. Of the partitions in `told` it was said that records
/// are lost.
pub(super) fn begin<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    table: &'static str,
    offsets: &mut TopicPartitionList,
    held: &Held,
    told: &BTreeSet<i32>,
    lost: &Counter,
) -> KafkaResult<BTreeMap<i32, PartitionRun>> {
    let mut begun = BTreeMap::new();
    let mut again: BTreeMap<i32, i64> = BTreeMap::new();
    let assigned = offsets.clone();
    // Asked for when the first partition needs it.
    let mut lows = None;
    for element in assigned.elements() {
        let (topic, partition) = (element.topic(), element.partition());
        let committed = match element.offset() {
            Offset::Offset(committed) => Some(committed),
            Offset::Beginning => None,
            // It could not be looked up.
            _ => return Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)),
        };
        let (up_to, start) = (held.up_to.get(&partition).copied(), held.start.get(&partition).copied());
        let first = first_to_read(committed, up_to, start.unwrap_or(0));
        let mut reread_to = None;
        let mut commits = None;
        if committed != Some(first) {
            let lows = match lows.take() {
                Some(known) => lows.insert(known),
                None => lows.insert(start_offsets::edges(consumer, &assigned, Offset::Beginning)?),
            };
            let low = start_offsets::edge(lows, topic, partition)?;
            offsets.set_partition_offset(topic, partition, Offset::Offset(first.max(low)))?;
            match (committed, up_to) {
                (Some(committed), Some(_)) => {
                    report_deleted(table, topic, partition, first, low.min(committed), lost);
                }
                (None, noted) if !told.contains(&partition) => {
                    if noted.is_some() {
                        start_offsets::report_lost_place(topic, partition, "rows", lost);
                    }
                    // Before anything is noted, so that notes without an offset always tell that Kafka has dropped it.
                    commits = Some(first.max(low));
                }
                _ => {}
            }
            reread_to = committed.filter(|committed| first.max(low) < *committed);
            if let Some(committed) = reread_to {
                again.insert(partition, committed - first.max(low));
            }
        }
        if start.is_some_and(|start| first_to_read(committed, up_to, 0) < start) {
            tracing::warn!(
                table,
                partition,
                start,
                "sink: earlier records are not read, because `replay --exchange` has put better rows in their place"
            );
        }
        let run = held.run.clone();
        if start.is_some() && committed.unwrap_or(0) < first {
            commits = Some(first);
        }
        begun.insert(
            partition,
            PartitionRun {
                run,
                first,
                reread_to,
                commits,
            },
        );
    }
    report_again(table, &again);
    Ok(begun)
}

/// Records whose rows are missing, and that Kafka does not have any more either.
fn report_deleted(table: &'static str, topic: &str, partition: i32, from: i64, to: i64, lost: &Counter) {
    if from >= to {
        return;
    }
    tracing::error!(
        table,
        topic,
        partition,
        from,
        to,
        "records lost: ClickHouse may not hold their rows, and Kafka has deleted them"
    );
    lost.increment(u64::try_from(to - from).unwrap_or(0));
}

fn report_again(table: &'static str, again: &BTreeMap<i32, i64>) {
    if again.is_empty() {
        return;
    }
    let records = again.values().sum::<i64>();
    let partitions: Vec<i32> = again.keys().copied().collect();
    tracing::warn!(
        table,
        ?partitions,
        records,
        "sink: ClickHouse may not hold all rows that were inserted, their records are read again"
    );
    counter!("courierflow_sink_reread_records_total", "table" => table).increment(u64::try_from(records).unwrap_or(0));
}
