//! The service in-process with a publisher that keeps the records in memory, and the vendors' signatures.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use base64::Engine;
use courierflow_ingest::app::{App, admin_router, router};
use courierflow_ingest::config::{AccountSettings, IngestSettings};
use courierflow_ingest::metrics::Metrics;
use courierflow_ingest::publisher::{Batch, PublishError, Publisher};
use courierflow_ingest::readiness::Readiness;
use courierflow_schemas::records::PushEvent;
use md5::{Digest, Md5};
use tower::ServiceExt;

pub(crate) const SALT: &str = "courierflow-demo-salt";
pub(crate) const APP_KEY: &str = "courierflow-demo-app-key";

pub(crate) const INTERNATIONAL: &str = include_str!("../samples/kuaidi100-international.json");
pub(crate) const MAP_TRACK: &str = include_str!("../samples/kuaidi100-map-track.json");
pub(crate) const MARKETPLACE: &str = include_str!("../samples/kuaidi100-marketplace.json");
pub(crate) const CROSS_BORDER: &str = include_str!("../samples/kdniao-cross-border.json");

/// What the fake broker does.
#[derive(Clone, Debug, Default)]
pub(crate) enum Broker {
    #[default]
    Acknowledges,
    Fails(PublishError),
    /// Answers when the test drops the other end.
    Waits(Arc<tokio::sync::Semaphore>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) broker: Broker,
    pub(crate) batches: Arc<Mutex<Vec<Batch>>>,
}

impl Publisher for Recorder {
    async fn publish(&self, batch: Batch) -> Result<(), PublishError> {
        match &self.broker {
            Broker::Acknowledges => {}
            Broker::Fails(error) => return Err(error.clone()),
            Broker::Waits(gate) => drop(gate.acquire().await.unwrap()),
        }
        self.batches.lock().unwrap().push(batch);
        Ok(())
    }
}

/// The six accounts of the local configuration, for each vendor one that accepts both signed and unsigned pushes, and one
/// of 17TRACK that accepts unsigned stops.
pub(crate) fn settings() -> IngestSettings {
    let account = |text: &str| toml_account(text);
    IngestSettings {
        accounts: vec![
            account(r#"{"name":"demo","vendor":"kuaidi100","salts":["older-salt","courierflow-demo-salt"]}"#),
            account(r#"{"name":"open","vendor":"kuaidi100","unsigned":"accept"}"#),
            account(r#"{"name":"both","vendor":"kuaidi100","salts":["courierflow-demo-salt"],"unsigned":"accept"}"#),
            account(
                r#"{"name":"demo","vendor":"kdniao","business_id":"1000001","app_keys":["courierflow-demo-app-key","newer"]}"#,
            ),
            account(r#"{"name":"open","vendor":"kdniao","business_id":"1000001","unsigned":"accept"}"#),
            account(
                r#"{"name":"both","vendor":"kdniao","business_id":"1000002","app_keys":["newer"],"unsigned":"accept"}"#,
            ),
            account(r#"{"name":"demo","vendor":"17track","api_keys":["older","17track-demo-key-0001"]}"#),
            account(r#"{"name":"open","vendor":"17track","unsigned":"accept"}"#),
            account(r#"{"name":"both","vendor":"17track","api_keys":["17track-demo-key-0001"],"unsigned":"accept"}"#),
            account(r#"{"name":"stops","vendor":"17track","api_keys":["TESTKEY"],"unsigned_stopped":"accept"}"#),
        ],
        ..IngestSettings::default()
    }
}

fn toml_account(text: &str) -> AccountSettings {
    serde_json::from_str(text).unwrap()
}

pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) batches: Arc<Mutex<Vec<Batch>>>,
    pub(crate) readiness: Arc<Readiness>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(&settings(), Broker::default())
    }

    pub(crate) fn with(settings: &IngestSettings, broker: Broker) -> Self {
        settings.validate().unwrap();
        let readiness = Arc::new(Readiness::default());
        let recorder = Recorder {
            broker,
            ..Recorder::default()
        };
        let batches = Arc::clone(&recorder.batches);
        let accounts = settings.accounts().unwrap();
        let metrics = Metrics::new(&accounts).unwrap();
        let app = App::new(settings, accounts, metrics, Arc::clone(&readiness), recorder);
        let app = Arc::new(app);
        Self {
            router: router(Arc::clone(&app)).merge(admin_router(app)),
            batches,
            readiness,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Takes what was published since the last call.
    pub(crate) fn published(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.batches.lock().unwrap())
    }

    /// The events of the one push that was published since the last call.
    pub(crate) fn events(&self) -> Vec<PushEvent> {
        let mut batches = self.published();
        assert_eq!(batches.len(), 1, "one push");
        let batch = batches.remove(0);
        assert_eq!(batch.dead_letter, None);
        batch.events
    }
}

pub(crate) fn md5_hex(text: &[u8]) -> String {
    hex(&Md5::digest(text))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

pub(crate) fn kuaidi100_sign(param: &[u8], salt: &str) -> String {
    md5_hex(&[param, salt.as_bytes()].concat()).to_uppercase()
}

pub(crate) fn kdniao_sign(request_data: &[u8], app_key: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(md5_hex(&[request_data, app_key.as_bytes()].concat()))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    form_urlencoded::byte_serialize(bytes).collect()
}

pub(crate) fn kuaidi100_form(param: impl AsRef<[u8]>) -> String {
    let param = param.as_ref();
    format!("sign={}&param={}", kuaidi100_sign(param, SALT), encode(param))
}

pub(crate) fn kdniao_form(request_data: impl AsRef<[u8]>) -> String {
    let data = request_data.as_ref();
    format!(
        "RequestData={}&DataSign={}&RequestType=101",
        encode(data),
        encode(kdniao_sign(data, APP_KEY).as_bytes())
    )
}
