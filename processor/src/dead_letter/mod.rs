//! Dead letters: a record that cannot be processed is written unchanged to `courier.derive.dead.v1`, with headers that
//! say where it came from and why; of a request for a subscription only the headers. [`list`] shows these letters and those of
//! ingest, [`replay`] puts them back.

mod letter;
pub mod list;
pub mod replay;
mod scan;

use std::fmt::{self, Display, Formatter};

use courierflow_domain::mask;

pub use self::scan::{Selection, Source};

/// Names of the headers of `courier.derive.dead.v1`.
mod header {
    pub(super) const TOPIC: &str = "topic";
    pub(super) const PARTITION: &str = "partition";
    pub(super) const OFFSET: &str = "offset";
    pub(super) const TIMESTAMP: &str = "timestamp";
    pub(super) const ERROR_CLASS: &str = "error_class";
    pub(super) const ERROR: &str = "error";
    pub(super) const SERVICE_VERSION: &str = "service_version";
}

/// Version of the program that dead-lettered the record.
const SERVICE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Errors may quote long inputs; only the beginning goes into the header.
const MAX_ERROR_CHARS: usize = 1_000;

/// The text of an error for headers, lists and logs. It is masked (rule 13.1), because a decoder or a server may quote
/// the record.
pub fn told(error: &dyn Display) -> String {
    let beginning: String = error.to_string().chars().take(MAX_ERROR_CHARS).collect();
    mask(&beginning, None).into_owned()
}

/// Where a record was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coordinates<'a> {
    /// Kafka topic.
    pub topic: &'a str,
    /// Kafka partition.
    pub partition: i32,
    /// Kafka offset.
    pub offset: i64,
    /// The record's own timestamp, milliseconds since 1970, UTC.
    pub timestamp: Option<i64>,
}

impl Display for Coordinates<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{} at offset {}", self.topic, self.partition, self.offset)
    }
}

/// The headers of the dead letter, in this order. `error_class` is one of a few stable names for counting and searching;
/// `error` says what was wrong with this record. The dead letter has the key, value and partition number of the record.
pub fn headers(
    found_at: &Coordinates<'_>,
    error_class: &'static str,
    error: &dyn Display,
) -> [(&'static str, String); 7] {
    [
        (header::TOPIC, found_at.topic.to_owned()),
        (header::PARTITION, found_at.partition.to_string()),
        (header::OFFSET, found_at.offset.to_string()),
        (
            header::TIMESTAMP,
            found_at.timestamp.map(|millis| millis.to_string()).unwrap_or_default(),
        ),
        (header::ERROR_CLASS, error_class.to_owned()),
        (header::ERROR, told(error)),
        (header::SERVICE_VERSION, SERVICE_VERSION.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_lead_back_to_the_record() {
        let found_at = Coordinates {
            topic: "courier.push.v1",
            partition: 3,
            offset: 42,
            timestamp: Some(1_754_700_000_000),
        };
        let expected = [
            ("topic", "courier.push.v1"),
            ("partition", "3"),
            ("offset", "42"),
            ("timestamp", "1754700000000"),
            ("error_class", "malformed"),
            ("error", "schema id 7: end of input"),
            ("service_version", env!("CARGO_PKG_VERSION")),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        assert_eq!(headers(&found_at, "malformed", &"schema id 7: end of input"), expected);
    }

    #[test]
    fn what_an_error_quotes_of_a_person_is_masked() {
        let error = "unexpected value \"快递员张三13812345678\" at column 12345678901234";
        assert_eq!(
            told(&error),
            "unexpected value \"快递员***138******78\" at column 12345678901234"
        );
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let found_at = Coordinates {
            topic: "t",
            partition: 0,
            offset: 0,
            timestamp: None,
        };
        let [.., (_, timestamp), _, (_, error), _] = headers(&found_at, "malformed", &"快".repeat(5_000));
        assert_eq!(timestamp, "");
        assert_eq!(error, "快".repeat(1_000));
    }
}
