//! Who subscribed to what and when, what was asked, told and charged: the vendor's books, and what tests compare with.
//! Everything here is a function of values; the clock comes as an argument.

mod entry;
mod month;
mod queries;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use self::entry::{Asked, Counts, Following, Repeated};
pub(crate) use self::queries::{Admission, Limit};

use self::entry::Entry;
use super::contract::Contract;
use crate::simulator::clock::Seconds;

/// What a subscription is about. The order is that of the ledger's list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct Key {
    pub(crate) tracking_number: String,
    pub(crate) contract: Contract,
    /// The vendor's code; as it was sent, if the vendor does not know it.
    pub(crate) carrier: String,
}

/// Units that are left to spend under one contract.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Purse {
    /// `None`: as many as are wanted.
    left: Option<u64>,
    spent: u64,
}

/// Which numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown<'number> {
    All,
    One(&'number str),
    /// None: what is counted about all of them.
    Totals,
}

/// The books.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    entries: BTreeMap<Key, Entry>,
    purses: BTreeMap<Contract, Purse>,
    /// Calls that went wrong on purpose, by the fault.
    faults: BTreeMap<&'static str, u64>,
    /// How far the clock of limits is ahead of the simulated time.
    pub(crate) ahead: Seconds,
}

impl Ledger {
    /// Empty books; each contract has that many units.
    pub(crate) fn new(units: Option<u64>) -> Self {
        let mut ledger = Self {
            entries: BTreeMap::new(),
            purses: BTreeMap::new(),
            faults: BTreeMap::new(),
            ahead: 0,
        };
        ledger.set_units(units);
        ledger
    }

    /// Each contract has so many units from now on.
    pub(crate) fn set_units(&mut self, units: Option<u64>) {
        for contract in Contract::ALL {
            self.purses.entry(contract).or_default().left = units;
        }
    }

    /// Whether Kuaidi100 would take a subscription now.
    pub(crate) fn may_begin(&self, key: &Key, now: Seconds) -> Result<(), Repeated> {
        self.entries.get(key).map_or(Ok(()), |entry| entry.may_begin(now))
    }

    /// Whether the vendor follows the number.
    pub(crate) fn following(&self, key: &Key) -> Following {
        self.entries.get(key).map_or(Following::Never, |entry| entry.following)
    }

    /// Whether the subscriber could pay for a call about this number now.
    pub(crate) fn can_pay(&self, key: &Key, now: Seconds) -> bool {
        let purse = self.purses.get(&key.contract).copied().unwrap_or_default();
        let costs = |entry: &Entry| entry.costs_unit(key.contract, now);
        purse.left != Some(0) || !self.entries.get(key).is_none_or(costs)
    }

    /// Charges a unit if the number was not charged for this period already.
    pub(crate) fn charge(&mut self, key: &Key, now: Seconds) {
        let entry = self.entries.entry(key.clone()).or_default();
        if !entry.costs_unit(key.contract, now) {
            return;
        }
        entry.charge(now);
        let purse = self.purses.entry(key.contract).or_default();
        purse.left = purse.left.map(|left| left.saturating_sub(1));
        purse.spent += 1;
    }

    /// A subscription begins, and is paid for.
    pub(crate) fn begin(&mut self, key: &Key, now: Seconds) {
        self.charge(key, now);
        let entry = self.entries.entry(key.clone()).or_default();
        entry.following = Following::Active { since: now };
        entry.counts(now).accepted += 1;
    }

    /// The vendor gives the number up under its carrier, and follows it under the right one. That costs nothing.
    pub(crate) fn correct(&mut self, wrong: &Key, right: &Key, now: Seconds) {
        self.end(wrong, now, "abort");
        let entry = self.entries.entry(right.clone()).or_default();
        if !matches!(entry.following, Following::Active { .. }) {
            entry.following = Following::Active { since: now };
            entry.counts(now).corrected += 1;
        }
    }

    /// A subscription ends.
    pub(crate) fn end(&mut self, key: &Key, at: Seconds, word: &'static str) {
        self.entries.entry(key.clone()).or_default().following = Following::Ended { at, word };
    }

    /// A query comes: which moment's history may it see?
    pub(crate) fn admit_query(&mut self, key: &Key, now: Seconds, age: Seconds) -> Admission {
        let entry = self.entries.entry(key.clone()).or_default();
        let admission = entry.queries.admit(now, self.ahead, age);
        let counts = entry.counts(now);
        match admission.limit {
            Some(Limit::TooSoon) => counts.queries_too_soon += 1,
            Some(Limit::Locked) => counts.queries_locked += 1,
            None => {}
        }
        admission
    }

    /// A call was answered so.
    pub(crate) fn write_call(&mut self, key: &Key, asked: Asked, code: &str, now: Seconds) {
        let entry = self.entries.entry(key.clone()).or_default();
        entry.write_call(asked, code, now);
    }

    /// A fault was played.
    pub(crate) fn write_fault(&mut self, fault: &'static str) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// A push is never sent.
    pub(crate) fn lose(&mut self, key: &Key, at: Seconds, lines: Vec<Seconds>) {
        self.entries.entry(key.clone()).or_default().lose(at, lines);
    }

    /// A push of so many lines that was made at that moment was taken.
    pub(crate) fn tell(&mut self, key: &Key, made_at: Seconds, lines: usize) {
        self.entries.entry(key.clone()).or_default().tell(made_at, lines);
    }

    pub(crate) fn counts(&mut self, key: &Key, now: Seconds) -> &mut Counts {
        self.entries.entry(key.clone()).or_default().counts(now)
    }

    /// How many numbers are followed.
    pub(crate) fn active(&self) -> usize {
        let entries = self.entries.values();
        let active = entries.filter(|entry| matches!(entry.following, Following::Active { .. }));
        active.count()
    }

    /// The books as JSON. The totals are those of the numbers that are shown.
    pub(crate) fn to_json(&self, shown: Shown<'_>) -> Value {
        let mut total = Counts::default();
        let mut numbers = Vec::new();
        for (key, entry) in &self.entries {
            if matches!(shown, Shown::One(number) if key.tracking_number != number) {
                continue;
            }
            for counts in entry.months.values() {
                total.add(counts);
            }
            if shown == Shown::Totals {
                continue;
            }
            numbers.push(json!({
                "tracking_number": key.tracking_number,
                "contract": key.contract,
                "carrier": key.carrier,
                "following": entry.following,
                "months": entry.months,
                "calls": entry.calls,
                "lost": entry.lost,
                "told_until": entry.told_until,
                "told_lines": entry.told_lines,
            }));
        }
        json!({"total": total, "units": self.purses, "faults": self.faults, "numbers": numbers})
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.accepted += other.accepted;
        self.beyond_quota += other.beyond_quota;
        self.corrected += other.corrected;
        self.queries += other.queries;
        self.queries_too_soon += other.queries_too_soon;
        self.queries_locked += other.queries_locked;
        self.pushes_sent += other.pushes_sent;
        self.push_attempts += other.push_attempts;
        self.pushes_answered += other.pushes_answered;
        self.pushes_lost += other.pushes_lost;
        self.pushes_given_up += other.pushes_given_up;
        self.units += other.units;
        for (codes, more) in [
            (&mut self.codes, &other.codes),
            (&mut self.query_codes, &other.query_codes),
        ] {
            for (code, count) in more {
                *codes.entry(code.clone()).or_default() += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Seconds = 1_786_248_000;

    fn key(number: &str) -> Key {
        Key {
            tracking_number: number.to_owned(),
            contract: Contract::Enterprise,
            carrier: "yuantong".to_owned(),
        }
    }

    #[test]
    fn units_run_out_for_new_numbers_only() {
        let mut ledger = Ledger::new(Some(1));
        let (paid, unpaid) = (key("YT1"), key("YT2"));
        ledger.begin(&paid, NOW);
        assert!(ledger.can_pay(&paid, NOW), "paid for this month");
        assert!(!ledger.can_pay(&unpaid, NOW));
        ledger.set_units(None);
        assert!(ledger.can_pay(&unpaid, NOW));
        assert_eq!(ledger.to_json(Shown::All)["units"]["enterprise"]["spent"], 1);
    }

    #[test]
    fn a_correction_ends_one_subscription_and_begins_another_without_a_call() {
        let mut ledger = Ledger::new(None);
        let wrong = key("YT1");
        let right = Key {
            carrier: "zhongtong".to_owned(),
            ..wrong.clone()
        };
        ledger.begin(&wrong, NOW);
        ledger.correct(&wrong, &right, NOW + 60);
        assert_eq!(ledger.may_begin(&wrong, NOW + 61), Err(Repeated::JustEnded));
        assert_eq!(ledger.may_begin(&right, NOW + 61), Err(Repeated::StillFollowed));
        let total = &ledger.to_json(Shown::All)["total"];
        assert_eq!(
            (&total["accepted"], &total["corrected"], &total["units"]),
            (&1.into(), &1.into(), &1.into())
        );
    }

    #[test]
    fn the_books_are_shown_by_number_and_month() {
        let mut ledger = Ledger::new(None);
        for (number, code) in [("YT1", "200"), ("YT1", "501"), ("YT2", "700")] {
            ledger.write_call(&key(number), Asked::ToSubscribe, code, NOW);
        }
        let json = ledger.to_json(Shown::One("YT1"));
        assert_eq!(json["numbers"].as_array().unwrap().len(), 1);
        assert_eq!(
            json["numbers"][0]["months"]["202608"]["codes"],
            json!({"200": 1, "501": 1})
        );
        let last = json!({"at": "2026-08-09T04:00:00Z", "asked": "to_subscribe", "code": "501"});
        assert_eq!(json["numbers"][0]["calls"][1], last);
        assert_eq!(ledger.to_json(Shown::All)["total"]["calls"], 3);
        let totals = ledger.to_json(Shown::Totals);
        assert_eq!((&totals["total"]["calls"], &totals["numbers"]), (&3.into(), &json!([])));
    }
}
