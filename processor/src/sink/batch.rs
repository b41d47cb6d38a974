//! The records that go into one insert, and the limits of such a batch.
//!
//! A batch holds the records as they came from Kafka, in one buffer; rows are made while they are sent. So a batch needs
//! no more memory than its records, also when it is sent again, split in halves, or dead-lettered byte for byte.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::ops::Range;
use std::time::{Duration, Instant};

use courierflow_service::traces::Step;

use crate::config::SinkSettings;
use crate::dead_letter::Coordinates;

/// A record of the worker's topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceRecord<'a> {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since 1970, UTC.
    pub(crate) timestamp: Option<i64>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
}

impl SourceRecord<'_> {
    pub(crate) fn coordinates<'t>(&self, topic: &'t str) -> Coordinates<'t> {
        Coordinates {
            topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
        }
    }
}

/// The next offset to read, by partition; this is what is committed.
pub(crate) type Offsets = BTreeMap<i32, i64>;

/// When a batch is to be inserted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    rows: usize,
    bytes: usize,
    age: Duration,
}

impl From<&SinkSettings> for Limits {
    fn from(settings: &SinkSettings) -> Self {
        Self {
            rows: settings.max_batch_rows,
            bytes: settings.max_batch_bytes,
            age: Duration::from_millis(settings.max_batch_age_ms),
        }
    }
}

/// Records of one topic, in the order of each partition.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    entries: Vec<Entry>,
    /// Keys and values.
    contents: Vec<u8>,
    oldest: Option<Instant>,
    /// The steps of those records that are part of a trace; they end with the batch.
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Entry {
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
}

impl Batch {
    pub(crate) fn push(&mut self, record: SourceRecord<'_>, now: Instant) {
        self.oldest.get_or_insert(now);
        let entry = Entry {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(|key| self.keep(key)),
            value: record.value.map(|value| self.keep(value)),
        };
        self.entries.push(entry);
    }

    /// Adds the step of a record.
    pub(crate) fn follow(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn keep(&mut self, content: &[u8]) -> Range<usize> {
        let start = self.contents.len();
        self.contents.extend_from_slice(content);
        start..self.contents.len()
    }

    /// The record at a position.
    pub(crate) fn get(&self, position: usize) -> Option<SourceRecord<'_>> {
        let entry = self.entries.get(position)?;
        let content = |range: &Option<Range<usize>>| self.contents.get(range.clone()?);
        Some(SourceRecord {
            partition: entry.partition,
            offset: entry.offset,
            timestamp: entry.timestamp,
            key: content(&entry.key),
            value: content(&entry.value),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.contents.len() + self.entries.len() * size_of::<Entry>()
    }

    /// When its first record was read.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.oldest
    }

    /// Oldest timestamp of its records, milliseconds since 1970, UTC.
    pub(crate) fn oldest_timestamp(&self) -> Option<i64> {
        self.entries.iter().filter_map(|entry| entry.timestamp).min()
    }

    /// True if no further record may be added.
    pub(crate) fn is_full(&self, limits: Limits) -> bool {
        self.len() >= limits.rows || self.bytes() >= limits.bytes
    }

    /// True if it should be inserted now.
    pub(crate) fn is_due(&self, limits: Limits, now: Instant) -> bool {
        self.is_full(limits)
            || self
                .oldest
                .is_some_and(|oldest| now.saturating_duration_since(oldest) >= limits.age)
    }

    /// Drops the records of a partition that was revoked; its new owner reads them again. Their contents stay in the
    /// buffer until the batch is settled.
    pub(crate) fn forget_partition(&mut self, partition: i32) {
        self.entries.retain(|entry| entry.partition != partition);
        if self.entries.is_empty() {
            *self = Self::default();
        }
    }

    /// The offsets that may be committed once the batch is settled.
    pub(crate) fn offsets(&self) -> Offsets {
        let mut offsets = Offsets::new();
        for entry in &self.entries {
            offsets.insert(entry.partition, entry.offset + 1);
        }
        offsets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &[u8] = &[7; 10_000];

    fn record(partition: i32, offset: i64, value_bytes: usize) -> SourceRecord<'static> {
        SourceRecord {
            partition,
            offset,
            timestamp: Some(1_000 - offset),
            key: None,
            value: Some(&CONTENT[..value_bytes]),
        }
    }

    const OVERHEAD: usize = size_of::<Entry>();

    fn limits() -> Limits {
        Limits {
            rows: 3,
            bytes: 1_000,
            age: Duration::from_secs(1),
        }
    }

    #[test]
    fn records_come_out_as_they_went_in() {
        let tombstone = SourceRecord {
            key: Some(b"key"),
            value: None,
            ..record(2, 8, 0)
        };
        let empty = SourceRecord {
            key: Some(b""),
            value: Some(b""),
            timestamp: None,
            ..record(1, 9, 0)
        };
        let records = [record(0, 7, 5), tombstone, empty, record(0, 10, 1)];
        let mut batch = Batch::default();
        for record in records {
            batch.push(record, Instant::now());
        }
        for (position, record) in records.into_iter().enumerate() {
            assert_eq!(batch.get(position), Some(record));
        }
        assert_eq!(batch.get(4), None);
        assert_eq!(batch.oldest_timestamp(), Some(990));
    }

    #[test]
    fn limits_of_rows_bytes_and_age() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        // (name, bytes of the values, looked at after, full, due)
        let cases: [(&str, &[usize], u64, bool, bool); 8] = [
            ("empty", &[], 60_000, false, false),
            ("young and small", &[1], 999, false, false),
            ("old enough", &[1], 1_000, false, true),
            ("one row less", &[1, 1], 0, false, false),
            ("enough rows", &[1, 1, 1], 0, true, true),
            ("one byte less", &[999 - OVERHEAD], 0, false, false),
            ("enough bytes", &[1_000 - OVERHEAD], 0, true, true),
            ("a record larger than a batch", &[5_000], 0, true, true),
        ];
        for (name, values, millis, full, due) in cases {
            let mut batch = Batch::default();
            for (offset, bytes) in (0..).zip(values) {
                batch.push(record(0, offset, *bytes), start);
            }
            assert_eq!(batch.is_full(limits()), full, "{name}: full");
            assert_eq!(batch.is_due(limits(), after(millis)), due, "{name}: due");
        }
    }

    #[test]
    fn age_is_that_of_the_first_record() {
        let start = Instant::now();
        let mut batch = Batch::default();
        batch.push(record(0, 0, 1), start);
        batch.push(record(0, 1, 1), start + Duration::from_millis(900));
        assert!(batch.is_due(limits(), start + Duration::from_secs(1)));
    }

    #[test]
    fn offsets_are_the_next_to_read() {
        let now = Instant::now();
        let mut batch = Batch::default();
        // Offsets have gaps: transaction markers, compaction.
        for (partition, offset) in [(0, 5), (1, 70), (0, 6), (0, 9), (1, 71)] {
            batch.push(record(partition, offset, 1), now);
        }
        assert_eq!(batch.offsets(), Offsets::from([(0, 10), (1, 72)]));
    }

    #[test]
    fn a_partition_that_is_gone_leaves_nothing_behind() {
        let now = Instant::now();
        let mut batch = Batch::default();
        batch.push(record(0, 5, 100), now);
        batch.push(record(1, 6, 200), now);
        batch.forget_partition(0);
        assert_eq!(batch.offsets(), Offsets::from([(1, 7)]));
        assert_eq!(batch.get(0), Some(record(1, 6, 200)));
        batch.forget_partition(1);
        assert!(batch.is_empty());
        assert_eq!(batch.bytes(), 0);
        assert!(!batch.is_due(limits(), now + Duration::from_mins(1)));
    }
}
