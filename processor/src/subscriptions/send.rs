//! Sends requests to `courier.subscription.request.v1`, so many a second, and waits until all of them are acknowledged.

use std::str::FromStr;
use std::time::Duration;

use courierflow_schemas::records::SubscriptionRequest;
use courierflow_schemas::registry::{Registry, RegistryError};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::{EncodeError, Encoder};
use rdkafka::error::KafkaError;
use rdkafka::producer::FutureRecord;
use rdkafka::producer::future_producer::DeliveryFuture;
use tokio::time::{MissedTickBehavior, interval};

use crate::acknowledged::{acknowledged, producer};
use crate::config::Config;

/// Most records in flight.
const WINDOW: usize = 500;

/// Why not all requests were sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The id of the schema is unknown.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A record cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A record cannot be produced.
    #[error("producing to {topic}: {0}; do it again, what was sent already does no harm", topic = on_broker(topics::SUBSCRIPTION_REQUEST))]
    Produce(#[from] KafkaError),
}

/// Requests a second: a number above 0, such as 2.5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

/// No rate.
#[derive(Debug, thiserror::Error)]
#[error("must be a number of requests a second, from 0.00000003 to 1000000000")]
pub struct InvalidRate;

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let rate: f64 = text.parse().map_err(|_| InvalidRate)?;
        // One request a year, and an interval of a nanosecond: a timer takes none of 0.
        let is_possible = (3e-8..=1e9).contains(&rate);
        is_possible.then_some(Self(rate)).ok_or(InvalidRate)
    }
}

impl Rate {
    fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

/// Sends them in their order; `rate` a second at most.
pub async fn send(config: &Config, requests: &[SubscriptionRequest], rate: Rate) -> Result<(), SendError> {
    let ids = Registry::new(&config.registry).schema_ids()?;
    let encoder: Encoder<SubscriptionRequest> = Encoder::new(ids.subscription_request);
    let producer = producer(&config.kafka, "courierflow-subscriptions")?;
    let mut ticks = interval(rate.interval());
    // After a pause of the broker it goes on at the same rate, instead of making up for it.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut on_the_way: Vec<DeliveryFuture> = Vec::new();
    let mut datum = Vec::new();
    for request in requests {
        ticks.tick().await;
        datum.clear();
        encoder.encode(request, &mut datum)?;
        let record = FutureRecord::to(on_broker(topics::SUBSCRIPTION_REQUEST))
            .key(&request.tracking_number)
            .payload(&datum)
            .timestamp(request.requested_at.0 / 1000);
        on_the_way.push(producer.send_result(record).map_err(|(error, _)| error)?);
        if on_the_way.len() >= WINDOW {
            all_acknowledged(&mut on_the_way).await?;
        }
    }
    all_acknowledged(&mut on_the_way).await
}

async fn all_acknowledged(on_the_way: &mut Vec<DeliveryFuture>) -> Result<(), SendError> {
    for delivery in on_the_way.drain(..) {
        acknowledged(delivery).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn a_rate_is_a_number_above_zero() {
        let millis = |text: &str| text.parse::<Rate>().map(|rate| rate.interval().as_millis()).ok();
        assert_eq!(
            [millis("50"), millis("2.5"), millis("0.1")],
            [Some(20), Some(400), Some(10_000)]
        );
        for text in ["0", "-1", "NaN", "inf", "1e-300", "", "fast"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
