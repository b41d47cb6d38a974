//! Lists dead letters: for people one line each, for programs one JSON object each.

use std::collections::BTreeSet;
use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use courierflow_schemas::settings::KafkaSettings;
use jiff::Timestamp;
use serde::Serialize;

use super::letter::Letter;
use super::scan::{Selection, scan};
use super::{header, told};
use crate::bounded_read::ReadError;

/// The format of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// JSON instead of readable lines.
    pub json: bool,
    /// Include the records' values, which are personal data.
    pub payload: bool,
}

/// Why listing failed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The topics could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The output could not be written.
    #[error("writing the list: {0}")]
    Write(#[from] io::Error),
}

/// Writes the newest `limit` of the selected letters, oldest first; returns how many older ones were left out.
pub fn list(
    kafka: &KafkaSettings,
    selection: &Selection,
    limit: usize,
    format: Format,
    out: &mut impl Write,
) -> Result<usize, ListError> {
    let mut newest = BTreeSet::new();
    let mut left_out = 0;
    scan(kafka, selection, |letter| {
        // Only the lines are kept, because the letters of a whole topic may not fit into memory.
        newest.insert((
            letter.timestamp,
            letter.topic,
            letter.partition,
            letter.offset,
            line(&letter, format),
        ));
        if newest.len() > limit {
            newest.pop_first();
            left_out += 1;
        }
        Ok::<(), ReadError>(())
    })?;
    for (.., line) in newest {
        writeln!(out, "{line}")?;
    }
    Ok(left_out)
}

fn line(letter: &Letter, format: Format) -> String {
    if format.json {
        json(letter, format.payload)
    } else {
        readable(letter, format.payload)
    }
}

/// `courier.derive.dead.v1/3/17  2026-08-09T00:40:00Z  payload_not_json  from courier.push.v1/3/5  key YT1  812 bytes  payload is not json`
fn readable(letter: &Letter, with_payload: bool) -> String {
    let mut parts = vec![letter.place(), time(letter), letter.reason().to_owned(), from(letter)];
    if let Some(key) = &letter.key {
        parts.push(format!("key {}", String::from_utf8_lossy(key)));
    }
    parts.push(format!("{} bytes", letter.bytes()));
    parts.extend(error(letter));
    if with_payload && let Some(value) = &letter.value {
        parts.push(String::from_utf8_lossy(value).into_owned());
    }
    // Anybody can choose keys and payloads, so control characters in them must not reach the terminal.
    let safe = |text: String| -> String {
        text.chars()
            .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
            .collect()
    };
    parts.into_iter().map(safe).collect::<Vec<_>>().join("  ")
}

/// What was wrong; letters of older versions quote the record unmasked.
fn error(letter: &Letter) -> Option<String> {
    letter.header(header::ERROR).map(|error| told(&error))
}

fn time(letter: &Letter) -> String {
    let time = letter
        .timestamp
        .and_then(|millis| Timestamp::from_millisecond(millis).ok());
    time.map_or_else(|| "no time".to_owned(), |time| time.to_string())
}

fn from(letter: &Letter) -> String {
    if let Some(origin) = letter.origin() {
        return format!("from {}/{}/{}", origin.topic, origin.partition, origin.offset);
    }
    let name = |header| letter.header(header).unwrap_or("?");
    let parts = letter.header("parts").map(|parts| format!(" parts {parts}"));
    format!(
        "from {}/{}{}",
        name("vendor"),
        name("account"),
        parts.unwrap_or_default()
    )
}

/// Keys as in the headers; fields that a topic does not have are left out.
#[derive(Serialize)]
struct Object<'a> {
    topic: &'static str,
    partition: i32,
    offset: i64,
    time: String,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

#[derive(Serialize)]
struct SourceObject<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
}

fn json(letter: &Letter, with_payload: bool) -> String {
    let value = letter.value.as_deref().filter(|_| with_payload);
    let text = value.and_then(|value| std::str::from_utf8(value).ok());
    let object = Object {
        topic: letter.topic,
        partition: letter.partition,
        offset: letter.offset,
        time: time(letter),
        reason: letter.reason(),
        error: error(letter),
        source: letter.origin().map(|origin| SourceObject {
            topic: origin.topic,
            partition: origin.partition,
            offset: origin.offset,
        }),
        vendor: letter.header("vendor"),
        account: letter.header("account"),
        parts: letter.header("parts"),
        content_type: letter.header("content_type"),
        service_version: letter.header(header::SERVICE_VERSION),
        key: letter.key.as_ref().map(|key| String::from_utf8_lossy(key).into_owned()),
        bytes: letter.bytes(),
        payload: text,
        payload_base64: value
            .filter(|_| text.is_none())
            .map(|value| BASE64_STANDARD.encode(value)),
    };
    // Serializing cannot fail: there are only texts and numbers.
    serde_json::to_string(&object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::topics;

    use super::super::letter::tests::letter;
    use super::*;

    fn of_derive() -> Letter {
        letter(
            topics::DERIVE_DEAD,
            &[
                ("topic", topics::PUSH),
                ("partition", "3"),
                ("offset", "5"),
                ("timestamp", "1754700000000"),
                ("error_class", "payload_not_json"),
                ("error", "payload is not json"),
                ("service_version", "0.1.0"),
            ],
        )
    }

    fn of_ingest() -> Letter {
        Letter {
            key: None,
            value: Some(b"param=\x1b[2J&\xff".to_vec()),
            ..letter(
                topics::PUSH_DEAD,
                &[
                    ("reason", "no_parcel"),
                    ("parts", ""),
                    ("vendor", "kdniao"),
                    ("account", "demo"),
                    ("content_type", "text/plain"),
                ],
            )
        }
    }

    const BARE: Format = Format {
        json: false,
        payload: false,
    };

    #[test]
    fn a_line_says_what_and_why_and_no_payload() {
        assert_eq!(
            line(&of_derive(), BARE),
            "courier.derive.dead.v1/3/17  2025-08-09T00:40:00.123Z  payload_not_json  from courier.push.v1/3/5  key YT1  \
             2 bytes  payload is not json"
        );
        assert_eq!(
            line(&of_ingest(), BARE),
            "courier.push.dead.v1/3/17  2025-08-09T00:40:00.123Z  no_parcel  from kdniao/demo  12 bytes"
        );
    }

    #[test]
    fn a_payload_is_shown_when_asked_for_and_cannot_control_a_terminal() {
        let shown = line(&of_ingest(), Format { payload: true, ..BARE });
        assert!(shown.ends_with("param=\u{fffd}[2J&\u{fffd}"), "{shown}");
    }

    #[test]
    fn one_json_object_each() {
        let format = |payload| Format { json: true, payload };
        assert_eq!(
            line(&of_derive(), format(true)),
            r#"{"topic":"courier.derive.dead.v1","partition":3,"offset":17,"time":"2025-08-09T00:40:00.123Z","reason":"payload_not_json","error":"payload is not json","source":{"topic":"courier.push.v1","partition":3,"offset":5},"service_version":"0.1.0","key":"YT1","bytes":2,"payload":"{}"}"#
        );
        assert_eq!(
            line(&of_ingest(), format(true)),
            r#"{"topic":"courier.push.dead.v1","partition":3,"offset":17,"time":"2025-08-09T00:40:00.123Z","reason":"no_parcel","vendor":"kdniao","account":"demo","content_type":"text/plain","bytes":12,"payload_base64":"cGFyYW09G1sySib/"}"#
        );
        assert!(!line(&of_ingest(), format(false)).contains("payload"));
    }
}
