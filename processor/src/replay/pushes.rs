//! The push topic, read partition by partition.

use std::collections::HashMap;

use courierflow_schemas::partition;
use courierflow_schemas::records::{PushEvent, TimestampMicros};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::Authenticated;
use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use xxhash_rust::xxh3::xxh3_128;

use super::ReplayError;
use super::counts::Counts;
use super::partition::{Derivation, Partition};
use super::row_buffer::{Insert, RowBuffer};
use crate::bounded_read::{self, REQUEST, Range, ReadError};
use crate::config::Config;

/// The push events of a period.
pub(super) struct Pushes {
    consumer: Authenticated<BaseConsumer>,
    /// The ranges of the partitions that have any.
    ranges: Vec<Range>,
    /// Of the topic, now.
    partitions: i32,
    derivation: Derivation,
    covered_from: Option<TimestampMicros>,
    /// By hash of its number: the newest push of a parcel that was on another partition than its own.
    elsewhere: HashMap<u128, TimestampMicros>,
}

impl Pushes {
    /// Selects everything that is on the topic now, from `from` on.
    pub(super) fn open(
        config: &Config,
        registry: &Registry,
        ids: SchemaIds,
        from: Option<Timestamp>,
    ) -> Result<Self, ReplayError> {
        let options = config.derive.options()?;
        let consumer = bounded_read::consumer(&config.kafka, "courierflow-replay").map_err(ReadError::from)?;
        let partitions = bounded_read::partitions(&consumer, on_broker(topics::PUSH))?;
        Ok(Self {
            ranges: ranges(&consumer, partitions, from)?,
            partitions,
            consumer,
            derivation: Derivation::new(registry, ids, config.carriers, options),
            covered_from: None,
            elsewhere: HashMap::new(),
        })
    }

    /// The ranges to [`derive`](Self::derive).
    pub(super) fn ranges(&self) -> Vec<Range> {
        self.ranges.clone()
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.derivation.counts
    }

    /// The latest start time among the partitions that are not read from their beginning: all pushes of a parcel were read if
    /// its first push is not older. `None` if everything was read.
    pub(super) fn covered_from(&mut self) -> Result<Option<TimestampMicros>, ReplayError> {
        self.pass_over_divided_parcels()?;
        Ok(self.covered_from)
    }

    /// A parcel that was pushed before and after the topics grew has pushes on two partitions, of which each was derived
    /// without the other.
    fn pass_over_divided_parcels(&mut self) -> Result<(), ReplayError> {
        if self.elsewhere.is_empty() {
            return Ok(());
        }
        let Self {
            consumer,
            covered_from,
            elsewhere,
            ..
        } = self;
        bounded_read::read(consumer, on_broker(topics::PUSH), &self.ranges, |message| {
            let key = message.key().unwrap_or_default();
            if partition::of_key(key, self.partitions) == message.partition()
                && let Some(newest) = elsewhere.get(&xxh3_128(key))
            {
                *covered_from = (*covered_from).max(Some(TimestampMicros(newest.0.saturating_add(1))));
            }
            Ok::<(), ReplayError>(())
        })
    }

    /// Derives a partition and passes its rows to `insert` in batches.
    pub(super) fn derive(&mut self, range: Range, insert: impl Insert) -> Result<(), ReplayError> {
        let Self {
            consumer,
            derivation,
            covered_from,
            elsewhere,
            partitions,
            ..
        } = self;
        let partitions = *partitions;
        let mut partition = Partition::default();
        let mut rows = RowBuffer::new(insert);
        let mut cuts_the_past_off = range.first > 0;
        bounded_read::read(consumer, on_broker(topics::PUSH), &[range], |message| {
            let event = derivation.take(message, &mut partition, &mut rows)?;
            if std::mem::take(&mut cuts_the_past_off) {
                *covered_from = (*covered_from).max(Some(begins_at(message, event.as_ref())));
            }
            let key = message.key().unwrap_or_default();
            if partition::of_key(key, partitions) != message.partition() {
                let newest = elsewhere.entry(xxh3_128(key)).or_default();
                *newest = (*newest).max(begins_at(message, event.as_ref()));
            }
            Ok::<(), ReplayError>(())
        })?;
        derivation.finish(partition, &mut rows)?;
        rows.finish()
    }
}

/// When the first record was received. The record's timestamp is used, too, because a replayed dead letter was received
/// long before the records around it.
fn begins_at(message: &impl Message, event: Option<&PushEvent>) -> TimestampMicros {
    let written_at = message
        .timestamp()
        .to_millis()
        .map(|millis| millis.saturating_mul(1_000));
    let received_at = event.map(|event| event.received_at.0);
    TimestampMicros(written_at.max(received_at).unwrap_or_default())
}

/// The first and the end offset of each partition.
fn ranges(consumer: &BaseConsumer, partitions: i32, from: Option<Timestamp>) -> Result<Vec<Range>, ReadError> {
    let mut ranges = Vec::new();
    for partition in 0..partitions {
        let (low, end) = consumer.fetch_watermarks(on_broker(topics::PUSH), partition, REQUEST)?;
        let first = match from {
            None => low,
            // If no record is that new, start at the end.
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
    wanted.add_partition_offset(
        on_broker(topics::PUSH),
        partition,
        Offset::Offset(time.as_millisecond()),
    )?;
    let found = consumer.offsets_for_times(wanted, REQUEST)?;
    let offset = found
        .find_partition(on_broker(topics::PUSH), partition)
        .map(|found| found.offset());
    Ok(match offset {
        Some(Offset::Offset(offset)) => Some(offset),
        _ => None,
    })
}
