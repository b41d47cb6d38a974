//! How long Kafka keeps what we read, as a metric: the alarm before records are lost compares it with how far behind we are.

use std::time::Duration;

use courierflow_schemas::topics::{self, Policy};
use rdkafka::admin::ResourceSpecifier;

use crate::admin::{self, Admin};
use crate::config::Config;

const REQUEST: Duration = Duration::from_secs(10);
/// Operators seldom change it.
const BETWEEN_LOOKS: Duration = Duration::from_mins(5);
/// While Kafka does not answer.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(15);

/// Publishes `courierflow_topic_retention_seconds` for as long as the process runs.
pub async fn publish(config: Config) {
    let admin = match admin::client(&config.kafka) {
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
            match retention(&admin, topic.on_broker()).await {
                Some(seconds) => {
                    metrics::gauge!("courierflow_topic_retention_seconds", "topic" => topic.on_broker()).set(seconds);
                }
                None => wait = BETWEEN_ATTEMPTS,
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// In seconds; infinite where nothing is ever deleted for its age.
async fn retention(admin: &Admin, topic: &str) -> Option<f64> {
    let setting = admin::setting(admin, ResourceSpecifier::Topic(topic), "retention.ms", REQUEST).await;
    let millis: i64 = setting.ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let seconds = if millis < 0 {
        f64::INFINITY
    } else {
        millis as f64 / 1_000.0
    };
    Some(seconds)
}
