//! What was asked: the queries of the last month, by parcel. They are those of `courier.vendor.call.v1` and, before they come back from
//! there, those that this worker has begun.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use courierflow_domain::reconcile::Asked;
use courierflow_schemas::records::{CallClass, CallId, CallReason, Subscription, TimestampMicros, Vendor, VendorCall};

use super::intents::Intent;

/// So far back they are kept: less than the topic does, so that nothing is missing in between. What is older is in the database.
pub(super) const KEPT: Duration = Duration::from_hours(25 * 24);

const TOO_MANY_REQUESTS: u16 = 429;

/// A query, as far as later ones depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Past {
    call_id: CallId,
    started_at: TimestampMicros,
    reason: CallReason,
    /// UNKNOWN also while it is under way.
    class: CallClass,
    /// No query of the parcel as far as the vendor is concerned: nothing was sent, or the account was refused.
    is_free: bool,
    vendor_carrier: String,
}

impl Past {
    /// Whether the vendor has said something about the parcel.
    const fn is_answered(&self) -> bool {
        matches!(self.class, CallClass::Done | CallClass::NoResult | CallClass::Rejected)
    }
}

/// `vendor:account:number`.
type Key = String;

/// What an account has spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Queries.
    pub(super) queries: u32,
    /// Of those, audits.
    pub(super) audits: u32,
}

/// All queries, by partition and parcel.
pub(super) struct History {
    /// Calls of a parcel that begin less than this after the one before are one query: repetitions, which a vendor that finds nothing at
    /// once needs.
    apart: Duration,
    partitions: BTreeMap<i32, HashMap<Key, Vec<Past>>>,
}

impl History {
    /// `apart` is the least time between two queries of a parcel.
    pub(super) fn new(apart: Duration) -> Self {
        Self {
            apart,
            partitions: BTreeMap::new(),
        }
    }

    /// Forgets all partitions but expects records of these.
    pub(super) fn assigned(&mut self, partitions: &[i32]) {
        self.partitions = partitions
            .iter()
            .map(|partition| (*partition, HashMap::new()))
            .collect();
    }

    /// A record of the topic. It replaces what was known of the same call.
    pub(super) fn read(&mut self, partition: i32, call: &VendorCall) {
        let past = Past {
            call_id: call.call_id,
            started_at: call.started_at,
            reason: call.reason,
            class: call.class,
            is_free: is_free(call),
            vendor_carrier: call.vendor_carrier.clone(),
        };
        let key = Subscription::key(call.vendor.as_str(), &call.account, &call.tracking_number);
        self.put(partition, key, past);
    }

    /// A call begins.
    pub(super) fn begun(&mut self, partition: i32, intent: &Intent) {
        let past = Past {
            call_id: intent.call_id(),
            started_at: intent.started_at,
            reason: intent.reason,
            class: CallClass::Unknown,
            is_free: false,
            vendor_carrier: intent.vendor_carrier.clone(),
        };
        let key = Subscription::key(intent.vendor.as_str(), &intent.account, &intent.tracking_number);
        self.put(partition, key, past);
    }

    /// Whether it remembers this very call.
    pub(super) fn has(&self, intent: &Intent) -> bool {
        let key = Subscription::key(intent.vendor.as_str(), &intent.account, &intent.tracking_number);
        let call = (intent.call_id(), intent.started_at);
        // It may be on another partition than the intent, if the topics have grown since.
        let of_number = self.partitions.values().filter_map(|numbers| numbers.get(&key));
        of_number.flatten().any(|past| (past.call_id, past.started_at) == call)
    }

    fn put(&mut self, partition: i32, key: Key, past: Past) {
        let Some(numbers) = self.partitions.get_mut(&partition) else {
            return;
        };
        let of_number = numbers.entry(key).or_default();
        let same = of_number
            .iter_mut()
            .find(|known| (known.call_id, known.started_at) == (past.call_id, past.started_at));
        if let Some(known) = same {
            *known = past;
        } else {
            of_number.push(past);
            of_number.sort_by_key(|past| past.started_at);
        }
    }

    /// Forgets what is older.
    pub(super) fn forget_before(&mut self, horizon: TimestampMicros) {
        for numbers in self.partitions.values_mut() {
            numbers.retain(|_, of_number| {
                of_number.retain(|past| past.started_at >= horizon);
                !of_number.is_empty()
            });
        }
    }

    /// How many queries it remembers since then.
    pub(super) fn known(&self, since: TimestampMicros) -> u64 {
        let all = self.partitions.values().flat_map(HashMap::values).flatten();
        all.fold(0, |count, past| count + u64::from(past.started_at >= since))
    }

    /// What a number was asked, `before` of it earlier than this knows.
    pub(super) fn asked(
        &self,
        partition: i32,
        key: &str,
        vendor_carrier: &str,
        day: TimestampMicros,
        before: u32,
    ) -> Asked {
        let of_number = self.of_number(partition, key);
        let charged: Vec<_> = of_number.iter().filter(|past| !past.is_free).collect();
        let queries = self.queries(charged.iter().copied());
        let answers = self.queries(of_number.iter().filter(|past| past.is_answered()));
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let is_rejected = |past: &Past| past.class == CallClass::Rejected && past.vendor_carrier == vendor_carrier;
        Asked {
            last_at: charged.iter().map(|past| past.started_at).max(),
            today: count(queries.iter().filter(|past| past.started_at >= day).count()),
            in_all: count(queries.len()).saturating_add(before),
            no_results: count(
                answers
                    .iter()
                    .rev()
                    .take_while(|past| past.class == CallClass::NoResult)
                    .count(),
            ),
            is_rejected: of_number.iter().any(is_rejected),
        }
    }

    /// Answers about a number for this reason since then.
    pub(super) fn answered_for(&self, partition: i32, key: &str, reason: CallReason, since: TimestampMicros) -> u32 {
        let of_number = self.of_number(partition, key).iter();
        let is_it = |past: &&Past| past.is_answered() && past.reason == reason && past.started_at >= since;
        u32::try_from(self.queries(of_number.filter(is_it)).len()).unwrap_or(u32::MAX)
    }

    /// The last call of each query, of calls in the order of their time.
    fn queries<'a>(&self, calls: impl Iterator<Item = &'a Past>) -> Vec<&'a Past> {
        let apart = i64::try_from(self.apart.as_micros()).unwrap_or(i64::MAX);
        let mut queries: Vec<&Past> = Vec::new();
        for call in calls {
            match queries.last_mut() {
                Some(last) if call.started_at.0 - last.started_at.0 < apart => *last = call,
                _ => queries.push(call),
            }
        }
        queries
    }

    /// What an account has spent since then on the parcels of these partitions.
    pub(super) fn spent(&self, vendor: Vendor, account: &str, since: TimestampMicros) -> Spent {
        let owner = Subscription::key(vendor.as_str(), account, "");
        let mut spent = Spent::default();
        for (key, of_number) in self.partitions.values().flatten() {
            if !key.starts_with(&owner) {
                continue;
            }
            for past in of_number
                .iter()
                .filter(|past| !past.is_free && past.started_at >= since)
            {
                spent.queries = spent.queries.saturating_add(1);
                spent.audits = spent.audits.saturating_add(u32::from(past.reason == CallReason::Audit));
            }
        }
        spent
    }

    fn of_number(&self, partition: i32, key: &str) -> &[Past] {
        let numbers = self.partitions.get(&partition);
        numbers.and_then(|numbers| numbers.get(key)).map_or(&[], Vec::as_slice)
    }
}

/// True for a call that reached nobody (a RETRY without any answer), and for one that was refused because of the account or because
/// there were too many.
fn is_free(call: &VendorCall) -> bool {
    let is_unheard = call.class == CallClass::Retry && matches!(call.http_status, None | Some(TOO_MANY_REQUESTS));
    is_unheard || call.class == CallClass::Account
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;
    const KEY: &str = "kuaidi100:demo:YT1";

    fn intent(round: u16, at: i64, reason: CallReason) -> Intent {
        Intent {
            vendor: Vendor::Kuaidi100,
            account: "demo".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT1".to_owned(),
            reason,
            round,
            attempt: 1,
            started_at: TimestampMicros(at),
        }
    }

    fn ended(intent: &Intent, class: CallClass, http_status: Option<u16>) -> VendorCall {
        super::super::records::call(intent, "api", class, http_status)
    }

    fn history(of: &[(i64, CallReason, CallClass, Option<u16>)]) -> History {
        let mut history = History::new(Duration::from_mins(1));
        history.assigned(&[3]);
        for (round, (at, reason, class, status)) in of.iter().enumerate() {
            let intent = intent(u16::try_from(round).unwrap(), *at, *reason);
            history.begun(3, &intent);
            history.read(3, &ended(&intent, *class, *status));
        }
        history
    }

    fn asked(history: &History) -> Asked {
        history.asked(3, KEY, "yuantong", TimestampMicros(DAY), 0)
    }

    #[test]
    fn a_call_that_is_recorded_is_known_and_another_one_is_not() {
        let history = history(&[(DAY, CallReason::Stalled, CallClass::NoResult, Some(200))]);
        let recorded = intent(0, DAY, CallReason::Stalled);
        assert!(history.has(&recorded));
        assert!(!history.has(&intent(0, DAY + 1, CallReason::Stalled)), "a later one");
        assert!(!history.has(&intent(1, DAY, CallReason::Stalled)), "another query");
        let of_another = Intent {
            tracking_number: "YT2".to_owned(),
            ..recorded
        };
        assert!(!history.has(&of_another));
    }

    #[test]
    fn a_call_counts_once_from_its_intent_on() {
        let mut history = history(&[]);
        let begun = intent(1, DAY, CallReason::Stalled);
        history.begun(3, &begun);
        let under_way = asked(&history);
        assert_eq!(
            (under_way.today, under_way.in_all, under_way.last_at),
            (1, 1, Some(TimestampMicros(DAY)))
        );
        assert_eq!(history.answered_for(3, KEY, CallReason::Stalled, TimestampMicros(0)), 0);
        history.read(3, &ended(&begun, CallClass::Done, Some(200)));
        history.read(3, &ended(&begun, CallClass::Done, Some(200)));
        assert_eq!(asked(&history), under_way);
        assert_eq!(
            history.answered_for(3, KEY, CallReason::Stalled, TimestampMicros(DAY)),
            1
        );
        assert_eq!(
            history.answered_for(3, KEY, CallReason::Stalled, TimestampMicros(DAY + 1)),
            0
        );
        assert_eq!(history.answered_for(3, KEY, CallReason::Gap, TimestampMicros(0)), 0);
    }

    #[test]
    fn what_reached_nobody_or_was_refused_for_the_account_costs_nothing() {
        for (class, status, counted) in [
            (CallClass::Retry, None, 0),
            (CallClass::Retry, Some(429), 0),
            (CallClass::Account, Some(401), 0),
            (CallClass::Retry, Some(500), 1),
            (CallClass::Unknown, None, 1),
            (CallClass::NoResult, Some(200), 1),
            (CallClass::Rejected, Some(200), 1),
        ] {
            let history = history(&[(DAY, CallReason::Audit, class, status)]);
            assert_eq!(asked(&history).today, counted, "{class} {status:?}");
            let spent = history.spent(Vendor::Kuaidi100, "demo", TimestampMicros(DAY));
            assert_eq!((spent.queries, spent.audits), (counted, counted), "{class} {status:?}");
        }
        let of_other = history(&[(DAY, CallReason::Audit, CallClass::Done, Some(200))]);
        assert_eq!(
            of_other.spent(Vendor::Kuaidi100, "dem", TimestampMicros(0)),
            Spent::default()
        );
    }

    #[test]
    fn repetitions_are_one_query() {
        let at = |seconds: i64| DAY + seconds * 1_000_000;
        let history = history(&[
            (at(0), CallReason::Stalled, CallClass::NoResult, Some(200)),
            (at(30), CallReason::Stalled, CallClass::NoResult, Some(200)),
            (at(60), CallReason::Stalled, CallClass::NoResult, Some(200)),
            (at(120), CallReason::Stalled, CallClass::NoResult, Some(200)),
        ]);
        let of_it = asked(&history);
        assert_eq!((of_it.today, of_it.in_all, of_it.no_results), (2, 2, 2));
        assert_eq!(of_it.last_at, Some(TimestampMicros(at(120))));
        assert_eq!(history.answered_for(3, KEY, CallReason::Stalled, TimestampMicros(0)), 2);
        // Every call is one that the account has spent.
        assert_eq!(history.spent(Vendor::Kuaidi100, "demo", TimestampMicros(0)).queries, 4);
    }

    #[test]
    fn answers_in_a_row_and_refusals_are_remembered() {
        let at = |hour: i64| hour * 3_600_000_000;
        let mut history = history(&[
            (at(1), CallReason::Stalled, CallClass::NoResult, Some(200)),
            (at(2), CallReason::Stalled, CallClass::Done, Some(200)),
            (at(3), CallReason::Stalled, CallClass::NoResult, Some(200)),
            (at(4), CallReason::Stalled, CallClass::Unknown, None),
            (at(5), CallReason::Stalled, CallClass::NoResult, Some(200)),
        ]);
        let of_it = asked(&history);
        assert_eq!(
            (of_it.no_results, of_it.in_all, of_it.today, of_it.is_rejected),
            (2, 5, 0, false)
        );
        let refused = intent(9, at(6), CallReason::Stalled);
        history.read(3, &ended(&refused, CallClass::Rejected, Some(200)));
        assert!(asked(&history).is_rejected);
        let under_another = history.asked(3, KEY, "shentong", TimestampMicros(DAY), 7);
        assert_eq!((under_another.is_rejected, under_another.in_all), (false, 13));
        history.forget_before(TimestampMicros(at(6)));
        assert_eq!(asked(&history).in_all, 1);
        history.assigned(&[4]);
        assert_eq!(asked(&history), Asked::default());
    }
}
