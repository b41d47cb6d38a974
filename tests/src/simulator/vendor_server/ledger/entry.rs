//! What the vendor has written down about one number: whether it follows it, what was asked for, what it cost.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::month::{Month, china_day};
use super::queries::QueryLog;
use crate::simulator::clock::{HOUR, Seconds};
use crate::simulator::vendor_server::clock::moment;
use crate::simulator::vendor_server::contract::Contract;

/// Accepted subscriptions of one number in a month of China; the fifth counts as a repeated one.
const SUBSCRIPTIONS_A_MONTH: u64 = 4;

/// How long after the end of a subscription another one still counts as a repeated one.
const PAUSE_AFTER_END: Seconds = HOUR / 2;

/// Calendar days in China within which Kdniao charges a number once.
const KDNIAO_WINDOW_DAYS: i64 = 40;

/// How many of the last calls about a number are remembered one by one.
const REMEMBERED_CALLS: usize = 200;

/// A call about a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct WrittenCall {
    /// Simulated time, `2026-11-30T15:59:30Z`.
    at: String,
    asked: Asked,
    code: String,
}

/// What a call wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    /// To be told from now on.
    ToSubscribe,
    /// To be told once.
    ToQuery,
}

/// What was counted in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Calls to subscribe.
    pub(crate) calls: u64,
    /// Those that began a subscription, answered or not.
    pub(crate) accepted: u64,
    /// Those that came although the month was full.
    pub(crate) beyond_quota: u64,
    /// Subscriptions that the vendor began by itself, under a corrected carrier.
    pub(crate) corrected: u64,
    /// Calls by what was answered.
    pub(crate) codes: BTreeMap<String, u64>,
    /// Queries.
    pub(crate) queries: u64,
    /// Queries by what was answered.
    pub(crate) query_codes: BTreeMap<String, u64>,
    /// Queries that came sooner than half an hour after the last one.
    pub(crate) queries_too_soon: u64,
    /// Queries while the number was locked.
    pub(crate) queries_locked: u64,
    /// Pushes, without their repetitions.
    pub(crate) pushes_sent: u64,
    /// Requests, with repetitions.
    pub(crate) push_attempts: u64,
    /// Pushes that were taken.
    pub(crate) pushes_answered: u64,
    /// Pushes that were never sent, on purpose.
    pub(crate) pushes_lost: u64,
    /// Pushes that were refused until the vendor gave up.
    pub(crate) pushes_given_up: u64,
    /// Units charged.
    pub(crate) units: u64,
}

/// A push that was never sent, on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LostPush {
    /// When the vendor looked, seconds UTC.
    at: Seconds,
    /// The times of all lines that it would have told, seconds UTC.
    lines: Vec<Seconds>,
}

/// Whether the vendor follows a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(crate) enum Following {
    /// It was never asked to.
    #[default]
    Never,
    /// It does.
    Active {
        /// Since when, seconds UTC.
        since: Seconds,
    },
    /// It did.
    Ended {
        /// Until when, seconds UTC.
        at: Seconds,
        /// The vendor's word for it.
        word: &'static str,
    },
}

/// Why a subscription counts as a repeated one (501).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// The number is still followed.
    StillFollowed,
    /// It ended less than half an hour ago.
    JustEnded,
    /// It was subscribed to four times this month.
    MonthIsFull,
}

/// One number under one carrier.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) following: Following,
    pub(crate) months: BTreeMap<Month, Counts>,
    pub(crate) queries: QueryLog,
    /// The last calls, oldest first.
    pub(crate) calls: VecDeque<WrittenCall>,
    /// Pushes that were never sent, oldest first.
    pub(crate) lost: Vec<LostPush>,
    /// When the vendor looked for the newest push that was taken. It told the whole history until then.
    pub(crate) told_until: Option<Seconds>,
    /// How many lines that push had.
    pub(crate) told_lines: usize,
    /// Months in which it was charged (Kuaidi100, 17TRACK: once ever).
    charged: BTreeSet<Month>,
    /// First day of the last window in which it was charged (Kdniao).
    window: Option<i64>,
}

impl Entry {
    pub(crate) fn counts(&mut self, now: Seconds) -> &mut Counts {
        self.months.entry(Month::of(now)).or_default()
    }

    /// Counts a call that was answered so.
    pub(crate) fn write_call(&mut self, asked: Asked, code: &str, now: Seconds) {
        if self.calls.len() == REMEMBERED_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(WrittenCall {
            at: moment(now),
            asked,
            code: code.to_owned(),
        });
        let counts = self.counts(now);
        let codes = match asked {
            Asked::ToSubscribe => {
                counts.calls += 1;
                &mut counts.codes
            }
            Asked::ToQuery => {
                counts.queries += 1;
                &mut counts.query_codes
            }
        };
        *codes.entry(code.to_owned()).or_default() += 1;
    }

    /// A push is never sent.
    pub(crate) fn lose(&mut self, at: Seconds, lines: Vec<Seconds>) {
        self.counts(at).pushes_lost += 1;
        self.lost.push(LostPush { at, lines });
    }

    /// A push of so many lines that was made at that moment was taken.
    pub(crate) fn tell(&mut self, made_at: Seconds, lines: usize) {
        self.counts(made_at).pushes_answered += 1;
        if self.told_until <= Some(made_at) {
            (self.told_until, self.told_lines) = (Some(made_at), lines);
        }
    }

    /// Whether Kuaidi100 takes a subscription now.
    pub(crate) fn may_begin(&self, now: Seconds) -> Result<(), Repeated> {
        match self.following {
            Following::Active { .. } => return Err(Repeated::StillFollowed),
            Following::Ended { at, .. } if now < at + PAUSE_AFTER_END => return Err(Repeated::JustEnded),
            Following::Never | Following::Ended { .. } => {}
        }
        let used = self.months.get(&Month::of(now));
        match used.map_or(0, |counts| counts.accepted + counts.corrected) {
            used if used >= SUBSCRIPTIONS_A_MONTH => Err(Repeated::MonthIsFull),
            _ => Ok(()),
        }
    }

    /// Whether a call that is answered with success costs a unit now.
    pub(crate) fn costs_unit(&self, contract: Contract, now: Seconds) -> bool {
        match contract {
            Contract::Enterprise | Contract::Market => !self.charged.contains(&Month::of(now)),
            Contract::Kdniao => self
                .window
                .is_none_or(|first_day| china_day(now) >= first_day + KDNIAO_WINDOW_DAYS),
            Contract::SeventeenTrack => self.charged.is_empty(),
        }
    }

    /// Writes a unit down.
    pub(crate) fn charge(&mut self, now: Seconds) {
        self.charged.insert(Month::of(now));
        self.window = Some(china_day(now));
        self.counts(now).units += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulator::clock::DAY;

    /// 2026-11-30 23:00:00 in China.
    const NOW: Seconds = 1_796_050_800;

    fn entry(following: Following, accepted: u64) -> Entry {
        let mut entry = Entry {
            following,
            ..Entry::default()
        };
        entry.counts(NOW).accepted = accepted;
        entry
    }

    #[test]
    fn the_three_cases_of_501() {
        let ended = |minutes: Seconds| Following::Ended {
            at: NOW - minutes * 60,
            word: "abort",
        };
        for (case, following, accepted, now, expected) in [
            ("never", Following::Never, 0, NOW, Ok(())),
            (
                "still followed",
                Following::Active { since: NOW - DAY },
                1,
                NOW,
                Err(Repeated::StillFollowed),
            ),
            ("29 minutes ago", ended(29), 1, NOW, Err(Repeated::JustEnded)),
            ("30 minutes ago", ended(30), 1, NOW, Ok(())),
            ("the fourth", ended(40), 3, NOW, Ok(())),
            ("the fifth", ended(40), 4, NOW, Err(Repeated::MonthIsFull)),
            ("the fifth, next month", ended(40), 4, NOW + HOUR, Ok(())),
        ] {
            assert_eq!(entry(following, accepted).may_begin(now), expected, "{case}");
        }
    }

    #[test]
    fn a_correction_counts_as_a_subscription() {
        let mut entry = entry(Following::Never, 3);
        entry.counts(NOW).corrected = 1;
        assert_eq!(entry.may_begin(NOW), Err(Repeated::MonthIsFull));
    }

    #[test]
    fn units_are_charged_once_a_month_or_once_in_forty_days() {
        let charged = |contract, days: &[i64]| {
            let mut entry = Entry::default();
            let mut units = 0;
            for day in days {
                let now = NOW + day * DAY;
                if entry.costs_unit(contract, now) {
                    entry.charge(now);
                    units += 1;
                }
            }
            units
        };
        assert_eq!(charged(Contract::Enterprise, &[-29, 0, 1, 30]), 2, "November, December");
        assert_eq!(charged(Contract::Kdniao, &[0, 39, 40]), 2);
        assert_eq!(charged(Contract::Kdniao, &[0, 39]), 1);
        assert_eq!(charged(Contract::SeventeenTrack, &[0, 300]), 1);
    }

    proptest! {
        /// Whoever asks whenever, four subscriptions a month are begun at most, half an hour apart from the end before.
        #[test]
        fn no_month_has_more_than_four_subscriptions(steps in proptest::collection::vec((1..200_000_i64, any::<bool>()), 1..80)) {
            let mut entry = Entry::default();
            let mut now = NOW;
            let mut ended = None;
            for (pause, ends) in steps {
                now += pause;
                if ends && matches!(entry.following, Following::Active { .. }) {
                    entry.following = Following::Ended { at: now, word: "abort" };
                    ended = Some(now);
                } else if entry.may_begin(now).is_ok() {
                    prop_assert!(ended.is_none_or(|ended| now - ended >= PAUSE_AFTER_END));
                    entry.following = Following::Active { since: now };
                    entry.counts(now).accepted += 1;
                }
            }
            prop_assert!(entry.months.values().all(|counts| counts.accepted <= SUBSCRIPTIONS_A_MONTH));
        }
    }
}
