//! The publisher for Kafka: one idempotent producer with `acks=all`, and two threads that watch whether broker and
//! registry are available. The only module of ingest with rdkafka types.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use courierflow_schemas::records::{PushEvent, SubscriptionRequest};
use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::{KafkaSettings, SettingsError};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::Encoder;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::{kafka_client, partition_counts, traces};
use jiff::Timestamp;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Batch, DeadLetter, PublishError, Publisher};
use crate::config::IngestSettings;
use crate::readiness::Readiness;

/// Time-out of a metadata request.
const METADATA_TIMEOUT: Duration = Duration::from_secs(3);
/// Interval between checks of the broker while it is healthy, and while it is not.
const CALM_INTERVAL: Duration = Duration::from_secs(2);
const TROUBLED_INTERVAL: Duration = Duration::from_millis(250);
/// Interval between requests to the registry until it answers.
const REGISTRY_INTERVAL: Duration = Duration::from_secs(2);

/// Why the publisher could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A wrong property; the error names the property but not its value.
    #[error(transparent)]
    Properties(#[from] SettingsError),
    /// The system refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Properties of the producer, in this order: defaults that a user may change, the user's, and those that the promises
/// of ingest depend on.
pub fn producer_properties(kafka: &KafkaSettings, ingest: &IngestSettings) -> Vec<(String, String)> {
    let ack_timeout = ingest.ack_timeout_ms.to_string();
    let changeable = [
        ("client.id", "courierflow-ingest".to_owned()),
        ("compression.type", "lz4".to_owned()),
        ("linger.ms", ingest.linger_ms.to_string()),
        // The default is 10 s; a broker that is back should be noticed sooner.
        ("reconnect.backoff.max.ms", "1000".to_owned()),
        // Pushes may pause for minutes, and then the broker closes idle connections; that is no incident.
        ("log.connection.close", "false".to_owned()),
        // Otherwise it may take up to 5 minutes to find a broker that has moved.
        ("topic.metadata.refresh.interval.ms", "30000".to_owned()),
    ];
    let fixed = [
        // With these a success answer means that all in-sync replicas have the record, once and in order.
        ("acks", "all".to_owned()),
        ("enable.idempotence", "true".to_owned()),
        // With more requests in flight, librdkafka may report a record as stored although it is not: a request is refused
        // because its partition has no leader yet; the next one is accepted, because a broker accepts any first sequence
        // number from a producer it does not know; and the client concludes that the earlier one was accepted, too.
        ("max.in.flight", "1".to_owned()),
        // The hash of Java clients, so that all producers agree on a number's partition; dead letters have no key and are
        // spread.
        ("partitioner", "murmur2_random".to_owned()),
        // `processor migrate` creates the topics with their policies; a misspelled name must not create one (default of
        // producers: true).
        ("allow.auto.create.topics", "false".to_owned()),
        // After this time the vendor has been answered 503 and will retry; storing the record later would only store
        // it twice.
        ("delivery.timeout.ms", ack_timeout.clone()),
        ("request.timeout.ms", ack_timeout.clone()),
        ("socket.timeout.ms", ack_timeout),
        // Large enough for any body with its envelope; the topics have the same limit.
        ("message.max.bytes", topics::MAX_RECORD_BYTES.to_string()),
        ("queue.buffering.max.kbytes", ingest.queue_kbytes.to_string()),
        ("queue.buffering.max.messages", ingest.queue_messages.to_string()),
    ];
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    changeable
        .into_iter()
        .map(owned)
        .chain(
            kafka
                .client_properties()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .chain(fixed.into_iter().map(owned))
        .collect()
}

type Acknowledgement = Result<(), RDKafkaErrorCode>;
type Producer = Authenticated<ThreadedProducer<Context>>;

/// Reasons to wake the thread that watches the broker.
enum Wake {
    /// All connections are gone.
    BrokersDown,
    /// The producer has a fatal error.
    Fatal,
    /// Shutdown.
    Stop,
}

/// The callbacks of librdkafka.
struct Context {
    readiness: Arc<Readiness>,
    ack_timeout: Duration,
    wake: Sender<Wake>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka_client::log(level, facility, message, None);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka retries after all other errors; if that does not help, the deliveries fail.
        match error {
            KafkaError::Global(RDKafkaErrorCode::AllBrokersDown) => drop(self.wake.send(Wake::BrokersDown)),
            KafkaError::Global(RDKafkaErrorCode::Fatal) => {
                tracing::error!(reason, "the Kafka producer failed for good, starting a new one");
                drop(self.wake.send(Wake::Fatal));
            }
            _ => tracing::debug!(target: "librdkafka", %error, "{reason}"),
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<oneshot::Sender<Acknowledgement>>;

    fn delivery(&self, result: &DeliveryResult<'_>, acknowledgement: Self::DeliveryOpaque) {
        let outcome = match result {
            Ok(_) => {
                self.readiness.acknowledged();
                Ok(())
            }
            Err((error, _)) => {
                self.readiness.not_acknowledged(self.ack_timeout);
                Err(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail))
            }
        };
        // After the deadline nobody receives this.
        let _ = acknowledgement.send(outcome);
    }
}

/// Produces to `courier.push.v1`, `courier.push.dead.v1` and `courier.subscription.request.v1`.
pub struct KafkaPublisher {
    shared: Arc<Shared>,
    wake: Sender<Wake>,
}

struct Shared {
    /// Replaced after a fatal error.
    producer: RwLock<Arc<Producer>>,
    encoders: OnceLock<Encoders>,
    readiness: Arc<Readiness>,
    ack_timeout: Duration,
    stopping: AtomicBool,
}

struct Encoders {
    push: Encoder<PushEvent>,
    request: Encoder<SubscriptionRequest>,
}

impl KafkaPublisher {
    /// Starts the producer and its watchers. Neither broker nor registry need to be available; `readiness` tells when they
    /// are.
    pub fn start(
        kafka: &KafkaSettings,
        registry: Registry,
        ingest: &IngestSettings,
        readiness: Arc<Readiness>,
    ) -> Result<Self, StartError> {
        let mut config = ClientConfig::new();
        config.extend(producer_properties(kafka, ingest));
        config.set_log_level(RDKafkaLogLevel::Info);
        let (wake, woken) = channel();
        let ack_timeout = Duration::from_millis(ingest.ack_timeout_ms);
        let context = {
            let (readiness, wake) = (Arc::clone(&readiness), wake.clone());
            move || Context {
                readiness: Arc::clone(&readiness),
                ack_timeout,
                wake: wake.clone(),
            }
        };
        let new_producer = move || authenticated::create_with_context(&config, context()).map(Arc::new);
        let shared = Arc::new(Shared {
            producer: RwLock::new(new_producer().map_err(|error| kafka_client::wrong_property(&error))?),
            encoders: OnceLock::new(),
            readiness,
            ack_timeout,
            stopping: AtomicBool::new(false),
        });
        let watching = Arc::clone(&shared);
        spawn("schema-id", move || watching.find_schema_id(&registry))?;
        let watching = Arc::clone(&shared);
        spawn("broker-watch", move || watching.watch_broker(&woken, &new_producer))?;
        Ok(Self { shared, wake })
    }

    /// Waits, at most `timeout`, until everything in the queue is acknowledged or has failed; true if the queue is
    /// empty. It blocks; call it when no push is in flight.
    pub fn close(&self, timeout: Duration) -> bool {
        self.shared.stopping.store(true, Ordering::Relaxed);
        drop(self.wake.send(Wake::Stop));
        self.shared.producer().flush(timeout).is_ok()
    }
}

impl Publisher for KafkaPublisher {
    async fn publish(&self, batch: Batch) -> Result<(), PublishError> {
        let deadline = Instant::now() + self.shared.ack_timeout;
        for acknowledgement in self.shared.enqueue(&batch)? {
            match timeout_at(deadline, acknowledgement).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(RDKafkaErrorCode::MessageTimedOut))) => return Err(PublishError::AckTimeout),
                Ok(Ok(Err(code))) => return Err(PublishError::NotDelivered(code.to_string())),
                Ok(Err(_producer_gone)) => return Err(PublishError::NotDelivered("producer closed".to_owned())),
                Err(_elapsed) => {
                    self.shared.readiness.not_acknowledged(self.shared.ack_timeout);
                    return Err(PublishError::AckTimeout);
                }
            }
        }
        Ok(())
    }
}

impl Shared {
    fn producer(&self) -> Arc<Producer> {
        Arc::clone(&self.producer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts the records into the producer's queue, in order. Stops at the first that does not fit.
    fn enqueue(&self, batch: &Batch) -> Result<Vec<oneshot::Receiver<Acknowledgement>>, PublishError> {
        let encoders = self.encoders.get().ok_or(PublishError::NotReady)?;
        if !self.readiness.can_publish() || (!batch.requests.is_empty() && !self.readiness.can_request()) {
            return Err(PublishError::NotReady);
        }
        let producer = self.producer();
        let mut acknowledgements = Vec::with_capacity(batch.events.len() + batch.requests.len() + 1);
        let mut datum = DATUM.take();
        for event in &batch.events {
            datum.clear();
            encoders
                .push
                .encode(event, &mut datum)
                .map_err(|error| PublishError::NotDelivered(error.to_string()))?;
            let mut record =
                BaseRecord::with_opaque_to(on_broker(topics::PUSH), Box::new(acknowledge(&mut acknowledgements)))
                    .key(&event.tracking_number)
                    .payload(&datum)
                    .timestamp(event.received_at.0 / 1000);
            if let Some(headers) = traces::with_header(None) {
                record = record.headers(headers);
            }
            producer.send(record).map_err(|(error, _)| refused(&error))?;
        }
        for request in &batch.requests {
            datum.clear();
            encoders
                .request
                .encode(request, &mut datum)
                .map_err(|error| PublishError::NotDelivered(error.to_string()))?;
            let record = BaseRecord::with_opaque_to(
                on_broker(topics::SUBSCRIPTION_REQUEST),
                Box::new(acknowledge(&mut acknowledgements)),
            )
            .key(&request.tracking_number)
            .payload(&datum)
            .timestamp(request.requested_at.0 / 1000);
            producer.send(record).map_err(|(error, _)| refused(&error))?;
        }
        if datum.capacity() <= MAX_KEPT_DATUM_BYTES {
            DATUM.set(datum);
        }
        if let Some(letter) = &batch.dead_letter {
            let record = BaseRecord::<(), [u8], _>::with_opaque_to(
                on_broker(topics::PUSH_DEAD),
                Box::new(acknowledge(&mut acknowledgements)),
            )
            .payload(&letter.body)
            .headers(headers(letter))
            .timestamp(letter.received_at.0 / 1000);
            producer.send(record).map_err(|(error, _)| refused(&error))?;
        }
        Ok(acknowledgements)
    }

    /// Asks the registry, or its copy on disk, until one of them returns the id of our schema.
    fn find_schema_id(&self, registry: &Registry) {
        let mut told = String::new();
        while !self.stopping.load(Ordering::Relaxed) {
            match registry.schema_ids().map_err(|error| error.to_string()) {
                Ok(ids) => {
                    drop(self.encoders.set(Encoders {
                        push: Encoder::new(ids.push),
                        request: Encoder::new(ids.subscription_request),
                    }));
                    self.readiness.set_schema_known();
                    tracing::info!(id = ids.push, "schema id known");
                    return;
                }
                Err(error) => {
                    if told != error {
                        tracing::warn!(error, "schema id unknown, pushes are answered 503");
                        told = error;
                    }
                    std::thread::sleep(REGISTRY_INTERVAL);
                }
            }
        }
    }

    fn watch_broker(&self, woken: &Receiver<Wake>, new_producer: &dyn Fn() -> Result<Arc<Producer>, KafkaError>) {
        loop {
            let interval = if self.look_at_broker() {
                CALM_INTERVAL
            } else {
                TROUBLED_INTERVAL
            };
            // Ignore events from before or during this check: librdkafka repeats them with every reconnect, and each
            // would mark a broker as down that has just answered.
            let mut fatal = false;
            for wake in woken.try_iter() {
                match wake {
                    Wake::BrokersDown => {}
                    Wake::Fatal => fatal = true,
                    Wake::Stop => return,
                }
            }
            if !fatal {
                match woken.recv_timeout(interval) {
                    Ok(Wake::BrokersDown) => self.note_broker(false),
                    Ok(Wake::Fatal) => fatal = true,
                    Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
            if fatal {
                self.replace_producer(new_producer);
            }
        }
    }

    fn replace_producer(&self, new_producer: &dyn Fn() -> Result<Arc<Producer>, KafkaError>) {
        match new_producer() {
            Ok(producer) => {
                let mut current = self.producer.write().unwrap_or_else(PoisonError::into_inner);
                let failed = std::mem::replace(&mut *current, producer);
                drop(current);
                // Its records fail, so their pushes are answered.
                drop(failed);
            }
            Err(error) => tracing::error!(%error, "no new Kafka producer"),
        }
    }

    /// Checks the broker and the topics; true if they are usable.
    fn look_at_broker(&self) -> bool {
        let producer = self.producer();
        let mut trouble = None;
        let mut counts = Vec::new();
        for topic in [
            on_broker(topics::PUSH),
            on_broker(topics::PUSH_DEAD),
            on_broker(topics::SHIPMENT),
            on_broker(topics::TRANSITION),
        ] {
            match producer.client().fetch_metadata(Some(topic), METADATA_TIMEOUT) {
                Ok(metadata) => {
                    let found = metadata.topics().iter().find(|found| found.name() == topic);
                    counts.push((topic, partition_counts::of(found)));
                    trouble = trouble.or_else(|| topic_trouble(topic, found));
                }
                // A broker under full load may answer metadata requests late; recent deliveries are the better
                // evidence then.
                Err(_) if self.readiness.acknowledged_within(METADATA_TIMEOUT) => return true,
                Err(_) => {
                    self.note_broker(false);
                    return false;
                }
            }
        }
        self.note_broker(true);
        self.look_at_requests(&producer, &counts);
        // On partitions that the topics of derive do not have, a push would be acknowledged and never derived.
        counts.retain(|(topic, _)| partition_counts::topics().contains(topic));
        let difference = partition_counts::difference(counts);
        let trouble = trouble.or_else(|| difference.map(|difference| difference.to_string()));
        if self.readiness.set_topics(trouble.is_none()) {
            match &trouble {
                None => tracing::info!("topics are there"),
                Some(trouble) => tracing::warn!("{trouble}: pushes are answered 503"),
            }
        }
        trouble.is_none()
    }

    /// Checks the topic of requests for subscriptions, if anybody can ask here. Pushes do not depend on it.
    fn look_at_requests(&self, producer: &Producer, counts: &[(&'static str, usize)]) {
        let request_topic = on_broker(topics::SUBSCRIPTION_REQUEST);
        if !self.readiness.takes_requests() {
            return;
        }
        let Ok(metadata) = producer.client().fetch_metadata(Some(request_topic), METADATA_TIMEOUT) else {
            // The broker has just answered: it will tell the next time.
            return;
        };
        let found = metadata.topics().iter().find(|found| found.name() == request_topic);
        // A request lies on the partition of its number, where the pushes of its parcel will be.
        let of_pushes = counts
            .iter()
            .filter(|(topic, _)| *topic == on_broker(topics::PUSH))
            .copied();
        let trouble = topic_trouble(request_topic, found).or_else(|| {
            let difference =
                partition_counts::difference(of_pushes.chain([(request_topic, partition_counts::of(found))]));
            difference.map(|difference| difference.to_string())
        });
        if self.readiness.set_subscriptions(trouble.is_none()) {
            match &trouble {
                None => tracing::info!("topic of requests for subscriptions is there"),
                Some(trouble) => tracing::warn!("{trouble}: requests for subscriptions are answered 503"),
            }
        }
    }

    fn note_broker(&self, reachable: bool) {
        if self.readiness.set_broker(reachable) {
            if reachable {
                tracing::info!("broker reachable");
            } else {
                tracing::warn!("broker unreachable, pushes are answered 503");
            }
        }
    }
}

/// What is wrong with a topic. Those that ingest writes need a leader.
fn topic_trouble(topic: &str, found: Option<&MetadataTopic>) -> Option<String> {
    if ![
        on_broker(topics::PUSH),
        on_broker(topics::PUSH_DEAD),
        on_broker(topics::SUBSCRIPTION_REQUEST),
    ]
    .contains(&topic)
    {
        return None;
    }
    let Some(found) = found.filter(|found| found.error().is_none()) else {
        return Some(format!("topic {topic} is missing"));
    };
    let has_leader = found.partitions().iter().any(|partition| partition.leader() >= 0);
    (!has_leader).then(|| format!("topic {topic} has no leader"))
}

/// Largest buffer that a thread keeps for the next push.
const MAX_KEPT_DATUM_BYTES: usize = 256 * 1024;

thread_local! {
    /// The buffer for encoded records. librdkafka copies the record, so each thread can reuse its buffer.
    static DATUM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The sender that a record carries to its delivery report; the receiver is added to `acknowledgements`.
fn acknowledge(acknowledgements: &mut Vec<oneshot::Receiver<Acknowledgement>>) -> oneshot::Sender<Acknowledgement> {
    let (sender, receiver) = oneshot::channel();
    acknowledgements.push(receiver);
    sender
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map(drop).map_err(StartError::Thread)
}

fn refused(error: &KafkaError) -> PublishError {
    match error {
        KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => PublishError::QueueFull,
        error => PublishError::NotDelivered(error.to_string()),
    }
}

fn headers(letter: &DeadLetter) -> OwnedHeaders {
    let mut received_at = String::new();
    match Timestamp::from_microsecond(letter.received_at.0) {
        Ok(time) => drop(write!(received_at, "{time:.6}")),
        Err(_) => drop(write!(received_at, "{}", letter.received_at.0)),
    }
    let headers = [
        ("reason", letter.reason),
        ("parts", &letter.parts),
        ("vendor", letter.vendor.as_str()),
        ("account", &letter.account),
        ("received_at", &received_at),
        ("content_type", &letter.content_type),
    ];
    let mut owned = OwnedHeaders::new_with_capacity(headers.len());
    for (key, value) in headers {
        owned = owned.insert(Header {
            key,
            value: Some(value),
        });
    }
    owned
}
