//! The configuration file: how it is read, and the sections that both services use.
//!
//! One TOML file serves both; each key can be overridden by `COURIERFLOW__SECTION__KEY`. Each service declares its
//! sections in its own `Config` type. It ignores the sections of the other service, but refuses unknown keys.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::{Actual, Kind};
use figment::providers::{Env, Format, Toml};
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};

use crate::carriers::Carriers;
use crate::tls::ClientTls;

const ENV_PREFIX: &str = "COURIERFLOW__";

/// The variable that names the file, for those who do not give `--config`.
pub const FILE_VARIABLE: &str = "COURIERFLOW_CONFIG";

/// The file of a checkout, relative to its root.
const LOCAL_FILE: &str = "deploy/local/courierflow.toml";

/// The file of an installation.
const INSTALLED_FILE: &str = "/etc/courierflow/courierflow.toml";

/// The file that is read when none is named: that of the local stack in a checkout of courierflow, that of the installation elsewhere.
pub fn default_file() -> PathBuf {
    let local = Path::new(LOCAL_FILE);
    if local.exists() {
        local
    } else {
        Path::new(INSTALLED_FILE)
    }
    .to_owned()
}

/// Why a configuration cannot be used: one line that names the key and the origin of its value.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file does not exist or cannot be read.
    #[error("configuration file {path}: {reason}")]
    File {
        /// The path.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
    /// A value of the wrong type, an unknown key, a missing key.
    #[error("configuration: {0}")]
    Invalid(String),
    /// A value that breaks a rule.
    #[error("configuration key {key}: {reason}")]
    Key {
        /// Path of the key, as in the file.
        key: String,
        /// The rule.
        reason: String,
    },
}

impl SettingsError {
    /// An error for a value that breaks a rule; for the `validate` of a service's configuration.
    pub fn key(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Key {
            key: key.into(),
            reason: reason.into(),
        }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn and(self, advice: &str) -> Self {
        match self {
            Self::Key { key, reason } => Self::key(key, format!("{reason}; {advice}")),
            error => error,
        }
    }

    /// An error for a property that librdkafka refuses. Librdkafka's own message is not used, because it repeats the
    /// value, which may be a password.
    pub fn kafka_property(name: &str, is_known: bool) -> Self {
        let reason = if is_known {
            "librdkafka does not take the value"
        } else {
            "librdkafka has no such property"
        };
        Self::key(format!("kafka.properties.{name}"), reason)
    }
}

/// Reads `path`; variables `COURIERFLOW__SECTION__KEY` override its values.
pub fn load<C: DeserializeOwned>(path: &Path) -> Result<C, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|error| SettingsError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    parse(&text, &path.display().to_string())
}

fn parse<C: DeserializeOwned>(text: &str, source: &str) -> Result<C, SettingsError> {
    Figment::new()
        .merge(Toml::string(text))
        .merge(Env::prefixed(ENV_PREFIX).split("__"))
        .extract()
        .map_err(|error| SettingsError::Invalid(one_line(&error, source)))
}

fn one_line(error: &figment::Error, source: &str) -> String {
    // Figment's message repeats the profile and calls the file a string; a user needs key, reason and origin.
    let first = error.clone().into_iter().next().unwrap_or_else(|| error.clone());
    let origin = match &first.metadata {
        Some(metadata) if metadata.name.contains("environment") => "environment",
        _ => source,
    };
    let key = key_of(&first.path);
    let reason = reason(&first.kind);
    if key.is_empty() {
        format!("{reason} (in {origin})")
    } else {
        format!("key {key}: {reason} (in {origin})")
    }
}

/// A path in the notation of our errors: `ingest.accounts[0].name`.
fn key_of(path: &[String]) -> String {
    let mut key = String::new();
    for segment in path {
        if segment.parse::<usize>().is_ok() {
            key.push('[');
            key.push_str(segment);
            key.push(']');
        } else {
            if !key.is_empty() {
                key.push('.');
            }
            key.push_str(segment);
        }
    }
    key
}

/// The reason, without the value, which may be a secret in the wrong place.
fn reason(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("found {}, expected {expected}", type_of(found))
        }
        Kind::Unsupported(found) | Kind::UnsupportedKey(found, _) => format!("{} is of no use here", type_of(found)),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "the number is out of range".to_owned(),
        // The TOML parser's message shows the position on several lines; its text alone is enough.
        kind => {
            let text = kind.to_string();
            let lines = text.lines().map(str::trim);
            let words = lines.filter(|line| !line.is_empty() && !line.contains('|'));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

fn type_of(value: &Actual) -> &'static str {
    match value {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "an integer (of that size)",
        Actual::Float(_) => "a fraction",
        Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "another type",
    }
}

/// Returns an error for `key` unless the rule holds. Every `validate` of a section is a list of these calls.
pub fn require(holds: bool, key: &str, reason: impl Into<String>) -> Result<(), SettingsError> {
    if holds {
        Ok(())
    } else {
        Err(SettingsError::key(key, reason))
    }
}

/// Returns an error if a number is outside `range`.
pub fn require_between<N: Copy + PartialOrd + fmt::Display>(
    key: &str,
    value: N,
    range: RangeInclusive<N>,
) -> Result<(), SettingsError> {
    let (least, most) = (range.start(), range.end());
    require(
        range.contains(&value),
        key,
        format!("{value} is not between {least} and {most}"),
    )
}

/// Refuses an address that HTTP clients cannot use, and one that contains a password, which clients would print.
pub fn check_http_url(key: &str, url: &str) -> Result<(), SettingsError> {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return Err(SettingsError::key(key, "does not begin with http:// or https://"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(SettingsError::key(
            key,
            "holds a user or a password: they have keys of their own beside it",
        ));
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err(SettingsError::key(key, "names no host"));
    }
    Ok(())
}

/// A secret value, which must not appear in a log, an error or a metric.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}

/// Reads a string that may look like a number or a boolean, because environment variables have no quotes.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Scalar;
    impl Visitor<'_> for Scalar {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_f64<E>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_bool<E>(self, truth: bool) -> Result<String, E> {
            Ok(truth.to_string())
        }
    }
    deserializer.deserialize_any(Scalar)
}

/// Reads a table of such strings.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    struct Text(#[serde(deserialize_with = "text")] String);
    let values = BTreeMap::<String, Text>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(key, Text(value))| (key, value)).collect())
}

/// Reads a secret from a file: one value, surrounding white space trimmed.
pub fn secret_from_file(key: &str, path: &Path) -> Result<Secret, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(value) if value.trim().is_empty() => Err(SettingsError::key(key, format!("{} is empty", path.display()))),
        Ok(value) => Ok(Secret::new(value.trim())),
        Err(error) => Err(SettingsError::key(key, format!("{}: {error}", path.display()))),
    }
}

/// One secret per line; blank lines are skipped, and white space at the ends of a line is trimmed.
pub fn secrets_from_file(key: &str, path: &Path) -> Result<Vec<Secret>, SettingsError> {
    let lines = std::fs::read_to_string(path)
        .map_err(|error| SettingsError::key(key, format!("{}: {error}", path.display())))?;
    let secrets: Vec<Secret> = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(Secret::new)
        .collect();
    if secrets.is_empty() {
        return Err(SettingsError::key(key, format!("{} has no secret", path.display())));
    }
    Ok(secrets)
}

/// Reads a user's file of carriers, which is laid over the built-in mapping. What it says holds as long as the process lives.
pub fn carriers_from_file(key: &str, path: &Path) -> Result<&'static Carriers, SettingsError> {
    let refused = |error: &dyn fmt::Display| SettingsError::key(key, format!("{}: {error}", path.display()));
    let text = std::fs::read(path).map_err(|error| refused(&error))?;
    let carriers = Carriers::with_file(&text).map_err(|error| refused(&error))?;
    Ok(Box::leak(Box::new(carriers)))
}

/// Properties that the services set themselves; each is explained where it is set.
const OURS: [&str; 24] = [
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "max.poll.interval.ms",
    "message.timeout.ms",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "request.timeout.ms",
    "session.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// librdkafka leaves the meaning of this property to those who make tokens.
pub const OAUTHBEARER_CONFIG: &str = "sasl.oauthbearer.config";

/// What it begins with if tokens are those of Amazon MSK; then comes the region.
pub const MSK_IAM_REGION: &str = "aws_msk_iam_region=";

/// `[kafka]`: the brokers, for both services.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// Bootstrap brokers: a comma-separated list of `host:port`.
    #[serde(default = "default_brokers", deserialize_with = "text")]
    pub brokers: String,
    /// Any librdkafka property (`security.protocol`, `sasl.password`, …), which overrides ours. They may be secrets
    /// and are not logged.
    #[serde(default, deserialize_with = "texts")]
    pub properties: BTreeMap<String, String>,
    /// A file of further properties, `name=value` lines; for secrets.
    #[serde(default)]
    pub properties_file: Option<PathBuf>,
    /// The region of Amazon MSK, whose IAM then lets us in by tokens that the services make.
    #[serde(default)]
    pub aws_msk_iam_region: Option<String>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: default_brokers(),
            properties: BTreeMap::new(),
            properties_file: None,
            aws_msk_iam_region: None,
        }
    }
}

impl KafkaSettings {
    /// Reads `properties_file` into `properties`, and fails if they cannot work.
    pub fn complete(&mut self) -> Result<(), SettingsError> {
        if self.brokers.trim().is_empty() {
            return Err(SettingsError::key("kafka.brokers", "is empty"));
        }
        self.read_properties_file()?;
        self.complete_msk_iam()?;
        match OURS.iter().find(|name| self.properties.contains_key(**name)) {
            Some(name) => Err(SettingsError::key(
                format!("kafka.properties.{name}"),
                "is not for configuration to change: what courierflow promises rests on it",
            )),
            None => Ok(()),
        }
    }

    fn read_properties_file(&mut self) -> Result<(), SettingsError> {
        let Some(path) = &self.properties_file else {
            return Ok(());
        };
        let failed =
            |reason: String| SettingsError::key("kafka.properties_file", format!("{}: {reason}", path.display()));
        let lines = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        for (number, line) in lines.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line
                .split_once('=')
                .ok_or_else(|| failed(format!("line {} is no name=value", number + 1)))?;
            self.properties.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        Ok(())
    }

    /// IAM is one mechanism of SASL, over TLS. The region goes on to where clients are made.
    fn complete_msk_iam(&mut self) -> Result<(), SettingsError> {
        let wrong = |reason: String| Err(SettingsError::key("kafka.aws_msk_iam_region", reason));
        let Some(region) = &self.aws_msk_iam_region else {
            return Ok(());
        };
        // It becomes part of an address.
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.is_empty() || !region.bytes().all(is_name) {
            return wrong(format!("{region:?} is no name of a region"));
        }
        let excluded = [
            "sasl.mechanism",
            "sasl.mechanisms",
            OAUTHBEARER_CONFIG,
            "sasl.oauthbearer.method",
        ];
        if let Some(name) = excluded.iter().find(|name| self.properties.contains_key(**name)) {
            return wrong(format!("it sets kafka.properties.{name}, which is set there, too"));
        }
        let config = format!("{MSK_IAM_REGION}{region}");
        let properties = &mut self.properties;
        properties
            .entry("security.protocol".to_owned())
            .or_insert_with(|| "SASL_SSL".to_owned());
        properties.insert("sasl.mechanism".to_owned(), "OAUTHBEARER".to_owned());
        properties.insert(OAUTHBEARER_CONFIG.to_owned(), config);
        Ok(())
    }

    /// The properties that all clients have: the brokers, then the user's properties.
    pub fn client_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = [("bootstrap.servers", self.brokers.as_str())];
        ours.into_iter().chain(
            self.properties
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }
}

/// `[registry]`: the schema registry, for both services.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrySettings {
    /// Address of the Confluent-compatible API.
    #[serde(default = "default_registry_url", deserialize_with = "text")]
    pub url: String,
    /// A bearer token, instead of a user.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A file with that token, read again for each request: tokens expire, and something else renews the file.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Further headers of every request.
    #[serde(default, deserialize_with = "texts")]
    pub headers: BTreeMap<String, String>,
    /// User of HTTP basic authentication; none when missing.
    #[serde(default)]
    pub user: Option<String>,
    /// Password of that user.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A file with that password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// A file with the certificates by which the registry's is judged, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate that the registry asks for.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// A file with its key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// What is in the three files.
    #[serde(skip)]
    pub tls: Option<ClientTls>,
    /// File that keeps the registry's answers for a start without it.
    #[serde(default = "default_id_cache")]
    pub id_cache: PathBuf,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            url: default_registry_url(),
            token: None,
            token_file: None,
            headers: BTreeMap::new(),
            user: None,
            password: None,
            password_file: None,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            tls: None,
            id_cache: default_id_cache(),
        }
    }
}

impl RegistrySettings {
    /// Reads the files, and fails if the settings cannot work.
    pub fn complete(&mut self) -> Result<(), SettingsError> {
        check_http_url("registry.url", &self.url)?;
        self.check_authentication()?;
        if let Some(path) = &self.password_file {
            self.password = Some(secret_from_file("registry.password_file", path)?);
        }
        let (ca, certificate, key) = (&self.ca_file, &self.certificate_file, &self.key_file);
        self.tls = ClientTls::read(
            "registry",
            &self.url,
            ca.as_deref(),
            certificate.as_deref(),
            key.as_deref(),
        )?;
        Ok(())
    }

    fn check_authentication(&self) -> Result<(), SettingsError> {
        let has_token = self.token.is_some() || self.token_file.is_some();
        require(
            self.user.is_none() || !has_token,
            "registry.user",
            "is there beside a token, of which only one can be sent",
        )?;
        require(
            self.token.is_none() || self.token_file.is_none(),
            "registry.token",
            "is there beside registry.token_file",
        )?;
        if let Some(path) = &self.token_file {
            secret_from_file("registry.token_file", path)?;
        }
        let is_token =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        for (name, value) in &self.headers {
            let is_sendable = is_token(name) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            require(is_sendable, &format!("registry.headers.{name}"), "is no HTTP header")?;
        }
        Ok(())
    }

    /// The header by which a request says who asks; none if the registry does not ask.
    pub(crate) fn authorization(&self) -> Result<Option<String>, SettingsError> {
        use base64::Engine;
        if let Some(path) = &self.token_file {
            let token = secret_from_file("registry.token_file", path)?;
            return Ok(Some(format!("Bearer {}", token.expose())));
        }
        if let Some(token) = &self.token {
            return Ok(Some(format!("Bearer {}", token.expose())));
        }
        Ok(self.user.as_deref().map(|user| {
            let password = self.password.as_ref().map_or("", Secret::expose);
            let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            format!("Basic {credentials}")
        }))
    }
}

fn default_brokers() -> String {
    "127.0.0.1:9092".to_owned()
}

fn default_registry_url() -> String {
    "http://127.0.0.1:8082/apis/ccompat/v7".to_owned()
}

fn default_id_cache() -> PathBuf {
    ".local/schema-ids.json".into()
}
