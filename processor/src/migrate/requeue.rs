//! Pushes that derive has not read yet and that wait on a partition where their parcel does not belong any more: somebody gave
//! the topic more partitions by hand, and derive stopped before it had read what was there.
//!
//! The unread pushes of all partitions are written again in the order of their receipt, each to its own partition, and the
//! group goes on behind the former ones. After a kill in between they are there twice, which derive takes for duplicates.

use anyhow::{Context, ensure};
use courierflow_schemas::{partition, topics};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::OwnedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::copies::{Copies, CopyError};
use super::topics::REQUEST;
use crate::bounded_read::{self, Range, ReadError};
use crate::config::Config;
use crate::groups;

/// They are sorted in memory. With more of them, derive can read them itself while the topics are as they were.
const MAX_BYTES: usize = 1 << 30;

/// Returns how many pushes were written again; none if all of them wait where they belong. `wanted` is the new number of
/// partitions.
pub(super) fn run(config: &Config, reader: &BaseConsumer, wanted: i32) -> anyhow::Result<usize> {
    let partitions = bounded_read::partitions(reader, topics::PUSH)?;
    let group = &config.derive.group;
    let of_group = groups::client(&config.kafka, group)?;
    let read = groups::committed(&of_group, topics::PUSH, partitions, REQUEST)
        .with_context(|| format!("committed offsets of {group}"))?;
    let mut ranges = Vec::new();
    for partition in 0..partitions {
        let (low, end) = bounded_read::watermarks(reader, topics::PUSH, partition)?;
        let first = read.get(&partition).copied().unwrap_or(low).max(low);
        if first < end {
            ranges.push(Range { partition, first, end });
        }
    }
    let mut misplaced = 0_u64;
    bounded_read::read(reader, topics::PUSH, &ranges, |message| {
        misplaced += u64::from(right(message, wanted) != message.partition());
        Ok::<(), ReadError>(())
    })?;
    if misplaced == 0 {
        return Ok(0);
    }
    ensure!(
        partitions == wanted,
        "derive has not read {misplaced} pushes of parcels that go to other partitions: stop ingest, and let derive run until \
         its lag is 0"
    );
    let requeued = write_again(config, reader, &ranges, wanted)?;
    commit(&of_group, &ranges).with_context(|| format!("offsets of {group}"))?;
    Ok(requeued)
}

fn right(message: &impl Message, partitions: i32) -> i32 {
    partition::of_key(message.key().unwrap_or_default(), partitions)
}

fn write_again(config: &Config, reader: &BaseConsumer, ranges: &[Range], wanted: i32) -> anyhow::Result<usize> {
    let mut unread: Vec<OwnedMessage> = Vec::new();
    let mut bytes = 0;
    bounded_read::read(reader, topics::PUSH, ranges, |message| {
        bytes += message.payload_len();
        unread.push(message.detach());
        if bytes > MAX_BYTES {
            Err(CopyError::TooMuch(MAX_BYTES))
        } else {
            Ok(())
        }
    })?;
    // Stable: records of one partition and one moment stay in their order.
    unread.sort_by_key(|message| message.timestamp().to_millis());
    let copies = Copies::new(config)?;
    for message in &unread {
        copies.send(message, right(message, wanted))?;
    }
    copies.finish()?;
    Ok(unread.len())
}

/// Lets a group without members go on behind the ranges.
fn commit(of_group: &BaseConsumer, ranges: &[Range]) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    for range in ranges {
        list.add_partition_offset(topics::PUSH, range.partition, Offset::Offset(range.end))?;
    }
    of_group.commit(&list, CommitMode::Sync)
}
