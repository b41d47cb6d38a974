//! From a message to the open transaction: decode it, derive, produce the results.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use courierflow_domain as domain;
use courierflow_domain::{Accepted, DeriveOptions, DerivedEncoder, Effect, NewDay, PushRecord, Refusal, Step, memory};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Shipment};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{DecodeError, Decoder};
use courierflow_service::traces;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};
use rdkafka::statistics::Statistics;

use super::by_account::{AccountLabels, Outcome};
use super::counts::{self, publish_size};
use super::error::WorkerError;
use super::open_transaction::{DeadLettered, Ended, OpenTransaction, Transactions};
use super::record_reader::RecordReader;
use super::state_budget::Share;
use super::state_entry::{KeyHash, StateEntry, StoredShipment};
use super::state_store::{LastRecord, StateStore};
use crate::config::Config;
use crate::dead_letter::{self, Coordinates};
use crate::exactly_once::producer::Output;
use crate::health::seconds_since;
use crate::poison::PoisonGuard;

/// Processes push events one after the other. Its state store and the open transaction are committed and rolled back together.
pub(super) struct Deriver {
    transactions: Transactions,
    record_reader: RecordReader,
    pub(super) store: StateStore,
    carriers: &'static Carriers,
    options: DeriveOptions,
    push_decoder: Decoder<PushEvent>,
    pub(super) shipment_decoder: Decoder<Shipment>,
    encoder: DerivedEncoder,
    guard: PoisonGuard,
    account_labels: AccountLabels,
    share: Share,
    /// By partition, the offset from which to read again after an abort.
    rewind: BTreeMap<i32, i64>,
    /// Timestamp of the oldest push event of the last commit, in milliseconds since 1970.
    committed_up_to: Option<i64>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Processed {
    /// It is in the open transaction.
    Done,
    /// The open transaction is full, and has a part of what it does: commit, then process it again.
    InPart,
    /// The state is full and its parcel is new: it has to be read again when there is room.
    Waiting,
}

/// The same with the outcome.
enum Taken {
    Entirely(Outcome),
    InPart,
    Not,
}

impl Deriver {
    pub(super) fn new(
        config: &Config,
        registry: &Registry,
        ids: SchemaIds,
        transactions: Transactions,
        record_reader: RecordReader,
        guard: PoisonGuard,
        share: Share,
    ) -> Result<Self, WorkerError> {
        Ok(Self {
            transactions,
            record_reader,
            store: StateStore::default(),
            carriers: config.carriers,
            options: config.derive.options()?,
            push_decoder: Decoder::new(registry.clone(), ids.push),
            shipment_decoder: Decoder::new(registry.clone(), ids.shipment),
            encoder: DerivedEncoder::new(ids),
            guard,
            account_labels: AccountLabels::default(),
            share,
            rewind: BTreeMap::new(),
            committed_up_to: None,
        })
    }

    /// Processes one push event: its results and the next offset go into the open transaction.
    pub(super) fn process(&mut self, message: &BorrowedMessage<'_>) -> Result<Processed, WorkerError> {
        let partition = message.partition();
        if !self.store.owns(partition) {
            // Fetched before the partition was revoked; the new owner reads it.
            return Ok(Processed::Done);
        }
        let event = match self.push_decoder.decode(message.payload().unwrap_or_default()) {
            Err(error) if error.is_transient() => return Err(WorkerError::NotNow(error)),
            event => event,
        };
        let step = traces::Step::of_record("derive", message);
        let taken = traces::run(step.as_ref(), || self.take(message, event.as_ref()));
        if let Some(step) = step.as_ref().filter(|_| !matches!(taken, Ok(Taken::Entirely(_)))) {
            step.failed("read again");
        }
        let outcome = match taken? {
            Taken::Entirely(outcome) => outcome,
            Taken::InPart => return Ok(Processed::InPart),
            Taken::Not => return Ok(Processed::Waiting),
        };
        if let Some(open) = self.transactions.open() {
            open.add_event(partition, message.offset(), message.timestamp().to_millis());
            open.counts.outcome(event.as_ref().ok(), outcome);
            open.counts.input_bytes += message.payload_len() as u64;
            open.steps.extend(step);
        }
        Ok(Processed::Done)
    }

    /// Applies the step derived from a message, which was decoded before.
    fn take(
        &mut self,
        message: &BorrowedMessage<'_>,
        event: Result<&PushEvent, &DecodeError>,
    ) -> Result<Taken, WorkerError> {
        let push = PushRecord {
            event,
            key: message.key(),
            timestamp_millis: message.timestamp().to_millis(),
        };
        let partition = message.partition();
        let Self {
            store,
            record_reader,
            shipment_decoder,
            ..
        } = self;
        let Step { new_day, effect } = domain::step(
            push,
            store.today(partition),
            |key| {
                let entry = store.get(partition, KeyHash::of(key.as_bytes()));
                entry.map(StateEntry::memory).transpose().map_err(WorkerError::from)
            },
            |key| recall(store, record_reader, shipment_decoder, partition, key),
            self.carriers,
            self.options,
            &mut self.encoder,
        )?;
        if let Some(new_day) = new_day
            && !self.forget_expired(partition, message.offset(), new_day)?
        {
            return Ok(Taken::InPart);
        }
        if let Effect::Accepted(accepted) = &effect
            && self.share.is_full()
            && self
                .store
                .get(partition, KeyHash::of(accepted.key.as_bytes()))
                .is_none()
        {
            return Ok(Taken::Not);
        }
        self.transactions.begin(&self.guard)?;
        let outcome = match effect {
            Effect::Accepted(accepted) => self.emit(partition, &accepted)?,
            Effect::NoChange(reason) => {
                self.guard.good(1);
                Outcome::of(reason.tag())
            }
            Effect::Refused(refusal) => {
                let is_suspicious = refusal.may_be_our_fault(event.ok());
                self.dead_letter(message, &refusal, is_suspicious)?
            }
        };
        Ok(Taken::Entirely(outcome))
    }

    /// Produces the records of an accepted push, which the encoder has encoded.
    fn emit(&mut self, partition: i32, accepted: &Accepted) -> Result<Outcome, WorkerError> {
        let Accepted {
            key,
            timestamp_millis,
            derived,
            is_unmapped_carrier,
        } = accepted;
        let shipment = self.encoder.shipment();
        let hash = KeyHash::of(key.as_bytes());
        let entry = StateEntry::uncommitted(key.as_bytes(), self.encoder.memory(), derived.memory.expires_on())?;
        self.store.put(partition, hash, entry, shipment);
        self.transactions.produce(Output {
            topic: topics::SHIPMENT,
            partition,
            key: key.as_bytes(),
            value: Some(shipment),
            timestamp_millis: *timestamp_millis,
            headers: traces::with_header(Some(OwnedHeaders::new_with_capacity(1).insert(Header {
                key: memory::HEADER,
                value: Some(self.encoder.memory()),
            }))),
            told_back: Some(hash),
        })?;
        for transition in self.encoder.transitions() {
            self.transactions.produce(Output {
                topic: topics::TRANSITION,
                partition,
                key: derived.shipment.tracking_number.as_bytes(),
                value: Some(transition),
                timestamp_millis: *timestamp_millis,
                headers: traces::with_header(None),
                told_back: None,
            })?;
        }
        if let Some(open) = self.transactions.open() {
            let bytes = self.encoder.record_bytes();
            open.add_bytes(bytes);
            open.add_shipment(partition);
            open.counts.accepted(derived, bytes);
            if *is_unmapped_carrier {
                open.counts.unmapped_carrier(derived.shipment.vendor);
            }
        }
        self.guard.good(1);
        Ok(Outcome::of("accepted"))
    }

    /// Removes the shipments that expire on `new_day` of the stream: from the state, and by a tombstone from the topic. The push
    /// event at `offset` begins that day. False if they are more than the transaction may hold: commit it, and come again with the
    /// same push event. Until all are gone the stream stays on its day, as it does for a successor after a crash.
    fn forget_expired(&mut self, partition: i32, offset: i64, new_day: NewDay) -> Result<bool, WorkerError> {
        let (expired, are_all) = self.store.expired(partition, new_day.day, self.transactions.room());
        if !expired.is_empty() {
            self.transactions.begin(&self.guard)?;
        }
        for (hash, entry) in &expired {
            self.transactions.produce(Output {
                topic: topics::SHIPMENT,
                partition,
                key: entry.key()?,
                value: None,
                timestamp_millis: new_day.timestamp_millis,
                headers: None,
                told_back: None,
            })?;
            self.store.forget(partition, *hash);
        }
        if let Some(open) = self.transactions.open()
            && !expired.is_empty()
        {
            let mut progress = self.store.progress_at(partition, offset);
            progress.expired += expired.len() as u64;
            open.add_expired(partition, progress, expired.len());
        }
        if are_all {
            self.store.advance(partition, new_day.day);
        }
        Ok(are_all)
    }

    /// Dead-letters a record in the same transaction, unless there are so many suspicious ones that our code is more likely at
    /// fault.
    fn dead_letter(
        &mut self,
        message: &BorrowedMessage<'_>,
        refusal: &Refusal,
        is_suspicious: bool,
    ) -> Result<Outcome, WorkerError> {
        let class = refusal.class.as_str();
        let timestamp = message.timestamp().to_millis();
        let found_at = Coordinates {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp,
        };
        let dead_lettered = DeadLettered {
            partition: found_at.partition,
            offset: found_at.offset,
            class,
            error: dead_letter::told(&refusal.error),
            step: traces::Step::current(),
        };
        if is_suspicious && let Err(reason) = self.guard.poison(message.key()) {
            // The transaction is not committed, so these records stay on the push topic. The log lines are the only
            // way to find them.
            let of_transaction = self.transactions.open().into_iter().flat_map(|open| &open.dead_letters);
            for refused in of_transaction.chain([&dead_lettered]) {
                refused.log("cannot be derived");
            }
            self.abort()?;
            let reason = format!("{reason}; last: {class}: {} ({found_at})", dead_lettered.error);
            return Err(WorkerError::Poisoned(reason));
        }
        let mut headers = OwnedHeaders::new();
        for (key, value) in dead_letter::headers(&found_at, class, &refusal.error) {
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
            headers: traces::with_header(Some(headers)),
            told_back: None,
        })?;
        if let Some(open) = self.transactions.open() {
            *open.counts.dead_letters.entry(class).or_default() += 1;
            open.dead_letters.push(dead_lettered);
        }
        Ok(Outcome::dead_lettered(class))
    }

    /// Number of push events that are not committed, from the consumer's statistics of their topic.
    pub(super) fn lag(&self, statistics: &Statistics) -> i64 {
        counts::lag(statistics, &self.store.committed_offsets())
    }

    /// Age of what was committed last; `None` before the first commit.
    pub(super) fn seconds_behind(&self) -> Option<f64> {
        self.committed_up_to.map(seconds_since)
    }

    /// How long the open transaction may stay open.
    pub(super) fn until_commit(&self, interval: Duration) -> Duration {
        self.transactions.until_commit(interval)
    }

    pub(super) fn commit_is_due(&self, interval: Duration) -> bool {
        self.transactions.commit_is_due(interval)
    }

    /// Commits the open transaction, or rolls it back if committing fails and the producer can go on.
    /// False if it was rolled back.
    pub(super) fn commit(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<bool, WorkerError> {
        if let Some(open) = self.transactions.open() {
            open.note_ends(|partition| self.store.end(partition));
        }
        match self.transactions.commit(consumer)? {
            Some(Ended::Committed(open, stored)) => self.committed(&open, stored),
            Some(Ended::Aborted(open)) => {
                self.roll_back(open);
                return Ok(false);
            }
            None => {}
        }
        Ok(true)
    }

    /// Rolls the open transaction back: consumers see nothing of it, and its push events are read again.
    pub(super) fn abort(&mut self) -> Result<(), WorkerError> {
        if let Some(Ended::Aborted(open)) = self.transactions.abort()? {
            self.roll_back(open);
        }
        Ok(())
    }

    fn committed(&mut self, open: &OpenTransaction, stored: Vec<StoredShipment>) {
        self.store.commit(stored, &open.progress);
        open.counts.publish(&mut self.account_labels);
        for dead_lettered in &open.dead_letters {
            dead_lettered.log("dead-lettered");
        }
        if let Some(oldest) = open.oldest_timestamp {
            self.committed_up_to = Some(oldest);
            metrics::histogram!("courierflow_derive_record_age_seconds").record(seconds_since(oldest));
        }
        self.measure();
    }

    /// Publishes the size of the state.
    pub(super) fn measure(&mut self) {
        let size = self.store.size();
        self.share.set(size.1);
        publish_size(size);
    }

    /// What an operator should read if the state is full: then pushes of new parcels wait.
    pub(super) fn fullness(&self) -> Option<String> {
        self.share.is_full().then(|| self.share.describe())
    }

    fn roll_back(&mut self, open: OpenTransaction) {
        self.store.roll_back();
        self.guard = open.guard_before;
        open.steps.iter().for_each(|step| step.failed("rolled back"));
        self.rewind.extend(open.first_offsets);
        metrics::counter!("courierflow_derive_aborts_total").increment(1);
    }

    /// Arranges that a record which could not be processed is read again, with everything before it in the open
    /// transaction.
    pub(super) fn read_again(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        self.abort()?;
        self.rewind.entry(message.partition()).or_insert(message.offset());
        Ok(())
    }

    /// Takes the offsets from which partitions must be read again.
    pub(super) fn take_rewind(&mut self) -> BTreeMap<i32, i64> {
        std::mem::take(&mut self.rewind)
    }

    /// After a failure of the worker: the open transaction must not be committed by a callback that runs while the
    /// consumer closes.
    pub(super) fn abandon(&mut self) {
        self.transactions.abandon();
        self.store.roll_back();
    }

    /// Handles revoked partitions. The open transaction is committed, or aborted if they are `lost` and it is too late to
    /// commit. A rebalance revokes all partitions and assigns most of them again, so their state is parked meanwhile.
    pub(super) fn revoke(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        partitions: &[i32],
        lost: bool,
    ) -> Result<(), WorkerError> {
        let ended = if lost {
            self.abort()
        } else {
            self.commit(consumer).map(|_| ())
        };
        for partition in partitions {
            if lost {
                self.store.remove_partition(*partition);
            } else {
                self.store.park(*partition);
            }
            self.rewind.remove(partition);
        }
        tracing::info!(?partitions, lost, "partitions given up");
        ended
    }
}

/// Reads the last record of a shipment back.
fn recall(
    store: &StateStore,
    record_reader: &RecordReader,
    decoder: &mut Decoder<Shipment>,
    partition: i32,
    key: &str,
) -> Result<Shipment, WorkerError> {
    metrics::counter!("courierflow_derive_recalls_total").increment(1);
    let value = match store.last_record(partition, KeyHash::of(key.as_bytes())) {
        Some(LastRecord::Uncommitted(value)) => Cow::Borrowed(value),
        Some(LastRecord::At(offset)) => Cow::Owned(record_reader.read(partition, offset)?),
        None => return Err(WorkerError::Corrupted(partition)),
    };
    decode_recalled(decoder, partition, &value)
}

/// A record of ours that cannot be decoded is corrupted state, but not if only the registry is away.
fn decode_recalled(decoder: &mut Decoder<Shipment>, partition: i32, value: &[u8]) -> Result<Shipment, WorkerError> {
    decoder.decode(value).map_err(|error| {
        if error.is_transient() {
            WorkerError::NotNow(error)
        } else {
            WorkerError::Corrupted(partition)
        }
    })
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::settings::RegistrySettings;

    use super::*;

    #[test]
    fn while_the_registry_is_away_a_recalled_record_waits_and_junk_is_corrupted_state() {
        let registry = Registry::new(&RegistrySettings {
            url: "http://127.0.0.1:9".to_owned(),
            ..RegistrySettings::default()
        });
        let mut decoder = Decoder::new(registry, 7);
        let of_another_schema = decode_recalled(&mut decoder, 3, &[0, 0, 0, 0, 8, 1]);
        assert!(
            matches!(of_another_schema, Err(WorkerError::NotNow(_))),
            "{of_another_schema:?}"
        );
        let junk = decode_recalled(&mut decoder, 3, b"junk");
        assert!(matches!(junk, Err(WorkerError::Corrupted(3))), "{junk:?}");
    }
}
