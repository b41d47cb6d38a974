//! Moves the state of parcels, subscriptions and their secrets on a compacted topic to the partitions that they belong to.
//!
//! The newest record of every key that is on a wrong partition is copied to the right one, and then the partition that it was
//! on is cut off below the copies. A tombstone would say that the parcel has ended, and consumers that read the two partitions
//! in another order would forget it. A cut removes what belongs to its partition too, so that is copied as well, to its end.
//!
//! Whatever was done by a run that was killed is found done: a copy behind the cut is not made again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use courierflow_schemas::partition;
use courierflow_schemas::topics::prefixed;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::admin::ResourceSpecifier;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tokio::runtime::Handle;
use xxhash_rust::xxh3::xxh3_128;

use super::copies::{Copies, CopyError};
use super::topics::{REQUEST, alter, options};
use crate::admin::{self, Admin};
use crate::bounded_read::{self, Range, ReadError};
use crate::config::Config;
use crate::groups;

/// Brokers learn of a changed setting a moment after it was accepted.
const SETTING_ARRIVES: Duration = Duration::from_secs(10);

/// A topic that holds the newest record of every key. The third part of a key is the tracking number, to which the partition belongs.
pub(super) struct Keyed<'a> {
    pub(super) topic: &'static str,
    /// What has a key, in the plural.
    pub(super) what: &'static str,
    /// The group of the sink, which must have read what is removed. While it has committed nothing, there is no sink.
    pub(super) sink: Option<&'a str>,
    /// A group that finds in the copies all that it needs, and goes on behind what is removed.
    pub(super) skips: Option<&'a str>,
}

/// Returns the number of records that were copied because they were on a wrong partition. `partitions` is the number that the
/// topic has.
pub(super) fn run(
    config: &Config,
    admin: &Admin,
    runtime: &Handle,
    reader: &BaseConsumer,
    partitions: i32,
    keyed: &Keyed<'_>,
) -> anyhow::Result<usize> {
    let topic = keyed.topic;
    let ranges = ranges(config, reader, topic, partitions)?;
    let state = State::read(reader, topic, &ranges, partitions)?;
    let read_by_sink = match keyed.sink {
        Some(sink) => committed(config, sink, topic, partitions)?,
        None => BTreeMap::new(),
    };
    let plan = Plan::of(&state, &ranges, &read_by_sink, keyed)?;
    if plan.cuts.is_empty() {
        return Ok(0);
    }
    copy(config, reader, topic, &ranges, &plan, partitions)?;
    if let Some(group) = keyed.skips {
        skip(config, group, topic, &plan.cuts).with_context(|| format!("offsets of {group}"))?;
    }
    runtime.block_on(cut(admin, topic, &plan.cuts))?;
    Ok(plan.moved)
}

fn committed(config: &Config, group: &str, topic: &str, partitions: i32) -> anyhow::Result<BTreeMap<i32, i64>> {
    let client = groups::client(&config.kafka, group)?;
    groups::committed(&client, topic, partitions, REQUEST).with_context(|| format!("committed offsets of {group}"))
}

/// What is there to read. Fails while a transaction is open or not yet marked as committed: its records cannot be read yet.
pub(super) fn ranges(
    config: &Config,
    reader: &BaseConsumer,
    topic: &'static str,
    partitions: i32,
) -> anyhow::Result<Vec<Range>> {
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, &config.kafka);
    client
        .set("group.id", prefixed("courierflow-grow"))
        .set("isolation.level", "read_uncommitted");
    let of_all: Authenticated<BaseConsumer> = authenticated::create(&client)?;
    let mut ranges = Vec::new();
    for partition in 0..partitions {
        // The end is the last stable offset for the reader, which reads what is committed.
        let (first, end) = bounded_read::watermarks(reader, topic, partition)?;
        let (_, high) = bounded_read::watermarks(&of_all, topic, partition)?;
        ensure!(
            high == end,
            "a transaction is open on {topic}/{partition}: try again in transaction_timeout_ms of derive, subscribe or reconcile"
        );
        if first < end {
            ranges.push(Range { partition, first, end });
        }
    }
    Ok(ranges)
}

type Key = u128;

/// The newest record of every key on every partition: its offset, and the partition that the key belongs to.
#[derive(Default)]
struct State(HashMap<(i32, Key), (i64, i32)>);

impl State {
    fn read(reader: &BaseConsumer, topic: &'static str, ranges: &[Range], partitions: i32) -> anyhow::Result<Self> {
        let mut state = Self::default();
        bounded_read::read(reader, topic, ranges, |message| {
            let key = message.key().unwrap_or_default();
            state.take(
                message.partition(),
                message.offset(),
                key,
                message.payload(),
                partitions,
            );
            Ok::<(), ReadError>(())
        })?;
        Ok(state)
    }

    fn take(&mut self, partition: i32, offset: i64, key: &[u8], value: Option<&[u8]>, partitions: i32) {
        let place = (partition, xxh3_128(key));
        let right = right_partition(key, partition, partitions);
        match value {
            Some(_) => drop(self.0.insert(place, (offset, right))),
            None => drop(self.0.remove(&place)),
        }
    }
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Records to be copied: partition and offset.
    copies: BTreeSet<(i32, i64)>,
    /// By partition that has records which belong to others: the offset below which everything is removed.
    cuts: BTreeMap<i32, i64>,
    /// How many of the copies go to another partition.
    moved: usize,
}

impl Plan {
    fn of(
        state: &State,
        ranges: &[Range],
        read_by_sink: &BTreeMap<i32, i64>,
        keyed: &Keyed<'_>,
    ) -> anyhow::Result<Self> {
        let Keyed { topic, what, .. } = keyed;
        let mut plan = Self::default();
        let misplaced = || state.0.iter().filter(|((partition, _), (_, right))| partition != right);
        for ((partition, _), _) in misplaced() {
            let end = ranges
                .iter()
                .find(|range| range.partition == *partition)
                .map_or(0, |range| range.end);
            // The sink reads all that it has not read yet, and would miss what is cut off.
            let read = if read_by_sink.is_empty() {
                end
            } else {
                read_by_sink.get(partition).copied().unwrap_or(0)
            };
            plan.cuts.insert(*partition, read.min(end));
        }
        let mut unread = 0_u64;
        let mut copied = BTreeSet::new();
        for ((partition, key), (offset, right)) in misplaced() {
            unread += u64::from(plan.cuts.get(partition).is_some_and(|cut| offset >= cut));
            // A copy of a run that was killed is there already; the cut may take it, and then it is copied below.
            if !state.0.contains_key(&(*right, *key)) && copied.insert(*key) {
                plan.copies.insert((*partition, *offset));
                plan.moved += 1;
            }
        }
        ensure!(
            unread == 0,
            "the sink has not read the records of {unread} {what} on {topic}: let it run until its lag is 0"
        );
        for ((partition, _), (offset, right)) in &state.0 {
            if partition == right && plan.cuts.get(partition).is_some_and(|cut| offset < cut) {
                plan.copies.insert((*partition, *offset));
            }
        }
        Ok(plan)
    }
}

/// Copies the records to the partitions that they belong to; returns when all replicas in sync have them.
fn copy(
    config: &Config,
    reader: &BaseConsumer,
    topic: &'static str,
    ranges: &[Range],
    plan: &Plan,
    partitions: i32,
) -> anyhow::Result<()> {
    let copies = Copies::new(config)?;
    let has_any = |partition| {
        plan.copies
            .range((partition, i64::MIN)..=(partition, i64::MAX))
            .next()
            .is_some()
    };
    let sources: Vec<Range> = ranges
        .iter()
        .filter(|range| has_any(range.partition))
        .copied()
        .collect();
    bounded_read::read(reader, topic, &sources, |message| {
        if plan.copies.contains(&(message.partition(), message.offset())) {
            let key = message.key().unwrap_or_default();
            copies.send(message, right_partition(key, message.partition(), partitions), None)?;
        }
        Ok::<(), CopyError>(())
    })?;
    Ok(copies.finish()?)
}

/// Lets a group without members go on behind the cuts, where it has not read as far.
fn skip(config: &Config, group: &str, topic: &'static str, cuts: &BTreeMap<i32, i64>) -> anyhow::Result<()> {
    let client = groups::client(&config.kafka, group)?;
    let partitions = cuts.keys().max().map_or(0, |partition| partition + 1);
    let committed = groups::committed(&client, topic, partitions, REQUEST)?;
    let mut behind = TopicPartitionList::new();
    for (partition, cut) in cuts {
        // Without a commit it begins at the first record that is there.
        if committed.get(partition).is_some_and(|read| read < cut) {
            behind.add_partition_offset(topic, *partition, Offset::Offset(*cut))?;
        }
    }
    if behind.count() > 0 {
        client.commit(&behind, CommitMode::Sync)?;
    }
    Ok(())
}

/// Junk of a foreign program belongs to no parcel and stays where it is.
fn right_partition(key: &[u8], found: i32, partitions: i32) -> i32 {
    partition::number_of_shipment(key).map_or(found, |number| partition::of_key(number, partitions))
}

/// Removes everything below the cuts. Kafka does that only where records may be deleted at all, so the topic's policy is wider
/// for a moment, without a limit of time or size by which the broker itself would delete.
async fn cut(admin: &Admin, topic: &str, cuts: &BTreeMap<i32, i64>) -> anyhow::Result<()> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in cuts {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    set_policy(admin, topic, "compact,delete").await?;
    let begun = Instant::now();
    let done = loop {
        let deleted = admin.delete_records(&list, &options()).await?;
        let elements = deleted.elements();
        let failed = elements
            .iter()
            .find_map(|element| Some((element.partition(), element.error().err()?)));
        match failed {
            None => break Ok(()),
            Some(_) if begun.elapsed() < SETTING_ARRIVES => tokio::time::sleep(Duration::from_millis(200)).await,
            Some((partition, error)) => break Err(anyhow!("{topic}/{partition}: {error}")),
        }
    };
    set_policy(admin, topic, "compact").await?;
    done
}

async fn set_policy(admin: &Admin, topic: &str, policy: &str) -> anyhow::Result<()> {
    let wanted = [
        ("cleanup.policy", policy.to_owned()),
        ("retention.ms", "-1".to_owned()),
        ("retention.bytes", "-1".to_owned()),
    ];
    let described = admin::describe(admin, ResourceSpecifier::Topic(topic), REQUEST).await?;
    alter(admin, topic, &described, &wanted).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITIONS: i32 = 8;

    /// A key that belongs to this partition.
    fn key(right: i32) -> String {
        let numbers = (0..).map(|number| format!("YT{number}"));
        let mut found = numbers.filter(|number| partition::of_key(number.as_bytes(), PARTITIONS) == right);
        format!("kdniao:yto:{}", found.next().unwrap())
    }

    /// Records: partition, offset, the partition that the key belongs to, whether it is a tombstone.
    fn plan(records: &[(i32, i64, i32, bool)], read: &[(i32, i64)]) -> anyhow::Result<Plan> {
        let mut state = State::default();
        let mut ranges: BTreeMap<i32, Range> = BTreeMap::new();
        for &(partition, offset, right, is_tombstone) in records {
            let value = (!is_tombstone).then_some(&b"x"[..]);
            state.take(partition, offset, key(right).as_bytes(), value, PARTITIONS);
            let end = offset + 1;
            ranges.insert(
                partition,
                Range {
                    partition,
                    first: 0,
                    end,
                },
            );
        }
        let ranges: Vec<Range> = ranges.into_values().collect();
        let keyed = Keyed {
            topic: "courier.shipment.v1",
            what: "parcels",
            sink: Some("sink"),
            skips: None,
        };
        Plan::of(&state, &ranges, &read.iter().copied().collect(), &keyed)
    }

    fn expected(copies: &[(i32, i64)], cuts: &[(i32, i64)], moved: usize) -> Plan {
        Plan {
            copies: copies.iter().copied().collect(),
            cuts: cuts.iter().copied().collect(),
            moved,
        }
    }

    #[test]
    fn the_newest_records_are_copied_and_the_partition_is_cut_off_below() {
        for (name, records, expected) in [
            (
                "all where it belongs",
                vec![(1, 0, 1, false), (2, 0, 2, false)],
                expected(&[], &[], 0),
            ),
            ("one moves", vec![(1, 0, 5, false)], expected(&[(1, 0)], &[(1, 1)], 1)),
            (
                "its newest record",
                vec![(1, 0, 5, false), (1, 1, 5, false)],
                expected(&[(1, 1)], &[(1, 2)], 1),
            ),
            (
                "it has ended",
                vec![(1, 0, 5, false), (1, 1, 5, true)],
                expected(&[], &[], 0),
            ),
            (
                "its neighbour stays, behind the cut",
                vec![(1, 0, 1, false), (1, 1, 5, false)],
                expected(&[(1, 0), (1, 1)], &[(1, 2)], 1),
            ),
            (
                "partitions without strangers stay as they are",
                vec![(1, 0, 5, false), (2, 0, 2, false)],
                expected(&[(1, 0)], &[(1, 1)], 1),
            ),
            (
                "a former run has copied it",
                vec![(1, 0, 5, false), (5, 0, 5, false)],
                expected(&[], &[(1, 1)], 0),
            ),
        ] {
            assert_eq!(plan(&records, &[]).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_copy_that_the_sink_has_not_read_is_not_cut_off() {
        // The neighbour was copied to offset 2 by a run that was killed; the sink has read two records.
        let records = [(1, 0, 1, false), (1, 1, 5, false), (1, 2, 1, false), (5, 0, 5, false)];
        let found = plan(&records, &[(1, 2), (2, 0)]).unwrap();
        assert_eq!(found, expected(&[], &[(1, 2)], 0));
    }

    #[test]
    fn what_the_sink_has_not_read_does_not_move() {
        let refused = plan(&[(1, 0, 1, false), (1, 1, 5, false)], &[(1, 1)])
            .unwrap_err()
            .to_string();
        assert!(refused.contains("records of 1 parcels"), "{refused}");
        assert!(plan(&[(1, 0, 5, false)], &[(2, 0)]).is_err());
    }
}
