//! The loop of a worker: poll, derive, produce, commit.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::DecodeError;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};

use super::counts::{publish_waiting, worker_name};
use super::deriver::{Deriver, Processed};
use super::error::WorkerError;
use super::open_transaction::Transactions;
use super::paused::{Paused, push_partitions};
use super::progress::{Progress, stable_progress};
use super::record_reader::RecordReader;
use super::restore::Restorer;
use super::state_budget::StateBudget;
use crate::config::Config;
use crate::exactly_once::assignment::{AssignmentChange, GroupEvent, partitions_of};
use crate::exactly_once::member::{MemberSettings, client_id, consumer_config, judge_poll_error};
use crate::exactly_once::producer::{Owner, TransactionalProducer};
use crate::fetching::fetch_patiently;
use crate::health::Health;
use crate::partition_counts;
use crate::poison::PoisonGuard;
use crate::shutdown::Shutdown;
use crate::start_offsets::{self, OnDataLoss};

/// A transaction's records are collected for so long before they are sent: a commit is later by this at most, and the broker gets a few large
/// requests instead of many small ones.
const LINGER: Duration = Duration::from_millis(10);
const SEEK: Duration = Duration::from_secs(10);
/// A restore reads for so long between two polls. A rebalance of the group waits for it.
const RESTORE_SLICE: Duration = Duration::from_millis(200);
/// Between two looks whether the state is still full.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Wait before asking the registry again for a schema that it could not give.
const NOT_NOW: Duration = Duration::from_secs(1);

/// One consumer, one transactional producer, one state store.
pub(super) struct Worker {
    consumer: Authenticated<BaseConsumer<Member>>,
    restorer: Restorer,
    shutdown: Shutdown,
    health: Health,
    part: String,
    commit_interval: Duration,
    /// The number of partitions that the topics must have.
    partitions: i32,
}

/// The part of the worker that the consumer calls back. Callbacks run inside `poll`, on the worker's own thread, so the locks are
/// never contended; the type system requires them.
struct Member {
    deriver: Mutex<Deriver>,
    /// The events that the group reported during the last poll.
    events: Mutex<Vec<GroupEvent<WorkerError>>>,
    on_data_loss: OnDataLoss,
}

impl Member {
    fn deriver(&self) -> MutexGuard<'_, Deriver> {
        self.deriver.lock().unwrap_or_else(PoisonError::into_inner)
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

fn records_lost() -> metrics::Counter {
    metrics::counter!("courierflow_derive_records_lost_total")
}

/// What all workers of the process have in common. Cheap to clone, but for the configuration.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) registry: Registry,
    pub(super) ids: SchemaIds,
    pub(super) budget: StateBudget,
    pub(super) health: Health,
    pub(super) shutdown: Shutdown,
}

impl Worker {
    /// Fences the previous worker of the slot, then joins the group.
    pub(super) fn new(shared: &Shared, slot: &str, part: &str) -> Result<Self, WorkerError> {
        let Shared {
            config,
            registry,
            ids,
            budget,
            health,
            shutdown,
        } = shared;
        let mut client = ClientConfig::new();
        kafka_client::configure(&mut client, &config.kafka);
        client.set("client.id", client_id(slot));
        let owner = Owner::new(part, health, shutdown);
        let producer = TransactionalProducer::new(&client, config.derive.transaction_timeout(), LINGER, slot, owner)?;
        let transactions = Transactions::new(producer, &config.derive, shutdown.clone());
        let restorer = Restorer::new(&client, config.topics.partitions)?;
        let record_reader = RecordReader::new(&client, shutdown.clone())?;
        let guard = PoisonGuard::new(config.processor.poison_guard);
        let deriver = Deriver::new(
            config,
            registry,
            *ids,
            transactions,
            record_reader,
            guard,
            budget.share(),
        )?;
        let member = Member {
            deriver: Mutex::new(deriver),
            events: Mutex::default(),
            on_data_loss: config.processor.on_data_loss,
        };
        let membership = MemberSettings {
            group: &config.derive.group,
            session_timeout_ms: config.derive.session_timeout_ms,
            max_poll_interval_ms: config.derive.max_poll_interval_ms,
        };
        let mut consumer = consumer_config(client, membership, slot);
        fetch_patiently(&mut consumer);
        let consumer = authenticated::create_with_context(&consumer, member)?;
        let worker = Self {
            consumer,
            restorer,
            shutdown: shutdown.clone(),
            health: health.clone(),
            part: part.to_owned(),
            commit_interval: config.derive.commit_interval(),
            partitions: config.topics.partitions,
        };
        worker.consumer.subscribe(&[on_broker(topics::PUSH)])?;
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
        let mut paused = Paused::default();
        while !self.shutdown.has_begun() {
            partition_counts::OF_PARCELS.check(self.consumer.client(), self.partitions)?;
            let polled = self.consumer.poll(self.wait(&paused));
            self.handle_group_events(&mut paused)?;
            if paused.restore.is_some() {
                match polled {
                    // It was fetched before the partitions were paused.
                    Some(Ok(message)) => paused.keep_unread(message.partition(), message.offset()),
                    Some(Err(error)) => judge_poll_error(&self.consumer, error)?,
                    None => {}
                }
                self.restore(&mut paused)?;
                continue;
            }
            self.rewind(&mut self.deriver())?;
            match polled {
                Some(Ok(message)) => self.process(&message, &mut paused)?,
                Some(Err(error)) => judge_poll_error(&self.consumer, error)?,
                None => {}
            }
            if self.deriver().commit_is_due(self.commit_interval) {
                self.commit()?;
            }
            self.look_for_room(&mut paused)?;
        }
        self.deriver().commit(&self.consumer)?;
        self.health.not_ready(&self.part, "shut down");
        Ok(())
    }

    fn wait(&self, paused: &Paused) -> Duration {
        match &paused.restore {
            Some(_) => Duration::ZERO,
            None => self.deriver().until_commit(self.commit_interval),
        }
    }

    /// Processes a push event, in several transactions if it begins a day on which very many shipments expire.
    fn process(&self, message: &BorrowedMessage<'_>, paused: &mut Paused) -> Result<(), WorkerError> {
        let (partition, offset) = (message.partition(), message.offset());
        if paused.unread.contains_key(&partition) {
            return Ok(());
        }
        loop {
            let processed = self.deriver().process(message);
            match processed {
                Ok(Processed::InPart) if self.commit()? => {}
                // Derived, or rolled back and read again.
                Ok(Processed::Done | Processed::InPart) => return Ok(()),
                // What came before it is committed first: an abort would have to read that again, and not only from here on.
                Ok(Processed::Waiting) if !self.commit()? => return Ok(()),
                Ok(Processed::Waiting) => {
                    self.consumer.pause(&push_partitions(&[partition]))?;
                    paused.keep_unread(partition, offset);
                    return Ok(());
                }
                Err(WorkerError::NotNow(error)) => {
                    return self.wait_and_read_again(&mut self.deriver(), message, &error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Commits the open transaction; false if it was rolled back, and is read again.
    fn commit(&self) -> Result<bool, WorkerError> {
        let mut deriver = self.deriver();
        let committed = deriver.commit(&self.consumer)?;
        self.rewind(&mut deriver)?;
        Ok(committed)
    }

    /// Lets the partitions go on whose next push event waits for room in the state, if there is some; says so as long as there is none.
    fn look_for_room(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        if paused.unread.is_empty() {
            if paused.looked_for_room.take().is_some() {
                publish_waiting(0);
            }
            return Ok(());
        }
        if paused.looked_for_room.is_some_and(|then| then.elapsed() < LOOK_AGAIN) {
            return Ok(());
        }
        paused.looked_for_room = Some(Instant::now());
        publish_waiting(paused.unread.len());
        let fullness = {
            let mut deriver = self.deriver();
            deriver.measure();
            deriver.fullness()
        };
        if let Some(fullness) = fullness {
            tracing::warn!(partitions = ?paused.unread.keys(), "{fullness}");
            self.health.not_ready(&self.part, fullness);
            return Ok(());
        }
        self.health.ready(&self.part);
        self.resume(paused)
    }

    /// Lets the partitions go on, each with the push event that was not processed.
    fn resume(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let assigned = self.consumer.assignment()?;
        self.consumer.resume(&assigned)?;
        for (partition, offset) in std::mem::take(&mut paused.unread) {
            self.consumer
                .seek(on_broker(topics::PUSH), partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }

    fn deriver(&self) -> MutexGuard<'_, Deriver> {
        self.consumer.context().deriver()
    }

    /// Handles the events of the last poll before any message of the partitions is processed.
    fn handle_group_events(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let events = std::mem::take(&mut *self.consumer.context().events());
        if events.is_empty() {
            return Ok(());
        }
        let change = AssignmentChange::of(events)?;
        if change.revoked {
            paused.revoked(change.lost);
        }
        if change.lost {
            self.health
                .not_ready(&self.part, "lost its partitions: no contact with the group");
        }
        if let Some(assigned) = change.assigned {
            let assigned: Vec<i32> = assigned.into_iter().collect();
            if !assigned.is_empty() {
                self.begin_restore(&assigned, paused)?;
            }
            paused.kept.clear();
            let mut deriver = self.deriver();
            deriver.store.drop_parked();
            deriver.measure();
            if paused.restore.is_none() {
                // Also without any partition: there may be more workers than partitions, and then this one stands by.
                self.health.ready(&self.part);
            }
        }
        Ok(())
    }

    /// Goes back to where reading has to start again after an abort.
    fn rewind(&self, deriver: &mut Deriver) -> Result<(), WorkerError> {
        for (partition, offset) in deriver.take_rewind() {
            self.consumer
                .seek(on_broker(topics::PUSH), partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }

    /// Takes the partitions back whose state is still here, and begins to restore the others. Nothing is derived until that is done.
    fn begin_restore(&self, assigned: &[i32], paused: &mut Paused) -> Result<(), WorkerError> {
        if !self.deriver().store.has_parked(assigned) {
            self.health
                .not_ready(&self.part, format!("restoring partitions {assigned:?}"));
        }
        let mut committed = stable_progress(&self.consumer, assigned, &self.shutdown)?;
        let store = &mut self.deriver().store;
        committed.retain(|&partition, &mut progress| !store.reclaim(partition, progress));
        if committed.is_empty() {
            tracing::info!(partitions = ?assigned, "partitions reclaimed");
            // They may have been paused before the rebalance.
            return Ok(self.consumer.resume(&push_partitions(assigned))?);
        }
        self.report_lost_state(&mut committed)?;
        self.consumer.pause(&push_partitions(assigned))?;
        paused.restore = Some(self.restorer.begin(&committed, std::mem::take(&mut paused.kept))?);
        Ok(())
    }

    /// Says of which partitions the state is lost; fails if that stops the worker. What was accepted is committed, so that the next owner
    /// does not find the same loss again.
    fn report_lost_state(&self, committed: &mut BTreeMap<i32, Option<Progress>>) -> Result<(), WorkerError> {
        let lost = self.restorer.shortened(committed)?;
        let on_data_loss = self.consumer.context().on_data_loss;
        let accepted = start_offsets::report_shortened(lost, on_data_loss, &records_lost())?;
        let mut offsets = TopicPartitionList::new();
        for partition in accepted {
            if let Some(Some(progress)) = committed.get_mut(&partition) {
                progress.shipments = 0;
                progress.add_to(&mut offsets, partition)?;
            }
        }
        if offsets.count() > 0 {
            self.consumer.commit(&offsets, CommitMode::Async)?;
        }
        Ok(())
    }

    /// Reads a slice of the restore that is under way.
    fn restore(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let Some(restore) = &mut paused.restore else {
            return Ok(());
        };
        let mut deriver = self.deriver();
        for (number, partition) in restore.go_on(&mut deriver.shipment_decoder, RESTORE_SLICE)? {
            if partition.has_lost_its_place() {
                start_offsets::report_lost_place(on_broker(topics::PUSH), number, "parcels", &records_lost());
            }
            deriver.store.insert_partition(number, partition);
        }
        let (read, total) = restore.progress();
        if !restore.is_done() {
            let partitions = restore.partitions();
            let reason = format!("restoring partitions {partitions:?}: {read} of {total} records");
            self.health.not_ready(&self.part, reason);
            return Ok(());
        }
        let seconds = restore.seconds();
        let (shipments, bytes) = deriver.store.size();
        tracing::info!(records = total, seconds, shipments, bytes, "restored");
        metrics::histogram!("courierflow_derive_restore_seconds").record(seconds);
        deriver.measure();
        paused.restore = None;
        self.health.ready(&self.part);
        self.resume(paused)
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
