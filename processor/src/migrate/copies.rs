//! Records that are written again, unchanged, to the partition that their parcel belongs to.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use courierflow_schemas::topics;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, Message, TopicPartitionList};

use super::topics::REQUEST;
use crate::bounded_read::ReadError;
use crate::config::Config;

const PAUSE: Duration = Duration::from_millis(1);
/// Its transactions are those of one command at a time: the next run ends what a run that was killed had begun.
const TRANSACTIONAL_ID: &str = "courierflow-grow";
/// Of a gibibyte of copies, on a slow broker.
const TRANSACTION: Duration = Duration::from_mins(10);

/// Why a record could not be copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("copying a record: {0}")]
    Produce(#[from] KafkaError),
    #[error("the records to be copied take more than {0} bytes")]
    TooMuch(usize),
}

/// The first failure of a delivery.
#[derive(Default)]
struct Deliveries(Mutex<Option<KafkaError>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.clone());
        }
    }
}

/// Writes copies.
pub(super) struct Copies(Authenticated<ThreadedProducer<Deliveries>>);

impl Copies {
    pub(super) fn new(config: &Config) -> Result<Self, KafkaError> {
        authenticated::create_with_context(&Self::settings(config), Deliveries::default()).map(Self)
    }

    /// Of these copies nobody sees any until [`commit`](Self::commit), and all of them afterwards.
    pub(super) fn in_transaction(config: &Config) -> Result<Self, KafkaError> {
        let mut client = Self::settings(config);
        client
            .set("transactional.id", topics::prefixed(TRANSACTIONAL_ID))
            .set("transaction.timeout.ms", TRANSACTION.as_millis().to_string());
        let producer: Authenticated<ThreadedProducer<Deliveries>> =
            authenticated::create_with_context(&client, Deliveries::default())?;
        producer.init_transactions(REQUEST)?;
        producer.begin_transaction()?;
        Ok(Self(producer))
    }

    fn settings(config: &Config) -> ClientConfig {
        let mut client = ClientConfig::new();
        kafka_client::configure(&mut client, &config.kafka);
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // With more requests in flight, a record that was refused can be reported as stored: see the producer of ingest.
            .set("max.in.flight", "1")
            .set("compression.type", "lz4")
            .set("queue.buffering.max.kbytes", "65536")
            .set("message.max.bytes", topics::MAX_RECORD_BYTES.to_string());
        client
    }

    /// Queues a copy with key, value, headers and timestamp of `message`, and a further header.
    pub(super) fn send(
        &self,
        message: &impl Message,
        partition: i32,
        further: Option<Header<'_, &str>>,
    ) -> Result<(), KafkaError> {
        self.check()?;
        let mut record = BaseRecord::<[u8], [u8], _>::to(message.topic()).partition(partition);
        record.key = message.key();
        record.payload = message.payload();
        // The memory of derive is in a header.
        let copied = message.headers().into_iter().flat_map(Headers::iter);
        let mut headers = copied.fold(OwnedHeaders::new(), OwnedHeaders::insert);
        if let Some(further) = further {
            headers = headers.insert(further);
        }
        record = record.headers(headers);
        if let Some(timestamp) = message.timestamp().to_millis() {
            record = record.timestamp(timestamp);
        }
        while let Err((error, returned)) = self.0.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error);
            }
            record = returned;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Waits until all replicas in sync have all copies.
    pub(super) fn finish(self) -> Result<(), KafkaError> {
        self.0.flush(None)?;
        self.check()
    }

    /// Commits the copies together with how far the groups have read, and waits until that is done.
    pub(super) fn commit(self, read: Vec<(&BaseConsumer, TopicPartitionList)>) -> Result<(), KafkaError> {
        self.0.flush(TRANSACTION)?;
        self.check()?;
        for (group, offsets) in read {
            let group = group.group_metadata().ok_or(KafkaError::Canceled)?;
            self.0.send_offsets_to_transaction(&offsets, &group, REQUEST)?;
        }
        self.0.commit_transaction(REQUEST)
    }

    fn check(&self) -> Result<(), KafkaError> {
        let mut failure = self.0.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().map_or(Ok(()), Err)
    }
}
