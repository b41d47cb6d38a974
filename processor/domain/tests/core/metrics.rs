//! Milestones, attempts, exceptions, lane, EDD, flags (rules 4.11, 10.1–10.7).

use courierflow_schemas::records::Milestones;
use serde_json::{Value, json};

use crate::pushes::*;

fn milestones(list: &[&str]) -> Milestones {
    shipment(&kuaidi100(&codes(list)).event()).milestones
}

/// The hour of a milestone, counted from the first line of [`codes`].
fn hour(instant: Option<courierflow_schemas::records::TimestampMillis>) -> Option<i64> {
    instant.map(|instant| (instant.0 - china("2025-06-01T08:00:00").0) / 3_600_000)
}

#[test]
fn rule_10_1_first_of_each_kind() {
    let found = milestones(&["101", "1", "1", "0", "5", "501", "5", "501", "3"]);
    assert_eq!(hour(found.created_at), Some(0));
    assert_eq!(hour(found.picked_up_at), Some(1));
    assert_eq!(hour(found.out_for_delivery_at), Some(4));
    assert_eq!(hour(found.available_at), Some(5));
    assert_eq!(hour(found.delivered_at), Some(8));
    assert_eq!(hour(found.last_event_at), Some(8));
    assert_eq!(
        (found.returning_at, found.returned_at, found.cancelled_at),
        (None, None, None)
    );
}

#[test]
fn rule_10_1_returns_and_cancellations_count_on_any_leg_the_others_forward_only() {
    let found = milestones(&["401", "6", "101", "1", "5", "501", "4"]);
    assert_eq!(hour(found.cancelled_at), Some(0));
    assert_eq!(hour(found.returning_at), Some(1));
    assert_eq!(hour(found.returned_at), Some(6));
    assert_eq!(
        (
            found.created_at,
            found.picked_up_at,
            found.out_for_delivery_at,
            found.available_at
        ),
        (None, None, None, None)
    );
    assert_eq!(
        hour(milestones(&["401", "1", "0"]).cancelled_at),
        Some(0),
        "kept when the order is opened again"
    );
}

#[test]
fn rule_10_1_an_imputed_pick_up_is_flagged() {
    let of = |list: &[&str]| shipment(&kuaidi100(&codes(list)).event());
    let imputed = of(&["8", "1002", "5"]);
    assert_eq!(hour(imputed.milestones.picked_up_at), Some(1), "customs is no transit");
    assert!(has_flag(&imputed, "pickup_imputed"));
    let late = of(&["0", "1"]);
    assert_eq!(hour(late.milestones.picked_up_at), Some(1));
    assert!(!has_flag(&late, "pickup_imputed"));
    assert_eq!(of(&["8", "5", "3"]).milestones.picked_up_at, None);
}

#[test]
fn rule_10_1_last_event_counts_unknown_ones() {
    let lines = [
        item("2025-06-01 08:00:00", "1", "a"),
        item("2025-06-01 09:00:00", "", "无"),
    ];
    assert_eq!(
        hour(shipment(&kuaidi100(&lines).event()).milestones.last_event_at),
        Some(1)
    );
}

#[test]
fn rule_10_2_delivered_at_with_several_sign_offs() {
    for (list, delivered, revoked) in [
        (&["5", "3"][..], Some(1), false),
        (&["5", "3", "301"], Some(1), false),
        (&["5", "3", "5", "3"], Some(3), true),
        (&["5", "3", "5", "3", "5", "3", "304"], Some(5), true),
        (&["5", "3", "5"], Some(1), false),
        (&["5", "3", "0", "3"], Some(1), false),
        (&["5", "3", "301", "5", "3"], Some(4), true),
        (&["5", "3", "6", "5", "3"], Some(1), false),
        (&["5"], None, false),
    ] {
        let shipment = shipment(&kuaidi100(&codes(list)).event());
        assert_eq!(hour(shipment.milestones.delivered_at), delivered, "{list:?}");
        assert_eq!(has_flag(&shipment, "delivery_revoked"), revoked, "{list:?}");
    }
}

#[test]
fn rule_10_7_post_terminal_scans() {
    for (list, flagged) in [
        (&["5", "3", "5"][..], true),
        (&["5", "3", "0"], true),
        (&["5", "3", "2"], true),
        (&["5", "3", "301"], false),
        (&["5", "3", "6", "4"], false),
        (&["6", "4", "0"], true),
        (&["6", "4", "3"], false),
        (&["401", "0"], true),
        (&["401", "1"], false),
        (&["5", "0"], false),
    ] {
        let shipment = shipment(&kuaidi100(&codes(list)).event());
        assert_eq!(has_flag(&shipment, "post_terminal_scan"), flagged, "{list:?}");
    }
}

#[test]
fn rule_10_3_first_attempt() {
    for (list, attempt) in [
        (&["5", "3"][..], Some(1)),
        (&["5", "501", "3"], Some(1)),
        (&["5", "204", "5", "3"], Some(1)),
        (&["5", "203"], Some(1)),
        (&["5", "206"], Some(1)),
        (&["5", "14"], Some(1)),
        // Before any round, or without anybody at the door.
        (&["204", "5", "3"], Some(2)),
        (&["5", "201", "208", "3"], Some(3)),
        // Revoked, but an attempt.
        (&["5", "3", "5", "3"], Some(1)),
        (&["5", "6", "204"], None),
        (&["6", "5", "204"], None),
        (&["5"], None),
    ] {
        assert_eq!(hour(milestones(list).first_attempt_at), attempt, "{list:?}");
    }
    let bad_address = [
        trace("2025-06-01 08:00:00", "202", "a"),
        trace("2025-06-01 09:00:00", "420", "b"),
    ];
    assert_eq!(
        hour(shipment(&kdniao(&bad_address).event()).milestones.first_attempt_at),
        Some(1)
    );
    let bad_phone = [
        trace("2025-06-01 08:00:00", "202", "a"),
        trace("2025-06-01 09:00:00", "421", "b"),
    ];
    assert_eq!(
        hour(shipment(&kdniao(&bad_phone).event()).milestones.first_attempt_at),
        Some(1)
    );
}

#[test]
fn rule_10_3_a_final_refusal_is_an_attempt() {
    let push = kuaidi100(&codes(&["5", "14"])).set("status", "shutdown");
    assert_eq!(hour(shipment(&push.event()).milestones.first_attempt_at), Some(1));
}

#[test]
fn rule_10_4_delivery_rounds() {
    for (list, attempts) in [
        (&["5", "3"][..], 1),
        (&["5", "5", "3"], 1),
        (&["5", "0", "5", "3"], 1),
        (&["5", "204", "5", "3"], 2),
        (&["5", "501", "5", "3"], 2),
        (&["5", "3", "5", "3"], 2),
        (&["5", "204", "5", "5", "206", "5"], 3),
        (&["204", "5"], 1),
        (&["0", "3"], 1),
        (&["501"], 1),
        (&["0"], 0),
        (&["204"], 0),
        (&["5", "6", "5"], 1),
        (&["6", "5", "3"], 0),
    ] {
        assert_eq!(
            shipment(&kuaidi100(&codes(list)).event()).attempts,
            attempts,
            "{list:?}"
        );
    }
    let rounds = |second: &str, third: &str| {
        let lines = [
            item("2025-06-01 08:00:00", "5", "a"),
            item(second, "5", "b"),
            item(third, "5", "c"),
        ];
        shipment(&kuaidi100(&lines).event()).attempts
    };
    assert_eq!(rounds("2025-06-02 07:59:59", "2025-06-02 07:59:59"), 1);
    assert_eq!(
        rounds("2025-06-02 07:59:59", "2025-06-02 08:00:00"),
        2,
        "counted from the one that opened the round"
    );
    assert_eq!(rounds("2025-06-02 08:00:00", "2025-06-03 07:59:59"), 2);
}

#[test]
fn rule_10_6_exception_lists() {
    let mut by_name = item("2025-06-01 20:00:00", "", "x");
    by_name["status"] = "破损".into();
    let mut lines = codes(&["2", "204", "203", "204", "6", "204", "206"]);
    lines.push(by_name);
    let shipment = shipment(&kuaidi100(&lines).event());
    assert_eq!(shipment.exception_codes, ["2", "204", "203", "206"]);
    assert_eq!(
        shipment.exception_reasons,
        [
            "UNSPECIFIED",
            "DELIVERY_FAILED",
            "REFUSED",
            "RECIPIENT_UNREACHABLE",
            "DAMAGED"
        ]
    );
}

#[test]
fn rule_10_6_a_retracted_event_takes_its_code_away() {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["5", "204"])).event());
    let derived = stream.accept(&kuaidi100(&codes(&["5"])).received("2025-07-01T00:00:00Z").event());
    assert!(derived.shipment.exception_codes.is_empty());
}

#[test]
fn rule_6_7_party_only_of_exceptions() {
    let derived = derived(&kuaidi100(&codes(&["5", "2", "3"])).event());
    let parties: Vec<_> = derived
        .transitions
        .iter()
        .map(|transition| transition.party.as_deref())
        .collect();
    assert_eq!(parties, [None, Some("unknown"), None]);
}

// --- lane ---

const SHENZHEN: &str = "CN440306025000";
const SHENZHEN_CITY: &str = "CN440300000000";
const GUANGDONG: &str = "CN440000000000";
const CHANGSHA: &str = "CN430102016000";
const WUHAN: &str = "CN420100000000";

fn route(from: &str, to: &str) -> Value {
    json!({"from": {"number": from, "name": "起"}, "cur": {"number": WUHAN}, "to": {"number": to, "name": "终"}})
}

fn travel(places: &[(&str, &str)]) -> Vec<Value> {
    places
        .iter()
        .enumerate()
        .map(|(hour, (code, area))| {
            let line = item(&hour_text(hour), code, &format!("第{hour}条"));
            if area.is_empty() {
                line
            } else {
                in_area(line, area, &format!("名{area}"))
            }
        })
        .collect()
}

#[test]
fn rule_10_5_lane_of_the_route() {
    let lines = travel(&[
        ("1", SHENZHEN),
        ("0", SHENZHEN_CITY),
        ("0", ""),
        ("1002", WUHAN),
        ("0", CHANGSHA),
        ("5", CHANGSHA),
    ]);
    let shipment = shipment(
        &kuaidi100(&lines)
            .set("lastResult.routeInfo", route(SHENZHEN, CHANGSHA))
            .event(),
    );
    assert_eq!(shipment.origin_code.as_deref(), Some(SHENZHEN));
    assert_eq!(shipment.origin.as_deref(), Some("起"));
    assert_eq!(shipment.dest_code.as_deref(), Some(CHANGSHA));
    assert_eq!(shipment.dest.as_deref(), Some("终"));
    assert!(!has_flag(&shipment, "lane_inferred"));
    assert_eq!(hour(shipment.milestones.left_origin_at), Some(1));
    assert_eq!(hour(shipment.milestones.arrived_dest_at), Some(4));
}

#[test]
fn rule_10_5_lane_inferred_from_events() {
    let lines = travel(&[
        ("101", ""),
        ("1", SHENZHEN),
        ("0", WUHAN),
        ("5", CHANGSHA),
        ("3", ""),
        ("0", WUHAN),
    ]);
    let before = shipment(&kuaidi100(&lines[..4]).event());
    assert_eq!(before.origin_code.as_deref(), Some(SHENZHEN));
    assert_eq!(before.origin.as_deref(), Some("名CN440306025000"));
    assert_eq!((before.dest_code.as_deref(), before.dest.as_deref()), (None, None));
    assert!(has_flag(&before, "lane_inferred"));
    assert_eq!(hour(before.milestones.left_origin_at), Some(1));
    assert_eq!(before.milestones.arrived_dest_at, None);
    let after = shipment(&kuaidi100(&lines).event());
    assert_eq!(
        after.dest_code.as_deref(),
        Some(CHANGSHA),
        "not the scan after the delivery"
    );
    assert_eq!(after.dest.as_deref(), Some("名CN430102016000"));
    assert_eq!(hour(after.milestones.arrived_dest_at), Some(3));
}

#[test]
fn rule_10_5_one_end_of_the_route_only() {
    let lines = travel(&[("1", WUHAN), ("3", CHANGSHA)]);
    let half = json!({"from": {"number": SHENZHEN, "name": "起"}, "to": null});
    let shipment = shipment(&kuaidi100(&lines).set("lastResult.routeInfo", half).event());
    assert_eq!(shipment.origin_code.as_deref(), Some(SHENZHEN));
    assert_eq!(shipment.dest_code.as_deref(), Some(CHANGSHA));
    assert!(has_flag(&shipment, "lane_inferred"));
}

#[test]
fn rule_10_5_the_route_keeps_its_last_values_within_the_epoch() {
    let mut stream = Stream::default();
    let lines = travel(&[("1", SHENZHEN), ("0", WUHAN)]);
    stream.accept(
        &kuaidi100(&lines[..1])
            .set("lastResult.routeInfo", route(SHENZHEN, CHANGSHA))
            .event(),
    );
    let second = stream
        .accept(&kuaidi100(&lines).set("lastResult.routeInfo", route("", WUHAN)).event())
        .shipment;
    assert_eq!(second.origin_code.as_deref(), Some(SHENZHEN));
    assert_eq!(second.dest_code.as_deref(), Some(WUHAN));
    let third = stream.accept(&kuaidi100(&lines).event()).shipment;
    assert_eq!(
        (third.origin_code, third.dest_code),
        (second.origin_code, second.dest_code)
    );
    assert!(!third.flags.iter().any(|flag| flag == "lane_inferred"));
}

#[test]
fn rule_10_5_left_origin_needs_an_origin_city_and_a_scan_there() {
    let left = |from: &str, places: &[(&str, &str)]| {
        let push = kuaidi100(&travel(places)).set("lastResult.routeInfo", route(from, CHANGSHA));
        hour(shipment(&push.event()).milestones.left_origin_at)
    };
    assert_eq!(
        left(SHENZHEN, &[("1", SHENZHEN), ("0", SHENZHEN_CITY), ("0", WUHAN)]),
        Some(1)
    );
    assert_eq!(
        left(SHENZHEN, &[("1", ""), ("0", WUHAN)]),
        None,
        "never seen in the origin city"
    );
    assert_eq!(
        left(SHENZHEN, &[("1", SHENZHEN), ("0", SHENZHEN_CITY)]),
        None,
        "never seen elsewhere"
    );
    assert_eq!(
        left(GUANGDONG, &[("1", SHENZHEN), ("0", WUHAN)]),
        None,
        "a province is no city"
    );
    assert_eq!(
        left(SHENZHEN, &[("1", SHENZHEN), ("0", GUANGDONG), ("0", WUHAN)]),
        Some(0)
    );
    assert_eq!(
        left(SHENZHEN, &[("0", WUHAN), ("0", SHENZHEN)]),
        None,
        "back in the origin city after it was left"
    );
    assert_eq!(
        left("CN310000000000", &[("1", "310115000000"), ("0", WUHAN)]),
        Some(0),
        "a municipality is one city"
    );
}

#[test]
fn rule_10_5_arrived_dest() {
    let arrived = |from: &str, to: &str, places: &[(&str, &str)]| {
        let push = kuaidi100(&travel(places)).set("lastResult.routeInfo", route(from, to));
        hour(shipment(&push.event()).milestones.arrived_dest_at)
    };
    assert_eq!(arrived(SHENZHEN, CHANGSHA, &[("1", SHENZHEN), ("1001", "")]), Some(1));
    assert_eq!(
        arrived(
            SHENZHEN,
            CHANGSHA,
            &[("1", SHENZHEN), ("0", "CN430100000000"), ("1001", "")]
        ),
        Some(1)
    );
    assert_eq!(
        arrived(
            SHENZHEN,
            SHENZHEN_CITY,
            &[("1", SHENZHEN), ("0", SHENZHEN), ("1001", SHENZHEN)]
        ),
        Some(2)
    );
    assert_eq!(
        arrived(GUANGDONG, CHANGSHA, &[("1", SHENZHEN), ("0", CHANGSHA)]),
        None,
        "the origin city is not known"
    );
    assert_eq!(
        arrived(SHENZHEN, CHANGSHA, &[("6", ""), ("0", CHANGSHA)]),
        None,
        "not on the way back"
    );
    let kdniao_marker = [
        trace("2025-06-01 08:00:00", "1", "a"),
        trace("2025-06-01 09:00:00", "201", "b"),
    ];
    let shipment = shipment(&kdniao(&kdniao_marker).event());
    assert_eq!(hour(shipment.milestones.arrived_dest_at), Some(1));
    assert_eq!(
        (shipment.origin_code, shipment.dest_code, shipment.origin, shipment.dest),
        (None, None, None, None)
    );
    assert!(!shipment.flags.iter().any(|flag| flag == "lane_inferred"));
}

// --- EDD and flags ---

#[test]
fn rule_4_11_first_and_last_estimate() {
    let mut stream = Stream::default();
    let push = |hours: usize, edd: Value| {
        kuaidi100(&codes(&["1", "0", "0", "0", "0"][..hours]))
            .set("lastResult.arrivalTime", edd)
            .event()
    };
    let edds = |shipment: courierflow_schemas::records::Shipment| (shipment.edd_first, shipment.edd_last);
    assert_eq!(edds(stream.accept(&push(1, json!(null))).shipment), (None, None));
    let first = Some(china("2025-06-19T10:00:00"));
    assert_eq!(
        edds(stream.accept(&push(2, json!("2025-06-19 10"))).shipment),
        (first, first)
    );
    let last = Some(china("2025-06-20T08:30:00"));
    assert_eq!(
        edds(stream.accept(&push(3, json!("2025-06-20 08:30"))).shipment),
        (first, last)
    );
    assert_eq!(edds(stream.accept(&push(4, json!("soon"))).shipment), (first, last));
    // Of a push without items it is ignored.
    let empty = kuaidi100(&[]).set("lastResult.arrivalTime", "2025-06-25 10").event();
    assert_eq!(edds(stream.accept(&empty).shipment), (first, last));
}

#[test]
fn rule_4_11_kdniao_gives_a_day() {
    let push = kdniao(&[trace("2025-06-01 08:00:00", "2", "x")]).set("EstimatedDeliveryTime", "2025-06-03");
    assert_eq!(shipment(&push.event()).edd_first, Some(china("2025-06-03T23:59:59")));
}

#[test]
fn rule_10_7_flags_are_sorted_and_never_sticky() {
    let mut stream = Stream::default();
    let mut lines = codes(&["0", "6", "3", "1004"]);
    lines.push(item("0001-01-01 00:00:00", "0", "x"));
    let flagged = stream
        .accept(&kuaidi100(&lines).set("lastResult.isLoop", true).event())
        .shipment;
    assert_eq!(
        flagged.flags,
        [
            "bad_time",
            "pickup_imputed",
            "post_terminal_scan",
            "return_signed",
            "route_loop",
            "unknown_code"
        ]
    );
    let without_items = stream
        .accept(&kuaidi100(&[]).set("status", "shutdown").event())
        .shipment;
    assert_eq!(without_items.flags, flagged.flags);
    let healed = stream
        .accept(&kuaidi100(&codes(&["1", "0", "6", "4"])).event())
        .shipment;
    assert!(healed.flags.is_empty(), "{:?}", healed.flags);
}
