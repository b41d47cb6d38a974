//! Order of events, legs, status of the parcel, transitions and their verdicts (rules 4.6, 6.6, 7.1, 7.2, 7.5, 8.1,
//! 8.2, 9.1–9.3, 9.5).

use courierflow_schemas::records::{Leg, Segment, Status, Verdict};
use serde_json::{Value, json};

use crate::pushes::*;

fn contexts(push: &Kuaidi100) -> Vec<String> {
    shipment(&push.event())
        .events
        .into_iter()
        .map(|event| event.context)
        .collect()
}

// --- order ---

#[test]
fn rule_7_1_ties_in_a_descending_list_are_reversed() {
    let lines = [
        item("2025-06-01 08:00:00", "0", "first"),
        item("2025-06-01 08:00:00", "0", "second"),
    ];
    let older = item("2025-06-01 07:00:00", "0", "older");
    // The builder writes the list newest first: older, first, second stand in the payload as second, first, older.
    assert_eq!(
        contexts(&kuaidi100(&[older, lines[0].clone(), lines[1].clone()])),
        ["older", "first", "second"]
    );
}

#[test]
fn rule_7_1_ties_in_an_ascending_list_stay() {
    let tie = |text| item("2025-06-01 08:00:00", "0", text);
    let data = json!([tie("first"), tie("second"), item("2025-06-01 09:00:00", "0", "newer")]);
    assert_eq!(
        contexts(&kuaidi100(&[]).set("lastResult.data", data)),
        ["first", "second", "newer"]
    );
}

#[test]
fn rule_7_1_a_list_of_one_time_counts_as_descending() {
    let tie = |text| item("2025-06-01 08:00:00", "0", text);
    let data = json!([tie("third"), tie("second"), tie("first")]);
    assert_eq!(
        contexts(&kuaidi100(&[]).set("lastResult.data", data)),
        ["first", "second", "third"]
    );
}

#[test]
fn rule_7_1_direction_is_told_by_usable_items() {
    let tie = |text| item("2025-06-01 08:00:00", "0", text);
    let bad = item("0001-01-01 00:00:00", "0", "bad");
    let data = json!([
        bad,
        tie("first"),
        tie("second"),
        item("2025-06-01 09:00:00", "0", "newer"),
        bad
    ]);
    assert_eq!(
        contexts(&kuaidi100(&[]).set("lastResult.data", data)),
        ["first", "second", "newer"]
    );
}

#[test]
fn rule_7_1_direction_is_each_lists_own_and_origin_stands_first() {
    let tie = |text| item("2025-06-01 08:00:00", "0", text);
    let push = kuaidi100(&[])
        .set(
            "lastResult.data",
            json!([tie("o1"), tie("o2"), item("2025-06-01 09:00:00", "0", "o3")]),
        )
        .set("destResult", json!({"com": "yuantong", "data": [tie("d2"), tie("d1")]}));
    assert_eq!(contexts(&push), ["o1", "o2", "d1", "d2", "o3"]);
}

#[test]
fn rule_7_2_ranks_order_events_of_one_second() {
    let at_once = |code| item("2025-06-01 08:00:00", code, code);
    let codes = ["401", "4", "6", "3", "501", "14", "2", "5", "8", "0", "1", "101", "77x"];
    let lines: Vec<_> = codes.iter().map(|code| at_once(code)).collect();
    // Newest first in the payload: equal ranks (customs 8 and transit 0, refusal 14 and problem 2) keep that reversed.
    assert_eq!(
        contexts(&kuaidi100(&lines)),
        ["77x", "101", "1", "8", "0", "5", "14", "2", "501", "3", "6", "4", "401"]
    );
}

#[test]
fn rule_7_5_equal_lines_are_separate_events_numbered_from_the_oldest() {
    let line = |time: &str| item(time, "0", "您的快件已发车");
    let push = |times: &[&str]| kuaidi100(&times.iter().map(|time| line(time)).collect::<Vec<_>>()).event();
    let twice = shipment(&push(&["2025-06-01 08:00:00", "2025-06-01 08:00:00"]));
    assert_eq!(twice.events.len(), 2);
    assert_ne!(twice.events[0].id, twice.events[1].id);
    let once = shipment(&push(&["2025-06-01 08:00:00"]));
    assert_eq!(once.events[0].id, twice.events[0].id);
}

#[test]
fn rule_4_4_and_rule_4_9_ids_know_one_line_in_every_writing() {
    let id = |time: &str, text: &str| shipment(&kuaidi100(&[item(time, "0", text)]).event()).events[0].id;
    let id_of_all = id("2025-06-01 08:05:00", "a b");
    assert_eq!(id("2025/6/1 8:05", " a\u{3000} b "), id_of_all);
    assert_ne!(id("2025-06-01 08:05:01", "a b"), id_of_all);
    assert_ne!(id("2025-06-01 08:05:00", "ab"), id_of_all);
}

#[test]
fn ids_do_not_depend_on_code_area_or_masking_but_on_the_parcel() {
    let plain = shipment(&kuaidi100(&[item("2025-06-01 08:00:00", "", "快递员：张三")]).event());
    let rich = in_area(
        item("2025-06-01 08:00:00", "5", "快递员：张三"),
        "CN310000000000",
        "上海市",
    );
    let rich = shipment(&kuaidi100(&[rich]).event());
    assert_eq!(plain.events[0].id, rich.events[0].id);
    assert_eq!(rich.events[0].context, "快递员：***");
    let other_name = shipment(&kuaidi100(&[item("2025-06-01 08:00:00", "", "快递员：李四")]).event());
    assert_ne!(plain.events[0].id, other_name.events[0].id);
    let other_carrier =
        kuaidi100(&[item("2025-06-01 08:00:00", "", "快递员：张三")]).set("lastResult.com", "zhongtong");
    assert_ne!(plain.events[0].id, shipment(&other_carrier.event()).events[0].id);
}

// --- code 14 and legs ---

#[test]
fn rule_6_6_a_refusal_is_the_end_only_as_newest_event_of_an_ended_or_signed_parcel() {
    let newest = kuaidi100(&codes(&["1", "5", "14"]));
    let last = |push: &Kuaidi100| statuses(&shipment(&push.event()).events).pop().unwrap();
    assert_eq!(last(&newest), "!EXCEPTION/REFUSED");
    assert_eq!(last(&newest.clone().set("status", "shutdown")), "!RETURNED/REFUSED");
    for ischeck in [json!(1), json!("1"), json!(true)] {
        assert_eq!(
            last(&newest.clone().set("lastResult.ischeck", ischeck)),
            "!RETURNED/REFUSED"
        );
    }
    for ischeck in [
        json!(0),
        json!("0"),
        json!(false),
        json!(null),
        json!("x"),
        json!(2),
        json!([1]),
    ] {
        assert_eq!(
            last(&newest.clone().set("lastResult.ischeck", ischeck)),
            "!EXCEPTION/REFUSED"
        );
    }
    let delivered_later = kuaidi100(&codes(&["1", "5", "14", "3"])).set("lastResult.ischeck", 1);
    assert_eq!(
        statuses(&shipment(&delivered_later.event()).events)[2..],
        ["!EXCEPTION/REFUSED", "DELIVERED/UNSPECIFIED"]
    );
}

#[test]
fn rule_6_6_the_refusal_counts_either_way() {
    for push in [
        kuaidi100(&codes(&["5", "14"])),
        kuaidi100(&codes(&["5", "14"])).set("status", "shutdown"),
    ] {
        let derived = derived(&push.event());
        assert_eq!(derived.shipment.exception_codes, ["14"]);
        assert_eq!(derived.shipment.exception_reasons, ["REFUSED"]);
        assert_eq!(derived.transitions[1].party.as_deref(), Some("consignee"));
    }
}

#[test]
fn rule_6_6_the_refusals_segment_decides() {
    let origin = item("2025-06-01 08:00:00", "14", "x");
    let push = kuaidi100(&[origin]).set(
        "destResult",
        json!({"com": "speedpost", "ischeck": "1", "data": [item("2025-05-31 08:00:00", "0", "y")]}),
    );
    assert_eq!(statuses(&shipment(&push.event()).events)[1], "!EXCEPTION/REFUSED");
}

#[test]
fn rule_6_6_kdniao_404_is_on_its_way_back_and_counts_as_refusal() {
    let traces = [
        trace("2025-06-01 08:00:00", "202", "a"),
        trace("2025-06-01 09:00:00", "404", "b"),
    ];
    let derived = derived(&kdniao(&traces).event());
    assert_eq!(statuses(&derived.shipment.events)[1], "!RETURNING/REFUSED");
    assert_eq!(derived.shipment.events[1].leg, Leg::Return);
    assert_eq!(derived.shipment.exception_codes, ["404"]);
    assert_eq!(derived.transitions[1].party.as_deref(), Some("consignee"));
    assert_eq!(
        derived.shipment.milestones.first_attempt_at,
        Some(china("2025-06-01T09:00:00"))
    );
}

#[test]
fn rule_8_1_no_way_back_to_the_forward_leg() {
    let derived = derived(&kuaidi100(&codes(&["1", "203", "6", "0", "5", "3"])).event());
    let shipment = &derived.shipment;
    assert_eq!(
        statuses(&shipment.events),
        [
            "PICKED_UP/PICKED_UP",
            "!EXCEPTION/REFUSED",
            "RETURNING/RETURNING",
            "IN_TRANSIT/IN_TRANSIT",
            "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY",
            "RETURNED/RETURN_SIGNED"
        ]
    );
    let legs: Vec<_> = shipment.events.iter().map(|event| event.leg).collect();
    assert_eq!(
        legs,
        [
            Leg::Forward,
            Leg::Forward,
            Leg::Return,
            Leg::Return,
            Leg::Return,
            Leg::Return
        ]
    );
    assert_eq!(shipment.leg, Leg::Return);
    assert_eq!(parcel_status(shipment), "RETURNED/RETURN_SIGNED/3");
    assert!(shipment.events[5].return_signed);
    assert!(has_flag(shipment, "return_signed"));
    assert_eq!(derived.transitions.last().unwrap().verdict, Verdict::Anomaly);
    assert_eq!(shipment.milestones.delivered_at, None);
    assert_eq!(shipment.milestones.returned_at, Some(shipment.events[5].occurred_at));
}

// --- status of the parcel ---

#[test]
fn rule_8_2_the_newest_event_decides_not_the_top_level_state() {
    let push = kuaidi100(&codes(&["1", "1002"])).set("lastResult.state", "3");
    assert_eq!(parcel_status(&shipment(&push.event())), "IN_TRANSIT/LINEHAUL/1002");
}

#[test]
fn rule_8_2_without_a_word_about_the_newest_event_the_last_known_status_stays() {
    let lines = [
        item("2025-06-01 08:00:00", "6", "x"),
        item("2025-06-01 09:00:00", "", "无"),
    ];
    for state in [json!(""), json!("999"), json!("6"), Value::Null] {
        let derived = derived(&kuaidi100(&lines).set("lastResult.state", state).event());
        assert_eq!(parcel_status(&derived.shipment), "RETURNING/RETURNING/6");
        assert_eq!(statuses(&derived.shipment.events), ["RETURNING/RETURNING", "UNKNOWN/-"]);
        assert_eq!(derived.shipment.leg, Leg::Return, "of the last event");
        assert_eq!(derived.transitions.len(), 1);
    }
    let nothing = kuaidi100(&[item("2025-06-01 09:00:00", "", "无")]).set("lastResult.state", "");
    assert_eq!(parcel_status(&shipment(&nothing.event())), "UNKNOWN/-/-");
}

#[test]
fn rule_8_2_the_state_of_the_newest_events_segment() {
    let push = kuaidi100(&[item("2025-06-01 08:00:00", "1", "x")])
        .set("lastResult.state", "5")
        .set(
            "destResult",
            json!({"com": "speedpost", "state": "3", "data": [item("2025-06-02 08:00:00", "", "无")]}),
        );
    let shipment = shipment(&push.event());
    assert_eq!(shipment.events[1].segment, Segment::Destination);
    assert_eq!(parcel_status(&shipment), "DELIVERED/UNSPECIFIED/3");
}

#[test]
fn rule_8_2_basic_pushes_of_kdniao() {
    let lines = |text: &str| kdniao(&[trace("2025-06-01 08:00:00", "", text)]);
    let status = |push: Kdniao| parcel_status(&shipment(&push.event()));
    // State 4 sticks: the newest text is the better witness.
    assert_eq!(status(lines("已签收").set("State", "4")), "DELIVERED/UNSPECIFIED/-");
    assert_eq!(status(lines("无").set("State", 3)), "DELIVERED/UNSPECIFIED/3");
    assert_eq!(
        status(lines("无").set("State", "4").set("StateEx", "202")),
        "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY/202"
    );
    assert_eq!(
        status(lines("无").set("State", "4").set("StateEx", "")),
        "UNKNOWN/-/-",
        "an exception is no final word"
    );
    assert_eq!(status(lines("无").set("State", "0")), "UNKNOWN/-/-");
}

#[test]
fn rule_8_2_guards_apply_to_the_top_level_state() {
    // A phrase of the guard in a line that says nothing by itself.
    let push = kdniao(&[in_zone(trace("2025-06-01 08:00:00", "", "Pre-advice?"), "+01:00")]).set("StateEx", "1");
    assert_eq!(parcel_status(&shipment(&push.event())), "INFO_RECEIVED/ORDER_CREATED/1");
    let push = kdniao(&[in_zone(trace("2025-06-01 08:00:00", "", "x"), "+01:00")]).set("StateEx", "211");
    assert_eq!(
        parcel_status(&shipment(&push.event())),
        "IN_TRANSIT/ARRIVED_DELIVERY_DEPOT/211"
    );
}

// --- transitions ---

#[test]
fn rule_9_1_unknown_events_neither_make_nor_interrupt() {
    let lines = [
        item("2025-06-01 08:00:00", "1", "a"),
        item("2025-06-01 09:00:00", "", "无"),
        item("2025-06-01 10:00:00", "1", "b"),
        item("2025-06-01 11:00:00", "", "无"),
        item("2025-06-01 12:00:00", "0", "c"),
    ];
    let derived = derived(&kuaidi100(&lines).event());
    assert_eq!(
        changes(&derived.transitions),
        ["UNKNOWN→PICKED_UP EXPECTED", "PICKED_UP→IN_TRANSIT EXPECTED"]
    );
}

#[test]
fn rule_9_1_equal_neighbours_make_none_and_a_new_sub_status_makes_one() {
    let derived = derived(&kuaidi100(&codes(&["0", "0", "1002", "1002", "5", "5"])).event());
    assert_eq!(
        changes(&derived.transitions),
        [
            "UNKNOWN→IN_TRANSIT EXPECTED",
            "IN_TRANSIT→IN_TRANSIT EXPECTED",
            "IN_TRANSIT→OUT_FOR_DELIVERY EXPECTED"
        ]
    );
}

#[test]
fn rule_9_1_transitions_tell_the_leg() {
    let traces = [
        trace("2025-06-01 08:00:00", "407", "a"),
        trace("2025-06-01 09:00:00", "2", "b"),
        trace("2025-06-01 10:00:00", "2", "c"),
    ];
    let derived = derived(&kdniao(&traces).event());
    assert_eq!(derived.transitions.len(), 2);
    let forward_then_back = [
        trace("2025-06-01 07:00:00", "2", "o"),
        trace("2025-06-01 08:00:00", "406", "a"),
        trace("2025-06-01 09:00:00", "2", "b"),
    ];
    let derived = crate::pushes::derived(&kdniao(&forward_then_back).event());
    let legs: Vec<_> = derived.transitions.iter().map(|transition| transition.leg).collect();
    assert_eq!(legs, [Leg::Forward, Leg::Return, Leg::Return]);
}

#[test]
fn rule_9_2_the_first_transition_comes_from_unknown() {
    let derived = derived(&kuaidi100(&codes(&["3"])).event());
    let first = &derived.transitions[0];
    assert_eq!(first.from_status, Status::Unknown);
    assert_eq!(first.from_sub_status, None);
    assert_eq!(first.dwell_seconds, None);
    assert_eq!(first.verdict, Verdict::Expected);
}

#[test]
fn rule_9_3_dwell_runs_from_the_transition_before() {
    let derived = derived(&kuaidi100(&codes(&["1", "1", "1", "0"])).event());
    assert_eq!(derived.transitions[1].dwell_seconds, Some(3 * 3600));
    assert_eq!(derived.transitions[1].from_sub_status.as_deref(), Some("PICKED_UP"));
    let at_once = [
        item("2025-06-01 08:00:00", "1", "a"),
        item("2025-06-01 08:00:00", "0", "b"),
    ];
    let derived = crate::pushes::derived(&kuaidi100(&at_once).event());
    assert_eq!(derived.transitions[1].dwell_seconds, Some(0));
}

/// One Kuaidi100 code for each status that can stand on the forward leg.
const REPRESENTATIVES: &[(&str, &str)] = &[
    ("INFO_RECEIVED", "101"),
    ("PICKED_UP", "1"),
    ("IN_TRANSIT", "0"),
    ("CUSTOMS", "8"),
    ("OUT_FOR_DELIVERY", "5"),
    ("AVAILABLE_FOR_PICKUP", "501"),
    ("EXCEPTION", "204"),
    ("DELIVERED", "3"),
    ("RETURNING", "6"),
    ("RETURNED", "4"),
    ("CANCELLED", "401"),
];

#[test]
fn rule_9_5_every_pair_of_statuses() {
    // Rows: from; columns: to, in the order above. E expected, T tolerated, A anomaly, = no transition.
    // DELIVERED after RETURNING is a RETURNED that the sender signed: an anomaly; after code 4 it says nothing new.
    let table = [
        ("INFO_RECEIVED", "=ETTTTTATTE"),
        ("PICKED_UP", "A=EEETTTTTE"),
        ("IN_TRANSIT", "TT=EETETTTA"),
        ("CUSTOMS", "TTE=ETETTTA"),
        ("OUT_FOR_DELIVERY", "TTAT=EEETTT"),
        ("AVAILABLE_FOR_PICKUP", "TTATT=TEETT"),
        ("EXCEPTION", "EEEEEE=TETE"),
        ("DELIVERED", "AAAAAAA=TTA"),
        ("RETURNING", "TTTTTTEA=ET"),
        ("RETURNED", "AAAAAAA=A=A"),
        ("CANCELLED", "ATAAAAAAAA="),
    ];
    for ((from, verdicts), (name, from_code)) in table.iter().zip(REPRESENTATIVES) {
        assert_eq!(from, name);
        assert_eq!(verdicts.len(), REPRESENTATIVES.len());
        for ((to, to_code), verdict) in REPRESENTATIVES.iter().zip(verdicts.chars()) {
            let derived = derived(&kuaidi100(&codes(&[from_code, to_code])).event());
            match derived.transitions.get(1) {
                None => assert_eq!(verdict, '=', "{from} → {to}"),
                Some(transition) => {
                    assert!(
                        transition.verdict.as_str().starts_with(verdict),
                        "{from} → {to}: {}",
                        transition.verdict
                    );
                }
            }
        }
    }
}

#[test]
fn rule_9_5_pairs_that_depend_on_more() {
    let verdict_of_last = |push: &Kuaidi100| derived(&push.event()).transitions.last().unwrap().verdict;
    let of_codes = |list: &[&str]| verdict_of_last(&kuaidi100(&codes(list)));
    for (list, verdict) in [
        (&["2", "302"][..], Verdict::Expected),
        (&["2", "301"], Verdict::Tolerated),
        (&["2", "203"], Verdict::Tolerated),
        (&["501", "205"], Verdict::Expected),
        (&["501", "204"], Verdict::Tolerated),
        (&["5", "0"], Verdict::Anomaly),
        (&["204", "5", "0"], Verdict::Tolerated),
        (&["204", "0", "5", "0"], Verdict::Tolerated),
        (&["3", "301"], Verdict::Expected),
        (&["0", "1002"], Verdict::Expected),
        (&["6", "3"], Verdict::Anomaly),
        // Code 4 and the sender's signature say the same: the transition to 4 is the last one.
        (&["6", "4", "3"], Verdict::Expected),
    ] {
        assert_eq!(of_codes(list), verdict, "{list:?}");
    }
    let kdniao_verdict = |list: &[&str]| {
        let traces: Vec<_> = list
            .iter()
            .enumerate()
            .map(|(hour, code)| trace(&hour_text(hour), code, "x"))
            .collect();
        derived(&kdniao(&traces).event()).transitions.last().unwrap().verdict
    };
    assert_eq!(kdniao_verdict(&["211", "418"]), Verdict::Expected);
    assert_eq!(kdniao_verdict(&["211", "202"]), Verdict::Tolerated);
    assert_eq!(kdniao_verdict(&["202", "419"]), Verdict::Expected);
    // A refusal coded as RETURNING is no event of status EXCEPTION.
    assert_eq!(kdniao_verdict(&["404", "202", "2"]), Verdict::Anomaly);
}

#[test]
fn rule_9_5_a_return_long_after_delivery() {
    let push = |days: &str| {
        kuaidi100(&[item("2025-05-01 08:00:00", "3", "a"), item(days, "6", "b")]).received("2025-07-30T00:00:00Z")
    };
    let verdict = |push: Kuaidi100| derived(&push.event()).transitions[1].verdict;
    assert_eq!(verdict(push("2025-05-31 08:00:00")), Verdict::Tolerated);
    assert_eq!(verdict(push("2025-05-31 08:00:01")), Verdict::Anomaly);
}

#[test]
fn rule_9_5_only_the_sub_status_differs() {
    let lines = [
        item("2025-06-01 08:00:00", "4", "a"),
        item("2025-06-01 09:00:00", "14", "b"),
    ];
    let derived = derived(&kuaidi100(&lines).set("status", "shutdown").event());
    assert_eq!(changes(&derived.transitions)[1], "RETURNED→RETURNED EXPECTED");
}

#[test]
fn rule_4_6_future_events_take_part_in_status_and_transitions_only() {
    let lines = [
        item("2025-06-01 08:00:00", "5", "a"),
        item("2025-06-01 08:20:01", "204", "b"),
        item("2025-06-01 08:30:00", "3", "c"),
    ];
    // 08:10:01 in China; the second event is exactly ten minutes ahead, the third more.
    let derived = derived(&kuaidi100(&lines).received("2025-06-01T00:10:01Z").event());
    let shipment = &derived.shipment;
    assert_eq!(
        shipment.events.iter().map(|event| event.future).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert!(has_flag(shipment, "future_time"));
    assert_eq!(shipment.status, Status::Delivered);
    assert_eq!(derived.transitions.len(), 3);
    assert_eq!(shipment.milestones.delivered_at, None);
    assert_eq!(shipment.milestones.last_event_at, Some(china("2025-06-01T08:20:01")));
    assert_eq!(shipment.exception_codes, ["204"]);
    assert_eq!(derived.counts.future_events, 1);

    let all_ahead = kuaidi100(&lines).received("2025-05-31T00:00:00Z");
    let shipment = crate::pushes::shipment(&all_ahead.event());
    assert_eq!(shipment.milestones, courierflow_schemas::records::Milestones::default());
    assert_eq!(
        (
            shipment.attempts,
            shipment.exception_codes.len(),
            shipment.exception_reasons.len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn rule_4_6_impossible_times_drop_the_item() {
    for (time, kept) in [
        ("1999-12-31 23:59:59", false),
        ("2000-01-01 00:00:00", true),
        ("2099-12-31 23:59:59", true),
        ("2100-01-01 00:00:00", false),
        ("0001-01-01 00:00:00", false),
        ("9999-12-31 23:59:59", false),
        ("昨天", false),
        ("", false),
    ] {
        let lines = [item(time, "3", "a"), item("2025-06-01 08:00:00", "1", "b")];
        let derived = derived(&kuaidi100(&lines).event());
        assert_eq!(derived.shipment.events.len(), if kept { 2 } else { 1 }, "{time}");
        assert_eq!(has_flag(&derived.shipment, "bad_time"), !kept, "{time}");
        assert_eq!(derived.counts.bad_times, u32::from(!kept));
    }
}

#[test]
fn rule_4_6_the_range_is_that_of_the_time_as_written() {
    let abroad = |time| kdniao(&[in_zone(trace(time, "2", "a"), "+14:00")]);
    // 1999-12-31 in UTC.
    assert_eq!(shipment(&abroad("2000-01-01 00:00:00").event()).events.len(), 1);
    assert_eq!(shipment(&abroad("2100-01-01 00:00:00").event()).events.len(), 0);
}

#[test]
fn rule_4_4_ftime_comes_first_and_time_helps() {
    for (ftime, time, local_time) in [
        (
            json!("2025-06-01 08:00:00"),
            json!("2025-06-02 08:00:00"),
            Some("2025-06-01 08:00:00"),
        ),
        (json!(null), json!("2025/6/2 8:00"), Some("2025-06-02 08:00:00")),
        (json!("x"), json!("2025-06-02T08:00:00.5"), Some("2025-06-02 08:00:00")),
        (
            json!(20_250_601),
            json!("2025-06-02 08:00:00"),
            Some("2025-06-02 08:00:00"),
        ),
        // Rule 4.5: parseable, but impossible.
        (
            json!("0001-01-01 00:00:00"),
            json!("2025-06-02 08:00:00"),
            Some("2025-06-02 08:00:00"),
        ),
        (json!("0001-01-01 00:00:00"), json!("2100-01-01 00:00:00"), None),
    ] {
        let line = json!({"ftime": ftime, "time": time, "context": "x", "statusCode": "0"});
        let shipment = shipment(&kuaidi100(&[line]).event());
        assert_eq!(
            shipment.events.first().map(|event| event.local_time.as_str()),
            local_time,
            "{ftime} {time}"
        );
    }
}
