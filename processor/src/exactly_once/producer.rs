//! The transactional producer, and how its errors are classified.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::{self, Authenticated};
use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Message};

use crate::health::Health;
use crate::shutdown::Shutdown;

const REQUEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_micros(500);

/// What a failed call means for the worker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProducerError {
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
    /// A call has not returned within the time-out of the transaction, and nothing can end it: the worker must go on with another
    /// producer.
    #[error(
        "the Kafka client does not return from adding offsets to the transaction: is the group's coordinator away?"
    )]
    Hangs,
    /// The process is ending and the broker does not answer.
    #[error("shutting down")]
    ShutDown,
}

impl ProducerError {
    /// What the client said.
    pub(crate) const fn kafka(&self) -> Option<&KafkaError> {
        match self {
            Self::Abort(error) | Self::InDoubt(error) | Self::Fatal(error) => Some(error),
            Self::Hangs | Self::ShutDown => None,
        }
    }
}

/// A record to be produced.
pub(crate) struct Output<'a, K> {
    pub(crate) topic: &'static str,
    pub(crate) partition: i32,
    pub(crate) key: &'a [u8],
    /// `None` for a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) timestamp_millis: i64,
    pub(crate) headers: Option<OwnedHeaders>,
    /// Set for a record of which the producer says after the commit where it was stored.
    pub(crate) told_back: Option<K>,
}

/// Where the broker stored a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored<K> {
    pub(crate) partition: i32,
    pub(crate) key: K,
    pub(crate) offset: i64,
}

/// Collects where the broker stored records.
struct Deliveries<K>(Mutex<Vec<Stored<K>>>);

impl<K> Deliveries<K> {
    fn lock(&self) -> MutexGuard<'_, Vec<Stored<K>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Send + Sync + 'static> ClientContext for Deliveries<K> {}

impl<K: Send + Sync + 'static> ProducerContext for Deliveries<K> {
    type DeliveryOpaque = Box<Option<K>>;

    /// A failed delivery makes the commit fail, so it is not handled here.
    fn delivery(&self, result: &DeliveryResult<'_>, told_back: Self::DeliveryOpaque) {
        if let (Ok(message), Some(key)) = (result, *told_back) {
            self.lock().push(Stored {
                partition: message.partition(),
                key,
                offset: message.offset(),
            });
        }
    }
}

/// The worker of a producer, as the process knows it.
#[derive(Clone)]
pub(crate) struct Owner {
    /// Its name in `/readyz`.
    part: String,
    health: Health,
    shutdown: Shutdown,
}

impl Owner {
    pub(crate) fn new(part: &str, health: &Health, shutdown: &Shutdown) -> Self {
        Self {
            part: part.to_owned(),
            health: health.clone(),
            shutdown: shutdown.clone(),
        }
    }
}

/// A transactional producer.
pub(crate) struct TransactionalProducer<K: Send + Sync + 'static> {
    producer: Authenticated<ThreadedProducer<Deliveries<K>>>,
    timeout: Duration,
    owner: Owner,
    /// A call did not return. No other call may follow, because the client would refuse it as one in conflict for ever.
    hangs: Arc<AtomicBool>,
}

impl<K: Send + Sync + 'static> TransactionalProducer<K> {
    /// Fences every predecessor of the same `name` and aborts the transaction it left open. Records are collected for the time `linger`
    /// before they are sent, unless the configuration says how long.
    pub(crate) fn new(
        client: &ClientConfig,
        timeout: Duration,
        linger: Duration,
        name: &str,
        owner: Owner,
    ) -> Result<Self, ProducerError> {
        let mut config = client.clone();
        config.set("transactional.id", name);
        config.set("transaction.timeout.ms", timeout.as_millis().to_string());
        config.set("message.max.bytes", topics::MAX_RECORD_BYTES.to_string());
        config.set("compression.type", "lz4");
        if config.get("linger.ms").is_none() {
            config.set("linger.ms", linger.as_millis().to_string());
        }
        // With more requests in flight, a record that was refused can be reported as stored: see the producer of
        // ingest.
        config.set("max.in.flight", "1");
        // The queue holds a whole transaction, so that `send` waits only when the broker is slower than we are.
        config
            .set("queue.buffering.max.messages", "500000")
            .set("queue.buffering.max.kbytes", "262144");
        let producer =
            authenticated::create_with_context(&config, Deliveries(Mutex::default())).map_err(ProducerError::Fatal)?;
        let this = Self {
            producer,
            timeout,
            owner,
            hangs: Arc::default(),
        };
        this.repeat("init_transactions", |producer| producer.init_transactions(REQUEST))?;
        Ok(this)
    }

    pub(crate) fn begin(&self) -> Result<(), ProducerError> {
        self.producer.context().lock().clear();
        self.repeat("begin_transaction", Producer::begin_transaction)
    }

    /// Queues a record for sending. The commit confirms that it was delivered.
    pub(crate) fn produce(&self, output: Output<'_, K>) -> Result<(), ProducerError> {
        let begun = Instant::now();
        let mut record =
            BaseRecord::<[u8], [u8], _>::with_opaque_to(on_broker(output.topic), Box::new(output.told_back))
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
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Commits the produced records together with the offsets of what they were made of.
    pub(crate) fn commit(
        &self,
        offsets: TopicPartitionList,
        group: ConsumerGroupMetadata,
    ) -> Result<(), ProducerError> {
        self.wait_for_deliveries();
        self.add_offsets(offsets, group)?;
        match self.repeat("commit_transaction", |producer| producer.commit_transaction(REQUEST)) {
            Err(ProducerError::Abort(error)) => Err(ProducerError::InDoubt(error)),
            other => other,
        }
    }

    /// Adds the offsets to the transaction, on a thread of its own: librdkafka does not keep the time-out of this call while its
    /// cached coordinator of the group is away (its issues 5456 and 5511), and then the call may never return. Beyond the time-out of the
    /// transaction there is nothing to wait for. The thread ends, and with it the producer, when the call does.
    fn add_offsets(&self, offsets: TopicPartitionList, group: ConsumerGroupMetadata) -> Result<(), ProducerError> {
        let this = Self {
            producer: self.producer.clone(),
            timeout: self.timeout,
            owner: self.owner.clone(),
            hangs: Arc::clone(&self.hangs),
        };
        let (sender, result) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let result = this.repeat("send_offsets_to_transaction", |producer| {
                producer.send_offsets_to_transaction(&offsets, &group, REQUEST)
            });
            // Nobody waits for it any more after the time-out.
            let _ = sender.send(result);
        });
        result.recv_timeout(self.timeout).unwrap_or_else(|_| {
            self.hangs.store(true, Ordering::Relaxed);
            Err(ProducerError::Hangs)
        })
    }

    /// The records of the transaction that was just committed and were to be told back, in order.
    pub(crate) fn stored(&self) -> Vec<Stored<K>> {
        std::mem::take(&mut self.producer.context().lock())
    }

    pub(crate) fn abort(&self) -> Result<(), ProducerError> {
        match self.repeat("abort_transaction", |producer| producer.abort_transaction(REQUEST)) {
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
            thread::sleep(PAUSE);
        }
    }

    /// Repeats a call while its error is retriable (a broker is away, a coordinator moves). The worker does nothing else meanwhile, so it
    /// is not ready.
    fn repeat(
        &self,
        name: &'static str,
        call: impl Fn(&ThreadedProducer<Deliveries<K>>) -> Result<(), KafkaError>,
    ) -> Result<(), ProducerError> {
        let Owner { part, health, shutdown } = &self.owner;
        let mut is_repeated = false;
        let result = loop {
            if self.hangs.load(Ordering::Relaxed) {
                // The worker has gone on without this producer, and what is said of its part is about another one.
                return Err(ProducerError::Hangs);
            }
            match call(&self.producer) {
                Ok(()) => break Ok(()),
                Err(error) if is_retriable(&error) => {
                    if shutdown.has_begun() {
                        break Err(ProducerError::ShutDown);
                    }
                    tracing::warn!(call = name, %error, "transaction call is repeated");
                    health.interrupted(part, format!("{name} is repeated: {error}"));
                    is_repeated = true;
                    thread::sleep(Duration::from_millis(100));
                }
                Err(error) => break Err(self.judge(error)),
            }
        };
        if is_repeated {
            health.goes_on(part);
        }
        result
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
