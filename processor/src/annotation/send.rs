//! A correction to `courier.annotation.v1`, until it is acknowledged by all replicas.

use courierflow_schemas::records::Annotation;
use courierflow_schemas::registry::{Registry, RegistryError};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::{EncodeError, Encoder};
use rdkafka::error::KafkaError;
use rdkafka::producer::FutureRecord;

use crate::acknowledged::{acknowledged, producer};
use crate::config::Config;

/// Why it is not known to be stored.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The id of the schema is unknown.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The record cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The record cannot be produced.
    #[error("producing to {topic}: {0}; do it again, saying the same twice does no harm", topic = on_broker(topics::ANNOTATION))]
    Produce(#[from] KafkaError),
}

/// Returns when it is acknowledged.
pub(super) async fn send(config: &Config, said: &Annotation) -> Result<(), SendError> {
    // It waits for the registry, and others are served on this thread.
    let registry = Registry::new(&config.registry);
    let ids = tokio::task::spawn_blocking(move || registry.schema_ids()).await;
    let ids = ids.map_err(|_| KafkaError::Canceled)??;
    let mut datum = Vec::new();
    Encoder::<Annotation>::new(ids.annotation).encode(said, &mut datum)?;
    let producer = producer(&config.kafka, "courierflow-annotate")?;
    let record = FutureRecord::to(on_broker(topics::ANNOTATION))
        .key(&said.tracking_number)
        .payload(&datum)
        .timestamp(said.annotated_at.0 / 1000);
    let delivery = producer.send_result(record).map_err(|(error, _)| error)?;
    Ok(acknowledged(delivery).await?)
}
