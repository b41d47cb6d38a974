//! How many partitions have too few replicas in sync, as a metric. Kafka tells it over JMX only, and whoever watches our topics
//! should not need that. Such a partition takes no writes: ingest answers 503, and transactions wait.

use std::time::Duration;

use courierflow_schemas::topics;
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::config::Config;

const REQUEST: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Publishes `courierflow_kafka_partitions_under_min_isr` for our topics and for those in which Kafka keeps offsets and
/// transactions, for as long as the process runs.
pub async fn publish(config: Config) {
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, &config.kafka);
    // Looking for a topic must not create it.
    client.set("allow.auto.create.topics", "false");
    let admin: AdminClient<DefaultClientContext> = match client.create() {
        Ok(admin) => admin,
        Err(error) => {
            tracing::warn!(%error, "partitions under min.insync.replicas stay unknown");
            return;
        }
    };
    let ours = topics::ALL.iter().map(|topic| topic.name);
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
async fn under_min_isr(admin: &AdminClient<DefaultClientContext>, topic: &str) -> Option<f64> {
    // It blocks, and the runtime has few threads.
    let in_sync = tokio::task::block_in_place(|| in_sync(admin, topic))?;
    let options = AdminOptions::new().request_timeout(Some(REQUEST));
    let described = admin
        .describe_configs([&ResourceSpecifier::Topic(topic)], &options)
        .await;
    let described = described.ok()?.pop()?.ok()?;
    let min: usize = described
        .entry_map()
        .get("min.insync.replicas")?
        .value
        .as_ref()?
        .parse()
        .ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let count = in_sync.iter().filter(|in_sync| **in_sync < min).count() as f64;
    Some(count)
}

/// The number of replicas in sync of each partition.
fn in_sync(admin: &AdminClient<DefaultClientContext>, topic: &str) -> Option<Vec<usize>> {
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
