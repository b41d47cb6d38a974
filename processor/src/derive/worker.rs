//! The loop of a worker: poll, derive, produce, commit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::DecodeError;
use courierflow_service::kafka_client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use super::assignment::{AssignmentChange, GroupEvent, partitions_of};
use super::counts::worker_name;
use super::deriver::Deriver;
use super::error::WorkerError;
use super::open_transaction::Transactions;
use super::producer::TransactionalProducer;
use super::record_reader::RecordReader;
use super::restore::Restorer;
use super::stable_offsets::stable_offsets;
use crate::config::{Config, DeriveSettings};
use crate::health::Health;
use crate::partition_counts;
use crate::poison::PoisonGuard;
use crate::shutdown::Shutdown;
use crate::start_offsets::{self, OnDataLoss};

/// How long a member may go without polling: restoring millions of shipments takes minutes.
const MAX_POLL_INTERVAL: Duration = Duration::from_mins(5);
/// Between two comparisons of the topics' partition counts.
const COMPARE_COUNTS: Duration = Duration::from_secs(10);
const SEEK: Duration = Duration::from_secs(10);
/// Wait before asking the registry again for a schema that it could not give.
const NOT_NOW: Duration = Duration::from_secs(1);

/// One consumer, one transactional producer, one state store.
pub(super) struct Worker {
    consumer: BaseConsumer<Member>,
    restorer: Restorer,
    shutdown: Shutdown,
    health: Health,
    part: String,
    commit_interval: Duration,
}

/// The part of the worker that the consumer calls back. Callbacks run inside `poll`, on the worker's own thread, so the locks are
/// never contended; the type system requires them.
struct Member {
    deriver: Mutex<Deriver>,
    /// The events that the group reported during the last poll.
    events: Mutex<Vec<GroupEvent>>,
    on_data_loss: OnDataLoss,
}

impl Member {
    fn deriver(&self) -> MutexGuard<'_, Deriver> {
        self.deriver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn events(&self) -> MutexGuard<'_, Vec<GroupEvent>> {
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
        let deriver = self.deriver();
        let lag = deriver.lag(&statistics);
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("courierflow_derive_lag_records", "worker" => worker_name()).set(lag as f64);
        let behind = if lag > 0 { deriver.seconds_behind() } else { Some(0.0) };
        if let Some(behind) = behind {
            metrics::gauge!("courierflow_derive_lag_seconds", "worker" => worker_name()).set(behind);
        }
    }
}

impl ConsumerContext for Member {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let counter = metrics::counter!("courierflow_derive_records_lost_total");
        let done = start_offsets::rebalance(consumer, event, partitions, self.on_data_loss, &counter, |_| ());
        if let Err(loss) = done {
            self.events().push(GroupEvent::DataLoss(loss));
        }
    }

    /// The group waits until this returns: only then may another worker have the partitions.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            let partitions = partitions_of(list);
            let lost = consumer.assignment_lost();
            let ended = self.deriver().revoke(consumer, &partitions, lost);
            self.events().push(GroupEvent::Revoked {
                partitions,
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

impl Worker {
    /// Fences the previous worker of the slot, then joins the group.
    pub(super) fn new(
        config: &Config,
        registry: &Registry,
        ids: SchemaIds,
        slot: &str,
        part: &str,
        health: &Health,
        shutdown: &Shutdown,
    ) -> Result<Self, WorkerError> {
        let mut client = ClientConfig::new();
        kafka_client::configure(&mut client, &config.kafka);
        client.set("client.id", format!("courierflow-{slot}"));
        let producer = TransactionalProducer::new(&client, &config.derive, slot, shutdown.clone())?;
        let transactions = Transactions::new(producer, &config.derive, shutdown.clone());
        let restorer = Restorer::new(&client)?;
        let record_reader = RecordReader::new(&client, shutdown.clone())?;
        let guard = PoisonGuard::new(config.processor.poison_guard);
        let deriver = Deriver::new(config, registry, ids, transactions, record_reader, guard)?;
        let member = Member {
            deriver: Mutex::new(deriver),
            events: Mutex::default(),
            on_data_loss: config.processor.on_data_loss,
        };
        let consumer = consumer_config(client, &config.derive, slot).create_with_context(member)?;
        let worker = Self {
            consumer,
            restorer,
            shutdown: shutdown.clone(),
            health: health.clone(),
            part: part.to_owned(),
            commit_interval: config.derive.commit_interval(),
        };
        worker.consumer.subscribe(&[topics::PUSH])?;
        Ok(worker)
    }

    /// Runs until the process ends or the worker must be rebuilt.
    pub(super) fn run(self) -> Result<(), WorkerError> {
        let result = self.run_until_shutdown();
        if result.is_err() {
            // Leaving the group revokes all partitions, which would commit the open transaction; it may hold only
            // part of an event's records.
            self.deriver().abandon();
        }
        result
    }

    fn run_until_shutdown(&self) -> Result<(), WorkerError> {
        let mut counts_compared = None;
        while !self.shutdown.has_begun() {
            self.compare_partition_counts(&mut counts_compared)?;
            let wait = self.deriver().until_commit(self.commit_interval);
            let polled = self.consumer.poll(wait);
            self.handle_group_events()?;
            let mut deriver = self.deriver();
            self.rewind(&mut deriver)?;
            match polled {
                Some(Ok(message)) => match deriver.process(&message) {
                    Err(WorkerError::NotNow(error)) => self.wait_and_read_again(&mut deriver, &message, &error)?,
                    done => done?,
                },
                Some(Err(error)) => judge_poll_error(error)?,
                None => {}
            }
            if deriver.commit_is_due(self.commit_interval) {
                deriver.commit(&self.consumer)?;
                self.rewind(&mut deriver)?;
            }
        }
        self.deriver().commit(&self.consumer)?;
        self.health.not_ready(&self.part, "shut down");
        Ok(())
    }

    fn deriver(&self) -> MutexGuard<'_, Deriver> {
        self.consumer.context().deriver()
    }

    /// Handles the events of the last poll before any message of the partitions is processed.
    fn handle_group_events(&self) -> Result<(), WorkerError> {
        let events = std::mem::take(&mut *self.consumer.context().events());
        if events.is_empty() {
            return Ok(());
        }
        let AssignmentChange { lost, assigned } = AssignmentChange::of(events)?;
        if lost {
            self.health
                .not_ready(&self.part, "lost its partitions: no contact with the group");
        }
        if let Some(assigned) = assigned {
            let mut deriver = self.deriver();
            let assigned: Vec<i32> = assigned.into_iter().collect();
            if !assigned.is_empty() {
                self.restore(&mut deriver, &assigned)?;
            }
            deriver.store.drop_parked();
            // Also without any partition: there may be more workers than partitions, and then this one stands by.
            self.health.ready(&self.part);
        }
        Ok(())
    }

    /// Now and then: whether all topics still have the same number of partitions.
    fn compare_partition_counts(&self, compared: &mut Option<Instant>) -> Result<(), WorkerError> {
        if compared.is_some_and(|then: Instant| then.elapsed() < COMPARE_COUNTS) {
            return Ok(());
        }
        *compared = Some(Instant::now());
        match partition_counts::difference(&self.consumer) {
            Ok(None) => Ok(()),
            Ok(Some(difference)) => Err(difference.into()),
            // The broker is away, which shows everywhere else.
            Err(error) => {
                tracing::debug!(%error, "partition counts");
                Ok(())
            }
        }
    }

    /// Goes back to where reading has to start again after an abort.
    fn rewind(&self, deriver: &mut Deriver) -> Result<(), WorkerError> {
        for (partition, offset) in deriver.take_rewind() {
            self.consumer
                .seek(topics::PUSH, partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }

    fn restore(&self, deriver: &mut Deriver, assigned: &[i32]) -> Result<(), WorkerError> {
        let begun = Instant::now();
        if !deriver.store.has_parked(assigned) {
            self.health
                .not_ready(&self.part, format!("restoring partitions {assigned:?}"));
        }
        let mut committed = stable_offsets(&self.consumer, assigned, &self.shutdown)?;
        committed.retain(|&partition, &mut offset| !deriver.store.reclaim(partition, offset));
        if committed.is_empty() {
            tracing::info!(partitions = ?assigned, "partitions reclaimed");
            return Ok(());
        }
        let decoder = &mut deriver.shipment_decoder;
        for (number, partition) in self.restorer.restore(&committed, decoder, &self.shutdown)? {
            deriver.store.insert_partition(number, partition);
        }
        let partitions: Vec<i32> = committed.into_keys().collect();
        let seconds = begun.elapsed().as_secs_f64();
        let (shipments, bytes) = deriver.store.size();
        tracing::info!(?partitions, seconds, shipments, bytes, "restored");
        metrics::histogram!("courierflow_derive_restore_seconds").record(seconds);
        Ok(())
    }

    /// Waits when the registry is away and a record has an unknown schema. Records behind it must not be processed
    /// before it.
    fn wait_and_read_again(
        &self,
        deriver: &mut Deriver,
        message: &BorrowedMessage<'_>,
        error: &DecodeError,
    ) -> Result<(), WorkerError> {
        tracing::warn!(%error, "waiting for the registry");
        self.health.not_ready(&self.part, error.to_string());
        deriver.read_again(message)?;
        self.rewind(deriver)?;
        self.shutdown.sleep(NOT_NOW);
        // If the next attempt fails too, it reports that again.
        self.health.ready(&self.part);
        Ok(())
    }
}

fn consumer_config(mut client: ClientConfig, settings: &DeriveSettings, slot: &str) -> ClientConfig {
    client.set("group.id", &settings.group).set("group.instance.id", slot);
    client
        .set("enable.auto.commit", "false")
        // Where to start is decided by `start_offsets`; an offset that is gone later ends the worker, and its successor says why.
        .set("auto.offset.reset", "error");
    client.set("isolation.level", "read_committed");
    // The classic protocol, because with the new one a static member that was killed cannot rejoin before its session
    // expires. The `range` assignor, because it assigns all partitions in every rebalance. The cooperative assignor needs two
    // rebalances to move a partition; if a static member dies between them, it rejoins without a third, and partitions it had
    // not released would stay unassigned.
    client
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "range");
    // With the default of 3 s, a joining member waits seconds for its partitions.
    client
        .set("heartbeat.interval.ms", "500")
        .set("session.timeout.ms", settings.session_timeout_ms.to_string());
    client.set("statistics.interval.ms", "5000");
    client.set("max.poll.interval.ms", MAX_POLL_INTERVAL.as_millis().to_string());
    client
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "16384");
    client
}

/// The client recovers from transport errors by itself; only errors that it calls fatal end the worker.
fn judge_poll_error(error: KafkaError) -> Result<(), WorkerError> {
    match error {
        KafkaError::MessageConsumptionFatal(_) | KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => {
            Err(error.into())
        }
        KafkaError::PartitionEOF(_) => Ok(()),
        // The client has logged it.
        KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown) => {
            Ok(())
        }
        error => {
            tracing::warn!(%error, "consumer");
            Ok(())
        }
    }
}
