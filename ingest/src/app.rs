//! The HTTP side: all routes, and how a push is processed from its head to its answer.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use courierflow_service::traces::Step;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use xxhash_rust::xxh3::Xxh3;

use crate::accounts::{Accounts, Registered};
use crate::admission::{Admission, Full};
use crate::answer::{self, Refusal};
use crate::body;
use crate::config::IngestSettings;
use crate::metrics::Metrics;
use crate::publisher::{Batch, DeadLetter, PublishError, Publisher};
use crate::readiness::Readiness;
use crate::refusal_log::RefusalLog;
use courierflow_vendors::account::Account;
use courierflow_vendors::protocol;
use courierflow_vendors::push::{self as push_body, Push, PushRequest, Rejection, Unusable};

/// Longest query string, in bytes. It is stored in the event of every parcel of the push. Vendors allow callback URLs of
/// 255 characters.
pub const MAX_QUERY_BYTES: usize = 2048;

/// Longest Content-Type that is stored, in bytes; a longer one is cut off.
const MAX_CONTENT_TYPE_BYTES: usize = 256;

/// The state that the handlers share.
pub struct App<P> {
    /// The accounts, which say who may push.
    pub accounts: Accounts,
    /// Stores pushes.
    pub publisher: P,
    /// Whether pushes can be stored.
    pub readiness: Arc<Readiness>,
    /// The limits of pushes in flight.
    pub admission: Arc<Admission>,
    /// The metrics.
    pub metrics: Metrics,
    /// The log of refusals.
    pub log: RefusalLog,
    /// What a body may take.
    pub body_limits: body::Limits,
}

impl<P: Publisher> App<P> {
    /// Creates it from validated settings.
    pub fn new(
        settings: &IngestSettings,
        accounts: Accounts,
        metrics: Metrics,
        readiness: Arc<Readiness>,
        publisher: P,
    ) -> Self {
        Self {
            accounts,
            publisher,
            readiness,
            admission: Admission::new(settings.max_in_flight_requests, settings.max_in_flight_bytes),
            metrics,
            log: RefusalLog::default(),
            body_limits: body::Limits {
                bytes: settings.max_body_bytes,
                time: Duration::from_millis(settings.body_timeout_ms),
            },
        }
    }
}

/// What vendors reach. There are no layers around it: limits, deadlines and counts need the vendor's own answers, so they are
/// steps of [`receive`], in the order in which they are taken.
pub fn router<P: Publisher>(app: Arc<App<P>>) -> Router {
    Router::new()
        .route("/v1/push", any(push::<P>))
        .route("/v1/push/", any(push::<P>))
        .route("/v1/push/{*address}", any(push::<P>))
        .route("/openapi.json", get(openapi))
        .fallback(elsewhere::<P>)
        .with_state(app)
}

/// Health and metrics, which may have a listener of their own.
pub fn admin_router<P: Publisher>(app: Arc<App<P>>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz::<P>))
        .route("/metrics", get(render_metrics::<P>))
        .with_state(app)
}

/// No address of ours. What is posted there was meant to be a push: an address that was pasted wrong, or that a proxy has changed.
async fn elsewhere<P: Publisher>(State(app): State<Arc<App<P>>>, request: Request) -> Response<Body> {
    if request.method() == Method::POST {
        app.metrics.unknown_paths.increment(1);
        app.log.unknown_path();
    }
    body::discard(request.into_body());
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

/// The outcome of an accepted push.
enum Taken {
    /// All of it is stored.
    Stored,
    /// A part of it cannot be used and was dead-lettered unchanged.
    DeadLettered(Unusable),
}

/// The outcome of a refused push, with details for the log.
struct Refused {
    refusal: Refusal,
    detail: Cow<'static, str>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let detail = match refusal {
            Refusal::Unusable(reason) => reason.as_str(),
            _ => "",
        };
        Self {
            refusal,
            detail: detail.into(),
        }
    }
}

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        Self {
            detail: error.to_string().into(),
            refusal: error.into(),
        }
    }
}

/// Vendor and account of a callback path. It is case-sensitive, and a slash at the end is ignored (rule 2.2).
fn addressed(path: &str) -> (Option<Vendor>, Cow<'_, str>) {
    let address = path.strip_prefix("/v1/push/").unwrap_or_default();
    let address = address.strip_suffix('/').unwrap_or(address);
    let (vendor, account) = address.split_once('/').unwrap_or((address, ""));
    (vendor.parse().ok(), percent_decode_str(account).decode_utf8_lossy())
}

/// In whose format a path without a vendor is answered: of the one whose name is in it, in any spelling, or of that which most vendors'
/// consoles understand.
fn probable_vendor(path: &str) -> Vendor {
    let path = path.to_ascii_lowercase();
    let [anybody, ..] = Vendor::ALL;
    let named = Vendor::ALL.into_iter().find(|vendor| path.contains(vendor.as_str()));
    named.unwrap_or(anybody)
}

/// Receives a push, counts its outcome, and answers in the vendor's format.
async fn push<P: Publisher>(State(app): State<Arc<App<P>>>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let (head, mut body) = request.into_parts();
    let (vendor, account) = addressed(head.uri.path());
    let Some(vendor) = vendor else {
        app.metrics.unknown_paths.increment(1);
        app.log.unknown_path();
        body::discard(body);
        let vendor = probable_vendor(head.uri.path());
        return answer::refused(vendor, None, Timestamp::now(), Refusal::UnknownAccount);
    };
    let registered = app.accounts.get(vendor, &account);
    let step = Step::of_request(&head.headers, vendor.as_str());
    let outcome = step.follow(receive(&app, registered, &head, &mut body)).await;

    let metrics = app.metrics.of(vendor);
    let of_account = registered.and_then(|registered| app.metrics.of_account(registered));
    let of_account = of_account.map(|of_account| &of_account.outcomes);
    let counted = [Some(&metrics.outcomes), of_account].into_iter().flatten();
    let account = registered.map(|registered| &registered.account);
    let response = match outcome {
        Ok((account, Taken::Stored)) => {
            counted.for_each(|outcomes| outcomes.stored.increment(1));
            answer::stored(account, Timestamp::now())
        }
        Ok((account, Taken::DeadLettered(reason))) => {
            counted.for_each(|outcomes| outcomes.dead_lettered.increment(1));
            app.log.dead_lettered(vendor, &account.name, reason.as_str());
            answer::stored(account, Timestamp::now())
        }
        Err(Refused { refusal, detail }) => {
            body::discard(body);
            counted.for_each(|outcomes| outcomes.refused(refusal));
            step.failed(refusal.row().name);
            let name = account.map(|account| account.name.as_str());
            step.run(|| app.log.refused(vendor, name, refusal, &detail));
            answer::refused(vendor, account, Timestamp::now(), refusal)
        }
    };
    metrics.duration.record(started.elapsed());
    response
}

/// Checks the push in the order of rule 2.1 and stores it. It succeeds only after everything is acknowledged.
async fn receive<'a, P: Publisher>(
    app: &App<P>,
    registered: Option<&'a Registered>,
    head: &Parts,
    body: &mut Body,
) -> Result<(&'a Account, Taken), Refused> {
    let registered = registered.ok_or(Refusal::UnknownAccount)?;
    let account = &registered.account;
    if head.method != Method::POST {
        return Err(Refusal::MethodNotAllowed.into());
    }
    let query = head.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        return Err(Refusal::QueryTooLong.into());
    }
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
    let mut arrival = app.admission.arrive(peer.map(|ConnectInfo(address)| address.ip()));
    let body = body::read(body, app.body_limits, &mut arrival).await?;
    let _place = arrival.enter().map_err(|Full| Refusal::Busy)?;

    let metrics = app.metrics.of(account.vendor);
    metrics.body_bytes.increment(body.len() as u64);
    let envelope = Envelope {
        push_id: push_id(account, &body),
        received_at: TimestampMicros(Timestamp::now().as_microsecond()),
        account,
        query,
        content_type: content_type(&head.headers),
    };
    let signature = protocol(account.vendor)
        .signature_header()
        .and_then(|name| head.headers.get(name));
    let request = PushRequest {
        body: &body,
        signature: signature.map(HeaderValue::as_bytes),
    };
    let (batch, unusable) = match push_body::read(request, account) {
        Ok(push) => {
            registered.take(push.signature)?;
            metrics.count_mismatches.increment(u64::from(push.count_mismatch));
            push.bad_parcels.iter().for_each(|bad| metrics.unusable(bad.reason));
            let reference = |payload: &str| {
                let found = registered.references.as_ref()?.find(query, payload);
                app.metrics.of_account(registered)?.looked_for_reference(&found);
                found.reference()
            };
            envelope.batch(push, &body, reference)
        }
        Err(Rejection::Unusable(signature, reason)) => {
            if signature == Signature::Verified {
                registered.take(signature)?;
            }
            metrics.unusable(reason);
            // A signed text is the vendor's own, and a retry would not change it, so it is dead-lettered. An unsigned
            // one could be anybody's and is refused.
            if signature != Signature::Verified {
                return Err(Refusal::from(Rejection::Unusable(signature, reason)).into());
            }
            (envelope.dead(&body, reason), Some(reason))
        }
        Err(rejection) => return Err(Refusal::from(rejection).into()),
    };
    let parcels = batch.events.len() as u64;
    app.publisher.publish(batch).await?;
    metrics.parcels.increment(parcels);
    Ok((account, unusable.map_or(Taken::Stored, Taken::DeadLettered)))
}

/// The fields that all events of a push have in common.
struct Envelope<'a> {
    push_id: PushId,
    received_at: TimestampMicros,
    account: &'a Account,
    query: &'a str,
    content_type: String,
}

impl Envelope<'_> {
    /// One event per parcel; `reference` finds the order in a parcel's text. Parcels that cannot be stored (rule 2.6) become
    /// one dead letter, with the reason of the first.
    fn batch(&self, push: Push, body: &Bytes, reference: impl Fn(&str) -> Option<String>) -> (Batch, Option<Unusable>) {
        let unusable = push.bad_parcels.first().map(|bad| bad.reason);
        let dead_letter = unusable.map(|reason| {
            let parts: Vec<String> = push.bad_parcels.iter().map(|bad| bad.part.to_string()).collect();
            self.dead_letter(body, reason, parts.join(","))
        });
        let events = push.parcels.into_iter().map(|parcel| PushEvent {
            push_id: self.push_id,
            part: parcel.part,
            parts: push.parts,
            vendor: self.account.vendor,
            account: self.account.name.clone(),
            received_at: self.received_at,
            signature: push.signature,
            vendor_carrier: parcel.vendor_carrier,
            tracking_number: parcel.tracking_number,
            request_type: push.request_type.clone(),
            query: self.query.to_owned(),
            content_type: self.content_type.clone(),
            push_time: push.push_time.clone(),
            business_id: push.business_id.clone(),
            reference: reference(&parcel.payload),
            payload: parcel.payload,
            origin: Origin::Push,
            query_reason: None,
        });
        (
            Batch {
                events: events.collect(),
                dead_letter,
                requests: Vec::new(),
            },
            unusable,
        )
    }

    /// A batch with only a dead letter.
    fn dead(&self, body: &Bytes, reason: Unusable) -> Batch {
        Batch {
            events: Vec::new(),
            requests: Vec::new(),
            dead_letter: Some(self.dead_letter(body, reason, String::new())),
        }
    }

    fn dead_letter(&self, body: &Bytes, reason: Unusable, parts: String) -> DeadLetter {
        DeadLetter {
            body: body.clone(),
            reason: reason.as_str(),
            parts,
            vendor: self.account.vendor,
            account: self.account.name.clone(),
            received_at: self.received_at,
            content_type: self.content_type.clone(),
        }
    }
}

/// XXH3-128, big-endian, of vendor, account and body, each after its length as eight little-endian bytes: equal for
/// byte-identical pushes, no matter who repeats them.
fn push_id(account: &Account, body: &[u8]) -> PushId {
    let mut hash = Xxh3::new();
    for part in [account.vendor.as_str().as_bytes(), account.name.as_bytes(), body] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    PushId(hash.digest128().to_be_bytes())
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(header::CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let value = value.get(..MAX_CONTENT_TYPE_BYTES).unwrap_or(value);
    String::from_utf8_lossy(value).into_owned()
}

async fn readyz<P: Publisher>(app: State<Arc<App<P>>>) -> Response<Body> {
    let report = app.readiness.report();
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::to_string(&report).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn render_metrics<P: Publisher>(app: State<Arc<App<P>>>) -> Response<Body> {
    let ready = app.readiness.report().ready;
    let text = app.metrics.render(&app.admission, ready);
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

async fn openapi() -> Response<Body> {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("openapi.json"),
    )
        .into_response()
}
