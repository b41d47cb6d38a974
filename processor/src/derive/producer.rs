//! The transactional producer, and how its errors are classified.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Message};

use super::state_entry::{KeyHash, StoredShipment};
use crate::config::DeriveSettings;
use crate::shutdown::Shutdown;

const REQUEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_micros(500);

/// What a failed call means for the worker.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProducerError {
    /// The transaction has failed, but the producer can go on: abort, roll the state back, read again.
    #[error("transaction aborted: {0}")]
    Abort(KafkaError),
    /// The answer to the commit was lost, so the broker may or may not have committed: abort, then ask for the committed
    /// offsets.
    #[error("transaction in doubt: {0}")]
    InDoubt(KafkaError),
    /// Fenced, or broken beyond repair: this worker must end.
    #[error("producer is finished: {0}")]
    Fatal(KafkaError),
    /// The process is ending and the broker does not answer.
    #[error("shutting down")]
    ShutDown,
}

/// A record to be produced.
pub(super) struct Output<'a> {
    pub(super) topic: &'static str,
    pub(super) partition: i32,
    pub(super) key: &'a [u8],
    /// `None` for a tombstone.
    pub(super) value: Option<&'a [u8]>,
    pub(super) timestamp_millis: i64,
    pub(super) headers: Option<OwnedHeaders>,
    /// Set for the record of a shipment: after the commit the producer says where it was stored.
    pub(super) shipment: Option<KeyHash>,
}

/// Collects where the broker stored the records of shipments.
#[derive(Default)]
struct Deliveries(Mutex<Vec<StoredShipment>>);

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, Vec<StoredShipment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Option<KeyHash>>;

    /// A failed delivery makes the commit fail, so it is not handled here.
    fn delivery(&self, result: &DeliveryResult<'_>, shipment: Self::DeliveryOpaque) {
        if let (Ok(message), Some(key)) = (result, *shipment) {
            self.lock().push(StoredShipment {
                partition: message.partition(),
                key,
                offset: message.offset(),
            });
        }
    }
}

/// A transactional producer.
pub(super) struct TransactionalProducer {
    producer: ThreadedProducer<Deliveries>,
    timeout: Duration,
    shutdown: Shutdown,
}

impl TransactionalProducer {
    /// Fences every predecessor of the same `name` and aborts the transaction it left open.
    pub(super) fn new(
        client: &ClientConfig,
        settings: &DeriveSettings,
        name: &str,
        shutdown: Shutdown,
    ) -> Result<Self, ProducerError> {
        let mut config = client.clone();
        config.set("transactional.id", name);
        config.set("transaction.timeout.ms", settings.transaction_timeout_ms.to_string());
        config.set(
            "message.max.bytes",
            courierflow_schemas::topics::MAX_RECORD_BYTES.to_string(),
        );
        config.set("compression.type", "lz4").set("linger.ms", "2");
        // With more requests in flight, a record that was refused can be reported as stored: see the producer of
        // ingest.
        config.set("max.in.flight", "1");
        // The queue holds a whole transaction, so that `send` waits only when the broker is slower than we are.
        config
            .set("queue.buffering.max.messages", "500000")
            .set("queue.buffering.max.kbytes", "262144");
        let producer = config
            .create_with_context(Deliveries::default())
            .map_err(ProducerError::Fatal)?;
        let timeout = Duration::from_millis(settings.transaction_timeout_ms);
        let this = Self {
            producer,
            timeout,
            shutdown,
        };
        this.repeat(|producer| producer.init_transactions(REQUEST))?;
        Ok(this)
    }

    pub(super) fn begin(&self) -> Result<(), ProducerError> {
        self.producer.context().lock().clear();
        self.repeat(Producer::begin_transaction)
    }

    /// Queues a record for sending. The commit confirms that it was delivered.
    pub(super) fn produce(&self, output: Output<'_>) -> Result<(), ProducerError> {
        let begun = Instant::now();
        let mut record = BaseRecord::<[u8], [u8], _>::with_opaque_to(output.topic, Box::new(output.shipment))
            .partition(output.partition)
            .key(output.key)
            .timestamp(output.timestamp_millis);
        if let Some(value) = output.value {
            record = record.payload(value);
        }
        if let Some(headers) = output.headers {
            record = record.headers(headers);
        }
        while let Err((error, returned)) = self.producer.send(record) {
            if !is_queue_full(&error) || begun.elapsed() >= self.timeout {
                return Err(self.judge(error));
            }
            record = returned;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Commits the produced records together with the offsets of their push events.
    pub(super) fn commit(
        &self,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), ProducerError> {
        self.wait_for_deliveries();
        self.repeat(|producer| producer.send_offsets_to_transaction(offsets, group, REQUEST))?;
        match self.repeat(|producer| producer.commit_transaction(REQUEST)) {
            Err(ProducerError::Abort(error)) => Err(ProducerError::InDoubt(error)),
            other => other,
        }
    }

    /// The shipment records of the transaction that was just committed, in order.
    pub(super) fn stored_shipments(&self) -> Vec<StoredShipment> {
        std::mem::take(&mut self.producer.context().lock())
    }

    pub(super) fn abort(&self) -> Result<(), ProducerError> {
        match self.repeat(|producer| producer.abort_transaction(REQUEST)) {
            // A failed abort cannot be repaired by another abort.
            Err(ProducerError::Abort(error)) => Err(ProducerError::Fatal(error)),
            other => other,
        }
    }

    /// While messages are in flight, `commit_transaction` itself polls in steps of 100 ms. Waiting here first, while
    /// the producer's thread serves the delivery reports, shortens a commit to milliseconds.
    fn wait_for_deliveries(&self) {
        let begun = Instant::now();
        while self.producer.in_flight_count() > 0 && begun.elapsed() < self.timeout {
            std::thread::sleep(PAUSE);
        }
    }

    /// Repeats a call while its error is retriable (a broker is away, a coordinator moves).
    fn repeat(
        &self,
        call: impl Fn(&ThreadedProducer<Deliveries>) -> Result<(), KafkaError>,
    ) -> Result<(), ProducerError> {
        loop {
            match call(&self.producer) {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) => {
                    if self.shutdown.has_begun() {
                        return Err(ProducerError::ShutDown);
                    }
                    tracing::warn!(%error, "transaction call is repeated");
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(error) => return Err(self.judge(error)),
            }
        }
    }

    fn judge(&self, error: KafkaError) -> ProducerError {
        if let Some((code, _)) = self.producer.client().fatal_error() {
            // Calls after the first that failed only say that there was a fatal error.
            let says_nothing = error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal);
            return ProducerError::Fatal(if says_nothing { KafkaError::Global(code) } else { error });
        }
        match &error {
            KafkaError::Transaction(detail) if detail.is_fatal() => ProducerError::Fatal(error),
            // A call in the wrong state is a bug of ours: rebuild the worker rather than guess.
            KafkaError::Transaction(detail) if detail.code() == RDKafkaErrorCode::State => ProducerError::Fatal(error),
            _ => ProducerError::Abort(error),
        }
    }
}

fn is_queue_full(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull))
}

fn is_retriable(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(detail) => detail.is_retriable(),
        // `commit_transaction` flushes first, and a flush that timed out has an error of its own.
        KafkaError::Flush(code) => *code == RDKafkaErrorCode::OperationTimedOut,
        _ => false,
    }
}
