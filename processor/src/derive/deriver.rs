//! Everything between a message and the commit: decode, read, derive, emit; and taking back what was not committed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use courierflow_schemas::records::{PushEvent, Shipment};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{DecodeError, Decoder};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};
use rdkafka::statistics::Statistics;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::counts::{self, Counts, publish_size};
use super::recall::Recaller;
use super::restore::stable_offsets;
use super::state::{KeyHash, Record, Resting, State};
use super::transaction::{Output, TransactionError, Transactions};
use super::worker::WorkerError;
use crate::config::DeriveSettings;
use crate::dead_letter::{self, Coordinates};
use crate::health::seconds_since;
use crate::poison::PoisonGuard;
use crate::shutdown::Shutdown;
use courierflow_domain as domain;
use courierflow_domain::{Accepted, DeriveOptions, DerivedEncoder, Effect, NewDay, PushRecord, Refusal, Step, memory};

const SEEK: Duration = Duration::from_secs(10);

/// The open transaction.
struct Open {
    begun: Instant,
    /// Where reading starts again if it is aborted.
    first_offsets: BTreeMap<i32, i64>,
    /// What is committed with it.
    next_offsets: BTreeMap<i32, i64>,
    events: usize,
    bytes: usize,
    /// Of its push events, milliseconds since 1970.
    oldest_timestamp: Option<i64>,
    counts: Counts,
    dead_letters: Vec<DeadLetter>,
    /// As it was when it began.
    guard_before: PoisonGuard,
}

/// What the log says of a record that was put aside, once that is certain: an aborted transaction is read again.
struct DeadLetter {
    partition: i32,
    offset: i64,
    class: &'static str,
    error: String,
}

impl DeadLetter {
    fn log(&self, what: &'static str) {
        let Self {
            partition,
            offset,
            class,
            error,
        } = self;
        tracing::warn!(partition, offset, class, error, "{what}");
    }
}

/// Everything between a message and the commit.
pub(super) struct Deriver {
    transactions: Transactions,
    recaller: Recaller,
    pub(super) state: State,
    open: Option<Open>,
    options: DeriveOptions,
    max_events: usize,
    max_bytes: usize,
    push_decoder: Decoder<PushEvent>,
    pub(super) shipment_decoder: Decoder<Shipment>,
    encoder: DerivedEncoder,
    guard: PoisonGuard,
    /// Assigned, not yet restored.
    pub(super) to_restore: BTreeSet<i32>,
    /// The group has spoken since we last looked.
    pub(super) assigned: bool,
    /// The group has given our partitions away without asking, since we last looked.
    pub(super) lost: bool,
    /// Aborted: to be read again from here.
    pub(super) rewind: BTreeMap<i32, i64>,
    /// A failure inside a rebalance callback, which cannot return one.
    failure: Option<WorkerError>,
    shutdown: Shutdown,
}

impl Deriver {
    pub(super) fn new(
        settings: &DeriveSettings,
        registry: &Registry,
        ids: SchemaIds,
        transactions: Transactions,
        recaller: Recaller,
        guard: PoisonGuard,
        shutdown: Shutdown,
    ) -> Result<Self, WorkerError> {
        Ok(Self {
            transactions,
            recaller,
            state: State::default(),
            open: None,
            options: DeriveOptions {
                context: settings.context,
            },
            max_events: settings.max_transaction_events,
            max_bytes: settings.max_transaction_bytes,
            push_decoder: Decoder::new(registry.clone(), ids.push)?,
            shipment_decoder: Decoder::new(registry.clone(), ids.shipment)?,
            encoder: DerivedEncoder::new(ids)?,
            guard,
            to_restore: BTreeSet::new(),
            assigned: false,
            lost: false,
            rewind: BTreeMap::new(),
            failure: None,
            shutdown,
        })
    }

    /// One push event: what it changes, and the offset behind it, go into the open transaction.
    pub(super) fn process(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let partition = message.partition();
        if !self.state.owns(partition) {
            // Fetched before the partition was taken from us; its new owner reads it.
            return Ok(());
        }
        self.begin_if_closed()?;
        let outcome = self.take(message)?;
        if let Some(open) = &mut self.open {
            open.first_offsets.entry(partition).or_insert(message.offset());
            open.next_offsets.insert(partition, message.offset() + 1);
            open.events += 1;
            open.oldest_timestamp = [open.oldest_timestamp, message.timestamp().to_millis()]
                .into_iter()
                .flatten()
                .min();
            open.counts.outcome(outcome);
            open.counts.input_bytes += message.payload_len() as u64;
        }
        Ok(())
    }

    /// Decodes a message, and does what follows from it; returns the name of the outcome.
    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<&'static str, WorkerError> {
        let event = self.push_decoder.decode(message.payload().unwrap_or_default());
        if event.as_ref().is_err_and(DecodeError::is_transient) {
            return event.map(|_| "").map_err(WorkerError::NotNow);
        }
        let push = PushRecord {
            event: event.as_ref(),
            key: message.key(),
            timestamp_millis: message.timestamp().to_millis(),
        };
        let partition = message.partition();
        let Self {
            state,
            recaller,
            shipment_decoder,
            ..
        } = self;
        let Step { new_day, effect } = domain::step(
            push,
            state.today(partition),
            |key| {
                let resting = state.get(partition, KeyHash::of(key.as_bytes()));
                resting.map(Resting::memory).transpose().map_err(WorkerError::from)
            },
            |key| recall(state, recaller, shipment_decoder, partition, key),
            self.options,
            &mut self.encoder,
        )?;
        if let Some(new_day) = new_day {
            self.forget_expired(partition, new_day)?;
        }
        match effect {
            Effect::Accepted(accepted) => self.emit(partition, &accepted),
            Effect::NoChange(reason) => {
                self.guard.good(1);
                Ok(reason.tag())
            }
            Effect::Refused(refusal) => self.dead_letter(message, &refusal),
        }
    }

    /// Produces what an accepted push changed, as the encoder holds it.
    fn emit(&mut self, partition: i32, accepted: &Accepted) -> Result<&'static str, WorkerError> {
        let Accepted {
            key,
            timestamp_millis,
            derived,
        } = accepted;
        let shipment = self.encoder.shipment();
        let hash = KeyHash::of(key.as_bytes());
        let resting = Resting::uncommitted(key.as_bytes(), self.encoder.memory(), derived.memory.expires_on())?;
        self.state.put(partition, hash, resting, shipment);
        self.transactions.produce(Output {
            topic: topics::SHIPMENT,
            partition,
            key: key.as_bytes(),
            value: Some(shipment),
            timestamp_millis: *timestamp_millis,
            headers: Some(OwnedHeaders::new_with_capacity(1).insert(Header {
                key: memory::HEADER,
                value: Some(self.encoder.memory()),
            })),
            shipment: Some(hash),
        })?;
        for transition in self.encoder.transitions() {
            self.transactions.produce(Output {
                topic: topics::TRANSITION,
                partition,
                key: derived.shipment.tracking_number.as_bytes(),
                value: Some(transition),
                timestamp_millis: *timestamp_millis,
                headers: None,
                shipment: None,
            })?;
        }
        if let Some(open) = &mut self.open {
            let bytes = self.encoder.record_bytes();
            open.bytes += bytes;
            open.counts.accepted(derived, bytes);
        }
        self.guard.good(1);
        Ok("accepted")
    }

    /// Shipments whose end of life has come by the stream's own clock leave the state and the topic.
    fn forget_expired(&mut self, partition: i32, new_day: NewDay) -> Result<(), WorkerError> {
        for (hash, resting) in self.state.advance(partition, new_day.day) {
            self.transactions.produce(Output {
                topic: topics::SHIPMENT,
                partition,
                key: resting.key()?,
                value: None,
                timestamp_millis: new_day.timestamp_millis,
                headers: None,
                shipment: None,
            })?;
            self.state.forget(partition, hash);
            if let Some(open) = &mut self.open {
                open.counts.expired += 1;
            }
        }
        Ok(())
    }

    /// Puts a record aside, in the same transaction, unless there are so many that the fault must be ours.
    fn dead_letter(&mut self, message: &BorrowedMessage<'_>, refusal: &Refusal) -> Result<&'static str, WorkerError> {
        let (class, error) = (refusal.class.as_str(), &refusal.error);
        let timestamp = message.timestamp().to_millis();
        let found_at = Coordinates {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp,
        };
        let letter = DeadLetter {
            partition: found_at.partition,
            offset: found_at.offset,
            class,
            error: error.clone(),
        };
        let judged = if refusal.class.may_be_our_fault() {
            self.guard.poison()
        } else {
            Ok(())
        };
        if let Err(reason) = judged {
            // They are not put aside after all: these lines are all that leads to them.
            let put_aside = self.open.iter().flat_map(|open| &open.dead_letters);
            for letter in put_aside.chain([&letter]) {
                letter.log("cannot be derived");
            }
            self.abort()?;
            let reason = format!("{reason}; last: {class}: {error} ({found_at})");
            return Err(WorkerError::Poisoned(reason));
        }
        let mut headers = OwnedHeaders::new();
        for (key, value) in dead_letter::headers(&found_at, class, &error) {
            headers = headers.insert(Header {
                key,
                value: Some(&value),
            });
        }
        self.transactions.produce(Output {
            topic: topics::DERIVE_DEAD,
            partition: message.partition(),
            key: message.key().unwrap_or_default(),
            value: message.payload(),
            timestamp_millis: timestamp.unwrap_or_default(),
            headers: Some(headers),
            shipment: None,
        })?;
        if let Some(open) = &mut self.open {
            *open.counts.dead_letters.entry(class).or_default() += 1;
            open.dead_letters.push(letter);
        }
        Ok("dead_lettered")
    }

    fn begin_if_closed(&mut self) -> Result<(), WorkerError> {
        if self.open.is_none() {
            self.transactions.begin()?;
            self.open = Some(Open {
                begun: Instant::now(),
                first_offsets: BTreeMap::new(),
                next_offsets: BTreeMap::new(),
                events: 0,
                bytes: 0,
                oldest_timestamp: None,
                counts: Counts::default(),
                dead_letters: Vec::new(),
                guard_before: self.guard.clone(),
            });
        }
        Ok(())
    }

    /// Push events that are not committed, by what the consumer says of their topic.
    pub(super) fn lag(&self, statistics: &Statistics) -> i64 {
        counts::lag(statistics, &self.state.committed_offsets())
    }

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

    /// Commits what is open; if that fails in a way that can be repaired, takes it back.
    pub(super) fn commit(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<(), WorkerError> {
        let Some(open) = &self.open else { return Ok(()) };
        let group = consumer.group_metadata().ok_or(KafkaError::Canceled)?;
        let mut offsets = TopicPartitionList::new();
        for (&partition, &offset) in &open.next_offsets {
            offsets.add_partition_offset(topics::PUSH, partition, Offset::Offset(offset))?;
        }
        let begun = Instant::now();
        let result = self.transactions.commit(&offsets, &group);
        let outcome = if result.is_ok() { "committed" } else { "failed" };
        metrics::histogram!("courierflow_derive_commit_seconds", "outcome" => outcome)
            .record(begun.elapsed().as_secs_f64());
        match result {
            Ok(()) => {
                self.committed();
                Ok(())
            }
            Err(TransactionError::Abort(error)) => {
                tracing::warn!(%error, "transaction aborted, its push events are read again");
                self.abort()
            }
            Err(TransactionError::InDoubt(error)) => {
                tracing::warn!(%error, "transaction in doubt, the committed offsets decide");
                self.resolve(consumer)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn committed(&mut self) {
        if let Some(open) = self.open.take() {
            self.state
                .commit(self.transactions.stored_shipments(), &open.next_offsets);
            open.counts.publish();
            for letter in &open.dead_letters {
                letter.log("dead-lettered");
            }
            if let Some(oldest) = open.oldest_timestamp {
                metrics::histogram!("courierflow_derive_record_age_seconds").record(seconds_since(oldest));
            }
        }
        publish_size(&self.state);
    }

    /// Ends a transaction of which we do not know whether the broker committed it before it stopped answering. Deriving
    /// its push events again would show everything twice; its offsets, which are part of it, tell.
    fn resolve(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<(), WorkerError> {
        self.transactions.abort()?;
        let Some(open) = &self.open else { return Ok(()) };
        let partitions: Vec<i32> = open.next_offsets.keys().copied().collect();
        let offsets = stable_offsets(consumer, &partitions, &self.shutdown)?;
        // All, not any: a partition that is no longer ours may have been taken further by its new owner.
        let found = |partition: &i32| offsets.get(partition).copied().flatten();
        let is_committed = open
            .next_offsets
            .iter()
            .all(|(partition, next)| found(partition) >= Some(*next));
        if is_committed {
            tracing::info!("the transaction in doubt was committed");
            self.committed();
        } else {
            tracing::info!("the transaction in doubt was aborted, its push events are read again");
            self.take_back();
        }
        Ok(())
    }

    /// Takes back what is open: nothing of it is seen by anyone, and its push events are read again.
    pub(super) fn abort(&mut self) -> Result<(), WorkerError> {
        if self.open.is_some() {
            self.transactions.abort()?;
            self.take_back();
        }
        Ok(())
    }

    fn take_back(&mut self) {
        if let Some(open) = self.open.take() {
            self.state.roll_back();
            self.guard = open.guard_before;
            self.rewind.extend(open.first_offsets);
            metrics::counter!("courierflow_derive_aborts_total").increment(1);
        }
    }

    /// The worker has failed: what is open must never be committed, whatever the consumer calls back while it closes.
    pub(super) fn disown(&mut self) {
        if self.open.take().is_some()
            && let Err(error) = self.transactions.abort()
        {
            tracing::info!(%error, "the open transaction is left to the fencing by our successor");
        }
        self.state.roll_back();
    }

    /// Before partitions are taken from us: what is open is committed, or, when it is too late for that, aborted. The group
    /// takes all at every rebalance, to give most of them back: their state is kept until then.
    pub(super) fn give_up(&mut self, consumer: &BaseConsumer<impl ConsumerContext>, partitions: &[i32]) {
        let lost = consumer.assignment_lost();
        let result = if lost {
            self.lost = true;
            self.abort()
        } else {
            self.commit(consumer)
        };
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
        for partition in partitions {
            if lost {
                self.state.remove_partition(*partition);
            } else {
                self.state.set_aside(*partition);
            }
            self.to_restore.remove(partition);
            self.rewind.remove(partition);
        }
        tracing::info!(?partitions, lost, "partitions given up");
    }

    /// What callbacks and aborts left to do: raises their failure, goes back to where reading starts again.
    pub(super) fn settle(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<(), WorkerError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        for (partition, offset) in std::mem::take(&mut self.rewind) {
            consumer.seek(topics::PUSH, partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }
}

/// The last record of a shipment that is remembered.
fn recall(
    state: &State,
    recaller: &Recaller,
    decoder: &mut Decoder<Shipment>,
    partition: i32,
    key: &str,
) -> Result<Shipment, WorkerError> {
    metrics::counter!("courierflow_derive_recalls_total").increment(1);
    let value = match state.record(partition, KeyHash::of(key.as_bytes())) {
        Some(Record::Uncommitted(value)) => Cow::Borrowed(value),
        Some(Record::At(offset)) => Cow::Owned(recaller.read(partition, offset)?),
        None => return Err(WorkerError::Corrupted(partition)),
    };
    decoder.decode(&value).map_err(|error| {
        if error.is_transient() {
            WorkerError::NotNow(error)
        } else {
            WorkerError::Corrupted(partition)
        }
    })
}
