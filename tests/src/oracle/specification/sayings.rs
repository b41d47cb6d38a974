//! What lines and top-level states say: rules 6.5, 8.3, 8.4 and 13.1.

use serde_json::{Value, json};

use super::{Expected, MUTE, changes, china, expected, item, k100, kdn, named, only, statuses, text_status, trace};

const RETURNING: &str = "【镜湖三部】退回妥投中";
const OUT_FOR_DELIVERY: &str = "正在派送";
const DELIVERED: &str = "已签收";

/// Items an hour apart, oldest first: of a number it is the code, of anything else the text, which then is all there is.
fn lines(lines: &[&str]) -> Vec<Value> {
    let is_code = |line: &str| line.bytes().all(|byte| byte.is_ascii_digit());
    let told = lines.iter().enumerate().map(|(hour, line)| {
        let time = format!("2025-06-16 {hour:02}:00:00");
        if is_code(line) {
            item(&time, line, &format!("line {hour}"))
        } else {
            item(&time, "", line)
        }
    });
    told.rev().collect()
}

/// A push of Kuaidi100 long after these lines; `extra` holds what differs from an ordinary one.
fn life(told: &[&str], extra: Value) -> Expected {
    life_seen_at("2025-06-18 00:00:00", told, extra)
}

fn life_seen_at(received_at: &str, told: &[&str], extra: Value) -> Expected {
    let mut payload = json!({"lastResult": {"data": lines(told)}});
    super::merge(&mut payload, extra);
    expected(&[k100(received_at, payload)])
}

fn hour(time: Option<i64>) -> Option<i64> {
    time.map(|time| (time - china("2025-06-16 00:00:00")) / 3600)
}

/// `STATUS/SUB code` of the shipment.
fn status(tables: &Expected) -> String {
    let shipment = only(tables);
    format!(
        "{} {}",
        named(&shipment.status, shipment.sub_status.as_deref()),
        shipment.raw_code.as_deref().unwrap_or("-")
    )
}

fn has_flag(tables: &Expected, flag: &str) -> bool {
    only(tables).flags.iter().any(|set| set == flag)
}

fn legs(tables: &Expected) -> Vec<&str> {
    tables.transition.iter().map(|row| &*row.leg).collect()
}

// ---- rule 6.5 -------------------------------------------------------------------------------------------------------

#[test]
fn rule_6_5_a_text_means_what_its_label_says() {
    for (text, status) in [
        (DELIVERED, "DELIVERED/UNSPECIFIED"),
        (RETURNING, "RETURNING/RETURNING"),
        ("退签", "RETURNED/RETURN_SIGNED"),
        ("妥投失败", "EXCEPTION/DELIVERY_FAILED"),
        (" 清关完成 ", "CUSTOMS/CLEARED"),
        (MUTE, "UNKNOWN/-"),
        ("", "UNKNOWN/-"),
    ] {
        assert_eq!(text_status(text), status, "{text}");
    }
}

#[test]
#[should_panic(expected = "no label says what this text means")]
fn rule_6_5_a_disputed_text_has_no_class() {
    // Sure to be an exception, but held or delayed?
    text_status("快件滞留【镜湖三部】，原因：节后件量过大");
}

#[test]
fn rule_6_5_a_return_told_by_a_text_alone_may_be_refuted() {
    let tables = life(&[RETURNING, "5", "3"], json!({}));
    assert_eq!(
        changes(&tables),
        [
            "UNKNOWN>RETURNING/RETURNING - EXPECTED",
            "RETURNING>OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 3600 TOLERATED",
            "OUT_FOR_DELIVERY>DELIVERED/UNSPECIFIED 3600 EXPECTED"
        ]
    );
    assert_eq!(legs(&tables), ["FORWARD"; 3]);
    let shipment = only(&tables);
    assert_eq!(
        (hour(shipment.delivered_at), shipment.returning_at, &*shipment.leg),
        (Some(2), None, "FORWARD")
    );
}

#[test]
fn rule_6_5_a_return_told_by_a_text_stands() {
    for (told, why) in [
        (vec![RETURNING], "nothing follows"),
        (vec![RETURNING, "0", "204"], "no delivery follows"),
        (vec![RETURNING, "5", "6"], "a code tells it again"),
        (vec![RETURNING, "5", RETURNING], "a text tells it again"),
    ] {
        let tables = life(&told, json!({}));
        assert!(legs(&tables).iter().all(|leg| *leg == "RETURN"), "{why}");
        assert_eq!(hour(only(&tables).returning_at), Some(0), "{why}");
    }
    let by_code = life(&["6", "5", "3"], json!({}));
    assert_eq!(legs(&by_code), ["RETURN"; 3], "a code needs no witness");
    // The first one is refuted by the delivery, the last one is not.
    let later = life(&["5", RETURNING], json!({}));
    assert_eq!(legs(&later), ["FORWARD", "RETURN"]);
}

#[test]
fn rule_6_5_a_refuted_return_behind_the_delivery_is_passed_over_without_a_flag() {
    // What refutes it may lie in the future.
    let tables = life_seen_at("2025-06-16 02:00:00", &["5", DELIVERED, RETURNING, "3"], json!({}));
    assert_eq!(only(&tables).flags, ["future_time"]);
    let tables = life_seen_at("2025-06-16 02:30:00", &["5", DELIVERED, RETURNING, "501"], json!({}));
    assert_eq!(status(&tables), "DELIVERED/UNSPECIFIED -");
    assert_eq!(legs(&tables), ["FORWARD"; 4], "its transition stays");
}

#[test]
fn rule_6_5_a_lost_parcel_is_an_exception_of_its_carrier() {
    let tables = life(&["5", "包裹在运输途中丢失"], json!({}));
    let row = &tables.transition[1];
    assert_eq!(
        (&*row.to_status, row.to_sub_status.as_deref(), row.party.as_deref()),
        ("EXCEPTION", Some("LOST"), Some("carrier"))
    );
}

// ---- rule 8.3 -------------------------------------------------------------------------------------------------------

#[test]
fn rule_8_3a_a_mute_newest_event_takes_the_state() {
    let told = |lines: &[&str], state: Value| life(lines, json!({"lastResult": {"state": state}}));
    let tables = told(&["5", MUTE], json!("3"));
    assert_eq!(status(&tables), "DELIVERED/UNSPECIFIED 3");
    assert_eq!(hour(only(&tables).delivered_at), Some(1));
    assert!(has_flag(&tables, "status_inferred"));
    assert_eq!(
        changes(&tables)[1],
        "OUT_FOR_DELIVERY>DELIVERED/UNSPECIFIED 3600 EXPECTED"
    );
    assert_eq!(only(&tables).event[1].raw_code.as_deref(), Some("3"));

    for (lines, state, why) in [
        (["5", MUTE], "2", "never an exception"),
        (["5", MUTE], "5", "no news"),
        (["5", MUTE], "999", "no known status"),
        (["5", MUTE], "14", "an exception while the parcel lives"),
        ([MUTE, "5"], "3", "not the newest"),
    ] {
        let tables = told(&lines, json!(state));
        assert_eq!(status(&tables), "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 5", "{why}");
        assert!(!has_flag(&tables, "status_inferred"), "{why}");
    }
}

#[test]
fn rule_8_3a_the_state_counts_as_the_code_of_the_event() {
    let refused = life(&["5", MUTE], json!({"status": "shutdown", "lastResult": {"state": 14}}));
    assert_eq!(status(&refused), "RETURNED/REFUSED 14", "rule 6.6");
    assert_eq!(only(&refused).leg, "RETURN");
    let returned = life(&["6", MUTE], json!({"lastResult": {"state": 3}}));
    assert_eq!(status(&returned), "RETURNED/RETURN_SIGNED 3", "rule 8.1");
    assert!(has_flag(&returned, "return_signed"));
    // Rule 6.4, and the zone of a cross-border parcel.
    let kdniao = json!({"State": "2", "StateEx": "211", "Traces": [
        {"AcceptTime": "2025-06-16 01:00:00", "AcceptStation": MUTE, "Timezone": "Z"}]});
    let tables = expected(&[kdn("2025-06-17 00:00:00", None, kdniao)]);
    assert_eq!(status(&tables), "IN_TRANSIT/ARRIVED_DELIVERY_DEPOT 211");
    // A code of its own that nobody knows.
    let unknown = item("2025-06-16 01:00:00", "999", "");
    let tables = expected(&[k100(
        "2025-06-17 00:00:00",
        json!({"lastResult": {"state": "301", "data": [unknown]}}),
    )]);
    assert_eq!(status(&tables), "DELIVERED/RECIPIENT 301");
    assert!(has_flag(&tables, "unknown_code"));
}

#[test]
fn rule_8_3a_the_newest_event_is_the_last_one_that_is_not_in_the_future() {
    let tables = life_seen_at(
        "2025-06-16 01:30:00",
        &["0", MUTE, "5"],
        json!({"lastResult": {"state": "3"}}),
    );
    assert_eq!(
        statuses(only(&tables)),
        [
            "IN_TRANSIT/IN_TRANSIT",
            "DELIVERED/UNSPECIFIED",
            "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY"
        ]
    );
    assert_eq!(status(&tables), "DELIVERED/UNSPECIFIED 3");
    assert_eq!(hour(only(&tables).delivered_at), Some(1));
}

#[test]
fn rule_8_3a_the_state_is_that_of_the_segment() {
    let payload = json!({
        "lastResult": {"state": "0", "data": [item("2025-06-16 01:00:00", "0", "a")]},
        "destResult": {"com": "speedpost", "state": "3", "data": [item("2025-06-16 02:00:00", "", MUTE)]}});
    assert_eq!(
        status(&expected(&[k100("2025-06-17 00:00:00", payload)])),
        "DELIVERED/UNSPECIFIED 3"
    );
}

#[test]
fn rule_8_3b_a_sign_off_outweighs_a_text() {
    let told = |line: &str, state: &str, is_check: Value| {
        status(&life(
            &["0", line],
            json!({"lastResult": {"state": state, "ischeck": is_check}}),
        ))
    };
    assert_eq!(told(OUT_FOR_DELIVERY, "3", json!("1")), "DELIVERED/UNSPECIFIED 3");
    assert_eq!(told("妥投失败", "301", json!(1)), "DELIVERED/RECIPIENT 301");
    assert_eq!(told(OUT_FOR_DELIVERY, "4", json!(true)), "RETURNED/RETURN_SIGNED 4");
    assert_eq!(told(OUT_FOR_DELIVERY, "14", json!("1")), "RETURNED/REFUSED 14");
    assert_eq!(told(RETURNING, "3", json!("1")), "RETURNED/RETURN_SIGNED 3");
    let text = "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY -";
    assert_eq!(told(OUT_FOR_DELIVERY, "3", json!("0")), text, "not signed off");
    assert_eq!(told(OUT_FOR_DELIVERY, "5", json!("1")), text, "not an end");
    assert_eq!(told("退签", "3", json!("1")), "RETURNED/RETURN_SIGNED -", "terminal");
    assert_eq!(
        told("5", "3", json!("1")),
        "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 5",
        "a code outweighs the state"
    );
}

#[test]
fn rule_8_3b_sign_offs_of_kdniao() {
    let told = |state: &str, state_ex: Value| {
        let traces = json!([trace("2025-06-16 01:00:00", "", OUT_FOR_DELIVERY)]);
        let parcel = json!({"State": state, "StateEx": state_ex, "Traces": traces});
        status(&expected(&[kdn("2025-06-17 00:00:00", None, parcel)]))
    };
    assert_eq!(told("3", json!(null)), "DELIVERED/UNSPECIFIED 3");
    assert_eq!(told("3", json!("311")), "DELIVERED/LOCKER_OR_STATION 311");
    assert_eq!(told("4", json!(406)), "RETURNED/RETURN_SIGNED 406");
    assert_eq!(told("3", json!("2")), "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY -");
    assert_eq!(told("415", json!("")), "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY -");
}

#[test]
fn rule_8_3c_nothing_found_is_no_item() {
    for text in [
        "查无结果",
        " 暂无 轨迹。",
        "【暂无物流信息】",
        "No tracking information available!",
    ] {
        let tables = life(&["0", text], json!({}));
        assert_eq!(only(&tables).event.len(), 1, "{text}");
        assert_eq!(tables.push[0].items, 2, "rule 14.4");
    }
    let with_a_code = item("2025-06-16 01:00:00", "2", "暂无轨迹");
    let tables = expected(&[super::k100_items("2025-06-17 00:00:00", &[with_a_code])]);
    assert_eq!(status(&tables), "EXCEPTION/UNSPECIFIED 2");
}

#[test]
fn rule_8_3c_a_push_with_nothing_else_is_a_push_without_items() {
    let push =
        |time: &str, status: &str, items: Value| k100(time, json!({"status": status, "lastResult": {"data": items}}));
    let told = [
        push(
            "2025-06-16 03:00:00",
            "polling",
            json!([item("2025-06-16 01:00:00", "399", "a"), item("never", "0", "b")]),
        ),
        push(
            "2025-06-16 04:00:00",
            "shutdown",
            json!([item("never", "", "暂无轨迹")]),
        ),
    ];
    let tables = expected(&told);
    let shipment = only(&tables);
    assert_eq!((&*shipment.tracking_state, shipment.event.len()), ("ENDED", 1));
    assert_eq!(
        shipment.flags,
        ["bad_time", "unknown_code"],
        "the flags of the last snapshot stay"
    );
    let lonely = expected(&[push(
        "2025-06-16 03:00:00",
        "polling",
        json!([item("never", "", "暂无轨迹")]),
    )]);
    assert!(only(&lonely).flags.is_empty(), "no bad_time");
}

// ---- rule 8.4 -------------------------------------------------------------------------------------------------------

#[test]
fn rule_8_4_delivered_stays_delivered() {
    for late in ["101", "1", "0", "8", "5", "501", "201", "202", "205"] {
        let tables = life(&["5", "3", late], json!({}));
        assert_eq!(status(&tables), "DELIVERED/UNSPECIFIED 3", "{late}");
        assert!(has_flag(&tables, "post_terminal_scan"), "{late}");
        assert_eq!(tables.transition.len(), 3, "{late}: its transition stays");
        assert_eq!(tables.transition[2].verdict, "ANOMALY", "{late}");
        assert_eq!(only(&tables).attempts, 1, "{late} opens no round");
    }
    // A text tells a clock's code too.
    let tables = life(&["5", "3", "超时未签收"], json!({}));
    assert_eq!(status(&tables), "DELIVERED/UNSPECIFIED 3");
}

#[test]
fn rule_8_4_every_other_event_counts() {
    for (told, now) in [
        (vec!["5", "3", "204"], "EXCEPTION/DELIVERY_FAILED 204"),
        (vec!["5", "3", "204", "0"], "EXCEPTION/DELIVERY_FAILED 204"),
        (vec!["5", "3", "0", "301"], "DELIVERED/RECIPIENT 301"),
        (vec!["5", "3", "6", "0"], "IN_TRANSIT/IN_TRANSIT 0"),
        (vec!["5", "3", "401"], "CANCELLED/WAYBILL_VOIDED 401"),
        (vec!["5", "202"], "EXCEPTION/NO_UPDATE 202"),
    ] {
        assert_eq!(status(&life(&told, json!({}))), now, "{told:?}");
    }
}

#[test]
fn rule_8_4_a_clock_behind_the_delivery_is_no_exception() {
    let tables = life(&["202", "5", "3", "201", "204"], json!({}));
    let exceptions: Vec<_> = tables
        .transition
        .iter()
        .map(|row| (row.raw_code.as_deref().unwrap(), row.is_exception, row.party.is_some()))
        .collect();
    assert_eq!(
        exceptions,
        [
            ("202", true, true),
            ("5", false, false),
            ("3", false, false),
            ("201", false, false),
            ("204", true, true)
        ]
    );
    assert_eq!(only(&tables).exception_codes, ["202", "204"]);
    assert_eq!(only(&tables).exception_reasons, ["NO_UPDATE", "DELIVERY_FAILED"]);
}

#[test]
fn rule_8_4_milestones_behind_the_delivery_stay() {
    let tables = life(&["0", "3", "1", "5", "501"], json!({}));
    let shipment = only(&tables);
    assert_eq!(
        (
            hour(shipment.picked_up_at),
            hour(shipment.out_for_delivery_at),
            hour(shipment.available_at)
        ),
        (Some(2), Some(3), Some(4))
    );
    assert_eq!(hour(shipment.last_event_at), Some(4));
}

// ---- rule 13.1
// -------------------------------------------------------------------------------------------------------

#[test]
fn rule_13_1_a_code_that_is_none_is_not_stored() {
    let long = "1234567890".repeat(4);
    for (code, stored) in [
        ("A-1_b", Some("A-1_b")),
        (&*long, Some(&*long)),
        (&*format!("{long}1"), None),
        ("张三13812345678", None),
        ("4 4", None),
        ("a.b", None),
    ] {
        let tables = expected(&[super::k100_items(
            "2025-06-17 00:00:00",
            &[item("2025-06-16 01:00:00", code, "妥投失败")],
        )]);
        assert_eq!(
            status(&tables).split_once(' ').unwrap().0,
            "EXCEPTION/DELIVERY_FAILED",
            "the text"
        );
        assert_eq!(only(&tables).raw_code.as_deref(), stored, "{code}");
        assert_eq!(only(&tables).exception_codes, Vec::from_iter(stored), "{code}");
        assert!(has_flag(&tables, "unknown_code"), "{code}");
    }
}
