//! A worker's transaction: it begins with the first push event and ends with a commit or an abort.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use courierflow_service::traces::{self, Step};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;

use super::counts::Counts;
use super::error::WorkerError;
use super::progress::{Progress, stable_progress};
use super::state_entry::{KeyHash, StoredShipment};
use crate::config::DeriveSettings;
use crate::exactly_once::producer::{Output, ProducerError, TransactionalProducer};
use crate::poison::PoisonGuard;
use crate::shutdown::Shutdown;

/// The bookkeeping of an open transaction.
pub(super) struct OpenTransaction {
    begun: Instant,
    /// By partition, the offset to read again from if it is aborted.
    pub(super) first_offsets: BTreeMap<i32, i64>,
    /// By partition, the progress that is committed with it.
    pub(super) progress: BTreeMap<i32, Progress>,
    events: usize,
    bytes: usize,
    /// By partition, how many shipments were produced, tombstones aside.
    shipments: BTreeMap<i32, i64>,
    /// Oldest timestamp of its push events, milliseconds since 1970.
    pub(super) oldest_timestamp: Option<i64>,
    pub(super) counts: Counts,
    pub(super) dead_letters: Vec<DeadLettered>,
    /// The steps of those push events that are part of a trace; they end with the transaction.
    pub(super) steps: Vec<Step>,
    /// The guard as it was when the transaction began, to restore it after an abort.
    pub(super) guard_before: PoisonGuard,
}

/// A dead-lettered record as it is logged. It is logged after the commit, because an aborted transaction is read again.
pub(super) struct DeadLettered {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) class: &'static str,
    pub(super) error: String,
    /// The step whose `trace_id` its log line has.
    pub(super) step: Option<Step>,
}

impl DeadLettered {
    pub(super) fn log(&self, what: &'static str) {
        let Self {
            partition,
            offset,
            class,
            error,
            step,
        } = self;
        traces::run(step.as_ref(), || {
            tracing::warn!(partition, offset, class, error, "{what}");
        });
    }
}

impl OpenTransaction {
    fn new(guard: &PoisonGuard) -> Self {
        Self {
            begun: Instant::now(),
            first_offsets: BTreeMap::new(),
            progress: BTreeMap::new(),
            events: 0,
            bytes: 0,
            shipments: BTreeMap::new(),
            oldest_timestamp: None,
            counts: Counts::default(),
            dead_letters: Vec::new(),
            steps: Vec::new(),
            guard_before: guard.clone(),
        }
    }

    /// Adds a push event that was processed.
    pub(super) fn add_event(&mut self, partition: i32, offset: i64, timestamp_millis: Option<i64>) {
        self.first_offsets.entry(partition).or_insert(offset);
        self.progress.insert(partition, Progress::at(offset + 1));
        self.events += 1;
        self.oldest_timestamp = [self.oldest_timestamp, timestamp_millis].into_iter().flatten().min();
    }

    /// Adds shipments that expired because of the push event at `progress.offset`, which itself is not processed yet.
    pub(super) fn add_expired(&mut self, partition: i32, progress: Progress, count: usize) {
        self.first_offsets.entry(partition).or_insert(progress.offset);
        self.progress.insert(partition, progress);
        self.events += count;
        self.counts.expired += count as u64;
    }

    /// Adds a shipment that was produced.
    pub(super) fn add_shipment(&mut self, partition: i32) {
        *self.shipments.entry(partition).or_default() += 1;
    }

    /// Says in the progress how far the shipments reach once it is committed; `end` is the offset that those of a partition reach
    /// without it.
    pub(super) fn note_ends(&mut self, end: impl Fn(i32) -> i64) {
        for (&partition, progress) in &mut self.progress {
            progress.shipments = end(partition) + self.shipments.get(&partition).copied().unwrap_or_default();
        }
    }

    /// Adds `bytes` of produced records.
    pub(super) fn add_bytes(&mut self, bytes: usize) {
        self.bytes += bytes;
    }
}

/// How a transaction ended.
pub(super) enum Ended {
    /// Committed; with the positions at which the broker stored the shipment records.
    Committed(OpenTransaction, Vec<StoredShipment>),
    /// Aborted: consumers see nothing of it, and its push events must be read again.
    Aborted(OpenTransaction),
}

/// The transactions of a worker, one after the other.
pub(super) struct Transactions {
    producer: TransactionalProducer<KeyHash>,
    open: Option<OpenTransaction>,
    max_events: usize,
    max_bytes: usize,
    shutdown: Shutdown,
}

impl Transactions {
    pub(super) fn new(producer: TransactionalProducer<KeyHash>, settings: &DeriveSettings, shutdown: Shutdown) -> Self {
        Self {
            producer,
            open: None,
            max_events: settings.max_transaction_events,
            max_bytes: settings.max_transaction_bytes,
            shutdown,
        }
    }

    /// Begins a transaction if none is open.
    pub(super) fn begin(&mut self, guard: &PoisonGuard) -> Result<(), ProducerError> {
        if self.open.is_none() {
            self.producer.begin()?;
            self.open = Some(OpenTransaction::new(guard));
        }
        Ok(())
    }

    /// The open transaction, if there is one.
    pub(super) fn open(&mut self) -> Option<&mut OpenTransaction> {
        self.open.as_mut()
    }

    /// Produces a record in the open transaction.
    pub(super) fn produce(&self, output: Output<'_, KeyHash>) -> Result<(), ProducerError> {
        self.producer.produce(output)
    }

    /// How many more push events and expired shipments the open transaction may hold.
    pub(super) fn room(&self) -> usize {
        let used = self.open.as_ref().map_or(0, |open| open.events);
        self.max_events.saturating_sub(used)
    }

    /// How long the open transaction may stay open.
    pub(super) fn until_commit(&self, interval: Duration) -> Duration {
        self.open
            .as_ref()
            .map_or(interval, |open| interval.saturating_sub(open.begun.elapsed()))
    }

    pub(super) fn commit_is_due(&self, interval: Duration) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.events >= self.max_events || open.bytes >= self.max_bytes || open.begun.elapsed() >= interval
        })
    }

    /// Commits the open transaction, or aborts it if committing fails and the producer can go on. `None` if none is open.
    /// After an error it is still open.
    pub(super) fn commit(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
    ) -> Result<Option<Ended>, WorkerError> {
        let Some(open) = &self.open else { return Ok(None) };
        let group = consumer.group_metadata().ok_or(KafkaError::Canceled)?;
        let mut offsets = TopicPartitionList::new();
        for (&partition, progress) in &open.progress {
            progress.add_to(&mut offsets, partition)?;
        }
        let begun = Instant::now();
        let result = self.producer.commit(offsets, group);
        let outcome = if result.is_ok() { "committed" } else { "failed" };
        metrics::histogram!("courierflow_derive_commit_seconds", "outcome" => outcome)
            .record(begun.elapsed().as_secs_f64());
        match result {
            Ok(()) => Ok(self.committed()),
            Err(ProducerError::Abort(error)) => {
                tracing::warn!(%error, "transaction aborted, its push events are read again");
                self.abort()
            }
            Err(ProducerError::InDoubt(error)) => {
                tracing::warn!(%error, "transaction in doubt, the committed offsets decide");
                self.resolve(consumer)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a transaction when the broker stopped answering during the commit, so that we do not know whether it took
    /// effect. If it did, deriving its push events again would produce their records twice. Its offsets are part of it, so
    /// the group's committed offsets show what happened.
    fn resolve(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<Option<Ended>, WorkerError> {
        self.producer.abort()?;
        let Some(open) = &self.open else { return Ok(None) };
        let partitions: Vec<i32> = open.progress.keys().copied().collect();
        let offsets = stable_progress(consumer, &partitions, &self.shutdown)?;
        // All, not any: the new owner of a partition that is no longer ours may have committed further offsets.
        let found = |partition: &i32| offsets.get(partition).copied().flatten();
        let is_committed = open
            .progress
            .iter()
            .all(|(partition, next)| found(partition) >= Some(*next));
        if is_committed {
            tracing::info!("the transaction in doubt was committed");
            Ok(self.committed())
        } else {
            tracing::info!("the transaction in doubt was aborted, its push events are read again");
            Ok(self.open.take().map(Ended::Aborted))
        }
    }

    /// Aborts the open transaction. `None` if none is open. After an error it is still open.
    pub(super) fn abort(&mut self) -> Result<Option<Ended>, WorkerError> {
        if self.open.is_some() {
            self.producer.abort()?;
        }
        Ok(self.open.take().map(Ended::Aborted))
    }

    /// After a failure of the worker: the open transaction must not be committed by a callback that runs while the
    /// consumer closes.
    pub(super) fn abandon(&mut self) {
        let Some(open) = self.open.take() else { return };
        open.steps.iter().for_each(|step| step.failed("read again"));
        if let Err(error) = self.producer.abort() {
            tracing::info!(%error, "the open transaction is left to the fencing by our successor");
        }
    }

    fn committed(&mut self) -> Option<Ended> {
        let stored = self.producer.stored();
        self.open.take().map(|open| Ended::Committed(open, stored))
    }
}
