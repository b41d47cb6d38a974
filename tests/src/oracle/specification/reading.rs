//! How a payload is read: rules 2.2, 3.4 and 4.5.

use serde_json::{Value, json};

use super::{Expected, at, china, expected, item, k100, k100_items, kdn, only, trace, versions};

// ---- rule 4.5 -------------------------------------------------------------------------------------------------------

/// (local time, moment) of an item of Kuaidi100 with this time.
fn time_of(time: &Value) -> Option<(String, i64)> {
    let tables = expected(&[k100_items(
        "2025-07-01 00:00:00",
        &[
            json!({"ftime": time, "statusCode": "0", "context": "x"}),
            item("2025-05-01 00:00:00", "1", "first"),
        ],
    )]);
    let event = only(&tables).event.get(1)?;
    Some((event.local_time.clone(), event.occurred_at))
}

#[test]
fn rule_4_5_spellings_of_a_time() {
    let utc = at("2025-06-15T23:05:07Z");
    for (time, local) in [
        (json!("2025-06-15T23:05:07Z"), "2025-06-15 23:05:07"),
        (json!("2025-06-16T07:05:07+08:00"), "2025-06-16 07:05:07"),
        (json!("2025-06-16 07:05:07.25 +0800"), "2025-06-16 07:05:07"),
        (json!("2025-06-16 07:05:07+08"), "2025-06-16 07:05:07"),
        (json!("2025-06-15T18:35:07-04:30"), "2025-06-15 18:35:07"),
        (json!("20250616070507"), "2025-06-16 07:05:07"),
        (json!(20_250_616_070_507_u64), "2025-06-16 07:05:07"),
        (json!("2025年6月16日 7:05:07"), "2025-06-16 07:05:07"),
        (json!(utc), "2025-06-16 07:05:07"),
        (json!(utc.to_string()), "2025-06-16 07:05:07"),
        (json!(utc * 1000 + 999), "2025-06-16 07:05:07"),
    ] {
        assert_eq!(time_of(&time), Some((local.to_owned(), utc)), "{time}");
    }
    assert_eq!(
        time_of(&json!("2025年06月16日 07:05")),
        Some(("2025-06-16 07:05:00".to_owned(), china("2025-06-16 07:05:00")))
    );
    for time in [
        "2025-06-16 07:05:07+08:00 x",
        "2025-06-16 07:05:07 CET",
        "2025-06-16 07:05:07 at +08:00",
        "20250616",
        "175002870",
        "17500287070",
        "2025年6月16日",
    ] {
        assert_eq!(time_of(&json!(time)), None, "{time}");
    }
}

#[test]
fn rule_4_5_two_spellings_are_one_event() {
    let told = |time: Value| json!({"ftime": time, "statusCode": "0", "context": "x"});
    let plain = told(json!("2025-06-16 07:05:07"));
    for time in [
        json!("2025-06-15T23:05:07Z"),
        json!("20250616070507"),
        json!(1_750_028_707),
    ] {
        let twice = [
            k100_items("2025-06-17 00:00:00", std::slice::from_ref(&plain)),
            k100_items("2025-06-17 01:00:00", &[told(time.clone())]),
        ];
        assert_eq!(versions(&expected(&twice)), 1, "{time}: the same content");
    }
}

#[test]
fn rule_4_5_the_zone_of_the_item_is_that_of_its_identity() {
    let parcel = |time: Value, zone: Value, text: &str| json!({"Traces": [{"AcceptTime": time, "Action": "2", "AcceptStation": text, "Timezone": zone}]});
    let told = |time: Value| {
        let told = [
            kdn(
                "2025-06-17 00:00:00",
                None,
                parcel(json!("2025-06-16 01:05:07"), json!("+02:00"), "x"),
            ),
            kdn("2025-06-17 01:00:00", None, parcel(time, json!("+02:00"), "x")),
        ];
        (
            versions(&expected(&told)),
            only(&expected(&told)).event[0].local_time.clone(),
        )
    };
    let first = "2025-06-16 01:05:07".to_owned();
    assert_eq!(told(json!("2025-06-15T23:05:07Z")), (1, first.clone()));
    assert_eq!(told(json!(1_750_028_707)), (1, first));
    let unix = expected(&[kdn(
        "2025-06-17 00:00:00",
        None,
        parcel(json!(1_750_028_707), json!("+02:00"), "x"),
    )]);
    assert_eq!(only(&unix).event[0].local_time, "2025-06-16 01:05:07");
}

#[test]
fn rule_4_5_a_time_of_its_own_needs_no_zone() {
    let parcel = |time: &str| {
        let traces = json!([{"AcceptTime": time, "Action": "1", "AcceptStation": "Label created"}]);
        only(&expected(&[kdn(
            "2025-06-17 00:00:00",
            None,
            json!({"Traces": traces}),
        )]))
        .clone()
    };
    let domestic = parcel("2025-06-16T01:00:00+02:00");
    assert_eq!(
        (&*domestic.status, domestic.flags.is_empty()),
        ("PICKED_UP", true),
        "rule 6.4 is for cross-border parcels"
    );
    let abroad = |time: &str| {
        let payload =
            json!({"destResult": {"com": "nosuchpost", "data": [{"ftime": time, "statusCode": "0", "context": "x"}]}});
        only(&expected(&[k100("2025-06-17 00:00:00", payload)]))
            .flags
            .contains(&"tz_assumed".to_owned())
    };
    assert!(abroad("2025-06-16 01:00:00"));
    assert!(!abroad("2025-06-16 01:00:00Z"));
    assert!(!abroad("1750028707"));
}

#[test]
fn rule_4_5_an_impossible_time_yields_to_the_other_field() {
    for impossible in [
        "1999-12-31 23:59:59",
        "2100-01-01 00:00:00",
        "0001-01-01T00:00:00Z",
        "soon",
    ] {
        let line = json!({"ftime": impossible, "time": "2025-06-16 01:00:00", "statusCode": "0", "context": "x"});
        let tables = expected(&[k100_items("2025-06-17 00:00:00", &[line])]);
        assert_eq!(only(&tables).event[0].local_time, "2025-06-16 01:00:00");
        assert!(!only(&tables).flags.contains(&"bad_time".to_owned()));
    }
}

#[test]
fn rule_4_5_zones() {
    let told = |zone: &str| {
        let traces = json!([{"AcceptTime": "2025-06-16 12:00:00", "Action": "1", "AcceptStation": "Label created", "Timezone": zone}]);
        let tables = expected(&[kdn("2025-06-17 00:00:00", None, json!({"Traces": traces}))]);
        let shipment = only(&tables);
        let east = at("2025-06-16T12:00:00Z") - shipment.event[0].occurred_at;
        (
            east / 60,
            shipment.status == "INFO_RECEIVED",
            shipment.flags.contains(&"tz_assumed".to_owned()),
        )
    };
    for (zone, minutes) in [
        ("GMT+8", 480),
        ("\u{2212}05:30", -330),
        ("GMT\u{2212}3", -180),
        ("Europe/Paris", 120),
        ("europe/PARIS", 120),
        ("Etc/GMT+8", -480),
        ("EST", -300),
        ("CET", 120),
    ] {
        assert_eq!(told(zone), (minutes, true, false), "{zone}");
    }
    for zone in ["CST", "IST", "BST", "Paris", "+25:00"] {
        assert_eq!(told(zone), (480, false, true), "{zone}");
    }
    assert_eq!(told(" "), (480, false, false), "blank");
}

#[test]
fn rule_4_5_push_times() {
    let one = json!({"Traces": [trace("2025-06-16 01:00:00", "1", "a")]});
    let two = json!({"Traces": [trace("2025-06-16 01:00:00", "1", "b")]});
    for earlier in ["2025-06-15T18:58:59Z", "20250616025859", "1750013939"] {
        let told = [
            kdn("2025-06-16 03:00:00", Some("2025-06-16 02:59:00"), one.clone()),
            kdn("2025-06-16 04:00:00", Some(earlier), two.clone()),
        ];
        assert_eq!(versions(&expected(&told)), 1, "{earlier}");
    }
}

// ---- rule 2.2 -------------------------------------------------------------------------------------------------------

fn texts(tables: &Expected) -> String {
    only(tables).event.iter().map(|event| event.context.as_str()).collect()
}

fn traces() -> [Value; 2] {
    [
        trace("2025-06-16 01:00:00", "1", "a"),
        trace("2025-06-16 02:00:00", "2", "b"),
    ]
}

#[test]
fn rule_2_2_json_texts_are_opened_once() {
    let items = json!([
        item("2025-06-16 02:00:00", "0", "b"),
        item("2025-06-16 01:00:00", "1", "a")
    ]);
    let result = json!({"nu": "x", "com": "yuantong", "data": items});
    for last in [
        json!({"nu": "x", "com": "yuantong", "data": items.to_string()}),
        json!(result.to_string()),
        json!(json!({"nu": "x", "data": items.to_string()}).to_string()),
    ] {
        let mut push = k100("2025-06-17 00:00:00", json!({}));
        push.payload = json!({"status": "polling", "lastResult": last, "destResult": "null"}).to_string();
        let tables = expected(&[push]);
        assert_eq!((&*texts(&tables), tables.push[0].items), ("ab", 2), "{last}");
    }
    let mut twice = k100("2025-06-17 00:00:00", json!({}));
    twice.payload = json!({"lastResult": json!(result.to_string()).to_string()}).to_string();
    assert!(expected(&[twice]).shipment.is_empty(), "a text in a text");
    let kdniao = kdn(
        "2025-06-17 00:00:00",
        None,
        json!({"Traces": json!(traces()).to_string()}),
    );
    assert_eq!(texts(&expected(&[kdniao])), "ab");
}

#[test]
fn rule_2_2_what_stands_in_for_an_array() {
    let [a, b] = traces();
    for (told, read, items) in [
        (json!({"10": b, "9": a}), "ab", 2),
        (json!({"0": a, "1": null, "2": "x", "3": b}), "ab", 4),
        (json!(a), "a", 1),
        (json!({}), "", 0),
        (json!("x"), "", 0),
        (json!(["x", [1], b]), "b", 3),
    ] {
        let tables = expected(&[kdn("2025-06-17 00:00:00", None, json!({"Traces": told}))]);
        assert_eq!((&*texts(&tables), tables.push[0].items), (read, items), "{told}");
    }
}

#[test]
fn rule_2_2_kdniao_in_lower_case() {
    let mut push = kdn("2025-06-17 00:00:00", None, json!({}));
    push.payload = json!({
        "shipperCode": "YTO", "success": false, "reason": "七天内无轨迹变化", "stateEx": "3", "State": "2",
        "traces": [{"acceptTime": "2025-06-16 01:00:00", "AcceptStation": "a", "acceptStation": "b", "action": "202", "location": "x"}],
    })
    .to_string();
    let tables = expected(&[push]);
    let shipment = only(&tables);
    assert_eq!(
        (&*shipment.status, &*shipment.tracking_state, &*texts(&tables)),
        ("OUT_FOR_DELIVERY", "ABORTED_STALE", "a")
    );
    assert_eq!(shipment.event[0].location.as_deref(), Some("x"));
}

// ---- rule 3.4 -------------------------------------------------------------------------------------------------------

#[test]
fn rule_3_4_identifiers() {
    let carrier = |new: &str| {
        let tables = expected(&[k100("2025-06-17 00:00:00", json!({"comNew": new}))]);
        assert_eq!(tables.push[0].carrier, only(&tables).carrier);
        only(&tables).carrier.clone()
    };
    assert_eq!(carrier("\u{ff25}\u{ff2d}\u{ff33}"), "ems", "NFKC");
    assert_eq!(carrier("e\u{200b}m\u{ad}s\u{feff}"), "ems", "category Cf");
    assert_eq!(carrier("\u{200d} zhongtong\u{2060} "), "zto", "trimmed after that");
    assert_eq!(carrier("\u{200b}"), "yto", "nothing is left of it");
    assert_eq!(carrier("e:ms"), "yto", "a colon: missing");
    let com = |com: &str| {
        only(&expected(&[k100(
            "2025-06-17 00:00:00",
            json!({"lastResult": {"com": com}}),
        )]))
        .carrier
        .clone()
    };
    assert_eq!(com("a:b"), "unknown");
    let abroad = |com: &str| {
        let line = item("2025-06-16 09:00:00", "0", "x");
        let payload = json!({"destResult": {"com": com, "data": [line]}});
        only(&expected(&[k100("2025-06-17 00:00:00", payload)])).event[0].occurred_at
    };
    assert_eq!(abroad(" japan\u{200b}posten"), at("2025-06-16T00:00:00Z"));
}
