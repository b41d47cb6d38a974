//! Simulated time: seconds since 1970 UTC, and how vendors and carriers write it.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil::DateTime};

/// Seconds since 1970-01-01T00:00:00Z.
pub type Seconds = i64;

/// One hour.
pub const HOUR: Seconds = 3_600;
/// One day of 24 hours.
pub const DAY: Seconds = 24 * HOUR;

/// The clock on the wall in China, without daylight saving since 1991.
pub fn in_china(at: Seconds) -> DateTime {
    at_offset(at, Offset::constant(8))
}

/// The clock on the wall at a fixed distance from UTC.
pub fn at_offset(at: Seconds, offset: Offset) -> DateTime {
    offset.to_datetime(Timestamp::from_second(at).unwrap_or_default())
}

/// The distance from UTC in an IANA zone at that moment; UTC itself if the zone is not known.
pub fn offset_in(zone: &str, at: Seconds) -> Offset {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    zone.to_offset(Timestamp::from_second(at).unwrap_or_default())
}

/// `2026-08-09 07:05:03`, in China.
pub fn china_text(at: Seconds) -> String {
    local_text(in_china(at))
}

/// `2026-08-09 07:05:03`.
pub fn local_text(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The next moment from `at` on at which people work: `at` itself if the clock in China shows `open..close` (whole hours),
/// else the next opening.
pub fn working_hour(at: Seconds, open: i8, close: i8) -> Seconds {
    let clock = in_china(at);
    let since_midnight =
        Seconds::from(clock.hour()) * HOUR + Seconds::from(clock.minute()) * 60 + Seconds::from(clock.second());
    let opens = at - since_midnight + Seconds::from(open) * HOUR;
    match clock.hour() {
        hour if hour < open => opens,
        hour if hour >= close => opens + DAY,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_hours_are_those_of_china() {
        let at = |text: &str| text.parse::<Timestamp>().map(Timestamp::as_second).unwrap_or_default();
        for (case, given, expected) in [
            ("in the night", "2026-08-09T02:00:00+08:00", "2026-08-09T08:00:00+08:00"),
            ("at work", "2026-08-09T12:34:56+08:00", "2026-08-09T12:34:56+08:00"),
            (
                "in the evening",
                "2026-08-09T21:00:00+08:00",
                "2026-08-10T08:00:00+08:00",
            ),
        ] {
            assert_eq!(working_hour(at(given), 8, 20), at(expected), "{case}");
        }
        assert_eq!(china_text(at("2026-08-08T23:05:03Z")), "2026-08-09 07:05:03");
    }
}
