//! A table as a file for spreadsheets and scripts: CSV as in RFC 4180, one member of an answer, its columns by their names in the API.
//!
//! `ClickHouse` writes the CSV, and quotes every text. What it writes is passed on as it comes; only texts that a spreadsheet would run
//! as a formula are made harmless. There is no byte order mark: programs would take it for a part of the first column's name. Excel
//! needs one to see that a file is UTF-8, so the page adds it to the files that it saves.

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Response};
use axum::response::IntoResponse;
use clickhouse::error::Error;
use clickhouse::query::BytesCursor;
use futures_util::stream::try_unfold;
use tokio::sync::OwnedSemaphorePermit;

/// Most rows of a file. A sheet of Excel has ten times as many; more than these are a question for SQL.
pub(super) const MAX_ROWS: u32 = 100_000;

/// Whether CSV is asked for by name. Whatever takes anything gets JSON.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case("text/csv"))
}

/// Rows that are still coming, and the right to have them: it is given back when the last one is sent, or the reader gone.
pub(super) struct Download {
    pub(super) first: Option<Bytes>,
    pub(super) rest: BytesCursor,
    pub(super) place: OwnedSemaphorePermit,
}

impl Download {
    /// The answer. `name` is that of the file, without its ending.
    pub(super) fn answer(self, name: &str) -> Response<Body> {
        let state = (self.first, self.rest, Defuser::default(), self.place);
        let chunks = try_unfold(state, |(first, mut rest, mut defuser, place)| async move {
            // A failure in the middle ends the connection, so that half a file is not taken for a whole one.
            let chunk = match first {
                Some(chunk) => Some(chunk),
                None => rest.next().await?,
            };
            Ok::<_, Error>(chunk.map(|chunk| {
                let sent = defuser.pass(&chunk);
                (sent, (None, rest, defuser, place))
            }))
        });
        let headers = [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
            ),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (VARY, HeaderValue::from_static("accept")),
        ];
        let mut response = (headers, Body::from_stream(chunks)).into_response();
        // The names are those of our own paths and tables.
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")) {
            response.headers_mut().insert(CONTENT_DISPOSITION, value);
        }
        response
    }
}

/// Puts an apostrophe before a text that spreadsheets would take for a formula, as OWASP advises against CSV injection. A text is a
/// quoted field; numbers have no quotes, and a negative one stays a number.
#[derive(Clone, Copy, Debug, Default)]
struct Defuser {
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before a field.
    #[default]
    Before,
    /// In one without quotes.
    Plain,
    /// Behind the quote that opens one.
    Opened,
    /// Further on in it.
    Quoted,
    /// Behind a quote in it, which closes it or is the first of two.
    Closed,
}

impl Defuser {
    /// The next bytes of the file, as they may be sent. Chunks end anywhere.
    fn pass(&mut self, chunk: &[u8]) -> Bytes {
        let mut sent = Vec::with_capacity(chunk.len() + 64);
        for &byte in chunk {
            if self.place == Place::Opened && matches!(byte, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') {
                sent.push(b'\'');
            }
            self.place = match (self.place, byte) {
                (Place::Before, b'"') => Place::Opened,
                (Place::Opened | Place::Quoted, b'"') => Place::Closed,
                (Place::Opened | Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
                (_, b',' | b'\n') => Place::Before,
                // Between the two characters that end a row.
                (Place::Before | Place::Closed, b'\r') => self.place,
                _ => Place::Plain,
            };
            sent.push(byte);
        }
        sent.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_formulas_are_made_harmless_wherever_a_chunk_ends() {
        let file = "\"a\",\"b\"\r\n\"=1+1\",-5\r\n\"-\"\"x\"\"\",\"\"\r\n\"x=1\",\"@a,\"\"=b\"\r\n\"+\n=c\",\r\n\"\tx\",\"\"\"=\"\r\n";
        let harmless = "\"a\",\"b\"\r\n\"'=1+1\",-5\r\n\"'-\"\"x\"\"\",\"\"\r\n\"x=1\",\"'@a,\"\"=b\"\r\n\"'+\n=c\",\r\n\"'\tx\",\"\"\"=\"\r\n";
        for size in 1..=file.len() {
            let mut defuser = Defuser::default();
            let sent: Vec<u8> = file
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| defuser.pass(chunk))
                .collect();
            assert_eq!(String::from_utf8(sent).unwrap(), harmless, "chunks of {size}");
        }
    }

    #[test]
    fn csv_is_for_those_who_name_it() {
        for (accept, expected) in [
            ("text/csv", true),
            ("application/json, TEXT/CSV;q=0.5", true),
            ("text/csv; header=present", true),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("text/csvx", false),
        ] {
            let mut headers = HeaderMap::new();
            assert!(!is_wanted(&headers));
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(is_wanted(&headers), expected, "{accept}");
        }
    }
}
