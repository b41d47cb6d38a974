//! How vendors write times and zones (rules 11, 29, 30). Hand-written: this runs for every item of every push.

use std::fmt;

use courierflow_schemas::records::TimestampMillis;
use jiff::tz::Offset;

use crate::local_time::{CHINA, LocalTime};

/// `2026/8/9 7:05`, `2026-08-09T07:05:00.123`: date, blanks or `T`, time to the minute or finer (rule 29).
pub(crate) fn parse_time(text: &str) -> Option<LocalTime> {
    let mut rest = Scanner(text.trim());
    let (year, month, day) = rest.date()?;
    if !rest.blanks() && !rest.literal("T") {
        return None;
    }
    let hour = rest.number(1, 2)?;
    rest.literal(":").then_some(())?;
    let minute = rest.number(1, 2)?;
    let second = rest.optional_seconds()?;
    rest.at_end().then_some(())?;
    local_time(year, month, day, hour, minute, second)
}

/// A vendor's own time of a push, China time. An impossible one is none: one push of the year 9999 would make all others
/// look older for ever.
pub(crate) fn parse_push_time(text: &str) -> Option<TimestampMillis> {
    parse_time(text).filter(|time| time.is_plausible())?.at_offset(CHINA)
}

/// `2025-06-17 10`, `2025-06-17`, minutes and seconds optional; a date alone is the end of that day (rule 30).
pub(crate) fn parse_edd(text: &str) -> Option<TimestampMillis> {
    let mut rest = Scanner(text.trim());
    let (year, month, day) = rest.date()?;
    let (hour, minute, second) = if rest.at_end() {
        (23, 59, 59)
    } else {
        if !rest.blanks() && !rest.literal("T") {
            return None;
        }
        let hour = rest.number(1, 2)?;
        let (minute, second) = if rest.literal(":") {
            (rest.number(1, 2)?, rest.optional_seconds()?)
        } else {
            (0, 0)
        };
        rest.at_end().then_some(())?;
        (hour, minute, second)
    };
    local_time(year, month, day, hour, minute, second)
        .filter(|time| time.is_plausible())?
        .at_offset(CHINA)
}

/// `+02:00`, `GMT-5`, `UTC+0530`, `Z` (rule 11); nothing beyond a day.
pub(crate) fn parse_offset(text: &str) -> Option<Offset> {
    let mut rest = Scanner(text.trim());
    if rest.0 == "Z" {
        return Some(Offset::UTC);
    }
    let _named = rest.literal("GMT") || rest.literal("UTC");
    let sign = match (rest.literal("+"), rest.literal("-")) {
        (true, _) => 1,
        (_, true) => -1,
        _ => return None,
    };
    let digits = rest.0.bytes().take_while(u8::is_ascii_digit).count();
    let (hours, minutes) = match digits {
        1 | 2 => {
            let hours = rest.number(1, 2)?;
            let minutes = if rest.literal(":") { rest.number(2, 2)? } else { 0 };
            (hours, minutes)
        }
        3 => (rest.number(1, 1)?, rest.number(2, 2)?),
        4 => (rest.number(2, 2)?, rest.number(2, 2)?),
        _ => return None,
    };
    if !rest.at_end() || hours > 23 || minutes > 59 {
        return None;
    }
    let minutes = i32::from(hours).saturating_mul(60).saturating_add(i32::from(minutes));
    Offset::from_seconds(minutes.saturating_mul(60).saturating_mul(sign)).ok()
}

fn local_time(year: i16, month: i16, day: i16, hour: i16, minute: i16, second: i16) -> Option<LocalTime> {
    let small = |number: i16| i8::try_from(number).ok();
    LocalTime::new(
        year,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
    )
}

/// Takes a text apart from the left.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn date(&mut self) -> Option<(i16, i16, i16)> {
        let year = self.number(4, 4)?;
        self.date_separator()?;
        let month = self.number(1, 2)?;
        self.date_separator()?;
        let day = self.number(1, 2)?;
        Some((year, month, day))
    }

    fn date_separator(&mut self) -> Option<()> {
        (self.literal("-") || self.literal("/")).then_some(())
    }

    /// `[:s{1,2}[.fraction]]`; the fraction is dropped.
    fn optional_seconds(&mut self) -> Option<i16> {
        if !self.literal(":") {
            return Some(0);
        }
        let second = self.number(1, 2)?;
        if self.literal(".") {
            let fraction = self.0.trim_start_matches(|letter: char| letter.is_ascii_digit());
            if fraction.len() == self.0.len() {
                return None;
            }
            self.0 = fraction;
        }
        Some(second)
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i16> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        if digits < least { None } else { number.parse().ok() }
    }

    fn literal(&mut self, literal: &str) -> bool {
        match self.0.strip_prefix(literal) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// One or more blanks.
    fn blanks(&mut self) -> bool {
        let rest = self.0.trim_start();
        let found = rest.len() < self.0.len();
        self.0 = rest;
        found
    }

    fn at_end(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Scanner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scanner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_29_the_grammar_of_times() {
        for (text, normalised) in [
            ("2026-08-09 07:05:00", "2026-08-09 07:05:00"),
            ("2026/8/9 7:05", "2026-08-09 07:05:00"),
            ("2026-8/9 7:5:3", "2026-08-09 07:05:03"),
            (" 2024-06-28T11:23:51 ", "2024-06-28 11:23:51"),
            ("2024-06-28   11:23:51.987654321", "2024-06-28 11:23:51"),
            ("\u{3000}2024-06-28\u{3000}11:23", "2024-06-28 11:23:00"),
            ("2024-02-29 00:00", "2024-02-29 00:00:00"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
            ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),
        ] {
            assert_eq!(
                parse_time(text).map(|time| time.to_string()).as_deref(),
                Some(normalised),
                "{text}"
            );
        }
    }

    #[test]
    fn rule_29_anything_else_is_unparseable() {
        for text in [
            "",
            "2026-08-09",
            "2026-08-09 07",
            "2026-08-09 07:05:00 ",
            "26-08-09 07:05:00",
            "12026-08-09 07:05:00",
            "2026-008-09 07:05:00",
            "2026-08-09  T07:05:00",
            "2026-08-09t07:05:00",
            "2026-08-09 07:05:00Z",
            "2026-08-09 07:05:00+08:00",
            "2026-08-09 07:05:00.",
            "2026-08-09 07:05:",
            "2026-08-09 24:00:00",
            "2026-08-09 07:60:00",
            "2026-08-09 07:05:60",
            "2026-13-09 07:05:00",
            "2026-02-29 07:05:00",
            "2026-00-09 07:05:00",
            "2026.08.09 07:05:00",
            "２０２６-08-09 07:05:00",
            "20260809070500",
            "1754726700",
            "-2026-08-09 07:05:00",
        ] {
            let unparseable = text != "2026-08-09 07:05:00 ";
            assert_eq!(parse_time(text).is_none(), unparseable, "{text}");
        }
    }

    #[test]
    fn rule_30_estimated_delivery_in_china_time() {
        for (text, utc) in [
            ("2025-06-17 10", Some("2025-06-17T02:00:00Z")),
            ("2025-06-17 10:30", Some("2025-06-17T02:30:00Z")),
            ("2025-06-17 10:30:15", Some("2025-06-17T02:30:15Z")),
            ("2025-06-17", Some("2025-06-17T15:59:59Z")),
            (" 2025/6/17 ", Some("2025-06-17T15:59:59Z")),
            ("2025-06-17 ", Some("2025-06-17T15:59:59Z")),
            ("2025-06-17 25", None),
            ("2025-06-17 10:", None),
            ("明天", None),
            ("", None),
            ("0001-01-01", None),
        ] {
            let instant = utc
                .and_then(|utc| utc.parse::<jiff::Timestamp>().ok())
                .map(jiff::Timestamp::as_millisecond);
            assert_eq!(parse_edd(text).map(|edd| edd.0), instant, "{text}");
        }
    }

    #[test]
    fn rule_11_the_grammar_of_time_zones() {
        for (text, seconds) in [
            ("+02:00", Some(7200)),
            ("-05:00", Some(-18000)),
            ("+2", Some(7200)),
            ("+08", Some(28800)),
            ("+0530", Some(19800)),
            ("+530", Some(19800)),
            ("GMT+8", Some(28800)),
            ("UTC-03:30", Some(-12600)),
            (" +01:00 ", Some(3600)),
            ("Z", Some(0)),
            ("-00:00", Some(0)),
            ("", None),
            ("+", None),
            ("02:00", None),
            ("GMT", None),
            ("GMT +2", None),
            ("+2:0", None),
            ("+02:", None),
            ("+24:00", None),
            ("+02:60", None),
            ("+02:00:00", None),
            ("+12345", None),
            ("Europe/Paris", None),
        ] {
            assert_eq!(parse_offset(text).map(Offset::seconds), seconds, "{text}");
        }
    }
}
