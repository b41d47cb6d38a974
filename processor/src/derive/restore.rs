//! Rebuilds the state of a partition from `courier.shipment.v1`.
//!
//! The order matters. First the group's committed offset of the push partition is read as *stable*
//! ([`stable_offsets`](crate::exactly_once::stable_offsets)): then no transaction of a former owner is pending, and everything that owner
//! produced is below the high watermark. Then the shipment partition is read from its start up to the current *high watermark*.
//! Reading up to the last stable offset would not be enough: a transaction may be decided without its marker being written to
//! this partition yet, and its records are above that offset. Neither would reading up to the end-of-partition event, which
//! fires at the last stable offset.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use courierflow_schemas::partition;
use courierflow_schemas::records::Shipment;
use courierflow_schemas::topics::{self, on_broker, prefixed};
use courierflow_schemas::wire::{DecodeError, Decoder};
use courierflow_service::authenticated::{self, Authenticated};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Headers;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::counts::worker_name;
use super::progress::Progress;
use super::state_entry::{KeyHash, StateEntry};
use super::state_store::Partition;
use crate::fetching::CHECK_CRCS;
use crate::poll_error::ends_reading;
use crate::start_offsets::LostRecords;
use courierflow_domain::{Memory, memory};

const POLL: Duration = Duration::from_millis(100);
const REQUEST: Duration = Duration::from_secs(10);
/// A transaction of a dead owner is resolved within its own time-out; no progress for longer than that is an error.
const NO_PROGRESS: Duration = Duration::from_mins(2);

#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    #[error("restore: {0}")]
    Kafka(#[from] KafkaError),
    /// The registry could not be reached; the record is not at fault.
    #[error("restore of {topic}/{partition} at offset {offset}: {source}", topic = on_broker(topics::SHIPMENT))]
    NotNow {
        partition: i32,
        offset: i64,
        source: DecodeError,
    },
    /// The newest record of some keys cannot be decoded. The restore fails, because their state is unknown.
    #[error("restore of {topic}/{partition} at offset {offset}: {class}: {source}; the newest records of {keys} keys \
             cannot be read", topic = on_broker(topics::SHIPMENT), class = source.class())]
    Unreadable {
        partition: i32,
        /// Offset of the first such record.
        offset: i64,
        source: DecodeError,
        keys: usize,
    },
    /// The topics got more partitions, and the state was not moved. Later pushes of these parcels are on other partitions, where they
    /// would begin a second life.
    #[error("restore of {topic}/{partition}: {keys} parcels belong to other partitions when there are {partitions}, the first at \
             offset {offset}: run `processor migrate --grow`", topic = on_broker(topics::SHIPMENT))]
    Misplaced {
        partition: i32,
        /// Offset of the first such record.
        offset: i64,
        keys: usize,
        partitions: i32,
    },
    #[error("restore: {0}")]
    Pack(#[from] postcard::Error),
    #[error("restore of partitions {0:?} of {topic} made no progress for {seconds} s; if this goes on, look for a hanging \
             transaction: kafka-transactions.sh find-hanging", topic = on_broker(topics::SHIPMENT), seconds = NO_PROGRESS.as_secs())]
    NoProgress(Vec<i32>),
}

/// Begins restores. A worker keeps one for all its assignments.
pub(super) struct Restorer {
    /// Configuration of the consumers that see committed records only.
    reader: ClientConfig,
    /// A `read_uncommitted` client: `fetch_watermarks` of a `read_committed` one returns the last stable offset.
    watermarks: Authenticated<BaseConsumer>,
    /// Number of partitions of all topics.
    partitions: i32,
}

/// A restore that is under way. It goes on in slices, because a member of a group must poll meanwhile.
pub(super) struct Restore {
    reader: Authenticated<BaseConsumer>,
    goals: BTreeMap<i32, Goal>,
    /// Offsets to read of all partitions, those that are restored included.
    total: i64,
    begun: Instant,
    last_progress: Instant,
    /// Asking for the position costs more than reading a record, so we ask only when it may have reached a goal.
    may_be_done: bool,
}

/// A partition that is being read, and where reading it ends. It can be kept over a rebalance and go on afterwards.
pub(super) struct Goal {
    /// The next offset to read; `None` before the first record.
    next: Option<i64>,
    low_watermark: i64,
    high_watermark: i64,
    restoring: Restoring,
}

impl Goal {
    /// Offsets that are not read yet: an upper bound of the records, because compaction leaves gaps.
    fn remaining(&self) -> i64 {
        let next = self.next.unwrap_or(self.low_watermark);
        (self.high_watermark - next).max(0)
    }
}

/// A partition that is being restored.
struct Restoring {
    partition: Partition,
    /// Number of partitions of the topic.
    partitions: i32,
    /// Keys that belong to another partition, with the offset of their newest record. A tombstone removes the entry.
    misplaced: BTreeMap<KeyHash, i64>,
    /// Keys whose newest record so far cannot be decoded, with its offset and the reason. A later record or tombstone of
    /// the key removes the entry.
    unreadable: BTreeMap<KeyHash, (i64, DecodeError)>,
}

impl Restorer {
    /// `client` is the configuration that all clients of the worker share.
    pub(super) fn new(client: &ClientConfig, partitions: i32) -> Result<Self, RestoreError> {
        let mut config = client.clone();
        // Not a member of the group: partitions are assigned by hand and nothing is committed.
        config
            .set("group.id", prefixed("courierflow-restore"))
            .set("enable.auto.commit", "false");
        config
            .set(CHECK_CRCS, "true")
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "false");
        // With the default of 1,000 ms a reader stalls each time its queue is full.
        config
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "16384");
        let mut reader = config.clone();
        reader.set("isolation.level", "read_committed");
        let watermarks = authenticated::create(config.set("isolation.level", "read_uncommitted"))?;
        Ok(Self {
            reader,
            watermarks,
            partitions,
        })
    }

    /// Begins to restore the given partitions, each with its stable committed progress. `kept` is what an earlier restore has read of
    /// some of them: it goes on there if nobody has derived from the partition meanwhile.
    pub(super) fn begin(
        &self,
        committed: &BTreeMap<i32, Option<Progress>>,
        mut kept: BTreeMap<i32, Goal>,
    ) -> Result<Restore, RestoreError> {
        let mut goals = BTreeMap::new();
        for (&partition, &progress) in committed {
            let goal = match kept.remove(&partition) {
                Some(goal) if goal.restoring.partition.as_of() == progress => goal,
                _ => self.goal(partition, progress)?,
            };
            goals.insert(partition, goal);
        }
        // A new consumer each time: right after an assignment, the position may still be that of an earlier assignment, and
        // a partition that had been read to the same end before would count as restored.
        let reader: Authenticated<BaseConsumer> = authenticated::create(&self.reader)?;
        let mut assignment = TopicPartitionList::new();
        for (&partition, goal) in &goals {
            let from = goal.next.map_or(Offset::Beginning, Offset::Offset);
            assignment.add_partition_offset(on_broker(topics::SHIPMENT), partition, from)?;
        }
        reader.assign(&assignment)?;
        Ok(Restore {
            reader,
            total: goals.values().map(Goal::remaining).sum(),
            goals,
            begun: Instant::now(),
            last_progress: Instant::now(),
            may_be_done: true,
        })
    }

    /// The partitions that do not reach as far as they did when their stable progress was committed: the topic was made anew, or has
    /// lost the end of its log. Their state is gone, or is an old one.
    pub(super) fn shortened(
        &self,
        committed: &BTreeMap<i32, Option<Progress>>,
    ) -> Result<Vec<LostRecords>, RestoreError> {
        let mut shortened = Vec::new();
        for (&partition, progress) in committed {
            let reached = progress.map_or(0, |progress| progress.shipments);
            // A request to the broker, so it is asked only where something is known.
            if reached > 0 {
                let extent = self.extent(partition)?;
                let lost = LostRecords::find_shortened(on_broker(topics::SHIPMENT), partition, reached, extent);
                shortened.extend(lost);
            }
        }
        Ok(shortened)
    }

    /// Low and high watermark.
    fn extent(&self, partition: i32) -> Result<(i64, i64), RestoreError> {
        Ok(self
            .watermarks
            .fetch_watermarks(on_broker(topics::SHIPMENT), partition, REQUEST)?)
    }

    fn goal(&self, partition: i32, progress: Option<Progress>) -> Result<Goal, RestoreError> {
        let (low, high) = self.extent(partition)?;
        Ok(Goal {
            next: None,
            low_watermark: low,
            // On an empty partition the position stays invalid; there is nothing to read.
            high_watermark: if low == high { low } else { high },
            restoring: Restoring::new(Partition::new(progress, high), self.partitions),
        })
    }
}

impl Restore {
    /// Reads on for about `slice`, less if all is read; returns the partitions that are restored now.
    pub(super) fn go_on(
        &mut self,
        decoder: &mut Decoder<Shipment>,
        slice: Duration,
    ) -> Result<BTreeMap<i32, Partition>, RestoreError> {
        let begun = Instant::now();
        let mut done = BTreeMap::new();
        while !self.goals.is_empty() && begun.elapsed() < slice {
            if std::mem::take(&mut self.may_be_done) {
                self.finish_reached(&mut done)?;
                continue;
            }
            match self.reader.poll(POLL.min(slice)) {
                Some(Ok(message)) => {
                    self.last_progress = Instant::now();
                    if let Some(goal) = self.goals.get_mut(&message.partition()) {
                        let next = message.offset() + 1;
                        goal.next = Some(next);
                        self.may_be_done = next >= goal.high_watermark;
                        goal.restoring.take(&message, decoder)?;
                    }
                }
                // The client recovers from transport errors by itself; if it does not, the lack of progress is an
                // error.
                Some(Err(error)) if ends_reading(&error) => return Err(error.into()),
                // One error for each attempt to connect during an outage; the client logs them.
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
                ))) => {}
                Some(Err(error)) => tracing::warn!(%error, "restore goes on"),
                None if self.last_progress.elapsed() > NO_PROGRESS => {
                    return Err(RestoreError::NoProgress(self.goals.keys().copied().collect()));
                }
                // Only markers and aborted records are left, or nothing has arrived yet.
                None => self.finish_reached(&mut done)?,
            }
        }
        Ok(done)
    }

    /// The partitions that are not restored yet.
    pub(super) fn partitions(&self) -> Vec<i32> {
        self.goals.keys().copied().collect()
    }

    /// How long it has taken so far.
    pub(super) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    pub(super) fn is_done(&self) -> bool {
        self.goals.is_empty()
    }

    /// Offsets read so far, and all that are to be read: upper bounds of the records, because compaction leaves gaps.
    pub(super) fn progress(&self) -> (i64, i64) {
        let remaining: i64 = self.goals.values().map(Goal::remaining).sum();
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("courierflow_derive_restore_remaining_records", "worker" => worker_name())
            .set(remaining as f64);
        (self.total - remaining, self.total)
    }

    /// What was read of the partitions that are not restored yet.
    pub(super) fn into_goals(self) -> BTreeMap<i32, Goal> {
        self.goals
    }

    /// Moves the partitions that were read up to their goal from `goals` to `done`. The position also moves past
    /// markers and aborted records, which are never delivered as messages.
    fn finish_reached(&mut self, done: &mut BTreeMap<i32, Partition>) -> Result<(), RestoreError> {
        let position = self.reader.position()?;
        let reached = |partition: i32, goal: &Goal| {
            if goal.low_watermark == goal.high_watermark {
                return true;
            }
            let element = position.find_partition(on_broker(topics::SHIPMENT), partition);
            matches!(element.map(|element| element.offset()), Some(Offset::Offset(offset)) if offset >= goal.high_watermark)
        };
        let finished: Vec<i32> = self
            .goals
            .iter()
            .filter(|(partition, goal)| reached(**partition, goal))
            .map(|(p, _)| *p)
            .collect();
        for partition in finished {
            if let Some(goal) = self.goals.remove(&partition) {
                done.insert(partition, goal.restoring.finish(partition)?);
            }
        }
        Ok(())
    }
}

impl Restoring {
    /// Fills an empty partition.
    fn new(partition: Partition, partitions: i32) -> Self {
        Self {
            partition,
            partitions,
            misplaced: BTreeMap::new(),
            unreadable: BTreeMap::new(),
        }
    }

    /// Adds a record of the topic, or removes the shipment of a tombstone.
    fn take(&mut self, message: &impl Message, decoder: &mut Decoder<Shipment>) -> Result<(), RestoreError> {
        let bytes = message.key().unwrap_or_default();
        let key = KeyHash::of(bytes);
        let (partition, offset) = (message.partition(), message.offset());
        match message.payload() {
            None => {
                self.partition.forget(key);
                self.misplaced.remove(&key);
            }
            Some(value) => {
                let number = partition::number_of_shipment(bytes);
                if number.is_some_and(|number| partition::of_key(number, self.partitions) != partition) {
                    self.misplaced.insert(key, offset);
                }
                let memory = match from_header(message) {
                    Some(memory) => memory,
                    None => match decoder.decode(value) {
                        Ok(shipment) => Memory::of(&shipment),
                        Err(source) if source.is_transient() => {
                            return Err(RestoreError::NotNow {
                                partition,
                                offset,
                                source,
                            });
                        }
                        Err(error) => {
                            self.unreadable.insert(key, (offset, error));
                            return Ok(());
                        }
                    },
                };
                let entry = StateEntry::at(offset, bytes, &memory.to_bytes()?, memory.expires_on())?;
                self.partition.restore(key, entry, memory.received_at);
            }
        }
        if !self.unreadable.is_empty() {
            self.unreadable.remove(&key);
        }
        Ok(())
    }

    /// Everything was read: returns the partition, or an error if a newest record cannot be decoded or belongs to another partition.
    fn finish(self, partition: i32) -> Result<Partition, RestoreError> {
        let keys = self.unreadable.len();
        match self.unreadable.into_values().min_by_key(|(offset, _)| *offset) {
            None => match self.misplaced.values().min() {
                None => Ok(self.partition),
                Some(&offset) => Err(RestoreError::Misplaced {
                    partition,
                    offset,
                    keys: self.misplaced.len(),
                    partitions: self.partitions,
                }),
            },
            Some((offset, source)) => Err(RestoreError::Unreadable {
                partition,
                offset,
                source,
                keys,
            }),
        }
    }
}

fn from_header(message: &impl Message) -> Option<Memory> {
    let header = message.headers()?.iter().find(|header| header.key == memory::HEADER)?;
    Memory::from_bytes(header.value?).ok()
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::registry::Registry;
    use courierflow_schemas::settings::RegistrySettings;
    use courierflow_schemas::wire::Encoder;
    use rdkafka::Timestamp;
    use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

    use super::super::state_store::tests::shipment;
    use super::super::state_store::{LastRecord, StateStore};
    use super::*;

    const ID: u32 = 7;

    enum Content {
        Tombstone,
        Junk,
        /// A record as derive writes it.
        Good,
        /// The same without its header.
        WithoutMemory,
        /// A record whose schema must be fetched from the registry; the test has no registry.
        OfAnotherSchema,
    }

    use Content::{Good, Junk, OfAnotherSchema, Tombstone, WithoutMemory};

    /// Restores partition 5 from these records, whose offsets start at 0.
    fn restore(records: &[(&str, Content)]) -> Result<StateStore, RestoreError> {
        let registry = Registry::new(&RegistrySettings {
            url: "http://127.0.0.1:9".to_owned(),
            ..RegistrySettings::default()
        });
        let mut decoder = Decoder::new(registry, ID);
        let mut encoded = Vec::new();
        Encoder::new(ID).encode(&shipment(), &mut encoded).unwrap();
        let memory = Memory::of(&shipment()).to_bytes().unwrap();

        let mut restoring = Restoring::new(Partition::new(None, 0), 8);
        for (offset, (key, content)) in (0..).zip(records) {
            let value = match content {
                Tombstone => None,
                Junk => Some(b"junk".to_vec()),
                Good | WithoutMemory => Some(encoded.clone()),
                OfAnotherSchema => Some(vec![0, 0, 0, 0, 8, 1]),
            };
            let header = Header {
                key: memory::HEADER,
                value: Some(&memory),
            };
            let message = OwnedMessage::new(
                value,
                Some(key.as_bytes().to_vec()),
                topics::SHIPMENT.to_owned(),
                Timestamp::NotAvailable,
                5,
                offset,
                matches!(content, Good).then(|| OwnedHeaders::new().insert(header)),
            );
            restoring.take(&message, &mut decoder)?;
        }
        let mut state = StateStore::default();
        state.insert_partition(5, restoring.finish(5)?);
        Ok(state)
    }

    #[test]
    fn the_newest_record_of_a_key_is_its_state() {
        let state = restore(&[
            ("a", Good),
            ("b", WithoutMemory),
            ("c", Good),
            ("a", Good),
            ("c", Tombstone),
        ])
        .unwrap();
        assert_eq!(state.size().0, 2);
        assert_eq!(state.last_record(5, KeyHash::of(b"a")), Some(LastRecord::At(3)));
        let remembered = |key: &[u8]| state.get(5, KeyHash::of(key)).unwrap().memory().unwrap();
        assert_eq!(remembered(b"a"), remembered(b"b"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_where_it_is_the_newest_of_its_key() {
        let Err(error) = restore(&[("a", Good), ("b", Junk), ("a", Junk), ("c", Good), ("b", Junk)]) else {
            panic!("a state was guessed at");
        };
        assert_eq!(
            error.to_string(),
            "restore of courier.shipment.v1/5 at offset 2: not_wire_format: not in the Confluent wire format: \
             shorter than its header; the newest records of 2 keys cannot be read"
        );
    }

    /// Of 8 partitions, "21" belongs to 4 and "foobar" to 6.
    #[test]
    fn a_parcel_of_another_partition_is_refused_unless_it_has_ended() {
        let misplaced = restore(&[
            ("kdniao:sto:21", Good),
            ("kdniao:sto:foobar", Good),
            ("kdniao:sto:21", Good),
        ]);
        let Err(error) = misplaced else {
            panic!("a parcel would have two lives");
        };
        assert_eq!(
            error.to_string(),
            "restore of courier.shipment.v1/5: 2 parcels belong to other partitions when there are 8, the first at offset 1: \
             run `processor migrate --grow`"
        );
        assert!(restore(&[("kdniao:sto:21", Good), ("kdniao:sto:21", Tombstone)]).is_ok());
    }

    #[test]
    fn a_later_record_or_a_tombstone_is_the_way_out() {
        let state = restore(&[
            ("a", Junk),
            ("b", Junk),
            ("c", Junk),
            ("a", Good),
            ("b", Tombstone),
            ("c", WithoutMemory),
        ]);
        assert_eq!(state.unwrap().size().0, 2);
    }

    #[test]
    fn without_a_registry_nothing_is_known_of_a_record_and_restore_ends_at_once() {
        let result = restore(&[("a", OfAnotherSchema), ("a", Tombstone)]);
        assert!(matches!(result, Err(RestoreError::NotNow { offset: 0, .. })));
    }
}
