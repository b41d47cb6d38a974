//! The subscriptions of the partitions that a worker owns, and when each of them is due.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use courierflow_schemas::partition::number_of_subscription;
use courierflow_schemas::records::{Reason, Subscription, SubscriptionSecret, SubscriptionState, TimestampMicros};

/// The key of a subscription: that of its record.
pub(super) type Key = Arc<str>;

/// A subscription and what nobody else may see of it.
#[derive(Clone, Debug)]
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
    before: Option<Held>,
}

/// When something is due, and what: milliseconds since 1970, partition, key.
type Timer = (i64, i32, Key);
/// `vendor:account`, which begins a key.
type Owner = Box<str>;

/// What subscriptions are counted by: their owner, state, and what they wait for.
pub(super) type Tally = BTreeMap<(Owner, SubscriptionState, Option<Reason>), usize>;

/// All of them. Whoever changes one keeps what is returned, to undo it.
#[derive(Debug)]
pub(super) struct State {
    /// By partition, by tracking number.
    partitions: BTreeMap<i32, HashMap<Box<str>, Vec<Held>>>,
    timers: BTreeSet<Timer>,
    parked: BTreeMap<Owner, BTreeSet<Timer>>,
    tally: Tally,
    /// An ended subscription is forgotten after this.
    forget: Duration,
}

impl State {
    pub(super) fn new(forget: Duration) -> Self {
        Self {
            partitions: BTreeMap::new(),
            timers: BTreeSet::new(),
            parked: BTreeMap::new(),
            tally: Tally::new(),
            forget,
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
    pub(super) fn insert_partition(&mut self, partition: i32, held: impl IntoIterator<Item = Held>) {
        self.partitions.insert(partition, HashMap::new());
        for held in held {
            let _ = self.put(partition, held);
        }
    }

    /// Forgets everything: somebody else owns the partitions.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.forget);
    }

    /// The subscriptions of a number.
    pub(super) fn of_number(&self, partition: i32, number: &[u8]) -> &[Held] {
        let number = std::str::from_utf8(number).ok();
        let found = number.and_then(|number| self.partitions.get(&partition)?.get(number));
        found.map_or(&[], Vec::as_slice)
    }

    pub(super) fn get(&self, partition: i32, key: &str) -> Option<&Held> {
        let held = self.of_number(partition, number_of(key).as_bytes());
        held.iter().find(|held| &*held.key == key)
    }

    /// Adds or replaces one.
    #[must_use]
    pub(super) fn put(&mut self, partition: i32, held: Held) -> Undo {
        let key = Arc::clone(&held.key);
        let undo = self.remove(partition, &key);
        if let Some(timer) = self.timer_of(partition, &held) {
            if held.is_parked {
                self.parked.entry(owner_of(&key)).or_default().insert(timer);
            } else {
                self.timers.insert(timer);
            }
        }
        *self.tally.entry(tally_key(&held)).or_default() += 1;
        let numbers = self.partitions.entry(partition).or_default();
        numbers.entry(number_of(&key).into()).or_default().push(held);
        undo
    }

    /// Removes one.
    #[must_use]
    pub(super) fn remove(&mut self, partition: i32, key: &Key) -> Undo {
        let before = self.take(partition, key);
        if let Some(before) = &before {
            if let Some(timer) = self.timer_of(partition, before) {
                self.timers.remove(&timer);
                if let Some(parked) = self.parked.get_mut(&owner_of(key)) {
                    parked.remove(&timer);
                }
            }
            if let Some(count) = self.tally.get_mut(&tally_key(before)) {
                *count = count.saturating_sub(1);
            }
        }
        Undo {
            partition,
            key: Arc::clone(key),
            before,
        }
    }

    fn take(&mut self, partition: i32, key: &str) -> Option<Held> {
        let numbers = self.partitions.get_mut(&partition)?;
        let of_number = numbers.get_mut(number_of(key))?;
        let index = of_number.iter().position(|held| &*held.key == key)?;
        let held = of_number.swap_remove(index);
        if of_number.is_empty() {
            numbers.remove(number_of(key));
        }
        Some(held)
    }

    /// Undoes changes, the last one first. An account that goes on since then is not stopped again by it: what waited for it is due.
    pub(super) fn undo(&mut self, changes: Vec<Undo>, goes_on: impl Fn(&str) -> bool) {
        for Undo { partition, key, before } in changes.into_iter().rev() {
            let _ = match before {
                Some(held) => self.put(partition, held),
                None => self.remove(partition, &key),
            };
        }
        let parked = self.parked.keys().filter(|owner| goes_on(owner));
        for owner in parked.cloned().collect::<Vec<_>>() {
            self.unpark(&owner);
        }
    }

    /// Up to so many that are due, those that are due for the longest time first.
    pub(super) fn due(&self, now: TimestampMicros, limit: usize) -> Vec<(i32, Key)> {
        let now = now.0.div_euclid(1_000);
        let due = self.timers.iter().take_while(|(at, ..)| *at <= now).take(limit);
        due.map(|(_, partition, key)| (*partition, Arc::clone(key))).collect()
    }

    /// From now on no clock wakes it: its account is stopped.
    pub(super) fn park(&mut self, partition: i32, key: &Key) {
        if let Some(mut held) = self.get(partition, key).cloned() {
            held.is_parked = true;
            let _ = self.put(partition, held);
        }
    }

    /// The one of a stopped account that has waited for the longest time, and since when (milliseconds).
    pub(super) fn first_parked(&self, owner: &str) -> Option<(i64, i32, Key)> {
        self.parked.get(owner)?.first().cloned()
    }

    /// The account goes on: what waits for it is due.
    pub(super) fn unpark(&mut self, owner: &str) {
        for (_, partition, key) in self.parked.remove(owner).unwrap_or_default() {
            if let Some(mut held) = self.take(partition, &key) {
                held.is_parked = false;
                self.timers.extend(self.timer_of(partition, &held));
                let numbers = self.partitions.entry(partition).or_default();
                numbers.entry(number_of(&key).into()).or_default().push(held);
            }
        }
    }

    /// How many there are of each kind.
    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Those whose call may have been made by a predecessor.
    pub(super) fn calling(&self) -> Vec<(i32, Key)> {
        let all = self.partitions.iter().flat_map(|(partition, numbers)| {
            let held = numbers.values().flatten();
            held.map(move |held| (*partition, held))
        });
        let calling = all.filter(|(_, held)| held.subscription.state == SubscriptionState::Calling);
        calling
            .map(|(partition, held)| (partition, Arc::clone(&held.key)))
            .collect()
    }

    fn timer_of(&self, partition: i32, held: &Held) -> Option<Timer> {
        let subscription = &held.subscription;
        let at = if subscription.state.is_terminal() {
            let forget = i64::try_from(self.forget.as_millis()).unwrap_or(i64::MAX);
            // A millisecond more than rounding takes away.
            subscription
                .since
                .0
                .div_euclid(1_000)
                .saturating_add(forget)
                .saturating_add(1)
        } else {
            match subscription.state {
                SubscriptionState::Calling | SubscriptionState::Other => return None,
                _ => subscription.not_before?.0,
            }
        };
        Some((at, partition, Arc::clone(&held.key)))
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

fn tally_key(held: &Held) -> (Owner, SubscriptionState, Option<Reason>) {
    let subscription = &held.subscription;
    let waits = subscription.state == SubscriptionState::Waiting;
    (
        owner_of(&held.key),
        subscription.state,
        subscription.reason.filter(|_| waits),
    )
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

    fn due(state: &State, millis: i64) -> Vec<String> {
        let due = state.due(TimestampMicros(millis * 1_000), 10).into_iter();
        due.map(|(_, key)| number_of(&key).to_owned()).collect()
    }

    #[test]
    fn what_is_due_is_told_in_order_and_changes_are_undone() {
        let mut state = State::new(Duration::from_millis(50));
        let waiting = |number: &str, at| held(number, SubscriptionState::Waiting, Some(at));
        state.insert_partition(3, [waiting("B00000", 20), waiting("A00000", 10)]);
        assert_eq!(due(&state, 9), [""; 0]);
        assert_eq!(due(&state, 20), ["A00000", "B00000"]);

        let changes = vec![
            state.put(3, waiting("A00000", 30)),
            state.put(3, held("A00000", SubscriptionState::Calling, None)),
            state.put(3, held("C00000", SubscriptionState::Ended, None)),
            state.remove(3, &waiting("B00000", 20).key),
        ];
        assert_eq!(due(&state, 50), [""; 0]);
        assert_eq!(due(&state, 51), ["C00000"], "forgotten after its end");
        assert_eq!(state.calling().len(), 1);
        state.undo(changes, |_| true);
        assert_eq!(due(&state, 100), ["A00000", "B00000"]);
        assert_eq!(state.of_number(3, b"C00000").len(), 0);
        assert_eq!(state.tally().values().sum::<usize>(), 2);
    }

    #[test]
    fn what_waits_for_an_account_is_due_when_it_goes_on() {
        let mut state = State::new(Duration::ZERO);
        let waiting = held("A00000", SubscriptionState::Waiting, Some(10));
        let key = Arc::clone(&waiting.key);
        state.insert_partition(0, [waiting]);
        state.park(0, &key);
        assert_eq!(due(&state, 100), [""; 0]);
        assert_eq!(state.first_parked("kuaidi100:demo").map(|(at, ..)| at), Some(10));
        state.unpark("kuaidi100:demo");
        assert_eq!(due(&state, 100), ["A00000"]);
        assert_eq!(state.first_parked("kuaidi100:demo"), None);
        assert_eq!(state.tally().values().sum::<usize>(), 1);
    }

    #[test]
    fn what_is_undone_does_not_wait_for_an_account_that_goes_on() {
        for (goes_on, expected) in [(true, vec!["A00000"]), (false, vec![])] {
            let mut state = State::new(Duration::ZERO);
            let waiting = held("A00000", SubscriptionState::Waiting, Some(10));
            let key = Arc::clone(&waiting.key);
            state.insert_partition(0, [waiting]);
            state.park(0, &key);
            // The probe that was answered in the transaction that is rolled back.
            let changes = vec![state.put(0, held("A00000", SubscriptionState::Calling, None))];
            state.unpark("kuaidi100:demo");
            state.undo(changes, |owner| goes_on && owner == "kuaidi100:demo");
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
