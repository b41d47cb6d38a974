//! Rule 4.13: what a query's answer says of the parcel is what a push would say that carries the same.

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{CallClass, Origin, PushEvent, Vendor};
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::answer::{Exchange, QueryAnswer, Response};
use courierflow_vendors::protocol;
use courierflow_vendors::reading::{self, PushFacts, Reading};
use courierflow_vendors::snapshot::{Snapshot, TrackingWord};
use serde_json::{Value, json};

use crate::event;

const KUAIDI100: &str = include_str!("../../../../processor/domain/tests/core/golden/kuaidi100-realtime-query.json");
const KDNIAO: &str = include_str!("../../../../processor/domain/tests/core/golden/kdniao-cross-border-query.json");
const SEVENTEENTRACK: &str = include_str!("../../../../processor/domain/tests/core/golden/17track-a-cross-border.json");

fn answered(kind: ApiKind, body: &str) -> QueryAnswer<'_> {
    let response = Response {
        status: 200,
        retry_after: None,
        body: body.as_bytes(),
    };
    protocol(kind.vendor())
        .api()
        .read_queried(kind, Exchange::Answered(response))
}

fn snapshot(event: &PushEvent) -> Snapshot<'_> {
    match reading::read(event, Carriers::built_in()) {
        Ok(Reading::Snapshot(snapshot)) => *snapshot,
        other => panic!("{other:?}"),
    }
}

/// But for the word of the subscription, and the hash that it is part of.
fn assert_same(vendor: Vendor, asked: &str, pushed: String) {
    let (asked, pushed) = (event(vendor, Origin::Query, asked), event(vendor, Origin::Push, pushed));
    let (found, told) = (snapshot(&asked), snapshot(&pushed));
    assert_eq!(found.tracking, TrackingWord::Unchanged);
    assert!(!found.full_repush);
    assert!(!found.items.is_empty());
    let expected = Snapshot {
        origin: Origin::Query,
        tracking: found.tracking,
        content_hash: found.content_hash,
        ..told
    };
    assert_eq!(found, expected);
    let facts = reading::push_facts(&asked, Carriers::built_in());
    let of_push = reading::push_facts(&pushed, Carriers::built_in());
    let expected = PushFacts {
        tracking_status: "".into(),
        ..of_push
    };
    assert_eq!(facts, expected);
}

#[test]
fn rule_4_13_the_answer_of_kuaidi100_is_the_origins_result() {
    let QueryAnswer { answer, found } = answered(ApiKind::Kuaidi100Enterprise, KUAIDI100);
    assert_eq!((answer.class, answer.code.as_deref()), (CallClass::Done, Some("200")));
    let found = found.unwrap();
    assert_eq!((found.payload, found.items), (KUAIDI100, 19));
    let body: Value = serde_json::from_str(KUAIDI100).unwrap();
    let push = json!({"status": "polling", "message": "", "lastResult": body});
    assert_same(Vendor::Kuaidi100, found.payload, push.to_string());
}

/// Its `status` and `message` are of the transport: even with the words of a push they end nothing.
#[test]
fn rule_4_13_the_words_of_the_transport_say_nothing_of_the_subscription() {
    let mut body: Value = serde_json::from_str(KUAIDI100).unwrap();
    for (status, message) in [
        ("shutdown", "ok"),
        ("abort", "60天无变化"),
        ("abort", "3天查询无记录"),
        ("updateall", ""),
    ] {
        body["status"] = json!(status);
        body["message"] = json!(message);
        body["comNew"] = json!("yuantong");
        let event = event(Vendor::Kuaidi100, Origin::Query, body.to_string());
        let snapshot = snapshot(&event);
        assert_eq!(snapshot.tracking, TrackingWord::Unchanged, "{status}");
        assert_eq!(
            (snapshot.carrier.as_ref(), snapshot.full_repush),
            ("jd", false),
            "{status}"
        );
    }
}

/// Rule 6 finds the direction of each list.
#[test]
fn rule_4_13_both_orders_are_read() {
    let mut body: Value = serde_json::from_str(KUAIDI100).unwrap();
    let newest_first = event(Vendor::Kuaidi100, Origin::Query, body.to_string());
    body["data"].as_array_mut().unwrap().reverse();
    let oldest_first = event(Vendor::Kuaidi100, Origin::Query, body.to_string());
    let times = |event| -> Vec<_> { snapshot(event).items.iter().map(|item| item.occurred_at).collect() };
    assert_eq!(times(&newest_first), times(&oldest_first));
    assert!(times(&newest_first).is_sorted());
}

#[test]
fn rule_4_13_the_answer_of_kdniao_is_an_element_of_data() {
    let QueryAnswer { answer, found } = answered(ApiKind::KdniaoCrossBorder, KDNIAO);
    assert_eq!(answer.class, CallClass::Done);
    let found = found.unwrap();
    assert_eq!((found.payload, found.items), (KDNIAO, 5));
    assert_same(Vendor::Kdniao, found.payload, KDNIAO.to_owned());
    let failed = KDNIAO.replace("\"Success\": true", "\"Success\": false, \"Reason\": \"三天无轨迹\"");
    let event = event(Vendor::Kdniao, Origin::Query, failed);
    assert_eq!(snapshot(&event).tracking, TrackingWord::Unchanged);
}

#[test]
fn rule_4_13_the_answer_of_seventeentrack_is_the_data_of_a_push() {
    let push: Value = serde_json::from_str(SEVENTEENTRACK).unwrap();
    let parcel = push["data"].to_string();
    let body = format!(r#"{{"code":0, "data": {{"accepted":[ {parcel} ],"rejected":[]}}}}"#);
    let QueryAnswer { answer, found } = answered(ApiKind::SeventeenTrack, &body);
    assert_eq!(answer.class, CallClass::Done);
    let found = found.unwrap();
    assert_eq!(found.payload, parcel, "byte for byte");
    assert!(found.items > 0);
    assert_same(Vendor::SeventeenTrack, found.payload, SEVENTEENTRACK.to_owned());

    let waiting = r#"{"code":0,"data":{"accepted":[{"number":"RR000000000CN","carrier":3011,"track_info":null}]}}"#;
    let QueryAnswer { answer, found } = answered(ApiKind::SeventeenTrack, waiting);
    assert_eq!((answer.class, found), (CallClass::NoResult, None));
}

#[test]
fn an_answer_without_lines_makes_no_event() {
    for body in [
        r#"{"message":"ok","nu":"YT1","com":"yuantong","status":"200","state":"0","data":[]}"#,
        r#"{"message":"ok","nu":"YT1","com":"yuantong","status":"200","state":"0"}"#,
    ] {
        let QueryAnswer { answer, found } = answered(ApiKind::Kuaidi100Enterprise, body);
        assert_eq!((answer.class, found), (CallClass::NoResult, None), "{body}");
    }
}
