//! From the vendors' own words to inputs: answers to calls, and pushes.

use std::time::Duration;

use courierflow_domain::subscription::{Outcome, PushWord};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, PushEvent, PushId, Reason, Signature, Status, TimestampMicros, Vendor};
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::answer::{Exchange, Response};
use courierflow_vendors::protocol;
use courierflow_vendors::reading::push_word;
use courierflow_vendors::snapshot::TrackingWord;

use crate::parcel::carrier;

fn outcome(kind: ApiKind, exchange: Exchange<'_>) -> Outcome {
    Outcome::of(&protocol(kind.vendor()).api().read_subscribed(kind, exchange))
}

fn answered(kind: ApiKind, status: u16, body: &str) -> Outcome {
    let response = Response {
        status,
        retry_after: None,
        body: body.as_bytes(),
    };
    outcome(kind, Exchange::Answered(response))
}

#[test]
fn every_code_of_kuaidi100_has_its_outcome() {
    for (code, status, expected) in [
        ("200", 200, Outcome::Done),
        ("500", 500, Outcome::Retry),
        ("501", 409, Outcome::Duplicate),
        ("502", 409, Outcome::Rejected(Reason::Sensitive)),
        ("600", 401, Outcome::Account),
        ("601", 401, Outcome::Account),
        ("700", 400, Outcome::Rejected(Reason::UnknownCarrier)),
        ("701", 400, Outcome::Rejected(Reason::BadData)),
        ("702", 400, Outcome::Rejected(Reason::NotRecognised)),
        ("799", 400, Outcome::Unheard),
    ] {
        let body = format!(r#"{{"result":false,"returnCode":"{code}","message":"…"}}"#);
        for kind in [
            ApiKind::Kuaidi100Enterprise,
            ApiKind::Kuaidi100Market,
            ApiKind::Kuaidi100Map,
        ] {
            assert_eq!(answered(kind, status, &body), expected, "{code} {kind:?}");
        }
    }
    let places = r#"{"result":false,"returnCode":"400","message":"…"}"#;
    assert_eq!(
        answered(ApiKind::Kuaidi100Map, 200, places),
        Outcome::Rejected(Reason::BadPlace)
    );
}

#[test]
fn every_word_of_kdniao_has_its_outcome() {
    for (body, expected) in [
        (r#"{"Success":true}"#, Outcome::Done),
        (r#"{"Success":false,"Reason":"重复订阅"}"#, Outcome::Duplicate),
        (r#"{"Success":false,"Reason":"没有可用套餐"}"#, Outcome::Account),
        (r#"{"Success":false,"Reason":"系统繁忙"}"#, Outcome::Retry),
        (r#"{"Success":false,"Reason":"天气不好"}"#, Outcome::Unheard),
    ] {
        assert_eq!(answered(ApiKind::KdniaoCrossBorder, 200, body), expected, "{body}");
    }
    let refused = answered(
        ApiKind::KdniaoCrossBorder,
        200,
        r#"{"Success":false,"Reason":"单号格式错误"}"#,
    );
    assert!(matches!(refused, Outcome::Rejected(_)), "{refused:?}");
}

#[test]
fn what_is_no_answer_of_the_vendor_has_its_outcome() {
    let kind = ApiKind::Kuaidi100Market;
    let seconds = Duration::from_secs(5);
    assert_eq!(outcome(kind, Exchange::Unsent), Outcome::Unsent);
    assert_eq!(outcome(kind, Exchange::Unanswered), Outcome::Unanswered);
    for (status, expected) in [
        (301, Outcome::Account),
        (401, Outcome::Account),
        (403, Outcome::Account),
        (404, Outcome::Account),
        (429, Outcome::Throttled(Some(seconds))),
        (502, Outcome::Unanswered),
        (418, Outcome::UnheardInDoubt),
    ] {
        assert_eq!(answered(kind, status, "<html>"), expected, "{status}");
    }
}

fn pushed(vendor: Vendor, payload: &str) -> PushWord {
    let event = PushEvent {
        push_id: PushId::default(),
        part: 0,
        parts: 1,
        vendor,
        account: "demo".to_owned(),
        received_at: TimestampMicros(0),
        signature: Signature::Verified,
        vendor_carrier: String::new(),
        tracking_number: "YT1".to_owned(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload: payload.to_owned(),
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    };
    PushWord::of(vendor, &push_word(&event).unwrap(), Carriers::built_in())
}

#[test]
fn pushes_say_what_became_of_the_subscription() {
    let last = r#""lastResult":{"nu":"yt1","com":"yuantong","data":[]}"#;
    let corrected = pushed(
        Vendor::Kuaidi100,
        &format!(r#"{{"status":"abort","message":"","comOld":"yuantong","comNew":"ems",{last}}}"#),
    );
    assert_eq!((corrected.word, corrected.has_items), (TrackingWord::Corrected, false));
    assert_eq!(corrected.corrected_to, Some(carrier("ems", "ems")));
    // A corrected carrier of a push that goes on is no correction.
    let goes_on = pushed(
        Vendor::Kuaidi100,
        &format!(r#"{{"status":"polling","comOld":"yuantong","comNew":"ems",{last}}}"#),
    );
    assert_eq!((goes_on.word, goes_on.corrected_to), (TrackingWord::Active, None));
    for (vendor, payload, word) in [
        (
            Vendor::Kuaidi100,
            r#"{"status":"abort","message":"3天查询无记录"}"#,
            TrackingWord::AbortedNoRecord,
        ),
        (
            Vendor::Kuaidi100,
            r#"{"status":"abort","message":"60天无变化"}"#,
            TrackingWord::AbortedStale,
        ),
        (
            Vendor::Kdniao,
            r#"{"Success":false,"Reason":"三天无轨迹"}"#,
            TrackingWord::AbortedNoRecord,
        ),
        (
            Vendor::Kdniao,
            r#"{"Success":false,"Reason":"七天内无轨迹变化"}"#,
            TrackingWord::AbortedStale,
        ),
        (Vendor::Kdniao, r#"{"Success":true,"Traces":[]}"#, TrackingWord::Active),
    ] {
        assert_eq!(pushed(vendor, payload).word, word, "{payload}");
    }
}

#[test]
fn pushes_of_vendors_without_a_word_for_the_end_say_how_the_parcel_has_ended() {
    let of_17track = |status: &str| {
        let state = format!(r#"{{"latest_status":{{"sub_status":"{status}"}}}}"#);
        format!(r#"{{"event":"TRACKING_UPDATED","data":{{"number":"YT1","track_info":{state}}}}}"#)
    };
    let of_kdniao = |states: &str| format!(r#"{{"Success":true,{states}"Traces":[]}}"#);
    let of_kuaidi100 = r#"{"status":"shutdown","lastResult":{"ischeck":"1","state":"3"}}"#;
    for (vendor, payload, expected) in [
        (Vendor::Kdniao, of_kdniao(r#""State":"3","#), Some(Status::Delivered)),
        (
            Vendor::Kdniao,
            of_kdniao(r#""State":3,"StateEx":"301","#),
            Some(Status::Delivered),
        ),
        (
            Vendor::Kdniao,
            of_kdniao(r#""State":4,"StateEx":"406","#),
            Some(Status::Returned),
        ),
        // Who gets StateEx is told to ignore the other.
        (Vendor::Kdniao, of_kdniao(r#""State":"3","StateEx":"211","#), None),
        (Vendor::Kdniao, of_kdniao(r#""State":"2","#), None),
        (Vendor::Kdniao, of_kdniao(""), None),
        (
            Vendor::SeventeenTrack,
            of_17track("Delivered_Other"),
            Some(Status::Delivered),
        ),
        (Vendor::SeventeenTrack, of_17track("OutForDelivery_Other"), None),
        // It has a word.
        (Vendor::Kuaidi100, of_kuaidi100.to_owned(), None),
    ] {
        assert_eq!(pushed(vendor, &payload).end, expected, "{payload}");
    }
}
