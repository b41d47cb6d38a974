//! What one push tells and the next may leave out: the order, the number of the carrier abroad, the carrier that was right (rule 5.11).

use courierflow_schemas::records::{PushEvent, Shipment, TrackingState};
use serde_json::json;

use crate::pushes::*;

fn of_order(push: &Kuaidi100, reference: &str) -> PushEvent {
    PushEvent {
        reference: Some(reference.to_owned()),
        ..push.event()
    }
}

fn at_hour(codes_so_far: &[&str], hour: usize) -> Kuaidi100 {
    kuaidi100(&codes(codes_so_far)).received(&format!("2025-07-01T{hour:02}:00:00Z"))
}

#[test]
fn rule_5_11_the_order_stays_until_another_one_is_told() {
    let mut stream = Stream::default();
    let reference = |shipment: &Shipment| shipment.reference.clone().unwrap_or_default();
    assert_eq!(
        reference(&stream.accept(&of_order(&at_hour(&["1"], 0), "SO-17")).shipment),
        "SO-17"
    );
    // With items and without, by a push or by the answer to a query.
    assert_eq!(
        reference(&stream.accept(&at_hour(&["1", "0"], 1).event()).shipment),
        "SO-17"
    );
    let empty = kuaidi100(&[])
        .received("2025-07-01T02:00:00Z")
        .set("status", "shutdown");
    assert_eq!(reference(&stream.accept(&empty.event()).shipment), "SO-17");
    let answer = answer(&codes(&["1", "0", "0"]), "2025-07-01T03:00:00Z");
    assert_eq!(reference(&stream.accept(&answer).shipment), "SO-17");
    let other = of_order(&at_hour(&["1", "0", "0", "5"], 4), "SO-18");
    assert_eq!(reference(&stream.accept(&other).shipment), "SO-18");
}

#[test]
fn rule_5_11_before_there_are_events_it_is_kept_too() {
    let mut stream = Stream::default();
    let abort = |hour: usize| kuaidi100(&[]).received(&format!("2025-07-01T{hour:02}:00:00Z"));
    stream.accept(&of_order(&abort(0).set("status", "abort"), "SO-17"));
    let ended = stream.accept(&abort(1).set("status", "shutdown").event()).shipment;
    assert_eq!(ended.reference.as_deref(), Some("SO-17"));
    assert_eq!(ended.tracking_state, TrackingState::Ended);
    // The first event names the epoch, and is of the same life.
    let moved = stream.accept(&at_hour(&["1"], 2).event()).shipment;
    assert_eq!(moved.reference.as_deref(), Some("SO-17"));
    assert!(moved.retired_epoch.is_some());
}

#[test]
fn rule_5_11_a_repetition_for_another_order_is_news() {
    let push = at_hour(&["1", "0"], 0);
    let mut stream = Stream::default();
    stream.accept(&of_order(&push, "SO-17"));
    assert_eq!(stream.push(&of_order(&push, "SO-17")), Step::Duplicate);
    let told = stream.accept(&of_order(&push, "SO-18"));
    assert_eq!(told.shipment.reference.as_deref(), Some("SO-18"));
    assert!(told.transitions.is_empty(), "nothing has happened to the parcel");
    assert_eq!(
        stream.push(&of_order(&push, "SO-17")),
        Step::Duplicate,
        "both are known"
    );
}

#[test]
fn rule_5_11_the_next_life_of_the_number_has_an_order_of_its_own() {
    let mut stream = Stream::default();
    stream.accept(&of_order(&at_hour(&["1", "0", "5", "3"], 0), "SO-17"));
    let later = kuaidi100(&[item("2026-03-01 08:00:00", "1", "揽收")]).received("2026-03-01T02:00:00Z");
    let later = stream.accept(&later.event()).shipment;
    assert_eq!((later.epoch, later.reference), (day("2026-03-01"), None));
}

#[test]
fn rule_5_11_what_is_no_reference_is_none() {
    for text in ["", "张三", "SO 17", &"r".repeat(65)] {
        let push = of_order(&at_hour(&["1"], 0), text);
        assert_eq!(Stream::default().accept(&push).shipment.reference, None, "{text:?}");
        let mut stream = Stream::default();
        stream.accept(&at_hour(&["1"], 0).event());
        assert_eq!(stream.push(&push), Step::Duplicate, "{text:?}");
    }
}

fn abroad(push: Kuaidi100, carrier: &str, number: &str) -> Kuaidi100 {
    let line = item("2025-06-05 10:00:00", "0", "Arrived");
    push.set("destResult", json!({"nu": number, "com": carrier, "data": [line]}))
}

#[test]
fn rule_5_11_the_number_abroad() {
    let mut stream = Stream::default();
    let told = |shipment: Shipment| (shipment.dest_carrier, shipment.dest_number);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(told(stream.accept(&at_hour(&["1"], 0).event()).shipment), (None, None));
    let first = abroad(at_hour(&["1", "0"], 1), "usps", " ｅｘ0\u{200b}1514 2583sg ");
    assert_eq!(
        told(stream.accept(&first.event()).shipment),
        (some("usps"), some("EX015142583SG"))
    );
    let without = at_hour(&["1", "0"], 2).set("status", "shutdown");
    assert_eq!(
        told(stream.accept(&without.event()).shipment),
        (some("usps"), some("EX015142583SG"))
    );
    let other = abroad(at_hour(&["1", "0", "0"], 3), "singpost", "");
    assert_eq!(
        told(stream.accept(&other.event()).shipment),
        (some("singpost"), some("EX015142583SG"))
    );
}

#[test]
fn rule_5_11_what_may_not_be_a_number_is_none() {
    for number in ["", "EX\u{1}1", "联系电话13800138000", "<b>1</b>", &"9".repeat(129)] {
        let push = abroad(at_hour(&["1"], 0), "us:ps", number);
        let shipment = Stream::default().accept(&push.event()).shipment;
        assert_eq!(
            (shipment.dest_carrier, shipment.dest_number),
            (None, None),
            "{number:?}"
        );
    }
}

#[test]
fn rule_5_11_the_right_carrier_is_told_as_long_as_the_correction_holds() {
    let mut stream = Stream::default();
    stream.accept(&at_hour(&["1", "0"], 0).event());
    let correction = at_hour(&[], 1)
        .set("status", "abort")
        .set("comOld", "yuantong")
        .set("comNew", "shentong");
    let corrected = stream.accept(&correction.event()).shipment;
    assert_eq!(corrected.tracking_state, TrackingState::CarrierCorrected);
    assert_eq!(corrected.corrected_to.as_deref(), Some("sto"));
    // A late push of the wrong carrier.
    let late = stream.accept(&at_hour(&["1", "0", "0"], 2).event()).shipment;
    assert_eq!(late.tracking_state, TrackingState::CarrierCorrected);
    assert_eq!(late.corrected_to.as_deref(), Some("sto"));
    // It goes on after all.
    let on = kuaidi100(&[codes(&["1", "0", "0"]), vec![item("2025-07-02 10:00:00", "5", "派件")]].concat());
    let on = stream.accept(&on.received("2025-07-02T03:00:00Z").event()).shipment;
    assert_eq!((on.tracking_state, on.corrected_to), (TrackingState::Active, None));
}

#[test]
fn rule_14_3_an_event_has_the_name_of_its_area_beside_its_place() {
    let mut line = in_area(
        item("2025-06-01 08:00:00", "1", "揽收"),
        "CN310115000000",
        "上海,上海,浦东新区",
    );
    line["location"] = "上海浦东张江营业点".into();
    let bare = item("2025-06-01 09:00:00", "0", "发往上海");
    let shipment = Stream::default().accept(&kuaidi100(&[line, bare]).event()).shipment;
    let areas: Vec<_> = shipment.events.iter().map(|event| event.area.as_deref()).collect();
    assert_eq!(areas, [Some("上海,上海,浦东新区"), None]);
    assert_eq!(shipment.events[0].location.as_deref(), Some("上海浦东张江营业点"));
}
