//! Replays dead letters: records that came from `courier.push.v1` are produced to it again, unchanged and to the same
//! partition, so that derive processes them again.
//!
//! Replaying twice does no harm: derive treats a push that it has already accepted as a duplicate or as stale (rule
//! 5.1), and the new row of the push log replaces the old one. Within one replay, records with the same content are
//! produced once: derive and sink may both have dead-lettered the same record, and a record that was replayed without
//! success has been dead-lettered again.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::time::Duration;

use courierflow_schemas::settings::KafkaSettings;
use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::runtime::Handle;
use xxhash_rust::xxh3::Xxh3;

use super::letter::{Letter, NotReplayable};
use super::scan::{self, Selection};
use crate::bounded_read::{self, ReadError};

/// Header of a replayed record: the place of its dead letter, `courier.derive.dead.v1/3/17`.
pub const REPLAYED_FROM: &str = "replayed_from";

/// If a record is not acknowledged within this time, the replay has failed.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Limits of the records in flight: their number, and the bytes of their values.
const WINDOW_RECORDS: usize = 500;
const WINDOW_BYTES: usize = 32 * 1024 * 1024;

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The dead letters cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record cannot be produced.
    #[error("producing to {topic}: {0}; replay again, what went back already does no harm", topic = on_broker(topics::PUSH))]
    Produce(#[from] KafkaError),
    /// The output could not be written.
    #[error("writing: {0}")]
    Write(#[from] io::Error),
}

/// What happened to the selected letters.
#[derive(Debug, Default)]
pub struct Report {
    /// Replayed and acknowledged; in a dry run, those that would be replayed.
    pub replayed: usize,
    /// Skipped, because another letter with the same content was replayed.
    pub repeated: usize,
    /// Not replayable, by reason.
    refused: BTreeMap<NotReplayable, usize>,
}

impl Report {
    /// True if everything that was selected was replayed.
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty()
    }

    /// True if nothing was selected.
    pub fn is_empty(&self) -> bool {
        self.replayed == 0 && self.is_complete()
    }

    /// One line for each reason why letters were not replayed.
    pub fn refusals(&self) -> impl Iterator<Item = String> {
        self.refused
            .iter()
            .map(|(reason, count)| format!("{count} not replayed: {reason}"))
    }
}

/// Replays the selected letters, or, in a dry run, writes to `out` what it would do with each. Must not be called on a
/// thread of `runtime`, which waits for the broker's acknowledgements.
pub fn replay(
    kafka: &KafkaSettings,
    selection: &Selection,
    dry_run: bool,
    runtime: &Handle,
    out: &mut impl Write,
) -> Result<Report, ReplayError> {
    let consumer = bounded_read::consumer(kafka, scan::CLIENT).map_err(ReadError::from)?;
    let partitions = bounded_read::partitions(&consumer, on_broker(topics::PUSH))?;
    let mut sender = Sender::new(kafka, runtime)?;
    let mut seen = HashSet::new();
    let mut report = Report::default();
    scan::scan(kafka, selection, |letter| {
        let partition = match letter.way_back(partitions) {
            Ok(partition) => partition,
            Err(reason) => {
                if dry_run {
                    writeln!(out, "{} stays: {reason}", letter.place())?;
                }
                *report.refused.entry(reason).or_default() += 1;
                return Ok(());
            }
        };
        if !seen.insert(content(&letter, partition)) {
            report.repeated += 1;
            return Ok(());
        }
        report.replayed += 1;
        if dry_run {
            writeln!(
                out,
                "{} would go to {}/{partition}",
                letter.place(),
                on_broker(topics::PUSH)
            )?;
            return Ok(());
        }
        sender.send(&letter, partition)
    })?;
    sender.wait()?;
    Ok(report)
}

/// Hash of the record that would be produced.
fn content(letter: &Letter, partition: i32) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&partition.to_le_bytes());
    for part in [&letter.key, &letter.value] {
        let length = part.as_ref().map_or(u64::MAX, |part| part.len() as u64);
        hash.update(&length.to_le_bytes());
        hash.update(part.as_deref().unwrap_or_default());
    }
    hash.digest128()
}

/// Produces records and waits for their acknowledgements.
struct Sender {
    producer: Authenticated<FutureProducer>,
    on_the_way: Vec<DeliveryFuture>,
    bytes: usize,
    runtime: Handle,
}

impl Sender {
    fn new(kafka: &KafkaSettings, runtime: &Handle) -> Result<Self, KafkaError> {
        let mut config = ClientConfig::new();
        config.set("client.id", scan::CLIENT);
        kafka_client::configure(&mut config, kafka);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // With more requests in flight, a record that was refused can be reported as stored: see the producer of
            // ingest.
            .set("max.in.flight", "1")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string())
            // Room for the record and one header; the topic's own limit applies anyway.
            .set("message.max.bytes", (topics::MAX_RECORD_BYTES + 64 * 1024).to_string())
            .set("compression.type", "lz4");
        Ok(Self {
            producer: authenticated::create(&config)?,
            on_the_way: Vec::new(),
            bytes: 0,
            runtime: runtime.clone(),
        })
    }

    /// Sends it without a timestamp, so that the broker keeps it for 14 days from now, however old the push is.
    fn send(&mut self, letter: &Letter, partition: i32) -> Result<(), ReplayError> {
        let place = letter.place();
        let headers = OwnedHeaders::new().insert(Header {
            key: REPLAYED_FROM,
            value: Some(&place),
        });
        let mut record = FutureRecord::<[u8], [u8]>::to(on_broker(topics::PUSH))
            .partition(partition)
            .headers(headers);
        record.key = letter.key.as_deref();
        record.payload = letter.value.as_deref();
        self.on_the_way
            .push(self.producer.send_result(record).map_err(|(error, _)| error)?);
        self.bytes += letter.bytes();
        if self.on_the_way.len() >= WINDOW_RECORDS || self.bytes >= WINDOW_BYTES {
            self.wait()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), ReplayError> {
        self.bytes = 0;
        for delivery in self.on_the_way.drain(..) {
            let delivered = self.runtime.block_on(delivery);
            delivered
                .map_err(|_| KafkaError::Canceled)?
                .map_err(|(error, _)| error)?;
        }
        Ok(())
    }
}
