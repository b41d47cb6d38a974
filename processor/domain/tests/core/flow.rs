//! One push after another: duplicates, stale ones, rewrites, epochs, tracking state, carrier corrections (rules
//! 5.4–5.8, 11.1, 11.2, 12.1, 14.1; design rules on versions and retractions).

use courierflow_schemas::records::{Leg, Op, Status, TimestampMicros, TrackingState};
use courierflow_vendors::reading::NoOp;
use serde_json::json;

use crate::pushes::*;

// --- duplicates and stale pushes ---

#[test]
fn rule_5_4_the_same_content_again_leaves_no_trace() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1", "0"])).event());
    let before = stream.clone();
    assert_eq!(
        stream.push(&kuaidi100(&codes(&["1", "0"])).received("2025-07-30T00:00:00Z").event()),
        Step::Duplicate
    );
    assert_eq!(stream, before);
}

#[test]
fn rule_5_4_the_last_accepted_content_is_a_duplicate_however_old_others_only_for_six_hours() {
    let first = || kuaidi100(&codes(&["1", "0"]));
    let second = || kuaidi100(&codes(&["1", "0", "5"]));
    let mut stream = Stream::default();
    stream.accept(&first().received("2025-06-30T00:00:00Z").event());
    stream.accept(&second().received("2025-06-30T01:00:00Z").event());
    assert_eq!(
        stream.push(&second().received("2025-08-30T00:00:00Z").event()),
        Step::Duplicate
    );
    assert_eq!(
        stream.push(&first().received("2025-06-30T06:00:00Z").event()),
        Step::Duplicate
    );
    // A microsecond later it is a rewrite; also beyond the horizon of the accepted push, so that it is not stale either.
    assert_eq!(
        stream.push(&first().received("2025-06-30T06:00:00.000001Z").event()),
        Step::Stale
    );
    let rewrite = stream.accept(&first().received("2025-06-30T07:00:00.000001Z").event());
    assert_eq!(rewrite.counts.retracted_events, 1);
}

#[test]
fn rule_5_4_eight_accepted_pushes_are_remembered() {
    let push = |hours: usize| {
        let list = vec!["0"; hours];
        kuaidi100(&codes(&list)).received(&format!("2025-06-30T00:{hours:02}:00Z"))
    };
    let mut stream = Stream::default();
    for hours in 1..=10 {
        stream.accept(&push(hours).event());
    }
    let last = stream.shipments.values().next().unwrap();
    assert_eq!(last.recent_pushes.len(), 8);
    assert_eq!(last.recent_pushes[7].received_at, micros("2025-06-30T00:10:00Z"));
    assert_eq!(last.recent_pushes[0].received_at, micros("2025-06-30T00:03:00Z"));
    assert_eq!(
        stream.push(&push(3).received("2025-06-30T01:00:00Z").event()),
        Step::Duplicate
    );
    assert_eq!(
        stream.push(&push(2).received("2025-06-30T01:00:00Z").event()),
        Step::Stale
    );
}

#[test]
fn rule_5_4_stale_pushes_are_not_remembered() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1", "0", "5"])).event());
    let older = kuaidi100(&codes(&["1"]));
    assert_eq!(stream.push(&older.event()), Step::Stale);
    assert_eq!(
        stream.push(&older.event()),
        Step::Stale,
        "not a duplicate of a push that was not accepted"
    );
}

#[test]
fn rule_5_7_newest_item_strictly_older_within_six_hours_inclusive() {
    let known = kuaidi100(&codes(&["1", "0", "5"])).received("2025-06-30T00:00:00Z");
    let push = |list: &[&str], received: &str| {
        let mut stream = Stream::default();
        stream.accept(&known.event());
        stream.push(&kuaidi100(&codes(list)).received(received).event())
    };
    assert_eq!(push(&["1", "0"], "2025-06-30T06:00:00Z"), Step::Stale);
    assert!(matches!(
        push(&["1", "0"], "2025-06-30T06:00:00.000001Z"),
        Step::Accepted(_)
    ));
    assert!(
        matches!(push(&["1", "0", "204"], "2025-06-30T01:00:00Z"), Step::Accepted(_)),
        "as new as the known"
    );
    assert_eq!(
        push(&["1", "0"], "2025-06-29T23:00:00Z"),
        Step::Stale,
        "received before the known one"
    );
}

#[test]
fn rule_5_7_push_times_decide_where_both_have_one() {
    let traces = |count: usize| {
        (0..count)
            .map(|hour| trace(&hour_text(hour), "2", &format!("第{hour}条")))
            .collect::<Vec<_>>()
    };
    let known = kdniao(&traces(3)).pushed("2025-06-30 08:00:00");
    let push = |next: Kdniao| {
        let mut stream = Stream::default();
        stream.accept(&known.event());
        stream.push(&next.event())
    };
    assert_eq!(push(kdniao(&traces(4)).pushed("2025-06-30 07:59:59")), Step::Stale);
    assert_eq!(
        push(
            kdniao(&traces(4))
                .pushed("2025-06-30 07:59:59")
                .received("2025-08-30T00:00:00Z")
        ),
        Step::Stale
    );
    let rewrite = push(kdniao(&traces(2)).pushed("2025-06-30 08:00:00")).derived();
    assert_eq!(
        rewrite.counts.retracted_events, 1,
        "equal push times are not stale, and items are not looked at"
    );
    assert_eq!(push(kdniao(&traces(2))), Step::Stale, "the push has none");
    assert_eq!(
        push(kdniao(&traces(2)).pushed("gestern")),
        Step::Stale,
        "the push has none that can be read"
    );
    assert_eq!(
        push(kdniao(&[]).pushed("2025-06-30 07:59:59")),
        Step::Stale,
        "also without items"
    );
    assert_eq!(
        push(kdniao(&traces(4)).pushed("2025-06-30 08:00:00"))
            .derived()
            .shipment
            .push_time,
        Some(china("2025-06-30T08:00:00"))
    );
}

#[test]
fn rule_5_6_pushes_without_items_are_never_stale_by_their_items() {
    for data in [json!(null), json!([]), json!("x"), json!({}), json!([1, "x", null])] {
        let mut stream = Stream::default();
        let known = stream.accept(&kuaidi100(&codes(&["1", "5"])).event()).shipment;
        let empty = kuaidi100(&[])
            .set("lastResult.data", data)
            .set("status", "shutdown")
            .set("lastResult.state", "3");
        let derived = stream.accept(&empty.received("2025-06-30T01:00:00Z").event());
        assert!(derived.transitions.is_empty());
        let shipment = derived.shipment;
        assert_eq!(shipment.tracking_state, TrackingState::Ended);
        assert_eq!(
            parcel_status(&shipment),
            parcel_status(&known),
            "the top-level state of a push without items is not read"
        );
        assert_eq!(
            (shipment.events, shipment.milestones, shipment.flags),
            (known.events, known.milestones, known.flags)
        );
        assert_eq!(shipment.received_at, micros("2025-06-30T01:00:00Z"));
        assert_eq!(shipment.recent_pushes.len(), 2);
    }
}

#[test]
fn rule_5_6_a_push_whose_items_are_all_unusable_is_one_without_items() {
    let mut stream = Stream::default();
    let known = stream.accept(&kuaidi100(&codes(&["1", "5"])).event()).shipment;
    let unusable = kuaidi100(&[item("0001-01-01 00:00:00", "0", "x")]);
    let shipment = stream.accept(&unusable.event()).shipment;
    assert_eq!((shipment.events, shipment.flags), (known.events, known.flags));
}

#[test]
fn rule_5_4_a_push_without_items_replaces_hash_and_time_but_newest_item_stays_the_epochs() {
    let mut stream = Stream::default();
    let full = || kuaidi100(&codes(&["1", "0", "5"]));
    stream.accept(&full().received("2025-06-30T00:00:00Z").event());
    stream.accept(&kuaidi100(&[]).received("2025-06-30T05:00:00Z").event());
    // Within six hours of the empty push: older items are stale although the last push had none.
    assert_eq!(
        stream.push(&kuaidi100(&codes(&["1"])).received("2025-06-30T11:00:00Z").event()),
        Step::Stale
    );
    // The full push is no longer the last accepted one: after six hours it is not a duplicate.
    let again = stream.accept(&full().received("2025-06-30T06:00:00.000001Z").event());
    assert!(again.transitions.is_empty());
}

#[test]
fn rule_5_8_updateall_is_accepted_however_old_but_a_duplicate_if_seen() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1", "0", "5"])).event());
    let full = kuaidi100(&codes(&["1", "0"])).set("status", " UpdateAll ");
    let derived = stream.accept(&full.event());
    assert_eq!(derived.counts.retracted_events, 1);
    assert_eq!(stream.push(&full.event()), Step::Duplicate);
}

#[test]
fn rule_5_5_what_the_hash_covers() {
    let base = || {
        let line = in_area(item("2025-06-01 08:00:00", "0", "a b"), "CN310000000000", "上海市");
        let mut line = line;
        line["status"] = "在途".into();
        kuaidi100(&[line])
    };
    let outcome = |push: Kuaidi100| {
        let mut stream = Stream::default();
        stream.accept(&base().event());
        matches!(stream.push(&push.event()), Step::Duplicate)
    };
    let in_line = |key: &str, value: serde_json::Value| {
        let mut push = base();
        push.payload["lastResult"]["data"][0][key] = value;
        push
    };
    for (what, push) in [
        ("message", base().set("message", "寄件")),
        ("billstatus", base().set("billstatus", "check")),
        ("condition", base().set("lastResult.condition", "D01")),
        ("result message", base().set("lastResult.message", "x")),
        (
            "predicted route",
            base().set("lastResult.predictedRoute", json!([{"name": "x"}])),
        ),
        ("trail", base().set("lastResult.trailUrl", "x")),
        ("remaining time", base().set("lastResult.remainTime", "1天")),
        (
            "current place of the route",
            base().set("lastResult.routeInfo", json!({"cur": {"number": "CN1"}})),
        ),
        ("unknown field", base().set("new", 1)),
        ("writing of the time", in_line("ftime", json!("2025/6/1 8:00"))),
        ("white space", in_line("context", json!(" a\u{3000}b "))),
        ("center", in_line("areaCenter", json!("1,2"))),
        ("state as a number", base().set("lastResult.state", 0)),
        ("ischeck as a number", base().set("lastResult.ischeck", 0)),
        (
            "destination without items",
            base().set("destResult", json!({"com": "speedpost", "state": "3", "data": []})),
        ),
    ] {
        assert!(outcome(push), "{what} is no news");
    }
    for (what, push) in [
        ("tracking word", base().set("status", "shutdown")),
        ("state", base().set("lastResult.state", "3")),
        ("ischeck", base().set("lastResult.ischeck", "1")),
        ("time", in_line("ftime", json!("2025-06-01 08:00:01"))),
        ("text", in_line("context", json!("a c"))),
        ("code", in_line("statusCode", json!("1002"))),
        ("name", in_line("status", json!("干线"))),
        ("area", in_line("areaCode", json!("CN310115000000"))),
        ("place", in_line("location", json!("上海"))),
        ("place by area name", in_line("areaName", json!("上海"))),
        ("edd", base().set("lastResult.arrivalTime", "2025-06-17 10")),
        (
            "route",
            base().set("lastResult.routeInfo", json!({"to": {"number": "CN310000000000"}})),
        ),
        (
            "route name",
            base().set("lastResult.routeInfo", json!({"from": {"name": "上海"}})),
        ),
        ("loop", base().set("lastResult.isLoop", true)),
        (
            "destination",
            base().set(
                "destResult",
                json!({"com": "speedpost", "data": [item("2025-06-02 08:00:00", "0", "x")]}),
            ),
        ),
    ] {
        assert!(!outcome(push), "{what} is news");
    }
}

// --- versions ---

#[test]
fn versions_only_grow() {
    let mut stream = Stream::default();
    let first = stream
        .accept(&kuaidi100(&codes(&["1"])).received("2025-06-30T00:00:00Z").event())
        .shipment;
    assert_eq!(first.version, micros("2025-06-30T00:00:00Z").0);
    let earlier = stream
        .accept(&kuaidi100(&codes(&["1", "0"])).received("2025-06-29T00:00:00Z").event())
        .shipment;
    assert_eq!(earlier.version, first.version + 1);
    assert_eq!(earlier.received_at, micros("2025-06-29T00:00:00Z"));
    assert_eq!(earlier.first_received_at, first.first_received_at);
    let later = stream.accept(
        &kuaidi100(&codes(&["1", "0", "5"]))
            .received("2025-06-30T00:00:00.000002Z")
            .event(),
    );
    assert_eq!(later.shipment.version, first.version + 2);
}

#[test]
fn rule_14_1_account_is_that_of_the_last_accepted_push() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1"])).event());
    let mut next = kuaidi100(&codes(&["1", "0"])).event();
    next.account = "other".to_owned();
    let derived = stream.accept(&next);
    assert_eq!(derived.shipment.account, "other");
    assert_eq!(derived.transitions[0].account, "other");
}

// --- retractions ---

#[test]
fn a_rewrite_retracts_what_vanished_and_observes_what_changed() {
    let mut stream = Stream::default();
    let first = stream.accept(
        &kuaidi100(&codes(&["1", "0", "5", "3"]))
            .received("2025-06-30T00:00:00Z")
            .event(),
    );
    // The second event vanishes, so that the third changes its from-state; the last changes its code.
    let mut lines = codes(&["1", "0", "5", "301"]);
    lines.remove(1);
    let mut event = kuaidi100(&lines).received("2025-06-30T01:00:00Z").event();
    event.account = "other".to_owned();
    let second = stream.accept(&event);
    let ops: Vec<_> = second.transitions.iter().map(|transition| transition.op).collect();
    assert_eq!(ops, [Op::Retracted, Op::Observed, Op::Observed]);
    let retracted = &second.transitions[0];
    assert_eq!(retracted.transition_id, first.transitions[1].transition_id);
    assert_eq!(retracted.to_status, Status::InTransit);
    assert_eq!(retracted.version, second.shipment.version);
    assert_eq!(retracted.received_at, second.shipment.received_at);
    assert_eq!(retracted.account, "other");
    assert_eq!(retracted.first_received_at, first.shipment.first_received_at);
    assert_eq!(
        changes(&second.transitions[1..]),
        [
            "PICKED_UP→OUT_FOR_DELIVERY EXPECTED",
            "OUT_FOR_DELIVERY→DELIVERED EXPECTED"
        ]
    );
    assert_eq!(second.transitions[1].transition_id, first.transitions[2].transition_id);
    assert_eq!(second.counts.rewrites, 1);
    assert_eq!(second.counts.retracted_transitions, 1);
    assert_eq!(second.counts.observed_transitions, 2);
}

#[test]
fn an_event_whose_instant_moves_keeps_its_id_and_changes_its_row() {
    let line = trace("2025-06-01 08:00:00", "2", "x");
    let mut stream = Stream::default();
    let first = stream.accept(&kdniao(std::slice::from_ref(&line)).event());
    let second = stream.accept(
        &kdniao(&[in_zone(line, "+02:00")])
            .received("2025-06-30T01:00:00Z")
            .event(),
    );
    assert_eq!(first.shipment.events[0].id, second.shipment.events[0].id);
    assert_eq!(second.counts.retracted_events, 0);
    let rows: Vec<_> = second
        .transitions
        .iter()
        .map(|transition| (transition.op, transition.occurred_at))
        .collect();
    assert_eq!(
        rows,
        [
            (Op::Retracted, millis("2025-06-01T00:00:00Z")),
            (Op::Observed, millis("2025-06-01T06:00:00Z"))
        ]
    );
    assert_eq!(second.transitions[0].transition_id, second.transitions[1].transition_id);
    assert_eq!(stream.transitions.len(), 1);
}

#[test]
fn a_longer_history_observes_only_what_is_new() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1", "0"])).event());
    let derived = stream.accept(&kuaidi100(&codes(&["1", "0", "5"])).event());
    assert_eq!(changes(&derived.transitions), ["IN_TRANSIT→OUT_FOR_DELIVERY EXPECTED"]);
}

#[test]
fn a_place_that_comes_later_is_a_change() {
    let line = item("2025-06-01 08:00:00", "1", "x");
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(std::slice::from_ref(&line)).event());
    let derived = stream.accept(&kuaidi100(&[in_area(line, "310000000000", "上海市")]).event());
    assert_eq!(derived.transitions.len(), 1);
    assert_eq!(derived.transitions[0].op, Op::Observed);
    assert_eq!(derived.transitions[0].area_code.as_deref(), Some("CN310000000000"));
    assert_eq!(derived.transitions[0].location.as_deref(), Some("上海市"));
}

// --- epochs ---

#[test]
fn rule_12_1_an_epoch_is_named_by_the_utc_day_of_its_first_event() {
    // 07:59 in China is the day before in UTC.
    let early = shipment(
        &kuaidi100(&[
            item("2025-06-01 07:59:59", "1", "a"),
            item("2025-06-09 08:00:00", "0", "b"),
        ])
        .event(),
    );
    assert_eq!(early.epoch, day("2025-05-31"));
}

#[test]
fn rule_12_1_more_than_thirty_days_of_silence_open_a_new_epoch() {
    let first = || {
        kuaidi100(&[
            item("2025-06-01 08:00:00", "1", "a"),
            item("2025-06-02 08:00:00", "5", "b"),
        ])
    };
    let next = |begins: &str| {
        let mut stream = Stream::default();
        stream.accept(
            &first()
                .set("lastResult.arrivalTime", "2025-06-03 10")
                .set(
                    "lastResult.routeInfo",
                    json!({"to": {"number": "CN310000000000", "name": "上海"}}),
                )
                .event(),
        );
        let derived = stream.accept(
            &kuaidi100(&[item(begins, "1", "a")])
                .received("2025-08-01T00:00:00Z")
                .event(),
        );
        (stream, derived)
    };
    let (_, same) = next("2025-07-02 08:00:00");
    assert_eq!(same.shipment.epoch, day("2025-06-01"));
    assert_eq!(same.counts.retracted_events, 2);

    let (stream, new) = next("2025-07-02 08:00:01");
    let shipment = &new.shipment;
    assert_eq!(shipment.epoch, day("2025-07-02"));
    assert_eq!(new.counts.new_epochs, 1);
    assert_eq!(new.counts.retracted_events, 0);
    assert_eq!(shipment.first_received_at, micros("2025-08-01T00:00:00Z"));
    assert_eq!((shipment.edd_first, shipment.edd_last), (None, None));
    assert_eq!((&shipment.dest_code, &shipment.route_dest), (&None, &None));
    assert_eq!(shipment.recent_pushes.len(), 2, "remembered across epochs");
    assert!(new.transitions.iter().all(|transition| transition.op == Op::Observed));
    assert_eq!(stream.transitions.len(), 3, "the old epoch's transitions stay");
}

#[test]
fn rule_12_1_an_epoch_keeps_its_name() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&[item("2025-06-20 08:00:00", "1", "a")]).event());
    let earlier = [
        item("2025-06-10 08:00:00", "101", "z"),
        item("2025-06-20 08:00:00", "1", "a"),
    ];
    let shipment = stream.accept(&kuaidi100(&earlier).event()).shipment;
    assert_eq!(shipment.epoch, day("2025-06-20"));
}

#[test]
fn rule_12_1_a_push_without_items_belongs_to_the_latest_epoch() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&[item("2025-06-01 08:00:00", "1", "a")]).event());
    let late = kuaidi100(&[])
        .set("status", "abort")
        .set("message", "60天无变化")
        .received("2025-12-01T00:00:00Z");
    let shipment = stream.accept(&late.event()).shipment;
    assert_eq!(shipment.epoch, day("2025-06-01"));
    assert_eq!(shipment.tracking_state, TrackingState::AbortedStale);
}

#[test]
fn rule_5_4_a_new_epoch_starts_its_tracking_state_anew() {
    let mut stream = Stream::default();
    stream.accept(
        &kuaidi100(&[item("2025-06-01 08:00:00", "1", "a")])
            .set("status", "shutdown")
            .event(),
    );
    let next = kuaidi100(&[item("2025-08-01 08:00:00", "1", "a")]).set("status", "updateall");
    let shipment = stream.accept(&next.received("2025-08-02T00:00:00Z").event()).shipment;
    assert_eq!(shipment.tracking_state, TrackingState::Active);
}

// --- tracking state ---

#[test]
fn rule_11_1_tracking_state_of_kuaidi100() {
    for (status, message, state) in [
        (json!("polling"), "", TrackingState::Active),
        (json!(" ShutDown "), "", TrackingState::Ended),
        (json!("abort"), "3天查询无记录", TrackingState::AbortedNoRecord),
        (json!("abort"), "60 天无变化时", TrackingState::AbortedStale),
        (json!("abort"), "无\u{3000}变 化", TrackingState::AbortedStale),
        (json!("abort"), "", TrackingState::AbortedNoRecord),
        (json!("updateall"), "", TrackingState::Active),
        (json!("change"), "60天无变化", TrackingState::Active),
        (json!(""), "", TrackingState::Active),
        (json!(null), "", TrackingState::Active),
        (json!(7), "", TrackingState::Active),
        (json!(["abort"]), "", TrackingState::Active),
    ] {
        let push = kuaidi100(&[]).set("status", status.clone()).set("message", message);
        assert_eq!(shipment(&push.event()).tracking_state, state, "{status} {message}");
    }
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1"])).set("status", "shutdown").event());
    let unchanged = stream.accept(&kuaidi100(&codes(&["1", "0"])).set("status", "updateall").event());
    assert_eq!(unchanged.shipment.tracking_state, TrackingState::Ended);
    let active = stream.accept(&kuaidi100(&codes(&["1", "0", "5"])).event());
    assert_eq!(active.shipment.tracking_state, TrackingState::Active);
}

#[test]
fn rule_11_1_tracking_state_of_kdniao() {
    for (success, reason, state) in [
        (json!(true), "三天无轨迹", TrackingState::Active),
        (json!(null), "三天无轨迹", TrackingState::Active),
        (json!("x"), "三天无轨迹", TrackingState::Active),
        (json!(false), "三天 无轨迹", TrackingState::AbortedNoRecord),
        (json!("False"), "三天无轨迹", TrackingState::AbortedNoRecord),
        (json!(false), "七天内无轨迹变化", TrackingState::AbortedStale),
        (json!(false), "暂无轨迹信息", TrackingState::Active),
        (json!(false), "", TrackingState::Active),
    ] {
        let push = kdniao(&[]).set("Success", success.clone()).set("Reason", reason);
        assert_eq!(shipment(&push.event()).tracking_state, state, "{success} {reason}");
    }
    let mut stream = Stream::default();
    stream.accept(&kdniao(&[]).set("Success", false).set("Reason", "三天无轨迹").event());
    let waiting = stream.accept(
        &kdniao(&[])
            .set("Success", false)
            .set("Reason", "")
            .set("State", "0")
            .event(),
    );
    assert_eq!(
        waiting.shipment.tracking_state,
        TrackingState::AbortedNoRecord,
        "unchanged"
    );
    let mut missing = kdniao(&[trace("2025-06-01 08:00:00", "2", "x")]);
    missing.parcel.as_object_mut().unwrap().remove("Success");
    assert_eq!(
        stream.accept(&missing.event()).shipment.tracking_state,
        TrackingState::Active
    );
}

// --- carrier corrections ---

fn correction(com: &str, com_old: &str, com_new: &str) -> Kuaidi100 {
    kuaidi100(&codes(&["1"]))
        .set("status", "abort")
        .set("autoCheck", "0")
        .set("comOld", com_old)
        .set("comNew", com_new)
        .set("lastResult.com", com)
}

#[test]
fn rule_11_2_an_abort_with_a_new_carrier_closes_the_old_shipment() {
    let mut stream = Stream::default();
    let known = stream.accept(&kuaidi100(&codes(&["1", "0"])).event()).shipment;
    let derived = stream.accept(&correction("zhongtong", "yuantong", "shentong").event());
    assert_eq!(derived.shipment.carrier, "yto");
    assert_eq!(derived.shipment.tracking_state, TrackingState::CarrierCorrected);
    assert_eq!(derived.shipment.events, known.events, "its own items are ignored");
    assert!(derived.transitions.is_empty());
    assert_eq!(
        stream.push(&correction("zhongtong", "yuantong", "shentong").event()),
        Step::Duplicate
    );
    assert_eq!(stream.shipments.len(), 1, "nothing is known of the new carrier yet");
}

#[test]
fn rule_11_2_without_com_old_the_result_names_the_old_carrier() {
    let derived = derived(&correction("yuantong", " ", "shentong").event());
    assert_eq!(derived.shipment.carrier, "yto");
    assert_eq!(derived.shipment.tracking_state, TrackingState::CarrierCorrected);
    assert_eq!(
        (derived.shipment.status, derived.shipment.events.len()),
        (Status::Unknown, 0)
    );
    assert_eq!(derived.shipment.leg, Leg::Forward);
}

#[test]
fn rule_11_2_corrections_to_nowhere_are_counted_no_ops() {
    let mut stream = Stream::default();
    assert_eq!(
        stream.push(&correction("shentong", "", "shentong").event()),
        Step::Nothing(NoOp::CorrectionToSameCarrier)
    );
    // Two codes of one carrier.
    assert_eq!(
        stream.push(&correction("", "debangkuaidi", "debangwuliu").event()),
        Step::Nothing(NoOp::CorrectionToSameCarrier)
    );
    assert_eq!(
        stream.push(&correction("", "", "shentong").event()),
        Step::Nothing(NoOp::CorrectionWithoutOldCarrier)
    );
    assert!(stream.shipments.is_empty());
}

#[test]
fn rule_11_2_carrier_corrected_stays_while_late_events_come() {
    let mut stream = Stream::default();
    stream.accept(&correction("yuantong", "yuantong", "shentong").event());
    for (count, status) in [(1, "polling"), (2, "shutdown"), (3, "abort"), (4, "updateall")] {
        let late = kuaidi100(&codes(&["1", "0", "5", "3"][..count])).set("status", status);
        let shipment = stream.accept(&late.event()).shipment;
        assert_eq!(shipment.tracking_state, TrackingState::CarrierCorrected, "{status}");
        assert_eq!(shipment.events.len(), count);
    }
}

#[test]
fn rule_11_2_other_pushes_belong_to_the_new_carrier_and_leave_the_old_alone() {
    let push = kuaidi100(&codes(&["1"]))
        .set("autoCheck", "1")
        .set("comOld", "yuantong")
        .set("comNew", "ems");
    let mut stream = Stream::default();
    assert_eq!(stream.accept(&push.event()).shipment.carrier, "ems");
    assert_eq!(stream.shipments.len(), 1);
    let no_new = kuaidi100(&codes(&["1"])).set("comOld", "ems").set("comNew", "");
    assert_eq!(stream.accept(&no_new.event()).shipment.carrier, "yto");
    let plain_abort = kuaidi100(&[])
        .set("status", "abort")
        .set("comOld", "")
        .set("comNew", " ");
    assert_eq!(
        shipment(&plain_abort.event()).tracking_state,
        TrackingState::AbortedNoRecord
    );
}

#[test]
fn an_abort_with_items_is_a_snapshot_like_any_other() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1"])).event());
    let derived = stream.accept(
        &kuaidi100(&codes(&["1", "0"]))
            .set("status", "abort")
            .set("message", "60天无变化")
            .event(),
    );
    assert_eq!(derived.shipment.tracking_state, TrackingState::AbortedStale);
    assert_eq!(derived.shipment.events.len(), 2);
}

#[test]
fn extremes_of_receipt_do_not_overflow() {
    for received_at in [i64::MIN, -1, 0, i64::MAX] {
        let mut stream = Stream::default();
        let mut event = kuaidi100(&codes(&["1", "0"])).event();
        event.received_at = TimestampMicros(received_at);
        stream.accept(&event);
        let mut next = kuaidi100(&codes(&["1", "0", "5"])).event();
        next.received_at = TimestampMicros(i64::MAX);
        stream.push(&next);
        next.received_at = TimestampMicros(i64::MIN);
        stream.push(&next);
    }
}
