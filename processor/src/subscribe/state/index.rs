//! When each subscription is due, which of them are called, and how many there are of each kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use courierflow_schemas::records::{Reason, Subscription, SubscriptionState};

use super::packed::hash_of;
use super::{Held, number_of, owner_of};

/// Where a subscription is: partition, hash of its number, half a hash of its key.
pub(super) type Place = (i32, u64, u32);
/// When something is due (milliseconds since 1970), and what.
type Timer = (i64, Place);
/// `vendor:account`, which begins a key.
pub(super) type Owner = Box<str>;

/// What subscriptions are counted by: their owner, state, and what they wait for.
pub(in crate::subscribe) type Tally = BTreeMap<(Owner, SubscriptionState, Option<Reason>), usize>;

/// Finds what is due without unpacking the rest.
#[derive(Debug)]
pub(super) struct Index {
    timers: BTreeSet<Timer>,
    parked: BTreeMap<Owner, BTreeSet<Timer>>,
    /// Those whose call is intended or under way.
    calling: BTreeSet<Place>,
    tally: Tally,
    /// An ended subscription is forgotten after this.
    pub(super) forget: Duration,
}

/// What the index has of a subscription.
pub(super) struct Entry {
    place: Place,
    due: Option<i64>,
    is_parked: bool,
    owner: Owner,
    state: SubscriptionState,
    waits_for: Option<Reason>,
}

impl Index {
    pub(super) const fn new(forget: Duration) -> Self {
        Self {
            timers: BTreeSet::new(),
            parked: BTreeMap::new(),
            calling: BTreeSet::new(),
            tally: Tally::new(),
            forget,
        }
    }

    pub(super) fn entry(&self, partition: i32, held: &Held) -> Entry {
        let Subscription { state, reason, .. } = held.subscription;
        Entry {
            place: (partition, hash_of(number_of(&held.key)), half_hash_of(&held.key)),
            due: self.due_at(&held.subscription),
            is_parked: held.is_parked,
            owner: owner_of(&held.key),
            state,
            waits_for: reason.filter(|_| state == SubscriptionState::Waiting),
        }
    }

    fn due_at(&self, subscription: &Subscription) -> Option<i64> {
        if subscription.state.is_terminal() {
            let forget = i64::try_from(self.forget.as_millis()).unwrap_or(i64::MAX);
            // A millisecond more than rounding takes away.
            let since = subscription.since.0.div_euclid(1_000);
            return Some(since.saturating_add(forget).saturating_add(1));
        }
        match subscription.state {
            SubscriptionState::Calling | SubscriptionState::Other => None,
            _ => subscription.not_before.map(|at| at.0),
        }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        if let Some(at) = entry.due {
            let timer = (at, entry.place);
            if entry.is_parked {
                self.parked.entry(entry.owner.clone()).or_default().insert(timer);
            } else {
                self.timers.insert(timer);
            }
        }
        if entry.state == SubscriptionState::Calling {
            self.calling.insert(entry.place);
        }
        let kind = (entry.owner, entry.state, entry.waits_for);
        *self.tally.entry(kind).or_default() += 1;
    }

    pub(super) fn subtract(&mut self, entry: Entry) {
        if let Some(at) = entry.due {
            let timer = (at, entry.place);
            self.timers.remove(&timer);
            if let Some(parked) = self.parked.get_mut(&entry.owner) {
                parked.remove(&timer);
            }
        }
        self.calling.remove(&entry.place);
        let kind = (entry.owner, entry.state, entry.waits_for);
        if let Some(count) = self.tally.get_mut(&kind) {
            *count = count.saturating_sub(1);
        }
    }

    /// What is due at `now` (milliseconds), first what is due for the longest time.
    pub(super) fn due(&self, now: i64) -> impl Iterator<Item = Place> {
        let due = self.timers.iter().take_while(move |(at, _)| *at <= now);
        due.map(|(_, place)| *place)
    }

    /// What waits for a stopped account, first what has waited for the longest time.
    pub(super) fn parked(&self, owner: &str) -> impl Iterator<Item = (i64, Place)> {
        self.parked.get(owner).into_iter().flatten().copied()
    }

    /// The accounts for which something waits.
    pub(super) fn parked_owners(&self) -> impl Iterator<Item = &Owner> {
        let parked = self.parked.iter().filter(|(_, timers)| !timers.is_empty());
        parked.map(|(owner, _)| owner)
    }

    pub(super) fn calling(&self) -> impl Iterator<Item = Place> {
        self.calling.iter().copied()
    }

    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Bytes of what is due. A node of a tree is two thirds full.
    pub(super) fn bytes(&self) -> usize {
        self.timers.len() * size_of::<Timer>() * 3 / 2
    }
}

/// Tells the subscriptions of a number apart.
#[expect(clippy::cast_possible_truncation, reason = "half of it is enough")]
pub(super) fn half_hash_of(key: &str) -> u32 {
    hash_of(key) as u32
}
