//! How old the oldest record is that a consumer group has not read. Kafka deletes records for their age whether they were read or not, so
//! this, against the retention of the topic, is the alarm before something is lost.
//!
//! A role that is stopped tells nothing of itself, and one that works tells of what it reads, so every processor asks Kafka, and it
//! asks about the groups of all roles. The age is that of the first unread record of each partition: a partition that stands still is not
//! hidden by others.

use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::Duration;

use courierflow_schemas::settings::KafkaSettings;
use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::Authenticated;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use crate::bounded_read::{self, ReadError};
use crate::config::Config;
use crate::groups;
use crate::health::seconds_since;
use crate::shutdown::Shutdown;
use crate::sink::rows::{self, Table};
use crate::start_offsets::{edge, edges};
use crate::subscribe;

const REQUEST: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_secs(30);
/// The roles of the process begin first: they read, and this watches.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// While Kafka does not answer.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(10);

/// Finds what groups have not read.
pub(crate) struct Unread {
    reader: Authenticated<BaseConsumer>,
}

impl Unread {
    /// Asks nothing yet. `name` is the client id, which brokers log.
    pub(crate) fn new(kafka: &KafkaSettings, name: &str) -> KafkaResult<Self> {
        Ok(Self {
            reader: bounded_read::consumer_of_first_records(kafka, name)?,
        })
    }

    /// The timestamp of the oldest record that the group has not committed, in milliseconds since 1970; `None` if there is none. Of a
    /// partition without a commit the group reads everything. `group` is a client that acts for the group. Waits for Kafka.
    pub(crate) fn oldest(&self, group: &BaseConsumer, topic: &'static str) -> Result<Option<i64>, ReadError> {
        // Nobody else polls them, and what they say of an outage would pile up.
        for client in [group, &self.reader] {
            while client.poll(Duration::ZERO).is_some() {}
        }
        let partitions = bounded_read::partitions(&self.reader, topic)?;
        let committed = groups::committed(group, topic, partitions, REQUEST)?;
        let mut all = TopicPartitionList::new();
        all.add_partition_range(topic, 0, partitions - 1);
        let ends = edges(&self.reader, &all, Offset::End)?;
        let mut left = BTreeMap::new();
        for partition in 0..partitions {
            let end = edge(&ends, topic, partition)?;
            let next = committed.get(&partition).copied();
            if next.unwrap_or(0) < end {
                left.insert(partition, next.map_or(Offset::Beginning, Offset::Offset));
            }
        }
        let oldest = bounded_read::first_timestamps(&self.reader, topic, &left)?;
        Ok(oldest.into_values().min())
    }
}

/// Publishes `courierflow_oldest_unread_seconds` until the process ends.
pub fn publish(config: &Config, shutdown: &Shutdown) -> io::Result<()> {
    let (config, shutdown) = (config.clone(), shutdown.clone());
    // A plain thread that nobody waits for: it waits for Kafka, and the runtime would wait for it at the end of the process.
    thread::Builder::new().name("unread".to_owned()).spawn(move || {
        if let Err(error) = watch(&config, &shutdown) {
            tracing::warn!(%error, "how old unread records are stays unknown");
        }
    })?;
    Ok(())
}

/// A group and the topics that it reads.
struct Reader {
    group: String,
    topics: Vec<&'static str>,
    client: Authenticated<BaseConsumer>,
}

fn watch(config: &Config, shutdown: &Shutdown) -> KafkaResult<()> {
    if !shutdown.sleep(FIRST_LOOK) {
        return Ok(());
    }
    let unread = Unread::new(&config.kafka, "courierflow-unread")?;
    let mut readers = Vec::new();
    for (group, topics) in read_topics(config) {
        let client = groups::client(&config.kafka, &group)?;
        readers.push(Reader { group, topics, client });
    }
    let mut is_told = false;
    loop {
        let failure = look(&unread, &readers);
        if let Some(reason) = &failure
            && !is_told
        {
            tracing::warn!(%reason, "how old unread records are is not known");
        }
        is_told = failure.is_some();
        let wait = if is_told { BETWEEN_ATTEMPTS } else { BETWEEN_LOOKS };
        if !shutdown.sleep(wait) {
            return Ok(());
        }
    }
}

/// What every group of the installation reads, whichever roles this process has. A group without a commit counts as one that has read
/// nothing, so those of roles that are off are left out.
///
/// reconcile is not here, because nothing is lost to it: it reads `courier.vendor.call.v1` from its beginning whenever it gets
/// partitions, remembers less of it than the topic keeps, and commits an offset only beside a call of its own. Its other topic is
/// compacted.
fn read_topics(config: &Config) -> Vec<(String, Vec<&'static str>)> {
    let sink = |table, topic| (config.sink.group_of(table), vec![on_broker(topic)]);
    let mut all = vec![
        (config.derive.group.clone(), vec![on_broker(topics::PUSH)]),
        sink(rows::Push::NAME, topics::PUSH),
        sink(rows::Shipment::NAME, topics::SHIPMENT),
        sink(rows::Transition::NAME, topics::TRANSITION),
        sink(rows::Subscription::NAME, topics::SUBSCRIPTION),
        sink(rows::VendorCall::NAME, topics::VENDOR_CALL),
        sink(rows::Annotation::NAME, topics::ANNOTATION),
    ];
    if config.subscribe.is_on() {
        all.push((config.subscribe.group.clone(), subscribe::inputs().to_vec()));
    }
    all
}

/// Publishes how far behind each group is, as far as Kafka tells; what it does not tell stays as it was. Returns the first reason.
fn look(unread: &Unread, readers: &[Reader]) -> Option<String> {
    let mut failure = None;
    for Reader { group, topics, client } in readers {
        for &topic in topics {
            match unread.oldest(client, topic) {
                Ok(oldest) => {
                    let age = oldest.map_or(0.0, seconds_since);
                    metrics::gauge!("courierflow_oldest_unread_seconds", "group" => group.clone(), "topic" => topic)
                        .set(age);
                }
                Err(error) => {
                    failure.get_or_insert_with(|| format!("{group} on {topic}: {error}"));
                }
            }
        }
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_roles_that_are_off_are_not_watched() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.toml");
        std::fs::write(&file, "").unwrap();
        let config = Config::load(&file).unwrap();
        let watched = read_topics(&config);
        let watched = watched
            .iter()
            .map(|(group, topics)| format!("{group}: {}", topics.join(" ")));
        assert_eq!(
            watched.collect::<Vec<_>>(),
            [
                "courierflow-derive: courier.push.v1",
                "courierflow-sink-push: courier.push.v1",
                "courierflow-sink-shipment: courier.shipment.v1",
                "courierflow-sink-transition: courier.transition.v1",
                "courierflow-sink-subscription: courier.subscription.v1",
                "courierflow-sink-vendor_call: courier.vendor.call.v1",
                "courierflow-sink-annotation: courier.annotation.v1",
            ]
        );
    }
}
