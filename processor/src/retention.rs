//! How long Kafka keeps what we read, as a metric: the alarm before records are lost compares it with how far behind we are.

use std::time::Duration;

use courierflow_schemas::topics::{self, Policy};
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::config::Config;

const REQUEST: Duration = Duration::from_secs(10);
/// Operators seldom change it.
const BETWEEN_LOOKS: Duration = Duration::from_mins(5);
/// While Kafka does not answer.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(15);

/// Publishes `courierflow_topic_retention_seconds` for as long as the process runs.
pub async fn publish(config: Config) {
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, &config.kafka);
    let admin: AdminClient<DefaultClientContext> = match client.create() {
        Ok(admin) => admin,
        Err(error) => {
            tracing::warn!(%error, "the retention of the topics stays unknown");
            return;
        }
    };
    loop {
        let mut wait = BETWEEN_LOOKS;
        for topic in topics::ALL {
            if matches!(topic.policy, Policy::Compact) {
                continue;
            }
            match retention(&admin, topic.name).await {
                Some(seconds) => {
                    metrics::gauge!("courierflow_topic_retention_seconds", "topic" => topic.name).set(seconds);
                }
                None => wait = BETWEEN_ATTEMPTS,
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// In seconds; infinite where nothing is ever deleted for its age.
async fn retention(admin: &AdminClient<DefaultClientContext>, topic: &str) -> Option<f64> {
    let options = AdminOptions::new().request_timeout(Some(REQUEST));
    let described = admin
        .describe_configs([&ResourceSpecifier::Topic(topic)], &options)
        .await;
    let described = described.ok()?.pop()?.ok()?;
    let millis: i64 = described
        .entry_map()
        .get("retention.ms")?
        .value
        .as_ref()?
        .parse()
        .ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let seconds = if millis < 0 {
        f64::INFINITY
    } else {
        millis as f64 / 1_000.0
    };
    Some(seconds)
}
