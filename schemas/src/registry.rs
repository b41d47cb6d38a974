//! The schema registry (Confluent API, which Apicurio, Karapace, Redpanda and others offer) and an on-disk copy of its answers, so that a
//! service can start while the registry is away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::records::{
    Annotation, PushEvent, Shipment, Subscription, SubscriptionRequest, SubscriptionSecret, Transition, VendorCall,
};
use crate::settings::{RegistrySettings, SettingsError};
use crate::tls::ClientTls;
use crate::wire::Record;

/// Time-out of each request, so that a hung registry does not hang the start.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest message of the registry in an error.
const MAX_MESSAGE_CHARS: usize = 500;
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Why a request to the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It could not be reached, or did not answer in time.
    #[error("registry {url}: {reason}")]
    Unreachable {
        /// Its address, without credentials.
        url: String,
        /// The error of the HTTP client.
        reason: String,
    },
    /// It wants to know who asks, or does not let that one.
    #[error("registry {url} does not let us {action} (HTTP status {status}): {hint}; it says {message:?}")]
    Denied {
        /// Its address, without credentials.
        url: Box<str>,
        /// HTTP status: 401 or 403.
        status: u16,
        /// The request.
        action: Box<str>,
        /// The keys of the configuration that decide.
        hint: &'static str,
        /// The registry's message.
        message: Box<str>,
    },
    /// A secret that is needed for a request cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It answered with an error.
    #[error("registry {url} answered {status} to {action}: {message}")]
    Refused {
        /// Its address, without credentials.
        url: String,
        /// HTTP status; 409 = incompatible schema.
        status: u16,
        /// The request.
        action: String,
        /// The registry's message.
        message: String,
    },
    /// The subject does not have our schema, and there is no earlier answer on disk.
    #[error("subject {subject} has no schema of this version: {what_to_do}")]
    NotRegistered {
        /// The subject.
        subject: String,
        /// How to go on.
        what_to_do: String,
    },
    /// The copy on disk cannot be used or written.
    #[error("schema id cache {path}: {reason}")]
    Cache {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The registry ids of our own schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaIds {
    /// `PushEvent`
    pub push: u32,
    /// `Shipment`
    pub shipment: u32,
    /// `Transition`
    pub transition: u32,
    /// `SubscriptionRequest`
    pub subscription_request: u32,
    /// `Subscription`
    pub subscription: u32,
    /// `SubscriptionSecret`
    pub subscription_secret: u32,
    /// `VendorCall`
    pub vendor_call: u32,
    /// `Annotation`
    pub annotation: u32,
}

/// The result of [`Registry::migrate`].
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The ids of our schemas.
    pub ids: SchemaIds,
    /// One line for each change.
    pub changes: Vec<String>,
}

/// The on-disk copy: ids by subject and schema text, texts by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cache {
    ids: BTreeMap<String, CachedId>,
    schemas: BTreeMap<u32, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CachedId {
    id: u32,
    /// The text that the id belongs to: after a change of the program's schema the id is not valid.
    schema: String,
}

/// A client of the registry. It blocks: it is called at start, and once for each further schema version that occurs.
/// Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    settings: RegistrySettings,
    agent: ureq::Agent,
    cache_path: PathBuf,
    cache: Mutex<Cache>,
}

impl Registry {
    /// Creates a client without a request. An unreadable cache counts as empty and is logged.
    pub fn new(settings: &RegistrySettings) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .tls_config(ClientTls::config(settings.tls.as_ref()))
            .build()
            .into();
        let cache = read_cache(&settings.id_cache).unwrap_or_else(|error| {
            tracing::warn!(%error, "schema id cache ignored");
            Cache::default()
        });
        Self {
            shared: Arc::new(Shared {
                url: settings.url.trim_end_matches('/').to_owned(),
                settings: settings.clone(),
                agent,
                cache_path: settings.id_cache.clone(),
                cache: Mutex::new(cache),
            }),
        }
    }

    /// Registers our schemas and sets `FULL_TRANSITIVE` compatibility for each subject. Repeating it changes nothing.
    pub fn migrate(&self) -> Result<Migrated, RegistryError> {
        let mut changes = Vec::new();
        let ids = SchemaIds {
            push: self.migrate_subject::<PushEvent>(&mut changes)?,
            shipment: self.migrate_subject::<Shipment>(&mut changes)?,
            transition: self.migrate_subject::<Transition>(&mut changes)?,
            subscription_request: self.migrate_subject::<SubscriptionRequest>(&mut changes)?,
            subscription: self.migrate_subject::<Subscription>(&mut changes)?,
            subscription_secret: self.migrate_subject::<SubscriptionSecret>(&mut changes)?,
            vendor_call: self.migrate_subject::<VendorCall>(&mut changes)?,
            annotation: self.migrate_subject::<Annotation>(&mut changes)?,
        };
        Ok(Migrated { ids, changes })
    }

    /// What [`Self::migrate`] would change.
    pub fn check(&self) -> Result<Vec<String>, RegistryError> {
        let mut changes = Vec::new();
        self.check_subject::<PushEvent>(&mut changes)?;
        self.check_subject::<Shipment>(&mut changes)?;
        self.check_subject::<Transition>(&mut changes)?;
        self.check_subject::<SubscriptionRequest>(&mut changes)?;
        self.check_subject::<Subscription>(&mut changes)?;
        self.check_subject::<SubscriptionSecret>(&mut changes)?;
        self.check_subject::<VendorCall>(&mut changes)?;
        self.check_subject::<Annotation>(&mut changes)?;
        Ok(changes)
    }

    /// The ids of our schemas: from the registry, else from the on-disk copy of an earlier start.
    pub fn schema_ids(&self) -> Result<SchemaIds, RegistryError> {
        Ok(SchemaIds {
            push: self.id_of::<PushEvent>()?,
            shipment: self.id_of::<Shipment>()?,
            transition: self.id_of::<Transition>()?,
            subscription_request: self.id_of::<SubscriptionRequest>()?,
            subscription: self.id_of::<Subscription>()?,
            subscription_secret: self.id_of::<SubscriptionSecret>()?,
            vendor_call: self.id_of::<VendorCall>()?,
            annotation: self.id_of::<Annotation>()?,
        })
    }

    /// The text of a schema, `None` when the registry does not know the id.
    pub fn schema_text(&self, id: u32) -> Result<Option<String>, RegistryError> {
        if let Some(text) = self.with_cache(|cache| cache.schemas.get(&id).cloned()) {
            return Ok(Some(text));
        }
        let action = format!("look up schema id {id}");
        match self.get::<SchemaAnswer>(&format!("/schemas/ids/{id}"), &action)? {
            None => Ok(None),
            Some(SchemaAnswer { schema }) => {
                self.remember(|cache| {
                    cache.schemas.insert(id, schema.clone());
                });
                Ok(Some(schema))
            }
        }
    }

    /// The compatibility level of a subject, as set on the registry.
    pub fn compatibility(&self, subject: &str) -> Result<Option<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "compatibilityLevel")]
            level: String,
        }
        let answer = self.get::<Answer>(&format!("/config/{subject}"), &format!("read the level of {subject}"))?;
        Ok(answer.map(|answer| answer.level))
    }

    /// Registers a schema text under a subject and returns its id.
    pub fn register(&self, subject: &str, schema_text: &str) -> Result<u32, RegistryError> {
        let body = json!({ "schema": schema_text, "schemaType": "AVRO" });
        let path = format!("/subjects/{subject}/versions");
        let answer: IdAnswer = self.send(
            self.shared.agent.post(self.address(&path)),
            &body,
            &format!("register {subject}"),
        )?;
        Ok(answer.id)
    }

    fn migrate_subject<R: Record>(&self, changes: &mut Vec<String>) -> Result<u32, RegistryError> {
        let subject = R::subject();
        // Set the level first, so that it applies to the very first change.
        if self.compatibility(&subject)?.as_deref() != Some("FULL_TRANSITIVE") {
            let body = json!({ "compatibility": "FULL_TRANSITIVE" });
            let request = self.shared.agent.put(self.address(&format!("/config/{subject}")));
            let _: serde_json::Value = self.send(request, &body, &format!("set the level of {subject}"))?;
            changes.push(format!("set {subject} to FULL_TRANSITIVE"));
        }
        let id = if let Some(id) = self.lookup(&subject, R::SCHEMA_TEXT)? {
            id
        } else {
            let id = self.register(&subject, R::SCHEMA_TEXT)?;
            changes.push(format!("registered {subject} as schema id {id}"));
            id
        };
        self.remember_id::<R>(subject, id);
        Ok(id)
    }

    fn check_subject<R: Record>(&self, changes: &mut Vec<String>) -> Result<(), RegistryError> {
        let subject = R::subject();
        if self.compatibility(&subject)?.as_deref() != Some("FULL_TRANSITIVE") {
            changes.push(format!("set {subject} to FULL_TRANSITIVE"));
        }
        if self.lookup(&subject, R::SCHEMA_TEXT)?.is_none() {
            changes.push(format!("registered {subject}"));
        }
        Ok(())
    }

    fn id_of<R: Record>(&self) -> Result<u32, RegistryError> {
        let subject = R::subject();
        match self.lookup(&subject, R::SCHEMA_TEXT) {
            Ok(Some(id)) => {
                self.remember_id::<R>(subject, id);
                Ok(id)
            }
            Ok(None) => Err(self.not_registered(subject, R::TOPIC)),
            Err(error) => {
                let cached = self.with_cache(|cache| {
                    cache
                        .ids
                        .get(&subject)
                        .filter(|known| known.schema == R::SCHEMA_TEXT)
                        .map(|known| known.id)
                });
                let Some(id) = cached else { return Err(error) };
                tracing::warn!(%error, subject, id, "the registry does not tell, using the schema id on disk");
                Ok(id)
            }
        }
    }

    /// If another installation has a subject for this topic, its prefix may be the one that was meant.
    fn not_registered(&self, subject: String, topic: &str) -> RegistryError {
        let all: Vec<String> = self
            .get("/subjects", "list the subjects")
            .ok()
            .flatten()
            .unwrap_or_default();
        let end = format!("{topic}-value");
        let others: Vec<&str> = all.iter().filter_map(|other| other.strip_suffix(&end)).collect();
        let is_there = all.contains(&subject);
        let what_to_do = match others.first() {
            Some(prefix) if !is_there => format!(
                "there is {prefix}{end}, so topics.prefix may have to be {prefix:?}, the same for all services; if not, run \
                 `processor migrate` first"
            ),
            _ => "run `processor migrate` first".to_owned(),
        };
        RegistryError::NotRegistered { subject, what_to_do }
    }

    /// The id of exactly this text; not that of `versions/latest`, which may be another program's newer schema.
    fn lookup(&self, subject: &str, schema_text: &str) -> Result<Option<u32>, RegistryError> {
        let body = json!({ "schema": schema_text, "schemaType": "AVRO" });
        let request = self.shared.agent.post(self.address(&format!("/subjects/{subject}")));
        match self.send::<IdAnswer>(request, &body, &format!("look up {subject}")) {
            Ok(answer) => Ok(Some(answer.id)),
            Err(RegistryError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.shared.url)
    }

    fn get<A: for<'de> Deserialize<'de>>(&self, path: &str, action: &str) -> Result<Option<A>, RegistryError> {
        let request = self.with_headers(self.shared.agent.get(self.address(path)))?;
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        match self.answer(response, action) {
            Ok(answer) => Ok(Some(answer)),
            Err(RegistryError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn send<A: for<'de> Deserialize<'de>>(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        body: &serde_json::Value,
        action: &str,
    ) -> Result<A, RegistryError> {
        let response = self
            .with_headers(request)?
            .header("Content-Type", CONTENT_TYPE)
            .send(body.to_string())
            .map_err(|error| self.unreachable(&error))?;
        self.answer(response, action)
    }

    fn with_headers<B>(&self, mut request: ureq::RequestBuilder<B>) -> Result<ureq::RequestBuilder<B>, RegistryError> {
        let settings = &self.shared.settings;
        for (name, value) in &settings.headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = settings.authorization()? {
            request = request.header("Authorization", authorization);
        }
        Ok(request)
    }

    fn answer<A: for<'de> Deserialize<'de>>(
        &self,
        mut response: ureq::http::Response<ureq::Body>,
        action: &str,
    ) -> Result<A, RegistryError> {
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|error| self.unreachable(&error))?;
        let refused = |message: String| RegistryError::Refused {
            url: self.shared.url.clone(),
            status,
            action: action.to_owned(),
            message,
        };
        if !response.status().is_success() {
            #[derive(Deserialize)]
            struct Message {
                message: String,
            }
            let message = serde_json::from_str::<Message>(&text).map_or(text, |body| body.message);
            // A proxy answers with a page.
            let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
            let message: String = message.chars().take(MAX_MESSAGE_CHARS).collect();
            return Err(match hint(status, &self.shared.settings) {
                Some(hint) => RegistryError::Denied {
                    url: self.shared.url.as_str().into(),
                    status,
                    action: action.into(),
                    hint,
                    message: message.into(),
                },
                None => refused(message),
            });
        }
        serde_json::from_str(&text).map_err(|error| refused(format!("unexpected answer: {error}")))
    }

    fn unreachable(&self, error: &ureq::Error) -> RegistryError {
        RegistryError::Unreachable {
            url: self.shared.url.clone(),
            reason: error.to_string(),
        }
    }

    fn with_cache<T>(&self, read: impl FnOnce(&Cache) -> T) -> T {
        // A poisoned lock does no harm: each change is a single insert.
        read(&self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn remember_id<R: Record>(&self, subject: String, id: u32) {
        self.remember(|cache| {
            cache.ids.insert(
                subject,
                CachedId {
                    id,
                    schema: R::SCHEMA_TEXT.to_owned(),
                },
            );
            cache.schemas.insert(id, R::SCHEMA_TEXT.to_owned());
        });
    }

    /// Stores an answer for a start without the registry. If the disk refuses it, that is only a warning.
    fn remember(&self, change: impl FnOnce(&mut Cache)) {
        let mut cache = self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let before = cache.clone();
        change(&mut cache);
        if *cache == before {
            return;
        }
        if let Err(error) = write_cache(&self.shared.cache_path, &cache) {
            tracing::warn!(%error, "schema id cache not written");
        }
    }
}

/// What decides whether it lets us in; `None` if it was not about that.
fn hint(status: u16, settings: &RegistrySettings) -> Option<&'static str> {
    let has_token = settings.token.is_some() || settings.token_file.is_some();
    match status {
        401 if has_token => Some("is the token of registry.token or registry.token_file still good?"),
        401 if settings.user.is_some() => Some("are registry.user and registry.password right?"),
        401 => Some("set registry.user and registry.password_file, or registry.token_file"),
        403 if has_token || settings.user.is_some() => Some("the user of [registry] lacks a right"),
        403 => Some("nobody may that without registry.user or registry.token_file"),
        _ => None,
    }
}

#[derive(Deserialize)]
struct IdAnswer {
    id: u32,
}

#[derive(Deserialize)]
struct SchemaAnswer {
    schema: String,
}

fn read_cache(path: &Path) -> Result<Cache, RegistryError> {
    let failed = |reason: String| RegistryError::Cache {
        path: path.to_owned(),
        reason,
    };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Cache::default()),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Writes a temporary file and renames it, because two services share the file and must not read half of it.
fn write_cache(path: &Path, cache: &Cache) -> Result<(), RegistryError> {
    let failed = |reason: String| RegistryError::Cache {
        path: path.to_owned(),
        reason,
    };
    let bytes = serde_json::to_vec_pretty(cache).map_err(|error| failed(error.to_string()))?;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(error.to_string()))?;
    }
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&unfinished, bytes)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| failed(error.to_string()))
}
