//! Pushes and requests that have not been read yet and wait on a partition where their parcel does not belong any more.
//!
//! Requests do so whenever the topics grow; pushes only if somebody gave their topic more partitions by hand, and the processors stopped
//! before they had read what was there.
//!
//! The unread records of all partitions are written again in the order of their receipt, each to its own partition, and the groups go
//! on behind the former ones. Both are one transaction, so that a run that is killed has done nothing.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use courierflow_schemas::partition;
use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::Authenticated;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;
use rdkafka::message::{Header, OwnedMessage};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::copies::{Copies, CopyError};
use super::topics::REQUEST;
use crate::bounded_read::{self, Range, ReadError};
use crate::config::Config;
use crate::groups;
use crate::subscribe::READ_BEFORE;

/// They are sorted in memory. With more of them, the groups can read them themselves while the topics are as they were.
const MAX_BYTES: usize = 1 << 30;

/// Returns how many pushes were written again; none if all of them wait where they belong. `wanted` is the new number of
/// partitions.
pub(super) fn pushes(config: &Config, reader: &BaseConsumer, wanted: i32) -> anyhow::Result<usize> {
    let partitions = bounded_read::partitions(reader, on_broker(topics::PUSH))?;
    let derive = Group::of(
        config,
        "derive",
        &config.derive.group,
        on_broker(topics::PUSH),
        partitions,
    )?;
    let subscribe = Group::of(
        config,
        "subscribe",
        &config.subscribe.group,
        on_broker(topics::PUSH),
        partitions,
    )?;
    let mut unread = Unread::of(on_broker(topics::PUSH), partitions, derive);
    // Who has committed nothing reads nothing.
    if !subscribe.committed.is_empty() {
        unread.groups.push(subscribe);
    }
    unread.write_again(config, reader, wanted)
}

/// The same for requests for subscriptions. Their topic has `wanted` partitions.
pub(super) fn requests(config: &Config, reader: &BaseConsumer, wanted: i32) -> anyhow::Result<usize> {
    let topic = on_broker(topics::SUBSCRIPTION_REQUEST);
    let subscribe = Group::of(config, "subscribe", &config.subscribe.group, topic, wanted)?;
    Unread::of(topic, wanted, subscribe).write_again(config, reader, wanted)
}

/// A group without members.
struct Group {
    role: &'static str,
    name: String,
    client: Authenticated<BaseConsumer>,
    committed: BTreeMap<i32, i64>,
}

impl Group {
    fn of(config: &Config, role: &'static str, name: &str, topic: &str, partitions: i32) -> anyhow::Result<Self> {
        let client = groups::client(&config.kafka, name)?;
        let committed = groups::committed(&client, topic, partitions, REQUEST)
            .with_context(|| format!("committed offsets of {name}"))?;
        Ok(Self {
            role,
            name: name.to_owned(),
            client,
            committed,
        })
    }

    fn has_read(&self, message: &impl Message) -> bool {
        let next = self.committed.get(&message.partition());
        next.is_some_and(|next| message.offset() < *next)
    }
}

/// What one of the groups has not read.
struct Unread {
    topic: &'static str,
    /// How many the topic has.
    partitions: i32,
    groups: Vec<Group>,
}

impl Unread {
    fn of(topic: &'static str, partitions: i32, group: Group) -> Self {
        Self {
            topic,
            partitions,
            groups: vec![group],
        }
    }

    fn write_again(&self, config: &Config, reader: &BaseConsumer, wanted: i32) -> anyhow::Result<usize> {
        let ranges = self.ranges(reader)?;
        let mut is_any_misplaced = false;
        for group in &self.groups {
            let misplaced = self.misplaced(reader, &ranges, group, wanted)?;
            is_any_misplaced |= misplaced > 0;
            ensure!(
                misplaced == 0 || self.partitions == wanted,
                "{role} has not read {misplaced} records of {topic} whose parcels go to other partitions: stop ingest, and let \
                 {role} run until its lag is 0",
                role = group.role,
                topic = self.topic
            );
        }
        if !is_any_misplaced {
            return Ok(0);
        }
        let records = self.read(reader, &ranges)?;
        let copies = Copies::in_transaction(config)?;
        for record in &records {
            copies.send(record, right(record, wanted), self.mark(record))?;
        }
        let read = offsets(self.topic, &ranges)?;
        let of_groups = self.groups.iter().map(|group| (&*group.client, read.clone()));
        let names: Vec<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        copies
            .commit(of_groups.collect())
            .with_context(|| format!("writing records of {} again, with the offsets of {names:?}", self.topic))?;
        Ok(records.len())
    }

    fn ranges(&self, reader: &BaseConsumer) -> anyhow::Result<Vec<Range>> {
        let mut ranges = Vec::new();
        for partition in 0..self.partitions {
            let (low, end) = bounded_read::watermarks(reader, self.topic, partition)?;
            let next = |group: &Group| group.committed.get(&partition).copied().unwrap_or(low).max(low);
            let first = self.groups.iter().map(next).min().unwrap_or(low);
            if first < end {
                ranges.push(Range { partition, first, end });
            }
        }
        Ok(ranges)
    }

    /// How many records the group has not read that are not where they belong.
    fn misplaced(&self, reader: &BaseConsumer, ranges: &[Range], group: &Group, wanted: i32) -> Result<u64, ReadError> {
        let mut misplaced = 0;
        bounded_read::read(reader, self.topic, ranges, |message| {
            misplaced += u64::from(right(message, wanted) != message.partition() && !group.has_read(message));
            Ok::<(), ReadError>(())
        })?;
        Ok(misplaced)
    }

    /// All of them in the order of their receipt.
    fn read(&self, reader: &BaseConsumer, ranges: &[Range]) -> Result<Vec<OwnedMessage>, CopyError> {
        let mut unread: Vec<OwnedMessage> = Vec::new();
        let mut bytes = 0;
        bounded_read::read(reader, self.topic, ranges, |message| {
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
        Ok(unread)
    }

    /// Derive takes what it has read before for a duplicate. To a subscription the same word is another one, so subscribe is told.
    fn mark(&self, message: &impl Message) -> Option<Header<'static, &'static str>> {
        let mut groups = self.groups.iter().filter(|group| group.role == "subscribe");
        groups.any(|group| group.has_read(message)).then_some(Header {
            key: READ_BEFORE,
            value: None,
        })
    }
}

fn right(message: &impl Message, partitions: i32) -> i32 {
    partition::of_key(message.key().unwrap_or_default(), partitions)
}

/// The ends of the ranges.
fn offsets(topic: &str, ranges: &[Range]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for range in ranges {
        list.add_partition_offset(topic, range.partition, Offset::Offset(range.end))?;
    }
    Ok(list)
}
