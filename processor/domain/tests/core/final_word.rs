//! The vendor's final word: its top-level state where the newest event says nothing, or nothing final (rule 8.3).

use courierflow_schemas::records::{Leg, Op, Status};
use serde_json::{Value, json};

use crate::pushes::*;

/// A text that says nothing about a parcel.
const MUTE: &str = "您的宝贝到家啦";

/// Picked up, out for delivery, and then a line with this text and no code.
fn ends_with(text: &str) -> Vec<Value> {
    let mut lines = codes(&["103", "5"]);
    lines.push(item("2025-06-01 12:00:00", "", text));
    lines
}

fn signed(lines: &[Value], state: &str) -> Kuaidi100 {
    kuaidi100(lines)
        .set("status", "shutdown")
        .set("lastResult.state", state)
        .set("lastResult.ischeck", "1")
}

/// `STATUS/SUB_STATUS/CODE` and the flag.
fn outcome(push: &Kuaidi100) -> (String, bool) {
    let shipment = shipment(&push.event());
    (parcel_status(&shipment), has_flag(&shipment, "status_inferred"))
}

/// State 3, `ischeck` 1, shutdown and a newest text that says nothing: the shipment was DELIVERED while `delivered_at` was
/// NULL and the parcel open for ever.
#[test]
fn rule_8_3a_the_state_decides_a_mute_newest_event_with_milestones_and_transitions() {
    let derived = derived(&signed(&ends_with(MUTE), "3").event());
    let shipment = &derived.shipment;
    assert_eq!(parcel_status(shipment), "DELIVERED/UNSPECIFIED/3");
    assert_eq!(shipment.leg, Leg::Forward);
    assert_eq!(shipment.milestones.delivered_at, Some(china("2025-06-01T12:00:00")));
    assert_eq!(shipment.flags, ["status_inferred"]);
    let newest = shipment.events.last().unwrap();
    assert_eq!(
        (newest.status, newest.raw_code.as_deref()),
        (Status::Delivered, Some("3"))
    );
    let last = derived.transitions.last().unwrap();
    assert_eq!(
        (last.to_status, last.raw_code.as_deref()),
        (Status::Delivered, Some("3"))
    );
}

#[test]
fn rule_8_3a_only_a_state_that_is_news_and_no_exception() {
    for (state, status, inferred) in [
        ("3", "DELIVERED/UNSPECIFIED/3", true),
        ("401", "CANCELLED/WAYBILL_VOIDED/401", true),
        ("501", "AVAILABLE_FOR_PICKUP/LOCKER_OR_STATION/501", true),
        // As the last event with a known status.
        ("5", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5", false),
        // Vendors leave exceptions standing.
        ("2", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5", false),
        ("204", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5", false),
        ("15", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5", false),
        ("", "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5", false),
        // A kind of 3.
        ("305", "DELIVERED/UNSPECIFIED/305", true),
    ] {
        let push = kuaidi100(&ends_with(MUTE)).set("lastResult.state", state);
        assert_eq!(outcome(&push), (status.to_owned(), inferred), "{state}");
    }
    // Kdniao's basic state sticks to 4 after any problem.
    let traces = [
        trace("2025-06-01 08:00:00", "", "已签收"),
        trace("2025-06-01 09:00:00", "", MUTE),
    ];
    let sticky = shipment(&kdniao(&traces).set("State", "4").event());
    assert_eq!(parcel_status(&sticky), "DELIVERED/UNSPECIFIED/-");
}

#[test]
fn rule_8_3a_rules_12_to_14_apply_as_if_the_state_were_the_events_code() {
    // 13: a refusal, and the end.
    let refused = shipment(&signed(&ends_with(MUTE), "14").event());
    assert_eq!(parcel_status(&refused), "RETURNED/REFUSED/14");
    assert_eq!(refused.exception_reasons, ["REFUSED"]);
    assert_eq!(refused.milestones.returned_at, Some(china("2025-06-01T12:00:00")));
    let in_doubt = kuaidi100(&ends_with(MUTE)).set("lastResult.state", "14");
    assert_eq!(
        outcome(&in_doubt).0,
        "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5",
        "an exception"
    );
    // 14: on the way back the sender signs.
    let mut lines = codes(&["103", "5", "6"]);
    lines.push(item("2025-06-01 12:00:00", "", MUTE));
    let back = shipment(&signed(&lines, "3").event());
    assert_eq!(parcel_status(&back), "RETURNED/RETURN_SIGNED/3");
    assert_eq!(back.flags, ["return_signed", "status_inferred"]);
    // 12: a depot, which the state calls a locker.
    let traces = [
        in_zone(trace("2025-06-01 08:00:00", "1", "Picked up"), "+02:00"),
        in_zone(trace("2025-06-01 09:00:00", "", "x"), "+02:00"),
    ];
    let depot = shipment(&kdniao(&traces).set("StateEx", "211").event());
    assert_eq!(parcel_status(&depot), "IN_TRANSIT/ARRIVED_DELIVERY_DEPOT/211");
}

#[test]
fn rule_8_3a_the_items_own_unknown_code_stays_flagged() {
    let mut lines = codes(&["103", "5"]);
    lines.push(item("2025-06-01 12:00:00", "x9", MUTE));
    let shipment = shipment(&signed(&lines, "3").event());
    assert_eq!(parcel_status(&shipment), "DELIVERED/UNSPECIFIED/3");
    assert_eq!(shipment.flags, ["status_inferred", "unknown_code"]);
}

#[test]
fn rule_8_3_the_newest_event_is_the_last_that_is_not_in_the_future() {
    let mut lines = ends_with(MUTE);
    lines.push(item("2025-07-01 12:00:00", "", "预计送达"));
    let shipment = shipment(&signed(&lines, "3").event());
    assert_eq!(shipment.milestones.delivered_at, Some(china("2025-06-01T12:00:00")));
    assert_eq!(parcel_status(&shipment), "DELIVERED/UNSPECIFIED/3");
    assert_eq!(shipment.flags, ["future_time", "status_inferred"]);
    // Rule 6.6 asks for the newest event of the whole snapshot: the refusal is an exception, of which 63a makes
    // nothing.
    let refused = outcome(&signed(&lines, "14"));
    assert_eq!(refused, ("OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/5".to_owned(), false));
}

#[test]
fn rule_8_3_the_state_of_the_segment_counts() {
    let push = kuaidi100(&codes(&["103"])).set("lastResult.state", "0").set(
        "destResult",
        json!({"com": "speedpost", "state": "3", "ischeck": "1", "data": [item("2025-06-02 08:00:00", "", MUTE)]}),
    );
    assert_eq!(outcome(&push), ("DELIVERED/UNSPECIFIED/3".to_owned(), true));
    let of_origin = push.set("lastResult.state", "3").set("destResult.state", "");
    assert_eq!(outcome(&of_origin), ("PICKED_UP/PICKED_UP/103".to_owned(), false));
}

#[test]
fn rule_8_3_ids_and_order_are_made_before() {
    let mut stream = Stream::default();
    let first = stream.accept(&kuaidi100(&ends_with(MUTE)).event());
    let second = stream.accept(&signed(&ends_with(MUTE), "3").event());
    let ids = |shipment: &courierflow_schemas::records::Shipment| -> Vec<i64> {
        shipment.events.iter().map(|event| event.id).collect()
    };
    assert_eq!(ids(&first.shipment), ids(&second.shipment));
    assert_eq!(changes(&second.transitions), ["OUT_FOR_DELIVERY→DELIVERED EXPECTED"]);
    assert_eq!(second.transitions[0].op, Op::Observed);
}

#[test]
fn rule_8_3b_a_sign_off_decides_a_newest_event_that_only_a_text_tells() {
    for state in ["3", "301", "302", "303", "304"] {
        let push = signed(&ends_with("快件到达 深圳营业部"), state);
        let shipment = shipment(&push.event());
        assert_eq!(shipment.status, Status::Delivered, "{state}");
        assert_eq!(shipment.raw_code.as_deref(), Some(state));
        assert_eq!(shipment.milestones.delivered_at, Some(china("2025-06-01T12:00:00")));
        assert_eq!(shipment.flags, ["status_inferred"]);
    }
    let back = shipment(&signed(&ends_with("快件到达 深圳营业部"), "4").event());
    assert_eq!(parcel_status(&back), "RETURNED/RETURN_SIGNED/4");
    for (what, push) in [
        (
            "nobody signed",
            kuaidi100(&ends_with("快件到达 深圳营业部")).set("lastResult.state", "3"),
        ),
        ("no sign-off", signed(&ends_with("快件到达 深圳营业部"), "0")),
        ("unknown to the table", signed(&ends_with("快件到达 深圳营业部"), "305")),
    ] {
        assert_eq!(outcome(&push), ("IN_TRANSIT/IN_TRANSIT/-".to_owned(), false), "{what}");
    }
    let coded = signed(&codes(&["103", "5", "0"]), "3");
    assert_eq!(
        outcome(&coded).0,
        "IN_TRANSIT/IN_TRANSIT/0",
        "the code of an event wins"
    );
    let mut named = codes(&["103", "5"]);
    let mut line = item("2025-06-01 12:00:00", "", "x");
    line["status"] = "在途".into();
    named.push(line);
    assert_eq!(
        outcome(&signed(&named, "3")).0,
        "IN_TRANSIT/IN_TRANSIT/-",
        "and so does its name"
    );
    let ended = signed(&ends_with("已签收"), "3");
    assert_eq!(
        outcome(&ended),
        ("DELIVERED/UNSPECIFIED/-".to_owned(), false),
        "it is final itself"
    );
}

#[test]
fn rule_8_3b_kdniao_signs_off_by_its_state_alone() {
    let traces = [
        trace("2025-06-01 08:00:00", "1", "x"),
        trace("2025-06-01 09:00:00", "", "快件到达 深圳营业部"),
    ];
    for (state, status) in [
        ("3", "DELIVERED/UNSPECIFIED/3"),
        ("301", "DELIVERED/RECIPIENT/301"),
        ("302", "DELIVERED/AFTER_EXCEPTION/302"),
        ("304", "DELIVERED/PROXY/304"),
        ("311", "DELIVERED/LOCKER_OR_STATION/311"),
        ("406", "RETURNED/RETURN_SIGNED/406"),
        ("2", "IN_TRANSIT/IN_TRANSIT/-"),
        ("202", "IN_TRANSIT/IN_TRANSIT/-"),
        ("415", "IN_TRANSIT/IN_TRANSIT/-"),
    ] {
        let push = kdniao(&traces).set("StateEx", state);
        assert_eq!(parcel_status(&shipment(&push.event())), status, "{state}");
    }
}

#[test]
fn rule_8_3b_a_text_that_tells_a_return_is_signed_by_the_sender() {
    let shipment = shipment(&signed(&ends_with("快件正退回寄件人"), "3").event());
    assert_eq!(parcel_status(&shipment), "RETURNED/RETURN_SIGNED/3");
    assert_eq!(shipment.milestones.delivered_at, None);
    assert_eq!(shipment.milestones.returned_at, Some(china("2025-06-01T12:00:00")));
}

/// Vendors fill an empty list with a line that says so, dated now: it was an event of unknown status, and newer than all.
#[test]
fn rule_8_3c_a_placeholder_is_no_item() {
    let with = |line: Value| {
        let mut lines = codes(&["103", "5"]);
        lines.push(line);
        shipment(&kuaidi100(&lines).event())
    };
    assert_eq!(with(item("2025-06-02 08:00:00", "", "查无结果")).events.len(), 2);
    let without_time = with(item("", "", "【暂无轨迹】"));
    assert_eq!(
        (without_time.events.len(), without_time.flags),
        (2, vec![]),
        "no bad_time either"
    );
    assert_eq!(
        with(item("2025-06-02 08:00:00", "x9", "暂无物流信息")).events.len(),
        2,
        "no usable code"
    );
    assert_eq!(
        with(item("2025-06-02 08:00:00", "0", "查无结果")).events.len(),
        3,
        "a code makes it an item"
    );
    assert_eq!(
        with(item("2025-06-02 08:00:00", "", "快件到达，暂无轨迹")).events.len(),
        3,
        "more than a placeholder"
    );
}

#[test]
fn rule_8_3c_a_push_of_placeholders_is_one_without_items() {
    let mut stream = Stream::default();
    let bad = [item("2025-06-01 08:00:00", "103", "a"), item("x", "0", "b")];
    let known = stream.accept(&kuaidi100(&bad).event()).shipment;
    assert_eq!(known.flags, ["bad_time"]);
    let nothing = kuaidi100(&[item("2025-06-02 08:00:00", "", "没有查询到相关信息")]);
    let shipment = stream.accept(&nothing.event()).shipment;
    assert_eq!(
        (shipment.events, shipment.flags),
        (known.events, known.flags),
        "the flags of the last snapshot stay"
    );
    // Another time of the same nothing is the same push.
    let again = kuaidi100(&[item("2025-06-03 08:00:00", "", "没有查询到相关信息")]);
    assert_eq!(stream.push(&again.event()), Step::Duplicate);
}
