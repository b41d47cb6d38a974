//! The Kafka side of a table: reads its topic into batches, has the settlers write them, and commits their offsets.
//!
//! ```text
//! Kafka ──poll──▶ batch being filled ──▶ settler 0: rows ▶ insert ▶ dead letters ─┐
//!                                   └──▶ settler 1: the same                      ├─▶ commit, in order
//! ```
//!
//! The worker never waits long for ClickHouse. Back-pressure: when the settlers are busy and the batch is full, it pauses
//! its partitions and goes on polling, so that it stays in its group.
//!
//! When ClickHouse may have lost rows ([`stored`](super::stored)), the worker ends, and the next one is assigned earlier offsets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use courierflow_schemas::wire::Record;
use courierflow_service::authenticated::Authenticated;
use courierflow_service::traces::Step;
use metrics::{gauge, histogram};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::batch::{Batch, Limits, Offsets, SourceRecord};
use super::consumer::GroupEvents;
use super::notes::Notes;
use super::reread::Reread;
use super::rows::Table;
use super::runs::PartitionRun;
use super::settle::{Job, Unsettled};
use super::stored::{NotKnown, Outdated, StoredRange};
use super::table_health::TableHealth;
use crate::poll_error::{ends_reading, say_where_it_may_be};
use crate::shutdown::Shutdown;
use crate::start_offsets::DataLoss;

/// Longest wait for a record, so also the longest time until the worker notices anything else.
const POLL: Duration = Duration::from_millis(100);
/// How long a full batch waits for a settler before the partitions are paused. Pausing discards the prefetched
/// records, so it is meant for outages and not for every insert.
const PATIENCE: Duration = Duration::from_secs(1);
/// Batches that are not settled this long after shutdown began are left to the next owner.
const GRACE: Duration = Duration::from_secs(10);
/// Delay between attempts to commit, and between two runs of the housekeeping.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a worker ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    /// The Kafka client cannot go on; a new one may work.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// A batch could not be settled, and the worker must not go on.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// Records are gone before they were read.
    #[error(transparent)]
    DataLoss(#[from] DataLoss),
    /// What is stored must be asked again; the next worker does.
    #[error("ClickHouse was restarted, or has another table")]
    Outdated,
    /// A settler ended without a word.
    #[error("a settler thread has died")]
    SettlerDied,
}

/// What a settler reports: the result of a batch, or of its start.
pub(super) struct Outcome {
    pub(super) settler: usize,
    pub(super) result: Result<(), Unsettled>,
}

pub(super) struct Worker<T: Table> {
    pub(super) consumer: Authenticated<BaseConsumer<GroupEvents>>,
    /// One channel per settler; a settler gets a batch only when it has none.
    pub(super) settlers: Vec<Sender<Job>>,
    pub(super) outcomes: Receiver<Outcome>,
    pub(super) notes: Notes,
    pub(super) limits: Limits,
    pub(super) health: TableHealth,
    pub(super) outdated: Arc<Outdated>,
    pub(super) shutdown: Shutdown,
    pub(super) state: State,
    pub(super) table: std::marker::PhantomData<T>,
}

/// The state of a worker.
#[derive(Default)]
pub(super) struct State {
    /// The batch that is being filled.
    batch: Batch,
    /// The batches that the settlers have, in the order of reading.
    in_flight: VecDeque<InFlight>,
    /// Offsets that are settled and not yet committed.
    uncommitted: Offsets,
    /// By partition that is ours now, the offset after the newest record that was read.
    read: Offsets,
    /// By partition that is ours now, since when and from where it is read.
    runs: BTreeMap<i32, PartitionRun>,
    reread: Reread,
    /// It is not known whether rows are missing, so nothing is inserted.
    is_not_known: bool,
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
    /// Runs until shutdown or an error.
    pub(super) fn run(mut self) -> Result<(), WorkerError> {
        while !self.shutdown.has_begun() {
            self.read()?;
            self.collect_outcomes()?;
            self.commit_settled();
            self.hand_over_if_due()?;
            self.hold_back_while_full()?;
            self.look_around()?;
        }
        self.finish()
    }

    /// Polls once: handles group events and adds at most one record to the batch.
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
        match group.take_not_known() {
            None => {}
            Some(NotKnown::NeedsOperator(error)) => return Err(Unsettled::Fatal(error).into()),
            Some(NotKnown::Yet(error)) => {
                self.health.failed("ask ClickHouse what it holds", &error);
                self.state.is_not_known = true;
                self.outdated.is_unknown.store(true, Ordering::Release);
            }
        }
        if group.take_assigned() {
            let begun = group.take_begun();
            self.state.reread.begin(&begun);
            let to_commit = begun
                .iter()
                .filter_map(|(partition, run)| Some((*partition, run.commits?)));
            // Otherwise a partition without newer records would show a lag for ever.
            self.state.uncommitted.extend(to_commit);
            self.state.runs.extend(begun);
            if !self.state.has_one_view() {
                // The server was restarted since the other partitions were assigned, and whoever watches it may have missed that.
                self.outdated.is_outdated.store(true, Ordering::Release);
            }
            self.health.reads_again(self.state.reread.remaining());
            self.health.has_joined_group();
            // New partitions are not paused, and partitions that are assigned again may still be.
            self.state.set_paused(self.state.is_paused, &self.consumer)?;
        }
        match polled {
            None => Ok(()),
            Some(Ok(message)) => {
                self.state.last_kafka_error = None;
                group.has_read(message.timestamp().to_millis());
                self.state.read.insert(message.partition(), message.offset() + 1);
                self.state.batch.push(source_record(&message), Instant::now());
                if let Some(step) = Step::of_record("insert", &message) {
                    self.state.batch.follow(step);
                }
                Ok(())
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.state
                    .reread
                    .at_end(partition, self.state.read.get(&partition).copied());
                Ok(())
            }
            Some(Err(error)) if ends_reading(&error) => {
                say_where_it_may_be(&self.consumer, &error);
                Err(error.into())
            }
            Some(Err(error)) => {
                self.state.say_once(T::NAME, &error);
                Ok(())
            }
        }
    }

    /// Collects the settlers' results, and marks the offsets of the oldest settled batches as ready to commit.
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
            self.state.reread.settled(&batch.offsets);
            self.state.uncommitted.extend(batch.offsets);
        }
        Ok(())
    }

    /// Commits the settled offsets. A failed commit is retried later. If another worker takes over before that, it reads
    /// the records again, which changes nothing.
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
                // Ordinary while the group is rebalancing.
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
            offsets.add_partition_offset(T::Record::topic(), *partition, Offset::Offset(*offset))?;
        }
        self.consumer.commit(&offsets, CommitMode::Sync)
    }

    fn hand_over_if_due(&mut self) -> Result<(), WorkerError> {
        if self.state.batch.is_due(self.limits, Instant::now()) {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Gives the batch to an idle settler; keeps it if all are busy.
    fn hand_over(&mut self) -> Result<(), WorkerError> {
        if self.state.is_not_known {
            return Ok(());
        }
        let offsets = self.state.batch.offsets();
        self.hand_over_with(offsets)
    }

    /// The same with the offsets to commit, which may be beyond the records of the batch.
    fn hand_over_with(&mut self, offsets: Offsets) -> Result<(), WorkerError> {
        let is_free = |settler: &usize| !self.state.in_flight.iter().any(|batch| batch.settler == *settler);
        let Some((settler, channel)) = self.settlers.iter().enumerate().find(|(settler, _)| is_free(settler)) else {
            return Ok(());
        };
        let batch = std::mem::take(&mut self.state.batch);
        let number = self.notes.hand_over(self.state.ranges(T::Record::topic(), &offsets));
        self.state.in_flight.push_back(InFlight {
            settler,
            offsets,
            oldest: batch.oldest(),
            is_settled: false,
        });
        let job = Job { batch, number };
        channel.send(job).map_err(|_| WorkerError::SettlerDied)
    }

    /// Back-pressure: if the batch is full, waits for a settler, and pauses the partitions if that takes long.
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

    /// Housekeeping, once a second.
    fn look_around(&mut self) -> Result<(), WorkerError> {
        let now = Instant::now();
        if self.state.look_after.is_some_and(|then| now < then) {
            return Ok(());
        }
        self.state.look_after = Some(now + PAUSE);
        let oldest = self.state.in_flight.iter().map(|batch| batch.oldest);
        let oldest = oldest.chain([self.state.batch.oldest()]).flatten().min();
        let age = oldest.map_or(Duration::ZERO, |oldest| now.saturating_duration_since(oldest));
        gauge!("courierflow_sink_oldest_unflushed_seconds", "table" => T::NAME).set(age.as_secs_f64());

        self.health.goes_on_reading();
        let remaining = self.state.reread.remaining();
        self.health.reads_again(remaining);
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        gauge!("courierflow_sink_reread_remaining_records", "table" => T::NAME).set(remaining as f64);
        if self.outdated.is_outdated.load(Ordering::Acquire) {
            return Err(WorkerError::Outdated);
        }
        if self.state.batch.is_empty() && self.state.in_flight.is_empty() && !self.state.is_not_known {
            self.step_over_markers()?;
        }
        Ok(())
    }

    /// Transactions end with a marker that is never delivered. If everything before a marker is settled, the offset after
    /// it is committed, too; otherwise a topic that was read to its end would show a lag of 1.
    fn step_over_markers(&mut self) -> Result<(), WorkerError> {
        let Ok(position) = self.consumer.position() else {
            return Ok(());
        };
        let mut offsets = Offsets::new();
        for element in position.elements() {
            let (partition, Offset::Offset(position)) = (element.partition(), element.offset()) else {
                continue;
            };
            // Only once a record was read from the partition: before that, the position may be that of an earlier
            // assignment.
            if let Some(read) = self.state.read.get_mut(&partition)
                && *read < position
            {
                *read = position;
                offsets.insert(partition, position);
            }
        }
        if offsets.is_empty() {
            return Ok(());
        }
        // A batch without records, for ClickHouse must know what is committed.
        self.hand_over_with(offsets)
    }

    /// Shuts down: settles what was read, within a limited time, commits, and leaves the group.
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
    /// What is stored when a batch that ends at these offsets is settled, and all batches before it.
    fn ranges(&self, topic: &'static str, offsets: &Offsets) -> Vec<StoredRange> {
        let of = |(partition, next): (&i32, &i64)| {
            let PartitionRun { run, first, .. } = self.runs.get(partition)?;
            Some(run.stored(topic, *partition, *first, *next))
        };
        offsets.iter().filter_map(of).collect()
    }

    /// Whether all partitions are read with the same server in view.
    fn has_one_view(&self) -> bool {
        let mut runs = self.runs.values().map(|partition| &partition.run);
        let first = runs.next();
        first.is_none_or(|first| runs.all(|run| run.has_same_view(first)))
    }

    /// Drops everything of a revoked partition: its next owner reads the uncommitted records again, and we must not
    /// commit them.
    fn forget(&mut self, partition: i32) {
        self.batch.forget_partition(partition);
        for batch in &mut self.in_flight {
            batch.offsets.remove(&partition);
        }
        self.uncommitted.remove(&partition);
        self.read.remove(&partition);
        self.runs.remove(&partition);
        self.reread.forget(partition);
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

    /// Logs an error once. Kafka repeats an error until it is over, and reports a broker that is away with two errors
    /// in turn.
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
