//! What a statement gave, on its way into an answer, and the memory that it may take there: until the last byte of an answer is
//! sent, its bytes are reserved, so that readers who do not read cannot fill the memory.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;

/// A row, by column.
pub(super) type Row = Map<String, Value>;

/// The bytes of all answers that are not yet sent.
#[derive(Clone, Debug)]
pub(super) struct AnswerMemory {
    free: Arc<Semaphore>,
    /// Of one answer.
    limit: usize,
}

impl AnswerMemory {
    /// For so many `bytes` of all answers, `limit` of each.
    pub(super) fn new(bytes: usize, limit: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(bytes)),
            limit,
        }
    }

    /// Whether an answer of this size is too large.
    pub(super) const fn is_too_large(&self, bytes: usize) -> bool {
        bytes > self.limit
    }

    /// Reserves memory for rows, or refuses at once: whoever waited would hold memory too.
    pub(super) fn reserve(&self, rows: Bytes) -> Result<Rows, Refusal> {
        let wanted = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        match Arc::clone(&self.free).try_acquire_many_owned(wanted) {
            Ok(reserved) => Ok(Rows { rows, reserved }),
            Err(_) => Err(Refusal::because(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "too many answers are being sent at once; try again in a moment",
            )),
        }
    }
}

/// Bytes of an answer beside its rows. With less, all of it would be copied once more.
const ROOM_FOR_THE_REST: usize = 4096;

/// More than an answer may have.
#[derive(Debug, thiserror::Error)]
#[error("more than dashboard.max_answer_bytes")]
pub(super) struct TooLarge;

/// The rows of a statement as the server wrote them: a JSON object a line. As values they would take ten times the memory.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Bytes,
    reserved: OwnedSemaphorePermit,
}

impl Rows {
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lines().count()
    }

    /// Bytes of them, those of the array but for its brackets.
    pub(super) fn size(&self) -> usize {
        self.rows.len()
    }

    /// Leaves out what is beyond the first `limit` rows. The last of them if there was more: a page ends there.
    pub(super) fn end_page(&mut self, limit: usize) -> Option<Row> {
        let page: Vec<&[u8]> = self.lines().take(limit + 1).collect();
        if page.len() <= limit {
            return None;
        }
        let page = page.get(..limit)?;
        let last = serde_json::from_slice(page.last()?).ok();
        // Each line with the character that ends it.
        let bytes = page.iter().map(|line| line.len() + 1).sum();
        self.rows.truncate(bytes);
        last
    }

    /// The first one as a value.
    pub(super) fn first(&self) -> Option<Row> {
        self.values().next()
    }

    /// Those that are of this type.
    pub(super) fn values<T: DeserializeOwned>(&self) -> impl Iterator<Item = T> {
        self.lines().filter_map(|line| serde_json::from_slice(line).ok())
    }
}

/// An answer that is being put together: a JSON object.
#[derive(Debug)]
pub(super) struct Answer {
    json: Vec<u8>,
    reserved: Option<OwnedSemaphorePermit>,
}

impl Answer {
    /// Without members yet; `rows` are the bytes of all rows to come.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            json: Vec::with_capacity(rows + ROOM_FOR_THE_REST),
            reserved: None,
        }
    }

    /// A member with a value.
    pub(super) fn value(&mut self, key: &str, value: &Value) {
        self.key(key);
        self.json.extend_from_slice(value.to_string().as_bytes());
    }

    /// A member with rows.
    pub(super) fn rows(&mut self, key: &str, rows: Rows) {
        self.key(key);
        self.json.push(b'[');
        for (index, row) in rows.lines().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            // A text of the tables that is no UTF-8 must not make the answer unreadable.
            self.json.extend_from_slice(String::from_utf8_lossy(row).as_bytes());
        }
        self.json.push(b']');
        match &mut self.reserved {
            Some(reserved) => reserved.merge(rows.reserved),
            None => self.reserved = Some(rows.reserved),
        }
    }

    fn key(&mut self, key: &str) {
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        self.json.extend_from_slice(Value::from(key).to_string().as_bytes());
        self.json.push(b':');
    }

    /// The whole of it. What was reserved is given back when the last byte of it has gone.
    pub(super) fn finish(mut self) -> Bytes {
        if self.json.is_empty() {
            self.json.push(b'{');
        }
        self.json.push(b'}');
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn an_answer_is_the_json_of_its_members() {
        let memory = AnswerMemory::new(1_000, 1_000);
        let some = memory.reserve(lines("{\"a\":1,\"b\":\"\\n\"}\n{\"a\":2}\n")).unwrap();
        assert_eq!(
            (some.len(), some.first()),
            (2, json!({"a": 1, "b": "\n"}).as_object().cloned())
        );
        let none = memory.reserve(lines("")).unwrap();
        assert_eq!((none.len(), none.first()), (0, None));
        let broken = memory.reserve(Bytes::from_static(b"{\"a\":\"\xff\"}\n")).unwrap();

        let mut answer = Answer::with_capacity(0);
        answer.value("from", &json!("2026-01-01"));
        answer.rows("some", some);
        answer.rows("none", none);
        answer.rows("broken", broken);
        answer.value("explanation", &Value::Null);
        let read: Value = serde_json::from_slice(&answer.finish()).unwrap();
        let expected = json!({
            "from": "2026-01-01",
            "some": [{"a": 1, "b": "\n"}, {"a": 2}],
            "none": [],
            "broken": [{"a": "\u{fffd}"}],
            "explanation": null,
        });
        assert_eq!(read, expected);
        assert_eq!(&*Answer::with_capacity(0).finish(), b"{}");
    }

    #[test]
    fn a_page_ends_with_its_last_row() {
        let memory = AnswerMemory::new(1_000, 1_000);
        let three = || memory.reserve(lines("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n")).unwrap();
        let mut page = three();
        assert_eq!(page.end_page(2), json!({"a": 2}).as_object().cloned());
        assert_eq!((page.len(), page.size()), (2, 16));
        let mut all = three();
        assert_eq!((all.end_page(3), all.len()), (None, 3));
        assert_eq!(memory.reserve(lines("")).unwrap().end_page(1), None);
    }

    #[test]
    fn memory_is_reserved_until_the_last_byte_of_the_answer_has_gone() {
        let memory = AnswerMemory::new(40, 1_000);
        let twenty = || memory.reserve(lines("{\"number\":\"YT123\"}\n"));
        let mut answer = Answer::with_capacity(40);
        answer.rows("first", twenty().unwrap());
        answer.rows("second", twenty().unwrap());
        let refused = memory.reserve(lines("{}\n")).unwrap_err();
        assert_eq!(
            (refused.status, refused.code),
            (StatusCode::SERVICE_UNAVAILABLE, "busy")
        );
        let sent = answer.finish();
        let rest = sent.slice(5..6);
        drop(sent);
        assert!(twenty().is_err());
        drop(rest);
        assert!(twenty().is_ok());
    }
}
