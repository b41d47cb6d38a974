//! The second listener: people and shops ask here for subscriptions. It has a port of its own, because the first one faces the
//! vendors' internet and this one spends money.
//!
//! The way of a request: [`tokens`] says who asks, [`courierflow_vendors::request`] reads and checks every item,
//! [`crate::publisher`] stores the records, [`answer`] says what became of each. Limits of bodies and of what is in flight are those
//! of pushes.

pub mod answer;
pub mod metrics;
pub mod settings;
pub mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::SubscriptionRequest;
use courierflow_vendors::request::Asker;
use courierflow_vendors::request::account::SubscribeAccounts;
use courierflow_vendors::request::error::{Code, ItemError};
use courierflow_vendors::request::item::Item;
use jiff::Timestamp;
use serde_json::Value;

use self::answer::{ErrorBody, ItemResult, ItemStatus, Refusal};
use self::tokens::{OverRate, Token, Tokens};
use crate::admission::Full;
use crate::app::App;
use crate::body;
use crate::publisher::{Batch, Publisher};

/// Most items of a request.
pub const MAX_ITEMS: usize = 500;

/// Largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What the handlers share.
pub struct Subscriptions<P> {
    /// The service itself: publisher, limits, log.
    pub app: Arc<App<P>>,
    /// Who may ask.
    pub tokens: Tokens,
    /// Who may be asked.
    pub accounts: SubscribeAccounts,
    /// What the vendors' codes of carriers mean.
    pub carriers: &'static Carriers,
}

/// The records of an item, or why it has none.
type Read = Result<Vec<SubscriptionRequest>, ItemError>;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Subscription,
    Cancellation,
}

/// What callers reach.
pub fn router<P: Publisher>(subscriptions: Arc<Subscriptions<P>>) -> Router {
    Router::new()
        .route("/v1/subscriptions", any(subscribe::<P>))
        .route("/v1/subscriptions/cancel", any(cancel::<P>))
        .route("/openapi.json", get(openapi))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz::<P>))
        .fallback(elsewhere)
        .with_state(subscriptions)
}

async fn subscribe<P: Publisher>(state: State<Arc<Subscriptions<P>>>, request: Request) -> Response<Body> {
    state.answer(request, Wanted::Subscription).await
}

async fn cancel<P: Publisher>(state: State<Arc<Subscriptions<P>>>, request: Request) -> Response<Body> {
    state.answer(request, Wanted::Cancellation).await
}

async fn elsewhere(request: Request) -> Response<Body> {
    body::discard(request.into_body());
    answer::not_found()
}

async fn openapi() -> Response<Body> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("openapi.json")).into_response()
}

async fn readyz<P: Publisher>(State(subscriptions): State<Arc<Subscriptions<P>>>) -> Response<Body> {
    let report = subscriptions.app.readiness.report();
    let status = if report.ready && report.subscriptions == Some(true) {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, serde_json::to_string(&report).unwrap_or_default()).into_response()
}

impl<P: Publisher> Subscriptions<P> {
    /// Receives a request, counts what becomes of it, and answers.
    async fn answer(&self, request: Request, wanted: Wanted) -> Response<Body> {
        let (head, mut body) = request.into_parts();
        let token = self.tokens.authenticate(&head.headers);
        let requester = token.map(|token| token.name.as_str());
        match self.receive(token, &head, &mut body, wanted).await {
            Ok(results) => answer::results(&results),
            Err(refusal) => {
                body::discard(body);
                self.app.metrics.subscriptions.refused(requester, refusal);
                self.app.log.request_refused(requester, refusal.row());
                answer::refused(refusal)
            }
        }
    }

    /// Checks a request from its head to its items and stores them. It succeeds only after everything that is told to be
    /// accepted is acknowledged.
    async fn receive(
        &self,
        token: Option<&Token>,
        head: &Parts,
        body: &mut Body,
        wanted: Wanted,
    ) -> Result<Vec<ItemResult>, Refusal> {
        if head.method != Method::POST {
            return Err(Refusal::MethodNotAllowed);
        }
        // Before a byte of the body is read: a stranger takes no memory.
        let token = token.ok_or(Refusal::Unauthorized)?;
        if !may_be_json(&head.headers) {
            return Err(Refusal::NotJsonType);
        }
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        let mut arrival = self.app.admission.arrive(peer.map(|ConnectInfo(address)| address.ip()));
        let limits = body::Limits {
            bytes: MAX_BODY_BYTES,
            ..self.app.body_limits
        };
        let body = body::read(body, limits, &mut arrival).await?;
        let _place = arrival.enter().map_err(|Full| crate::answer::Refusal::Busy)?;

        let (read, results) = self.check(body, idempotency_key(&head.headers), token, wanted)?;
        self.store(token, read).await?;
        Ok(results)
    }

    /// The records of a body and what is answered. Body and items end here: as values of JSON they take many times the room of the
    /// records, and the broker may take its time.
    fn check(
        &self,
        body: Bytes,
        idempotency_key: Option<&str>,
        token: &Token,
        wanted: Wanted,
    ) -> Result<(Vec<Read>, Vec<ItemResult>), Refusal> {
        let items = items(&body, idempotency_key)?;
        drop(body);
        token.take(items.len()).map_err(|over| match over {
            OverRate::Wait(retry_after) => Refusal::OverRate { retry_after },
            OverRate::Never => Refusal::TooMany,
        })?;
        let read = self.read(&items, token, wanted)?;
        let results = items.iter().zip(&read).map(|(item, read)| result(item, read)).collect();
        Ok((read, results))
    }

    /// The records of each item, or why it has none.
    fn read(&self, items: &[Item], token: &Token, wanted: Wanted) -> Result<Vec<Read>, Refusal> {
        let asker = Asker {
            name: &token.name,
            accounts: &self.accounts.accounts,
            may_use: token,
            carriers: self.carriers,
            now: Timestamp::now(),
        };
        let mut read = Vec::with_capacity(items.len());
        for item in items {
            let records = match wanted {
                Wanted::Subscription => asker.subscribe(item).map(|record| vec![record]),
                Wanted::Cancellation => asker.cancel(item),
            };
            // Not one refused item among others: who tries this is told at once, and nothing is done for him.
            if records.as_ref().is_err_and(|error| error.code == Code::ForeignAccount) {
                return Err(Refusal::ForeignAccount);
            }
            read.push(records);
        }
        Ok(read)
    }

    /// Stores the records and counts the items.
    async fn store(&self, token: &Token, read: Vec<Read>) -> Result<(), Refusal> {
        let mut accepted = 0;
        let mut refused = Vec::new();
        let mut requests = Vec::with_capacity(read.len());
        for records in read {
            match records {
                Ok(records) => {
                    accepted += 1;
                    requests.extend(records);
                }
                Err(error) => refused.push(error.code),
            }
        }
        if !requests.is_empty() {
            let batch = Batch {
                requests,
                ..Batch::default()
            };
            self.app.publisher.publish(batch).await?;
        }
        self.app.metrics.subscriptions.accepted(&token.name, accepted);
        for code in refused {
            self.app.metrics.subscriptions.item(&token.name, code);
        }
        Ok(())
    }
}

/// Whether the type of the body is JSON, or says nothing: `curl -d` declares a form unless it is told otherwise.
fn may_be_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let text = value.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" | "application/x-www-form-urlencoded" => true,
        other => other.starts_with("application/") && other.ends_with("+json"),
    }
}

/// A single item may have its id in the head, as a token or, as the draft of the header wants it, as a quoted string.
fn idempotency_key(headers: &HeaderMap) -> Option<&str> {
    let key = headers.get(IDEMPOTENCY_KEY).map(HeaderValue::to_str)?.ok()?.trim();
    let quoted = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    Some(quoted.unwrap_or(key))
}

/// The items of a body: an object is one, an array has several.
fn items(body: &Bytes, idempotency_key: Option<&str>) -> Result<Vec<Item>, Refusal> {
    let mut items: Vec<Item> = match serde_json::from_slice(body) {
        Ok(Value::Array(items)) if items.len() > MAX_ITEMS => return Err(Refusal::TooMany),
        Ok(Value::Array(items)) => items.into_iter().map(Item::from).collect(),
        Ok(item @ Value::Object(_)) => vec![Item::from(item)],
        Ok(_) | Err(_) => return Err(Refusal::NotJson),
    };
    match (items.as_mut_slice(), idempotency_key) {
        ([], _) => return Err(Refusal::Empty),
        ([item], Some(key)) => item.default_request_id(key),
        _ => {}
    }
    Ok(items)
}

fn result(item: &Item, read: &Read) -> ItemResult {
    let sent = |name: &str| item.short_text(name).map(str::to_owned);
    match read {
        Ok(records) => {
            let stored = records.first();
            ItemResult {
                tracking_number: stored.map(|record| record.tracking_number.clone()),
                request_id: stored.map(|record| record.request_id.clone()),
                status: ItemStatus::Accepted,
                error: None,
            }
        }
        Err(error) => ItemResult {
            tracking_number: sent("tracking_number"),
            request_id: sent("request_id"),
            status: ItemStatus::Refused,
            error: Some(ErrorBody::from(error)),
        },
    }
}
