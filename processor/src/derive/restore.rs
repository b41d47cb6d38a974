//! Rebuilds the state of a partition from `courier.shipment.v1`.
//!
//! The order matters. First the group's committed offset of the push partition, read as *stable*: then no transaction of
//! a former owner is pending on it, and all it produced lies below the high watermark. Then the shipment partition, from
//! its start until the *high watermark* seen now. The last stable offset would not do: it may stand still below records
//! of a transaction that is decided but not yet marked here. Neither does the end-of-partition event, which fires there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use courierflow_schemas::records::Shipment;
use courierflow_schemas::topics;
use courierflow_schemas::wire::{DecodeError, Decoder};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Headers;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::state::{KeyHash, Partition, Resting};
use super::worker::worker_name;
use crate::domain::{Memory, memory};
use crate::shutdown::Shutdown;

const POLL: Duration = Duration::from_millis(100);
const REQUEST: Duration = Duration::from_secs(10);
/// Between two reports of how much is left.
const REPORT: Duration = Duration::from_secs(1);
/// A transaction of a dead owner is resolved within its own time-out; nothing moving for longer is a fault.
const NO_PROGRESS: Duration = Duration::from_mins(2);

#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error("restore: {0}")]
    Kafka(#[from] KafkaError),
    #[error("restore of {topic}/{partition} at offset {offset}: {source}", topic = topics::SHIPMENT)]
    Decode {
        partition: i32,
        offset: i64,
        source: DecodeError,
    },
    #[error("restore: {0}")]
    Pack(#[from] postcard::Error),
    #[error("restore of partitions {0:?} of {topic} made no progress for {seconds} s; if this goes on, look for a hanging \
             transaction: kafka-transactions.sh find-hanging", topic = topics::SHIPMENT, seconds = NO_PROGRESS.as_secs())]
    NoProgress(Vec<i32>),
    #[error("shutting down")]
    ShutDown,
}

/// Reads partitions back. Kept by a worker for all its assignments.
pub(crate) struct Restorer {
    /// Of the consumers that see committed records only.
    reader: ClientConfig,
    /// Sees everything: `fetch_watermarks` of a `read_committed` client answers with the last stable offset.
    watermarks: BaseConsumer,
}

/// How far one partition has to be read.
struct Goal {
    high_watermark: i64,
    restored: Partition,
}

impl Restorer {
    /// `client` is the configuration that all clients of the worker start from.
    pub(crate) fn new(client: &ClientConfig) -> Result<Self, RestoreError> {
        let mut config = client.clone();
        // Never a member of the group: partitions are assigned by hand and nothing is committed.
        config
            .set("group.id", "courierflow-restore")
            .set("enable.auto.commit", "false");
        config
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "false");
        // The default of 1,000 ms stalls a reader that has once filled its queue.
        config
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "16384");
        let mut reader = config.clone();
        reader.set("isolation.level", "read_committed");
        let watermarks = config.set("isolation.level", "read_uncommitted").create()?;
        Ok(Self { reader, watermarks })
    }

    /// Restores partitions, each with the committed offset that [`stable_offsets`] has just told of it.
    pub(crate) fn restore(
        &self,
        committed: &BTreeMap<i32, Option<i64>>,
        decoder: &mut Decoder<Shipment>,
        shutdown: &Shutdown,
    ) -> Result<BTreeMap<i32, Partition>, RestoreError> {
        let mut goals = self.goals(committed)?;
        let mut done = BTreeMap::new();
        // A new one each time: after an assignment the position may at first be that of an earlier one, and a partition that
        // had been read to the same end before would count as restored.
        let reader: BaseConsumer = self.reader.create()?;
        Self::assign(&reader, &goals)?;
        let mut last_progress = Instant::now();
        let mut last_report = None;
        // Asking for the position costs more than a record: it is asked for when it can have reached a goal.
        let mut may_be_done = true;
        loop {
            if std::mem::take(&mut may_be_done) {
                Self::finish_reached(&reader, &mut goals, &mut done)?;
            }
            if goals.is_empty() || last_report.is_none_or(|last: Instant| last.elapsed() >= REPORT) {
                Self::report_remaining(&reader, &goals)?;
                last_report = Some(Instant::now());
            }
            if goals.is_empty() {
                return Ok(done);
            }
            if shutdown.has_begun() {
                return Err(RestoreError::ShutDown);
            }
            match reader.poll(POLL) {
                Some(Ok(message)) => {
                    last_progress = Instant::now();
                    if let Some(goal) = goals.get_mut(&message.partition()) {
                        may_be_done = message.offset() + 1 >= goal.high_watermark;
                        take(&message, &mut goal.restored, decoder)?;
                    }
                }
                // Transport errors heal themselves; what does not shows as lack of progress.
                Some(Err(error)) if is_fatal(&error) => return Err(error.into()),
                // One for each attempt to connect during an outage; the client's log has them.
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
                ))) => {}
                Some(Err(error)) => tracing::warn!(%error, "restore goes on"),
                None if last_progress.elapsed() > NO_PROGRESS => {
                    return Err(RestoreError::NoProgress(goals.into_keys().collect()));
                }
                // Nothing but markers and aborted records is left, or nothing came yet.
                None => may_be_done = true,
            }
        }
    }

    fn goals(&self, committed: &BTreeMap<i32, Option<i64>>) -> Result<BTreeMap<i32, Goal>, RestoreError> {
        let mut goals = BTreeMap::new();
        for (&partition, &offset) in committed {
            let (low, high) = self.watermarks.fetch_watermarks(topics::SHIPMENT, partition, REQUEST)?;
            // Position stays invalid on an empty partition: it is done before it begins.
            let high_watermark = if low == high { 0 } else { high };
            goals.insert(
                partition,
                Goal {
                    high_watermark,
                    restored: Partition::new(offset),
                },
            );
        }
        Ok(goals)
    }

    fn assign(reader: &BaseConsumer, goals: &BTreeMap<i32, Goal>) -> Result<(), RestoreError> {
        let mut assignment = TopicPartitionList::new();
        for &partition in goals.keys() {
            assignment.add_partition_offset(topics::SHIPMENT, partition, Offset::Beginning)?;
        }
        Ok(reader.assign(&assignment)?)
    }

    /// Moves the partitions that were read up to their goal from `goals` to `done`. The position steps over markers and
    /// aborted records, which no message ever shows.
    fn finish_reached(
        reader: &BaseConsumer,
        goals: &mut BTreeMap<i32, Goal>,
        done: &mut BTreeMap<i32, Partition>,
    ) -> Result<(), RestoreError> {
        let position = reader.position()?;
        let reached = |partition: i32, goal: &Goal| {
            if goal.high_watermark == 0 {
                return true;
            }
            let element = position.find_partition(topics::SHIPMENT, partition);
            matches!(element.map(|element| element.offset()), Some(Offset::Offset(offset)) if offset >= goal.high_watermark)
        };
        let finished: Vec<i32> = goals
            .iter()
            .filter(|(partition, goal)| reached(**partition, goal))
            .map(|(p, _)| *p)
            .collect();
        for partition in finished {
            if let Some(goal) = goals.remove(&partition) {
                done.insert(partition, goal.restored);
            }
        }
        Ok(())
    }

    /// Offsets, some of which compaction has emptied: an upper bound of the records.
    fn report_remaining(reader: &BaseConsumer, goals: &BTreeMap<i32, Goal>) -> Result<(), RestoreError> {
        let position = reader.position()?;
        let offset = |partition| match position.find_partition(topics::SHIPMENT, partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let remaining: i64 = goals
            .iter()
            .map(|(partition, goal)| (goal.high_watermark - offset(*partition).unwrap_or(0)).max(0))
            .sum();
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("courierflow_derive_restore_remaining_records", "worker" => worker_name())
            .set(remaining as f64);
        Ok(())
    }
}

/// Remembers a record of the topic, or forgets the shipment of a tombstone.
fn take(message: &impl Message, restored: &mut Partition, decoder: &mut Decoder<Shipment>) -> Result<(), RestoreError> {
    let key = message.key().unwrap_or_default();
    let Some(value) = message.payload() else {
        restored.forget(KeyHash::of(key));
        return Ok(());
    };
    let memory = match from_header(message) {
        Some(memory) => memory,
        None => Memory::of(&decoder.decode(value).map_err(|source| RestoreError::Decode {
            partition: message.partition(),
            offset: message.offset(),
            source,
        })?),
    };
    let resting = Resting::at(message.offset(), key, &memory)?;
    restored.restore(KeyHash::of(key), resting, memory.received_at);
    Ok(())
}

fn from_header(message: &impl Message) -> Option<Memory> {
    let header = message.headers()?.iter().find(|header| header.key == memory::HEADER)?;
    Memory::from_bytes(header.value?).ok()
}

/// The group's committed offsets of push partitions; none where nothing was ever committed. `OffsetFetch` of a `read_committed` consumer demands stable offsets
/// (KIP-447): it is answered only when no transaction is pending on them.
pub(super) fn stable_offsets<C: ConsumerContext>(
    member: &BaseConsumer<C>,
    partitions: &[i32],
    shutdown: &Shutdown,
) -> Result<BTreeMap<i32, Option<i64>>, RestoreError> {
    let mut wanted = TopicPartitionList::new();
    for &partition in partitions {
        wanted.add_partition(topics::PUSH, partition);
    }
    let begun = Instant::now();
    loop {
        match member.committed_offsets(wanted.clone(), REQUEST) {
            Ok(offsets) => return Ok(offsets.elements().iter().map(offset_of).collect()),
            Err(error) if is_fatal(&error) || begun.elapsed() > NO_PROGRESS => return Err(error.into()),
            Err(error) => tracing::info!(%error, ?partitions, "waiting for stable offsets"),
        }
        if shutdown.has_begun() {
            return Err(RestoreError::ShutDown);
        }
    }
}

fn offset_of(element: &TopicPartitionListElem<'_>) -> (i32, Option<i64>) {
    let offset = match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    (element.partition(), offset)
}

fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_))
}
