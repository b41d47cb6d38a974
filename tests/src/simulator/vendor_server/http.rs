//! The vendors' addresses, and what there is for tests: the ledger, the faults, the clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{Api, Call};
use super::clock::ClockChange;
use super::connection::Scissors;
use super::faults::Fault;
use super::ledger::Shown;
use super::server::Vendors;

/// Larger than any call.
const LARGEST_BODY: usize = 1 << 20;

/// Which address leads to which API. The first of each is that of the vendor's own documents or, where these name a test
/// address, of its production; the address is configuration for whoever calls.
const ADDRESSES: [(&str, Api); 15] = [
    ("/poll", Api::Poll),
    ("/pollmap", Api::PollMap),
    ("/trackpush/callback", Api::PollMap),
    ("/poll/query.do", Api::Query),
    ("/poll/channelquery.do", Api::Query),
    ("/test/poll/channelquery.do", Api::Query),
    ("/api/track/packet", Api::Packet),
    ("/api/dist", Api::Packet),
    ("/Ebusiness/EbusinessOrderHandle.aspx", Api::Packet),
    ("/track/v2.4/register", Api::Register),
    ("/track/v2.4/retrack", Api::Retrack),
    ("/track/v2.4/gettrackinfo", Api::GetTrackInfo),
    ("/track/v2.2/register", Api::Register),
    ("/track/v2.2/retrack", Api::Retrack),
    ("/track/v2.2/gettrackinfo", Api::GetTrackInfo),
];

/// All of it.
pub(crate) fn router(vendors: Arc<Vendors>) -> Router {
    let mut router = Router::new();
    for (path, api) in ADDRESSES {
        router = router.route(
            path,
            post(move |State(vendors), ConnectInfo(scissors), headers, body| {
                answer(api, vendors, scissors, headers, body)
            }),
        );
    }
    router
        .route("/ledger", get(ledger))
        .route("/parcels", get(parcels))
        .route("/parcels.csv", get(parcels_csv))
        .route("/faults", get(faults).post(change_faults))
        .route("/clock", get(clock).post(change_clock))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(vendors)
}

async fn answer(api: Api, vendors: Arc<Vendors>, scissors: Scissors, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let call = Call {
        api,
        app_code: header("x-apig-appcode"),
        token: header("17token"),
        content_type: header(header::CONTENT_TYPE.as_str()).unwrap_or_default().to_lowercase(),
        body: body.to_vec(),
    };
    let (now, ahead) = vendors.now_and_ahead();
    let (fault, slow_ms, answer) = {
        let mut desk = vendors.desk();
        desk.ledger.ahead = ahead;
        let fault = desk.draw_fault();
        let answer = (fault != Some(Fault::Hang)).then(|| desk.answer(&call, fault, now));
        let is_begun = answer.as_ref().is_some_and(|answer| answer.begun);
        // Only a call that is taken can be dropped afterwards.
        if let Some(fault) = fault.filter(|fault| *fault != Fault::DropAfterAccept || is_begun) {
            desk.ledger.write_fault(fault.name());
        }
        (fault, desk.faults.slow_ms, answer)
    };
    let Some(answer) = answer else {
        // Whoever calls gives up; at the latest the connection ends with the program.
        return std::future::pending().await;
    };
    match fault {
        Some(Fault::Slow) => tokio::time::sleep(Duration::from_millis(slow_ms)).await,
        Some(Fault::DropAfterAccept) if answer.begun => scissors.cut(),
        _ => {}
    }
    response(answer)
}

fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        let later = header::HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, later);
    }
    response
}

/// All numbers; one of them with `?tracking_number=…`; with `?totals` only what is counted about all.
async fn ledger(State(vendors): State<Arc<Vendors>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let shown = match query.get("tracking_number") {
        Some(number) => Shown::One(number),
        None if query.contains_key("totals") => Shown::Totals,
        None => Shown::All,
    };
    let now = vendors.now();
    let json = vendors.desk().ledger_json(shown, now);
    axum::Json(json).into_response()
}

async fn parcels(State(vendors): State<Arc<Vendors>>) -> Response {
    let now = vendors.now();
    let json = vendors.desk().parcels.to_json(now);
    axum::Json(json).into_response()
}

/// The columns that `?columns=` names.
async fn parcels_csv(State(vendors): State<Arc<Vendors>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let columns = query.get("columns").map_or("tracking_number,carrier", String::as_str);
    let csv = vendors.desk().parcels.to_csv(columns);
    match csv {
        Some(csv) => ([(header::CONTENT_TYPE, "text/csv;charset=utf-8")], csv).into_response(),
        None => refused("no such column"),
    }
}

async fn faults(State(vendors): State<Arc<Vendors>>) -> Response {
    let faults = vendors.desk().faults.clone();
    axum::Json(faults).into_response()
}

/// Members that are not in the body stay as they are. `units` sets what is left to spend, `null` lifts the limit.
async fn change_faults(State(vendors): State<Arc<Vendors>>, body: Bytes) -> Response {
    let Ok(Value::Object(mut change)) = serde_json::from_slice(&body) else {
        return refused("not a JSON object");
    };
    let units = change.remove("units");
    let units: Option<Option<u64>> = match units.map(serde_json::from_value).transpose() {
        Ok(units) => units,
        Err(error) => return refused(&format!("units: {error}")),
    };
    let mut desk = vendors.desk();
    match desk.faults.changed(&Value::Object(change)) {
        Ok(faults) => desk.faults = faults,
        Err(reason) => return refused(&reason),
    }
    if let Some(units) = units {
        desk.ledger.set_units(units);
    }
    axum::Json(desk.faults.clone()).into_response()
}

async fn clock(State(vendors): State<Arc<Vendors>>) -> Response {
    axum::Json(vendors.clock_json()).into_response()
}

async fn change_clock(State(vendors): State<Arc<Vendors>>, body: Bytes) -> Response {
    let change: ClockChange = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(error) => return refused(&error.to_string()),
    };
    match vendors.change_clock(&change) {
        Ok(()) => axum::Json(vendors.clock_json()).into_response(),
        Err(reason) => refused(reason),
    }
}

fn refused(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(json!({"error": reason}))).into_response()
}
