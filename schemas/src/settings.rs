//! The configuration file: how it is read, and the sections that both services use.
//!
//! One TOML file serves both; each key can be overridden by `COURIERFLOW__SECTION__KEY`. A service names its own sections
//! in its own `Config` type and ignores those of the other, but refuses keys that nobody knows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

const ENV_PREFIX: &str = "COURIERFLOW__";

/// A configuration that cannot be used; one line that names the key and where its value came from.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is not there or cannot be read.
    #[error("configuration file {path}: {reason}")]
    File {
        /// The file asked for.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A value of the wrong type, an unknown key, a missing key.
    #[error("configuration: {0}")]
    Invalid(String),
    /// A value that breaks a relation it must satisfy.
    #[error("configuration key {key}: {reason}")]
    Key {
        /// Path of the key, as in the file.
        key: String,
        /// The relation.
        reason: String,
    },
}

impl SettingsError {
    /// A value that breaks a relation; for the `validate` of a service's configuration.
    pub fn key(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Key {
            key: key.into(),
            reason: reason.into(),
        }
    }
}

/// Reads `path` and lays `COURIERFLOW__SECTION__KEY` over it.
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
    // Figment's own text repeats the profile and calls the file a string; key, reason and origin are what a user needs.
    let first = error.clone().into_iter().next().unwrap_or_else(|| error.clone());
    let origin = match &first.metadata {
        Some(metadata) if metadata.name.contains("environment") => "environment",
        _ => source,
    };
    let key = first.path.join(".");
    // The TOML parser draws the place over several lines; its words are enough.
    let kind = first.kind.to_string();
    let words = kind
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains('|'))
        .collect::<Vec<_>>();
    let reason = words.join(" ");
    if key.is_empty() {
        format!("{reason} (in {origin})")
    } else {
        format!("key {key}: {reason} (in {origin})")
    }
}

/// A value that must not be seen: not in a log, not in an error, not in a metric.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that needs it.
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

/// A text that may look like a number or a truth value: an environment variable has no quotes to say otherwise.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Text(String),
        Integer(i64),
        Float(f64),
        Bool(bool),
    }
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Text(text) => text,
        Scalar::Integer(number) => number.to_string(),
        Scalar::Float(number) => number.to_string(),
        Scalar::Bool(truth) => truth.to_string(),
    })
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
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

/// `[kafka]`: the brokers, for both services.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// Comma-separated `host:port` list to begin with.
    #[serde(default = "default_brokers", deserialize_with = "text")]
    pub brokers: String,
    /// Any librdkafka property (`security.protocol`, `sasl.password`, …), laid over ours. Secrets: not logged.
    #[serde(default, deserialize_with = "texts")]
    pub properties: BTreeMap<String, String>,
    /// A file of further properties, `name=value` lines; for secrets.
    #[serde(default)]
    pub properties_file: Option<PathBuf>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: default_brokers(),
            properties: BTreeMap::new(),
            properties_file: None,
        }
    }
}

impl KafkaSettings {
    /// Reads `properties_file` into `properties`.
    pub fn read_files(&mut self) -> Result<(), SettingsError> {
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

    /// The properties every client starts from: the brokers, then what the user laid over.
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
    /// User of HTTP basic authentication; none when missing.
    #[serde(default)]
    pub user: Option<String>,
    /// Password of that user.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A file with that password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Where the answers of the registry are kept for a start without it.
    #[serde(default = "default_id_cache")]
    pub id_cache: PathBuf,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            url: default_registry_url(),
            user: None,
            password: None,
            password_file: None,
            id_cache: default_id_cache(),
        }
    }
}

impl RegistrySettings {
    /// Reads `password_file` into `password`.
    pub fn read_files(&mut self) -> Result<(), SettingsError> {
        if let Some(path) = &self.password_file {
            self.password = Some(secret_from_file("registry.password_file", path)?);
        }
        Ok(())
    }

    pub(crate) fn authorization(&self) -> Option<String> {
        use base64::Engine;
        let user = self.user.as_deref()?;
        let password = self.password.as_ref().map_or("", Secret::expose);
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Some(format!("Basic {credentials}"))
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
