//! Calls of the vendors' APIs follow their parcels to new partitions: reconcile reads on the partition of a number what it was asked, and
//! would ask again too soon.
//!
//! Records of calls expire by themselves after a month, so those of before stay where they are, and each gets a copy on the partition of
//! its number. Whoever reads the topic sees these calls twice, with the same id, start and timestamp. A run that was killed has made some
//! of the copies; the next one finds them.

use std::collections::{BTreeSet, HashSet};

use courierflow_schemas::partition;
use courierflow_schemas::topics::{self, on_broker};
use rdkafka::Message;
use rdkafka::consumer::BaseConsumer;
use xxhash_rust::xxh3::xxh3_128;

use super::copies::{Copies, CopyError};
use super::move_state;
use crate::bounded_read::{self, ReadError};
use crate::config::Config;

/// Returns how many calls were copied. `partitions` is the number that the topic has.
pub(super) fn run(config: &Config, reader: &BaseConsumer, partitions: i32) -> anyhow::Result<usize> {
    let topic = on_broker(topics::VENDOR_CALL);
    let ranges = move_state::ranges(config, reader, topic, partitions)?;
    let mut found = Found::default();
    bounded_read::read(reader, topic, &ranges, |message| {
        found.take(message, partitions);
        Ok::<(), ReadError>(())
    })?;
    let missing = found.missing();
    if missing.is_empty() {
        return Ok(0);
    }
    let copies = Copies::new(config)?;
    bounded_read::read(reader, topic, &ranges, |message| {
        if missing.contains(&(message.partition(), message.offset())) {
            copies.send(message, right(message, partitions), None)?;
        }
        Ok::<(), CopyError>(())
    })?;
    copies.finish()?;
    Ok(missing.len())
}

/// The records of the topic.
#[derive(Default)]
struct Found {
    /// Content of those that are where they belong.
    placed: HashSet<u128>,
    /// Partition, offset and content of the others.
    misplaced: Vec<(i32, i64, u128)>,
}

impl Found {
    fn take(&mut self, message: &impl Message, partitions: i32) {
        let content = xxh3_128(message.payload().unwrap_or_default());
        if right(message, partitions) == message.partition() {
            self.placed.insert(content);
        } else {
            self.misplaced.push((message.partition(), message.offset(), content));
        }
    }

    /// The misplaced ones that have no copy yet.
    fn missing(&self) -> BTreeSet<(i32, i64)> {
        let missing = self
            .misplaced
            .iter()
            .filter(|(_, _, content)| !self.placed.contains(content));
        missing.map(|(partition, offset, _)| (*partition, *offset)).collect()
    }
}

fn right(message: &impl Message, partitions: i32) -> i32 {
    partition::of_key(message.key().unwrap_or_default(), partitions)
}
