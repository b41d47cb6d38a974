//! Times as vendors write them: rules 4.5 and 4.7 (zones), 28 (range), 29 and 70 (grammar), 30 (estimated delivery), 36
//! (zones). Event times are seconds since 1970, UTC.

use std::sync::LazyLock;

use fancy_regex::Regex;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// China time.
pub(super) const CHINA: Zone = Zone::Offset(CHINA_EAST);

/// In seconds east of UTC.
const CHINA_EAST: i64 = 8 * 3600;

pub(super) const DAY: i64 = 86_400;

/// The date and the clock of rule 4.4, and the offset of RFC 3339.
static DATE_AND_CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\s*([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:\s+|T)([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.[0-9]+)?)?(?:\s?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?\s*$",
    )
    .unwrap()
});

static CHINESE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日\s+([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?\s*$")
        .unwrap()
});

static ISO_BASIC: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})\s*$").unwrap());

static UNIX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*([0-9]{10})([0-9]{3})?\s*$").unwrap());

static ESTIMATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\s*([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:(?:\s+|T)([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.[0-9]+)?)?)?)?\s*$",
    )
    .unwrap()
});

static OFFSET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:GMT|UTC)?([+\u{2212}-])([0-9]{1,2})(?::?([0-9]{2}))?$").unwrap());

/// A moment as a vendor wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A clock that some zone shows.
    Clock(DateTime),
    /// With its own offset, seconds east of UTC.
    Offset(DateTime, i64),
    /// Seconds since 1970, UTC.
    Unix(i64),
}

/// Where an item's clock hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Seconds east of UTC.
    Offset(i64),
    /// An IANA name, as the zone database spells it.
    Named(String),
}

/// A time of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    /// As written; of a Unix time, in the item's zone.
    pub(super) local: DateTime,
    /// In the item's zone: rule 4.5.
    pub(super) in_zone: DateTime,
    /// Seconds.
    pub(super) utc: i64,
    /// Whether the text alone fixed the moment.
    pub(super) is_absolute: bool,
}

/// Rules 4.4 and 4.5: the grammar of a time; the date must exist and the clock must show it.
pub(super) fn parse(text: &str) -> Option<Written> {
    if let Some(part) = UNIX.captures(text).unwrap() {
        return Some(Written::Unix(part[1].parse().unwrap()));
    }
    for grammar in [&DATE_AND_CLOCK, &CHINESE, &ISO_BASIC] {
        let Some(part) = grammar.captures(text).unwrap() else {
            continue;
        };
        let number = |index: usize| {
            part.get(index)
                .map_or(0, |digits| digits.as_str().parse::<i16>().unwrap())
        };
        let local = civil(number(1), [number(2), number(3), number(4), number(5), number(6)])?;
        return match part.get(7) {
            Some(offset) => Some(Written::Offset(local, parse_offset(offset.as_str())?)),
            None => Some(Written::Clock(local)),
        };
    }
    None
}

/// What was written, by the clock of this zone; `None` outside the years of rule 4.6, some of which no zone can place.
pub(super) fn placed(written: Written, zone: &Zone) -> Option<Time> {
    match written {
        Written::Clock(local) => is_possible(local).then(|| Time {
            local,
            in_zone: local,
            utc: zone.utc(local),
            is_absolute: false,
        }),
        Written::Offset(local, offset) => is_possible(local).then(|| {
            let utc = at_offset(local, offset);
            Time {
                local,
                in_zone: zone.local(utc),
                utc,
                is_absolute: true,
            }
        }),
        Written::Unix(utc) => {
            let local = zone.local(utc);
            is_possible(local).then_some(Time {
                local,
                in_zone: local,
                utc,
                is_absolute: true,
            })
        }
    }
}

impl Zone {
    /// In a gap or an overlap the earlier offset holds (rule 4.8).
    fn utc(&self, local: DateTime) -> i64 {
        match self {
            Self::Offset(east) => at_offset(local, *east),
            Self::Named(name) => in_zone(local, name),
        }
    }

    /// What a clock of the zone shows.
    pub(super) fn local(&self, utc: i64) -> DateTime {
        let timestamp = |utc| jiff::Timestamp::from_second(utc).unwrap();
        match self {
            Self::Offset(east) => timestamp(utc + east).to_zoned(TimeZone::UTC).datetime(),
            Self::Named(name) => timestamp(utc).to_zoned(TimeZone::get(name).unwrap()).datetime(),
        }
    }
}

/// Rules 4.5 and 4.7: `Timezone`, as an offset, else as the zone database knows it. CST, IST and BST, which it does not
/// know, are not read.
pub(super) fn parse_zone(text: &str) -> Option<Zone> {
    if let Some(east) = parse_offset(text) {
        return Some(Zone::Offset(east));
    }
    let zone = TimeZone::get(text.trim()).ok()?;
    Some(Zone::Named(zone.iana_name()?.to_owned()))
}

/// Rule 4.11: a time whose minutes and seconds are optional, or a date alone, which means its last second. China time.
/// An estimate outside the years of rule 4.6 is no estimate.
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
    is_possible(local).then(|| at_offset(local, CHINA_EAST))
}

fn civil(year: i16, rest: [i16; 5]) -> Option<DateTime> {
    let [month, day, hour, minute, second] = rest.map(|number| i8::try_from(number).unwrap());
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// Rule 4.6: more than 10 minutes after the receipt, which is in µs.
pub(super) fn is_future(utc: i64, received_at: i64) -> bool {
    utc * 1_000_000 > received_at + 600 * 1_000_000
}

/// Rule 4.6, judged on the local time as written.
pub(super) fn is_possible(local: DateTime) -> bool {
    (2000..2100).contains(&local.year())
}

/// Rule 4.4: `yyyy-MM-dd HH:mm:ss`.
pub(super) fn normalised(local: DateTime) -> String {
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The UTC time of a local time at a fixed offset, in seconds east of UTC.
fn at_offset(local: DateTime, seconds_east: i64) -> i64 {
    local.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second() - seconds_east
}

/// Rule 4.8: the UTC time of a local time in an IANA zone; in a gap or an overlap the earlier offset holds.
fn in_zone(local: DateTime, iana_name: &str) -> i64 {
    let zone = TimeZone::get(iana_name).unwrap();
    zone.to_ambiguous_zoned(local)
        .compatible()
        .unwrap()
        .timestamp()
        .as_second()
}

/// Rule 4.7: `Z`, or optional GMT or UTC, a sign, hours, optional minutes. Seconds east of UTC.
fn parse_offset(text: &str) -> Option<i64> {
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
    Some(if &part[1] == "+" { seconds } else { -seconds })
}

/// The UTC day of a second, `yyyy-MM-dd`.
pub(super) fn utc_day(second: i64) -> String {
    jiff::Timestamp::from_second(second)
        .unwrap()
        .strftime("%Y-%m-%d")
        .to_string()
}
