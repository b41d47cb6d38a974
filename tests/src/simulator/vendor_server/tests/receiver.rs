//! The subscriber's callback: takes pushes, and can be refusing or away.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::simulator::vendors::{kdniao, kuaidi100, seventeentrack};

/// A push that has arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    /// Query of the callback URL.
    pub(super) query: String,
    /// What was told: `param`, `RequestData` or the body.
    pub(super) told: Value,
    /// Whether the signature is the one that was agreed; `None`: there is none.
    pub(super) is_signed: Option<bool>,
}

#[derive(Debug, Default)]
struct Inbox {
    arrived: Mutex<Vec<Arrived>>,
    refuses: Mutex<bool>,
}

/// The callback, at an address that stays when it goes away and comes back.
pub(super) struct Receiver {
    address: SocketAddr,
    inbox: Arc<Inbox>,
    serving: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let mut receiver = Self {
            address: "127.0.0.1:0".parse().unwrap(),
            inbox: Arc::default(),
            serving: None,
        };
        receiver.come_back().await;
        receiver
    }

    /// The callback URL for pushes of a vendor.
    pub(super) fn url(&self, vendor: &str) -> String {
        format!("http://{}/v1/push/{vendor}/demo?s=0123456789abcdef", self.address)
    }

    pub(super) async fn go_away(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }

    pub(super) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/push/{vendor}/demo", post(take))
            .with_state(Arc::clone(&self.inbox));
        self.serving = Some(tokio::spawn(async {
            axum::serve(listener, router).await.unwrap();
        }));
    }

    pub(super) fn refuse(&self, refuses: bool) {
        *self.inbox.refuses.lock().unwrap() = refuses;
    }

    /// What has arrived so far; forgets it.
    pub(super) fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.inbox.arrived.lock().unwrap())
    }
}

async fn take(
    State(inbox): State<Arc<Inbox>>,
    Path(vendor): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let fields: std::collections::HashMap<_, _> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let (told, is_signed, success) = match vendor.as_str() {
        "kuaidi100" => match fields.get("param") {
            Some(param) => (
                param.clone(),
                fields
                    .get("sign")
                    .map(|sign| *sign == kuaidi100::sign(param, super::SALT)),
                r#"{"result":true,"returnCode":"200","message":"成功"}"#,
            ),
            // The flat form of the marketplace: nested members are JSON texts.
            None => (
                serde_json::to_string(&fields).unwrap(),
                None,
                r#"{"result":true,"returnCode":"200","message":"成功"}"#,
            ),
        },
        "kdniao" => {
            let data = fields["RequestData"].clone();
            let is_signed = fields["DataSign"] == kdniao::sign(&data, super::APP_KEY);
            let success = r#"{"EBusinessID":"1000001","UpdateTime":"2025-03-01 00:00:00","Success":true,"Reason":""}"#;
            (data, Some(is_signed), success)
        }
        _ => {
            let sign = headers.get("sign").and_then(|sign| sign.to_str().ok());
            let is_signed = sign.map(|sign| sign == seventeentrack::sign(&text, super::TRACK_KEY));
            (text, is_signed, r#"{"code":0}"#)
        }
    };
    inbox.arrived.lock().unwrap().push(Arrived {
        query: query.unwrap_or_default(),
        told: serde_json::from_str(&told).unwrap(),
        is_signed,
    });
    if *inbox.refuses.lock().unwrap() {
        return (StatusCode::SERVICE_UNAVAILABLE, "later").into_response();
    }
    success.into_response()
}
