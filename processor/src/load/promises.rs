//! The file of promises: `carrier,origin,destination,hours`, one promise per line, in hours or in working days.
//!
//! ```csv
//! carrier,origin,destination,hours,working_days,cutoff
//! *,*,*,72,,
//! sf,*,*,48,,
//! sf,CN4403,CN4403,12,,
//! sf,CN44,CN11,,2,18:00
//! ```
//!
//! `*` or nothing stands for every carrier or place. A place is an area code with or without its `CN`: of a province
//! (`CN44`, `440000`, `CN440000000000`), a city (`CN4403`, `440300`) or a municipality (`CN31`). The last columns may be left out.

use clickhouse::Row;
use courierflow_domain::MUNICIPALITIES;
use serde::Serialize;

use super::Loaded;
use super::lines::{self, Columns, FileError};

const COLUMNS: Columns = Columns {
    names: &["carrier", "origin", "destination", "hours", "working_days", "cutoff"],
    required: 4,
    told: "carrier,origin,destination,hours, and after these working_days or working_days,cutoff if days are promised",
};

/// Longer durations count as errors of the vendor, so a longer promise makes no sense.
const MAX_HOURS: u16 = 180 * 24;

/// Twelve weeks.
const MAX_WORKING_DAYS: u8 = 60;

/// Minutes of a day: no cut-off.
const END_OF_DAY: u16 = 24 * 60;

/// What is promised on a lane, from the pickup to the first attempt. An empty string stands for every carrier or place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Canonical carrier code.
    pub carrier: String,
    /// Province, municipality or city.
    pub origin: String,
    /// Province, municipality or city.
    pub dest: String,
    /// How long it may take.
    pub term: Term,
}

/// How long it may take to the first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// From 1 to 4320.
    Hours(u16),
    /// Until the end of a working day.
    WorkingDays {
        /// How many after the day of the pickup, up to 60.
        days: u8,
        /// Minutes after midnight, up to 1440: a pickup then or later counts for the next working day.
        cutoff: u16,
    },
}

/// A row of `sla_promise`; the columns are described there.
#[derive(Row, Serialize)]
pub struct PromiseRow {
    carrier: String,
    origin: String,
    dest: String,
    hours: u16,
    working_days: Option<u8>,
    cutoff: u16,
    loaded_at: u32,
}

impl Loaded for Promise {
    const TABLE: &'static str = "sla_promise";
    type Row = PromiseRow;

    fn parse(text: &[u8]) -> Result<Vec<Self>, FileError> {
        lines::read(
            text,
            &COLUMNS,
            "carrier, origin and destination",
            |[carrier, origin, dest, hours, working_days, cutoff]| {
                let promise = Self {
                    carrier: carrier_code(all(carrier))?,
                    origin: area(all(origin), "origin")?,
                    dest: area(all(dest), "destination")?,
                    term: term(hours, working_days, cutoff)?,
                };
                let key = (promise.carrier.clone(), promise.origin.clone(), promise.dest.clone());
                Ok((key, promise))
            },
        )
    }

    fn row(self, loaded_at: u32) -> PromiseRow {
        let (hours, working_days, cutoff) = match self.term {
            Term::Hours(hours) => (hours, None, END_OF_DAY),
            Term::WorkingDays { days, cutoff } => (0, Some(days), cutoff),
        };
        PromiseRow {
            carrier: self.carrier,
            origin: self.origin,
            dest: self.dest,
            hours,
            working_days,
            cutoff,
            loaded_at,
        }
    }
}

/// A field that may stand for everything.
fn all(text: &str) -> &str {
    if text == "*" { "" } else { text }
}

fn carrier_code(text: &str) -> Result<String, String> {
    let is_code = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.');
    if text.bytes().all(is_code) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "carrier \"{text}\" is not a carrier code: letters, digits and - _ . only"
        ))
    }
}

/// Either hours, or working days with or without a cut-off.
fn term(hours: &str, working_days: &str, cutoff: &str) -> Result<Term, String> {
    if working_days.is_empty() {
        if !cutoff.is_empty() {
            return Err(format!("cutoff \"{cutoff}\" without working_days"));
        }
        let parsed = hours.parse().ok().filter(|hours| (1..=MAX_HOURS).contains(hours));
        return parsed
            .map(Term::Hours)
            .ok_or_else(|| format!("hours \"{hours}\" is not a whole number from 1 to {MAX_HOURS}"));
    }
    if !hours.is_empty() {
        return Err(format!(
            "hours \"{hours}\" and working_days \"{working_days}\": only one of them can be promised"
        ));
    }
    let days = working_days.parse().ok().filter(|days| *days <= MAX_WORKING_DAYS);
    let days = days
        .ok_or_else(|| format!("working_days \"{working_days}\" is not a whole number from 0 to {MAX_WORKING_DAYS}"))?;
    let minutes = if cutoff.is_empty() {
        Some(END_OF_DAY)
    } else {
        minutes(cutoff)
    };
    let cutoff = minutes
        .ok_or_else(|| format!("cutoff \"{cutoff}\" is not a time of the day from 00:01 to 24:00, written as 09:00"))?;
    Ok(Term::WorkingDays { days, cutoff })
}

/// Minutes after midnight. Nothing would be picked up before 00:00.
fn minutes(text: &str) -> Option<u16> {
    let number = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<u16>().ok(),
        _ => None,
    };
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (number(hour)?, number(minute)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && (1..=END_OF_DAY).contains(&minutes)).then_some(minutes)
}

fn area(text: &str, column: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    area_of_code(text).ok_or_else(|| {
        format!(
            "{column} \"{text}\" is not the area code of a province, municipality or city, such as CN44, CN31 or CN4403"
        )
    })
}

/// The area of a code, unless it is a district: areas are compared by city, so a promise for a district would apply
/// to the whole city.
fn area_of_code(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.strip_prefix("CN").unwrap_or(&upper);
    if !matches!(digits.len(), 2 | 4 | 6 | 12) || !digits.bytes().all(|letter| letter.is_ascii_digit()) {
        return None;
    }
    let (province, rest) = digits.split_at_checked(2)?;
    let (city, district) = rest.split_at_checked(2).unwrap_or(("00", ""));
    if province == "00" || district.bytes().any(|letter| letter != b'0') {
        return None;
    }
    let province = format!("CN{province}");
    Some(if city == "00" || MUNICIPALITIES.contains(&province.as_str()) {
        province
    } else {
        province + city
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &str) -> Result<Vec<(String, String, String, u16)>, FileError> {
        let text = format!("carrier,origin,destination,hours\n{lines}");
        let rows = Promise::parse(text.as_bytes())?
            .into_iter()
            .map(|promise| promise.row(0));
        Ok(rows
            .map(|row| {
                assert_eq!((row.working_days, row.cutoff), (None, 1440));
                (row.carrier, row.origin, row.dest, row.hours)
            })
            .collect())
    }

    /// Hours, working days and cut-off of the first line.
    fn terms(lines: &str) -> Result<(u16, Option<u8>, u16), String> {
        let text = format!("carrier,origin,destination,hours,working_days,cutoff\n{lines}");
        let mut promises = Promise::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        let row = promises.remove(0).row(0);
        Ok((row.hours, row.working_days, row.cutoff))
    }

    fn row(carrier: &str, origin: &str, dest: &str, hours: u16) -> (String, String, String, u16) {
        (carrier.to_owned(), origin.to_owned(), dest.to_owned(), hours)
    }

    #[test]
    fn every_way_to_write_a_place() {
        let lines = "*,*,,72\nSF, CN4403 ,440300,12\nsf,CN440000000000,44,36\n\nsf,CN310000000000,cn3101,20\n";
        assert_eq!(
            parsed(lines),
            Ok(vec![
                row("", "", "", 72),
                row("sf", "CN4403", "CN4403", 12),
                row("sf", "CN44", "CN44", 36),
                row("sf", "CN31", "CN31", 20),
            ])
        );
        assert_eq!(parsed(""), Ok(vec![]), "no promises at all");
    }

    #[test]
    fn a_spreadsheet_writes_a_byte_order_mark_and_crlf() {
        let text = "\u{feff}carrier,origin,destination,hours\r\nsf,,,48\r\n";
        assert_eq!(Promise::parse(text.as_bytes()).map(|promises| promises.len()), Ok(1));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (lines, message) in [
            (
                "sf,,,48\nsf,,,0\n",
                "line 3: hours \"0\" is not a whole number from 1 to 4320",
            ),
            (
                "sf,,,4321\n",
                "line 2: hours \"4321\" is not a whole number from 1 to 4320",
            ),
            (
                "sf,,,1.5\n",
                "line 2: hours \"1.5\" is not a whole number from 1 to 4320",
            ),
            ("sf,,,\n", "line 2: hours \"\" is not a whole number from 1 to 4320"),
            ("sf,,48\n", "line 2: 3 columns instead of 4"),
            (
                "顺丰,,,48\n",
                "line 2: carrier \"顺丰\" is not a carrier code: letters, digits and - _ . only",
            ),
            (
                "sf,,,48\n\nSF,*,,24\n",
                "line 4: the same carrier, origin and destination as in line 2",
            ),
            (
                "sf,深圳,,48\n",
                "line 2: origin \"深圳\" is not the area code of a province, municipality or city, such as CN44, CN31 or \
                 CN4403",
            ),
            (
                "sf,,CN440305000000,48\n",
                "line 2: destination \"CN440305000000\" is not the area code of a province, municipality or city, such as \
                 CN44, CN31 or CN4403",
            ),
        ] {
            let error = parsed(lines).map_err(|error| error.to_string());
            assert_eq!(error, Err(message.to_owned()), "{lines}");
        }
        for text in [
            "carrier,hours\nsf,48\n",
            "",
            "carrier,origin,destination,working_days\n",
            "carrier,origin,destination,hours,cutoff\n",
            "carrier,origin,destination,hours,working_days,cutoff,service\n",
        ] {
            assert_eq!(
                Promise::parse(text.as_bytes()),
                Err(FileError::Header(COLUMNS.told)),
                "{text}"
            );
        }
        let error =
            Promise::parse(b"carrier,origin,destination,hours\n\xcb\xff,,,48\n").map_err(|error| error.to_string());
        assert_eq!(error, Err("line 2: the text is not UTF-8".to_owned()));
    }

    #[test]
    fn working_days_may_be_promised_instead_of_hours() {
        for (line, expected) in [
            ("sf,,,48,,", (48, None, 1440)),
            ("sf,,,,2,18:00", (0, Some(2), 1080)),
            ("sf,,,,2,", (0, Some(2), 1440)),
            ("sf,,,,0,24:00", (0, Some(0), 1440)),
            ("sf,,,,60,00:01", (0, Some(60), 1)),
        ] {
            assert_eq!(terms(line), Ok(expected), "{line}");
        }
        let without_cutoff = Promise::parse(b"carrier,origin,destination,hours,working_days\nsf,,,,3\n").unwrap();
        let days = Term::WorkingDays { days: 3, cutoff: 1440 };
        assert_eq!(without_cutoff[0].term, days);
    }

    #[test]
    fn a_term_that_says_nothing_or_too_much_is_told() {
        for (line, problem) in [
            ("sf,,,,,", "hours \"\" is not a whole number from 1 to 4320"),
            (
                "sf,,,48,2,",
                "hours \"48\" and working_days \"2\": only one of them can be promised",
            ),
            ("sf,,,48,,18:00", "cutoff \"18:00\" without working_days"),
            ("sf,,,,61,", "working_days \"61\" is not a whole number from 0 to 60"),
            ("sf,,,,-1,", "working_days \"-1\" is not a whole number from 0 to 60"),
            ("sf,,,,1.5,", "working_days \"1.5\" is not a whole number from 0 to 60"),
            ("sf,,,,*,", "working_days \"*\" is not a whole number from 0 to 60"),
            (
                "sf,,,,2,00:00",
                "cutoff \"00:00\" is not a time of the day from 00:01 to 24:00, written as 09:00",
            ),
            (
                "sf,,,,2,24:01",
                "cutoff \"24:01\" is not a time of the day from 00:01 to 24:00, written as 09:00",
            ),
            (
                "sf,,,,2,17:60",
                "cutoff \"17:60\" is not a time of the day from 00:01 to 24:00, written as 09:00",
            ),
            (
                "sf,,,,2,6pm",
                "cutoff \"6pm\" is not a time of the day from 00:01 to 24:00, written as 09:00",
            ),
            (
                "sf,,,,2,8:00",
                "cutoff \"8:00\" is not a time of the day from 00:01 to 24:00, written as 09:00",
            ),
            (
                "sf,,,,2,+8:00",
                "cutoff \"+8:00\" is not a time of the day from 00:01 to 24:00, written as 09:00",
            ),
        ] {
            assert_eq!(terms(line), Err(format!("line 2: {problem}")), "{line}");
        }
    }
}
