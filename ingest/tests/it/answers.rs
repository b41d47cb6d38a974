//! Every row of the table of answers, with exact bodies.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use courierflow_ingest::publisher::PublishError;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::support::{Answer, Broker, CROSS_BORDER, INTERNATIONAL, Service, kdniao_form, kuaidi100_form, settings};

const KUAIDI100_SUCCESS: &str = r#"{"result":true,"returnCode":"200","message":"成功"}"#;

fn kuaidi100_failure(code: &str, message: &str) -> String {
    format!(r#"{{"result":false,"returnCode":"{code}","message":"{message}"}}"#)
}

/// Compares everything but the time, which must be the present time in China.
fn assert_kdniao(answer: &Answer, business_id: &str, success: bool, reason: &str) {
    let prefix = format!(r#"{{"EBusinessID":"{business_id}","UpdateTime":""#);
    let suffix = format!(r#"","Success":{success},"Reason":"{reason}"}}"#);
    let time = answer
        .body
        .strip_prefix(&prefix)
        .and_then(|rest| rest.strip_suffix(&suffix));
    let time = time.unwrap_or_else(|| panic!("{prefix}…{suffix} expected, {} found", answer.body));
    assert_eq!(time.len(), 19, "{time}");
    let time: jiff::civil::DateTime = time.replacen(' ', "T", 1).parse().unwrap();
    let time = time.to_zoned(TimeZone::fixed(Offset::constant(8))).unwrap().timestamp();
    let now = Timestamp::now();
    assert!(time <= now && time >= now - 1.minute(), "{time} is not now");
}

fn assert_json(answer: &Answer) {
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json;charset=utf-8");
}

#[tokio::test]
async fn stored() {
    let service = Service::new();
    let answer = service
        .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
        .await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, KUAIDI100_SUCCESS)
    );
    assert_json(&answer);
    assert_eq!(service.events().len(), 1);

    let answer = service.post("/v1/push/kdniao/demo", kdniao_form(CROSS_BORDER)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_json(&answer);
    assert_kdniao(&answer, "1000001", true, "");
    assert_eq!(service.events().len(), 1);
}

/// One row: each body that is not empty is sent to the account of that name of its vendor.
struct Refused {
    name: &'static str,
    account: &'static str,
    kuaidi100: Option<String>,
    kdniao: Option<String>,
    status: u16,
    text: &'static str,
}

fn refused(name: &'static str, account: &'static str, kuaidi100: &str, kdniao: &str, status: u16) -> Refused {
    let text = match status {
        401 => "signature missing or wrong",
        404 => "no such account",
        413 => "body too large",
        _ => "no parcel in the push",
    };
    Refused {
        name,
        account,
        kuaidi100: Some(kuaidi100.to_owned()),
        kdniao: Some(kdniao.to_owned()),
        status,
        text,
    }
}

impl Refused {
    fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    fn only_kdniao(self) -> Self {
        Self {
            kuaidi100: None,
            ..self
        }
    }
}

fn refusals() -> Vec<Refused> {
    let (kuaidi100, kdniao) = (kuaidi100_form(INTERNATIONAL), kdniao_form(CROSS_BORDER));
    let wrongly_signed = |form: &str| form.replace("ign=", "ign=x");
    let large = "a=".to_owned() + &"x".repeat(2 * 1024 * 1024);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    let hundred_and_one = format!("{{\"Data\":[{}]}}", vec![r#"{"LogisticCode":"X"}"#; 101].join(","));
    let no_form = "body is neither a form nor JSON";
    let too_deep = "JSON nested too deep";
    let too_many = "too many parcels in one push";
    vec![
        refused("no sign", "demo", "param=%7B%7D", "RequestData=%7B%7D", 401),
        refused(
            "wrong sign",
            "demo",
            &wrongly_signed(&kuaidi100),
            &wrongly_signed(&kdniao),
            401,
        ),
        refused(
            "empty sign",
            "demo",
            "param=%7B%7D&sign=",
            "RequestData=%7B%7D&DataSign=",
            401,
        ),
        refused("bare JSON", "demo", INTERNATIONAL, CROSS_BORDER, 401),
        refused("flat form", "demo", "status=polling&lastResult={}", "Data=1", 401),
        refused(
            "rule 2.4: wrong sign",
            "both",
            "param=%7B%7D&sign=0",
            "RequestData=%7B%7D&DataSign=0",
            401,
        ),
        refused("unsigned, not JSON", "open", "param=polling", "RequestData=x", 400),
        refused(
            "unsigned, no parcel",
            "open",
            r#"{"lastResult":null}"#,
            r#"{"Data":[]}"#,
            400,
        ),
        refused("unsigned, no field", "open", "a=b", "a=b", 400),
        refused("neither form nor JSON", "demo", "hello", "hello", 400).text(no_form),
        refused("empty", "open", "", "", 400).text(no_form),
        refused("an array", "open", "[1]", "[1]", 400).text(no_form),
        refused("unknown account", "nobody", &kuaidi100, &kdniao, 404),
        refused("2 MiB and a bit", "demo", &large, &large, 413),
        refused(
            "signed and deep",
            "demo",
            &kuaidi100_form(&deep),
            &kdniao_form(&deep),
            400,
        )
        .text(too_deep),
        refused("unsigned and deep", "open", &deep, &deep, 400).text(too_deep),
        refused("101 parcels", "demo", "", &kdniao_form(&hundred_and_one), 400)
            .text(too_many)
            .only_kdniao(),
        refused("101 unsigned parcels", "open", "", &hundred_and_one, 400)
            .text(too_many)
            .only_kdniao(),
    ]
}

#[tokio::test]
async fn refused_with_the_vendors_failure_body() {
    let service = Service::new();
    for case in refusals() {
        let Refused {
            name,
            account,
            status,
            text,
            ..
        } = case;
        if let Some(body) = case.kuaidi100 {
            let answer = service.post(&format!("/v1/push/kuaidi100/{account}"), body).await;
            assert_eq!(answer.status, status, "{name}: {}", answer.body);
            assert_eq!(answer.body, kuaidi100_failure(&status.to_string(), text), "{name}");
            assert_json(&answer);
        }
        if let Some(body) = case.kdniao {
            let answer = service.post(&format!("/v1/push/kdniao/{account}"), body).await;
            assert_eq!(answer.status, status, "{name}: {}", answer.body);
            let business_id = match account {
                "nobody" => "",
                "both" => "1000002",
                _ => "1000001",
            };
            assert_kdniao(&answer, business_id, false, text);
            assert_json(&answer);
        }
        assert_eq!(service.published(), [], "{name}: nothing is stored");
    }
}

#[tokio::test]
async fn broker_troubles_are_503_with_retry_after() {
    for (error, text) in [
        (PublishError::NotReady, "storage unavailable"),
        (PublishError::QueueFull, "storage too slow"),
        (PublishError::AckTimeout, "storage did not confirm in time"),
        (
            PublishError::NotDelivered("secret details".to_owned()),
            "storage refused",
        ),
    ] {
        let service = Service::with(&settings(), Broker::Fails(error));
        // The same for a push that would be dead-lettered, because nothing is known to be stored.
        for body in [kuaidi100_form(INTERNATIONAL), kuaidi100_form("{}")] {
            let answer = service.post("/v1/push/kuaidi100/demo", body).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.body, kuaidi100_failure("500", text));
            assert_eq!(answer.headers[header::RETRY_AFTER], "10");
        }
        let answer = service.post("/v1/push/kdniao/demo", kdniao_form(CROSS_BORDER)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_kdniao(&answer, "1000001", false, text);
        assert_eq!(answer.headers[header::RETRY_AFTER], "10");
    }
}

#[tokio::test]
async fn too_many_requests_in_flight() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let limited = courierflow_ingest::config::IngestSettings {
        max_in_flight_requests: 1,
        ..settings()
    };
    let service = std::sync::Arc::new(Service::with(&limited, Broker::Waits(gate.clone())));
    let first = tokio::spawn({
        let service = service.clone();
        async move {
            service
                .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
                .await
        }
    });
    tokio::task::yield_now().await;
    let busy = service
        .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
        .await;
    assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy.body, kuaidi100_failure("500", "too many requests in flight"));
    assert_eq!(busy.headers[header::RETRY_AFTER], "10");
    let busy = service.post("/v1/push/kdniao/demo", kdniao_form(CROSS_BORDER)).await;
    assert_kdniao(&busy, "1000001", false, "too many requests in flight");
    // The first is not disturbed, and its place is free afterwards.
    gate.add_permits(10);
    assert_eq!(first.await.unwrap().body, KUAIDI100_SUCCESS);
    let next = service
        .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
        .await;
    assert_eq!(next.body, KUAIDI100_SUCCESS);
}

#[tokio::test]
async fn too_many_bytes_in_flight() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let limited = courierflow_ingest::config::IngestSettings {
        max_in_flight_bytes: 3000,
        max_body_bytes: 3000,
        ..settings()
    };
    let service = std::sync::Arc::new(Service::with(&limited, Broker::Waits(gate.clone())));
    let body = kuaidi100_form(INTERNATIONAL);
    assert!(body.len() > 1500 && body.len() < 3000);
    let first = tokio::spawn({
        let (service, body) = (service.clone(), body.clone());
        async move { service.post("/v1/push/kuaidi100/demo", body).await }
    });
    tokio::task::yield_now().await;
    let busy = service.post("/v1/push/kuaidi100/demo", body).await;
    assert_eq!(busy.body, kuaidi100_failure("500", "too many requests in flight"));
    gate.add_permits(10);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn other_methods() {
    let service = Service::new();
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        for (path, business_id) in [
            ("/v1/push/kuaidi100/demo", None),
            ("/v1/push/kdniao/demo", Some("1000001")),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let answer = service.send(request).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.headers[header::ALLOW], "POST");
            match business_id {
                _ if method == "HEAD" => {}
                None => assert_eq!(answer.body, kuaidi100_failure("405", "pushes are sent by POST")),
                Some(business_id) => assert_kdniao(&answer, business_id, false, "pushes are sent by POST"),
            }
        }
    }
}

#[tokio::test]
async fn other_paths() {
    let service = Service::new();
    for path in [
        "/",
        "/v1/push",
        "/v1/push/kuaidi100",
        "/v1/push/kuaidi100/",
        "/v1/push/other/demo",
        "/v1/push/kdniao/demo/x",
    ] {
        assert_eq!(service.post(path, "a=b").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    // Paths below /v1/push/ are answered in the vendor's format, or in that of one of them (rule 2.2), and counted.
    for path in [
        "/v1/push",
        "/v1/push/other/demo",
        "/v1/push/KUAIDI100/demo",
        "/v1/push/kuaidi100//demo",
        "/v1/push/kuaidi100/demo/x",
    ] {
        let answer = service.post(path, "a=b").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.body, kuaidi100_failure("404", "no such account"), "{path}");
    }
    let metrics = service.get("/metrics").await.body;
    assert!(
        metrics.contains(r#"courierflow_ingest_pushes_total{vendor="unknown",outcome="unknown_path"} 6"#),
        "{metrics}"
    );
    // The vendor is recognised in any spelling, for the form of the answer only.
    for (path, is_answered_as) in [
        ("/v1/push/KDNIAO/demo", r#""Success":false"#),
        ("/v1/push/v1/push/kdniao/demo", r#""Success":false"#),
        ("/v1/push/17Track/demo", r#"{"code":-1,"#),
    ] {
        let answer = service.post(path, "a=b").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.contains(is_answered_as), "{path}: {}", answer.body);
    }
    // A post to any other address was meant to be a push, too; whoever only looks is not counted.
    for path in [
        "/",
        "/push/kuaidi100/demo",
        "//v1/push/kuaidi100/demo",
        "/V1/push/kdniao/demo",
        "/v1/pushes",
    ] {
        let answer = service.post(path, "a=b").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::NOT_FOUND, "not found\n"),
            "{path}"
        );
        assert_eq!(service.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let metrics = service.get("/metrics").await.body;
    assert!(
        metrics.contains(r#"courierflow_ingest_pushes_total{vendor="unknown",outcome="unknown_path"} 14"#),
        "{metrics}"
    );
    // A slash at the end changes nothing.
    let answer = service
        .post("/v1/push/kuaidi100/demo/", kuaidi100_form(INTERNATIONAL))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    // Names that are not UTF-8 or are spelled differently are unknown accounts.
    for account in ["%ff", "Demo", "demo%20", "%00", "%2e%2e"] {
        let answer = service.post(&format!("/v1/push/kuaidi100/{account}"), "a=b").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{account}");
        assert_eq!(answer.body, kuaidi100_failure("404", "no such account"));
    }
    // An encoded name is the same name.
    let answer = service
        .post("/v1/push/kuaidi100/d%65mo", kuaidi100_form(INTERNATIONAL))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn health_and_metrics() {
    let service = Service::new();
    assert_eq!(service.get("/livez").await.status, StatusCode::OK);
    let answer = service.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.body,
        r#"{"ready":false,"broker":false,"topics":false,"schema":false,"stopping":false}"#
    );
    service.readiness.set_broker(true);
    service.readiness.set_topics(true);
    service.readiness.set_schema_known();
    let answer = service.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.body,
        r#"{"ready":true,"broker":true,"topics":true,"schema":true,"stopping":false}"#
    );
    service.readiness.set_stopping();
    assert_eq!(service.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);

    service
        .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
        .await;
    service.post("/v1/push/kuaidi100/demo", kuaidi100_form("{}")).await;
    service.post("/v1/push/kdniao/open", "hello").await;
    let metrics = service.get("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    for line in [
        r#"courierflow_ingest_pushes_total{vendor="kuaidi100",outcome="stored"} 1"#,
        r#"courierflow_ingest_pushes_total{vendor="kuaidi100",outcome="dead_lettered"} 1"#,
        r#"courierflow_ingest_pushes_total{vendor="kdniao",outcome="not_a_form"} 1"#,
        r#"courierflow_ingest_pushes_total{vendor="kdniao",outcome="queue_full"} 0"#,
        r#"courierflow_ingest_unusable_total{vendor="kuaidi100",reason="no_parcel"} 1"#,
        r#"courierflow_ingest_parcels_total{vendor="kuaidi100"} 1"#,
        r#"courierflow_ingest_push_duration_seconds_count{vendor="kuaidi100"} 2"#,
        "courierflow_ingest_requests_in_flight 0",
        "# TYPE courierflow_build_info gauge",
        "# TYPE process_resident_memory_bytes gauge",
        "courierflow_ingest_body_bytes_in_flight 0",
    ] {
        assert!(
            metrics.body.lines().any(|found| found == line),
            "{line} is not in\n{}",
            metrics.body
        );
    }
}
