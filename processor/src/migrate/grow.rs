//! `processor migrate --grow`: more partitions for all topics together, without breaking I2.
//!
//! With more partitions, murmur2 sends half of the tracking numbers or more to another partition. Their later pushes go there,
//! so their state must be there before the first of them is derived. The order of the steps makes that so, wherever the command
//! is killed; the next run goes on.
//!
//! 1. Nobody is in the groups, and derive and subscribe have read every push that is not on its new partition ([`requeue`], if the topic
//!    was given more partitions by hand).
//! 2. All topics but `courier.push.v1` grow. From here on, ingest, derive and subscribe refuse to work, because the counts differ.
//! 3. Requests for subscriptions that nobody has read move ([`requeue`]), and so do the state of parcels and subscriptions
//!    ([`move_state`]) and the calls of the vendors' APIs ([`move_calls`]).
//! 4. `courier.push.v1` grows. The counts are the same again. The groups get the beginnings of the new partitions as their offsets.
//!
//! Consumers of the derived topics see no tombstone, because no parcel has ended: they see the records of the state again, with
//! the same versions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use courierflow_schemas::topics::{self, on_broker};
use rdkafka::admin::NewPartitions;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use tokio::runtime::Handle;

use super::move_state::Keyed;
use super::topics::{Found, REQUEST, options};
use super::{move_calls, move_state, requeue};
use crate::admin::{self, Admin};
use crate::bounded_read;
use crate::config::Config;
use crate::groups;
use crate::sink::rows::{self, Table};

const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Gives all topics `topics.partitions` partitions and returns what it did, one line each. It blocks, and must not be called on
/// a thread of `runtime`.
pub fn grow(config: &Config, runtime: &Handle) -> anyhow::Result<Vec<String>> {
    let admin = admin::client(&config.kafka)?;
    let wanted = config.topics.partitions;
    let counts = counts(&admin, wanted)?;
    let groups = Groups::of(config);
    let reader = bounded_read::consumer(&config.kafka, "courierflow-grow")?;
    groups.refuse_members(&reader)?;
    let mut changes = Vec::new();
    let requeued = requeue::pushes(config, &reader, wanted)?;
    if requeued > 0 {
        changes.push(format!(
            "wrote {requeued} pushes that were not read yet to their partitions"
        ));
    }
    for (topic, &count) in counts.iter().filter(|(topic, _)| **topic != on_broker(topics::PUSH)) {
        add_partitions(&admin, runtime, topic, count, wanted, &mut changes)?;
    }
    let requeued = requeue::requests(config, &reader, wanted)?;
    if requeued > 0 {
        changes.push(format!(
            "wrote {requeued} requests for subscriptions that were not read yet to their partitions"
        ));
    }
    for keyed in groups.states() {
        let moved = move_state::run(config, &admin, runtime, &reader, wanted, &keyed)?;
        if moved > 0 {
            changes.push(format!("moved {moved} {} to their partitions", keyed.what));
        }
    }
    let moved = move_calls::run(config, &reader, wanted)?;
    if moved > 0 {
        changes.push(format!("copied {moved} calls of the vendors' APIs to their partitions"));
    }
    groups.refuse_members(&reader)?;
    let of_push = counts.get(on_broker(topics::PUSH)).copied().unwrap_or_default();
    add_partitions(&admin, runtime, on_broker(topics::PUSH), of_push, wanted, &mut changes)?;
    for (group, topic) in groups.beginnings() {
        begin(config, &reader, group, topic, wanted).with_context(|| format!("offsets of {group}"))?;
    }
    Ok(changes)
}

/// The number of partitions of each topic. Kafka can take none away.
fn counts(admin: &Admin, wanted: i32) -> anyhow::Result<BTreeMap<&'static str, i32>> {
    let mut counts = BTreeMap::new();
    for topic in topics::ALL {
        let count = i32::try_from(Found::look(admin, topic.on_broker())?.partitions)?;
        ensure!(
            count > 0,
            "topic {} does not exist: run `processor migrate`",
            topic.on_broker()
        );
        ensure!(
            count <= wanted,
            "topic {} has {count} partitions, topics.partitions says {wanted}: partitions cannot be taken away",
            topic.on_broker()
        );
        counts.insert(topic.on_broker(), count);
    }
    Ok(counts)
}

/// The consumer groups of the processor.
struct Groups {
    derive: String,
    subscribe: String,
    reconcile: String,
    sink_shipment: String,
    sink_subscription: String,
    sink_others: [String; 4],
}

impl Groups {
    fn of(config: &Config) -> Self {
        let sink = |table| config.sink.group_of(table);
        Self {
            derive: config.derive.group.clone(),
            subscribe: config.subscribe.group.clone(),
            reconcile: config.reconcile.group.clone(),
            sink_shipment: sink(rows::Shipment::NAME),
            sink_subscription: sink(rows::Subscription::NAME),
            sink_others: [
                rows::Push::NAME,
                rows::Transition::NAME,
                rows::VendorCall::NAME,
                rows::Annotation::NAME,
            ]
            .map(sink),
        }
    }

    /// What moves with its keys.
    fn states(&self) -> [Keyed<'_>; 3] {
        [
            Keyed {
                topic: on_broker(topics::SHIPMENT),
                what: "parcels",
                sink: Some(&self.sink_shipment),
                // It looks whether a parcel has ended, which the newest record says.
                skips: Some(&self.subscribe),
            },
            Keyed {
                topic: on_broker(topics::SUBSCRIPTION),
                what: "subscriptions",
                sink: Some(&self.sink_subscription),
                skips: None,
            },
            Keyed {
                topic: on_broker(topics::SUBSCRIPTION_SECRET),
                what: "secrets of subscriptions",
                sink: None,
                skips: None,
            },
        ]
    }

    /// Who would take a partition with state and without an offset for one whose topic was made anew.
    fn beginnings(&self) -> [(&str, &'static str); 3] {
        [
            (&self.derive, on_broker(topics::PUSH)),
            (&self.subscribe, on_broker(topics::PUSH)),
            (&self.subscribe, on_broker(topics::SUBSCRIPTION_REQUEST)),
        ]
    }

    /// A member would go on with the partitions that it has, and a static one comes back to them within its session.
    fn refuse_members(&self, reader: &BaseConsumer) -> anyhow::Result<()> {
        for group in [
            &self.derive,
            &self.subscribe,
            &self.reconcile,
            &self.sink_shipment,
            &self.sink_subscription,
        ]
        .into_iter()
        .chain(&self.sink_others)
        {
            let members = groups::members(reader, group, REQUEST)?.len();
            ensure!(
                members == 0,
                "consumer group {group} has {members} members: stop all processors, and wait until their sessions have ended \
                 (derive.session_timeout_ms)"
            );
        }
        Ok(())
    }
}

/// Commits the beginning of each partition of which a group has committed nothing. A group that has committed nothing at all reads
/// nothing.
fn begin(
    config: &Config,
    reader: &BaseConsumer,
    group: &str,
    topic: &'static str,
    partitions: i32,
) -> anyhow::Result<()> {
    let client = groups::client(&config.kafka, group)?;
    let committed = groups::committed(&client, topic, partitions, REQUEST)?;
    let mut beginnings = TopicPartitionList::new();
    for partition in (0..partitions).filter(|partition| !committed.is_empty() && !committed.contains_key(partition)) {
        let (low, _) = bounded_read::watermarks(reader, topic, partition)?;
        beginnings.add_partition_offset(topic, partition, Offset::Offset(low))?;
    }
    if beginnings.count() > 0 {
        client.commit(&beginnings, CommitMode::Sync)?;
    }
    Ok(())
}

/// Whether a topic has as many partitions. Brokers learn of new ones a moment after they were created.
fn has_grown(admin: &Admin, topic: &str, wanted: i32) -> anyhow::Result<bool> {
    let has_grown = || Ok::<_, anyhow::Error>(i32::try_from(Found::look(admin, topic)?.partitions)? == wanted);
    let begun = Instant::now();
    while !has_grown()? {
        if begun.elapsed() > REQUEST {
            return Ok(false);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(true)
}

fn add_partitions(
    admin: &Admin,
    runtime: &Handle,
    topic: &str,
    count: i32,
    wanted: i32,
    changes: &mut Vec<String>,
) -> anyhow::Result<()> {
    if count == wanted {
        return Ok(());
    }
    let new = NewPartitions::new(topic, usize::try_from(wanted)?);
    match runtime.block_on(admin.create_partitions([&new], &options()))?.pop() {
        Some(Ok(_)) => {}
        // A run that was killed may have asked for them a moment before, and it was not seen yet when the topics were counted.
        Some(Err((_, RDKafkaErrorCode::InvalidPartitions))) if has_grown(admin, topic, wanted)? => return Ok(()),
        Some(Err((_, code))) => bail!("more partitions of {topic}: {code}"),
        None => bail!("more partitions of {topic}: no answer"),
    }
    changes.push(format!("topic {topic} has {wanted} partitions instead of {count}"));
    Ok(())
}
