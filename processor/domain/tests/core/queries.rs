//! Answers to queries (rules 4.13, 5.9, 5.10, 7.6 and 14.5): they come from caches, so they must prove that they are fresher.

use courierflow_schemas::records::{Op, Origin, Status, TrackingState};
use serde_json::{Value, json};

use crate::pushes::*;

/// Days after all items, and long after the vendors' retries.
const LATER: &str = "2025-07-01T00:00:00Z";

/// A parcel that was pushed with these codes.
fn pushed(list: &[&str]) -> Stream {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(list)).event());
    stream
}

fn asked(stream: &mut Stream, items: &[Value]) -> Step {
    stream.push(&answer(items, LATER))
}

#[test]
fn rule_5_9_an_answer_without_news_confirms_and_emits_nothing() {
    let known = ["103", "0", "5"];
    for (name, told) in [
        ("the same lines", codes(&known)),
        ("fewer lines", codes(&["103", "0"])),
        ("no line", Vec::new()),
    ] {
        assert_eq!(asked(&mut pushed(&known), &told), Step::Confirmed, "{name}");
    }
    // Of a parcel that nobody knows.
    assert_eq!(asked(&mut Stream::default(), &[]), Step::Confirmed);
}

#[test]
fn rule_5_9_the_same_answer_again_is_a_duplicate() {
    let mut stream = pushed(&["103"]);
    let told = answer(&codes(&["103", "5"]), LATER);
    stream.accept(&told);
    assert_eq!(stream.push(&told), Step::Duplicate);
}

#[test]
fn rule_5_9_an_answer_with_a_newer_line_is_accepted_like_a_push() {
    let mut stream = pushed(&["103", "402", "0"]);
    // One known line has vanished, which is a retraction as with a push.
    let mut told = codes(&["103", "402", "0", "5"]);
    told.remove(1);
    let step = asked(&mut stream, &told).derived();
    assert_eq!(
        (step.counts.retracted_events, step.shipment.status),
        (1, Status::OutForDelivery)
    );
}

/// The case that the rule is for: a cached answer, hours after the sign-off, took it back.
#[test]
fn rule_5_9_an_answer_from_a_cache_takes_nothing_back_at_any_age() {
    for received in ["2025-06-30T01:00:00Z", "2025-06-30T07:00:00Z", "2025-08-25T00:00:00Z"] {
        let mut stream = pushed(&["103", "0", "5", "3"]);
        let mut cached = codes(&["103", "0", "5"]);
        // It even has a line that was never pushed.
        cached.push(item("2025-06-01 09:30:00", "0", "between"));
        let step = stream.push(&answer(&cached, received));
        assert_eq!(step, Step::Stale, "{received}");
        assert_eq!(stream.row().status, Status::Delivered);
    }
}

#[test]
fn rule_5_9_of_the_same_age_it_must_say_everything_that_is_known() {
    let known = codes(&["103", "0", "5"]);
    let between = item("2025-06-01 08:30:00", "0", "between");
    let mut more = known.clone();
    more.insert(1, between);
    let step = asked(&mut pushed(&["103", "0", "5"]), &more).derived();
    assert_eq!((step.counts.retracted_events, step.shipment.events.len()), (0, 4));
    let mut other = more;
    other.remove(0);
    assert_eq!(asked(&mut pushed(&["103", "0", "5"]), &other), Step::Stale);
}

#[test]
fn rule_5_9_a_query_knows_one_country_only() {
    let abroad = json!({"com": "speedpost", "state": "0", "data": [item("2025-06-03 08:00:00", "0", "abroad")]});
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["103"])).set("destResult", abroad).event());
    let mut told = codes(&["103"]);
    assert_eq!(asked(&mut stream, &told), Step::Confirmed);
    told.push(item("2025-06-20 08:00:00", "3", "signed"));
    assert_eq!(asked(&mut stream, &told), Step::Stale);
}

#[test]
fn rule_5_9_of_an_unknown_parcel_or_one_without_events_any_line_is_news() {
    let told = codes(&["103", "5"]);
    let first = asked(&mut Stream::default(), &told).derived().shipment;
    assert_eq!(
        (first.tracking_state, first.last_push_at),
        (TrackingState::Active, None)
    );
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&[]).set("status", "abort").event());
    let shipment = asked(&mut stream, &told).derived().shipment;
    assert_eq!(shipment.tracking_state, TrackingState::AbortedNoRecord);
}

#[test]
fn rule_4_13_an_answer_says_nothing_of_the_subscription() {
    let mut stream = Stream::default();
    let end = kuaidi100(&codes(&["103", "5"])).set("status", "shutdown");
    stream.accept(&end.event());
    // After the end the pushes that say less are stale; news of an answer begin a further way.
    let shipment = asked(&mut stream, &codes(&["103", "5", "0"])).derived().shipment;
    assert_eq!(
        (shipment.tracking_state, shipment.is_ended),
        (TrackingState::Ended, false)
    );
}

#[test]
fn rule_4_13_kdniao_answers_with_an_element_of_a_push() {
    let lines = [
        trace("2025-06-01 08:00:00", "1", "a"),
        trace("2025-06-01 09:00:00", "2", "b"),
    ];
    let mut stream = Stream::default();
    stream.accept(&kdniao(&lines[..1]).pushed("2025-06-01 08:10:00").event());
    let before = stream.row().clone();
    let mut event = kdniao(&lines).received(LATER).event();
    event.origin = Origin::Query;
    event.push_time = None;
    let shipment = stream.accept(&event).shipment;
    assert_eq!(shipment.tracking_state, before.tracking_state);
    assert_eq!(shipment.events.len(), 2);
}

#[test]
fn rule_5_10_the_last_push_stays_the_last_push() {
    let lines = [
        trace("2025-06-01 08:00:00", "1", "a"),
        trace("2025-06-01 09:00:00", "2", "b"),
    ];
    let mut stream = Stream::default();
    stream.accept(&kdniao(&lines[..1]).pushed("2025-06-01 08:10:00").event());
    assert_eq!(stream.row().last_push_at, Some(micros(RECEIVED)));
    let mut event = kdniao(&lines).received(LATER).event();
    event.origin = Origin::Query;
    event.push_time = None;
    let shipment = stream.accept(&event).shipment;
    assert_eq!(shipment.push_time, Some(china("2025-06-01T08:10:00")));
    assert_eq!(
        (shipment.last_push_at, shipment.received_at),
        (Some(micros(RECEIVED)), micros(LATER))
    );
    // A second answer hands both on, the next push replaces them.
    let mut more = lines.to_vec();
    more.push(trace("2025-06-01 10:00:00", "2", "c"));
    let mut event = kdniao(&more).received("2025-07-02T00:00:00Z").event();
    event.origin = Origin::Query;
    event.push_time = None;
    let shipment = stream.accept(&event).shipment;
    assert_eq!(shipment.push_time, Some(china("2025-06-01T08:10:00")));
    assert_eq!(shipment.last_push_at, Some(micros(RECEIVED)));
    let push = kdniao(&more)
        .pushed("2025-07-02 20:00:00")
        .received("2025-07-03T00:00:00Z");
    let shipment = stream.accept(&push.event()).shipment;
    assert_eq!(shipment.last_push_at, Some(micros("2025-07-03T00:00:00Z")));
}

#[test]
fn rule_14_5_the_account_is_that_of_the_query() {
    let mut stream = pushed(&["103"]);
    let shipment = asked(&mut stream, &codes(&["103", "5"])).derived().shipment;
    assert_eq!(shipment.account, "asks");
}

#[test]
fn rule_7_6_an_event_stays_with_who_told_it_first() {
    let origins = |stream: &Stream| -> Vec<_> { stream.row().events.iter().map(|event| event.origin).collect() };
    let mut stream = pushed(&["103"]);
    let step = asked(&mut stream, &codes(&["103", "5"])).derived();
    assert_eq!(origins(&stream), [Origin::Push, Origin::Query]);
    let told: Vec<_> = step
        .transitions
        .iter()
        .map(|transition| (transition.op, transition.origin))
        .collect();
    assert_eq!(told, [(Op::Observed, Origin::Query)]);
    // The push that comes after it does not make it its own, and makes what is new its own.
    let push = kuaidi100(&codes(&["103", "5", "3"])).received("2025-07-02T00:00:00Z");
    let step = stream.accept(&push.event());
    assert_eq!(origins(&stream), [Origin::Push, Origin::Query, Origin::Push]);
    assert_eq!(step.transitions[0].origin, Origin::Push);
    // Retracted, it says who had told it; told again, it is told anew.
    let mut without = codes(&["103", "5", "3"]);
    without.remove(1);
    let step = stream.accept(&kuaidi100(&without).received("2025-07-03T00:00:00Z").event());
    let retracted = step
        .transitions
        .iter()
        .find(|transition| transition.op == Op::Retracted)
        .unwrap();
    assert_eq!(retracted.origin, Origin::Query);
    let push = kuaidi100(&codes(&["103", "5", "3"])).received("2025-07-04T00:00:00Z");
    stream.accept(&push.event());
    assert_eq!(origins(&stream), [Origin::Push, Origin::Push, Origin::Push]);
}

#[test]
fn rule_7_6_is_kept_when_the_epoch_gets_its_name() {
    let future = item("2025-07-01 12:00:00", "0", "ahead");
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(std::slice::from_ref(&future)).event());
    let told = [item("2025-06-01 08:00:00", "103", "begin"), future];
    let step = stream.push(&answer(&told, "2025-06-30T01:00:00Z")).derived();
    assert!(step.shipment.retired_epoch.is_some());
    let origins: Vec<_> = step.shipment.events.iter().map(|event| event.origin).collect();
    assert_eq!(origins, [Origin::Query, Origin::Push]);
}
