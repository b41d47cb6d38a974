//! The shipments of the partitions that a worker owns.
//!
//! The state of a shipment *is* its last record on `courier.shipment.v1`, kept encoded and compressed: most parcels rest
//! most of the time. What an open transaction changed can be taken back.

use std::collections::BTreeMap;

use courierflow_schemas::records::{Shipment, TimestampMicros};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use xxhash_rust::xxh3::xxh3_128;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// A shipment that reached its end is forgotten after this many days without an accepted push …
const TERMINAL_DAYS: i64 = 14;
/// … and any other after this many. ClickHouse keeps both.
const SILENT_DAYS: i64 = 60;

/// 128-bit hash of the record key: the key itself is in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyHash(u128);

impl KeyHash {
    /// Hash of a record key of `courier.shipment.v1`.
    pub(crate) fn of(key: &[u8]) -> Self {
        Self(xxh3_128(key))
    }
}

/// One shipment at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resting {
    /// The value of its last record, compressed.
    value: Box<[u8]>,
    /// First day (since 1970, of the stream) on which it is forgotten.
    expires_on: i32,
}

impl Resting {
    /// Compresses the value of a record.
    pub(crate) fn new(value: &[u8], received_at: TimestampMicros, is_terminal: bool) -> Self {
        let days = if is_terminal { TERMINAL_DAYS } else { SILENT_DAYS };
        Self {
            value: lz4_flex::block::compress_prepend_size(value).into_boxed_slice(),
            // The first whole day on which the time has passed.
            expires_on: day_of(received_at).saturating_add(i32::try_from(days + 1).unwrap_or(i32::MAX)),
        }
    }

    /// Compresses the value of `shipment`'s record.
    pub(crate) fn of(value: &[u8], shipment: &Shipment) -> Self {
        Self::new(value, shipment.received_at, shipment.status.is_terminal())
    }

    /// The value of the record; `None` only if memory was corrupted.
    pub(crate) fn value(&self) -> Option<Vec<u8>> {
        lz4_flex::block::decompress_size_prepended(&self.value).ok()
    }

    fn bytes(&self) -> usize {
        self.value.len()
    }
}

fn day_of(time: TimestampMicros) -> i32 {
    i32::try_from(time.0.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX)
}

/// The shipments of one partition and how far its stream of pushes has come.
#[derive(Default)]
pub(crate) struct Partition {
    shipments: HashMap<KeyHash, Resting>,
    /// Newest day seen in `received_at`: the only clock of derive.
    today: i32,
    bytes: usize,
}

impl Partition {
    /// A shipment read back from the topic.
    pub(crate) fn restore(&mut self, key: KeyHash, shipment: Resting, received_at: TimestampMicros) {
        self.today = self.today.max(day_of(received_at));
        self.replace(key, Some(shipment));
    }

    /// A tombstone read back from the topic.
    pub(crate) fn forget(&mut self, key: KeyHash) {
        self.replace(key, None);
    }

    fn replace(&mut self, key: KeyHash, value: Option<Resting>) -> Option<Resting> {
        let added = value.as_ref().map_or(0, Resting::bytes);
        let before = match (self.shipments.entry(key), value) {
            (Entry::Occupied(mut entry), Some(value)) => Some(entry.insert(value)),
            (Entry::Occupied(entry), None) => Some(entry.remove()),
            (Entry::Vacant(entry), Some(value)) => {
                entry.insert(value);
                None
            }
            (Entry::Vacant(_), None) => None,
        };
        self.bytes = self.bytes + added - before.as_ref().map_or(0, Resting::bytes);
        before
    }
}

/// A change that can be taken back.
enum Undo {
    Shipment {
        partition: i32,
        key: KeyHash,
        before: Option<Resting>,
    },
    Today {
        partition: i32,
        before: i32,
    },
}

/// All shipments of a worker, and what the open transaction changed.
#[derive(Default)]
pub(crate) struct State {
    partitions: BTreeMap<i32, Partition>,
    undo: Vec<Undo>,
}

impl State {
    /// Takes over a partition that was restored.
    pub(crate) fn insert_partition(&mut self, number: i32, partition: Partition) {
        self.partitions.insert(number, partition);
    }

    /// Gives a partition up; call with no transaction open.
    pub(crate) fn remove_partition(&mut self, number: i32) {
        self.partitions.remove(&number);
    }

    /// True when the partition was restored and not given up since.
    pub(crate) fn owns(&self, number: i32) -> bool {
        self.partitions.contains_key(&number)
    }

    /// The resting shipment of a key.
    pub(crate) fn get(&self, partition: i32, key: KeyHash) -> Option<&Resting> {
        self.partitions.get(&partition)?.shipments.get(&key)
    }

    /// Puts or, with `None`, forgets a shipment in the open transaction.
    pub(crate) fn put(&mut self, partition: i32, key: KeyHash, shipment: Option<Resting>) {
        let before = self.partitions.entry(partition).or_default().replace(key, shipment);
        self.undo.push(Undo::Shipment { partition, key, before });
    }

    /// Moves the stream of a partition to the day of `received_at`. When a new day begins, returns what is forgotten on
    /// it, in an order that does not depend on the map. Only whole days count: so it makes no difference whether a
    /// worker was restarted in between.
    pub(crate) fn advance(&mut self, partition: i32, received_at: TimestampMicros) -> Vec<(KeyHash, Resting)> {
        let today = day_of(received_at);
        let owned = self.partitions.entry(partition).or_default();
        if today <= owned.today {
            return Vec::new();
        }
        self.undo.push(Undo::Today {
            partition,
            before: owned.today,
        });
        owned.today = today;
        let expired = owned
            .shipments
            .iter()
            .filter(|(_, shipment)| shipment.expires_on <= today);
        let mut expired: Vec<_> = expired.map(|(key, shipment)| (*key, shipment.clone())).collect();
        expired.sort_unstable_by_key(|(key, _)| *key);
        expired
    }

    /// The open transaction was committed.
    pub(crate) fn commit(&mut self) {
        self.undo.clear();
    }

    /// The open transaction was aborted: everything is as it was when it began.
    pub(crate) fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Shipment { partition, key, before } => {
                    if let Some(partition) = self.partitions.get_mut(&partition) {
                        partition.replace(key, before);
                    }
                }
                Undo::Today { partition, before } => {
                    if let Some(partition) = self.partitions.get_mut(&partition) {
                        partition.today = before;
                    }
                }
            }
        }
    }

    /// Live shipments, and the bytes that their data take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let shipments = self
            .partitions
            .values()
            .map(|partition| partition.shipments.len())
            .sum();
        let entries = size_of::<(KeyHash, Resting)>();
        let bytes = self
            .partitions
            .values()
            .map(|owned| owned.bytes + owned.shipments.capacity() * entries)
            .sum();
        (shipments, bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const DAY: i64 = MICROS_PER_DAY;

    fn resting(text: &str, day: i64, is_terminal: bool) -> Resting {
        Resting::new(text.as_bytes(), TimestampMicros(day * DAY + 5), is_terminal)
    }

    fn key(name: &str) -> KeyHash {
        KeyHash::of(name.as_bytes())
    }

    #[test]
    fn a_resting_shipment_is_what_was_put() {
        let text = "包裹已到达".repeat(100);
        assert_eq!(resting(&text, 1, false).value().unwrap(), text.as_bytes());
    }

    #[test]
    fn an_aborted_transaction_leaves_nothing_behind() {
        let mut state = State::default();
        state.put(0, key("a"), Some(resting("first", 1, false)));
        state.commit();
        state.put(0, key("a"), Some(resting("second", 1, false)));
        state.put(0, key("a"), Some(resting("third", 1, false)));
        state.put(0, key("b"), Some(resting("new", 1, false)));
        state.put(0, key("a"), None);
        state.advance(0, TimestampMicros(9 * DAY));
        state.roll_back();
        assert_eq!(state.get(0, key("a")).unwrap().value().unwrap(), b"first");
        assert!(state.get(0, key("b")).is_none());
        assert_eq!(state.partitions.get(&0).unwrap().today, 0);
        assert_eq!(state.size().0, 1);
    }

    #[test]
    fn shipments_are_forgotten_on_whole_days_of_the_stream() {
        let mut state = State::default();
        state.put(0, key("ended"), Some(resting("x", 100, true)));
        state.put(0, key("open"), Some(resting("x", 100, false)));
        let expired_on = |state: &mut State, day: i64| {
            let expired = state.advance(0, TimestampMicros(day * DAY + DAY - 1));
            for (key, _) in &expired {
                state.put(0, *key, None);
            }
            expired.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(expired_on(&mut state, 114), []);
        assert_eq!(
            expired_on(&mut state, 115),
            [key("ended")],
            "14 days have passed, whatever the hour"
        );
        assert_eq!(expired_on(&mut state, 115), [], "once a day");
        assert_eq!(expired_on(&mut state, 160), []);
        assert_eq!(expired_on(&mut state, 161), [key("open")]);
        assert_eq!(state.size().0, 0);
    }

    #[test]
    fn other_partitions_are_untouched() {
        let mut state = State::default();
        state.put(0, key("a"), Some(resting("x", 1, true)));
        assert!(state.get(1, key("a")).is_none());
        assert!(state.advance(1, TimestampMicros(100 * DAY)).is_empty());
    }
}
