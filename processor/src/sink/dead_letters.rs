//! Sends the records that have no row to `courier.derive.dead.v1` and waits for each acknowledgement.

use std::time::Duration;

use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::batch::SourceRecord;
use super::insert::Refusal;
use crate::config::Config;
use crate::dead_letter;

/// If a dead letter is not acknowledged within this time, the attempt has failed.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Dead letters are rare, so the producer is created for the first one.
pub(super) struct DeadLetters {
    config: ClientConfig,
    topic: &'static str,
    producer: Option<Authenticated<FutureProducer>>,
}

impl DeadLetters {
    /// For records of `topic`, which become rows of `table`.
    pub(super) fn new(config: &Config, table: &'static str, topic: &'static str) -> Self {
        let mut client = ClientConfig::new();
        client
            .set("client.id", format!("courierflow-sink-{table}-dead-letters"))
            // Room for the record and its headers; the topic's own limit applies anyway.
            .set("message.max.bytes", (topics::MAX_RECORD_BYTES + 64 * 1024).to_string());
        kafka_client::configure(&mut client, &config.kafka);
        client
            .set("acks", "all")
            // A duplicate does no harm. An idempotent producer would need one request in flight: see the producer of
            // ingest.
            .set("enable.idempotence", "false")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string());
        Self {
            config: client,
            topic,
            producer: None,
        }
    }

    /// Sends all of them. After an error some of them may have arrived; sending one twice does no harm.
    pub(super) async fn send(&mut self, refused: &[(SourceRecord<'_>, &Refusal)]) -> Result<(), KafkaError> {
        let producer = match &mut self.producer {
            Some(producer) => producer,
            empty => empty.insert(authenticated::create(&self.config)?),
        };
        let mut deliveries = Vec::with_capacity(refused.len());
        for (record, refusal) in refused {
            let headers = dead_letter::headers(&record.coordinates(self.topic), refusal.class(), refusal)
                .into_iter()
                .fold(OwnedHeaders::new(), |headers, (key, value)| {
                    headers.insert(Header {
                        key,
                        value: Some(&value),
                    })
                });
            let mut letter = FutureRecord::<[u8], [u8]>::to(on_broker(topics::DERIVE_DEAD))
                .partition(record.partition)
                .headers(headers);
            letter.key = record.key;
            letter.payload = record.value;
            deliveries.push(producer.send_result(letter).map_err(|(error, _)| error)?);
        }
        for delivery in deliveries {
            delivery
                .await
                .map_err(|_| KafkaError::Canceled)?
                .map_err(|(error, _)| error)?;
        }
        Ok(())
    }
}
