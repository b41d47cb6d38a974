//! A worker's transaction: what its inputs changed, the offsets of those that were records, and the calls that may be made afterwards.
//!
//! Inputs that are no records, such as answers and timers, move no offset. So that the group's offsets tell of every transaction whether
//! it took effect, each commits the offset of the request topic again for every partition that it touched, with its own name as the
//! offset's metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use courierflow_schemas::topics::{self, on_broker};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::answers::Internal;
use super::calls::Queued;
use super::counts::Counts;
use super::error::WorkerError;
use super::state::Undo;
use crate::exactly_once::producer::{Output, ProducerError, TransactionalProducer};
use crate::exactly_once::stable_offsets::stable_offsets;
use crate::shutdown::Shutdown;

/// The topics that a worker reads.
const INPUTS: [&str; 3] = [topics::SUBSCRIPTION_REQUEST, topics::PUSH, topics::SHIPMENT];

/// A place in one of them: topic, as the brokers call it, and partition.
pub(super) type Place = (&'static str, i32);

/// The topics that a worker reads, as the brokers call them.
pub(crate) fn inputs() -> [&'static str; 3] {
    INPUTS.map(on_broker)
}

/// The name of one of them that lives as long as the program.
pub(super) fn input(topic: &str) -> Option<&'static str> {
    inputs().into_iter().find(|known| *known == topic)
}

/// A transaction with more inputs is committed.
const MAX_INPUTS: usize = 2_000;
/// Offsets of records that changed nothing are committed at this age, if nothing else is.
const IDLE_COMMIT: Duration = Duration::from_secs(5);

/// The bookkeeping of an open transaction.
pub(super) struct OpenTransaction {
    begun: Instant,
    inputs: usize,
    /// The offsets to read again from if it is aborted.
    pub(super) first_offsets: BTreeMap<Place, i64>,
    touched: BTreeSet<i32>,
    /// Changes of the state, to be undone.
    pub(super) undo: Vec<Undo>,
    /// Inputs that are no records, to be taken again.
    pub(super) internal: Vec<Internal>,
    /// Calls to be made after the commit.
    pub(super) calls: Vec<Queued>,
    pub(super) counts: Counts,
    /// What was dead-lettered: logged after the commit, because an aborted transaction is read again.
    pub(super) dead_letters: Vec<String>,
}

/// How a transaction ended.
pub(super) enum Ended {
    Committed(OpenTransaction),
    /// Consumers see nothing of it, and its inputs must be taken again.
    Aborted(OpenTransaction),
}

/// The transactions of a worker, one after the other.
pub(super) struct Transactions {
    producer: TransactionalProducer<()>,
    open: Option<OpenTransaction>,
    /// By place, the offset of the next record.
    next: BTreeMap<Place, i64>,
    /// Places whose offset has moved since the last commit, and since when.
    moved: BTreeSet<Place>,
    moved_since: Option<Instant>,
    /// Begins the names of this worker's transactions.
    name: String,
    count: u64,
    shutdown: Shutdown,
}

impl Transactions {
    /// `name` must be of this incarnation of the worker alone.
    pub(super) fn new(producer: TransactionalProducer<()>, name: String, shutdown: Shutdown) -> Self {
        Self {
            producer,
            open: None,
            next: BTreeMap::new(),
            moved: BTreeSet::new(),
            moved_since: None,
            name,
            count: 0,
            shutdown,
        }
    }

    /// New partitions: where each of their places is read from.
    pub(super) fn assigned(&mut self, next: BTreeMap<Place, i64>) {
        self.next = next;
        self.moved.clear();
        self.moved_since = None;
    }

    /// The open transaction; begins one if there is none.
    pub(super) fn begin(&mut self) -> Result<&mut OpenTransaction, ProducerError> {
        if self.open.is_none() {
            self.producer.begin()?;
            self.count += 1;
        }
        Ok(self.open.get_or_insert_with(OpenTransaction::new))
    }

    /// The open transaction, if there is one.
    pub(super) fn open(&mut self) -> Option<&mut OpenTransaction> {
        self.open.as_mut()
    }

    /// Calls that are to be made after the commit.
    pub(super) fn calls(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.calls.len())
    }

    /// Whether one of them is of this subscription.
    pub(super) fn is_to_call(&self, key: &str) -> bool {
        let mut calls = self.open.iter().flat_map(|open| &open.calls);
        calls.any(|queued| &*queued.key == key)
    }

    /// Produces a record in the open transaction.
    pub(super) fn produce(&mut self, output: Output<'_, ()>) -> Result<(), ProducerError> {
        if let Some(open) = &mut self.open {
            open.touched.insert(output.partition);
        }
        self.producer.produce(output)
    }

    /// A record was taken, whether it changed something or not.
    pub(super) fn read(&mut self, place: Place, offset: i64) {
        if let Some(open) = &mut self.open {
            open.first_offsets.entry(place).or_insert(offset);
            open.inputs += 1;
        }
        self.next.insert(place, offset + 1);
        self.moved.insert(place);
        self.moved_since.get_or_insert_with(Instant::now);
    }

    /// An input that is no record was taken.
    pub(super) fn took(&mut self, partition: i32, internal: Option<Internal>) {
        if let Some(open) = &mut self.open {
            open.touched.insert(partition);
            open.inputs += 1;
            open.internal.extend(internal);
        }
    }

    /// How long the open transaction may stay open.
    pub(super) fn until_commit(&self, interval: Duration) -> Duration {
        let open = self.open.as_ref();
        open.map_or(interval, |open| interval.saturating_sub(open.begun.elapsed()))
    }

    pub(super) fn commit_is_due(&self, interval: Duration) -> bool {
        match &self.open {
            Some(open) => open.inputs >= MAX_INPUTS || open.begun.elapsed() >= interval,
            None => self.moved_since.is_some_and(|since| since.elapsed() >= IDLE_COMMIT),
        }
    }

    /// Commits the open transaction with all offsets that have moved, or aborts it if committing fails and the producer can go on.
    /// `None` if there is nothing to commit. After an error it is still open.
    pub(super) fn commit(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
    ) -> Result<Option<Ended>, WorkerError> {
        if self.open.is_none() && self.moved.is_empty() {
            return Ok(None);
        }
        self.begin()?;
        let group = consumer.group_metadata().ok_or(KafkaError::Canceled)?;
        let name = self.transaction_name();
        let offsets = self.offsets(&name)?;
        match self.producer.commit(offsets.clone(), group) {
            Ok(()) => Ok(self.committed()),
            Err(ProducerError::Abort(error)) => {
                tracing::warn!(%error, "transaction aborted, its inputs are taken again");
                self.abort()
            }
            Err(ProducerError::InDoubt(error)) => {
                tracing::warn!(%error, "transaction in doubt, the committed offsets decide");
                self.producer.abort()?;
                let found = stable_offsets(consumer, &offsets, &self.shutdown)?;
                // Any, not all: the new owner of a partition that is no longer ours may have committed since.
                if found.elements().iter().any(|element| element.metadata() == name) {
                    tracing::info!("the transaction in doubt was committed");
                    Ok(self.committed())
                } else {
                    tracing::info!("the transaction in doubt was aborted, its inputs are taken again");
                    Ok(self.aborted())
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn transaction_name(&self) -> String {
        format!("{} {}", self.name, self.count)
    }

    /// All offsets that have moved, and those of the requests in every partition that was touched.
    fn offsets(&self, name: &str) -> Result<TopicPartitionList, KafkaError> {
        let touched = self.open.iter().flat_map(|open| &open.touched);
        let touched = touched.map(|partition| (on_broker(topics::SUBSCRIPTION_REQUEST), *partition));
        let places: BTreeSet<Place> = self.moved.iter().copied().chain(touched).collect();
        let mut offsets = TopicPartitionList::new();
        for (place, next) in &self.next {
            if places.contains(place) {
                let mut element = offsets.add_partition(place.0, place.1);
                element.set_offset(Offset::Offset(*next))?;
                element.set_metadata(name);
            }
        }
        Ok(offsets)
    }

    /// Aborts the open transaction. `None` if none is open. After an error it is still open.
    pub(super) fn abort(&mut self) -> Result<Option<Ended>, WorkerError> {
        if self.open.is_some() {
            self.producer.abort()?;
        }
        Ok(self.aborted())
    }

    /// After a failure of the worker: the open transaction must not be committed by a callback that runs while the consumer closes.
    pub(super) fn abandon(&mut self) {
        self.moved.clear();
        self.moved_since = None;
        if self.open.take().is_some()
            && let Err(error) = self.producer.abort()
        {
            tracing::info!(%error, "the open transaction is left to the fencing by our successor");
        }
    }

    fn committed(&mut self) -> Option<Ended> {
        self.moved.clear();
        self.moved_since = None;
        self.open.take().map(Ended::Committed)
    }

    fn aborted(&mut self) -> Option<Ended> {
        let open = self.open.take()?;
        for (place, first) in &open.first_offsets {
            self.next.insert(*place, *first);
        }
        Some(Ended::Aborted(open))
    }
}

impl OpenTransaction {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            inputs: 0,
            first_offsets: BTreeMap::new(),
            touched: BTreeSet::new(),
            undo: Vec::new(),
            internal: Vec::new(),
            calls: Vec::new(),
            counts: Counts::default(),
            dead_letters: Vec::new(),
        }
    }
}
