//! How often one number may be queried: once in half an hour, 48 times a day; then it is locked for a day. Who asks more
//! often gets the answer of before.

use std::collections::VecDeque;

use crate::simulator::clock::{DAY, HOUR, Seconds};

/// Shortest time between two looks at the carrier.
const APART: Seconds = HOUR / 2;
/// Queries within a day that lock a number when they are exceeded.
const A_DAY: usize = 48;

/// The queries of one number.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueryLog {
    /// Those of the last 24 hours, by the clock of limits, as is `locked_until`.
    times: VecDeque<Seconds>,
    locked_until: Option<Seconds>,
    /// When the carrier was asked for the last answer, and what the clock of limits showed.
    looked_at: Option<(Seconds, Seconds)>,
}

/// What a query is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// The moment whose history is told.
    pub(crate) looked_at: Seconds,
    /// Why it is an older one.
    pub(crate) limit: Option<Limit>,
}

/// A limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    TooSoon,
    Locked,
}

impl QueryLog {
    /// Takes a query. The clock of limits is `ahead` of the simulated time `now`. `age` is how old the vendor's cached answer is, 0 for a
    /// fresh one.
    pub(crate) fn admit(&mut self, now: Seconds, ahead: Seconds, age: Seconds) -> Admission {
        let counted = now.saturating_add(ahead);
        while self.times.front().is_some_and(|first| *first <= counted - DAY) {
            self.times.pop_front();
        }
        self.times.push_back(counted);
        self.locked_until = self.locked_until.filter(|until| counted < *until);
        if self.locked_until.is_none() && self.times.len() > A_DAY {
            self.locked_until = Some(counted + DAY);
        }
        let limit = match (self.locked_until, self.looked_at) {
            (Some(_), _) => Some(Limit::Locked),
            (None, Some((_, last))) if counted < last + APART => Some(Limit::TooSoon),
            (None, _) => None,
        };
        if let (Some(limit), Some((looked_at, _))) = (limit, self.looked_at) {
            return Admission {
                looked_at,
                limit: Some(limit),
            };
        }
        if age == 0 {
            self.looked_at = Some((now, counted));
        }
        Admission {
            looked_at: now - age,
            limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Seconds = 1_786_248_000;

    #[test]
    fn within_half_an_hour_the_old_answer_comes_again() {
        let mut log = QueryLog::default();
        for (minutes, looked_at, limit) in [
            (0, 0, None),
            (29, 0, Some(Limit::TooSoon)),
            (30, 30, None),
            (59, 30, Some(Limit::TooSoon)),
            (60, 60, None),
        ] {
            let admission = log.admit(NOW + minutes * 60, 0, 0);
            assert_eq!((admission.looked_at, admission.limit), (NOW + looked_at * 60, limit));
        }
    }

    #[test]
    fn more_than_48_a_day_lock_the_number_for_a_day() {
        let mut log = QueryLog::default();
        for query in 0..48 {
            assert_ne!(log.admit(NOW + query * 60, 0, 0).limit, Some(Limit::Locked), "{query}");
        }
        let locked = NOW + 48 * 60;
        assert_eq!(log.admit(locked, 0, 0).limit, Some(Limit::Locked));
        let later = log.admit(locked + DAY - 1, 0, 0);
        assert_eq!(later.limit, Some(Limit::Locked));
        assert!(later.looked_at < locked, "the old answer");
        assert_eq!(log.admit(locked + DAY, 0, 0).limit, None);
    }

    #[test]
    fn a_cached_answer_is_that_much_older() {
        let admission = QueryLog::default().admit(NOW, 0, 8 * HOUR);
        assert_eq!((admission.looked_at, admission.limit), (NOW - 8 * HOUR, None));
    }

    #[test]
    fn limits_have_a_clock_of_their_own_when_the_simulated_time_has_caught_up() {
        let mut log = QueryLog::default();
        assert_eq!(log.admit(NOW, 0, 0).limit, None);
        assert_eq!(log.admit(NOW + 1, APART - 2, 0).limit, Some(Limit::TooSoon));
        let admission = log.admit(NOW + 2, APART, 0);
        assert_eq!((admission.looked_at, admission.limit), (NOW + 2, None));
    }

    proptest! {
        #[test]
        fn fresh_answers_are_half_an_hour_apart_and_none_comes_from_the_future(
            pauses in proptest::collection::vec(0..4_000_i64, 1..120),
        ) {
            let mut log = QueryLog::default();
            let mut now = NOW;
            let mut fresh = None;
            for pause in pauses {
                now += pause;
                let admission = log.admit(now, 0, 0);
                prop_assert!(admission.looked_at <= now);
                if admission.limit.is_none() {
                    prop_assert!(fresh.is_none_or(|before| now - before >= APART));
                    fresh = Some(now);
                }
            }
        }
    }
}
