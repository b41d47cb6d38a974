//! What a push says of its subscription, without its history.

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, Vendor};
use courierflow_vendors::reading::{self, Reading};
use courierflow_vendors::snapshot::TrackingWord;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::event;

#[test]
fn kuaidi100_has_words_messages_and_carriers() {
    let items = json!([{"context": "已揽收", "time": "2026-01-01 08:00:00"}]);
    let result = |data| json!({"com": "yuantong", "nu": "YT0000000000001", "data": data});
    for (push, tracking, word, has_items) in [
        (
            json!({"status": "polling", "lastResult": result(items.clone())}),
            TrackingWord::Active,
            "polling",
            true,
        ),
        (
            json!({"status": "polling", "lastResult": result(json!([]))}),
            TrackingWord::Active,
            "polling",
            false,
        ),
        (
            json!({"status": "shutdown", "lastResult": result(items.clone())}),
            TrackingWord::Ended,
            "shutdown",
            true,
        ),
        (
            json!({"status": "abort", "message": "3天查询无记录", "lastResult": result(json!([]))}),
            TrackingWord::AbortedNoRecord,
            "abort",
            false,
        ),
        (
            json!({"status": "abort", "message": "60 天无变化", "lastResult": result(items.clone())}),
            TrackingWord::AbortedStale,
            "abort",
            true,
        ),
        (
            json!({"status": "abort", "comNew": "ems", "lastResult": result(json!([]))}),
            TrackingWord::Corrected,
            "abort",
            false,
        ),
        (
            json!({"status": "updateall", "lastResult": result(items.to_string().into())}),
            TrackingWord::Unchanged,
            "updateall",
            true,
        ),
    ] {
        let event = event(Vendor::Kuaidi100, Origin::Push, push.to_string());
        let told = reading::push_word(&event).unwrap();
        assert_eq!(
            (told.tracking, told.word.as_deref(), told.has_items),
            (tracking, Some(word), has_items),
            "{push}"
        );
        assert_eq!(told.carrier.as_deref(), Some("yuantong"));
        assert_eq!(told.new_carrier.as_deref(), push["comNew"].as_str());
        assert_eq!(told.message.as_deref(), push["message"].as_str());
    }
}

#[test]
fn kdniao_has_success_and_reason() {
    for (reason, tracking) in [
        ("三天无轨迹", TrackingWord::AbortedNoRecord),
        ("七天内无轨迹变化", TrackingWord::AbortedStale),
        ("other", TrackingWord::Unchanged),
    ] {
        let push =
            json!({"ShipperCode": "COE", "LogisticCode": "EL1", "Success": false, "Reason": reason, "Traces": []});
        let event = event(Vendor::Kdniao, Origin::Push, push.to_string());
        let told = reading::push_word(&event).unwrap();
        assert_eq!(
            (told.tracking, told.success, told.has_items),
            (tracking, Some(false), false),
            "{reason}"
        );
        assert_eq!(
            (told.message.as_deref(), told.carrier.as_deref()),
            (Some(reason), Some("COE"))
        );
    }
    let push = json!({"ShipperCode": "COE", "Success": true, "Traces": [{}]});
    let event = event(Vendor::Kdniao, Origin::Push, push.to_string());
    let told = reading::push_word(&event).unwrap();
    assert_eq!((told.tracking, told.has_items), (TrackingWord::Active, true));
}

#[test]
fn seventeentrack_has_events() {
    for (name, tracking) in [
        ("TRACKING_UPDATED", TrackingWord::Active),
        ("TRACKING_STOPPED", TrackingWord::Stopped),
        ("TRACKING_OTHER", TrackingWord::Unchanged),
    ] {
        let push = json!({"event": name, "data": {"number": "RR1", "carrier": 3011, "track_info":
            {"tracking": {"providers": [{"events": [{}]}]}}}});
        let event = event(Vendor::SeventeenTrack, Origin::Push, push.to_string());
        let told = reading::push_word(&event).unwrap();
        assert_eq!(
            (told.tracking, told.word.as_deref(), told.has_items),
            (tracking, Some(name), true)
        );
        assert_eq!(told.carrier.as_deref(), Some("3011"));
    }
}

#[test]
fn an_answer_to_a_query_says_nothing_of_the_subscription() {
    let answer = json!({"status": "shutdown", "message": "ok", "com": "jd", "nu": "JD1", "data": [{}]});
    let event = event(Vendor::Kuaidi100, Origin::Query, answer.to_string());
    let told = reading::push_word(&event).unwrap();
    assert_eq!(
        (told.tracking, told.word.as_deref(), told.has_items),
        (TrackingWord::Unchanged, None, true)
    );
    assert_eq!(told.carrier.as_deref(), Some("jd"));
}

proptest! {
    /// The light reading and derivation's agree on every word.
    #[test]
    fn the_word_is_that_of_the_whole_reading(
        status in select(vec!["polling", "shutdown", "abort", "updateall", "", "other"]),
        message in select(vec!["", "3天查询无记录", "60天无变化"]),
        com_new in select(vec!["", "ems"]),
        origin in select(vec![Origin::Push, Origin::Query]),
    ) {
        let result = json!({"com": "yuantong", "nu": "YT1", "data": []});
        let mut push = result.clone();
        push["status"] = json!(status);
        push["message"] = json!(message);
        push["comNew"] = json!(com_new);
        push["lastResult"] = result;
        let event = event(Vendor::Kuaidi100, origin, push.to_string());
        let Ok(Reading::Snapshot(snapshot)) = reading::read(&event, Carriers::built_in()) else {
            panic!("{push}")
        };
        prop_assert_eq!(reading::push_word(&event).unwrap().tracking, snapshot.tracking);
    }
}
