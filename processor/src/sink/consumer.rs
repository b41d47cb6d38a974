//! The Kafka consumer of a worker: its settings and its group events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use metrics::gauge;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaRespErr;

use super::runs::{self, PartitionRun};
use super::stored::{NotKnown, Stored};
use crate::config::Config;
use crate::fetching::{CHECK_CRCS, fetch_patiently};
use crate::health::seconds_since;
use crate::start_offsets::{self, DataLoss, OnDataLoss};

/// Prefetched records take memory in addition to the batches.
const PREFETCH_KIB: &str = "16384";

/// A member of the group `<sink.group>-<table>`, subscribed to `topic`. Partitions are assigned from where `stored` says that rows may be
/// missing.
pub(super) fn subscribe(
    config: &Config,
    table: &'static str,
    topic: &'static str,
    stored: Stored,
) -> KafkaResult<Authenticated<BaseConsumer<GroupEvents>>> {
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
    fetch_patiently(&mut client);
    // Correctness depends on the following settings, so they override those of the configuration.
    client
        .set("group.id", config.sink.group_of(table))
        // Where to start is decided by `start_offsets`; an offset that is gone later ends the worker, and the next one says why.
        .set(CHECK_CRCS, "true")
        .set("auto.offset.reset", "error")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        // Needed where only transaction markers follow the last record that is read again: no message shows then that the end
        // is reached.
        .set("enable.partition.eof", "true")
        .set("partition.assignment.strategy", "cooperative-sticky")
        // The rebalance callbacks below are those of the classic protocol.
        .set("group.protocol", "classic");
    let consumer = authenticated::create_with_context::<_, BaseConsumer<GroupEvents>>(
        &client,
        GroupEvents::new(table, config.processor.on_data_loss, stored),
    )?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// The group's decisions since the worker last asked. The callbacks run inside `poll`, on the worker's own thread.
pub(super) struct GroupEvents {
    table: &'static str,
    revoked: Mutex<Vec<i32>>,
    assigned: AtomicBool,
    lost: AtomicBool,
    on_data_loss: OnDataLoss,
    data_loss: Mutex<Option<DataLoss>>,
    stored: Stored,
    begun: Mutex<BTreeMap<i32, PartitionRun>>,
    not_known: Mutex<Option<NotKnown>>,
    /// Timestamp of the record that was read last, in milliseconds since 1970.
    newest_read: AtomicI64,
}

/// No record was read yet.
const NOTHING_READ: i64 = i64::MIN;

impl GroupEvents {
    fn new(table: &'static str, on_data_loss: OnDataLoss, stored: Stored) -> Self {
        Self {
            table,
            revoked: Mutex::default(),
            assigned: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            on_data_loss,
            data_loss: Mutex::default(),
            stored,
            begun: Mutex::default(),
            not_known: Mutex::default(),
            newest_read: AtomicI64::new(NOTHING_READ),
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

    /// A record was read that has this timestamp, in milliseconds since 1970.
    pub(super) fn has_read(&self, timestamp: Option<i64>) {
        if let Some(timestamp) = timestamp {
            self.newest_read.store(timestamp, Ordering::Relaxed);
        }
    }

    /// Partitions that were taken away.
    pub(super) fn take_revoked(&self) -> Vec<i32> {
        std::mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// True once after the group reassigned our partitions without revoking them first.
    pub(super) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }

    /// Records that are gone before they were read, if that stops the worker.
    pub(super) fn take_data_loss(&self) -> Option<DataLoss> {
        self.data_loss.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The runs of newly assigned partitions.
    pub(super) fn take_begun(&self) -> BTreeMap<i32, PartitionRun> {
        std::mem::take(&mut *self.begun.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why it is not known whether rows are missing. Nothing may be inserted then.
    pub(super) fn take_not_known(&self) -> Option<NotKnown> {
        self.not_known.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lets partitions begin where rows may be missing. Of those in `told` it was said that records are lost.
    fn begin(
        &self,
        consumer: &BaseConsumer<Self>,
        offsets: &mut TopicPartitionList,
        told: &BTreeSet<i32>,
        lost: &metrics::Counter,
    ) {
        if offsets.count() == 0 {
            return;
        }
        let begun = self
            .stored
            .held()
            .and_then(|held| Ok(runs::begin(consumer, self.table, offsets, &held, told, lost)?));
        match begun {
            Ok(begun) => self.begun.lock().unwrap_or_else(PoisonError::into_inner).extend(begun),
            Err(error) => *self.not_known.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
        }
    }

    /// True once after each assignment, also an empty one.
    pub(super) fn take_assigned(&self) -> bool {
        self.assigned.swap(false, Ordering::AcqRel)
    }
}

impl ConsumerContext for GroupEvents {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let counter = metrics::counter!("courierflow_sink_records_lost_total", "table" => self.table);
        let done = start_offsets::rebalance(
            consumer,
            event,
            partitions,
            self.on_data_loss,
            &counter,
            |offsets, told| {
                self.begin(consumer, offsets, told, &counter);
            },
        );
        if let Err(loss) = done {
            *self.data_loss.lock().unwrap_or_else(PoisonError::into_inner) = Some(loss);
        }
    }

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
        let behind = match self.newest_read.load(Ordering::Relaxed) {
            _ if lag == 0 => Some(0.0),
            NOTHING_READ => None,
            timestamp => Some(seconds_since(timestamp)),
        };
        if let Some(behind) = behind {
            gauge!("courierflow_sink_lag_seconds", "table" => self.table).set(behind);
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        gauge!("courierflow_sink_lag_records", "table" => self.table).set(lag as f64);
    }
}
