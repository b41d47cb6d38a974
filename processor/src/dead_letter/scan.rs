//! Reads the dead-letter topics from their beginning to their present end.

use std::collections::BTreeMap;

use clap::ValueEnum;
use courierflow_schemas::settings::KafkaSettings;
use courierflow_schemas::topics::{self, on_broker};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};

use super::letter::Letter;
use crate::bounded_read::{self, REQUEST, Range, ReadError};

/// A dead-letter topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// `courier.push.dead.v1`: bodies that ingest could not use.
    Push,
    /// `courier.derive.dead.v1`: what could not be derived or inserted.
    Derive,
}

impl Source {
    fn topic(self) -> &'static str {
        match self {
            Self::Push => on_broker(topics::PUSH_DEAD),
            Self::Derive => on_broker(topics::DERIVE_DEAD),
        }
    }
}

/// A selection of dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only this topic; both if missing.
    pub source: Option<Source>,
    /// Only this reason or error class.
    pub reason: Option<String>,
    /// Only this one: partition and offset on the dead-letter topic.
    pub place: Option<(i32, i64)>,
}

impl Selection {
    fn sources(&self) -> Vec<Source> {
        self.source
            .map_or_else(|| vec![Source::Push, Source::Derive], |source| vec![source])
    }

    fn takes(&self, letter: &Letter) -> bool {
        self.reason.as_ref().is_none_or(|reason| reason == letter.reason())
            && self
                .place
                .is_none_or(|place| place == (letter.partition, letter.offset))
    }
}

/// Client id, which brokers log.
pub(super) const CLIENT: &str = "courierflow-dead-letters";

/// Passes every selected letter to `take`, in order within each partition; an error of `take` ends the scan. Letters
/// written meanwhile are not included.
pub(super) fn scan<E: From<ReadError>>(
    kafka: &KafkaSettings,
    selection: &Selection,
    mut take: impl FnMut(Letter) -> Result<(), E>,
) -> Result<(), E> {
    let consumer = bounded_read::consumer(kafka, CLIENT).map_err(ReadError::from)?;
    for source in selection.sources() {
        let topic = source.topic();
        let ranges = ranges(&consumer, topic, selection)?;
        bounded_read::read(&consumer, topic, &ranges, |message| {
            let letter = letter(topic, message);
            if selection.takes(&letter) { take(letter) } else { Ok(()) }
        })?;
    }
    Ok(())
}

/// The ranges of all letters that exist now, or of the one that is selected.
fn ranges(consumer: &BaseConsumer, topic: &'static str, selection: &Selection) -> Result<Vec<Range>, ReadError> {
    let mut ranges = Vec::new();
    for partition in 0..bounded_read::partitions(consumer, topic)? {
        let (low, high) = consumer.fetch_watermarks(topic, partition, REQUEST)?;
        let (first, end) = match selection.place {
            None => (low, high),
            Some((wanted, offset)) if wanted == partition && (low..high).contains(&offset) => (offset, offset + 1),
            Some(_) => continue,
        };
        if first < end {
            ranges.push(Range { partition, first, end });
        }
    }
    Ok(ranges)
}

fn letter(topic: &'static str, message: &BorrowedMessage<'_>) -> Letter {
    let headers = message.headers().map_or_else(BTreeMap::new, |headers| {
        let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        headers
            .iter()
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect()
    });
    Letter {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        headers,
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
    }
}

#[cfg(test)]
mod tests {
    use super::super::letter::tests::letter;
    use super::*;

    #[test]
    fn a_selection_takes_what_it_names() {
        let ours = letter(topics::DERIVE_DEAD, &[("error_class", "undecodable")]);
        let selection = |reason: Option<&str>, place| Selection {
            source: None,
            reason: reason.map(str::to_owned),
            place,
        };
        for (selection, taken) in [
            (selection(None, None), true),
            (selection(Some("undecodable"), None), true),
            (selection(Some("panic"), None), false),
            (selection(None, Some((3, 17))), true),
            (selection(None, Some((3, 18))), false),
            (selection(None, Some((4, 17))), false),
            (selection(Some("panic"), Some((3, 17))), false),
        ] {
            assert_eq!(selection.takes(&ours), taken, "{selection:?}");
        }
    }
}
