//! Requests for subscriptions over HTTP: who may ask, what is stored, and what the answers are.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use courierflow_ingest::app::{App, admin_router};
use courierflow_ingest::config::IngestSettings;
use courierflow_ingest::metrics::Metrics;
use courierflow_ingest::publisher::{Batch, PublishError};
use courierflow_ingest::readiness::Readiness;
use courierflow_ingest::subscriptions::answer::Refusal;
use courierflow_ingest::subscriptions::settings::{SubscriptionsSettings, TokenSettings};
use courierflow_ingest::subscriptions::{MAX_BODY_BYTES, Subscriptions, router};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{RequestAction, SubscriptionRequest};
use courierflow_schemas::settings::Secret;
use courierflow_service::http_server::{Metrics as ServerMetrics, serve};
use courierflow_vendors::request::account::SubscribeAccounts;
use courierflow_vendors::request::error::Code;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::support::{Broker, Recorder, settings};

const OMS: &str = "oms-token-000000000000000000000001";
const SHOP: &str = "shop-token-00000000000000000000001";
const PATH: &str = "/v1/subscriptions";
const CANCEL: &str = "/v1/subscriptions/cancel";

fn accounts() -> SubscribeAccounts {
    let accounts: SubscribeAccounts = serde_json::from_value(json!({"accounts": [
        {"name": "demo", "vendor": "kuaidi100", "api": "kuaidi100_enterprise"},
        {"name": "map", "vendor": "kuaidi100", "api": "kuaidi100_map"},
        {"name": "demo", "vendor": "kdniao", "api": "kdniao_cross_border"},
    ]}))
    .unwrap();
    accounts.validate(Carriers::built_in()).unwrap();
    accounts
}

fn token(name: &str, token: &str, accounts: &[&str], rate_per_minute: u32) -> TokenSettings {
    TokenSettings {
        name: name.to_owned(),
        token_file: "unread".into(),
        accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
        rate_per_minute,
        tokens: vec![Secret::new(token)],
    }
}

/// `oms` may use both accounts of Kuaidi100, `shop` that of Kdniao, for ten items a minute.
fn subscriptions() -> SubscriptionsSettings {
    SubscriptionsSettings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        tokens: vec![
            token("oms", OMS, &["kuaidi100/demo", "kuaidi100/map"], 100_000),
            token("shop", SHOP, &["kdniao/demo"], 10),
        ],
        ..SubscriptionsSettings::default()
    }
}

struct Service {
    router: Router,
    metrics: Router,
    batches: Arc<Mutex<Vec<Batch>>>,
    readiness: Arc<Readiness>,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn error(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

impl Service {
    fn new() -> Self {
        Self::with(&settings(), Broker::default())
    }

    fn with(settings: &IngestSettings, broker: Broker) -> Self {
        let readiness = Arc::new(Readiness::with_subscriptions());
        let recorder = Recorder {
            broker,
            ..Recorder::default()
        };
        let batches = Arc::clone(&recorder.batches);
        let (push_accounts, accounts) = (settings.accounts().unwrap(), accounts());
        let tokens = subscriptions().tokens(&accounts).unwrap();
        let metrics = Metrics::with_requesters(&push_accounts, &tokens).unwrap();
        let app = App::new(settings, push_accounts, metrics, Arc::clone(&readiness), recorder);
        let app = Arc::new(app);
        let subscriptions = Subscriptions {
            app: Arc::clone(&app),
            tokens,
            accounts,
            carriers: Carriers::built_in(),
        };
        Self {
            router: router(Arc::new(subscriptions)),
            metrics: admin_router(app),
            batches,
            readiness,
        }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(json_request(path, token, body.to_string())).await
    }

    async fn ask(&self, body: &Value) -> Answer {
        self.post(PATH, OMS, body).await
    }

    fn published(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.batches.lock().unwrap())
    }

    /// The records of the one request that was stored since the last call.
    fn requests(&self) -> Vec<SubscriptionRequest> {
        let mut batches = self.published();
        assert_eq!(batches.len(), 1, "one request");
        let batch = batches.remove(0);
        assert!(batch.events.is_empty() && batch.dead_letter.is_none());
        batch.requests
    }

    async fn count(&self, requester: &str, outcome: &str) -> u64 {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let body = self.metrics.clone().oneshot(request).await.unwrap().into_body();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        let name = format!(
            "courierflow_ingest_subscription_requests_total{{requester=\"{requester}\",outcome=\"{outcome}\"}} "
        );
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    }
}

fn json_request(path: &str, token: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(body.into())
        .unwrap()
}

fn item() -> Value {
    json!({"tracking_number": "YT0000000000001", "carrier": "yto", "request_id": "r1"})
}

fn item_with(changes: &Value) -> Value {
    let mut item = item();
    item.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    item
}

#[tokio::test]
async fn a_request_is_accepted_when_it_is_stored() {
    let service = Service::new();
    // As `curl -d` sends it.
    let request = Request::post(PATH)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, format!("Bearer {OMS}"));
    let answer = service
        .send(request.body(Body::from(item().to_string())).unwrap())
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json;charset=utf-8");
    let expected = json!({"accepted": 1, "refused": 0, "results": [
        {"tracking_number": "YT0000000000001", "request_id": "r1", "status": "accepted"}]});
    assert_eq!(answer.body, expected);
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].requester, "oms");
    assert_eq!(
        (requests[0].vendor.as_deref(), requests[0].account.as_deref()),
        (Some("kuaidi100"), Some("demo"))
    );
    assert_eq!(service.count("oms", "accepted").await, 1);
}

#[tokio::test]
async fn a3_of_several_items_the_good_ones_are_stored_and_the_others_told() {
    let service = Service::new();
    let bad = [
        (
            json!({"tracking_number": "Y".repeat(33), "request_id": "b0"}),
            "bad_number",
            "tracking_number",
        ),
        (json!({"carrier": "sf", "request_id": "b1"}), "phone_required", "phone"),
        (
            json!({"vendor": "kuaidi100", "account": "map", "from": "北京市朝阳区"}),
            "places_required",
            "to",
        ),
        (json!({"auto_carrier": true}), "carrier_and_auto", "carrier"),
        (json!({"colour": "red"}), "unknown_field", "colour"),
        (json!({"vendor": "kdniao"}), "unknown_vendor", "vendor"),
        (json!({"account": "nobody"}), "unknown_account", "account"),
    ];
    let mut items: Vec<Value> = bad.iter().map(|(changes, ..)| item_with(changes)).collect();
    items.push(json!("no object"));
    items.push(item_with(
        &json!({"tracking_number": "sf0000000000001", "carrier": "sf", "phone": "13488888888"}),
    ));
    let answer = service.ask(&Value::Array(items.clone())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(
        (&answer.body["accepted"], &answer.body["refused"]),
        (&json!(1), &json!(8))
    );
    for (index, (_, code, field)) in bad.iter().enumerate() {
        let result = &answer.body["results"][index];
        assert_eq!(result["status"], "refused");
        assert_eq!(
            (&result["error"]["code"], &result["error"]["field"]),
            (&json!(code), &json!(field))
        );
        assert!(result["error"]["message"].is_string());
        assert_eq!(service.count("oms", code).await, 1, "{code}");
    }
    assert_eq!(answer.body["results"][0]["request_id"], "b0");
    assert_eq!(
        answer.body["results"][7]["error"],
        json!({"code": "not_an_object", "message": "is not a JSON object"})
    );
    assert_eq!(answer.body["results"][8]["tracking_number"], "SF0000000000001");
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].phone.as_deref(), Some("8888"));

    // None of them is good.
    items.pop();
    let answer = service.ask(&Value::Array(items)).await;
    assert_eq!(
        (answer.status, &answer.body["accepted"]),
        (StatusCode::BAD_REQUEST, &json!(0))
    );
    assert!(service.published().is_empty());
}

#[tokio::test]
async fn a3_what_is_refused_as_a_whole_is_not_stored() {
    let service = Service::new();
    let too_many = Value::Array(vec![item(); 501]);
    let foreign = json!([item(), item_with(&json!({"vendor": "kdniao", "account": "demo"}))]);
    let authorized = |body: Body| json_request(PATH, OMS, body);
    let with_type = |content_type: &str| {
        let mut request = authorized(Body::from(item().to_string()));
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        request
    };
    let mut no_token = authorized(Body::from(item().to_string()));
    no_token.headers_mut().remove(header::AUTHORIZATION);
    let mut get = authorized(Body::empty());
    *get.method_mut() = axum::http::Method::GET;
    let large = format!("[{}]", " ".repeat(MAX_BODY_BYTES));
    // Request, status, code, requester.
    let cases = [
        (no_token, 401, "unauthorized", "unknown"),
        (
            json_request(PATH, "wrong", item().to_string()),
            401,
            "unauthorized",
            "unknown",
        ),
        (
            json_request(PATH, &OMS[1..], item().to_string()),
            401,
            "unauthorized",
            "unknown",
        ),
        (
            authorized(Body::from(foreign.to_string())),
            403,
            "foreign_account",
            "oms",
        ),
        (get, 405, "method_not_allowed", "oms"),
        (authorized(Body::from(large)), 413, "too_large", "oms"),
        (with_type("text/plain"), 415, "not_json_type", "oms"),
        (
            with_type("multipart/form-data; boundary=x"),
            415,
            "not_json_type",
            "oms",
        ),
        (authorized(Body::from("{\"tracking_number\":")), 400, "not_json", "oms"),
        (authorized(Body::from("\"text\"")), 400, "not_json", "oms"),
        (
            authorized(Body::from(&b"{\"reference\":\"\xff\"}"[..])),
            400,
            "not_json",
            "oms",
        ),
        (authorized(Body::from("[]")), 400, "empty", "oms"),
        (authorized(Body::from(too_many.to_string())), 400, "too_many", "oms"),
    ];
    for (request, status, code, requester) in cases {
        let before = service.count(requester, code).await;
        let answer = service.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.error()), (status, code));
        assert_eq!(answer.headers.contains_key(header::ALLOW), status == 405);
        assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), status == 401);
        assert_eq!(service.count(requester, code).await, before + 1, "{code}");
        assert!(service.published().is_empty(), "{code}");
    }
    let types = ["application/json", "application/vnd.oms+json", "APPLICATION/JSON"];
    for content_type in types {
        assert_eq!(
            service.send(with_type(content_type)).await.status,
            StatusCode::ACCEPTED,
            "{content_type}"
        );
    }
    let answer = service.ask(&Value::Array(vec![item(); 500])).await;
    assert_eq!(
        (answer.status, &answer.body["accepted"]),
        (StatusCode::ACCEPTED, &json!(500))
    );
}

#[tokio::test]
async fn a3_without_kafka_nothing_is_accepted() {
    for (error, code) in [
        (PublishError::NotReady, "not_ready"),
        (PublishError::QueueFull, "queue_full"),
        (PublishError::AckTimeout, "ack_timeout"),
        (PublishError::NotDelivered("no leader".to_owned()), "not_delivered"),
    ] {
        let service = Service::with(&settings(), Broker::Fails(error));
        let answer = service.ask(&item()).await;
        assert_eq!((answer.status, answer.error()), (StatusCode::SERVICE_UNAVAILABLE, code));
        assert_eq!(answer.headers[header::RETRY_AFTER], "10");
        assert_eq!(service.count("oms", "accepted").await, 0);
        // What cannot be used is told without Kafka.
        let answer = service.ask(&item_with(&json!({"colour": "red"}))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn the_answer_comes_after_the_acknowledgement() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let service = Arc::new(Service::with(&settings(), Broker::Waits(Arc::clone(&gate))));
    let asking = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.ask(&item()).await }
    });
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(200) {
        assert!(!asking.is_finished());
        tokio::task::yield_now().await;
    }
    gate.add_permits(1);
    assert_eq!(asking.await.unwrap().status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn requests_are_bounded_as_pushes_are() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let limited = IngestSettings {
        max_in_flight_requests: 1,
        ..settings()
    };
    let service = Arc::new(Service::with(&limited, Broker::Waits(Arc::clone(&gate))));
    let first = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.ask(&item()).await }
    });
    tokio::task::yield_now().await;
    let answer = service.ask(&item()).await;
    assert_eq!(
        (answer.status, answer.error()),
        (StatusCode::SERVICE_UNAVAILABLE, "busy")
    );
    assert_eq!(answer.headers[header::RETRY_AFTER], "10");
    gate.add_permits(10);
    assert_eq!(first.await.unwrap().status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408_and_a_stranger_is_told_before_it_arrives() {
    let slow = IngestSettings {
        body_timeout_ms: 200,
        ..settings()
    };
    let service = Service::with(&slow, Broker::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = slow.connection_limits();
    tokio::spawn(serve(
        listener,
        service.router.clone(),
        limits,
        ServerMetrics::none(),
        std::future::pending(),
    ));
    for (token, status) in [(OMS, "HTTP/1.1 408"), ("wrong", "HTTP/1.1 401")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head =
            format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 90\r\n\r\n{{");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut start = vec![0; status.len()];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&start), status);
    }
}

#[tokio::test]
async fn a_token_has_so_many_items_a_minute() {
    let service = Service::new();
    let items = |count: usize| Value::Array(vec![item_with(&json!({"carrier": "YTO"})); count]);
    let answer = service.post(PATH, SHOP, &items(11)).await;
    assert_eq!((answer.status, answer.error()), (StatusCode::BAD_REQUEST, "too_many"));
    assert_eq!(service.post(PATH, SHOP, &items(10)).await.status, StatusCode::ACCEPTED);
    let answer = service.post(PATH, SHOP, &items(1)).await;
    assert_eq!(
        (answer.status, answer.error()),
        (StatusCode::TOO_MANY_REQUESTS, "over_rate")
    );
    let seconds: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&seconds), "{seconds}");
    // Another token has a budget of its own.
    assert_eq!(service.ask(&item()).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_single_item_may_have_its_id_in_the_head() {
    let service = Service::new();
    let send = |key: &'static str, body: Value| {
        let mut request = json_request(PATH, OMS, body.to_string());
        request.headers_mut().insert("Idempotency-Key", key.parse().unwrap());
        service.send(request)
    };
    let without = item_with(&json!({"request_id": null}));
    // Key, body, id.
    for (key, body, id) in [
        ("k-1", without.clone(), "k-1"),
        ("\"k-2\"", json!([without.clone()]), "k-2"),
        ("k-3", item(), "r1"),
    ] {
        let answer = send(key, body).await;
        assert_eq!(answer.body["results"][0]["request_id"], id);
        assert_eq!(service.requests()[0].request_id, id);
    }
    for (key, body) in [
        ("k 4", without.clone()),
        ("k-5", json!([without.clone(), without.clone()])),
    ] {
        let answer = send(key, body).await;
        assert_eq!(answer.body["results"][0]["error"]["code"], "bad_request_id", "{key}");
    }
}

#[tokio::test]
async fn a_cancellation_is_one_record_for_each_account_of_the_token() {
    let service = Service::new();
    let body = json!({"tracking_number": "yt0000000000001", "request_id": "c1"});
    let answer = service.post(CANCEL, OMS, &body).await;
    assert_eq!(
        (answer.status, &answer.body["accepted"]),
        (StatusCode::ACCEPTED, &json!(1))
    );
    let requests = service.requests();
    assert!(requests.iter().all(|request| request.action == RequestAction::Cancel));
    let accounts: Vec<_> = requests
        .iter()
        .map(|request| request.account.as_deref().unwrap())
        .collect();
    assert_eq!(accounts, ["demo", "map"]);
    assert_eq!(service.count("oms", "accepted").await, 1);
    let answer = service.post(CANCEL, OMS, &item()).await;
    assert_eq!(answer.body["results"][0]["error"]["code"], "unknown_field");
}

#[tokio::test]
async fn ready_when_requests_can_be_stored() {
    let service = Service::new();
    let get = async |path: &str| service.send(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(get("/livez").await.status, StatusCode::OK);
    assert_eq!(get("/nothing").await.error(), "not_found");
    service.readiness.set_broker(true);
    service.readiness.set_topics(true);
    service.readiness.set_schema_known();
    let answer = get("/readyz").await;
    assert_eq!(
        (answer.status, &answer.body["subscriptions"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false))
    );
    service.readiness.set_subscriptions(true);
    assert_eq!(get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_is_described_and_no_other() {
    let service = Service::new();
    let description = service
        .send(Request::get("/openapi.json").body(Body::empty()).unwrap())
        .await
        .body;
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut statuses: BTreeSet<String> = Refusal::ALL
        .iter()
        .map(|refusal| refusal.row().status.as_str().to_owned())
        .collect();
    statuses.insert("202".to_owned());
    // A wrong method is a property of the path, not of POST.
    statuses.remove("405");
    for path in [PATH, CANCEL] {
        let responses = description["paths"][path]["post"]["responses"].as_object().unwrap();
        assert_eq!(responses.keys().cloned().collect::<BTreeSet<_>>(), statuses, "{path}");
    }
    let described =
        &description["components"]["schemas"]["Result"]["properties"]["error"]["properties"]["code"]["enum"];
    let codes = Code::ALL.into_iter().filter(|code| *code != Code::ForeignAccount);
    assert_eq!(*described, json!(codes.map(Code::as_str).collect::<Vec<_>>()));
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
    }
}
