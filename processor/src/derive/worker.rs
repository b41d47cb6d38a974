//! The loop of a worker: poll, derive, produce, commit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{DecodeError, EncodeError};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::statistics::Statistics;
use rdkafka::{ClientConfig, ClientContext, Message, TopicPartitionList};

use super::deriver::Deriver;
use super::recall::{RecallError, Recaller};
use super::restore::{RestoreError, Restorer, stable_offsets};
use super::transaction::{TransactionError, Transactions};
use crate::config::{Config, DeriveSettings};
use crate::health::Health;
use crate::kafka_client;
use crate::poison::PoisonGuard;
use crate::shutdown::Shutdown;

/// How long a member may go without polling; a restore of millions of shipments takes its time.
const MAX_POLL_INTERVAL: Duration = Duration::from_mins(5);
/// A schema that the registry cannot tell just now is asked for again after this time.
const NOT_NOW: Duration = Duration::from_secs(1);

/// Why a worker ended, or an event could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("consumer: {0}")]
    Consumer(#[from] KafkaError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The record is not at fault: read it again later.
    #[error("not now: {0}")]
    NotNow(DecodeError),
    /// Too many push events cannot be derived: more likely our fault than theirs.
    #[error("{0}")]
    Poisoned(String),
    #[error(transparent)]
    Recall(#[from] RecallError),
    #[error("state of a shipment cannot be packed or unpacked: {0}")]
    Pack(#[from] postcard::Error),
    #[error("a record of partition {0} that we wrote cannot be read: state is corrupted")]
    Corrupted(i32),
}

/// One consumer, one transactional producer, one state map.
pub(crate) struct Worker {
    consumer: BaseConsumer<Member>,
    restorer: Restorer,
    shutdown: Shutdown,
    health: Health,
    part: String,
    commit_interval: Duration,
}

/// The part of the worker that the consumer calls back during a rebalance. The callbacks run inside `poll`, on the
/// worker's own thread: the lock is never waited for, it only satisfies the type system.
struct Member(Mutex<Deriver>);

impl Member {
    fn deriver(&self) -> MutexGuard<'_, Deriver> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_client::log(level, facility, message, None);
    }

    /// Every thread of the client reports a lost broker, again and again; its log has said it once.
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "consumer");
    }

    fn stats(&self, statistics: Statistics) {
        let lag = self.deriver().lag(&statistics);
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("courierflow_derive_lag_records", "worker" => worker_name()).set(lag as f64);
    }
}

/// The label of the worker whose thread this is.
pub(super) fn worker_name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.deriver().give_up(consumer, &numbers(partitions));
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let mut deriver = self.deriver();
            deriver.assigned = true;
            deriver.to_restore.extend(numbers(partitions));
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions
        .elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

impl Worker {
    /// Fences the predecessor in the slot, then joins the group.
    pub(crate) fn new(
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
        let transactions = Transactions::new(&client, &config.derive, slot, shutdown.clone())?;
        let restorer = Restorer::new(&client)?;
        let recaller = Recaller::new(&client, shutdown.clone())?;
        let guard = PoisonGuard::new(config.processor.poison_guard);
        let deriver = Deriver::new(
            &config.derive,
            registry,
            ids,
            transactions,
            recaller,
            guard,
            shutdown.clone(),
        )?;
        let consumer =
            consumer_config(client, &config.derive, slot).create_with_context(Member(Mutex::new(deriver)))?;
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
    pub(crate) fn run(self) -> Result<(), WorkerError> {
        let result = self.run_until_shutdown();
        if result.is_err() {
            // Leaving the group calls `give_up`, which must not commit half of what an event caused.
            self.deriver().disown();
        }
        result
    }

    fn run_until_shutdown(&self) -> Result<(), WorkerError> {
        while !self.shutdown.has_begun() {
            let wait = self.deriver().until_commit(self.commit_interval);
            let polled = self.consumer.poll(wait);
            let mut deriver = self.deriver();
            deriver.settle(&self.consumer)?;
            if std::mem::take(&mut deriver.lost) {
                self.health
                    .not_ready(&self.part, "lost its partitions: no contact with the group");
            }
            self.restore_assigned(&mut deriver)?;
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
                deriver.settle(&self.consumer)?;
            }
        }
        self.deriver().commit(&self.consumer)?;
        self.health.not_ready(&self.part, "shut down");
        Ok(())
    }

    fn deriver(&self) -> MutexGuard<'_, Deriver> {
        self.consumer.context().deriver()
    }

    /// Restores what a rebalance inside the last poll gave us, before any of its messages is looked at.
    fn restore_assigned(&self, deriver: &mut Deriver) -> Result<(), WorkerError> {
        if !std::mem::take(&mut deriver.assigned) {
            return Ok(());
        }
        let assigned: Vec<i32> = std::mem::take(&mut deriver.to_restore).into_iter().collect();
        if !assigned.is_empty() {
            self.restore(deriver, &assigned)?;
        }
        deriver.state.drop_aside();
        // Also without any partition: there are more workers than partitions, and this one stands by.
        self.health.ready(&self.part);
        Ok(())
    }

    fn restore(&self, deriver: &mut Deriver, assigned: &[i32]) -> Result<(), WorkerError> {
        let begun = Instant::now();
        if !deriver.state.holds_aside(assigned) {
            self.health
                .not_ready(&self.part, format!("restoring partitions {assigned:?}"));
        }
        let mut committed = stable_offsets(&self.consumer, assigned, &self.shutdown)?;
        committed.retain(|&partition, &mut offset| !deriver.state.take_up(partition, offset));
        if committed.is_empty() {
            tracing::info!(partitions = ?assigned, "partitions came back as they were");
            return Ok(());
        }
        let decoder = &mut deriver.shipment_decoder;
        for (number, partition) in self.restorer.restore(&committed, decoder, &self.shutdown)? {
            deriver.state.insert_partition(number, partition);
        }
        let partitions: Vec<i32> = committed.into_keys().collect();
        let seconds = begun.elapsed().as_secs_f64();
        let (shipments, bytes) = deriver.state.size();
        tracing::info!(?partitions, seconds, shipments, bytes, "restored");
        metrics::histogram!("courierflow_derive_restore_seconds").record(seconds);
        Ok(())
    }

    /// The registry is away and a record names a schema we have not met: nothing after it may be taken before it.
    fn wait_and_read_again(
        &self,
        deriver: &mut Deriver,
        message: &BorrowedMessage<'_>,
        error: &DecodeError,
    ) -> Result<(), WorkerError> {
        tracing::warn!(%error, "waiting for the registry");
        self.health.not_ready(&self.part, error.to_string());
        deriver.abort()?;
        deriver.rewind.entry(message.partition()).or_insert(message.offset());
        deriver.settle(&self.consumer)?;
        self.shutdown.sleep(NOT_NOW);
        // Ready again when the group says nothing new: the next attempt sets it back if it fails too.
        self.health.ready(&self.part);
        Ok(())
    }
}

fn consumer_config(mut client: ClientConfig, settings: &DeriveSettings, slot: &str) -> ClientConfig {
    client.set("group.id", &settings.group).set("group.instance.id", slot);
    client
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest");
    client.set("isolation.level", "read_committed");
    // The new group protocol does not let a static member come back after kill -9 before its session ends. Each rebalance
    // gives all partitions out: the cooperative strategy takes two for a hand-over, and a static member that dies between
    // them comes back without a third, so that what it had not yet handed over would be nobody's.
    client
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "range");
    // With the default of 3 s a joining member waits seconds for its partitions.
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

/// Transport errors heal themselves inside the client; only what it calls fatal ends the worker.
fn judge_poll_error(error: KafkaError) -> Result<(), WorkerError> {
    match error {
        KafkaError::MessageConsumptionFatal(_) => Err(error.into()),
        KafkaError::PartitionEOF(_) => Ok(()),
        // The client's log has said it.
        KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown) => {
            Ok(())
        }
        error => {
            tracing::warn!(%error, "consumer");
            Ok(())
        }
    }
}
