//! The topics of the system: created with their settings, or given what they lack of them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

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
/// Brokers learn of other settings within a fraction of this.
const UNTIL_TAKEN: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(super) fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(REQUEST))
        .request_timeout(Some(REQUEST))
}

/// Creates what is missing, aligns what is there; without `may_change` it only says so.
pub(super) async fn migrate(config: &Config, may_change: bool) -> anyhow::Result<Report> {
    let admin = admin::client(&config.kafka)?;
    let mut report = Report::default();
    let mut refused = BTreeSet::new();
    for topic in topics::ALL {
        let found = Found::look(&admin, topic.on_broker())?;
        if found.partitions == 0 {
            let is_new = !may_change || create(&admin, &topic, config, &mut report).await?;
            if is_new {
                report.changes.push(format!("created topic {}", topic.on_broker()));
                continue;
            }
        }
        let found = Found::wait_for(&admin, topic.on_broker()).await?;
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
        align(
            &admin,
            topic.on_broker(),
            &settings,
            may_change,
            &mut refused,
            &mut report,
        )
        .await?;
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
    /// Looks at a topic that somebody else may have created just now: brokers learn of it a moment later.
    async fn wait_for(admin: &Admin, topic: &str) -> anyhow::Result<Self> {
        let begun = Instant::now();
        loop {
            let found = Self::look(admin, topic)?;
            if found.partitions > 0 || begun.elapsed() > REQUEST {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

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

/// Why brokers did not do what they were asked.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// Their answer.
    Answered(RDKafkaErrorCode),
    /// The client does not pass on what they answer about the settings of a topic; the topic has not changed.
    Unchanged,
}

impl Refusal {
    /// Whether it is one of a managed Kafka that does not let its users set something.
    fn is_of_settings(self) -> bool {
        matches!(
            self,
            Self::Unchanged | Self::Answered(RDKafkaErrorCode::InvalidConfig | RDKafkaErrorCode::PolicyViolation)
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(code) => write!(f, "{code}"),
            Self::Unchanged => f.write_str("it stays as it is"),
        }
    }
}

/// False if the topic is there already. Settings that the brokers refuse are left out and reported.
async fn create(admin: &Admin, topic: &Topic, config: &Config, report: &mut Report) -> anyhow::Result<bool> {
    let settings = topic_settings::of(topic, config.topics.replication_factor, &config.topics);
    let all: Vec<&Setting> = settings.iter().collect();
    let failed = |refusal: Refusal| anyhow::anyhow!("creating {}: {refusal}", topic.on_broker());
    match try_create(admin, topic, config, &all, false).await? {
        Ok(()) => return Ok(true),
        Err(Refusal::Answered(RDKafkaErrorCode::TopicAlreadyExists)) => return Ok(false),
        Err(refusal) if !refusal.is_of_settings() => return Err(failed(refusal)),
        Err(_) => {}
    }
    let mut taken = Vec::new();
    for setting in &settings {
        match try_create(admin, topic, config, &[setting], true).await? {
            Ok(()) => taken.push(setting),
            Err(refusal) if refusal.is_of_settings() && !setting.is_indispensable() => {
                report.warnings.push(told(topic.on_broker(), setting, refusal));
            }
            Err(refusal) => return Err(failed(refusal).context(format!("{} = {}", setting.name, setting.value))),
        }
    }
    match try_create(admin, topic, config, &taken, false).await? {
        Ok(()) => Ok(true),
        Err(refusal) => Err(failed(refusal)),
    }
}

fn told(topic: &str, setting: &Setting, refusal: Refusal) -> String {
    format!(
        "topic {topic}: the brokers refuse {} = {} ({refusal}): {}",
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
) -> anyhow::Result<Result<(), Refusal>> {
    let replicas = TopicReplication::Fixed(config.topics.replication_factor);
    let mut new = NewTopic::new(topic.on_broker(), config.topics.partitions, replicas);
    for setting in settings {
        new = new.set(setting.name, &setting.value);
    }
    let options = options().validate_only(validate_only);
    match admin.create_topics([&new], &options).await?.pop() {
        Some(Ok(_)) => Ok(Ok(())),
        Some(Err((_, code))) => Ok(Err(Refusal::Answered(code))),
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

/// Gives a topic what it must have and has not, and leaves everything else. What was `refused` for another topic is not tried again: it takes
/// seconds each time.
async fn align(
    admin: &Admin,
    topic: &str,
    settings: &[Setting],
    may_change: bool,
    refused: &mut BTreeSet<&'static str>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let described = admin::describe(admin, ResourceSpecifier::Topic(topic), REQUEST).await?;
    let current = |name: &str| described.get(name).and_then(|entry| entry.value.as_deref());
    let (hopeless, lacking): (Vec<&Setting>, Vec<&Setting>) = settings
        .iter()
        .filter(|setting| !setting.is_met_by(current(setting.name)))
        .partition(|setting| refused.contains(setting.name));
    let hopeless = hopeless.into_iter();
    (report.warnings).extend(hopeless.map(|setting| told(topic, setting, Refusal::Unchanged)));
    if lacking.is_empty() {
        return Ok(());
    }
    let mut aligned = lacking.clone();
    if may_change && let Err(refusal) = try_alter(admin, topic, &described, &pairs(&lacking)).await? {
        if !refusal.is_of_settings() {
            bail!("settings of {topic}: {refusal}");
        }
        aligned.clear();
        for setting in &lacking {
            // Each call replaces all settings, so those that were taken so far go along.
            let so_far: Vec<&Setting> = aligned.iter().copied().chain([*setting]).collect();
            let outcome = if lacking.len() == 1 {
                Err(refusal)
            } else {
                try_alter(admin, topic, &described, &pairs(&so_far)).await?
            };
            match outcome {
                Ok(()) => aligned.push(setting),
                Err(refusal) if refusal.is_of_settings() && !setting.is_indispensable() => {
                    refused.insert(setting.name);
                    report.warnings.push(told(topic, setting, refusal));
                }
                Err(refusal) => bail!("settings of {topic}: {} = {}: {refusal}", setting.name, setting.value),
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
        Err(refusal) => bail!("settings of {topic}: {refusal}"),
    }
}

/// The call replaces all settings of the topic, so those that an operator has set are carried over.
async fn try_alter(
    admin: &Admin,
    topic: &str,
    described: &HashMap<String, ConfigEntry>,
    wanted: &[(&'static str, String)],
) -> anyhow::Result<Result<(), Refusal>> {
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
        Some(Ok(_)) => is_taken(admin, topic, wanted).await,
        Some(Err((_, code))) => Ok(Err(Refusal::Answered(code))),
        None => bail!("settings of {topic}: no answer"),
    }
}

/// Waits until the broker that is asked knows the settings. The client's `Ok` only says that there was an answer, which may be a refusal.
async fn is_taken(
    admin: &Admin,
    topic: &str,
    wanted: &[(&'static str, String)],
) -> anyhow::Result<Result<(), Refusal>> {
    let begun = Instant::now();
    loop {
        let described = admin::describe(admin, ResourceSpecifier::Topic(topic), REQUEST).await?;
        let current = |name: &str| described.get(name).and_then(|entry| entry.value.as_deref());
        if wanted.iter().all(|(name, value)| current(name) == Some(value.as_str())) {
            return Ok(Ok(()));
        }
        if begun.elapsed() > UNTIL_TAKEN {
            return Ok(Err(Refusal::Unchanged));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
