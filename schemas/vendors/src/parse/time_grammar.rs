//! How vendors write times (rules 4.4, 4.5, 4.11). Hand-written: this runs for every item of every push.

use std::fmt;

use courierflow_schemas::records::TimestampMillis;
use jiff::tz::Offset;

use super::event_time::Zone;
use crate::local_time::{CHINA, LocalTime};

/// A moment as a vendor wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// A wall clock. Where it hangs is told elsewhere.
    Local(LocalTime),
    /// A wall clock and its offset from UTC.
    AtOffset(LocalTime, Offset),
    /// Unix time in whole seconds.
    Unix(i64),
}

/// A time in one of the ways of rules 4.4 and 4.5; blanks around it do not count, anything else around it does.
pub(crate) fn parse_time(text: &str) -> Option<Written> {
    let rest = Scanner(text.trim());
    match rest.leading_digits() {
        4 => rest.calendar_time(),
        10 => rest.unix_time(1),
        13 => rest.unix_time(1000),
        14 => rest.basic_time(),
        _ => None,
    }
}

/// A time without an offset; others are none.
pub(crate) fn parse_local_time(text: &str) -> Option<LocalTime> {
    match parse_time(text)? {
        Written::Local(time) => Some(time),
        Written::AtOffset(..) | Written::Unix(_) => None,
    }
}

/// A vendor's own time of a push, in China unless it says otherwise. An impossible one is none: one push of the year 9999
/// would make all others look older for ever.
pub(crate) fn parse_push_time(text: &str) -> Option<TimestampMillis> {
    Some(Zone::CHINA.place(parse_time(text)?)?.occurred_at)
}

/// `2025-06-17 10`, `2025-06-17`, minutes and seconds optional; a date alone is the end of that day (rule 4.11).
pub(crate) fn parse_edd(text: &str) -> Option<TimestampMillis> {
    let mut rest = Scanner(text.trim());
    let date = rest.date()?;
    let clock = if rest.at_end() {
        (23, 59, 59)
    } else {
        rest.blanks_or_t()?;
        let hour = rest.number(1, 2)?;
        let (minute, second) = if rest.literal(":") {
            (rest.number(1, 2)?, rest.optional_seconds_with_fraction()?)
        } else {
            (0, 0)
        };
        rest.at_end().then_some(())?;
        (hour, minute, second)
    };
    local_time(date, clock)
        .filter(|time| time.is_plausible())?
        .at_offset(CHINA)
}

fn local_time((year, month, day): (i16, i16, i16), (hour, minute, second): (i16, i16, i16)) -> Option<LocalTime> {
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
pub(super) struct Scanner<'a>(pub(super) &'a str);

impl Scanner<'_> {
    /// `2026/8/9 7:05`, `2026-08-09T07:05:00.123 +0800`, `2026年8月9日 7:05`.
    fn calendar_time(mut self) -> Option<Written> {
        let year = self.number(4, 4)?;
        if self.literal("年") {
            return self.chinese_time(year);
        }
        let (month, day) = self.month_and_day()?;
        self.blanks_or_t()?;
        let (hour, minute) = self.hour_and_minute()?;
        let second = self.optional_seconds_with_fraction()?;
        let time = local_time((year, month, day), (hour, minute, second))?;
        if self.at_end() {
            return Some(Written::Local(time));
        }
        self.one_blank();
        Some(Written::AtOffset(time, self.rfc3339_offset()?))
    }

    /// Behind the year.
    fn chinese_time(mut self, year: i16) -> Option<Written> {
        let month = self.number(1, 2)?;
        self.literal("月").then_some(())?;
        let day = self.number(1, 2)?;
        self.literal("日").then_some(())?;
        self.blanks().then_some(())?;
        let (hour, minute) = self.hour_and_minute()?;
        let second = self.optional_seconds()?;
        self.at_end().then_some(())?;
        local_time((year, month, day), (hour, minute, second)).map(Written::Local)
    }

    /// `yyyyMMddHHmmss`.
    fn basic_time(mut self) -> Option<Written> {
        let date = (self.number(4, 4)?, self.number(2, 2)?, self.number(2, 2)?);
        let clock = (self.number(2, 2)?, self.number(2, 2)?, self.number(2, 2)?);
        self.at_end().then_some(())?;
        local_time(date, clock).map(Written::Local)
    }

    /// Nothing but digits: so many of these make a second.
    fn unix_time(&self, in_a_second: i64) -> Option<Written> {
        let number: i64 = self.0.parse().ok()?;
        Some(Written::Unix(number.div_euclid(in_a_second)))
    }

    /// `Z`, `+08:00`, `+0800`, `+08`, and nothing behind it.
    fn rfc3339_offset(mut self) -> Option<Offset> {
        if self.literal("Z") {
            return self.at_end().then_some(Offset::UTC);
        }
        let sign = self.sign(&["-"])?;
        let hours = self.number(2, 2)?;
        let minutes = if self.at_end() {
            0
        } else {
            self.literal(":");
            self.number(2, 2)?
        };
        self.at_end().then_some(())?;
        offset(sign, hours, minutes)
    }

    /// 1 or -1; the plus has one spelling.
    pub(super) fn sign(&mut self, minus: &[&str]) -> Option<i32> {
        if self.literal("+") {
            return Some(1);
        }
        minus.iter().any(|minus| self.literal(minus)).then_some(-1)
    }

    fn date(&mut self) -> Option<(i16, i16, i16)> {
        let year = self.number(4, 4)?;
        let (month, day) = self.month_and_day()?;
        Some((year, month, day))
    }

    fn month_and_day(&mut self) -> Option<(i16, i16)> {
        self.date_separator()?;
        let month = self.number(1, 2)?;
        self.date_separator()?;
        let day = self.number(1, 2)?;
        Some((month, day))
    }

    fn date_separator(&mut self) -> Option<()> {
        (self.literal("-") || self.literal("/")).then_some(())
    }

    fn blanks_or_t(&mut self) -> Option<()> {
        (self.blanks() || self.literal("T")).then_some(())
    }

    fn hour_and_minute(&mut self) -> Option<(i16, i16)> {
        let hour = self.number(1, 2)?;
        self.literal(":").then_some(())?;
        let minute = self.number(1, 2)?;
        Some((hour, minute))
    }

    /// `[:s{1,2}]`.
    fn optional_seconds(&mut self) -> Option<i16> {
        if self.literal(":") { self.number(1, 2) } else { Some(0) }
    }

    /// `[:s{1,2}[.fraction]]`; the fraction is dropped.
    fn optional_seconds_with_fraction(&mut self) -> Option<i16> {
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

    pub(super) fn leading_digits(&self) -> usize {
        self.0.bytes().take_while(u8::is_ascii_digit).count()
    }

    /// A number of `least` to `most` digits; at most four, so that it fits.
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<i16> {
        let mut digits: usize = 0;
        let mut number: i16 = 0;
        for digit in self.0.bytes().take(most).take_while(u8::is_ascii_digit) {
            digits = digits.saturating_add(1);
            number = number.checked_mul(10)?.checked_add(digit.saturating_sub(b'0').into())?;
        }
        self.0 = self.0.get(digits..)?;
        (digits >= least).then_some(number)
    }

    pub(super) fn literal(&mut self, literal: &str) -> bool {
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

    /// A blank, if there is one.
    fn one_blank(&mut self) {
        self.0 = self.0.strip_prefix(char::is_whitespace).unwrap_or(self.0);
    }

    pub(super) fn at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// An offset from UTC of less than a day.
pub(super) fn offset(sign: i32, hours: i16, minutes: i16) -> Option<Offset> {
    if hours > 23 || minutes > 59 {
        return None;
    }
    let minutes = i32::from(hours).saturating_mul(60).saturating_add(i32::from(minutes));
    Offset::from_seconds(minutes.saturating_mul(60).saturating_mul(sign)).ok()
}

impl fmt::Debug for Scanner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scanner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text says: the wall clock and, where it tells one, the offset in minutes or `unix`.
    fn read(text: &str) -> Option<String> {
        Some(match parse_time(text)? {
            Written::Local(time) => time.to_string(),
            Written::AtOffset(time, offset) => format!("{time} {}", offset.seconds() / 60),
            Written::Unix(second) => format!("unix {second}"),
        })
    }

    #[test]
    fn rule_4_4_the_grammar_of_times() {
        for (text, normalised) in [
            ("2026-08-09 07:05:00", "2026-08-09 07:05:00"),
            ("2026-08-09 07:05:00 ", "2026-08-09 07:05:00"),
            ("2026/8/9 7:05", "2026-08-09 07:05:00"),
            ("2026-8/9 7:5:3", "2026-08-09 07:05:03"),
            (" 2024-06-28T11:23:51 ", "2024-06-28 11:23:51"),
            ("2024-06-28   11:23:51.987654321", "2024-06-28 11:23:51"),
            ("\u{3000}2024-06-28\u{3000}11:23", "2024-06-28 11:23:00"),
            ("2024-02-29 00:00", "2024-02-29 00:00:00"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
            ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),
        ] {
            assert_eq!(read(text).as_deref(), Some(normalised), "{text}");
        }
    }

    #[test]
    fn rule_4_5_the_grammar_of_times() {
        for (text, read_as) in [
            // RFC 3339.
            ("2026-08-09T07:05:00Z", "2026-08-09 07:05:00 0"),
            ("2026-08-09 07:05:00 Z", "2026-08-09 07:05:00 0"),
            ("2026-08-09T07:05:00+08:00", "2026-08-09 07:05:00 480"),
            ("2026-08-09T07:05:00+0530", "2026-08-09 07:05:00 330"),
            ("2026-08-09T07:05:00-03", "2026-08-09 07:05:00 -180"),
            ("2026-08-09T07:05:00-00:00", "2026-08-09 07:05:00 0"),
            ("2026-08-09 07:05:00.250 +0000", "2026-08-09 07:05:00 0"),
            ("2026-08-09T07:05:00.5-23:59", "2026-08-09 07:05:00 -1439"),
            (" 2026/8/9 7:05\u{A0}+08 ", "2026-08-09 07:05:00 480"),
            ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00 0"),
            // ISO basic.
            ("20260809070500", "2026-08-09 07:05:00"),
            (" 20240229235959 ", "2024-02-29 23:59:59"),
            // Chinese.
            ("2026年8月9日 7:05", "2026-08-09 07:05:00"),
            ("2026年08月09日 07:05:03", "2026-08-09 07:05:03"),
            ("2026年12月31日\u{3000}23:59", "2026-12-31 23:59:00"),
            // Unix time.
            ("1754726700", "unix 1754726700"),
            ("0000000000", "unix 0"),
            ("1754726700999", "unix 1754726700"),
            ("\t1754726700 ", "unix 1754726700"),
            ("9999999999999", "unix 9999999999"),
        ] {
            assert_eq!(read(text).as_deref(), Some(read_as), "{text}");
        }
    }

    #[test]
    fn rules_29_and_70_anything_else_is_unparseable() {
        for text in [
            "",
            "2026-08-09",
            "2026-08-09 07",
            "26-08-09 07:05:00",
            "12026-08-09 07:05:00",
            "2026-008-09 07:05:00",
            "2026-08-09  T07:05:00",
            "2026-08-09t07:05:00",
            "2026-08-0907:05:00",
            "2026-08-09 07:05:00.",
            "2026-08-09 07:05:",
            "2026-08-09 24:00:00",
            "2026-08-09 07:60:00",
            "2026-08-09 07:05:60",
            "2026-13-09 07:05:00",
            "2026-02-29 07:05:00",
            "2026-00-09 07:05:00",
            "0000-00-00 00:00:00",
            "2026.08.09 07:05:00",
            "２０２６-08-09 07:05:00",
            "-2026-08-09 07:05:00",
            // Something between or behind.
            "2026-08-09 07:05:00 星期日",
            "2026-08-09 07:05:00 CET",
            "2026-08-09 07:05:00 GMT+8",
            "2026-08-09 07:05:00+08:00 x",
            "2026-08-09 07:05:00+08:00Z",
            "2026-08-09 07:05:00ZZ",
            "2026-08-09 07:05:00  +08:00",
            "2026-08-09 07:05:00 at +08:00",
            // Offsets.
            "2026-08-09 07:05:00+8",
            "2026-08-09 07:05:00+800",
            "2026-08-09 07:05:00+08:",
            "2026-08-09 07:05:00+08:0",
            "2026-08-09 07:05:00+24:00",
            "2026-08-09 07:05:00+08:60",
            "2026-08-09 07:05:00+08:00:00",
            "2026-08-09 07:05:00\u{2212}08:00",
            "2026-08-09 07:05:00z",
            "2026-08-09Z",
            // Digits.
            "20260809",
            "202608090705",
            "20260230070500",
            "20260809240000",
            "20260809070500Z",
            "20260809T070500",
            "175472670",
            "17547267000",
            "+1754726700",
            "1754726700.5",
            "1754726700s",
            "1754726700 1",
            // Chinese.
            "2026年8月9日",
            "2026年8月9日7:05",
            "2026年8月9日 7时05分",
            "2026年8月9日 7:05:00.5",
            "2026年8月9日 7:05 +08:00",
            "2026年13月9日 7:05",
            "2026年8-9 7:05",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn rule_4_5_push_times() {
        let utc = |text| parse_push_time(text).map(|time| time.0 / 1000);
        for text in [
            "2026-08-09 07:05:00",
            "2026-08-08T23:05:00Z",
            "20260809070500",
            "1786230300",
            "1786230300123",
        ] {
            assert_eq!(utc(text), Some(1_786_230_300), "{text}");
        }
        for text in [
            "9999-12-31 23:59:59",
            "0001-01-01T00:00:00Z",
            "9999999999",
            "0000000000",
            "soon",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn rule_4_11_estimated_delivery_in_china_time() {
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
            ("2025-06-17T10:30:15Z", None),
            ("20250617103015", None),
            ("1750127415", None),
        ] {
            let instant = utc
                .and_then(|utc| utc.parse::<jiff::Timestamp>().ok())
                .map(jiff::Timestamp::as_millisecond);
            assert_eq!(parse_edd(text).map(|edd| edd.0), instant, "{text}");
        }
    }
}
