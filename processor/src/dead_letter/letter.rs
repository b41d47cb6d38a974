//! A dead letter: its headers, and whether it can be replayed to the topic it came from. Pure.

use std::collections::BTreeMap;

use courierflow_schemas::{partition, topics};

use super::header;

/// Header that ingest gives its dead letters instead of an error class.
const REASON: &str = "reason";

/// One record of a dead-letter topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) topic: &'static str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Milliseconds since 1970, UTC: the receipt of the push, or the time when the sink dead-lettered the record.
    pub(super) timestamp: Option<i64>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
}

/// The place of the record that was dead-lettered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

/// Why a letter cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum NotReplayable {
    /// The raw body of a push that ingest could not key.
    #[error(
        "raw bodies of ingest belong to no partition: once ingest can read them, post them again to \
         /v1/push/<vendor>/<account>"
    )]
    RawBody,
    /// A record of a topic that only the processor writes; it is still on that topic.
    #[error(
        "records of derived topics still lie where they came from, and only the processor writes there: set the offsets of the \
         sink's group back and restart the sink"
    )]
    Derived,
    /// A request for a subscription, of which the letter has no value.
    #[error(
        "requests for subscriptions are dead-lettered without their content, which nobody else may see: the headers lead to the \
         record, which lies on its topic for seven days; whoever asked has to ask again, rightly"
    )]
    Request,
    /// The headers do not say where it came from.
    #[error("the headers do not lead back to a partition that exists")]
    NoOrigin,
}

impl Letter {
    /// Its reason or error class, a stable name.
    pub(super) fn reason(&self) -> &str {
        let name = if self.is_of_ingest() {
            REASON
        } else {
            header::ERROR_CLASS
        };
        self.header(name).unwrap_or("unknown")
    }

    /// Whether ingest wrote it.
    fn is_of_ingest(&self) -> bool {
        self.topic == topics::on_broker(topics::PUSH_DEAD)
    }

    /// A header, unless it is missing or empty.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The place of the original record; `None` for letters of ingest, which were not records before.
    pub(super) fn origin(&self) -> Option<Origin<'_>> {
        Some(Origin {
            topic: self.header(header::TOPIC)?,
            partition: self.header(header::PARTITION)?.parse().ok()?,
            offset: self.header(header::OFFSET)?.parse().ok()?,
        })
    }

    /// The partition of `courier.push.v1` to replay the record to, of its `partitions` partitions: that of its key, where the
    /// state of its parcel is (I2). It is the one it came from, unless the topics have grown since.
    pub(super) fn way_back(&self, partitions: i32) -> Result<i32, NotReplayable> {
        if self.is_of_ingest() {
            return Err(NotReplayable::RawBody);
        }
        let origin = self.origin().ok_or(NotReplayable::NoOrigin)?;
        match topics::known(origin.topic) {
            Some(topics::PUSH) if (0..partitions).contains(&origin.partition) => {
                let key = self.key.as_deref();
                Ok(key.map_or(origin.partition, |key| partition::of_key(key, partitions)))
            }
            Some(
                topics::SHIPMENT | topics::TRANSITION | topics::SUBSCRIPTION | topics::VENDOR_CALL | topics::ANNOTATION,
            ) => Err(NotReplayable::Derived),
            Some(topics::SUBSCRIPTION_REQUEST) => Err(NotReplayable::Request),
            _ => Err(NotReplayable::NoOrigin),
        }
    }

    /// Its own place: `courier.derive.dead.v1/3/17`.
    pub(super) fn place(&self) -> String {
        format!("{}/{}/{}", self.topic, self.partition, self.offset)
    }

    /// Bytes of the record's value.
    pub(super) fn bytes(&self) -> usize {
        self.value.as_ref().map_or(0, Vec::len)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn letter(topic: &'static str, headers: &[(&str, &str)]) -> Letter {
        Letter {
            topic,
            partition: 3,
            offset: 17,
            timestamp: Some(1_754_700_000_123),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            key: Some(b"YT1".to_vec()),
            value: Some(b"{}".to_vec()),
        }
    }

    #[test]
    fn only_what_came_from_the_push_topic_goes_back() {
        use NotReplayable::{Derived, NoOrigin, RawBody, Request};
        let from = |topic, partition| [("topic", topic), ("partition", partition), ("offset", "5")];
        let push = from(topics::PUSH, "7");
        let of_key = partition::of_key(b"YT1", 8);
        let cases = [
            ("of derive", topics::DERIVE_DEAD, &push[..], Ok(of_key)),
            ("of ingest", topics::PUSH_DEAD, &[("reason", "not_json")], Err(RawBody)),
            ("a row", topics::DERIVE_DEAD, &from(topics::SHIPMENT, "7"), Err(Derived)),
            (
                "a row",
                topics::DERIVE_DEAD,
                &from(topics::TRANSITION, "7"),
                Err(Derived),
            ),
            (
                "a request",
                topics::DERIVE_DEAD,
                &from(topics::SUBSCRIPTION_REQUEST, "7"),
                Err(Request),
            ),
            (
                "no such partition",
                topics::DERIVE_DEAD,
                &from(topics::PUSH, "8"),
                Err(NoOrigin),
            ),
            (
                "negative partition",
                topics::DERIVE_DEAD,
                &from(topics::PUSH, "-1"),
                Err(NoOrigin),
            ),
            ("no number", topics::DERIVE_DEAD, &from(topics::PUSH, ""), Err(NoOrigin)),
            ("no offset", topics::DERIVE_DEAD, &push[..2], Err(NoOrigin)),
            (
                "another topic",
                topics::DERIVE_DEAD,
                &from("orders", "0"),
                Err(NoOrigin),
            ),
            ("no headers", topics::DERIVE_DEAD, &[], Err(NoOrigin)),
        ];
        for (name, topic, headers, expected) in cases {
            assert_eq!(letter(topic, headers).way_back(8), expected, "{name}");
        }
    }

    #[test]
    fn the_headers_that_are_written_are_the_ones_that_are_read() {
        let found_at = super::super::Coordinates {
            topic: topics::PUSH,
            partition: 2,
            offset: 42,
            timestamp: None,
        };
        let written = super::super::headers(&found_at, "malformed", &"end of input");
        let pairs: Vec<_> = written.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let letter = letter(topics::DERIVE_DEAD, &pairs);
        let origin = Origin {
            topic: topics::PUSH,
            partition: 2,
            offset: 42,
        };
        assert_eq!(letter.origin(), Some(origin));
        assert_eq!(letter.reason(), "malformed");
    }
}
