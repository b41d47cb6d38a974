//! The shipments of the partitions that a worker owns.
//!
//! Of a shipment at rest there is what derive must remember, packed, and the offset of its last record on
//! `courier.shipment.v1`, where the rest can be read back. Records of the open transaction cannot be read yet, so they are
//! kept until it ends. What an open transaction changed can be taken back.

use std::collections::BTreeMap;

use courierflow_schemas::records::TimestampMicros;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use xxhash_rust::xxh3::xxh3_128;

use courierflow_domain::{Memory, StreamDay};

/// 128-bit hash of the record key: the key itself rests with the shipment.
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
    /// Length of the key, the key, the [`Memory`].
    packed: Box<[u8]>,
    /// Of its last record; unknown until the transaction that produced it is committed.
    offset: i64,
    /// First day of the stream on which it is forgotten.
    expires_on: StreamDay,
}

/// The offset of a record that is not yet committed.
const UNKNOWN_OFFSET: i64 = -1;

impl Resting {
    /// A shipment whose last record is at `offset`; `memory` is packed.
    pub(crate) fn at(offset: i64, key: &[u8], memory: &[u8], expires_on: StreamDay) -> Result<Self, postcard::Error> {
        let mut packed = postcard::to_extend(key, Vec::with_capacity(key.len() + memory.len() + 2))?;
        packed.extend_from_slice(memory);
        Ok(Self {
            packed: packed.into_boxed_slice(),
            offset,
            expires_on,
        })
    }

    /// A shipment whose last record is in the open transaction.
    pub(crate) fn uncommitted(key: &[u8], memory: &[u8], expires_on: StreamDay) -> Result<Self, postcard::Error> {
        Self::at(UNKNOWN_OFFSET, key, memory, expires_on)
    }

    /// The key of its record.
    pub(crate) fn key(&self) -> Result<&[u8], postcard::Error> {
        postcard::from_bytes(&self.packed)
    }

    /// What is remembered of it.
    pub(crate) fn memory(&self) -> Result<Memory, postcard::Error> {
        let (_, memory) = postcard::take_from_bytes::<&[u8]>(&self.packed)?;
        Memory::from_bytes(memory)
    }

    fn bytes(&self) -> usize {
        self.packed.len()
    }
}

/// Where the record of a shipment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record<'s> {
    /// On the topic, committed.
    At(i64),
    /// In the open transaction: this is its value.
    Uncommitted(&'s [u8]),
}

/// The shipments of one partition and how far its stream of pushes has come.
#[derive(Default)]
pub(crate) struct Partition {
    shipments: HashMap<KeyHash, Resting>,
    /// Newest day seen: the only clock of derive.
    today: StreamDay,
    bytes: usize,
    /// The group's committed offset of the push partition when it was like this; `None` before the first commit.
    as_of: Option<i64>,
}

impl Partition {
    /// What the topic will show of a partition whose pushes are derived up to the committed offset `as_of`.
    pub(crate) fn new(as_of: Option<i64>) -> Self {
        Self {
            as_of,
            ..Self::default()
        }
    }

    /// A shipment read back from the topic.
    pub(crate) fn restore(&mut self, key: KeyHash, shipment: Resting, received_at: TimestampMicros) {
        self.today = self.today.max(StreamDay::of(received_at));
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
        before: StreamDay,
    },
}

/// All shipments of a worker, and what the open transaction changed.
#[derive(Default)]
pub(crate) struct State {
    partitions: BTreeMap<i32, Partition>,
    /// Given up in a rebalance that may give them back.
    aside: BTreeMap<i32, Partition>,
    undo: Vec<Undo>,
    /// The values of the newest shipment records of the open transaction.
    uncommitted: HashMap<(i32, KeyHash), Vec<u8>>,
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

    /// Gives a partition up that may come back; call with no transaction open.
    pub(crate) fn set_aside(&mut self, number: i32) {
        if let Some(partition) = self.partitions.remove(&number) {
            self.aside.insert(number, partition);
        }
    }

    /// True when all of them were set aside.
    pub(crate) fn holds_aside(&self, numbers: &[i32]) -> bool {
        numbers.iter().all(|number| self.aside.contains_key(number))
    }

    /// Takes a partition up again, if nobody has derived anything of it meanwhile: whoever derives moves the committed
    /// offset in the same transaction.
    pub(crate) fn take_up(&mut self, number: i32, committed: Option<i64>) -> bool {
        match self.aside.remove(&number) {
            Some(partition) if partition.as_of == committed => {
                self.partitions.insert(number, partition);
                true
            }
            _ => false,
        }
    }

    /// Forgets what was set aside and did not come back.
    pub(crate) fn drop_aside(&mut self) {
        self.aside.clear();
    }

    /// True when the partition was restored and not given up since.
    pub(crate) fn owns(&self, number: i32) -> bool {
        self.partitions.contains_key(&number)
    }

    /// The group's committed offset of each partition, where there is one.
    pub(crate) fn committed_offsets(&self) -> BTreeMap<i32, i64> {
        let owned = self.partitions.iter();
        owned
            .filter_map(|(number, partition)| Some((*number, partition.as_of?)))
            .collect()
    }

    /// The resting shipment of a key.
    pub(crate) fn get(&self, partition: i32, key: KeyHash) -> Option<&Resting> {
        self.partitions.get(&partition)?.shipments.get(&key)
    }

    /// Where the record of a resting shipment is.
    pub(crate) fn record(&self, partition: i32, key: KeyHash) -> Option<Record<'_>> {
        if let Some(value) = self.uncommitted.get(&(partition, key)) {
            return Some(Record::Uncommitted(value));
        }
        self.get(partition, key).map(|shipment| Record::At(shipment.offset))
    }

    /// Puts a shipment, the value of whose record is `value`, in the open transaction.
    pub(crate) fn put(&mut self, partition: i32, key: KeyHash, shipment: Resting, value: &[u8]) {
        self.uncommitted.insert((partition, key), value.to_vec());
        self.replace(partition, key, Some(shipment));
    }

    /// Forgets a shipment in the open transaction.
    pub(crate) fn forget(&mut self, partition: i32, key: KeyHash) {
        self.uncommitted.remove(&(partition, key));
        self.replace(partition, key, None);
    }

    fn replace(&mut self, partition: i32, key: KeyHash, shipment: Option<Resting>) {
        let before = self.partitions.entry(partition).or_default().replace(key, shipment);
        self.undo.push(Undo::Shipment { partition, key, before });
    }

    /// The newest day of a partition's stream.
    pub(crate) fn today(&self, partition: i32) -> StreamDay {
        self.partitions
            .get(&partition)
            .map_or_else(StreamDay::default, |owned| owned.today)
    }

    /// A new day of a partition's stream begins: returns what is forgotten on it, in an order that does not depend on the
    /// map.
    pub(crate) fn advance(&mut self, partition: i32, today: StreamDay) -> Vec<(KeyHash, Resting)> {
        let owned = self.partitions.entry(partition).or_default();
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

    /// The open transaction was committed; `records` tells at which offset the broker stored what, `offsets` how far the
    /// pushes of each partition are derived now.
    pub(crate) fn commit(
        &mut self,
        records: impl IntoIterator<Item = (i32, KeyHash, i64)>,
        offsets: &BTreeMap<i32, i64>,
    ) {
        self.undo.clear();
        self.uncommitted.clear();
        for (partition, offset) in offsets {
            if let Some(owned) = self.partitions.get_mut(partition) {
                owned.as_of = Some(*offset);
            }
        }
        for (partition, key, offset) in records {
            let owned = self.partitions.get_mut(&partition);
            if let Some(shipment) = owned.and_then(|owned| owned.shipments.get_mut(&key)) {
                // Of several records of one transaction the last counts.
                shipment.offset = shipment.offset.max(offset);
            }
        }
    }

    /// The open transaction was aborted: everything is as it was when it began.
    pub(crate) fn roll_back(&mut self) {
        self.uncommitted.clear();
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
pub(super) mod tests {
    use courierflow_schemas::records::{Identity, Shipment, Vendor};

    use super::*;

    const DAY: i64 = 86_400_000_000;

    /// A shipment without events.
    pub(in crate::derive) fn shipment() -> Shipment {
        Shipment {
            version: 9,
            received_at: TimestampMicros(1_760_000_000_123_456),
            ..Shipment::bare(Identity::of(Vendor::Kdniao, "yto", "YT1"))
        }
    }

    fn memory(version: i64, day: i64, is_terminal: bool) -> Memory {
        let mut memory = Memory::of(&Shipment {
            version,
            received_at: TimestampMicros(day * DAY + 5),
            ..shipment()
        });
        memory.is_terminal = is_terminal;
        memory
    }

    fn day(day: i64) -> StreamDay {
        StreamDay::of(TimestampMicros(day * DAY))
    }

    fn key(name: &str) -> KeyHash {
        KeyHash::of(name.as_bytes())
    }

    /// Puts a shipment in the open transaction.
    fn put(state: &mut State, name: &str, memory: &Memory) {
        let packed = memory.to_bytes().unwrap();
        let shipment = Resting::uncommitted(name.as_bytes(), &packed, memory.expires_on()).unwrap();
        state.put(0, key(name), shipment, &memory.version().to_be_bytes());
    }

    fn version(state: &State, name: &str) -> Option<i64> {
        Some(state.get(0, key(name))?.memory().unwrap().version())
    }

    #[test]
    fn a_resting_shipment_is_what_was_put() {
        let memory = memory(7, 1, false);
        let packed = memory.to_bytes().unwrap();
        let resting = Resting::at(3, b"kdniao:yto:YT1", &packed, memory.expires_on()).unwrap();
        assert_eq!(resting.key().unwrap(), b"kdniao:yto:YT1");
        assert_eq!(resting.memory().unwrap(), memory);
    }

    #[test]
    fn a_record_is_in_the_open_transaction_and_then_on_the_topic() {
        let mut state = State::default();
        assert_eq!(state.record(0, key("a")), None);
        put(&mut state, "a", &memory(1, 1, false));
        put(&mut state, "a", &memory(2, 1, false));
        assert_eq!(
            state.record(0, key("a")),
            Some(Record::Uncommitted(&2_i64.to_be_bytes()))
        );
        state.commit(
            [(0, key("a"), 41), (0, key("a"), 40), (9, key("a"), 77)],
            &BTreeMap::new(),
        );
        assert_eq!(state.record(0, key("a")), Some(Record::At(41)));
        put(&mut state, "a", &memory(3, 1, false));
        state.roll_back();
        assert_eq!(state.record(0, key("a")), Some(Record::At(41)));
        state.forget(0, key("a"));
        assert_eq!(state.record(0, key("a")), None);
        state.roll_back();
        assert_eq!(state.record(0, key("a")), Some(Record::At(41)));
    }

    #[test]
    fn a_partition_comes_back_unless_somebody_has_derived_of_it_meanwhile() {
        let with_one = |as_of| {
            let mut state = State::default();
            state.insert_partition(0, Partition::new(as_of));
            put(&mut state, "a", &memory(1, 1, false));
            state
        };
        for (committed, comes_back) in [(Some(12), true), (Some(13), false), (Some(11), false), (None, false)] {
            let mut state = with_one(Some(5));
            state.commit([(0, key("a"), 1)], &[(0, 12)].into());
            state.set_aside(0);
            assert!(!state.owns(0));
            assert_eq!(state.take_up(0, committed), comes_back, "{committed:?}");
            assert_eq!(version(&state, "a").is_some(), comes_back);
            assert!(!state.take_up(0, committed), "only once");
        }
        // An aborted transaction moves nothing.
        let mut state = with_one(None);
        state.roll_back();
        state.set_aside(0);
        assert!(state.take_up(0, None));
        // Somebody else has it now.
        state.set_aside(0);
        state.drop_aside();
        assert!(!state.take_up(0, None));
    }

    #[test]
    fn an_aborted_transaction_leaves_nothing_behind() {
        let mut state = State::default();
        put(&mut state, "a", &memory(1, 1, false));
        state.commit([(0, key("a"), 1)], &BTreeMap::new());
        let size = state.size();
        put(&mut state, "a", &memory(2, 1, false));
        put(&mut state, "a", &memory(3, 1, false));
        put(&mut state, "b", &memory(4, 1, false));
        state.forget(0, key("a"));
        state.advance(0, day(9));
        state.roll_back();
        assert_eq!(version(&state, "a"), Some(1));
        assert_eq!(version(&state, "b"), None);
        assert_eq!(state.partitions.get(&0).unwrap().today, StreamDay::default());
        assert_eq!(state.size(), size);
    }

    #[test]
    fn shipments_are_forgotten_on_whole_days_of_the_stream() {
        let mut state = State::default();
        put(&mut state, "ended", &memory(1, 100, true));
        put(&mut state, "open", &memory(1, 100, false));
        let expired_on = |state: &mut State, day: i64| {
            let expired = state.advance(0, self::day(day));
            for (key, _) in &expired {
                state.forget(0, *key);
            }
            expired.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(expired_on(&mut state, 114), []);
        assert_eq!(expired_on(&mut state, 115), [key("ended")]);
        assert_eq!(expired_on(&mut state, 160), []);
        assert_eq!(expired_on(&mut state, 161), [key("open")]);
        assert_eq!(state.size().0, 0);
    }

    #[test]
    fn other_partitions_are_untouched() {
        let mut state = State::default();
        put(&mut state, "a", &memory(1, 1, true));
        assert!(state.get(1, key("a")).is_none());
        assert!(state.advance(1, day(100)).is_empty());
    }
}
