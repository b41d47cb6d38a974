//! The push topic, partition by partition, through the pure core.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use courierflow_schemas::records::{PushEvent, Shipment, TimestampMicros};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{Decoder, Encoder};
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::ReplayError;
use crate::config::Config;
use crate::dead_letter::Coordinates;
use crate::domain::{self, DeriveOptions, Memory, Outcome};
use crate::kafka_client;
use crate::sink::rows::{self, Table};
use crate::vendor::{self, Reading};

const POLL: Duration = Duration::from_millis(100);
const REQUEST: Duration = Duration::from_secs(30);
/// Rows that are inserted together.
const BATCH: usize = 10_000;

/// How far a replay has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Push events read.
    pub push_events: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Of these, unreadable: derive dead-letters them.
    pub unreadable: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} push events, {} accepted, {} unreadable",
            self.push_events, self.accepted, self.unreadable
        )
    }
}

/// Rows to insert.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) shipments: Vec<<rows::Shipment as Table>::Row>,
    pub(super) transitions: Vec<<rows::Transition as Table>::Row>,
}

/// The newest state of a shipment: encoded, for there are many.
struct Kept {
    memory: Memory,
    record: Vec<u8>,
}

/// The push events of a time.
pub(super) struct Pushes {
    consumer: BaseConsumer,
    /// First and end offset of each partition that has any.
    ranges: Vec<(i32, i64, i64)>,
    push_decoder: Decoder<PushEvent>,
    shipment_decoder: Decoder<Shipment>,
    shipment_encoder: Encoder<Shipment>,
    options: DeriveOptions,
    counts: Counts,
    covered_from: TimestampMicros,
}

impl Pushes {
    /// All that is on the topic now, from `from` on.
    pub(super) fn open(
        config: &Config,
        registry: Registry,
        ids: SchemaIds,
        from: Option<Timestamp>,
    ) -> Result<Self, ReplayError> {
        let record = |error: &dyn fmt::Display| ReplayError::Record(error.to_string());
        let mut client = ClientConfig::new();
        kafka_client::configure(&mut client, &config.kafka);
        // Never a member of a group: partitions are assigned by hand and nothing is committed.
        client
            .set("client.id", "courierflow-replay")
            .set("group.id", "courierflow-replay")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "16384");
        let consumer: BaseConsumer = client.create()?;
        let ranges = ranges(&consumer, from)?;
        Ok(Self {
            consumer,
            ranges,
            push_decoder: Decoder::new(registry.clone(), ids.push).map_err(|error| record(&error))?,
            shipment_decoder: Decoder::new(registry, ids.shipment).map_err(|error| record(&error))?,
            shipment_encoder: Encoder::new(ids.shipment).map_err(|error| record(&error))?,
            options: DeriveOptions {
                context: config.derive.context,
            },
            counts: Counts::default(),
            covered_from: TimestampMicros(0),
        })
    }

    pub(super) fn refuse_running_sink(&self, config: &Config) -> Result<(), ReplayError> {
        for table in [rows::Shipment::NAME, rows::Transition::NAME] {
            let group = format!("{}-{table}", config.sink.group);
            let found = self.consumer.fetch_group_list(Some(&group), REQUEST)?;
            if found.groups().iter().any(|group| !group.members().is_empty()) {
                return Err(ReplayError::SinkIsRunning(group));
            }
        }
        Ok(())
    }

    pub(super) fn partitions(&self) -> Vec<i32> {
        self.ranges.iter().map(|(partition, ..)| *partition).collect()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// The latest of the first receipts, of the partitions that are not read from their very beginning: a parcel whose first
    /// push is not older has all its pushes in what was read.
    pub(super) fn covered_from(&self) -> TimestampMicros {
        self.covered_from
    }

    /// Derives a partition; its rows are given to `insert` in batches.
    pub(super) fn derive(
        &mut self,
        partition: i32,
        mut insert: impl FnMut(Rows) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        let Some(&(_, first, end)) = self.ranges.iter().find(|(number, ..)| *number == partition) else {
            return Ok(());
        };
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(topics::PUSH, partition, Offset::Offset(first))?;
        self.consumer.assign(&place)?;

        let mut state: HashMap<String, Kept> = HashMap::new();
        let mut rows = Rows::default();
        let mut last_progress = Instant::now();
        let mut is_first = true;
        loop {
            let value = match self.consumer.poll(POLL) {
                Some(Ok(message)) if message.partition() != partition => continue,
                Some(Ok(message)) if message.offset() >= end => break,
                Some(Ok(message)) => message.payload().unwrap_or_default().to_vec(),
                Some(Err(KafkaError::PartitionEOF(number))) if number == partition => break,
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error.into()),
                // Transport errors heal themselves; what does not shows as lack of progress.
                Some(Err(_)) | None if last_progress.elapsed() < REQUEST => continue,
                Some(Err(_)) | None => return Err(ReplayError::NoAnswer(partition)),
            };
            last_progress = Instant::now();
            self.counts.push_events += 1;
            let Ok(event) = self.push_decoder.decode(&value) else {
                self.counts.unreadable += 1;
                continue;
            };
            if std::mem::take(&mut is_first) && first > 0 {
                self.covered_from = self.covered_from.max(event.received_at);
            }
            self.take(&event, &mut state, &mut rows)?;
            if rows.transitions.len() >= BATCH || rows.shipments.len() >= BATCH {
                insert(std::mem::take(&mut rows))?;
            }
        }
        for kept in state.into_values() {
            self.close(&kept, &mut rows)?;
            if rows.shipments.len() >= BATCH {
                insert(std::mem::take(&mut rows))?;
            }
        }
        insert(rows)
    }

    /// One push event: what derive would make of it.
    fn take(
        &mut self,
        event: &PushEvent,
        state: &mut HashMap<String, Kept>,
        rows: &mut Rows,
    ) -> Result<(), ReplayError> {
        let snapshot = match vendor::read(event) {
            Ok(Reading::Snapshot(snapshot)) => snapshot,
            Ok(Reading::Nothing(_)) => return Ok(()),
            Err(_) => {
                self.counts.unreadable += 1;
                return Ok(());
            }
        };
        let key = snapshot.key().to_string();
        let options = self.options;
        let previous = state.get(&key);
        let recall = || match previous {
            Some(kept) => self.decode(&kept.record),
            None => Err(ReplayError::Record("there is none before a first push".to_owned())),
        };
        let memory = previous.map(|kept| &kept.memory);
        let Outcome::Accepted(derived) = domain::derive(memory, recall, &snapshot, options)? else {
            return Ok(());
        };
        self.counts.accepted += 1;
        for transition in derived.transitions {
            rows.transitions.push(row::<rows::Transition>(transition)?);
        }
        // A new life of the number: the old one stays as it was.
        if let Some(kept) = state.remove(&key)
            && kept.memory.epoch != derived.memory.epoch
        {
            self.close(&kept, rows)?;
        }
        let mut record = Vec::new();
        let encoded = self.shipment_encoder.encode(&derived.shipment, &mut record);
        encoded.map_err(|error| ReplayError::Record(error.to_string()))?;
        let memory = derived.memory;
        state.insert(key, Kept { memory, record });
        Ok(())
    }

    fn close(&mut self, kept: &Kept, rows: &mut Rows) -> Result<(), ReplayError> {
        let shipment = self.decode(&kept.record)?;
        rows.shipments.push(row::<rows::Shipment>(shipment)?);
        Ok(())
    }

    fn decode(&mut self, record: &[u8]) -> Result<Shipment, ReplayError> {
        let decoded = self.shipment_decoder.decode(record);
        decoded.map_err(|error| ReplayError::Record(error.to_string()))
    }
}

/// Where each partition begins and ends.
fn ranges(consumer: &BaseConsumer, from: Option<Timestamp>) -> Result<Vec<(i32, i64, i64)>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topics::PUSH), REQUEST)?;
    let partitions = metadata.topics().first().map_or(&[][..], |topic| topic.partitions());
    let mut ranges = Vec::new();
    for partition in partitions.iter().map(rdkafka::metadata::MetadataPartition::id) {
        let (low, high) = consumer.fetch_watermarks(topics::PUSH, partition, REQUEST)?;
        let first = match from {
            None => low,
            Some(from) => {
                let mut wanted = TopicPartitionList::new();
                let time = Offset::Offset(from.as_millisecond());
                wanted.add_partition_offset(topics::PUSH, partition, time)?;
                let found = consumer.offsets_for_times(wanted, REQUEST)?;
                match found
                    .find_partition(topics::PUSH, partition)
                    .map(|found| found.offset())
                {
                    Some(Offset::Offset(offset)) => offset.max(low),
                    // Nothing is that young.
                    _ => high,
                }
            }
        };
        if first < high {
            ranges.push((partition, first, high));
        }
    }
    Ok(ranges)
}

fn row<T: Table>(record: T::Record) -> Result<T::Row, ReplayError> {
    // These two tables show nothing of where a record was.
    let nowhere = Coordinates {
        topic: topics::PUSH,
        partition: 0,
        offset: 0,
        timestamp: None,
    };
    T::row(record, &nowhere).map_err(|error| ReplayError::Record(error.to_string()))
}
