//! The shipments of the partitions that a worker owns.
//!
//! Records of the open transaction cannot be read back yet, so they are kept in memory until it ends. Its changes can be rolled
//! back.

use std::collections::BTreeMap;

use courierflow_schemas::records::TimestampMicros;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use courierflow_domain::StreamDay;

use super::progress::Progress;
use super::state_entry::{KeyHash, StateEntry, StoredShipment};

/// Where the last record of a shipment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastRecord<'s> {
    /// On the topic, committed, at this offset.
    At(i64),
    /// In the open transaction, with this value.
    Uncommitted(&'s [u8]),
}

/// The shipments of one partition, and how far its pushes have been derived.
#[derive(Default)]
pub(super) struct Partition {
    shipments: HashMap<KeyHash, StateEntry>,
    /// Newest day of the stream: derive's only clock.
    today: StreamDay,
    bytes: usize,
    /// The offset that the partition of the shipment topic reaches at least.
    end: i64,
    /// The group's progress on the push partition that this state corresponds to; `None` before the first commit.
    as_of: Option<Progress>,
}

impl Partition {
    /// An empty partition whose pushes are derived up to the committed progress `as_of`, and whose shipments reach to `end`.
    pub(super) fn new(as_of: Option<Progress>, end: i64) -> Self {
        Self {
            end,
            as_of,
            ..Self::default()
        }
    }

    /// The group's progress on the push partition that this state corresponds to.
    pub(super) fn as_of(&self) -> Option<Progress> {
        self.as_of
    }

    /// True if pushes were derived and the group's progress on them is gone. Both were committed together, so Kafka has dropped it.
    pub(super) fn has_lost_its_place(&self) -> bool {
        self.as_of.is_none() && !self.shipments.is_empty()
    }

    /// Adds a shipment that was read from the topic.
    pub(super) fn restore(&mut self, key: KeyHash, shipment: StateEntry, received_at: TimestampMicros) {
        self.today = self.today.max(StreamDay::of(received_at));
        self.replace(key, Some(shipment));
    }

    /// Removes a shipment whose tombstone was read from the topic.
    pub(super) fn forget(&mut self, key: KeyHash) {
        self.replace(key, None);
    }

    fn replace(&mut self, key: KeyHash, value: Option<StateEntry>) -> Option<StateEntry> {
        let added = value.as_ref().map_or(0, StateEntry::bytes);
        let before = match (self.shipments.entry(key), value) {
            (Entry::Occupied(mut entry), Some(value)) => Some(entry.insert(value)),
            (Entry::Occupied(entry), None) => Some(entry.remove()),
            (Entry::Vacant(entry), Some(value)) => {
                entry.insert(value);
                None
            }
            (Entry::Vacant(_), None) => None,
        };
        self.bytes = self.bytes + added - before.as_ref().map_or(0, StateEntry::bytes);
        before
    }
}

/// A change that can be rolled back.
enum Undo {
    Shipment {
        partition: i32,
        key: KeyHash,
        before: Option<StateEntry>,
    },
    Today {
        partition: i32,
        before: StreamDay,
    },
}

/// All shipments of a worker, and the changes of the open transaction.
#[derive(Default)]
pub(super) struct StateStore {
    partitions: BTreeMap<i32, Partition>,
    /// Parked partitions: revoked in a rebalance that may assign them again.
    parked: BTreeMap<i32, Partition>,
    undo: Vec<Undo>,
    /// The values of the newest shipment records of the open transaction.
    uncommitted: HashMap<(i32, KeyHash), Vec<u8>>,
}

impl StateStore {
    /// Adds a restored partition.
    pub(super) fn insert_partition(&mut self, number: i32, partition: Partition) {
        self.partitions.insert(number, partition);
    }

    /// Removes a partition. Call it with no transaction open.
    pub(super) fn remove_partition(&mut self, number: i32) {
        self.partitions.remove(&number);
    }

    /// Parks a revoked partition, which may be assigned again. Call it with no transaction open.
    pub(super) fn park(&mut self, number: i32) {
        if let Some(partition) = self.partitions.remove(&number) {
            self.parked.insert(number, partition);
        }
    }

    /// True if all of these partitions are parked.
    pub(super) fn has_parked(&self, numbers: &[i32]) -> bool {
        numbers.iter().all(|number| self.parked.contains_key(number))
    }

    /// Reclaims a parked partition if no other worker has derived from it meanwhile. The committed offset shows that,
    /// because it moves in the same transaction as the derived records.
    pub(super) fn reclaim(&mut self, number: i32, committed: Option<Progress>) -> bool {
        match self.parked.remove(&number) {
            Some(partition) if partition.as_of == committed => {
                self.partitions.insert(number, partition);
                true
            }
            _ => false,
        }
    }

    /// Drops the parked partitions that were not assigned again.
    pub(super) fn drop_parked(&mut self) {
        self.parked.clear();
    }

    /// True if the partition is restored and neither removed nor parked.
    pub(super) fn owns(&self, number: i32) -> bool {
        self.partitions.contains_key(&number)
    }

    /// The group's committed offset of each partition that has one.
    pub(super) fn committed_offsets(&self) -> BTreeMap<i32, i64> {
        let owned = self.partitions.iter();
        owned
            .filter_map(|(number, partition)| Some((*number, partition.as_of?.offset)))
            .collect()
    }

    /// The offset that the shipments of a partition reach at least, without those of the open transaction.
    pub(super) fn end(&self, partition: i32) -> i64 {
        self.partitions.get(&partition).map_or(0, |owned| owned.end)
    }

    /// What of the push event at `offset` is committed already.
    pub(super) fn progress_at(&self, partition: i32, offset: i64) -> Progress {
        let as_of = self.partitions.get(&partition).and_then(|owned| owned.as_of);
        let same = as_of.filter(|as_of| as_of.offset == offset);
        same.unwrap_or(Progress::at(offset))
    }

    /// The entry of a key.
    pub(super) fn get(&self, partition: i32, key: KeyHash) -> Option<&StateEntry> {
        self.partitions.get(&partition)?.shipments.get(&key)
    }

    /// Where the last record of a shipment is.
    pub(super) fn last_record(&self, partition: i32, key: KeyHash) -> Option<LastRecord<'_>> {
        if let Some(value) = self.uncommitted.get(&(partition, key)) {
            return Some(LastRecord::Uncommitted(value));
        }
        self.get(partition, key).map(|shipment| LastRecord::At(shipment.offset))
    }

    /// Stores a shipment in the open transaction; `value` is the value of its record.
    pub(super) fn put(&mut self, partition: i32, key: KeyHash, shipment: StateEntry, value: &[u8]) {
        self.uncommitted.insert((partition, key), value.to_vec());
        self.replace(partition, key, Some(shipment));
    }

    /// Removes a shipment in the open transaction.
    pub(super) fn forget(&mut self, partition: i32, key: KeyHash) {
        self.uncommitted.remove(&(partition, key));
        self.replace(partition, key, None);
    }

    fn replace(&mut self, partition: i32, key: KeyHash, shipment: Option<StateEntry>) {
        let before = self.partitions.entry(partition).or_default().replace(key, shipment);
        self.undo.push(Undo::Shipment { partition, key, before });
    }

    /// The newest day of a partition's stream.
    pub(super) fn today(&self, partition: i32) -> StreamDay {
        self.partitions
            .get(&partition)
            .map_or_else(StreamDay::default, |owned| owned.today)
    }

    /// The shipments of a partition that expire by `day`, in an order that does not depend on the map: the first `limit` of them, and
    /// whether these are all.
    pub(super) fn expired(&self, partition: i32, day: StreamDay, limit: usize) -> (Vec<(KeyHash, StateEntry)>, bool) {
        let Some(owned) = self.partitions.get(&partition) else {
            return (Vec::new(), true);
        };
        let expired = owned
            .shipments
            .iter()
            .filter(|(_, shipment)| shipment.expires_on <= day);
        let mut expired: Vec<_> = expired.collect();
        expired.sort_unstable_by_key(|(key, _)| **key);
        let first = expired
            .iter()
            .take(limit)
            .map(|(key, shipment)| (**key, (*shipment).clone()));
        (first.collect(), expired.len() <= limit)
    }

    /// Moves a partition's stream to a new day.
    pub(super) fn advance(&mut self, partition: i32, today: StreamDay) {
        let owned = self.partitions.entry(partition).or_default();
        self.undo.push(Undo::Today {
            partition,
            before: owned.today,
        });
        owned.today = today;
    }

    /// Applies the commit of the open transaction: `records` says where the broker stored its shipment records,
    /// `progress` how far the pushes of each partition are derived now.
    pub(super) fn commit(
        &mut self,
        records: impl IntoIterator<Item = StoredShipment>,
        progress: &BTreeMap<i32, Progress>,
    ) {
        self.undo.clear();
        self.uncommitted.clear();
        for (partition, progress) in progress {
            if let Some(owned) = self.partitions.get_mut(partition) {
                owned.as_of = Some(*progress);
                owned.end = owned.end.max(progress.shipments);
            }
        }
        for StoredShipment { partition, key, offset } in records {
            let owned = self.partitions.get_mut(&partition);
            if let Some(shipment) = owned.and_then(|owned| owned.shipments.get_mut(&key)) {
                // If a transaction has several records of a shipment, the last one counts.
                shipment.offset = shipment.offset.max(offset);
            }
        }
    }

    /// Undoes the open transaction: the state is again as it was when the transaction began.
    pub(super) fn roll_back(&mut self) {
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

    /// Number of shipments, and the bytes that their data take.
    pub(super) fn size(&self) -> (usize, usize) {
        let shipments = self
            .partitions
            .values()
            .map(|partition| partition.shipments.len())
            .sum();
        let entries = size_of::<(KeyHash, StateEntry)>();
        let bytes = self
            .partitions
            .values()
            .map(|owned| owned.bytes + owned.shipments.capacity() * entries)
            .sum();
        (shipments, bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use courierflow_domain::Memory;
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

    /// A record of `a`.
    fn stored(partition: i32, offset: i64) -> StoredShipment {
        StoredShipment {
            partition,
            key: key("a"),
            offset,
        }
    }

    /// Stores a shipment in the open transaction.
    fn put(state: &mut StateStore, name: &str, memory: &Memory) {
        let packed = memory.to_bytes().unwrap();
        let shipment = StateEntry::uncommitted(name.as_bytes(), &packed, memory.expires_on()).unwrap();
        state.put(0, key(name), shipment, &memory.version().to_be_bytes());
    }

    fn version(state: &StateStore, name: &str) -> Option<i64> {
        Some(state.get(0, key(name))?.memory().unwrap().version())
    }

    #[test]
    fn a_record_is_in_the_open_transaction_and_then_on_the_topic() {
        let mut state = StateStore::default();
        assert_eq!(state.last_record(0, key("a")), None);
        put(&mut state, "a", &memory(1, 1, false));
        put(&mut state, "a", &memory(2, 1, false));
        assert_eq!(
            state.last_record(0, key("a")),
            Some(LastRecord::Uncommitted(&2_i64.to_be_bytes()))
        );
        state.commit([stored(0, 41), stored(0, 40), stored(9, 77)], &BTreeMap::new());
        assert_eq!(state.last_record(0, key("a")), Some(LastRecord::At(41)));
        put(&mut state, "a", &memory(3, 1, false));
        state.roll_back();
        assert_eq!(state.last_record(0, key("a")), Some(LastRecord::At(41)));
        state.forget(0, key("a"));
        assert_eq!(state.last_record(0, key("a")), None);
        state.roll_back();
        assert_eq!(state.last_record(0, key("a")), Some(LastRecord::At(41)));
    }

    #[test]
    fn a_partition_comes_back_unless_somebody_has_derived_of_it_meanwhile() {
        let with_one = |as_of| {
            let mut state = StateStore::default();
            state.insert_partition(0, Partition::new(as_of, 0));
            put(&mut state, "a", &memory(1, 1, false));
            state
        };
        let expired = |expired| Progress {
            expired,
            ..Progress::at(12)
        };
        for (committed, comes_back) in [
            (Some(expired(9)), true),
            (Some(expired(10)), false),
            (Some(Progress::at(12)), false),
            (Some(Progress::at(13)), false),
            (Some(Progress::at(11)), false),
            (None, false),
        ] {
            let mut state = with_one(Some(Progress::at(5)));
            state.commit([stored(0, 1)], &[(0, expired(9))].into());
            state.park(0);
            assert!(!state.owns(0));
            assert_eq!(state.reclaim(0, committed), comes_back, "{committed:?}");
            assert_eq!(version(&state, "a").is_some(), comes_back);
            assert!(!state.reclaim(0, committed), "only once");
        }
        // An aborted transaction moves nothing.
        let mut state = with_one(None);
        state.roll_back();
        state.park(0);
        assert!(state.reclaim(0, None));
        // Another worker has the partition now.
        state.park(0);
        state.drop_parked();
        assert!(!state.reclaim(0, None));
    }

    #[test]
    fn a_partition_reaches_as_far_as_it_was_restored_and_what_was_committed_since() {
        let mut state = StateStore::default();
        state.insert_partition(0, Partition::new(None, 7));
        assert_eq!((state.end(0), state.end(1)), (7, 0));
        let progress = Progress {
            shipments: 9,
            ..Progress::at(1)
        };
        state.commit([stored(0, 8)], &[(0, progress)].into());
        assert_eq!(state.end(0), 9);
    }

    #[test]
    fn an_aborted_transaction_leaves_nothing_behind() {
        let mut state = StateStore::default();
        put(&mut state, "a", &memory(1, 1, false));
        state.commit([stored(0, 1)], &BTreeMap::new());
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
        let mut state = StateStore::default();
        put(&mut state, "ended", &memory(1, 100, true));
        put(&mut state, "open", &memory(1, 100, false));
        let expired_on = |state: &mut StateStore, day: i64| {
            let (expired, _) = state.expired(0, self::day(day), 9);
            state.advance(0, self::day(day));
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
    fn more_shipments_expire_in_parts_in_the_same_order() {
        let mut state = StateStore::default();
        for name in ["a", "b", "c", "d", "e"] {
            put(&mut state, name, &memory(1, 100, true));
        }
        put(&mut state, "open", &memory(1, 100, false));
        let (all, are_all) = state.expired(0, day(115), 5);
        assert!(are_all && all.len() == 5);
        let mut in_parts = Vec::new();
        loop {
            let (some, are_all) = state.expired(0, day(115), 2);
            for (key, entry) in some {
                state.forget(0, key);
                in_parts.push((key, entry));
            }
            if are_all {
                break;
            }
        }
        assert_eq!(in_parts, all);
        assert_eq!(version(&state, "open"), Some(1));
    }

    #[test]
    fn other_partitions_are_untouched() {
        let mut state = StateStore::default();
        put(&mut state, "a", &memory(1, 1, true));
        assert!(state.get(1, key("a")).is_none());
        assert_eq!(state.expired(1, day(100), 9), (Vec::new(), true));
    }
}
