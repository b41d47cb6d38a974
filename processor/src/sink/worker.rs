//! The Kafka side of a table: reads its topic into batches, has them settled, commits what is settled.
//!
//! ```text
//! Kafka ──poll──▶ batch being filled ──▶ settler 0: rows ▶ insert ▶ dead letters ─┐
//!                                   └──▶ settler 1: the same                      ├─▶ commit, in order
//! ```
//!
//! The worker itself never waits for ClickHouse for long: when the settlers are busy and the batch is full, it pauses its
//! partitions and goes on polling, so that it stays in its group.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use courierflow_schemas::wire::Record;
use metrics::{gauge, histogram};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::batch::{Batch, Limits, Offsets, SourceRecord};
use super::consumer::GroupEvents;
use super::rows::Table;
use super::settle::Unsettled;
use super::table_health::TableHealth;
use crate::shutdown::Shutdown;
use crate::start_offsets::DataLoss;

/// Longest wait for a record; bounds how late the worker notices everything else.
const POLL: Duration = Duration::from_millis(100);
/// How long a full batch waits for a settler before the partitions are paused. Pausing throws the prefetched records
/// away, so it is for outages and not for every insert.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is not settled this long after the process was asked to end is left to the next owner.
const GRACE: Duration = Duration::from_secs(10);
/// Between commits that failed, and between looks at what changes slowly.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a worker ended, other than being asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    /// The Kafka client cannot go on; a new one may.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// It must not go on.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// Records are gone before they were read.
    #[error(transparent)]
    DataLoss(#[from] DataLoss),
    /// A settler ended without a word.
    #[error("a settler thread has died")]
    SettlerDied,
}

/// What a settler says of the batch it was given, or of its start.
pub(super) struct Outcome {
    pub(super) settler: usize,
    pub(super) result: Result<(), Unsettled>,
}

pub(super) struct Worker<T: Table> {
    pub(super) consumer: BaseConsumer<GroupEvents>,
    /// One channel per settler; a settler is given a batch only when it has none.
    pub(super) settlers: Vec<Sender<Batch>>,
    pub(super) outcomes: Receiver<Outcome>,
    pub(super) limits: Limits,
    pub(super) health: TableHealth,
    pub(super) shutdown: Shutdown,
    pub(super) state: State,
    pub(super) table: std::marker::PhantomData<T>,
}

/// Where the worker stands.
#[derive(Default)]
pub(super) struct State {
    /// Being filled.
    batch: Batch,
    /// With the settlers, in the order of reading.
    in_flight: VecDeque<InFlight>,
    /// Settled and not yet committed.
    uncommitted: Offsets,
    /// Next offset after the newest record that was read, of the partitions that are ours now.
    read: Offsets,
    is_paused: bool,
    commit_not_before: Option<Instant>,
    commit_is_failing: bool,
    last_kafka_error: Option<RDKafkaErrorCode>,
    look_after: Option<Instant>,
}

struct InFlight {
    settler: usize,
    offsets: Offsets,
    oldest: Option<Instant>,
    is_settled: bool,
}

impl<T: Table> Worker<T> {
    /// Runs until the process ends or something is wrong.
    pub(super) fn run(mut self) -> Result<(), WorkerError> {
        while !self.shutdown.has_begun() {
            self.read()?;
            self.collect_outcomes()?;
            self.commit_settled();
            self.hand_over_if_due()?;
            self.hold_back_while_full()?;
            self.look_around();
        }
        self.finish()
    }

    /// At most one record into the batch; and whatever the group decided meanwhile.
    fn read(&mut self) -> Result<(), WorkerError> {
        let polled = self.consumer.poll(POLL);
        let group = self.consumer.context();
        if let Some(loss) = group.take_data_loss() {
            return Err(loss.into());
        }
        for partition in group.take_revoked() {
            self.state.forget(partition);
        }
        if group.take_lost() {
            self.health.has_lost_group();
        }
        if group.take_assigned() {
            self.health.has_joined_group();
            // New partitions are not paused, and one that comes back may still be.
            self.state.set_paused(self.state.is_paused, &self.consumer)?;
        }
        match polled {
            None => Ok(()),
            Some(Ok(message)) => {
                self.state.last_kafka_error = None;
                group.has_read(message.timestamp().to_millis());
                self.state.read.insert(message.partition(), message.offset() + 1);
                self.state.batch.push(source_record(&message), Instant::now());
                Ok(())
            }
            Some(Err(
                error @ (KafkaError::MessageConsumptionFatal(_)
                | KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset)),
            )) => Err(error.into()),
            Some(Err(error)) => {
                self.state.say_once(T::NAME, &error);
                Ok(())
            }
        }
    }

    /// Takes what the settlers are done with, and moves the offsets of the oldest batches to be committed.
    fn collect_outcomes(&mut self) -> Result<(), WorkerError> {
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.take_outcome(outcome)?;
        }
        Ok(())
    }

    fn take_outcome(&mut self, Outcome { settler, result }: Outcome) -> Result<(), WorkerError> {
        result?;
        for batch in &mut self.state.in_flight {
            batch.is_settled |= batch.settler == settler;
        }
        // A batch is committed when all before it are settled.
        while let Some(batch) = self.state.in_flight.pop_front_if(|batch| batch.is_settled) {
            self.state.uncommitted.extend(batch.offsets);
        }
        Ok(())
    }

    /// Commits what is settled. A commit that fails is tried again later: until then a new owner reads the records again,
    /// which changes nothing.
    fn commit_settled(&mut self) {
        if self.state.uncommitted.is_empty() || self.state.commit_not_before.is_some_and(|then| Instant::now() < then) {
            return;
        }
        let begun = Instant::now();
        let committed = self.commit();
        let outcome = if committed.is_ok() { "committed" } else { "failed" };
        histogram!("courierflow_sink_commit_seconds", "table" => T::NAME, "outcome" => outcome)
            .record(begun.elapsed().as_secs_f64());
        match committed {
            Ok(()) => {
                self.state.uncommitted.clear();
                self.state.commit_not_before = None;
                if std::mem::take(&mut self.state.commit_is_failing) {
                    tracing::info!(table = T::NAME, "sink: commits work again");
                }
            }
            Err(error) => {
                self.state.commit_not_before = Some(Instant::now() + PAUSE);
                // The group is changing its members: ordinary.
                let is_ordinary = matches!(
                    error.rdkafka_error_code(),
                    Some(RDKafkaErrorCode::RebalanceInProgress | RDKafkaErrorCode::IllegalGeneration)
                );
                if !is_ordinary && !std::mem::replace(&mut self.state.commit_is_failing, true) {
                    tracing::warn!(table = T::NAME, %error, "sink: commit failed, will be retried");
                }
            }
        }
    }

    fn commit(&self) -> Result<(), KafkaError> {
        let mut offsets = TopicPartitionList::with_capacity(self.state.uncommitted.len());
        for (partition, offset) in &self.state.uncommitted {
            offsets.add_partition_offset(T::Record::TOPIC, *partition, Offset::Offset(*offset))?;
        }
        self.consumer.commit(&offsets, CommitMode::Sync)
    }

    fn hand_over_if_due(&mut self) -> Result<(), WorkerError> {
        if self.state.batch.is_due(self.limits, Instant::now()) {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Gives the batch to a settler that has none; keeps it when all are busy.
    fn hand_over(&mut self) -> Result<(), WorkerError> {
        let is_free = |settler: &usize| !self.state.in_flight.iter().any(|batch| batch.settler == *settler);
        let Some((settler, channel)) = self.settlers.iter().enumerate().find(|(settler, _)| is_free(settler)) else {
            return Ok(());
        };
        let batch = std::mem::take(&mut self.state.batch);
        self.state.in_flight.push_back(InFlight {
            settler,
            offsets: batch.offsets(),
            oldest: batch.oldest(),
            is_settled: false,
        });
        channel.send(batch).map_err(|_| WorkerError::SettlerDied)
    }

    /// While there is no room for another record: waits for a settler, and if that takes long, pauses.
    fn hold_back_while_full(&mut self) -> Result<(), WorkerError> {
        if !self.state.batch.is_full(self.limits) {
            if self.state.is_paused {
                self.state.set_paused(false, &self.consumer)?;
            }
            return Ok(());
        }
        if self.state.is_paused {
            return Ok(());
        }
        match self.outcomes.recv_timeout(PATIENCE) {
            Ok(outcome) => self.take_outcome(outcome),
            Err(RecvTimeoutError::Timeout) => self.state.set_paused(true, &self.consumer),
            Err(RecvTimeoutError::Disconnected) => Err(WorkerError::SettlerDied),
        }
    }

    /// Once a second.
    fn look_around(&mut self) {
        let now = Instant::now();
        if self.state.look_after.is_some_and(|then| now < then) {
            return;
        }
        self.state.look_after = Some(now + PAUSE);
        let oldest = self.state.in_flight.iter().map(|batch| batch.oldest);
        let oldest = oldest.chain([self.state.batch.oldest()]).flatten().min();
        let age = oldest.map_or(Duration::ZERO, |oldest| now.saturating_duration_since(oldest));
        gauge!("courierflow_sink_oldest_unflushed_seconds", "table" => T::NAME).set(age.as_secs_f64());

        if self.state.batch.is_empty() && self.state.in_flight.is_empty() {
            self.step_over_markers();
        }
    }

    /// A transaction ends with a marker that no consumer sees. Where everything before it is settled, it may be committed
    /// too: otherwise a topic that is read to its end would show a lag of 1.
    fn step_over_markers(&mut self) {
        let Ok(position) = self.consumer.position() else {
            return;
        };
        for element in position.elements() {
            let (partition, Offset::Offset(position)) = (element.partition(), element.offset()) else {
                continue;
            };
            // Only after a record was read from the partition: before, the position may be that of an earlier assignment.
            if let Some(read) = self.state.read.get_mut(&partition)
                && *read < position
            {
                *read = position;
                self.state.uncommitted.insert(partition, position);
            }
        }
    }

    /// Settles what was read, for a bounded time, commits, and leaves the group.
    fn finish(mut self) -> Result<(), WorkerError> {
        let deadline = Instant::now() + GRACE;
        loop {
            if !self.state.batch.is_empty() {
                self.hand_over()?;
            }
            if self.state.in_flight.is_empty() {
                break;
            }
            match self
                .outcomes
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(Outcome {
                    result: Err(Unsettled::Abandoned),
                    ..
                })
                | Err(_) => {
                    tracing::info!(
                        table = T::NAME,
                        "sink: ends with unsettled records, the next owner reads them again"
                    );
                    break;
                }
                Ok(outcome) => self.take_outcome(outcome)?,
            }
        }
        self.state.commit_not_before = None;
        self.commit_settled();
        Ok(())
    }
}

impl State {
    /// The partition is not ours any more: the next owner reads what is not committed again, and it must not be us who
    /// commits it.
    fn forget(&mut self, partition: i32) {
        self.batch.forget_partition(partition);
        for batch in &mut self.in_flight {
            batch.offsets.remove(&partition);
        }
        self.uncommitted.remove(&partition);
        self.read.remove(&partition);
    }

    fn set_paused(&mut self, is_paused: bool, consumer: &BaseConsumer<GroupEvents>) -> Result<(), WorkerError> {
        let partitions = consumer.assignment()?;
        if is_paused {
            consumer.pause(&partitions)?;
        } else {
            consumer.resume(&partitions)?;
        }
        self.is_paused = is_paused;
        Ok(())
    }

    /// Kafka reports the same trouble again and again until it is over, and a broker that is away in two ways by turns.
    fn say_once(&mut self, table: &'static str, error: &KafkaError) {
        let code = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::BrokerTransportFailure) => Some(RDKafkaErrorCode::AllBrokersDown),
            code => code,
        };
        if self.last_kafka_error != code {
            tracing::warn!(table, %error, "sink: cannot read from Kafka, will be retried");
            self.last_kafka_error = code;
        }
    }
}

fn source_record<'a>(message: &'a BorrowedMessage<'_>) -> SourceRecord<'a> {
    SourceRecord {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key(),
        value: message.payload(),
    }
}
