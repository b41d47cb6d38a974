//! Times as vendors write them: rules 11 (offsets), 28 (range), 29 (grammar), 30 (estimated delivery), 36 (zones).
//! Event times are seconds since 1970, UTC.

use std::sync::LazyLock;

use fancy_regex::Regex;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// China time, in seconds east of UTC.
pub(super) const CHINA: i64 = 8 * 3600;

pub(super) const DAY: i64 = 86_400;

static LOCAL_TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:\s+|T)([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.[0-9]+)?)?\s*$")
        .unwrap()
});

static ESTIMATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\s*([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:(?:\s+|T)([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.[0-9]+)?)?)?)?\s*$",
    )
    .unwrap()
});

static OFFSET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:GMT|UTC)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?$").unwrap());

/// Rule 29: the grammar of a time; the date must exist and the clock must show it.
pub(super) fn parse_local(text: &str) -> Option<DateTime> {
    let part = LOCAL_TIME.captures(text).unwrap()?;
    let number = |index: usize| {
        part.get(index)
            .map_or(0, |digits| digits.as_str().parse::<i16>().unwrap())
    };
    civil(number(1), [number(2), number(3), number(4), number(5), number(6)])
}

/// Rule 30: a time whose minutes and seconds are optional, or a date alone, which means its last second. China time.
/// An estimate outside the years of rule 28 is no estimate.
pub(super) fn parse_estimate(text: &str) -> Option<i64> {
    let part = ESTIMATE.captures(text).unwrap()?;
    let number = |index: usize| {
        part.get(index)
            .map_or(0, |digits| digits.as_str().parse::<i16>().unwrap())
    };
    let date_alone = part.get(4).is_none();
    let clock = if date_alone {
        [23, 59, 59]
    } else {
        [number(4), number(5), number(6)]
    };
    let local = civil(number(1), [number(2), number(3), clock[0], clock[1], clock[2]])?;
    is_possible(local).then(|| at_offset(local, CHINA))
}

fn civil(year: i16, rest: [i16; 5]) -> Option<DateTime> {
    let [month, day, hour, minute, second] = rest.map(|number| i8::try_from(number).unwrap());
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// Rule 28, judged on the local time as written.
pub(super) fn is_possible(local: DateTime) -> bool {
    (2000..2100).contains(&local.year())
}

/// Rule 29: `yyyy-MM-dd HH:mm:ss`.
pub(super) fn normalised(local: DateTime) -> String {
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The UTC time of a local time at a fixed offset, in seconds east of UTC.
pub(super) fn at_offset(local: DateTime, seconds_east: i64) -> i64 {
    local.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second() - seconds_east
}

/// Rule 36: the UTC time of a local time in an IANA zone; in a gap or an overlap the earlier offset holds.
pub(super) fn in_zone(local: DateTime, iana_name: &str) -> i64 {
    let zone = TimeZone::get(iana_name).unwrap();
    zone.to_ambiguous_zoned(local)
        .compatible()
        .unwrap()
        .timestamp()
        .as_second()
}

/// Rule 11: `Z`, or optional GMT or UTC, a sign, hours, optional minutes. Seconds east of UTC.
pub(super) fn parse_offset(text: &str) -> Option<i64> {
    let text = text.trim();
    if text == "Z" {
        return Some(0);
    }
    let part = OFFSET.captures(text).unwrap()?;
    let number = |index: usize| {
        part.get(index)
            .map_or(0, |digits| digits.as_str().parse::<i64>().unwrap())
    };
    let (hours, minutes) = (number(2), number(3));
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if &part[1] == "-" { -seconds } else { seconds })
}

/// The UTC day of a second, `yyyy-MM-dd`.
pub(super) fn utc_day(second: i64) -> String {
    jiff::Timestamp::from_second(second)
        .unwrap()
        .strftime("%Y-%m-%d")
        .to_string()
}
