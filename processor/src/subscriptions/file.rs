//! A file of parcels that shall be followed, one a line:
//!
//! ```csv
//! tracking_number,carrier,phone,reference
//! YT0000000000001,yto,,order-17
//! SF0000000000001,sf,8888,order-18
//! ```
//!
//! The columns have the names of the members of `POST /v1/subscriptions`, in any order; those of `international` stand beside the
//! others. A file is used as a whole or not at all.

use std::collections::HashMap;
use std::fmt;

use courierflow_schemas::csv_line::line_of;
use courierflow_schemas::records::SubscriptionRequest;
use courierflow_vendors::request::Asker;
use courierflow_vendors::request::item::{self, Item};
use csv::{ReaderBuilder, StringRecord, Trim};
use xxhash_rust::xxh3::Xxh3;

/// The column that is not part of a line's id: whoever sees an id could try all numbers until one fits.
const SECRET_COLUMN: &str = "phone";

/// Longest name of an unknown column that is told back.
const LONGEST_NAME: usize = 32;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FileError {
    /// The first line does not name columns that there are.
    #[error("line 1: {0}")]
    Header(String),
    /// Some lines cannot be used. All of them are listed.
    #[error("{} cannot be used", lines(.0.len()))]
    Lines(Vec<BadLine>),
}

/// A line that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it, without what it says.
    pub problem: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

fn lines(count: usize) -> String {
    if count == 1 {
        "1 line".to_owned()
    } else {
        format!("{count} lines")
    }
}

/// The request of every line. A line without a `request_id` has the XXH3 of what it says, so that loading a file twice asks once.
pub fn read(text: &[u8], asker: &Asker<'_>) -> Result<Vec<SubscriptionRequest>, FileError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let columns = header(
        reader
            .headers()
            .map_err(|error| FileError::Header(problem(&error, 0)))?,
    )?;
    let mut requests = Vec::new();
    let mut bad = Vec::new();
    let mut lines_of_numbers = HashMap::new();
    for record in reader.records() {
        let read = match &record {
            Ok(record) => (line_of(text, record.position()), request(record, &columns, asker)),
            Err(error) => (line_of(text, error.position()), Err(problem(error, columns.len()))),
        };
        let (line, problem) = match read {
            (line, Ok(request)) => {
                let account = (request.vendor.clone(), request.account.clone());
                match lines_of_numbers.insert((account, request.tracking_number.clone()), line) {
                    None => {
                        requests.push(request);
                        continue;
                    }
                    Some(first) => (line, format!("the same parcel as in line {first}")),
                }
            }
            (line, Err(problem)) => (line, problem),
        };
        bad.push(BadLine { line, problem });
    }
    if bad.is_empty() {
        Ok(requests)
    } else {
        Err(FileError::Lines(bad))
    }
}

fn header(found: &StringRecord) -> Result<Vec<String>, FileError> {
    let known: Vec<&str> = item::columns().collect();
    let mut columns: Vec<String> = Vec::with_capacity(found.len());
    for (name, place) in found.iter().zip(1_usize..) {
        if !known.contains(&name) {
            let (shown, known) = (shown(name, place), known.join(","));
            return Err(FileError::Header(format!(
                "{shown} is no column; the columns are {known}"
            )));
        }
        if columns.iter().any(|column| column == name) {
            return Err(FileError::Header(format!("column {name} is there twice")));
        }
        columns.push(name.to_owned());
    }
    if columns.iter().any(|column| column == "tracking_number") {
        Ok(columns)
    } else {
        Err(FileError::Header("column tracking_number is missing".to_owned()))
    }
}

/// The name of a column, or its place: the first line of a file without a header is one of parcels.
fn shown(name: &str, place: usize) -> String {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_letter) {
        format!("{name:?}")
    } else {
        format!("field {place}")
    }
}

/// What the CSV reader does not like. Its own message can repeat a text of the file.
fn problem(error: &csv::Error, columns: usize) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => format!("{len} columns instead of {columns}"),
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => "not CSV".to_owned(),
    }
}

fn request(record: &StringRecord, columns: &[String], asker: &Asker<'_>) -> Result<SubscriptionRequest, String> {
    let named = || columns.iter().map(String::as_str).zip(record.iter());
    let mut item = Item::from_line(named());
    item.default_request_id(&id(named()));
    asker.subscribe(&item).map_err(|error| error.to_string())
}

/// XXH3-128 of the line in hexadecimal digits: of names and texts in the order of the names, so that neither the order of the columns
/// nor empty ones matter.
fn id<'a>(named: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut filled: Vec<(&str, &str)> = named
        .filter(|(name, text)| *name != SECRET_COLUMN && !text.is_empty())
        .collect();
    filled.sort_unstable();
    let mut hash = Xxh3::new();
    for part in filled.iter().flat_map(|(name, text)| [name, text]) {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    format!("{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::carriers::Carriers;
    use courierflow_vendors::request::Everything;
    use courierflow_vendors::request::account::SubscribeAccounts;
    use jiff::Timestamp;

    use super::*;

    fn read_text(text: &[u8]) -> Result<Vec<SubscriptionRequest>, FileError> {
        let accounts =
            r#"{"accounts":[{"name":"demo","vendor":"kuaidi100","api":"kuaidi100_enterprise","international":true}]}"#;
        let accounts: SubscribeAccounts = serde_json::from_str(accounts).unwrap();
        let asker = Asker {
            name: "cli",
            accounts: &accounts.accounts,
            may_use: &Everything,
            carriers: Carriers::built_in(),
            now: Timestamp::UNIX_EPOCH,
        };
        read(text, &asker)
    }

    fn read_lines(text: &str) -> Result<Vec<SubscriptionRequest>, String> {
        read_text(text.as_bytes()).map_err(|error| match error {
            FileError::Lines(lines) => lines.iter().map(BadLine::to_string).collect::<Vec<_>>().join("\n"),
            error @ FileError::Header(_) => error.to_string(),
        })
    }

    #[test]
    fn every_line_is_a_request() {
        let text = "\u{feff}tracking_number,carrier,phone,destination_country,force\r\n\
                    yt0000000000001, yto ,,,\r\n\r\nSF0000000000001,sf,13488888888,JP,true\r\n";
        let requests = read_lines(text).unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].tracking_number, "YT0000000000001");
        assert_eq!(requests[0].requester, "cli");
        assert_eq!(requests[1].phone.as_deref(), Some("8888"));
        assert!(requests[1].force && requests[1].international.is_some());
        assert_eq!(read_lines("tracking_number\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_line_has_one_id_however_the_columns_stand() {
        let id = |text: &str| read_lines(text).unwrap().remove(0).request_id;
        let first = id("tracking_number,carrier\nYT0000000000001,yto\n");
        assert_eq!(first.len(), 32);
        assert_eq!(id("carrier,tracking_number,reference\n yto,YT0000000000001,\n"), first);
        assert_ne!(id("tracking_number,carrier\nYT0000000000001,yuantong\n"), first);
        assert_ne!(id("tracking_number,carrier,force\nYT0000000000001,yto,true\n"), first);
        // Nobody can find a telephone number by trying all of them.
        assert_eq!(
            id("tracking_number,carrier,phone\nYT0000000000001,yto,13488888888\n"),
            first
        );
        assert_eq!(
            id("tracking_number,carrier,request_id\nYT0000000000001,yto,own\n"),
            "own"
        );
    }

    #[test]
    fn every_bad_line_is_told_with_its_number_and_without_its_texts() {
        let text = "tracking_number,carrier,phone\n\
                    YT0000000000001,yto,\n\
                    YT1,yto,\n\
                    \n\
                    YT0000000000002,snail,\n\
                    YT0000000000003\n\
                    SF0000000000001,sf,13488888888/13499999999\n\
                    yt0000000000001,yuantong,\n";
        let expected = "line 3: tracking_number must be 5 to 50 of A-Z a-z 0-9 - (bad_number)\n\
                        line 5: carrier is no carrier of this vendor (unknown_carrier)\n\
                        line 6: 1 columns instead of 3\n\
                        line 7: phone must be one telephone number, or the last four digits of one (bad_phone)\n\
                        line 8: the same parcel as in line 2";
        assert_eq!(read_lines(text), Err(expected.to_owned()));
        let not_utf8 = read_text(b"tracking_number,carrier\nYT0000000000001,\xcb\xff\n");
        let problem = "the text is not UTF-8".to_owned();
        assert_eq!(not_utf8, Err(FileError::Lines(vec![BadLine { line: 2, problem }])));
    }

    #[test]
    fn the_header_is_strict() {
        for (header, message) in [
            (
                "tracking_number,colour",
                "line 1: \"colour\" is no column; the columns are ",
            ),
            ("tracking_number,Carrier", "line 1: \"Carrier\" is no column; "),
            (
                "tracking_number,international",
                "line 1: \"international\" is no column; ",
            ),
            ("tracking_number,", "line 1: field 2 is no column; "),
            // No header at all.
            ("YT0000000000001,yto,13488888888", "line 1: field 1 is no column; "),
            (
                "tracking_number,carrier,13488888888",
                "line 1: field 3 is no column; the columns are ",
            ),
            ("tracking_number,张三", "line 1: field 2 is no column; "),
            (
                "tracking_number,carrier,carrier",
                "line 1: column carrier is there twice",
            ),
            ("carrier", "line 1: column tracking_number is missing"),
        ] {
            let error = read_lines(&format!("{header}\nx\n")).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        for nothing in ["", "\n"] {
            let error = read_lines(nothing).unwrap_err();
            assert!(
                error.starts_with("line 1: column tracking_number is missing"),
                "{error}"
            );
        }
    }
}
