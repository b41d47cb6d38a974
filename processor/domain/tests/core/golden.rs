//! The vendors' own sample payloads, each with the records that it must give. See `golden/README.md`.

#![expect(clippy::disallowed_methods, reason = "the samples and what they give are files")]

use std::fs;
use std::path::PathBuf;

use courierflow_domain::Derived;
use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, Vendor};
use serde_json::{Map, Value, json};

use crate::pushes::{Step, Stream, micros};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/core/golden")
        .join(name)
}

fn fixture(name: &str) -> String {
    fs::read_to_string(path(&format!("{name}.json"))).unwrap()
}

/// What ingest makes of a payload.
fn envelope(vendor: Vendor, number: &str, received_at: &str, payload: String) -> PushEvent {
    PushEvent {
        push_id: PushId(*b"golden push id 1"),
        part: 0,
        parts: 1,
        vendor,
        account: "demo".to_owned(),
        received_at: micros(received_at),
        signature: Signature::Verified,
        vendor_carrier: String::new(),
        tracking_number: number.to_owned(),
        request_type: None,
        query: String::new(),
        content_type: "application/x-www-form-urlencoded".to_owned(),
        push_time: None,
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}

/// Records as a reviewer reads them: instants as UTC texts, the push id as hex.
fn render(derived: &Derived) -> String {
    let shipment = readable(serde_json::to_value(&derived.shipment).unwrap());
    let transitions = readable(serde_json::to_value(&derived.transitions).unwrap());
    let mut text = serde_json::to_string_pretty(&json!({"shipment": shipment, "transitions": transitions})).unwrap();
    text.push('\n');
    text
}

fn readable(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: Map<_, _> = fields
                .into_iter()
                .map(|(key, value)| {
                    let value = match (key.as_str(), &value) {
                        ("received_at" | "first_received_at" | "last_push_at", Value::Number(micros)) => {
                            jiff::Timestamp::from_microsecond(micros.as_i64().unwrap())
                                .unwrap()
                                .to_string()
                                .into()
                        }
                        ("epoch", Value::Number(days)) => {
                            let days = jiff::Span::new().days(days.as_i64().unwrap());
                            jiff::civil::date(1970, 1, 1)
                                .checked_add(days)
                                .unwrap()
                                .to_string()
                                .into()
                        }
                        ("push_time" | "edd_first" | "edd_last", Value::Number(millis)) => {
                            utc(millis.as_i64().unwrap())
                        }
                        (key, Value::Number(millis)) if key.ends_with("_at") => utc(millis.as_i64().unwrap()),
                        ("push_id", Value::Array(bytes)) => {
                            let bytes: [u8; 16] =
                                std::array::from_fn(|n| bytes[n].as_u64().unwrap().try_into().unwrap());
                            format!("{:032x}", u128::from_be_bytes(bytes)).into()
                        }
                        _ => readable(value),
                    };
                    (key, value)
                })
                .collect();
            Value::Object(fields)
        }
        Value::Array(values) => Value::Array(values.into_iter().map(readable).collect()),
        other => other,
    }
}

fn utc(millis: i64) -> Value {
    jiff::Timestamp::from_millisecond(millis).unwrap().to_string().into()
}

fn check(name: &str, event: &PushEvent) {
    check_after(&[], name, event);
}

/// The records of an event after earlier ones of the same parcel.
fn check_after(earlier: &[PushEvent], name: &str, event: &PushEvent) {
    let mut stream = Stream::default();
    for event in earlier {
        stream.accept(event);
    }
    let derived = stream.accept(event);
    let actual = render(&derived);
    let expected = path(&format!("{name}.expected.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&expected, &actual).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap_or_default();
    assert!(
        actual == expected,
        "{name}: records differ from the golden file; now they are\n{actual}"
    );
    assert_eq!(stream.push(event), Step::Duplicate);
}

#[test]
fn golden_kuaidi100_subscribe_and_push() {
    let name = "kuaidi100-subscribe-and-push";
    check(
        name,
        &envelope(Vendor::Kuaidi100, "735587678765", "2025-06-16T00:00:00Z", fixture(name)),
    );
}

#[test]
fn golden_kuaidi100_enterprise_international() {
    let name = "kuaidi100-enterprise-international";
    check(
        name,
        &envelope(
            Vendor::Kuaidi100,
            "V030344422",
            "2016-05-24T12:00:00.123456Z",
            fixture(name),
        ),
    );
}

#[test]
fn golden_kuaidi100_map_track() {
    let name = "kuaidi100-map-track";
    check(
        name,
        &envelope(
            Vendor::Kuaidi100,
            "YT2556786544444545",
            "2025-06-16T03:00:00Z",
            fixture(name),
        ),
    );
}

#[test]
fn golden_kuaidi100_signature_vector() {
    let name = "kuaidi100-signature-vector";
    check(
        name,
        &envelope(
            Vendor::Kuaidi100,
            "YT0000000000001",
            "2012-08-28T09:00:00Z",
            fixture(name),
        ),
    );
}

#[test]
fn golden_kuaidi100_realtime_query() {
    let name = "kuaidi100-realtime-query";
    let result: Value = serde_json::from_str(&fixture(name)).unwrap();
    let payload = json!({"status": "shutdown", "message": "", "lastResult": result}).to_string();
    check(
        name,
        &envelope(Vendor::Kuaidi100, "JDVC13337208715", "2022-03-29T12:00:00Z", payload),
    );
}

#[test]
fn golden_kdniao_cross_border_push() {
    let name = "kdniao-cross-border-push";
    let request: Value = serde_json::from_str(&fixture(name)).unwrap();
    let mut event = envelope(
        Vendor::Kdniao,
        "6A37856075760",
        "2024-06-27T13:07:01Z",
        request["Data"][0].to_string(),
    );
    event.push_time = request["PushTime"].as_str().map(str::to_owned);
    event.business_id = request["EBusinessID"].as_str().map(str::to_owned);
    check(name, &event);
}

#[test]
fn golden_kdniao_cross_border_query() {
    let name = "kdniao-cross-border-query";
    check(
        name,
        &envelope(Vendor::Kdniao, "6A37856101056", "2024-06-02T00:00:00Z", fixture(name)),
    );
}

#[test]
fn golden_17track_cross_border() {
    let name = "17track-a-cross-border";
    check(
        name,
        &envelope(
            Vendor::SeventeenTrack,
            "LX000000014CN",
            "2026-03-12T22:00:09Z",
            fixture(name),
        ),
    );
}

#[test]
fn golden_17track_return_and_stop() {
    let number = "00340000000000000011";
    let name = "17track-b-return";
    let returned = envelope(Vendor::SeventeenTrack, number, "2026-04-22T09:03:15Z", fixture(name));
    check(name, &returned);
    let name = "17track-c-stopped";
    let stopped = envelope(Vendor::SeventeenTrack, number, "2026-05-07T09:10:00Z", fixture(name));
    check_after(&[returned], name, &stopped);
}
