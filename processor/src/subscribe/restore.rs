//! Rebuilds the subscriptions of partitions from the two compacted topics.
//!
//! As in derive, the group's committed offsets are read as stable first: then no transaction of a former owner is pending, and everything
//! that owner produced is below the high watermarks. Up to those both topics are read.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use courierflow_schemas::partition;
use courierflow_schemas::records::{Subscription, SubscriptionSecret};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker, prefixed};
use courierflow_schemas::wire::{DecodeError, Decoder};
use courierflow_service::authenticated::{self, Authenticated};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::state::{Held, Key, Names, Partition};
use crate::fetching::CHECK_CRCS;
use crate::poll_error::ends_reading;

const POLL: Duration = Duration::from_millis(100);
const REQUEST: Duration = Duration::from_secs(10);
/// A transaction of a dead owner is resolved within its own time-out; no progress for longer than that is an error.
const NO_PROGRESS: Duration = Duration::from_mins(2);

#[derive(Debug, thiserror::Error)]
pub(super) enum RestoreError {
    #[error("restore: {0}")]
    Kafka(#[from] KafkaError),
    /// The registry could not be reached; the record is not at fault.
    #[error("restore of {topic}/{partition} at offset {offset}: {source}")]
    NotNow {
        topic: &'static str,
        partition: i32,
        offset: i64,
        source: Box<DecodeError>,
    },
    /// The newest record of some keys cannot be decoded. The restore fails, because their state is unknown.
    #[error(
        "restore of {topic}/{partition} at offset {offset}: {source}; the newest records of {keys} keys cannot be read"
    )]
    Unreadable {
        topic: &'static str,
        partition: i32,
        /// Offset of one of them.
        offset: i64,
        source: Box<DecodeError>,
        keys: usize,
    },
    /// The topics got more partitions, and the state was not moved: a number would have two subscriptions.
    #[error("restore of {topic}/{partition}: a subscription at offset {offset} belongs to another partition: \
             the topics have grown, and the subscriptions were not moved", topic = subscriptions())]
    Misplaced { partition: i32, offset: i64 },
    /// A bug.
    #[error("restore: what was read cannot be kept: {0}")]
    State(#[from] postcard::Error),
    #[error("restore of partitions {0:?} made no progress for {seconds} s; if this goes on, look for a hanging transaction: \
             kafka-transactions.sh find-hanging", seconds = NO_PROGRESS.as_secs())]
    NoProgress(Vec<i32>),
}

/// What a place holds: from its first offset to the one behind its last record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) low: i64,
    pub(super) high: i64,
}

/// The places that are read, each to its end.
type Goals = BTreeMap<(&'static str, i32), Extent>;

/// Begins restores.
pub(super) struct Restorer {
    reader: ClientConfig,
    /// A `read_uncommitted` client: `fetch_watermarks` of a `read_committed` one returns the last stable offset.
    watermarks: Authenticated<BaseConsumer>,
    subscriptions: Decoder<Subscription>,
    secrets: Decoder<SubscriptionSecret>,
    partitions: i32,
    names: Vec<Names>,
}

/// A restore that is under way. It goes on in slices, because a member of a group must poll meanwhile.
///
/// The secrets are read first, so that each subscription is packed once, with its own.
pub(super) struct Restore {
    reader: Authenticated<BaseConsumer>,
    /// What is being read.
    goals: Goals,
    /// The subscriptions, as long as the secrets are read.
    next: Option<Goals>,
    secrets: HashMap<Key, SubscriptionSecret>,
    found: BTreeMap<i32, Partition>,
    unreadable: BTreeMap<(&'static str, i32, Key), (i64, Box<DecodeError>)>,
    /// Offsets of misplaced subscriptions.
    misplaced: BTreeMap<(i32, Key), i64>,
    begun: Instant,
    last_progress: Instant,
    may_be_done: bool,
}

impl Restorer {
    /// `client` is the configuration that all clients of the worker share.
    pub(super) fn new(
        client: &ClientConfig,
        registry: &Registry,
        ids: SchemaIds,
        partitions: i32,
        names: Vec<Names>,
    ) -> Result<Self, RestoreError> {
        let mut config = client.clone();
        // Not a member of the group: partitions are assigned by hand and nothing is committed.
        config
            .set("group.id", prefixed("courierflow-restore"))
            .set("enable.auto.commit", "false")
            .set(CHECK_CRCS, "true")
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "false")
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "16384");
        let mut reader = config.clone();
        reader.set("isolation.level", "read_committed");
        let watermarks = authenticated::create(config.set("isolation.level", "read_uncommitted"))?;
        Ok(Self {
            reader,
            watermarks,
            subscriptions: Decoder::new(registry.clone(), ids.subscription),
            secrets: Decoder::new(registry.clone(), ids.subscription_secret),
            partitions,
            names,
        })
    }

    /// Where a place begins and ends.
    pub(super) fn extent(&self, topic: &str, partition: i32) -> Result<Extent, RestoreError> {
        let (low, high) = self.watermarks.fetch_watermarks(topic, partition, REQUEST)?;
        Ok(Extent { low, high })
    }

    /// Begins to restore the given partitions.
    pub(super) fn begin(&self, partitions: &[i32]) -> Result<Restore, RestoreError> {
        let goals = self.goals(secrets(), partitions)?;
        // A new consumer each time: its position cannot be that of an earlier assignment.
        let reader: Authenticated<BaseConsumer> = authenticated::create(&self.reader)?;
        reader.assign(&beginnings(&goals)?)?;
        let empty = || Partition::new(self.names.clone());
        Ok(Restore {
            reader,
            goals,
            next: Some(self.goals(subscriptions(), partitions)?),
            secrets: HashMap::new(),
            found: partitions.iter().map(|partition| (*partition, empty())).collect(),
            unreadable: BTreeMap::new(),
            misplaced: BTreeMap::new(),
            begun: Instant::now(),
            last_progress: Instant::now(),
            may_be_done: true,
        })
    }

    fn goals(&self, topic: &'static str, partitions: &[i32]) -> Result<Goals, RestoreError> {
        let goal = |&partition: &i32| Ok(((topic, partition), self.extent(topic, partition)?));
        partitions.iter().map(goal).collect()
    }

    /// Reads on for about `slice`, less if all is read.
    pub(super) fn go_on(&mut self, restore: &mut Restore, slice: Duration) -> Result<(), RestoreError> {
        let begun = Instant::now();
        while !restore.is_done() && begun.elapsed() < slice {
            if restore.goals.is_empty() {
                restore.go_on_with_subscriptions()?;
            }
            if std::mem::take(&mut restore.may_be_done) {
                restore.leave_reached()?;
                continue;
            }
            match restore.reader.poll(POLL.min(slice)) {
                Some(Ok(message)) => {
                    let is_last = restore.is_last(&message);
                    let (topic, partition) = (topic_of(message.topic()), message.partition());
                    let record = Read::of(self, &message)?;
                    drop(message);
                    restore.last_progress = Instant::now();
                    restore.may_be_done = is_last;
                    restore.take(topic, partition, record)?;
                }
                Some(Err(error)) if ends_reading(&error) => return Err(error.into()),
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
                ))) => {}
                Some(Err(error)) => tracing::warn!(%error, "restore goes on"),
                None if restore.last_progress.elapsed() > NO_PROGRESS => {
                    return Err(RestoreError::NoProgress(restore.found.keys().copied().collect()));
                }
                // Only markers and aborted records are left, or nothing has arrived yet.
                None => restore.leave_reached()?,
            }
        }
        Ok(())
    }
}

/// A record that was read.
struct Read {
    key: Key,
    offset: i64,
    is_misplaced: bool,
    value: Value,
}

enum Value {
    Subscription(Option<Box<Subscription>>),
    Secret(Option<SubscriptionSecret>),
    Unreadable(Box<DecodeError>),
}

impl Read {
    fn of(restorer: &mut Restorer, message: &BorrowedMessage<'_>) -> Result<Self, RestoreError> {
        let key = message.key().unwrap_or_default();
        let number = partition::number_of_subscription(key).unwrap_or_default();
        let payload = message.payload();
        let decoded = if message.topic() == subscriptions() {
            let decoded = payload.map(|value| restorer.subscriptions.decode(value)).transpose();
            decoded.map(|subscription| Value::Subscription(subscription.map(Box::new)))
        } else {
            let decoded = payload.map(|value| restorer.secrets.decode(value)).transpose();
            decoded.map(Value::Secret)
        };
        let value = match decoded {
            Ok(value) => value,
            Err(source) if source.is_transient() => {
                return Err(RestoreError::NotNow {
                    topic: topic_of(message.topic()),
                    partition: message.partition(),
                    offset: message.offset(),
                    source: Box::new(source),
                });
            }
            Err(error) => Value::Unreadable(Box::new(error)),
        };
        let is_misplaced = partition::of_key(number, restorer.partitions) != message.partition();
        Ok(Self {
            key: String::from_utf8_lossy(key).into(),
            offset: message.offset(),
            is_misplaced: is_misplaced && payload.is_some(),
            value,
        })
    }
}

fn subscriptions() -> &'static str {
    on_broker(topics::SUBSCRIPTION)
}

fn secrets() -> &'static str {
    on_broker(topics::SUBSCRIPTION_SECRET)
}

fn topic_of(topic: &str) -> &'static str {
    if topic == subscriptions() {
        subscriptions()
    } else {
        secrets()
    }
}

impl Restore {
    fn is_last(&self, message: &BorrowedMessage<'_>) -> bool {
        let goal = self.goals.get(&(topic_of(message.topic()), message.partition()));
        goal.is_some_and(|goal| message.offset() + 1 >= goal.high)
    }

    fn go_on_with_subscriptions(&mut self) -> Result<(), RestoreError> {
        self.goals = self.next.take().unwrap_or_default();
        self.reader.assign(&beginnings(&self.goals)?)?;
        self.may_be_done = true;
        Ok(())
    }

    fn take(&mut self, topic: &'static str, partition: i32, record: Read) -> Result<(), RestoreError> {
        let Read {
            key,
            offset,
            is_misplaced,
            value,
        } = record;
        let Some(found) = self.found.get_mut(&partition) else {
            return Ok(());
        };
        self.unreadable.remove(&(topic, partition, Key::clone(&key)));
        if topic == subscriptions() {
            let place = (partition, Key::clone(&key));
            if is_misplaced {
                self.misplaced.insert(place, offset);
            } else {
                self.misplaced.remove(&place);
            }
        }
        match value {
            Value::Subscription(subscription) => {
                let held = subscription.map(|subscription| Held {
                    key: Key::clone(&key),
                    subscription: *subscription,
                    secret: self.secrets.get(&key).cloned(),
                    is_parked: false,
                });
                found.replace(&key, held)?;
            }
            Value::Secret(Some(secret)) => {
                self.secrets.insert(key, secret);
            }
            Value::Secret(None) => {
                self.secrets.remove(&key);
            }
            Value::Unreadable(error) => {
                self.unreadable.insert((topic, partition, key), (offset, error));
            }
        }
        Ok(())
    }

    /// Leaves the places that were read up to their goal. The position also moves past markers and aborted records.
    fn leave_reached(&mut self) -> Result<(), RestoreError> {
        let position = self.reader.position()?;
        self.goals.retain(|(topic, partition), goal| {
            let element = position.find_partition(topic, *partition);
            let at = element.map(|element| element.offset());
            let is_reached = goal.low == goal.high || matches!(at, Some(Offset::Offset(offset)) if offset >= goal.high);
            !is_reached
        });
        Ok(())
    }

    pub(super) fn is_done(&self) -> bool {
        self.goals.is_empty() && self.next.is_none()
    }

    /// How long it has taken so far.
    pub(super) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// What was restored, or an error if a newest record cannot be used.
    pub(super) fn finish(self) -> Result<BTreeMap<i32, Partition>, RestoreError> {
        let keys = self.unreadable.len();
        if let Some(((topic, partition, _), (offset, source))) = self.unreadable.into_iter().next() {
            return Err(RestoreError::Unreadable {
                topic,
                partition,
                offset,
                source,
                keys,
            });
        }
        if let Some(((partition, _), offset)) = self.misplaced.into_iter().next() {
            return Err(RestoreError::Misplaced { partition, offset });
        }
        Ok(self.found)
    }
}

fn beginnings(goals: &Goals) -> Result<TopicPartitionList, KafkaError> {
    let mut assignment = TopicPartitionList::new();
    for (topic, partition) in goals.keys() {
        assignment.add_partition_offset(topic, *partition, Offset::Beginning)?;
    }
    Ok(assignment)
}
