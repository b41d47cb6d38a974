//! The push topic, partition by partition, through the pure core.

use std::collections::HashMap;
use std::fmt;

use courierflow_schemas::records::{PushEvent, Shipment, TimestampMicros};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{Decoder, Encoder};
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::ReplayError;
use crate::bounded_read::{self, REQUEST, Range, ReadError};
use crate::config::Config;
use crate::dead_letter::Coordinates;
use crate::sink::rows::{self, Table};
use courierflow_domain as domain;
use courierflow_domain::{DeriveOptions, Memory, Outcome, receipt};
use courierflow_vendors::reading::{self, Reading};

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
    /// Of the partitions that have any.
    ranges: Vec<Range>,
    derivation: Derivation,
}

/// Push events to rows.
struct Derivation {
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
        let consumer = bounded_read::consumer(&config.kafka, "courierflow-replay").map_err(ReadError::from)?;
        Ok(Self {
            ranges: ranges(&consumer, from)?,
            consumer,
            derivation: Derivation {
                push_decoder: Decoder::new(registry.clone(), ids.push).map_err(|error| record(&error))?,
                shipment_decoder: Decoder::new(registry, ids.shipment).map_err(|error| record(&error))?,
                shipment_encoder: Encoder::new(ids.shipment).map_err(|error| record(&error))?,
                options: DeriveOptions {
                    context: config.derive.context,
                },
                counts: Counts::default(),
                covered_from: TimestampMicros(0),
            },
        })
    }

    pub(super) fn refuse_running_sink(&self, config: &Config) -> Result<(), ReplayError> {
        for table in [rows::Shipment::NAME, rows::Transition::NAME] {
            let group = format!("{}-{table}", config.sink.group);
            let found = self.consumer.fetch_group_list(Some(&group), REQUEST);
            let found = found.map_err(ReadError::from)?;
            if found.groups().iter().any(|group| !group.members().is_empty()) {
                return Err(ReplayError::SinkIsRunning(group));
            }
        }
        Ok(())
    }

    /// What there is to [`derive`](Self::derive).
    pub(super) fn ranges(&self) -> Vec<Range> {
        self.ranges.clone()
    }

    pub(super) fn counts(&self) -> Counts {
        self.derivation.counts
    }

    /// The latest of the first receipts, of the partitions that are not read from their very beginning: a parcel whose first
    /// push is not older has all its pushes in what was read.
    pub(super) fn covered_from(&self) -> TimestampMicros {
        self.derivation.covered_from
    }

    /// Derives a partition; its rows are given to `insert` in batches.
    pub(super) fn derive(
        &mut self,
        range: Range,
        mut insert: impl FnMut(Rows) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        let mut state: HashMap<String, Kept> = HashMap::new();
        let mut rows = Rows::default();
        let mut is_first = true;
        let derivation = &mut self.derivation;
        bounded_read::read(&self.consumer, topics::PUSH, &[range], |message| {
            derivation.counts.push_events += 1;
            let decoded = derivation.push_decoder.decode(message.payload().unwrap_or_default());
            let timestamp = message.timestamp().to_millis();
            let Some(event) = (decoded.ok()).filter(|event| !receipt::is_in_future(event.received_at, timestamp))
            else {
                derivation.counts.unreadable += 1;
                return Ok(());
            };
            if std::mem::take(&mut is_first) && range.first > 0 {
                derivation.covered_from = derivation.covered_from.max(event.received_at);
            }
            derivation.take(&event, &mut state, &mut rows)?;
            if rows.transitions.len() >= BATCH || rows.shipments.len() >= BATCH {
                insert(std::mem::take(&mut rows))?;
            }
            Ok::<(), ReplayError>(())
        })?;
        for kept in state.into_values() {
            derivation.close(&kept, &mut rows)?;
            if rows.shipments.len() >= BATCH {
                insert(std::mem::take(&mut rows))?;
            }
        }
        insert(rows)
    }
}

impl Derivation {
    /// One push event: what derive would make of it.
    fn take(
        &mut self,
        event: &PushEvent,
        state: &mut HashMap<String, Kept>,
        rows: &mut Rows,
    ) -> Result<(), ReplayError> {
        let snapshot = match reading::read(event) {
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
fn ranges(consumer: &BaseConsumer, from: Option<Timestamp>) -> Result<Vec<Range>, ReadError> {
    let mut ranges = Vec::new();
    for partition in 0..bounded_read::partitions(consumer, topics::PUSH)? {
        let (low, end) = consumer.fetch_watermarks(topics::PUSH, partition, REQUEST)?;
        let first = match from {
            None => low,
            // Nothing is that young: behind the end.
            Some(from) => offset_at(consumer, partition, from)?.map_or(end, |offset| offset.max(low)),
        };
        if first < end {
            ranges.push(Range { partition, first, end });
        }
    }
    Ok(ranges)
}

fn offset_at(consumer: &BaseConsumer, partition: i32, time: Timestamp) -> Result<Option<i64>, KafkaError> {
    let mut wanted = TopicPartitionList::new();
    wanted.add_partition_offset(topics::PUSH, partition, Offset::Offset(time.as_millisecond()))?;
    let found = consumer.offsets_for_times(wanted, REQUEST)?;
    let offset = found
        .find_partition(topics::PUSH, partition)
        .map(|found| found.offset());
    Ok(match offset {
        Some(Offset::Offset(offset)) => Some(offset),
        _ => None,
    })
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
