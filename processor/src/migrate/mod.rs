//! Brings topics, schemas and tables to the state that this version of the program needs. What is already right is left
//! alone. Development and production use the same code.

mod carriers;
pub mod clickhouse;
pub mod definitions;
pub mod names;
mod replace;
mod tables;
pub mod views;

use std::time::Duration;

use anyhow::{Context, bail};
use courierflow_schemas::registry::Registry;
use courierflow_schemas::topics::{self, Policy, Topic};
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use crate::config::Config;

const REQUEST: Duration = Duration::from_secs(30);

/// Runs every step and returns what it changed, one line each.
pub async fn run(config: &Config) -> anyhow::Result<Vec<String>> {
    let mut changes = topics(config).await.context("topics")?;
    changes.extend(schemas(config).await.context("schemas")?);
    let of_database = clickhouse::migrate_clickhouse(&config.clickhouse, config.carriers)
        .await
        .context("tables and views")?;
    changes.extend(of_database.iter().map(ToString::to_string));
    Ok(changes)
}

async fn topics(config: &Config) -> anyhow::Result<Vec<String>> {
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, &config.kafka);
    let admin: AdminClient<DefaultClientContext> = client.create()?;
    let mut changes = Vec::new();
    for topic in topics::ALL {
        if create(&admin, &topic, config).await? {
            changes.push(format!("created topic {}", topic.name));
        } else {
            check_partitions(&admin, &topic, config.topics.partitions)?;
            if align_policy(&admin, &topic, config).await? {
                changes.push(format!("aligned the settings of topic {}", topic.name));
            }
        }
    }
    Ok(changes)
}

/// The settings that make a topic what it is.
fn policy_settings(topic: &Topic, config: &Config) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        // One replica may be away, and a record is acknowledged only when another one than the leader has it.
        ("min.insync.replicas", min_insync_replicas(config).to_string()),
        ("max.message.bytes", topics::MAX_RECORD_BYTES.to_string()),
        // Ingest and derive set the time of a record to the receipt of its push.
        ("message.timestamp.type", "CreateTime".to_owned()),
    ];
    match topic.policy {
        Policy::Compact => {
            settings.push(("cleanup.policy", "compact".to_owned()));
            // A restore reads everything that is not compacted yet, so compaction starts early.
            settings.push(("min.cleanable.dirty.ratio", "0.1".to_owned()));
        }
        Policy::Delete(retention) => {
            settings.push(("cleanup.policy", "delete".to_owned()));
            settings.push(("retention.ms", retention.as_millis().to_string()));
        }
    }
    settings
}

fn min_insync_replicas(config: &Config) -> i32 {
    config.topics.replication_factor.saturating_sub(1).max(1)
}

async fn create(admin: &AdminClient<DefaultClientContext>, topic: &Topic, config: &Config) -> anyhow::Result<bool> {
    let settings = policy_settings(topic, config);
    let mut new = NewTopic::new(
        topic.name,
        config.topics.partitions,
        TopicReplication::Fixed(config.topics.replication_factor),
    );
    for (name, value) in &settings {
        new = new.set(name, value);
    }
    let options = AdminOptions::new()
        .operation_timeout(Some(REQUEST))
        .request_timeout(Some(REQUEST));
    match admin.create_topics([&new], &options).await?.pop() {
        Some(Ok(_)) => Ok(true),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((name, code))) => bail!("creating {name}: {code}"),
        None => bail!("creating {}: no answer", topic.name),
    }
}

/// State belongs to a partition number, and order is kept within a partition; a different number of partitions would
/// break both.
fn check_partitions(admin: &AdminClient<DefaultClientContext>, topic: &Topic, wanted: i32) -> anyhow::Result<()> {
    let metadata = admin.inner().fetch_metadata(Some(topic.name), REQUEST)?;
    let found = metadata.topics().first().map_or(0, |found| found.partitions().len());
    if usize::try_from(wanted) != Ok(found) {
        bail!(
            "topic {} has {found} partitions, topics.partitions says {wanted}: the number cannot be changed on a \
             running system",
            topic.name
        );
    }
    Ok(())
}

async fn align_policy(
    admin: &AdminClient<DefaultClientContext>,
    topic: &Topic,
    config: &Config,
) -> anyhow::Result<bool> {
    let options = AdminOptions::new().request_timeout(Some(REQUEST));
    let described = admin
        .describe_configs([&ResourceSpecifier::Topic(topic.name)], &options)
        .await?
        .pop();
    let described = described
        .context("no answer")?
        .map_err(|code| anyhow::anyhow!("describing {}: {code}", topic.name))?;
    let mut wanted = policy_settings(topic, config);
    let entries = described.entry_map();
    let current = |name: &str| entries.get(name).and_then(|entry| entry.value.clone());
    // How long records are kept is an operator's to change.
    let is_set = |name: &str| {
        entries
            .get(name)
            .is_some_and(|entry| entry.source == ConfigSource::DynamicTopic)
    };
    wanted.retain(|(name, _)| *name != "retention.ms" || !is_set(name));
    if wanted.iter().all(|(name, value)| current(name).as_ref() == Some(value)) {
        return Ok(false);
    }
    // The call replaces all settings of the topic, so those that an operator has set are carried over.
    let mut alter = AlterConfig::new(ResourceSpecifier::Topic(topic.name));
    for entry in described
        .entries
        .iter()
        .filter(|entry| entry.source == ConfigSource::DynamicTopic)
    {
        if let Some(value) = &entry.value
            && !wanted.iter().any(|(name, _)| *name == entry.name)
        {
            alter = alter.set(&entry.name, value);
        }
    }
    for (name, value) in &wanted {
        alter = alter.set(name, value);
    }
    match admin.alter_configs([&alter], &options).await?.pop() {
        Some(Ok(_)) => Ok(true),
        Some(Err((_, code))) => bail!("settings of {}: {code}", topic.name),
        None => bail!("settings of {}: no answer", topic.name),
    }
}

async fn schemas(config: &Config) -> anyhow::Result<Vec<String>> {
    let registry = Registry::new(&config.registry);
    let migrated = tokio::task::spawn_blocking(move || registry.migrate()).await??;
    Ok(migrated.changes)
}
