//! The subscriptions of the partitions that a worker owns, and when each of them is due.

mod index;
mod packed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use courierflow_schemas::partition::number_of_subscription;
use courierflow_schemas::records::{Reason, Subscription, SubscriptionSecret, SubscriptionState, TimestampMicros};

pub(super) use self::index::Tally;
use self::index::{Index, Owner, Place, half_hash_of};
use self::packed::hash_of;
pub(super) use self::packed::{Names, Partition};

/// The key of a subscription: that of its record.
pub(super) type Key = Arc<str>;

/// What is packed could not be read: a bug, after which the worker begins again with what is on the topics.
pub(super) type Unpacked<T> = Result<T, postcard::Error>;

/// A subscription and what nobody else may see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) key: Key,
    pub(super) subscription: Subscription,
    pub(super) secret: Option<SubscriptionSecret>,
    /// It waits for a stopped account, so no clock wakes it.
    pub(super) is_parked: bool,
}

/// How it was before a change, to undo it.
#[derive(Debug)]
pub(super) struct Undo {
    partition: i32,
    key: Key,
    before: Option<Box<Held>>,
}

/// All of them. Whoever changes one keeps what is returned, to undo it.
#[derive(Debug)]
pub(super) struct State {
    partitions: BTreeMap<i32, Partition>,
    index: Index,
}

impl State {
    /// An ended subscription is forgotten after `forget`.
    pub(super) const fn new(forget: Duration) -> Self {
        Self {
            partitions: BTreeMap::new(),
            index: Index::new(forget),
        }
    }

    pub(super) fn owns(&self, partition: i32) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// The partitions that are owned.
    pub(super) fn partitions(&self) -> impl Iterator<Item = i32> {
        self.partitions.keys().copied()
    }

    /// Takes a partition over, with all that was restored of it.
    pub(super) fn insert_partition(&mut self, partition: i32, restored: Partition) -> Unpacked<()> {
        for hash in restored.hashes() {
            for held in restored.at(hash)? {
                self.index.add(self.index.entry(partition, &held));
            }
        }
        self.partitions.insert(partition, restored);
        Ok(())
    }

    /// Forgets everything: somebody else owns the partitions.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.index.forget);
    }

    /// The subscriptions of a number.
    pub(super) fn of_number(&self, partition: i32, number: &[u8]) -> Unpacked<Vec<Held>> {
        let number = std::str::from_utf8(number).ok();
        let Some((number, of_partition)) = number.zip(self.partitions.get(&partition)) else {
            return Ok(Vec::new());
        };
        let mut held = of_partition.at(hash_of(number))?;
        held.retain(|held| number_of(&held.key) == number);
        Ok(held)
    }

    pub(super) fn get(&self, partition: i32, key: &str) -> Unpacked<Option<Held>> {
        let of_partition = self.partitions.get(&partition);
        of_partition.map_or(Ok(None), |of_partition| of_partition.get(key))
    }

    /// Adds or replaces one.
    pub(super) fn put(&mut self, partition: i32, held: Held) -> Unpacked<Undo> {
        let key = Arc::clone(&held.key);
        self.replace(partition, key, Some(held))
    }

    /// Removes one.
    pub(super) fn remove(&mut self, partition: i32, key: &Key) -> Unpacked<Undo> {
        self.replace(partition, Arc::clone(key), None)
    }

    fn replace(&mut self, partition: i32, key: Key, next: Option<Held>) -> Unpacked<Undo> {
        let added = next.as_ref().map(|held| self.index.entry(partition, held));
        let before = match self.partitions.get_mut(&partition) {
            Some(of_partition) => of_partition.replace(&key, next)?,
            // Nothing is held of partitions that others own.
            None => None,
        };
        if let Some(held) = &before {
            self.index.subtract(self.index.entry(partition, held));
        }
        if let Some(added) = added.filter(|_| self.owns(partition)) {
            self.index.add(added);
        }
        Ok(Undo {
            partition,
            key,
            before: before.map(Box::new),
        })
    }

    /// Undoes changes, the last one first. An account that goes on since then is not stopped again by it: what waited for it is due.
    pub(super) fn undo(&mut self, changes: Vec<Undo>, goes_on: impl Fn(&str) -> bool) -> Unpacked<()> {
        for Undo { partition, key, before } in changes.into_iter().rev() {
            self.replace(partition, key, before.map(|held| *held))?;
        }
        let parked = self.index.parked_owners().filter(|owner| goes_on(owner));
        for owner in parked.cloned().collect::<Vec<_>>() {
            self.unpark(&owner)?;
        }
        Ok(())
    }

    /// Up to so many that are due, those that are due for the longest time first.
    pub(super) fn due(&self, now: TimestampMicros, limit: usize) -> Unpacked<Vec<(i32, Key)>> {
        let due = self.index.due(now.0.div_euclid(1_000));
        self.keys(due.take(limit))
    }

    /// From now on no clock wakes it: its account is stopped.
    pub(super) fn park(&mut self, partition: i32, key: &Key) -> Unpacked<()> {
        self.set_parked(partition, key, true)
    }

    fn set_parked(&mut self, partition: i32, key: &Key, is_parked: bool) -> Unpacked<()> {
        if let Some(held) = self.get(partition, key)? {
            self.put(partition, Held { is_parked, ..held })?;
        }
        Ok(())
    }

    /// Since when (milliseconds) the first one of a stopped account waits.
    pub(super) fn parked_since(&self, owner: &str) -> Option<i64> {
        self.index.parked(owner).next().map(|(at, _)| at)
    }

    /// The one of a stopped account that has waited for the longest time.
    pub(super) fn first_parked(&self, owner: &str) -> Unpacked<Option<(i32, Key)>> {
        let first = self.index.parked(owner).take(1);
        Ok(self.keys(first.map(|(_, place)| place))?.pop())
    }

    /// The account goes on: what waits for it is due.
    pub(super) fn unpark(&mut self, owner: &str) -> Unpacked<()> {
        let parked = self.index.parked(owner);
        for (partition, key) in self.keys(parked.map(|(_, place)| place))? {
            self.set_parked(partition, &key, false)?;
        }
        Ok(())
    }

    /// How many there are of each kind.
    pub(super) const fn tally(&self) -> &Tally {
        self.index.tally()
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        let packed: usize = self.partitions.values().map(Partition::bytes).sum();
        packed + self.index.bytes()
    }

    /// Those whose call may have been made by a predecessor.
    pub(super) fn calling(&self) -> Unpacked<Vec<(i32, Key)>> {
        self.keys(self.index.calling())
    }

    fn keys(&self, places: impl IntoIterator<Item = Place>) -> Unpacked<Vec<(i32, Key)>> {
        let mut keys = Vec::new();
        for (partition, number, key) in places {
            if let Some(of_partition) = self.partitions.get(&partition) {
                let held = of_partition.at(number)?.into_iter();
                let found = held.filter(|held| half_hash_of(&held.key) == key);
                keys.extend(found.map(|held| (partition, held.key)));
            }
        }
        Ok(keys)
    }
}

/// Whether a subscription waits for its account.
pub(super) fn waits_for_account(subscription: &Subscription) -> bool {
    (subscription.state, subscription.reason) == (SubscriptionState::Waiting, Some(Reason::AccountStopped))
}

fn number_of(key: &str) -> &str {
    let number = number_of_subscription(key.as_bytes()).unwrap_or_default();
    key.get(key.len().saturating_sub(number.len())..).unwrap_or_default()
}

/// `vendor:account` of a key.
pub(super) fn owner_of(key: &str) -> Owner {
    let number = number_of(key);
    let owner = key.strip_suffix(number).unwrap_or_default();
    owner.strip_suffix(':').unwrap_or_default().into()
}

#[cfg(test)]
pub(super) mod tests {
    use courierflow_schemas::records::{Product, TimestampMillis};

    use super::*;

    pub(crate) fn held(number: &str, state: SubscriptionState, not_before: Option<i64>) -> Held {
        let subscription = Subscription {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            tracking_number: number.to_owned(),
            carrier: "yto".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            former_carriers: Vec::new(),
            version: 1,
            state,
            reason: None,
            code: None,
            since: TimestampMicros(0),
            requested_at: TimestampMicros(0),
            requester: "test".to_owned(),
            request_ids: Vec::new(),
            reference: None,
            api: String::new(),
            product: Product::Plain,
            international: false,
            round: 1,
            attempt: 0,
            call_id: None,
            not_before: not_before.map(TimestampMillis),
            calls: Vec::new(),
            duplicate: false,
            first_push_at: None,
            ended_word: None,
            ended_at: None,
            in_doubt: false,
            failed: 0,
            too_early: 0,
            unexplained: 0,
            not_recognised: 0,
            unsent: 0,
        };
        Held {
            key: Subscription::key("kuaidi100", "demo", number).into(),
            subscription,
            secret: None,
            is_parked: false,
        }
    }

    fn with(forget: Duration, partition: i32, held: impl IntoIterator<Item = Held>) -> State {
        let mut state = State::new(forget);
        let mut restored = Partition::new(Vec::new());
        for held in held {
            let key = Arc::clone(&held.key);
            restored.replace(&key, Some(held)).unwrap();
        }
        state.insert_partition(partition, restored).unwrap();
        state
    }

    fn due(state: &State, millis: i64) -> Vec<String> {
        let due = state.due(TimestampMicros(millis * 1_000), 10).unwrap().into_iter();
        due.map(|(_, key)| number_of(&key).to_owned()).collect()
    }

    #[test]
    fn what_is_due_is_told_in_order_and_changes_are_undone() {
        let waiting = |number: &str, at| held(number, SubscriptionState::Waiting, Some(at));
        let restored = [waiting("B00000", 20), waiting("A00000", 10)];
        let mut state = with(Duration::from_millis(50), 3, restored);
        assert_eq!(due(&state, 9), [""; 0]);
        assert_eq!(due(&state, 20), ["A00000", "B00000"]);

        let changes = vec![
            state.put(3, waiting("A00000", 30)).unwrap(),
            state.put(3, held("A00000", SubscriptionState::Calling, None)).unwrap(),
            state.put(3, held("C00000", SubscriptionState::Ended, None)).unwrap(),
            state.remove(3, &waiting("B00000", 20).key).unwrap(),
        ];
        assert_eq!(due(&state, 50), [""; 0]);
        assert_eq!(due(&state, 51), ["C00000"], "forgotten after its end");
        assert_eq!(state.calling().unwrap().len(), 1);
        state.undo(changes, |_| true).unwrap();
        assert_eq!(state.calling().unwrap(), []);
        assert_eq!(due(&state, 100), ["A00000", "B00000"]);
        assert_eq!(state.of_number(3, b"C00000").unwrap().len(), 0);
        assert_eq!(state.tally().values().sum::<usize>(), 2);
    }

    #[test]
    fn what_waits_for_an_account_is_due_when_it_goes_on() {
        let waiting = held("A00000", SubscriptionState::Waiting, Some(10));
        let key = Arc::clone(&waiting.key);
        let mut state = with(Duration::ZERO, 0, [waiting]);
        state.park(0, &key).unwrap();
        assert_eq!(due(&state, 100), [""; 0]);
        assert_eq!(state.parked_since("kuaidi100:demo"), Some(10));
        assert_eq!(
            state.first_parked("kuaidi100:demo").unwrap(),
            Some((0, Arc::clone(&key)))
        );
        state.unpark("kuaidi100:demo").unwrap();
        assert_eq!(due(&state, 100), ["A00000"]);
        assert_eq!(state.first_parked("kuaidi100:demo").unwrap(), None);
        assert_eq!(state.tally().values().sum::<usize>(), 1);
    }

    #[test]
    fn what_is_undone_does_not_wait_for_an_account_that_goes_on() {
        for (goes_on, expected) in [(true, vec!["A00000"]), (false, vec![])] {
            let waiting = held("A00000", SubscriptionState::Waiting, Some(10));
            let key = Arc::clone(&waiting.key);
            let mut state = with(Duration::ZERO, 0, [waiting]);
            state.park(0, &key).unwrap();
            // The probe that was answered in the transaction that is rolled back.
            let changes = vec![state.put(0, held("A00000", SubscriptionState::Calling, None)).unwrap()];
            state.unpark("kuaidi100:demo").unwrap();
            state
                .undo(changes, |owner| goes_on && owner == "kuaidi100:demo")
                .unwrap();
            assert_eq!(due(&state, 100), expected);
        }
    }

    #[test]
    fn a_number_may_have_colons_and_no_account() {
        assert_eq!(number_of("kuaidi100:demo:a:b"), "a:b");
        assert_eq!(&*owner_of("kuaidi100:demo:a:b"), "kuaidi100:demo");
        assert_eq!((number_of("::YT1"), &*owner_of("::YT1")), ("YT1", ":"));
    }
}
