//! The loop of a worker: poll, derive, produce, commit.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use courierflow_schemas::records::{PushEvent, Shipment, TimestampMicros, Transition};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{DecodeError, Decoder, EncodeError, Encoder};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};

use super::restore::{RestoreError, Restorer};
use super::state::{KeyHash, Resting, State};
use super::transaction::{Output, TransactionError, Transactions};
use crate::config::{Config, DeriveSettings};
use crate::dead_letter::{self, Coordinates};
use crate::domain::{self, DeriveOptions, Derived, Outcome, ShipmentKey};
use crate::health::Health;
use crate::poison::PoisonGuard;
use crate::shutdown::Shutdown;
use crate::vendor::{self, Reading};

const SEEK: Duration = Duration::from_secs(10);
/// How long a member may go without polling; a restore of millions of shipments takes its time.
const MAX_POLL_INTERVAL: Duration = Duration::from_mins(5);
/// What one push event may turn into; room is left for keys and batch headers.
const MAX_OUTPUT_BYTES: usize = topics::MAX_RECORD_BYTES as usize - 64 * 1024;
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
    #[error("state of partition {0} cannot be read back: memory is corrupted")]
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
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, message),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "librdkafka", facility, message);
            }
        }
    }

    /// Every thread of the client reports a lost broker, again and again; its log has said it once.
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "consumer");
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        // What was handed to us: offsets are committed by the producer, so the consumer does not know of commits.
        // -1: the partition is not ours, or nothing is known yet.
        let lag: i64 = partitions.map(|partition| partition.consumer_lag_stored.max(0)).sum();
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
        for (name, value) in config.kafka.client_properties() {
            client.set(name, value);
        }
        client.set("client.id", format!("courierflow-{slot}"));
        let transactions = Transactions::new(&client, &config.derive, slot, shutdown.clone())?;
        let restorer = Restorer::new(&client, ids.shipment)?;
        let deriver = Deriver::new(&config.derive, registry, ids, transactions)?;
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
        if deriver.to_restore.is_empty() {
            // More workers than partitions: this one stands by.
            self.health.ready(&self.part);
            return Ok(());
        }
        // What is open must not time out while we read.
        deriver.commit(&self.consumer)?;
        deriver.settle(&self.consumer)?;
        let partitions: Vec<i32> = std::mem::take(&mut deriver.to_restore).into_iter().collect();
        self.health
            .not_ready(&self.part, format!("restoring partitions {partitions:?}"));
        let begun = Instant::now();
        let Deriver {
            shipment_decoder,
            shipment_encoder,
            ..
        } = deriver;
        let restored = self.restorer.restore(
            &self.consumer,
            &partitions,
            shipment_decoder,
            shipment_encoder,
            &self.shutdown,
        );
        for (number, partition) in restored? {
            deriver.state.insert_partition(number, partition);
        }
        let seconds = begun.elapsed().as_secs_f64();
        let (shipments, bytes) = deriver.state.size();
        tracing::info!(?partitions, seconds, shipments, bytes, "restored");
        metrics::histogram!("courierflow_derive_restore_seconds").record(seconds);
        self.health.ready(&self.part);
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
    // The new group protocol does not let a static member come back after kill -9 before its session ends.
    client
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "cooperative-sticky");
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
}

/// What a transaction did; added to the metrics when it is committed, so that nothing is counted twice.
#[derive(Default)]
struct Counts {
    outcomes: BTreeMap<&'static str, u64>,
    /// By error class.
    dead_letters: BTreeMap<&'static str, u64>,
    input_bytes: u64,
    output_bytes: u64,
    transitions: u64,
    retractions: u64,
    rewrites: u64,
    unknown_codes: u64,
    expired: u64,
}

impl Counts {
    fn outcome(&mut self, name: &'static str) {
        *self.outcomes.entry(name).or_default() += 1;
    }

    fn publish(&self) {
        for (outcome, count) in &self.outcomes {
            metrics::counter!("courierflow_derive_push_events_total", "outcome" => *outcome).increment(*count);
        }
        for (class, count) in &self.dead_letters {
            metrics::counter!("courierflow_derive_dead_letters_total", "reason" => *class).increment(*count);
        }
        metrics::counter!("courierflow_derive_input_bytes_total").increment(self.input_bytes);
        metrics::counter!("courierflow_derive_output_bytes_total").increment(self.output_bytes);
        metrics::counter!("courierflow_derive_rewrites_total").increment(self.rewrites);
        metrics::counter!("courierflow_derive_transitions_total").increment(self.transitions);
        metrics::counter!("courierflow_derive_retractions_total").increment(self.retractions);
        metrics::counter!("courierflow_derive_unknown_codes_total").increment(self.unknown_codes);
        metrics::counter!("courierflow_derive_expired_shipments_total").increment(self.expired);
    }
}

#[allow(clippy::cast_precision_loss, reason = "no worker holds 2^53 shipments or bytes")]
fn publish_size(state: &State) {
    let (shipments, bytes) = state.size();
    let worker = worker_name();
    metrics::gauge!("courierflow_derive_shipments", "worker" => worker.clone()).set(shipments as f64);
    metrics::gauge!("courierflow_derive_state_bytes", "worker" => worker).set(bytes as f64);
}

/// Age of a push event, whose timestamp is its receipt. For a metric only: nothing that is derived depends on the clock.
fn seconds_since(timestamp_millis: i64) -> f64 {
    let then = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(timestamp_millis).unwrap_or(0));
    let age = SystemTime::now().duration_since(then);
    age.map_or(0.0, |age| age.as_secs_f64())
}

/// Everything between a message and the commit.
struct Deriver {
    transactions: Transactions,
    state: State,
    open: Option<Open>,
    options: DeriveOptions,
    max_events: usize,
    max_bytes: usize,
    push_decoder: Decoder<PushEvent>,
    shipment_decoder: Decoder<Shipment>,
    shipment_encoder: Encoder<Shipment>,
    transition_encoder: Encoder<Transition>,
    /// Reused for every record.
    buffer: Vec<u8>,
    guard: PoisonGuard,
    /// Assigned, not yet restored.
    to_restore: BTreeSet<i32>,
    /// The group has spoken since we last looked.
    assigned: bool,
    /// The group has given our partitions away without asking, since we last looked.
    lost: bool,
    /// Aborted: to be read again from here.
    rewind: BTreeMap<i32, i64>,
    /// A failure inside a rebalance callback, which cannot return one.
    failure: Option<WorkerError>,
}

impl Deriver {
    fn new(
        settings: &DeriveSettings,
        registry: &Registry,
        ids: SchemaIds,
        transactions: Transactions,
    ) -> Result<Self, WorkerError> {
        Ok(Self {
            transactions,
            state: State::default(),
            open: None,
            options: DeriveOptions {
                context: settings.context,
            },
            max_events: settings.max_transaction_events,
            max_bytes: settings.max_transaction_bytes,
            push_decoder: Decoder::new(registry.clone(), ids.push)?,
            shipment_decoder: Decoder::new(registry.clone(), ids.shipment)?,
            shipment_encoder: Encoder::new(ids.shipment)?,
            transition_encoder: Encoder::new(ids.transition)?,
            buffer: Vec::new(),
            guard: PoisonGuard::default(),
            to_restore: BTreeSet::new(),
            assigned: false,
            lost: false,
            rewind: BTreeMap::new(),
            failure: None,
        })
    }

    /// One push event: what it changes, and the offset behind it, go into the open transaction.
    fn process(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
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

    /// Decode, read, derive, emit; returns the name of the outcome.
    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<&'static str, WorkerError> {
        let event = match self.push_decoder.decode(message.payload().unwrap_or_default()) {
            Ok(event) => event,
            Err(error) if error.is_transient() => return Err(WorkerError::NotNow(error)),
            Err(error) => return self.dead_letter(message, "undecodable", &error.to_string()),
        };
        if message.key() != Some(event.tracking_number.as_bytes()) {
            // It may lie on a partition where the parcel's other records are not.
            let error = format!("the key is not the tracking number {:?}", event.tracking_number);
            return self.dead_letter(message, "key_mismatch", &error);
        }
        self.forget_expired(message.partition(), event.received_at)?;
        // A panic in the pure core is a bug, but one parcel's: it must neither stop the stream nor be lost.
        let snapshot = match catch_unwind(|| vendor::read(&event)) {
            Ok(Ok(Reading::Snapshot(snapshot))) => snapshot,
            Ok(Ok(Reading::Nothing(reason))) => {
                self.guard.good(1);
                return Ok(reason.tag());
            }
            Ok(Err(error)) => return self.dead_letter(message, error.tag(), &error.to_string()),
            Err(_) => return self.dead_letter(message, "panic", "reading the payload panicked"),
        };
        let key = snapshot.key().to_string();
        let previous = self.previous(message.partition(), key.as_bytes())?;
        let derived = catch_unwind(AssertUnwindSafe(|| {
            domain::derive(previous.as_ref(), &snapshot, &self.options)
        }));
        let outcome = match derived {
            Ok(Outcome::Duplicate) => "duplicate",
            Ok(Outcome::Stale) => "stale",
            Ok(Outcome::Accepted(derived)) => return self.emit(message, key.as_bytes(), &derived),
            Err(_) => return self.dead_letter(message, "panic", "deriving panicked"),
        };
        self.guard.good(1);
        Ok(outcome)
    }

    fn previous(&mut self, partition: i32, key: &[u8]) -> Result<Option<Shipment>, WorkerError> {
        let Some(resting) = self.state.get(partition, KeyHash::of(key)) else {
            return Ok(None);
        };
        let value = resting.value().ok_or(WorkerError::Corrupted(partition))?;
        let shipment = self
            .shipment_decoder
            .decode(&value)
            .map_err(|_| WorkerError::Corrupted(partition))?;
        Ok(Some(shipment))
    }

    /// Produces what an accepted push changed. All of it is encoded before any of it is produced: half of it must never
    /// be in a transaction.
    fn emit(
        &mut self,
        message: &BorrowedMessage<'_>,
        key: &[u8],
        derived: &Derived,
    ) -> Result<&'static str, WorkerError> {
        let Derived {
            shipment,
            transitions,
            counts,
        } = derived;
        self.buffer.clear();
        let mut ends = Vec::with_capacity(transitions.len() + 1);
        let mut encoded = self.shipment_encoder.encode(shipment, &mut self.buffer);
        ends.push(self.buffer.len());
        for transition in transitions {
            encoded = encoded.and_then(|()| self.transition_encoder.encode(transition, &mut self.buffer));
            ends.push(self.buffer.len());
        }
        if let Err(error) = encoded {
            return self.dead_letter(message, "unencodable", &error.to_string());
        }
        if self.buffer.len() > MAX_OUTPUT_BYTES {
            return self.dead_letter(
                message,
                "too_large",
                &format!("{} bytes of derived records", self.buffer.len()),
            );
        }

        let partition = message.partition();
        let timestamp_millis = shipment.received_at.0.div_euclid(1_000);
        let mut start = 0;
        for (number, end) in ends.into_iter().enumerate() {
            let value = self.buffer.get(start..end).unwrap_or_default();
            start = end;
            let (topic, key) = if number == 0 {
                self.state
                    .put(partition, KeyHash::of(key), Some(Resting::of(value, shipment)));
                (topics::SHIPMENT, key)
            } else {
                (topics::TRANSITION, shipment.tracking_number.as_bytes())
            };
            let output = Output {
                topic,
                partition,
                key,
                value: Some(value),
                timestamp_millis,
                headers: None,
            };
            self.transactions.produce(&output)?;
        }
        if let Some(open) = &mut self.open {
            open.bytes += self.buffer.len();
            open.counts.output_bytes += self.buffer.len() as u64;
            open.counts.rewrites += u64::from(counts.rewrites);
            open.counts.transitions += transitions.len() as u64;
            open.counts.retractions += u64::from(counts.retracted_transitions);
            open.counts.unknown_codes += u64::from(counts.unknown_codes);
        }
        self.guard.good(1);
        Ok("accepted")
    }

    /// Shipments whose end of life has come by the stream's own clock leave the state and the topic.
    fn forget_expired(&mut self, partition: i32, received_at: TimestampMicros) -> Result<(), WorkerError> {
        for (hash, resting) in self.state.advance(partition, received_at) {
            let value = resting.value().ok_or(WorkerError::Corrupted(partition))?;
            let shipment = self
                .shipment_decoder
                .decode(&value)
                .map_err(|_| WorkerError::Corrupted(partition))?;
            let Shipment {
                vendor,
                carrier,
                tracking_number,
                ..
            } = shipment;
            let key = ShipmentKey {
                vendor,
                carrier,
                tracking_number,
            }
            .to_string();
            self.transactions.produce(&Output {
                topic: topics::SHIPMENT,
                partition,
                key: key.as_bytes(),
                value: None,
                timestamp_millis: received_at.0.div_euclid(1_000),
                headers: None,
            })?;
            self.state.put(partition, hash, None);
            if let Some(open) = &mut self.open {
                open.counts.expired += 1;
            }
        }
        Ok(())
    }

    /// Puts a record aside, in the same transaction, unless there are so many that the fault must be ours.
    fn dead_letter(
        &mut self,
        message: &BorrowedMessage<'_>,
        class: &'static str,
        error: &str,
    ) -> Result<&'static str, WorkerError> {
        if let Err(reason) = self.guard.poison() {
            self.abort()?;
            return Err(WorkerError::Poisoned(format!("{reason}; last: {class}: {error}")));
        }
        let timestamp = message.timestamp().to_millis();
        let found_at = Coordinates {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp,
        };
        tracing::warn!(
            partition = found_at.partition,
            offset = found_at.offset,
            class,
            error,
            "dead-lettered"
        );
        let mut headers = OwnedHeaders::new();
        for (key, value) in dead_letter::headers(&found_at, class, &error) {
            headers = headers.insert(Header {
                key,
                value: Some(&value),
            });
        }
        self.transactions.produce(&Output {
            topic: topics::DERIVE_DEAD,
            partition: message.partition(),
            key: message.key().unwrap_or_default(),
            value: message.payload(),
            timestamp_millis: timestamp.unwrap_or_default(),
            headers: Some(headers),
        })?;
        if let Some(open) = &mut self.open {
            *open.counts.dead_letters.entry(class).or_default() += 1;
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
            });
        }
        Ok(())
    }

    fn until_commit(&self, interval: Duration) -> Duration {
        self.open
            .as_ref()
            .map_or(interval, |open| interval.saturating_sub(open.begun.elapsed()))
    }

    fn commit_is_due(&self, interval: Duration) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.events >= self.max_events || open.bytes >= self.max_bytes || open.begun.elapsed() >= interval
        })
    }

    /// Commits what is open; if that fails in a way that can be repaired, takes it back.
    fn commit(&mut self, consumer: &BaseConsumer<Member>) -> Result<(), WorkerError> {
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
                if let Some(open) = self.open.take() {
                    open.counts.publish();
                    if let Some(oldest) = open.oldest_timestamp {
                        metrics::histogram!("courierflow_derive_record_age_seconds").record(seconds_since(oldest));
                    }
                }
                self.state.commit();
                publish_size(&self.state);
                Ok(())
            }
            Err(TransactionError::Abort(error)) => {
                tracing::warn!(%error, "transaction aborted, its push events are read again");
                self.abort()
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes back what is open: nothing of it is seen by anyone, and its push events are read again.
    fn abort(&mut self) -> Result<(), WorkerError> {
        if let Some(open) = self.open.take() {
            self.transactions.abort()?;
            self.state.roll_back();
            self.rewind.extend(open.first_offsets);
            metrics::counter!("courierflow_derive_aborts_total").increment(1);
        }
        Ok(())
    }

    /// The worker has failed: what is open must never be committed, whatever the consumer calls back while it closes.
    fn disown(&mut self) {
        if self.open.take().is_some()
            && let Err(error) = self.transactions.abort()
        {
            tracing::info!(%error, "the open transaction is left to the fencing by our successor");
        }
        self.state.roll_back();
    }

    /// Before partitions are taken from us: what is open is committed, or, when it is too late for that, aborted.
    fn give_up(&mut self, consumer: &BaseConsumer<Member>, partitions: &[i32]) {
        let result = if consumer.assignment_lost() {
            self.lost = true;
            self.abort()
        } else {
            self.commit(consumer)
        };
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
        for partition in partitions {
            self.state.remove_partition(*partition);
            self.to_restore.remove(partition);
            self.rewind.remove(partition);
        }
        tracing::info!(?partitions, lost = consumer.assignment_lost(), "partitions given up");
    }

    /// What callbacks and aborts left to do: raises their failure, goes back to where reading starts again.
    fn settle(&mut self, consumer: &BaseConsumer<Member>) -> Result<(), WorkerError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        for (partition, offset) in std::mem::take(&mut self.rewind) {
            consumer.seek(topics::PUSH, partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }
}
