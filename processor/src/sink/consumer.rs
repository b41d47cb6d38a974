//! The Kafka consumer of a worker: its settings and its group events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use courierflow_service::kafka_client;
use metrics::gauge;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionListElem;

use crate::config::Config;

/// Prefetched records take memory in addition to the batches.
const PREFETCH_KIB: &str = "16384";

/// A member of the group `<sink.group>-<table>`, subscribed to `topic`.
pub(super) fn subscribe(
    config: &Config,
    table: &'static str,
    topic: &'static str,
) -> KafkaResult<BaseConsumer<GroupEvents>> {
    let mut client = ClientConfig::new();
    client
        .set("client.id", format!("courierflow-sink-{table}"))
        // After this time a dead member's partitions are reassigned; 6 s is the minimum that brokers accept by default.
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "1000")
        // When the prefetch queue is full, the client pauses fetching for this long. With the default of 1 s a worker
        // would run out of records.
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", PREFETCH_KIB)
        // One fetch response comes on top of the prefetch limit. This limit counts compressed bytes, and texts are ten
        // times as large or more when decompressed. A producer's batch that is larger is still returned, alone.
        .set("fetch.max.bytes", "2097152")
        .set("max.partition.fetch.bytes", "524288")
        .set("statistics.interval.ms", "5000");
    kafka_client::configure(&mut client, &config.kafka);
    // Correctness depends on the following settings, so they override those of the configuration.
    client
        .set("group.id", format!("{}-{table}", config.sink.group))
        // A new group, or one whose offsets are older than the topic's retention, begins with the oldest record.
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("partition.assignment.strategy", "cooperative-sticky")
        // The rebalance callbacks below are those of the classic protocol.
        .set("group.protocol", "classic");
    let consumer = client.create_with_context::<_, BaseConsumer<GroupEvents>>(GroupEvents::new(table))?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// The group's decisions since the worker last asked. The callbacks run inside `poll`, on the worker's own thread.
pub(super) struct GroupEvents {
    table: &'static str,
    revoked: Mutex<Vec<i32>>,
    assigned: AtomicBool,
    lost: AtomicBool,
}

impl GroupEvents {
    fn new(table: &'static str) -> Self {
        Self {
            table,
            revoked: Mutex::default(),
            assigned: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        }
    }

    /// Logs a list of partitions unless it is empty, as it often is with the cooperative protocol.
    fn say(&self, what: &'static str, list: &TopicPartitionList) {
        let mut partitions: Vec<i32> = list.elements().iter().map(TopicPartitionListElem::partition).collect();
        partitions.sort_unstable();
        if !partitions.is_empty() {
            tracing::info!(table = self.table, ?partitions, "sink: partitions {what}");
        }
    }

    /// Takes the partitions that were revoked.
    pub(super) fn take_revoked(&self) -> Vec<i32> {
        std::mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// True once after the group reassigned our partitions without revoking them first.
    pub(super) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }

    /// True once after each assignment, including an empty one.
    pub(super) fn take_assigned(&self) -> bool {
        self.assigned.swap(false, Ordering::AcqRel)
    }
}

impl ConsumerContext for GroupEvents {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.lost.fetch_or(consumer.assignment_lost(), Ordering::AcqRel);
            self.revoked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(partitions.elements().iter().map(TopicPartitionListElem::partition));
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                self.say("assigned", list);
                self.assigned.store(true, Ordering::Release);
            }
            Rebalance::Revoke(list) => self.say("revoked", list),
            Rebalance::Error(error) => tracing::warn!(table = self.table, %error, "sink: rebalance failed"),
        }
    }
}

impl ClientContext for GroupEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_client::log(level, facility, message, Some(self.table));
    }

    /// Every thread of the client reports a lost broker repeatedly; the client's log has it once.
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", table = self.table, %error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let lag: i64 = statistics
            .topics
            .values()
            .flat_map(|topic| topic.partitions.values())
            // -1 means that the partition is not ours or that nothing is known yet.
            .map(|partition| partition.consumer_lag.max(0))
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        gauge!("courierflow_sink_lag_records", "table" => self.table).set(lag as f64);
    }
}
