//! How commands and people write to a topic, and wait: a record counts once all replicas have it.

use std::time::Duration;

use courierflow_schemas::settings::KafkaSettings;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::FutureProducer;
use rdkafka::producer::future_producer::DeliveryFuture;

/// If a record is not acknowledged within this time, sending has failed.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn producer(kafka: &KafkaSettings, client_id: &str) -> Result<Authenticated<FutureProducer>, KafkaError> {
    let mut properties = ClientConfig::new();
    properties.set("client.id", client_id);
    kafka_client::configure(&mut properties, kafka);
    properties
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // As the producer of ingest, which says why.
        .set("max.in.flight", "1")
        .set("partitioner", "murmur2_random")
        .set("allow.auto.create.topics", "false")
        .set("delivery.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string());
    authenticated::create(&properties)
}

pub(crate) async fn acknowledged(delivery: DeliveryFuture) -> Result<(), KafkaError> {
    let delivered = delivery.await.map_err(|_| KafkaError::Canceled)?;
    delivered.map(|_| ()).map_err(|(error, _)| error)
}
