//! Months and days of the calendar in China, which quota and prices go by.

use serde::{Serialize, Serializer};

use crate::simulator::clock::{DAY, HOUR, Seconds, in_china};

/// A calendar month in China: 202611 is November 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Month(i32);

impl Month {
    /// The month that the calendar in China shows.
    pub(crate) fn of(at: Seconds) -> Self {
        let date = in_china(at);
        Self(i32::from(date.year()) * 100 + i32::from(date.month()))
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Number of the calendar day in China, counted from 1970-01-01.
pub(crate) const fn china_day(at: Seconds) -> i64 {
    (at + 8 * HOUR).div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_in_china() {
        for (at, month) in [
            ("2026-11-30T15:59:59Z", 202_611),
            ("2026-11-30T16:00:00Z", 202_612),
            ("2026-12-31T15:59:59Z", 202_612),
            ("2026-12-31T16:00:00Z", 202_701),
        ] {
            let at = at.parse::<jiff::Timestamp>().unwrap().as_second();
            assert_eq!(Month::of(at), Month(month));
            assert_eq!(china_day(at - 1) == china_day(at), at % DAY != 16 * HOUR);
        }
    }
}
