//! The processor's view of the configuration file. Every key is explained, with unit and default, in
//! `deploy/local/courierflow.toml`.

mod clickhouse;
mod topics;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use courierflow_domain::{Context, DeriveOptions, NoIdKey};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::identifier::is_name;
use courierflow_schemas::settings::{
    self, KafkaSettings, RegistrySettings, Secret, SettingsError, require, require_between,
};
use courierflow_service::http_server::Limits;
use courierflow_service::{bearer, kafka_client};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

pub use self::clickhouse::{ClickHouseSettings, Compression, RetentionDays, ViewSettings};
pub use self::topics::{TopicRetention, TopicSettings};
pub use crate::reconcile::settings::ReconcileSettings;
pub use crate::start_offsets::OnDataLoss;
pub use crate::subscribe::ingest_section::IngestSection;
use crate::subscribe::ingest_section::WithIngest;
pub use crate::subscribe::settings::{SubscribeAccountSettings, SubscribeSettings};

/// The sections that the processor reads; those of ingest are passed over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The brokers.
    #[serde(default)]
    pub kafka: KafkaSettings,
    /// The schema registry.
    #[serde(default)]
    pub registry: RegistrySettings,
    /// Partitions and replicas of the topics that `migrate` creates.
    #[serde(default)]
    pub topics: TopicSettings,
    /// The process as a whole.
    #[serde(default)]
    pub processor: ProcessorSettings,
    /// Push events → shipments and transitions.
    #[serde(default)]
    pub derive: DeriveSettings,
    /// The database.
    #[serde(default)]
    pub clickhouse: ClickHouseSettings,
    /// Topics → tables.
    #[serde(default)]
    pub sink: SinkSettings,
    /// The dashboard.
    #[serde(default)]
    pub dashboard: DashboardSettings,
    /// Requests → calls of the vendors.
    #[serde(default)]
    pub subscribe: SubscribeSettings,
    /// Silent parcels → queries of the vendors.
    #[serde(default)]
    pub reconcile: ReconcileSettings,
    /// What the vendors' codes of carriers mean: the mapping of the program and, over it, `processor.carriers_file`.
    #[serde(skip, default = "Carriers::built_in")]
    pub carriers: &'static Carriers,
    #[serde(default, rename = "ingest")]
    _ingest: IgnoredAny,
    /// Of ingest only what the vendors must have been told.
    #[serde(skip)]
    pub ingest: IngestSection,
}

/// `[processor]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessorSettings {
    /// Where `/livez`, `/readyz`, `/metrics` and the dashboard are served.
    pub listen: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are served instead.
    pub admin_listen: Option<SocketAddr>,
    /// Open connections at `listen`; the next one takes the place of one that waits for its peer.
    pub max_connections: usize,
    /// Open connections from one address; 0 for no limit.
    pub max_connections_per_peer: usize,
    /// From the first byte of a request to the end of its head.
    pub head_timeout_ms: u64,
    /// A connection without a request is kept for so long.
    pub idle_timeout_ms: u64,
    /// A peer that takes no byte of its answer for so long is gone.
    pub write_timeout_ms: u64,
    /// Whether too many bad records stop a worker. If false, all of them are dead-lettered; meant for a single run, to get
    /// past records that an operator has looked at.
    pub poison_guard: bool,
    /// What derive, sink and subscribe do when Kafka has deleted records before they were read.
    pub on_data_loss: OnDataLoss,
    /// A CSV file of carriers that is laid over `schemas/carriers.csv`.
    pub carriers_file: Option<PathBuf>,
}

impl Default for ProcessorSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            admin_listen: None,
            max_connections: 1024,
            max_connections_per_peer: 0,
            head_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            write_timeout_ms: 10_000,
            poison_guard: true,
            on_data_loss: OnDataLoss::Stop,
            carriers_file: None,
        }
    }
}

/// `[derive]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeriveSettings {
    /// Workers in this process, each with its own consumer, producer and state.
    pub workers: usize,
    /// Consumer group.
    pub group: String,
    /// Directory of the workers' slots: a lock file per slot gives a restarted worker the identity of its dead
    /// predecessor. It must be local to this host and shared by all processors on it.
    pub slot_dir: PathBuf,
    /// Name of this host in the workers' identities; the host name when missing.
    pub host: Option<String>,
    /// A transaction is committed at this age …
    pub commit_interval_ms: u64,
    /// … or with this many push events …
    pub max_transaction_events: usize,
    /// … or after producing this many bytes.
    pub max_transaction_bytes: usize,
    /// The broker aborts a transaction that is older than this.
    pub transaction_timeout_ms: u64,
    /// A worker that sends no heartbeat for this long loses its partitions.
    pub session_timeout_ms: u64,
    /// A worker that does not poll for this long loses its partitions; restoring it polls.
    pub max_poll_interval_ms: u64,
    /// Bytes that the state of all workers of this process may take; if it has as many, pushes of new parcels wait. 0 for no limit.
    pub max_state_bytes: usize,
    /// A file with the secret key from which ids are made; derive does not start without it.
    pub id_key_file: Option<PathBuf>,
    /// Whether derived records keep the vendors' texts.
    #[serde(deserialize_with = "context")]
    pub context: Context,
}

/// Reads `keep` or `omit`. It is here because `courierflow_domain` does not deal with configuration files.
fn context<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Context, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "keep" => Ok(Context::Keep),
        "omit" => Ok(Context::Omit),
        other => Err(serde::de::Error::unknown_variant(other, &["keep", "omit"])),
    }
}

impl Default for DeriveSettings {
    fn default() -> Self {
        Self {
            workers: 2,
            group: "courierflow-derive".to_owned(),
            slot_dir: ".local/slots".into(),
            host: None,
            commit_interval_ms: 100,
            max_transaction_events: 5_000,
            max_transaction_bytes: 64 * 1024 * 1024,
            transaction_timeout_ms: 15_000,
            session_timeout_ms: 6_000,
            max_poll_interval_ms: 300_000,
            max_state_bytes: 8 * 1024 * 1024 * 1024,
            id_key_file: None,
            context: Context::Keep,
        }
    }
}

impl DeriveSettings {
    /// The options of `courierflow_domain`. Reads the id key; if it is missing, the error says how to make one.
    pub fn options(&self) -> Result<DeriveOptions, SettingsError> {
        const KEY: &str = "derive.id_key_file";
        const HOW: &str =
            "make a key once with `openssl rand -hex 16 > FILE`, keep it secret, and use the same on every host";
        let Some(file) = &self.id_key_file else {
            return Err(SettingsError::key(KEY, format!("is missing; {HOW}")));
        };
        let text = settings::secret_from_file(KEY, file).map_err(|error| error.and(HOW))?;
        let id_key = (text.expose().parse())
            .map_err(|error: NoIdKey| SettingsError::key(KEY, format!("{}: {error}; {HOW}", file.display())))?;
        Ok(DeriveOptions {
            context: self.context,
            id_key,
        })
    }

    /// The broker aborts a transaction that is older than this.
    pub const fn transaction_timeout(&self) -> Duration {
        Duration::from_millis(self.transaction_timeout_ms)
    }

    /// Age at which an open transaction is committed.
    pub const fn commit_interval(&self) -> Duration {
        Duration::from_millis(self.commit_interval_ms)
    }
}

/// `[sink]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SinkSettings {
    /// Consumer group; one per table, with the table's name appended.
    pub group: String,
    /// A batch is inserted with this many rows …
    pub max_batch_rows: usize,
    /// … or this many bytes of Kafka records. For each of the three tables the sink holds at most three batches, one
    /// being filled and two being inserted, and 16 MiB of prefetched records.
    pub max_batch_bytes: usize,
    /// … or at this age.
    pub max_batch_age_ms: u64,
    /// An insert that takes longer is cancelled and retried.
    pub insert_timeout_ms: u64,
    /// If inserts fail for longer than this, the sink is not ready.
    pub degraded_after_ms: u64,
    /// What was inserted so long before `ClickHouse` was started, or before the moment of a backup that was restored, is read again.
    pub reread_ms: u64,
}

impl Default for SinkSettings {
    fn default() -> Self {
        Self {
            group: "courierflow-sink".to_owned(),
            max_batch_rows: 50_000,
            max_batch_bytes: 32 * 1024 * 1024,
            max_batch_age_ms: 1_000,
            insert_timeout_ms: 30_000,
            degraded_after_ms: 30_000,
            reread_ms: 300_000,
        }
    }
}

/// `[dashboard]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DashboardSettings {
    /// The `ClickHouse` user of the dashboard, with read access only. It differs from the sink's user, so that the
    /// server refuses everything but a `SELECT`, whatever a request manages to ask.
    pub clickhouse_user: String,
    /// Password of the user; empty when missing.
    pub clickhouse_password: Option<Secret>,
    /// A file with the password.
    pub clickhouse_password_file: Option<PathBuf>,
    /// Who may correct parcels by hand through the API; nobody if there is none.
    pub annotators: Vec<AnnotatorSettings>,
    /// Names under which it may be asked, beside addresses and `localhost`; a dot at the beginning stands for everything before it.
    pub allowed_hosts: Vec<String>,
    /// A query that takes longer is cancelled.
    pub query_timeout_ms: u64,
    /// Queries at the same time; further ones wait for at most the time that a query may take.
    pub max_queries: usize,
    /// Longest range of dates, in days.
    pub max_days: u16,
    /// Largest answer, in bytes of JSON.
    pub max_answer_bytes: usize,
    /// Bytes of all answers that are not yet sent; further ones are answered 503.
    pub max_answer_memory_bytes: usize,
}

/// `[[dashboard.annotators]]`: somebody who may correct parcels by hand through the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotatorSettings {
    /// Who it is: `annotated_by` of what is said with its tokens.
    #[serde(deserialize_with = "settings::text")]
    pub name: String,
    /// A file with the token, at least 32 characters. Several lines are several tokens, all of them valid.
    pub token_file: PathBuf,
    /// What `token_file` holds.
    #[serde(skip)]
    pub tokens: Vec<Secret>,
}

impl Default for DashboardSettings {
    fn default() -> Self {
        Self {
            clickhouse_user: "dashboard".to_owned(),
            clickhouse_password: None,
            clickhouse_password_file: None,
            annotators: Vec::new(),
            allowed_hosts: Vec::new(),
            query_timeout_ms: 10_000,
            max_queries: 8,
            max_days: 400,
            max_answer_bytes: 16 * 1024 * 1024,
            max_answer_memory_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Config {
    /// Reads the file, the environment and the secret files; fails if a value cannot work.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let mut config: Self = settings::load(path)?;
        if config.subscribe.is_on() {
            config.ingest = settings::load::<WithIngest>(path)?.ingest;
        }
        config.kafka.complete()?;
        config.registry.complete()?;
        config.clickhouse.complete()?;
        if let Some(file) = &config.dashboard.clickhouse_password_file {
            let password = settings::secret_from_file("dashboard.clickhouse_password_file", file)?;
            config.dashboard.clickhouse_password = Some(password);
        }
        for (index, annotator) in config.dashboard.annotators.iter_mut().enumerate() {
            let key = format!("dashboard.annotators[{index}].token_file");
            annotator.tokens = settings::secrets_from_file(&key, &annotator.token_file)?;
        }
        if let Some(file) = &config.processor.carriers_file {
            config.carriers = settings::carriers_from_file("processor.carriers_file", file)?;
        }
        kafka_client::check(&config.kafka)?;
        config.validate()?;
        config.prefix_groups();
        Ok(config)
    }

    /// Transactional ids are made of the groups' names.
    fn prefix_groups(&mut self) {
        for group in [
            &mut self.derive.group,
            &mut self.sink.group,
            &mut self.subscribe.group,
            &mut self.reconcile.group,
        ] {
            group.insert_str(0, &self.topics.prefix);
        }
    }

    fn validate(&self) -> Result<(), SettingsError> {
        self.topics.validate()?;
        self.processor.validate()?;
        self.derive.validate()?;
        self.clickhouse.validate()?;
        self.sink.validate()?;
        self.dashboard.validate()?;
        self.subscribe.validate(self.carriers)?;
        self.reconcile.validate()
    }
}

impl ProcessorSettings {
    fn validate(&self) -> Result<(), SettingsError> {
        require_at_least_one("processor.max_connections", self.max_connections as u64)?;
        require_at_least_one("processor.head_timeout_ms", self.head_timeout_ms)?;
        require_at_least_one("processor.idle_timeout_ms", self.idle_timeout_ms)?;
        require_at_least_one("processor.write_timeout_ms", self.write_timeout_ms)
    }

    /// The limits of connections at `listen`. Answers are not waited for at the end: a page asks again.
    pub const fn connection_limits(&self) -> Limits {
        Limits {
            connections: self.max_connections,
            connections_per_peer: self.max_connections_per_peer,
            head: Duration::from_millis(self.head_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
            write: Duration::from_millis(self.write_timeout_ms),
            drain: Duration::ZERO,
        }
    }
}

impl DeriveSettings {
    fn validate(&self) -> Result<(), SettingsError> {
        require_between("derive.workers", self.workers, 1..=256)?;
        require(!self.group.is_empty(), "derive.group", "is empty")?;
        require_at_least_one("derive.commit_interval_ms", self.commit_interval_ms)?;
        require_at_least_one("derive.max_transaction_events", self.max_transaction_events as u64)?;
        require_at_least_one("derive.max_transaction_bytes", self.max_transaction_bytes as u64)?;
        require(
            self.transaction_timeout_ms >= self.commit_interval_ms.saturating_mul(10)
                && self.transaction_timeout_ms >= 1_000,
            "derive.transaction_timeout_ms",
            format!(
                "{} is less than 1000 or less than ten times derive.commit_interval_ms ({}): transactions would time out",
                self.transaction_timeout_ms, self.commit_interval_ms
            ),
        )?;
        require(
            self.session_timeout_ms >= 6_000,
            "derive.session_timeout_ms",
            format!(
                "{} is less than 6000, the broker's default minimum",
                self.session_timeout_ms
            ),
        )?;
        require(
            self.max_poll_interval_ms > self.session_timeout_ms,
            "derive.max_poll_interval_ms",
            format!(
                "{} is not more than derive.session_timeout_ms ({})",
                self.max_poll_interval_ms, self.session_timeout_ms
            ),
        )
    }
}

impl SinkSettings {
    /// The consumer group that reads the topic of a table.
    pub fn group_of(&self, table: &str) -> String {
        format!("{}-{table}", self.group)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        require(!self.group.is_empty(), "sink.group", "is empty")?;
        require_at_least_one("sink.max_batch_rows", self.max_batch_rows as u64)?;
        require_at_least_one("sink.max_batch_bytes", self.max_batch_bytes as u64)?;
        require_at_least_one("sink.max_batch_age_ms", self.max_batch_age_ms)?;
        require_between("sink.insert_timeout_ms", self.insert_timeout_ms, 1_000..=240_000)?;
        require_between("sink.reread_ms", self.reread_ms, 0..=86_400_000)
    }
}

impl DashboardSettings {
    /// Those who may correct parcels by hand, and their tokens; checked.
    pub fn annotators(&self) -> Result<Vec<(String, bearer::Tokens)>, SettingsError> {
        let mut known: Vec<(String, bearer::Tokens)> = Vec::new();
        for (index, AnnotatorSettings { name, tokens, .. }) in self.annotators.iter().enumerate() {
            let key = |member: &str| format!("dashboard.annotators[{index}].{member}");
            require(is_name(name), &key("name"), "must be 1 to 64 of A-Z a-z 0-9 . _ -")?;
            let is_there = known.iter().any(|(other, _)| other == name);
            require(!is_there, &key("name"), format!("there are two of the name {name:?}"))?;
            require(bearer::are_tokens(tokens), &key("token_file"), bearer::NO_TOKENS)?;
            let tokens = bearer::Tokens::new(tokens);
            let is_shared = known.iter().any(|(_, others)| others.share_one(&tokens));
            require(!is_shared, &key("token_file"), "holds a token that is there already")?;
            known.push((name.clone(), tokens));
        }
        Ok(known)
    }

    fn validate(&self) -> Result<(), SettingsError> {
        require(
            !self.clickhouse_user.trim().is_empty(),
            "dashboard.clickhouse_user",
            "is empty",
        )?;
        self.annotators()?;
        for name in &self.allowed_hosts {
            require(
                is_host_name(name),
                "dashboard.allowed_hosts",
                format!("{name:?} is not a host name (without scheme, port and path)"),
            )?;
        }
        require_between("dashboard.query_timeout_ms", self.query_timeout_ms, 1_000..=60_000)?;
        require_between("dashboard.max_queries", self.max_queries, 1..=256)?;
        require_between("dashboard.max_days", self.max_days, 1..=3_660)?;
        // The server gives no result of more than 32 MiB (`dashboard::database`).
        require_between("dashboard.max_answer_bytes", self.max_answer_bytes, 65_536..=33_554_432)?;
        require_between(
            "dashboard.max_answer_memory_bytes",
            self.max_answer_memory_bytes,
            self.max_answer_bytes..=1_073_741_824,
        )
    }
}

fn require_at_least_one(key: &str, value: u64) -> Result<(), SettingsError> {
    require(value >= 1, key, format!("{value} is less than 1"))
}

/// A name of letters, digits, hyphens and dots; a dot at the beginning is allowed.
fn is_host_name(name: &str) -> bool {
    let labels = name.strip_prefix('.').unwrap_or(name).split('.');
    labels.into_iter().all(|label| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    })
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::Vendor;

    use super::*;

    /// A configuration whose file of carriers has this text.
    fn load(carriers: &[u8]) -> Result<Config, SettingsError> {
        let directory = tempfile::tempdir().unwrap();
        let (carriers_file, config_file) = (directory.path().join("carriers.csv"), directory.path().join("c.toml"));
        std::fs::write(&carriers_file, carriers).unwrap();
        let config = format!("[processor]\ncarriers_file = '{}'\n", carriers_file.display());
        std::fs::write(&config_file, config).unwrap();
        Config::load(&config_file)
    }

    #[test]
    fn a_missing_file_of_the_id_key_is_one_line_that_names_key_and_file_once_and_says_what_to_do() {
        let settings = DeriveSettings {
            id_key_file: Some("/nowhere/id.key".into()),
            ..DeriveSettings::default()
        };
        let error = settings.options().unwrap_err().to_string();
        assert_eq!(
            error,
            "configuration key derive.id_key_file: /nowhere/id.key: No such file or directory (os error 2); make a key once with \
             `openssl rand -hex 16 > FILE`, keep it secret, and use the same on every host"
        );
    }

    #[test]
    fn the_file_of_carriers_is_laid_over_the_mapping() {
        let config =
            load("vendor,code,carrier,name,name_en\nkdniao,FWX,fengwang,丰网速运,Fengwang\n".as_bytes()).unwrap();
        assert_eq!(config.carriers.canonical(Vendor::Kdniao, "FWX"), "fengwang");
        assert_eq!(config.carriers.canonical(Vendor::Kdniao, "YTO"), "yto");
    }

    #[test]
    fn a_mistake_in_the_file_of_carriers_is_one_of_the_configuration() {
        let error = load(b"vendor,code,carrier,name,name_en\nkdniao,FWX,Feng Wang,x,x\n").unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("configuration key processor.carriers_file: ")
                && error.contains("carriers.csv: line 2, column carrier: \"Feng Wang\" is no canonical code"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.toml");
        std::fs::write(&file, "[processor]\ncarriers_file = '/nowhere/carriers.csv'\n").unwrap();
        let error = Config::load(&file).unwrap_err().to_string();
        assert!(
            error.contains("processor.carriers_file: /nowhere/carriers.csv: No such file"),
            "{error}"
        );
    }
}
