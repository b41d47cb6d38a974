//! The file of a mapping: CSV with a header, in UTF-8, with or without a byte order mark, with any line end.
//!
//! ```csv
//! vendor,code,carrier,name,name_en,usual,international,zone,country
//! kdniao,dnwl,danniao,丹鸟,Danniao,,,,CN
//! ```
//!
//! The first five columns must be there; the others may be left out. Columns may stand in any order.

use std::collections::{BTreeMap, HashMap};

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Carrier, Company, UNKNOWN_CARRIER};
use crate::csv_line::line_of;
use crate::identifier::is_identifier;
use crate::records::Vendor;

/// Longest canonical code, in bytes.
const MAX_CANONICAL: usize = 64;

/// What is wrong with a mapping file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarriersFileError {
    /// The header, or a line as a whole.
    #[error("line {line}: {problem}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// For a person.
        problem: String,
    },
    /// One value.
    #[error("line {line}, column {column}: {problem}")]
    Value {
        /// Number of the line, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// For a person.
        problem: String,
    },
}

/// Name of a column, and whether a file must have it.
const COLUMNS: [(&str, bool); 9] = [
    ("vendor", true),
    ("code", true),
    ("carrier", true),
    ("name", true),
    ("name_en", true),
    ("usual", false),
    ("international", false),
    ("zone", false),
    ("country", false),
];

/// A row and the number of its line.
pub(super) type Line = (u64, Carrier);

/// The rows one by one: each can be read or not. An error is one of the header.
pub(super) fn rows(text: &[u8]) -> Result<Vec<Result<Line, CarriersFileError>>, CarriersFileError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let header = reader.headers().map_err(|error| unreadable(text, &error))?;
    let header = Header::of(header)?;
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| unreadable(text, &error))?;
        let line = line_of(text, record.position());
        let values = Values {
            line,
            record: &record,
            header: &header,
        };
        Ok((line, values.row()?))
    });
    Ok(rows.collect())
}

/// All rows of a file in which each can be read and no vendor's code is there twice. The first mistake ends it.
pub(super) fn checked_rows(text: &[u8]) -> Result<Vec<Line>, CarriersFileError> {
    let rows = rows(text)?.into_iter().collect::<Result<Vec<Line>, _>>()?;
    let mut lines = HashMap::new();
    for (line, row) in &rows {
        if let Some(first) = lines.insert((row.vendor, row.code.as_str()), *line) {
            return Err(CarriersFileError::Value {
                line: *line,
                column: "code",
                problem: format!("{} of {} is in line {first} already", row.code, row.vendor),
            });
        }
    }
    Ok(rows)
}

/// The carriers that a file names anew: those with a `usual` row, and those that nobody knows and only one row names.
pub(super) fn companies(
    rows: &[Line],
    known: &BTreeMap<String, Company>,
) -> Result<BTreeMap<String, Company>, CarriersFileError> {
    let mut by_carrier: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in rows {
        by_carrier.entry(&line.1.carrier).or_default().push(line);
    }
    let mut companies = BTreeMap::new();
    for (carrier, lines) in by_carrier {
        let usual: Vec<&Line> = lines.iter().copied().filter(|(_, row)| row.usual).collect();
        let (line, problem) = match (usual.as_slice(), lines.as_slice()) {
            ([(_, row)], _) => {
                companies.insert(carrier.to_owned(), Company::of(row));
                continue;
            }
            ([], [(_, row)]) if !known.contains_key(carrier) => {
                companies.insert(carrier.to_owned(), Company::of(row));
                continue;
            }
            ([(first, _), (second, _), ..], _) => (
                *second,
                format!("the usual names of {carrier} are in line {first} already"),
            ),
            ([], [(line, _), ..]) if !known.contains_key(carrier) => {
                (*line, format!("one of the rows of {carrier} must have its usual names"))
            }
            _ => continue,
        };
        return Err(CarriersFileError::Value {
            line,
            column: "usual",
            problem,
        });
    }
    Ok(companies)
}

fn unreadable(text: &[u8], error: &csv::Error) -> CarriersFileError {
    let line = line_of(text, error.position());
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} columns instead of {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    CarriersFileError::Line { line, problem }
}

/// Where each of [`COLUMNS`] stands in this file.
struct Header([Option<usize>; COLUMNS.len()]);

impl Header {
    fn of(header: &StringRecord) -> Result<Self, CarriersFileError> {
        let refuse = |problem: String| Err(CarriersFileError::Line { line: 1, problem });
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        for name in header {
            if !names.contains(&name) {
                return refuse(format!("{name:?} is no column; the columns are {}", names.join(",")));
            }
            if header.iter().filter(|other| *other == name).count() > 1 {
                return refuse(format!("column {name} is there twice"));
            }
        }
        let places = COLUMNS.map(|(name, _)| header.iter().position(|column| column == name));
        let missing = COLUMNS
            .iter()
            .zip(places)
            .find(|((_, must), place)| *must && place.is_none());
        match missing {
            Some(((name, _), _)) => refuse(format!("column {name} is missing; the columns are {}", names.join(","))),
            None => Ok(Self(places)),
        }
    }
}

/// The values of one line.
struct Values<'a> {
    line: u64,
    record: &'a StringRecord,
    header: &'a Header,
}

impl Values<'_> {
    fn row(&self) -> Result<Carrier, CarriersFileError> {
        let vendor = self.get("vendor");
        let vendor = vendor.parse().map_err(|_| {
            let vendors = Vendor::ALL.map(Vendor::as_str).join(", ");
            self.refused("vendor", format!("{vendor:?} is none of {vendors}"))
        })?;
        Ok(Carrier {
            vendor,
            code: self.code()?,
            carrier: self.canonical()?,
            name: self.name("name")?,
            name_en: self.name("name_en")?,
            usual: self.truth("usual")?,
            international: self.truth("international")?,
            zone: self.zone()?,
            country: self.country()?,
        })
    }

    /// Empty where the file does not have the column.
    fn get(&self, column: &str) -> &str {
        let place = COLUMNS.iter().position(|(name, _)| *name == column);
        let place = place.and_then(|place| self.header.0.get(place).copied().flatten());
        place.and_then(|place| self.record.get(place)).unwrap_or_default()
    }

    fn refused(&self, column: &'static str, problem: String) -> CarriersFileError {
        CarriersFileError::Value {
            line: self.line,
            column,
            problem,
        }
    }

    /// As it will be looked up: lower case.
    fn code(&self) -> Result<String, CarriersFileError> {
        match self.get("code") {
            "" => Err(self.refused("code", "is empty".to_owned())),
            code if !is_identifier(code) || code.contains(':') => {
                let problem = "a code has no colon, no control characters and at most 128 bytes".to_owned();
                Err(self.refused("code", problem))
            }
            code => Ok(code.to_lowercase()),
        }
    }

    fn canonical(&self) -> Result<String, CarriersFileError> {
        let carrier = self.get("carrier");
        let is_canonical = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let problem = if carrier == UNKNOWN_CARRIER {
            format!("{UNKNOWN_CARRIER} stands for parcels whose carrier the vendor does not name")
        } else if carrier.is_empty() || carrier.len() > MAX_CANONICAL || !carrier.bytes().all(is_canonical) {
            format!("{carrier:?} is no canonical code: 1 to {MAX_CANONICAL} letters a-z, digits and hyphens")
        } else {
            return Ok(carrier.to_owned());
        };
        Err(self.refused("carrier", problem))
    }

    fn name(&self, column: &'static str) -> Result<String, CarriersFileError> {
        match self.get(column) {
            "" => Err(self.refused(column, "is empty".to_owned())),
            name if name.chars().any(char::is_control) => {
                Err(self.refused(column, "has control characters".to_owned()))
            }
            name => Ok(name.to_owned()),
        }
    }

    fn truth(&self, column: &'static str) -> Result<bool, CarriersFileError> {
        match self.get(column).to_ascii_lowercase().as_str() {
            "" | "0" | "false" => Ok(false),
            "1" | "true" => Ok(true),
            other => Err(self.refused(column, format!("{other:?} is neither true nor false"))),
        }
    }

    fn zone(&self) -> Result<Option<String>, CarriersFileError> {
        match self.get("zone") {
            "" => Ok(None),
            zone if jiff::tz::TimeZone::get(zone).is_ok() => Ok(Some(zone.to_owned())),
            zone => Err(self.refused("zone", format!("{zone:?} is no time zone of the IANA database"))),
        }
    }

    fn country(&self) -> Result<Option<String>, CarriersFileError> {
        match self.get("country") {
            "" => Ok(None),
            country if country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase()) => {
                Ok(Some(country.to_owned()))
            }
            country => Err(self.refused("country", format!("{country:?} is no ISO 3166 code such as CN"))),
        }
    }
}
