//! Reads the dead-letter topics, from their beginning to where they end now.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use courierflow_schemas::settings::KafkaSettings;
use courierflow_schemas::topics;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::letter::Letter;
use crate::kafka_client;

const POLL: Duration = Duration::from_millis(100);
const REQUEST: Duration = Duration::from_secs(10);
/// No broker answers for so long when it is there.
const NO_PROGRESS: Duration = Duration::from_secs(30);

/// A dead-letter topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// `courier.push.dead.v1`: what ingest could not key.
    Push,
    /// `courier.derive.dead.v1`: what could not be derived or inserted.
    Derive,
}

impl Source {
    const fn topic(self) -> &'static str {
        match self {
            Self::Push => topics::PUSH_DEAD,
            Self::Derive => topics::DERIVE_DEAD,
        }
    }
}

/// Which dead letters are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of this topic; of both when missing.
    pub source: Option<Source>,
    /// With this reason or error class only.
    pub reason: Option<String>,
    /// This one only: partition and offset on the dead-letter topic.
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

/// The topics could not be read to their ends.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// What the Kafka client says.
    #[error("reading dead letters: {0}")]
    Kafka(#[from] KafkaError),
    /// Nothing came.
    #[error("reading {0}: no answer from kafka.brokers for {seconds} s", seconds = NO_PROGRESS.as_secs())]
    NoAnswer(&'static str),
    /// It is not there.
    #[error("topic {0} does not exist: run `processor migrate`")]
    NoTopic(&'static str),
}

/// The settings that all clients start from.
pub(super) fn client(kafka: &KafkaSettings) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("client.id", "courierflow-dead-letters");
    kafka_client::configure(&mut client, kafka);
    client
}

/// Shows every selected letter to `take`, in the order of each partition; `take` may end it with an error of its own. What
/// is written meanwhile is not shown.
pub(super) fn scan<E: From<ScanError>>(
    kafka: &KafkaSettings,
    selection: &Selection,
    mut take: impl FnMut(Letter) -> Result<(), E>,
) -> Result<(), E> {
    let consumer = consumer(kafka).map_err(ScanError::from)?;
    for source in selection.sources() {
        scan_topic(&consumer, source.topic(), selection, &mut take)?;
    }
    Ok(())
}

/// The number of partitions of a topic.
pub(super) fn partitions(consumer: &BaseConsumer, topic: &'static str) -> Result<i32, ScanError> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST)?;
    let found = metadata.topics().first().map_or(0, |found| found.partitions().len());
    match i32::try_from(found) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(ScanError::NoTopic(topic)),
    }
}

/// Never a member of a group: partitions are assigned by hand and nothing is committed.
pub(super) fn consumer(kafka: &KafkaSettings) -> Result<BaseConsumer, KafkaError> {
    let mut config = client(kafka);
    config
        .set("group.id", "courierflow-dead-letters")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        // derive writes them in its transactions.
        .set("isolation.level", "read_committed")
        // Where everything after the last letter is markers, no message says that the end is reached.
        .set("enable.partition.eof", "true");
    config.create()
}

fn scan_topic<E: From<ScanError>>(
    consumer: &BaseConsumer,
    topic: &'static str,
    selection: &Selection,
    take: &mut impl FnMut(Letter) -> Result<(), E>,
) -> Result<(), E> {
    let mut ends = assign(consumer, topic, selection)?;
    let mut last_progress = Instant::now();
    while !ends.is_empty() {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                last_progress = Instant::now();
                let (partition, offset) = (message.partition(), message.offset());
                let Some(&end) = ends.get(&partition) else { continue };
                if offset < end {
                    let letter = letter(topic, &message);
                    if selection.takes(&letter) {
                        take(letter)?;
                    }
                }
                if offset + 1 >= end {
                    ends.remove(&partition);
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                last_progress = Instant::now();
                ends.remove(&partition);
            }
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(ScanError::from(error).into()),
            // Transport errors heal themselves; what does not shows as lack of progress.
            Some(Err(_)) | None if last_progress.elapsed() < NO_PROGRESS => {}
            Some(Err(error)) => return Err(ScanError::from(error).into()),
            None => return Err(ScanError::NoAnswer(topic).into()),
        }
    }
    consumer.assign(&TopicPartitionList::new()).map_err(ScanError::from)?;
    Ok(())
}

/// Starts reading; returns the end of each partition that is not empty.
fn assign(
    consumer: &BaseConsumer,
    topic: &'static str,
    selection: &Selection,
) -> Result<BTreeMap<i32, i64>, ScanError> {
    let mut ends = BTreeMap::new();
    let mut assignment = TopicPartitionList::new();
    for partition in 0..partitions(consumer, topic)? {
        let start = match selection.place {
            Some((wanted, _)) if wanted != partition => continue,
            Some((_, offset)) => Some(offset),
            None => None,
        };
        let (low, high) = consumer.fetch_watermarks(topic, partition, REQUEST)?;
        let start = start.unwrap_or(low);
        if (low..high).contains(&start) {
            assignment.add_partition_offset(topic, partition, Offset::Offset(start))?;
            // One letter is meant: nothing after it is read.
            let end = selection.place.map_or(high, |(_, offset)| offset + 1);
            ends.insert(partition, end);
        }
    }
    consumer.assign(&assignment)?;
    Ok(ends)
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
