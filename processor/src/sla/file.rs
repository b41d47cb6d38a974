//! The file of promises: `carrier,origin,destination,hours`, one promise per line.
//!
//! ```csv
//! carrier,origin,destination,hours
//! *,*,*,72
//! sf,*,*,48
//! sf,CN4403,CN4403,12
//! sf,CN44,CN11,36
//! ```
//!
//! `*` or nothing stands for every carrier or place. A place is an area code with or without its `CN`: of a province
//! (`CN44`, `440000`, `CN440000000000`), a city (`CN4403`, `440300`) or a municipality (`CN31`).

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use courierflow_domain::MUNICIPALITIES;
use courierflow_schemas::csv_line::line_of;

const HEADER: [&str; 4] = ["carrier", "origin", "destination", "hours"];

/// Longer durations count as errors of the vendor, so a longer promise makes no sense.
const MAX_HOURS: u16 = 180 * 24;

/// The promised hours from pickup to the first attempt on a lane. An empty string stands for every carrier or place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Canonical carrier code.
    pub carrier: String,
    /// Province, municipality or city.
    pub origin: String,
    /// Province, municipality or city.
    pub dest: String,
    /// From 1 to 4320.
    pub hours: u16,
}

/// What is wrong with a file, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SlaFileError {
    /// The first line is not the header.
    #[error("line 1: the columns must be carrier,origin,destination,hours")]
    Header,
    /// Not CSV of four columns in UTF-8.
    #[error("line {line}: {problem}")]
    Form {
        /// Number of the line, from 1.
        line: u64,
        /// The message of the CSV reader.
        problem: String,
    },
    /// Not a carrier code.
    #[error("line {line}: carrier \"{carrier}\" is not a carrier code: letters, digits and - _ . only")]
    Carrier {
        /// Number of the line, from 1.
        line: u64,
        /// The value.
        carrier: String,
    },
    /// Not a place.
    #[error(
        "line {line}: {column} \"{area}\" is not the area code of a province, municipality or city, such as CN44, CN31 or \
         CN4403"
    )]
    Area {
        /// Number of the line, from 1.
        line: u64,
        /// origin or destination.
        column: &'static str,
        /// The value.
        area: String,
    },
    /// Not a number of hours.
    #[error("line {line}: hours \"{hours}\" is not a whole number from 1 to 4320")]
    Hours {
        /// Number of the line, from 1.
        line: u64,
        /// The value.
        hours: String,
    },
    /// Two promises for the same carrier and lane.
    #[error("line {line}: the same carrier, origin and destination as in line {first}")]
    Twice {
        /// Number of the later line, from 1.
        line: u64,
        /// Number of the earlier line.
        first: u64,
    },
}

/// Reads the file; fails at the first mistake.
pub fn parse(text: &[u8]) -> Result<Vec<Promise>, SlaFileError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let header = reader.headers().map_err(|error| form_error(text, &error))?;
    if header.iter().ne(HEADER) {
        return Err(SlaFileError::Header);
    }
    let mut lines = HashMap::new();
    let mut promises = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| form_error(text, &error))?;
        let line = line_of(text, record.position());
        let promise = promise(&record, line)?;
        let key = (promise.carrier.clone(), promise.origin.clone(), promise.dest.clone());
        if let Some(first) = lines.insert(key, line) {
            return Err(SlaFileError::Twice { line, first });
        }
        promises.push(promise);
    }
    Ok(promises)
}

fn form_error(text: &[u8], error: &csv::Error) -> SlaFileError {
    let line = line_of(text, error.position());
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => format!("{len} columns instead of {}", HEADER.len()),
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    SlaFileError::Form { line, problem }
}

fn promise(record: &StringRecord, line: u64) -> Result<Promise, SlaFileError> {
    let [carrier, origin, dest, hours] = [0, 1, 2, 3].map(|column| match record.get(column).unwrap_or_default() {
        "*" => "",
        text => text,
    });
    let is_code = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.');
    if !carrier.bytes().all(is_code) {
        return Err(SlaFileError::Carrier {
            line,
            carrier: carrier.to_owned(),
        });
    }
    Ok(Promise {
        carrier: carrier.to_ascii_lowercase(),
        origin: area(origin, "origin", line)?,
        dest: area(dest, "destination", line)?,
        hours: hours
            .parse()
            .ok()
            .filter(|hours| (1..=MAX_HOURS).contains(hours))
            .ok_or_else(|| SlaFileError::Hours {
                line,
                hours: hours.to_owned(),
            })?,
    })
}

fn area(text: &str, column: &'static str, line: u64) -> Result<String, SlaFileError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    area_of_code(text).ok_or_else(|| SlaFileError::Area {
        line,
        column,
        area: text.to_owned(),
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

    fn parsed(lines: &str) -> Result<Vec<(String, String, String, u16)>, SlaFileError> {
        let text = format!("carrier,origin,destination,hours\n{lines}");
        let promises = parse(text.as_bytes())?;
        Ok(promises
            .into_iter()
            .map(|promise| (promise.carrier, promise.origin, promise.dest, promise.hours))
            .collect())
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
        assert_eq!(parse(text.as_bytes()).map(|promises| promises.len()), Ok(1));
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
        assert_eq!(parse(b"carrier,hours\nsf,48\n"), Err(SlaFileError::Header));
        assert_eq!(parse(b""), Err(SlaFileError::Header));
        let error = parse(b"carrier,origin,destination,hours\n\xcb\xff,,,48\n").map_err(|error| error.to_string());
        assert_eq!(error, Err("line 2: the text is not UTF-8".to_owned()));
    }
}
