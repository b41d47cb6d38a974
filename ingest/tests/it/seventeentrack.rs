//! 17TRACK over HTTP: its signature in a header, stops without one, and its answers.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use courierflow_schemas::records::{Signature, Vendor};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Answer, Broker, Service, hex, settings};
use courierflow_ingest::publisher::PublishError;

const CROSS_BORDER: &str = include_str!("../samples/17track-a-cross-border.json");
const RETURN: &str = include_str!("../samples/17track-b-return.json");
const STOPPED: &str = include_str!("../samples/17track-c-stopped.json");
const SIGNATURES: &str = include_str!("../samples/17track-signatures.json");
const KEY: &str = "17track-demo-key-0001";
const STOP: &str = r#"{"event":"TRACKING_STOPPED","data":{"number":"RR000000000CN","carrier":3011,"tag":null}}"#;
const SUCCESS: &str = r#"{"code":0}"#;

fn failure(message: &str) -> String {
    format!(r#"{{"code":-1,"message":"{message}"}}"#)
}

fn sign(body: &[u8], key: &str) -> String {
    hex(&Sha256::digest([body, b"/", key.as_bytes()].concat()))
}

async fn push(service: &Service, account: &str, sign: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request =
        Request::post(format!("/v1/push/17track/{account}")).header(header::CONTENT_TYPE, "application/json");
    if let Some(sign) = sign {
        request = request.header("sign", sign);
    }
    service.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn samples_with_their_signatures() {
    let signatures: Value = serde_json::from_str(SIGNATURES).unwrap();
    let service = Service::new();
    for (name, sample, number, carrier) in [
        ("a-cross-border", CROSS_BORDER, "LX000000014CN", "3011"),
        ("b-return", RETURN, "00340000000000000011", "7041"),
        ("c-stopped", STOPPED, "00340000000000000011", "7041"),
    ] {
        let vector = &signatures[name];
        assert_eq!(vector["body_bytes"], sample.len(), "{name}: the bytes of the sample");
        let signed = vector["sign"].as_str().unwrap();
        assert_eq!(sign(sample.as_bytes(), vector["key"].as_str().unwrap()), signed);
        for sign in [signed.to_owned(), signed.to_uppercase(), format!("  {signed} ")] {
            let answer = push(&service, "demo", Some(&sign), sample).await;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (StatusCode::OK, SUCCESS),
                "{name}"
            );
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json;charset=utf-8");
            let event = service.events().remove(0);
            assert_eq!(event.payload, sample, "byte for byte");
            assert_eq!(
                (event.tracking_number.as_str(), event.vendor_carrier.as_str()),
                (number, carrier)
            );
            assert_eq!((event.vendor, event.account.as_str()), (Vendor::SeventeenTrack, "demo"));
            assert_eq!((event.part, event.parts, event.signature), (0, 1, Signature::Verified));
            assert_eq!(
                (event.request_type, event.push_time, event.business_id),
                (None, None, None)
            );
        }
        let of_body_only = vector["sha256_of_body_only"].as_str().unwrap();
        let answer = push(&service, "demo", Some(of_body_only), sample).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(service.published(), []);
    }
}

#[tokio::test]
async fn signature_vectors() {
    let signatures: Value = serde_json::from_str(SIGNATURES).unwrap();
    let service = Service::new();
    let mut refused = 0;
    for name in ["vector-short", "vector-utf8"] {
        let vector = &signatures[name];
        let body = vector["body"].as_str().unwrap();
        let answer = push(&service, "stops", vector["sign"].as_str(), body.to_owned()).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, SUCCESS),
            "{name}"
        );
        assert_eq!(service.events().remove(0).signature, Signature::Verified);
        for (formula, sign) in vector["must_be_refused"].as_object().into_iter().flatten() {
            let answer = push(&service, "stops", sign.as_str(), body.to_owned()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{formula}");
            assert_eq!(answer.body, failure("signature missing or wrong"), "{formula}");
            assert_eq!(service.published(), [], "{formula}");
            refused += 1;
        }
        // The same JSON, formatted differently.
        let blanks = body.replacen(':', ": ", 1);
        let answer = push(&service, "stops", vector["sign"].as_str(), blanks).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
    }
    assert_eq!(refused, 2);
}

#[tokio::test]
async fn rule_2_4_what_needs_a_signature() {
    let update = STOP.replace("STOPPED", "UPDATED");
    let twice = STOP.replace(r#""data""#, r#""event":"TRACKING_UPDATED","data""#);
    let escaped = STOP.replace("TRACKING_STOPPED", "\\u0054RACKING_STOPPED");
    let (ok, unauthorized) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    for (name, account, sign, body, status) in [
        ("no signature", "demo", None, &update, unauthorized),
        ("an empty one", "demo", Some(" "), &update, unauthorized),
        ("a wrong one", "demo", Some("0"), &update, unauthorized),
        ("no signature of a stop", "demo", None, &STOP.to_owned(), unauthorized),
        ("unsigned is accepted", "open", None, &update, ok),
        ("nobody can check it", "open", Some("0"), &update, ok),
        ("unsigned is accepted too", "both", None, &update, ok),
        (
            "a wrong one is refused anyway",
            "both",
            Some("0"),
            &update,
            unauthorized,
        ),
        ("a stop may be unsigned", "stops", None, &STOP.to_owned(), ok),
        ("its word written with escapes", "stops", None, &escaped, ok),
        ("an empty signature is none", "stops", Some(""), &STOP.to_owned(), ok),
        (
            "a stop with a wrong signature",
            "stops",
            Some("0"),
            &STOP.to_owned(),
            unauthorized,
        ),
        ("only a stop may be", "stops", None, &update, unauthorized),
        ("the last word counts", "stops", None, &twice, unauthorized),
        ("not JSON", "stops", None, &STOP[..60].to_owned(), unauthorized),
    ] {
        let service = Service::new();
        let answer = push(&service, account, sign, body.clone()).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        if status == StatusCode::OK {
            assert_eq!(service.events().remove(0).signature, Signature::Unsigned, "{name}");
        } else {
            assert_eq!(service.published(), [], "{name}");
        }
    }
}

#[tokio::test]
async fn both_keys_verify_while_one_replaces_the_other() {
    let service = Service::new();
    for key in ["older", KEY] {
        let answer = push(&service, "demo", Some(&sign(STOP.as_bytes(), key)), STOP).await;
        assert_eq!(answer.status, StatusCode::OK, "{key}");
        assert_eq!(service.events().len(), 1);
    }
}

#[tokio::test]
async fn refused_with_its_failure_body() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    let large = "x".repeat(2 * 1024 * 1024 + 1);
    let no_json = "body is neither a form nor JSON";
    let no_parcel = "no parcel in the push";
    for (name, account, body, status, message) in [
        ("unknown account", "nobody", STOP, 404, "no such account"),
        ("too large", "demo", &large, 413, "body too large"),
        ("empty", "open", "", 400, no_json),
        ("an array", "open", "[1]", 400, no_json),
        ("a form", "open", "param=%7B%7D&sign=0", 400, no_json),
        ("deep", "open", &deep, 400, "JSON nested too deep"),
        ("unsigned, not JSON", "open", "{", 400, no_parcel),
        (
            "unsigned, no parcel",
            "open",
            r#"{"event":"TRACKING_UPDATED"}"#,
            400,
            no_parcel,
        ),
        (
            "unsigned, version 1",
            "open",
            r#"{"sign":"0","event":"TRACKING_UPDATED","data":{"number":"A","track":{}}}"#,
            400,
            no_parcel,
        ),
        ("unsigned", "demo", STOP, 401, "signature missing or wrong"),
    ] {
        let service = Service::new();
        let answer = push(&service, account, None, body.to_owned()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (status, failure(message)),
            "{name}"
        );
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json;charset=utf-8");
        assert_eq!(service.published(), [], "{name}");
    }
}

#[tokio::test]
async fn broker_troubles_are_503() {
    let service = Service::with(&settings(), Broker::Fails(PublishError::AckTimeout));
    let answer = push(&service, "demo", Some(&sign(STOP.as_bytes(), KEY)), STOP).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body, failure("storage did not confirm in time"));
}

#[tokio::test]
async fn signed_but_unusable_is_dead_lettered_and_acknowledged() {
    let service = Service::new();
    for (reason, body) in [
        ("not_json", "{\"event\":1"),
        ("no_parcel", "{}"),
        ("no_parcel", r#"{"event":"TRACKING_UPDATED","data":null}"#),
        ("no_parcel", r#"{"event":"TRACKING_UPDATED","data":[{"number":"A"}]}"#),
        ("no_tracking_number", r#"{"event":"TRACKING_UPDATED","data":{}}"#),
        (
            "no_tracking_number",
            r#"{"event":"TRACKING_UPDATED","data":{"number":" "}}"#,
        ),
        (
            "bad_identifier",
            r#"{"event":"TRACKING_UPDATED","data":{"number":"A\u0000B"}}"#,
        ),
        (
            "missing_field",
            r#"{"sign":"0","event":"TRACKING_UPDATED","data":{"number":"A","carrier":3011,"tag":"","track":{"e":0}}}"#,
        ),
        (
            "missing_field",
            r#"{"event":"TRACKING_UPDATED","data":{"number":"A","track":{},"track_info":null}}"#,
        ),
    ] {
        let answer = push(&service, "demo", Some(&sign(body.as_bytes(), KEY)), body).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, SUCCESS),
            "{body}"
        );
        let mut batches = service.published();
        let batch = batches.remove(0);
        assert_eq!(batch.events, []);
        assert_eq!(batch.dead_letter.unwrap().reason, reason, "{body}");
    }
}

#[tokio::test]
async fn numbers_and_carriers_as_the_vendor_may_write_them() {
    let service = Service::new();
    for (data, number, carrier) in [
        (r#"{"number":" rr1 ","carrier":3011}"#, "RR1", "3011"),
        (r#"{"number":340,"carrier":" 3011 "}"#, "340", "3011"),
        (r#"{"number":"A","carrier":0}"#, "A", ""),
        (r#"{"number":"A","carrier":"0"}"#, "A", ""),
        (r#"{"number":"A","carrier":null}"#, "A", ""),
        (r#"{"number":"A"}"#, "A", ""),
        (r#"{"number":"A","number":"B","track":1}"#, "B", ""),
    ] {
        // An unknown event is stored and acknowledged like any other.
        let body = format!(r#"{{"event":"TRACKING_NEW","data":{data}}}"#);
        let answer = push(&service, "open", None, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{data}");
        let event = service.events().remove(0);
        assert_eq!(
            (event.tracking_number.as_str(), event.vendor_carrier.as_str()),
            (number, carrier),
            "{data}"
        );
    }
}
