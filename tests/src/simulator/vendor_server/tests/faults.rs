//! What goes wrong on purpose, and what is not a fault at all.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{VendorServer, Vendors, answer, config, param};
use crate::simulator::clock::DAY;

const CALLBACK: &str = "http://127.0.0.1:9/v1/push/kuaidi100/demo";

#[tokio::test]
async fn a_subscription_that_was_taken_but_not_answered_is_a_repeated_one_afterwards() {
    let vendors = Vendors::start().await;
    vendors.faults(&json!({"drop_after_accept": 1.0})).await;
    let param = param("yuantong", "YT0000000000001", CALLBACK);
    let form = [("schema", "json".to_owned()), ("param", param.to_string())];
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = vendors
        .post("/poll")
        .header("content-type", "application/x-www-form-urlencoded");
    let error = request.body(body).send().await.expect_err("the connection is closed");
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(vendors.poll(&param).await, (409, "501".to_owned()), "it had arrived");
    let counts = vendors.counted("YT0000000000001").await;
    assert_eq!((&counts["calls"], &counts["accepted"]), (&2.into(), &1.into()));
    assert_eq!(vendors.get("/ledger").await["faults"], json!({"drop_after_accept": 1}));
}

#[tokio::test]
async fn server_errors_pages_and_limits_take_nothing() {
    let vendors = Vendors::start().await;
    let param = param("yuantong", "YT0000000000001", CALLBACK);
    for (fault, status, answer) in [
        ("server_errors", 500, "500"),
        ("html", 502, "<html>"),
        ("rate_limited", 429, "APIG.0308"),
    ] {
        vendors.faults(&json!({fault: 1.0})).await;
        let (got, code) = vendors.poll(&param).await;
        assert_eq!(got, status, "{fault}");
        assert!(code.contains(answer), "{fault}: {code}");
        vendors.faults(&json!({fault: 0.0})).await;
    }
    assert_eq!(vendors.counted("YT0000000000001").await["accepted"], 0);
    vendors.faults(&json!({"server_errors": 1.0})).await;
    let query = vendors
        .query(&json!({"com": "yuantong", "num": "YT0000000000001"}))
        .await;
    assert_eq!(query["returnCode"], "501", "what a query calls a server error");
    let packet = vendors
        .packet("7101", &json!({"ShipperCode": "YTO", "LogisticCode": "1"}))
        .await;
    assert_eq!(packet["Success"], false);
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_a_hanging_one_never() {
    let vendors = Vendors::start().await;
    vendors.faults(&json!({"slow": 1.0, "slow_ms": 300})).await;
    let started = Instant::now();
    assert_eq!(
        vendors.poll(&param("yuantong", "YT0000000000001", CALLBACK)).await.1,
        "200"
    );
    assert!(started.elapsed() >= Duration::from_millis(300));
    vendors.faults(&json!({"slow": 0.0, "hang": 1.0})).await;
    let second = param("yuantong", "YT0000000000002", CALLBACK);
    let call = vendors.poll(&second);
    assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());
    vendors.faults(&json!({"hang": 0.0})).await;
    assert_eq!(
        vendors.counted("YT0000000000002").await["calls"],
        0,
        "nobody has looked at it"
    );
    vendors.stop().await;
}

#[tokio::test]
async fn a_test_may_force_answers() {
    let vendors = Vendors::start().await;
    vendors
        .faults(&json!({"forced": [
            {"tracking_number": "YT0000000000001", "code": "500", "times": 2},
            {"tracking_number": "YT0000000000002", "code": "799"},
        ]}))
        .await;
    let first = param("yuantong", "YT0000000000001", CALLBACK);
    let second = param("yuantong", "YT0000000000002", CALLBACK);
    let mut codes = Vec::new();
    for param in [&first, &first, &first, &second] {
        codes.push(vendors.poll(param).await.1);
    }
    assert_eq!(codes, ["500", "500", "200", "799"]);
}

#[tokio::test]
async fn the_clock_and_the_faults_refuse_nonsense() {
    let vendors = Vendors::start().await;
    for (path, body) in [
        ("/clock", json!({"advance": -1})),
        ("/clock", json!({"advance": 400 * 365 * DAY})),
        ("/clock", json!({"sped": 1})),
        ("/faults", json!({"html": 3})),
        ("/faults", json!({"units": -1})),
        ("/faults", json!([])),
    ] {
        let (status, answer) = answer(vendors.post(path).json(&body)).await;
        assert_eq!((status, answer["error"].is_string()), (400, true), "{path} {body}");
    }
    let clock: Value = vendors.get("/clock").await;
    assert_eq!(clock, json!({"now": "2025-03-01T00:00:00Z", "speed": 0.0}));
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let server = VendorServer::bind("127.0.0.1:0".parse().unwrap(), config())
        .await
        .unwrap();
    let error = VendorServer::bind(server.address(), config()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}: the port is in use", server.address())
    );
}
