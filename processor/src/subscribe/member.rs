//! The part of a worker that its consumer calls back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use courierflow_service::kafka_client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

use super::counts::{records_lost, worker_name};
use super::desk::Desk;
use super::error::WorkerError;
use crate::exactly_once::assignment::{GroupEvent, partitions_of};
use crate::start_offsets::{self, OnDataLoss};

/// The part of the worker that the consumer calls back. Callbacks run inside `poll`, on the worker's own thread, so the locks are
/// never contended; the type system requires them.
pub(super) struct Member {
    desk: Mutex<Desk>,
    /// The events that the group reported during the last poll.
    events: Mutex<Vec<GroupEvent<WorkerError>>>,
    on_data_loss: OnDataLoss,
}

impl Member {
    pub(super) fn new(desk: Desk, on_data_loss: OnDataLoss) -> Self {
        Self {
            desk: Mutex::new(desk),
            events: Mutex::default(),
            on_data_loss,
        }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the events that the group reported since the last time.
    pub(super) fn take_events(&self) -> Vec<GroupEvent<WorkerError>> {
        std::mem::take(&mut *self.events())
    }

    fn events(&self) -> MutexGuard<'_, Vec<GroupEvent<WorkerError>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_client::log(level, facility, message, None);
    }

    /// Every thread of the client reports a lost broker repeatedly; the client's log has it once.
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "consumer");
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        // Of what was handed out: commits are those of the producer, of which the consumer does not know.
        let lag: i64 = partitions.map(|partition| partition.consumer_lag_stored.max(0)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("courierflow_subscribe_lag_records", "worker" => worker_name()).set(lag as f64);
    }
}

impl ConsumerContext for Member {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let done = start_offsets::rebalance(
            consumer,
            event,
            partitions,
            self.on_data_loss,
            &records_lost(),
            |_, _| (),
        );
        if let Err(loss) = done {
            self.events().push(GroupEvent::DataLoss(loss));
        }
    }

    /// The group waits until this returns: only then may another worker have the partitions.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            let lost = consumer.assignment_lost();
            let ended = self.desk().revoke(consumer, lost);
            self.events().push(GroupEvent::Revoked {
                partitions: partitions_of(list),
                lost,
                ended,
            });
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            self.events().push(GroupEvent::Assigned(partitions_of(list)));
        }
    }
}
