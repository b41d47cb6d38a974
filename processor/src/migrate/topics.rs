//! The topics of the system: created with their settings, or aligned with them.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::bail;
use courierflow_schemas::topics::{self, Policy, Topic};
use courierflow_service::partition_counts;
use rdkafka::admin::{
    AdminOptions, AlterConfig, ConfigEntry, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode;

use super::{Report, internal_topics};
use crate::admin::{self, Admin};
use crate::config::Config;

pub(super) const REQUEST: Duration = Duration::from_secs(30);

pub(super) fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(REQUEST))
        .request_timeout(Some(REQUEST))
}

/// Creates what is missing, aligns what is there.
pub(super) async fn migrate(config: &Config) -> anyhow::Result<Report> {
    let admin = admin::client(&config.kafka)?;
    let mut report = Report::default();
    for topic in topics::ALL {
        if create(&admin, &topic, config).await? {
            report.changes.push(format!("created topic {}", topic.name));
            continue;
        }
        let found = Found::look(&admin, topic.name)?;
        check_partitions(topic.name, found.partitions, config.topics.partitions)?;
        if found.replicas < config.topics.replication_factor {
            report.warnings.push(format!(
                "topic {} has {} replicas, topics.replication_factor says {}: see \"Replicas\" in the runbook",
                topic.name, found.replicas, config.topics.replication_factor
            ));
        }
        let replicas = found.replicas.min(config.topics.replication_factor);
        if align(&admin, topic.name, policy_settings(&topic, replicas)).await? {
            report
                .changes
                .push(format!("aligned the settings of topic {}", topic.name));
        }
    }
    report.warnings.extend(internal_topics::warnings(&admin, config).await?);
    Ok(report)
}

/// What is there of a topic.
pub(super) struct Found {
    pub(super) partitions: usize,
    /// Of the partition that has the fewest.
    pub(super) replicas: i32,
}

impl Found {
    /// Both numbers are 0 if there is no such topic.
    pub(super) fn look(admin: &Admin, topic: &str) -> anyhow::Result<Self> {
        let metadata = admin.inner().fetch_metadata(Some(topic), REQUEST)?;
        let found = metadata.topics().first();
        let replicas = found.and_then(|found| found.partitions().iter().map(|one| one.replicas().len()).min());
        Ok(Self {
            partitions: partition_counts::of(found),
            replicas: i32::try_from(replicas.unwrap_or(0)).unwrap_or(i32::MAX),
        })
    }
}

/// One replica may be away, and a record is acknowledged only when another one than the leader has it. More than there are
/// replicas would refuse every write.
pub(super) fn min_insync_replicas(replicas: i32) -> i32 {
    replicas.saturating_sub(1).max(1)
}

/// The settings that make a topic what it is.
pub(super) fn policy_settings(topic: &Topic, replicas: i32) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("min.insync.replicas", min_insync_replicas(replicas).to_string()),
        ("max.message.bytes", topics::MAX_RECORD_BYTES.to_string()),
        // Ingest and derive set the time of a record to the receipt of its push.
        ("message.timestamp.type", "CreateTime".to_owned()),
    ];
    settings.extend(topic.settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
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

async fn create(admin: &Admin, topic: &Topic, config: &Config) -> anyhow::Result<bool> {
    let settings = policy_settings(topic, config.topics.replication_factor);
    let mut new = NewTopic::new(
        topic.name,
        config.topics.partitions,
        TopicReplication::Fixed(config.topics.replication_factor),
    );
    for (name, value) in &settings {
        new = new.set(name, value);
    }
    match admin.create_topics([&new], &options()).await?.pop() {
        Some(Ok(_)) => Ok(true),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((name, code))) => bail!("creating {name}: {code}"),
        None => bail!("creating {}: no answer", topic.name),
    }
}

/// State belongs to a partition number, and order is kept within a partition; a different number of partitions would
/// break both.
fn check_partitions(topic: &str, found: usize, wanted: i32) -> anyhow::Result<()> {
    if usize::try_from(wanted) != Ok(found) {
        bail!(
            "topic {topic} has {found} partitions, topics.partitions says {wanted}: the number cannot be changed on a running \
             system; see \"More partitions\" in the runbook"
        );
    }
    Ok(())
}

/// Gives a topic the settings in `wanted` and leaves the others. True if it had other values.
pub(super) async fn align(admin: &Admin, topic: &str, mut wanted: Vec<(&'static str, String)>) -> anyhow::Result<bool> {
    let described = admin::describe(admin, ResourceSpecifier::Topic(topic), REQUEST).await?;
    // How long records are kept is an operator's to change.
    let is_set = |name: &str| {
        described
            .get(name)
            .is_some_and(|entry| entry.source == ConfigSource::DynamicTopic)
    };
    wanted.retain(|(name, _)| *name != "retention.ms" || !is_set(name));
    alter(admin, topic, &described, &wanted).await
}

/// The same, whatever an operator has set.
pub(super) async fn alter(
    admin: &Admin,
    topic: &str,
    described: &HashMap<String, ConfigEntry>,
    wanted: &[(&'static str, String)],
) -> anyhow::Result<bool> {
    let current = |name: &str| described.get(name).and_then(|entry| entry.value.clone());
    if wanted.iter().all(|(name, value)| current(name).as_ref() == Some(value)) {
        return Ok(false);
    }
    // The call replaces all settings of the topic, so those that an operator has set are carried over.
    let mut alter = AlterConfig::new(ResourceSpecifier::Topic(topic));
    for (name, entry) in described {
        if entry.source == ConfigSource::DynamicTopic
            && let Some(value) = &entry.value
            && !wanted.iter().any(|(wanted, _)| wanted == name)
        {
            alter = alter.set(name, value);
        }
    }
    for (name, value) in wanted {
        alter = alter.set(name, value);
    }
    match admin.alter_configs([&alter], &options()).await?.pop() {
        Some(Ok(_)) => Ok(true),
        Some(Err((_, code))) => bail!("settings of {topic}: {code}"),
        None => bail!("settings of {topic}: no answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_replica_may_be_away() {
        for (replicas, min) in [(0, 1), (1, 1), (2, 1), (3, 2), (5, 4)] {
            assert_eq!(min_insync_replicas(replicas), min, "{replicas}");
        }
    }
}
