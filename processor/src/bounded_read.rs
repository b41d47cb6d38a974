//! Reads topics from one offset to another with a consumer that is not a member of a group, for commands that process
//! what is there and then exit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use backon::{BlockingRetryable, ConstantBuilder};
use courierflow_schemas::settings::KafkaSettings;
use courierflow_schemas::topics::prefixed;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::fetching::CHECK_CRCS;
use crate::poll_error::{ends_reading, is_of_unreadable_batch, not_read_to_their_ends};

const POLL: Duration = Duration::from_millis(100);
/// Time-out of a request.
pub(crate) const REQUEST: Duration = Duration::from_secs(30);
/// A broker that is up answers within this time.
const NO_PROGRESS: Duration = Duration::from_secs(30);

/// Why a topic could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// An error of the Kafka client.
    #[error("reading from Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// A batch has a wrong checksum, or cannot be read for another reason.
    #[error("a batch of {topic} cannot be read: {source}; not read: {unread:?}")]
    Unreadable {
        topic: &'static str,
        /// Where it may be.
        unread: Vec<String>,
        source: RDKafkaErrorCode,
    },
    /// No broker answered.
    #[error("reading {0}: no answer from kafka.brokers for {seconds} s", seconds = NO_PROGRESS.as_secs())]
    NoAnswer(&'static str),
    /// The topic does not exist.
    #[error("topic {0} does not exist: run `processor migrate`")]
    NoTopic(&'static str),
}

/// A partition that was just created is unknown to some brokers and to the client for a moment.
const UNTIL_KNOWN: ConstantBuilder = ConstantBuilder::new()
    .with_delay(Duration::from_millis(100))
    .with_max_times(300);

/// Low and high watermark of a partition that exists, even if it has existed for a moment only.
pub(crate) fn watermarks(client: &BaseConsumer, topic: &str, partition: i32) -> Result<(i64, i64), KafkaError> {
    let ask = || {
        client.fetch_watermarks(topic, partition, REQUEST).inspect_err(|_| {
            // The client goes on believing what it knows of the topic until it asks again.
            let _ = client.fetch_metadata(Some(topic), REQUEST);
        })
    };
    let is_new = |error: &KafkaError| {
        matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::UnknownPartition
                    | RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::LeaderNotAvailable
                    // The broker that shall lead it has not made it yet.
                    | RDKafkaErrorCode::NotLeaderForPartition
            )
        )
    };
    ask.retry(UNTIL_KNOWN).when(is_new).call()
}

/// A range of offsets of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) partition: i32,
    /// First offset to read.
    pub(crate) first: i64,
    /// Offset after the last one to read.
    pub(crate) end: i64,
}

/// A consumer whose partitions are assigned by hand and which commits nothing; `name` is its client id, which brokers
/// log.
pub(crate) fn consumer(kafka: &KafkaSettings, name: &str) -> Result<Authenticated<BaseConsumer>, KafkaError> {
    authenticated::create(&settings(kafka, name))
}

/// One for [`first_timestamps`], which takes a record of each partition and no more.
pub(crate) fn consumer_of_first_records(
    kafka: &KafkaSettings,
    name: &str,
) -> Result<Authenticated<BaseConsumer>, KafkaError> {
    let mut client = settings(kafka, name);
    client
        // A larger record comes nevertheless, alone.
        .set("max.partition.fetch.bytes", "65536")
        .set("queued.min.messages", "1");
    authenticated::create(&client)
}

fn settings(kafka: &KafkaSettings, name: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("client.id", name);
    kafka_client::configure(&mut client, kafka);
    client
        .set("group.id", prefixed(name))
        .set("enable.auto.commit", "false")
        .set(CHECK_CRCS, "true")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        // derive writes in transactions, and aborted records must not be seen.
        .set("isolation.level", "read_committed")
        // Needed where only transaction markers follow the last record: no message shows then that the end is
        // reached.
        .set("enable.partition.eof", "true")
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "16384");
    client
}

/// The number of partitions of a topic.
pub(crate) fn partitions(consumer: &BaseConsumer, topic: &'static str) -> Result<i32, ReadError> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST)?;
    let found = metadata.topics().first().map_or(0, |found| found.partitions().len());
    match i32::try_from(found) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(ReadError::NoTopic(topic)),
    }
}

/// Passes the records of the ranges to `take`, in order within each partition; an error of `take` ends the reading.
pub(crate) fn read<E: From<ReadError>>(
    consumer: &BaseConsumer,
    topic: &'static str,
    ranges: &[Range],
    mut take: impl FnMut(&BorrowedMessage<'_>) -> Result<(), E>,
) -> Result<(), E> {
    assign(consumer, topic, ranges).map_err(ReadError::from)?;
    let mut ends: BTreeMap<i32, i64> = ranges.iter().map(|range| (range.partition, range.end)).collect();
    let mut last_progress = Instant::now();
    while !ends.is_empty() {
        match poll(consumer, topic, &mut last_progress)? {
            Polled::Record(message) => {
                let (partition, offset) = (message.partition(), message.offset());
                let Some(&end) = ends.get(&partition) else { continue };
                if offset < end {
                    take(&message)?;
                }
                if offset + 1 >= end {
                    ends.remove(&partition);
                }
            }
            Polled::End(partition) => {
                ends.remove(&partition);
            }
            Polled::Nothing => {}
        }
    }
    consumer.assign(&TopicPartitionList::new()).map_err(ReadError::from)?;
    Ok(())
}

/// The timestamp of the first record from each of these offsets on, in milliseconds since 1970. A partition without such a record is
/// missing: behind the last one there may be markers of transactions.
pub(crate) fn first_timestamps(
    consumer: &BaseConsumer,
    topic: &'static str,
    from: &BTreeMap<i32, Offset>,
) -> Result<BTreeMap<i32, i64>, ReadError> {
    let mut assignment = TopicPartitionList::new();
    for (partition, offset) in from {
        assignment.add_partition_offset(topic, *partition, *offset)?;
    }
    consumer.assign(&assignment)?;
    let mut open: BTreeSet<i32> = from.keys().copied().collect();
    let mut found = BTreeMap::new();
    let mut last_progress = Instant::now();
    while !open.is_empty() {
        match poll(consumer, topic, &mut last_progress)? {
            Polled::Record(message) => {
                if open.remove(&message.partition()) {
                    found.insert(message.partition(), message.timestamp().to_millis().unwrap_or_default());
                }
            }
            Polled::End(partition) => {
                open.remove(&partition);
            }
            Polled::Nothing => {}
        }
    }
    consumer.assign(&TopicPartitionList::new())?;
    Ok(found)
}

enum Polled<'a> {
    Record(BorrowedMessage<'a>),
    /// The partition has no further record now.
    End(i32),
    Nothing,
}

fn poll<'a>(
    consumer: &'a BaseConsumer,
    topic: &'static str,
    last_progress: &mut Instant,
) -> Result<Polled<'a>, ReadError> {
    let polled = match consumer.poll(POLL) {
        Some(Ok(message)) => Polled::Record(message),
        Some(Err(KafkaError::PartitionEOF(partition))) => Polled::End(partition),
        Some(Err(KafkaError::MessageConsumption(source))) if is_of_unreadable_batch(source) => {
            let unread = not_read_to_their_ends(consumer).unwrap_or_else(|why| vec![format!("not known ({why})")]);
            return Err(ReadError::Unreadable { topic, unread, source });
        }
        Some(Err(error)) if ends_reading(&error) => return Err(error.into()),
        // The client recovers from transport errors by itself; if it does not, the lack of progress is an error.
        Some(Err(_)) | None if last_progress.elapsed() < NO_PROGRESS => return Ok(Polled::Nothing),
        Some(Err(error)) => return Err(error.into()),
        None => return Err(ReadError::NoAnswer(topic)),
    };
    *last_progress = Instant::now();
    Ok(polled)
}

fn assign(consumer: &BaseConsumer, topic: &str, ranges: &[Range]) -> Result<(), KafkaError> {
    let mut assignment = TopicPartitionList::new();
    for range in ranges {
        assignment.add_partition_offset(topic, range.partition, Offset::Offset(range.first))?;
    }
    consumer.assign(&assignment)
}
