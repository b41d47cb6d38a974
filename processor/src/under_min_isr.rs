//! How many partitions have too few replicas in sync, as a metric. Kafka tells it over JMX only, and whoever watches our topics
//! should not need that. Such a partition takes no writes: ingest answers 503, and transactions wait.

use std::time::Duration;

use courierflow_schemas::topics;
use rdkafka::admin::ResourceSpecifier;

use crate::admin::{self, Admin};
use crate::config::Config;

const REQUEST: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Publishes `courierflow_kafka_partitions_under_min_isr` for our topics and for those in which Kafka keeps offsets and
/// transactions, for as long as the process runs.
pub async fn publish(config: Config) {
    let admin = match admin::client(&config.kafka) {
        Ok(admin) => admin,
        Err(error) => {
            tracing::warn!(%error, "partitions under min.insync.replicas stay unknown");
            return;
        }
    };
    let ours = topics::ALL.iter().map(topics::Topic::on_broker);
    let all: Vec<_> = ours.chain(["__consumer_offsets", "__transaction_state"]).collect();
    loop {
        for topic in &all {
            if let Some(count) = under_min_isr(&admin, topic).await {
                metrics::gauge!("courierflow_kafka_partitions_under_min_isr", "topic" => *topic).set(count);
            }
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// `None` if there is no such topic, or if the brokers do not answer.
async fn under_min_isr(admin: &Admin, topic: &str) -> Option<f64> {
    // It blocks, and the runtime has few threads.
    let in_sync = tokio::task::block_in_place(|| in_sync(admin, topic))?;
    let setting = admin::setting(admin, ResourceSpecifier::Topic(topic), "min.insync.replicas", REQUEST).await;
    let min: usize = setting.ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let count = in_sync.iter().filter(|in_sync| **in_sync < min).count() as f64;
    Some(count)
}

/// The number of replicas in sync of each partition.
fn in_sync(admin: &Admin, topic: &str) -> Option<Vec<usize>> {
    let metadata = admin.inner().fetch_metadata(Some(topic), REQUEST).ok()?;
    let found = metadata.topics().first().filter(|found| found.error().is_none())?;
    Some(
        found
            .partitions()
            .iter()
            .map(|partition| partition.isr().len())
            .collect(),
    )
}
