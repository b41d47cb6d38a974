//! Calendar months and days in China (+08:00, without summer time), in which vendors count subscriptions.

use std::time::Duration;

use courierflow_schemas::records::TimestampMicros;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

const CHINA: Offset = Offset::constant(8);

/// A month in China.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChinaMonth {
    first: Date,
}

impl ChinaMonth {
    /// The month of a time. Times that no calendar has are those of 1970.
    pub fn of(time: TimestampMicros) -> Self {
        let time = Timestamp::from_microsecond(time.0).unwrap_or_default();
        Self {
            first: CHINA.to_datetime(time).date().first_of_month(),
        }
    }

    /// 202612 for December 2026.
    pub fn number(self) -> i32 {
        let year = i32::from(self.first.year());
        let month = i32::from(self.first.month());
        year.saturating_mul(100).saturating_add(month)
    }

    /// The month before.
    #[must_use]
    pub fn previous(self) -> Self {
        self.moved(-1)
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        self.moved(1)
    }

    /// When it begins.
    pub fn begin(self) -> TimestampMicros {
        let begin = self.first.to_zoned(TimeZone::fixed(CHINA));
        TimestampMicros(begin.map_or(0, |begin| begin.timestamp().as_microsecond()))
    }

    /// How long the month of `time` has lasted by then.
    pub fn elapsed(time: TimestampMicros) -> Duration {
        let micros = time.0.saturating_sub(Self::of(time).begin().0);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }

    fn moved(self, months: i64) -> Self {
        let moved = Span::new()
            .try_months(months)
            .and_then(|span| self.first.checked_add(span));
        Self {
            first: moved.unwrap_or(self.first),
        }
    }
}

/// When the day of a time began in China: budgets of queries are counted by it.
pub fn begin_of_day(time: TimestampMicros) -> TimestampMicros {
    let moment = Timestamp::from_microsecond(time.0).unwrap_or_default();
    let begin = CHINA.to_datetime(moment).date().to_zoned(TimeZone::fixed(CHINA));
    TimestampMicros(begin.map_or(0, |begin| begin.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(time: &str) -> TimestampMicros {
        TimestampMicros(time.parse::<Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn a_month_turns_at_midnight_in_china() {
        for (time, month) in [
            ("2026-11-30T15:59:59.999999Z", 202_611),
            ("2026-11-30T16:00:00Z", 202_612),
            ("2026-12-31T16:00:00Z", 202_701),
            ("2027-02-28T15:59:59Z", 202_702),
        ] {
            assert_eq!(ChinaMonth::of(micros(time)).number(), month, "{time}");
        }
        let december = ChinaMonth::of(micros("2026-12-05T00:00:00Z"));
        assert_eq!(december.begin(), micros("2026-11-30T16:00:00Z"));
        assert_eq!(december.next().number(), 202_701);
        assert_eq!(december.previous().number(), 202_611);
        assert_eq!(
            ChinaMonth::elapsed(micros("2026-11-30T16:10:00Z")),
            Duration::from_mins(10)
        );
    }

    #[test]
    fn no_time_is_too_strange() {
        for time in [i64::MIN, i64::MAX, 0] {
            let month = ChinaMonth::of(TimestampMicros(time));
            assert_eq!((month.next().number(), month.previous().number()), (197_002, 196_912));
        }
    }
}
