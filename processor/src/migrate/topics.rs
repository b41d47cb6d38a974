//! The topics of the system: created with their settings, or given what they lack of them.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::bail;
use courierflow_schemas::topics::{self, Topic};
use courierflow_service::partition_counts;
use rdkafka::admin::{
    AdminOptions, AlterConfig, ConfigEntry, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode;

pub(super) use super::topic_settings::min_insync_replicas;
use super::topic_settings::{self, Setting};
use super::{Report, internal_topics};
use crate::admin::{self, Admin};
use crate::config::Config;

pub(super) const REQUEST: Duration = Duration::from_secs(30);

pub(super) fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(REQUEST))
        .request_timeout(Some(REQUEST))
}

/// Creates what is missing, aligns what is there; without `may_change` it only says so.
pub(super) async fn migrate(config: &Config, may_change: bool) -> anyhow::Result<Report> {
    let admin = admin::client(&config.kafka)?;
    let mut report = Report::default();
    for topic in topics::ALL {
        let found = Found::look(&admin, topic.on_broker())?;
        if found.partitions == 0 {
            let is_new = !may_change || create(&admin, &topic, config, &mut report).await?;
            if is_new {
                report.changes.push(format!("created topic {}", topic.on_broker()));
                continue;
            }
        }
        // Somebody else may have created it just now.
        let found = Found::look(&admin, topic.on_broker())?;
        check_partitions(topic.on_broker(), found.partitions, config.topics.partitions)?;
        if found.replicas < config.topics.replication_factor {
            report.warnings.push(format!(
                "topic {} has {} replicas, topics.replication_factor says {}: see \"Replicas\" in the runbook",
                topic.on_broker(),
                found.replicas,
                config.topics.replication_factor
            ));
        }
        let replicas = found.replicas.min(config.topics.replication_factor);
        let settings = topic_settings::of(&topic, replicas, &config.topics);
        align(&admin, topic.on_broker(), &settings, may_change, &mut report).await?;
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

/// What a managed Kafka answers if it does not let its users set something.
fn is_refusal(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::InvalidConfig | RDKafkaErrorCode::PolicyViolation
    )
}

/// False if the topic is there already. Settings that the brokers refuse are left out and reported.
async fn create(admin: &Admin, topic: &Topic, config: &Config, report: &mut Report) -> anyhow::Result<bool> {
    let settings = topic_settings::of(topic, config.topics.replication_factor, &config.topics);
    let all: Vec<&Setting> = settings.iter().collect();
    let failed = |code| anyhow::anyhow!("creating {}: {code}", topic.on_broker());
    match try_create(admin, topic, config, &all, false).await? {
        Ok(()) => return Ok(true),
        Err(RDKafkaErrorCode::TopicAlreadyExists) => return Ok(false),
        Err(code) if !is_refusal(code) => return Err(failed(code)),
        Err(_) => {}
    }
    let mut taken = Vec::new();
    for setting in &settings {
        match try_create(admin, topic, config, &[setting], true).await? {
            Ok(()) => taken.push(setting),
            Err(code) if is_refusal(code) && !setting.is_indispensable() => {
                report.warnings.push(refusal(topic.on_broker(), setting, code));
            }
            Err(code) => return Err(failed(code).context(format!("{} = {}", setting.name, setting.value))),
        }
    }
    match try_create(admin, topic, config, &taken, false).await? {
        Ok(()) => Ok(true),
        Err(code) => Err(failed(code)),
    }
}

fn refusal(topic: &str, setting: &Setting, code: RDKafkaErrorCode) -> String {
    format!(
        "topic {topic}: the brokers refuse {} = {} ({code}): {}",
        setting.name,
        setting.value,
        setting.without_it()
    )
}

/// With `validate_only` the brokers only say whether they would.
async fn try_create(
    admin: &Admin,
    topic: &Topic,
    config: &Config,
    settings: &[&Setting],
    validate_only: bool,
) -> anyhow::Result<Result<(), RDKafkaErrorCode>> {
    let replicas = TopicReplication::Fixed(config.topics.replication_factor);
    let mut new = NewTopic::new(topic.on_broker(), config.topics.partitions, replicas);
    for setting in settings {
        new = new.set(setting.name, &setting.value);
    }
    let options = options().validate_only(validate_only);
    match admin.create_topics([&new], &options).await?.pop() {
        Some(Ok(_)) => Ok(Ok(())),
        Some(Err((_, code))) => Ok(Err(code)),
        None => bail!("creating {}: no answer", topic.on_broker()),
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

/// Gives a topic what it must have and has not, and leaves everything else.
async fn align(
    admin: &Admin,
    topic: &str,
    settings: &[Setting],
    may_change: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let described = admin::describe(admin, ResourceSpecifier::Topic(topic), REQUEST).await?;
    let current = |name: &str| described.get(name).and_then(|entry| entry.value.as_deref());
    let lacking: Vec<&Setting> = settings
        .iter()
        .filter(|setting| !setting.is_met_by(current(setting.name)))
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let mut aligned = lacking.clone();
    if may_change && let Err(code) = try_alter(admin, topic, &described, &pairs(&lacking)).await? {
        if !is_refusal(code) {
            bail!("settings of {topic}: {code}");
        }
        aligned.clear();
        for setting in lacking {
            // Each call replaces all settings, so those that were taken so far go along.
            let so_far: Vec<&Setting> = aligned.iter().copied().chain([setting]).collect();
            match try_alter(admin, topic, &described, &pairs(&so_far)).await? {
                Ok(()) => aligned.push(setting),
                Err(code) if is_refusal(code) && !setting.is_indispensable() => {
                    report.warnings.push(refusal(topic, setting, code));
                }
                Err(code) => bail!("settings of {topic}: {} = {}: {code}", setting.name, setting.value),
            }
        }
    }
    if !aligned.is_empty() {
        let names: Vec<String> = aligned
            .iter()
            .map(|setting| format!("{} = {}", setting.name, setting.value))
            .collect();
        let names = names.join(", ");
        report
            .changes
            .push(format!("aligned the settings of topic {topic}: {names}"));
    }
    Ok(())
}

fn pairs(settings: &[&Setting]) -> Vec<(&'static str, String)> {
    settings
        .iter()
        .map(|setting| (setting.name, setting.value.clone()))
        .collect()
}

/// Gives a topic these settings, whatever an operator has set. True if it had others.
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
    match try_alter(admin, topic, described, wanted).await? {
        Ok(()) => Ok(true),
        Err(code) => bail!("settings of {topic}: {code}"),
    }
}

/// The call replaces all settings of the topic, so those that an operator has set are carried over.
async fn try_alter(
    admin: &Admin,
    topic: &str,
    described: &HashMap<String, ConfigEntry>,
    wanted: &[(&'static str, String)],
) -> anyhow::Result<Result<(), RDKafkaErrorCode>> {
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
        Some(Ok(_)) => Ok(Ok(())),
        Some(Err((_, code))) => Ok(Err(code)),
        None => bail!("settings of {topic}: no answer"),
    }
}
