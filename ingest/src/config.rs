//! The configuration of ingest: the sections `[ingest]`, `[kafka]` and `[registry]` of the file that both services share, and what it
//! needs to know of `[topics]`, and of `[subscribe]` and `[processor]` to check requests for subscriptions.
//! Durations are in milliseconds, sizes in bytes unless the key says otherwise.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::identifier::is_name;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::{
    self, KafkaSettings, RegistrySettings, SettingsError, require, secrets_from_file, text,
};
use courierflow_schemas::topics;
use courierflow_service::http_server::Limits;
use courierflow_vendors::account::{Account, AccountKeys, KeyValue, Unsigned};
use courierflow_vendors::protocol;
use courierflow_vendors::reference::References;
use courierflow_vendors::request::account::SubscribeAccounts;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::accounts::Accounts;
use crate::push_limit::PushLimit;
use crate::subscriptions::settings::SubscriptionsSettings;

/// The configuration file. Sections of the other service are ignored, unknown ones are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The service itself.
    pub ingest: IngestSettings,
    /// The brokers.
    #[serde(default)]
    pub kafka: KafkaSettings,
    /// The schema registry.
    #[serde(default)]
    pub registry: RegistrySettings,
    /// Of the processor, which makes the topics: how they are called.
    #[serde(default)]
    pub topics: TopicNames,
    /// Of the processor, which asks the vendors: the accounts that may be asked.
    #[serde(default)]
    pub subscribe: SubscribeAccounts,
    /// Of the processor.
    #[serde(default, rename = "processor")]
    mapping: MappingSettings,
    /// What the vendors' codes of carriers mean. Only requests for subscriptions are checked by it.
    #[serde(skip, default = "Carriers::built_in")]
    pub carriers: &'static Carriers,
    /// Of the processor.
    #[serde(default, rename = "derive")]
    _derive: IgnoredAny,
    /// Of the processor.
    #[serde(default, rename = "reconcile")]
    _reconcile: IgnoredAny,
    /// Of the processor.
    #[serde(default, rename = "sink")]
    _sink: IgnoredAny,
    #[serde(default, rename = "dashboard")]
    _dashboard: IgnoredAny,
    /// Of the processor.
    #[serde(default, rename = "clickhouse")]
    _clickhouse: IgnoredAny,
}

/// `[topics]`, of which only the names are read here.
#[derive(Debug, Default, Deserialize)]
pub struct TopicNames {
    /// Before the names of all topics and subjects; the same for the processor.
    #[serde(default, deserialize_with = "text")]
    pub prefix: String,
}

/// `[processor]`, of which only the mapping of carriers is read here.
#[derive(Debug, Default, Deserialize)]
struct MappingSettings {
    #[serde(default)]
    carriers_file: Option<PathBuf>,
}

/// `[ingest]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestSettings {
    /// Address and port of all HTTP: pushes, health, metrics. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Address and port of health and metrics, which are then no longer at `listen`. Default none.
    pub admin_listen: Option<SocketAddr>,
    /// Open connections at `listen`; the next one takes the place of one that waits for its peer. Default 4096; each needs a
    /// file descriptor.
    pub max_connections: usize,
    /// Open connections from one address. Default 0: no limit, because a reverse proxy is one address.
    pub max_connections_per_peer: usize,
    /// Pushes between the end of their body and their answer; further ones are answered 503. Default 1024. With
    /// `ack_timeout_ms` it bounds the throughput on a slow broker: 1024 in flight at 80 ms each are 12,800 a second.
    pub max_in_flight_requests: usize,
    /// Bytes of all bodies, arriving and in flight; when they are used up, bodies that have been arriving for long are answered
    /// 503, and if there are none, the next one. Default 64 MiB, at least `max_body_bytes`. The memory needed is about three
    /// times as much (body, decoded text, record), beside `queue_kbytes`.
    pub max_in_flight_bytes: usize,
    /// Largest body; larger ones are answered 413. Default 2 MiB, at most 4 MiB: its record must fit into the topic's
    /// limit of 8 MiB.
    pub max_body_bytes: usize,
    /// Time for a body to arrive; afterwards the answer is 408. Default 10,000.
    pub body_timeout_ms: u64,
    /// Time from the first byte of a request to the end of its head. Default 10,000.
    pub head_timeout_ms: u64,
    /// Time for which a connection without a request is kept. Default 75,000.
    pub idle_timeout_ms: u64,
    /// Time for which a peer may take no byte of its answer. Default 10,000.
    pub write_timeout_ms: u64,
    /// Time for all acknowledgements of a push; afterwards the answer is 503. Default 8,000, from 100 to 60,000.
    pub ack_timeout_ms: u64,
    /// How long the producer waits for further records to send together. Default 1, less than `ack_timeout_ms`.
    pub linger_ms: u64,
    /// Size of the producer's queue, in KiB; a push that finds it full is answered 503. Default 65,536; at least twice
    /// `max_body_bytes`.
    pub queue_kbytes: u64,
    /// Records in the producer's queue. Default 100,000, at least 100.
    pub queue_messages: u64,
    /// At shutdown, time between becoming not ready and no longer accepting connections, so that load balancers notice.
    /// Default 0.
    pub shutdown_delay_ms: u64,
    /// At shutdown, time for the pushes in flight to end, and the same time again for the producer's queue. Default
    /// 15,000, at least `ack_timeout_ms`.
    pub drain_timeout_ms: u64,
    /// The vendor contracts; at least one.
    pub accounts: Vec<AccountSettings>,
    /// Who may ask for subscriptions, and where. Default nobody.
    pub subscriptions: SubscriptionsSettings,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            max_connections: 4096,
            max_connections_per_peer: 0,
            max_in_flight_requests: 1024,
            max_in_flight_bytes: 64 * 1024 * 1024,
            max_body_bytes: 2 * 1024 * 1024,
            body_timeout_ms: 10_000,
            head_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            write_timeout_ms: 10_000,
            ack_timeout_ms: 8_000,
            linger_ms: 1,
            queue_kbytes: 65_536,
            queue_messages: 100_000,
            shutdown_delay_ms: 0,
            drain_timeout_ms: 15_000,
            accounts: Vec::new(),
            subscriptions: SubscriptionsSettings::default(),
        }
    }
}

/// `[[ingest.accounts]]`: one vendor contract.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountSettings {
    /// Last path segment of the callback URL: 1 to 64 of `A-Z a-z 0-9 . _ -`; unique per vendor.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// The vendor that sends the pushes.
    pub vendor: Vendor,
    /// Pushes a minute that the account may send; further ones are answered 429. Default none: no limit. At least 1. Pushes
    /// without a signature are counted apart, up to the same limit.
    #[serde(default)]
    pub max_pushes_per_minute: Option<u32>,
    /// `reject` or `accept` pushes without a signature. Default `reject`, which needs a secret.
    #[serde(default = "reject")]
    pub unsigned: Unsigned,
    /// Where a push names the subscriber's order: `query:` and the name of a parameter of the callback URL, or a member of the payload:
    /// `OrderCode` or `CallBack` of Kdniao, `tag` of 17TRACK. What is found there and is 1 to 64 of `A-Z a-z 0-9 . _ -`, but not a mobile
    /// number of China, becomes the `reference` of the push and of its parcel. Default none: nothing is looked for.
    #[serde(default)]
    pub reference: Option<String>,
    /// Regular expression that finds the reference in that text: what its first group matches, or all of it. With it, mobile numbers are
    /// not left out. Default none: the whole text, trimmed.
    #[serde(default)]
    pub reference_pattern: Option<String>,
    /// Keys that depend on the vendor: secrets, and fields of its answers. A key `…_file` names a file with further values of
    /// the key `…s`, one per line, which is read at start.
    #[serde(flatten)]
    pub keys: BTreeMap<String, KeyValue>,
}

fn reject() -> Unsigned {
    Unsigned::Reject
}

/// Largest `max_body_bytes`.
const MAX_BODY_LIMIT: usize = 4 * 1024 * 1024;

impl Config {
    /// Reads the file, the environment and the secret files they name, and checks every value.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let mut config: Self = settings::load(path)?;
        config.kafka.complete()?;
        config.registry.complete()?;
        config.ingest.read_files()?;
        config.ingest.validate()?;
        topics::check_prefix(&config.topics.prefix)?;
        config.check_subscriptions()?;
        Ok(config)
    }
}

impl Config {
    /// Only if anybody can ask: the files that it needs may be on other hosts.
    fn check_subscriptions(&mut self) -> Result<(), SettingsError> {
        if self.ingest.subscriptions.listen.is_none() {
            return Ok(());
        }
        if let Some(file) = &self.mapping.carriers_file {
            self.carriers = settings::carriers_from_file("processor.carriers_file", file)?;
        }
        self.subscribe.validate(self.carriers)?;
        self.ingest.subscriptions.tokens(&self.subscribe).map(drop)
    }
}

impl IngestSettings {
    fn read_files(&mut self) -> Result<(), SettingsError> {
        self.subscriptions.read_files()?;
        for (index, account) in self.accounts.iter_mut().enumerate() {
            let files: Vec<String> = account
                .keys
                .keys()
                .filter(|name| name.ends_with("_file"))
                .cloned()
                .collect();
            for name in files {
                account.read_file(&name, &key(index, &name))?;
            }
        }
        Ok(())
    }

    /// Checks the relations between values; the error names the key.
    pub fn validate(&self) -> Result<(), SettingsError> {
        require(
            self.max_connections >= 1,
            "ingest.max_connections",
            "must be at least 1",
        )?;
        require(
            self.max_in_flight_requests >= 1,
            "ingest.max_in_flight_requests",
            "must be at least 1",
        )?;
        require(
            (1..=MAX_BODY_LIMIT).contains(&self.max_body_bytes),
            "ingest.max_body_bytes",
            "must be from 1 to 4194304 (4 MiB)",
        )?;
        require(
            self.max_in_flight_bytes >= self.max_body_bytes,
            "ingest.max_in_flight_bytes",
            "must be at least max_body_bytes",
        )?;
        require(
            self.body_timeout_ms >= 1,
            "ingest.body_timeout_ms",
            "must be at least 1",
        )?;
        for (key, milliseconds) in [
            ("ingest.head_timeout_ms", self.head_timeout_ms),
            ("ingest.idle_timeout_ms", self.idle_timeout_ms),
            ("ingest.write_timeout_ms", self.write_timeout_ms),
        ] {
            require(milliseconds >= 1, key, "must be at least 1")?;
        }
        require(
            (100..=60_000).contains(&self.ack_timeout_ms),
            "ingest.ack_timeout_ms",
            "must be from 100 to 60000",
        )?;
        require(
            self.linger_ms < self.ack_timeout_ms,
            "ingest.linger_ms",
            "must be less than ack_timeout_ms",
        )?;
        require(
            self.queue_kbytes.saturating_mul(1024) >= 2 * self.max_body_bytes as u64,
            "ingest.queue_kbytes",
            "must be at least twice max_body_bytes",
        )?;
        require(
            self.queue_kbytes <= 2_097_151,
            "ingest.queue_kbytes",
            "must be at most 2097151",
        )?;
        require(
            (100..=10_000_000).contains(&self.queue_messages),
            "ingest.queue_messages",
            "must be from 100 to 10000000",
        )?;
        require(
            self.drain_timeout_ms >= self.ack_timeout_ms,
            "ingest.drain_timeout_ms",
            "must be at least ack_timeout_ms",
        )?;
        require(
            !self.accounts.is_empty(),
            "ingest.accounts",
            "must name at least one account",
        )?;
        self.accounts().map(drop)
    }

    /// The limits of connections that vendors open.
    pub fn connection_limits(&self) -> Limits {
        Limits {
            connections: self.max_connections,
            connections_per_peer: self.max_connections_per_peer,
            head: Duration::from_millis(self.head_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
            write: Duration::from_millis(self.write_timeout_ms),
            drain: Duration::from_millis(self.drain_timeout_ms),
        }
    }

    /// The accounts, checked.
    pub fn accounts(&self) -> Result<Accounts, SettingsError> {
        let mut accounts = Accounts::default();
        for (index, settings) in self.accounts.iter().enumerate() {
            let account = settings.account(index)?;
            if !accounts.insert(account, settings.limit(index)?, settings.references(index)?) {
                let reason = format!("there are two accounts {:?} of {}", settings.name, settings.vendor);
                return Err(SettingsError::key(key(index, "name"), reason));
            }
        }
        Ok(accounts)
    }
}

impl AccountSettings {
    /// Reads the file named by the key `name` and adds its lines to the values of `key`.
    fn read_file(&mut self, name: &str, key: &str) -> Result<(), SettingsError> {
        let (Some(values), Some(KeyValue::One(path))) = (AccountKeys::of_file(name), self.keys.remove(name)) else {
            return Err(SettingsError::key(key, "must be a path"));
        };
        let lines = secrets_from_file(key, Path::new(path.expose()))?;
        match self.keys.entry(values).or_insert_with(|| KeyValue::Many(Vec::new())) {
            KeyValue::Many(known) => known.extend(lines),
            KeyValue::One(_) => {
                return Err(SettingsError::key(
                    key,
                    "stands for a list, but there is a single value",
                ));
            }
        }
        Ok(())
    }

    fn limit(&self, index: usize) -> Result<Option<PushLimit>, SettingsError> {
        let pushes = self.max_pushes_per_minute.map(|pushes| {
            NonZeroU32::new(pushes).ok_or_else(|| {
                let reason = "must be at least 1; without it there is no limit";
                SettingsError::key(key(index, "max_pushes_per_minute"), reason)
            })
        });
        Ok(pushes.transpose()?.map(PushLimit::per_minute))
    }

    fn references(&self, index: usize) -> Result<Option<References>, SettingsError> {
        let pattern = self.reference_pattern.as_deref();
        let Some(place) = &self.reference else {
            let reason = "needs the key reference, which says where to look";
            return match pattern {
                Some(_) => Err(SettingsError::key(key(index, "reference_pattern"), reason)),
                None => Ok(None),
            };
        };
        References::new(self.vendor, place, pattern)
            .map(Some)
            .map_err(|error| SettingsError::key(key(index, &error.key), error.reason))
    }

    fn account(&self, index: usize) -> Result<Account, SettingsError> {
        let wrong = |name: &str, reason: &str| Err(SettingsError::key(key(index, name), reason));
        if !is_name(&self.name) || self.name.starts_with('.') {
            return wrong("name", "must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot");
        }
        let common = Account {
            name: self.name.clone(),
            vendor: self.vendor,
            contract_id: String::new(),
            secrets: Vec::new(),
            unsigned: self.unsigned,
            unsigned_end: false,
        };
        let mut keys = AccountKeys::new(self.keys.clone());
        let account = protocol(self.vendor).account(common, &mut keys);
        // An unknown key is reported first, because it may be the misspelling of the missing one.
        keys.finish()
            .and(account)
            .map_err(|error| SettingsError::key(key(index, &error.key), error.reason))
    }
}

fn key(index: usize, name: &str) -> String {
    format!("ingest.accounts[{index}].{name}")
}
