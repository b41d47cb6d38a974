//! What a payload may look like: shapes, types, places, zones, segments (rules 3.1, 3.2, 3.5, 4.1–4.3, 4.7, 4.8, 4.10,
//! 14.2, 14.3).

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Segment, Vendor};
use courierflow_vendors::reading::{NoOp, ReadError};
use serde_json::{Value, json};

use crate::pushes::*;

fn raw(vendor: Vendor, payload: &str) -> PushEvent {
    event(vendor, payload.to_owned())
}

fn read_step(event: &PushEvent) -> Step {
    Stream::default().push(event)
}

// --- no parcel ---

#[test]
fn rule_3_1_no_parcel_is_poison() {
    for (payload, error) in [
        ("", ReadError::NotJson),
        ("{", ReadError::NotJson),
        ("{}x", ReadError::NotJson),
        ("[]", ReadError::NotAnObject),
        ("null", ReadError::NotAnObject),
        ("\"x\"", ReadError::NotAnObject),
        ("{}", ReadError::NoParcel),
        (r#"{"lastResult":null}"#, ReadError::NoParcel),
        (r#"{"lastResult":[]}"#, ReadError::NoParcel),
        (r#"{"lastResult":{}}"#, ReadError::NoParcel),
        (r#"{"lastResult":{"nu":" "}}"#, ReadError::NoParcel),
        (r#"{"lastResult":"no json"}"#, ReadError::NoParcel),
        (r#"{"destResult":{"nu":"X1"}}"#, ReadError::NoParcel),
    ] {
        assert_eq!(
            read_step(&raw(Vendor::Kuaidi100, payload)),
            Step::Unreadable(error),
            "{payload}"
        );
    }
    assert_eq!(
        read_step(&raw(Vendor::Kdniao, "{}")),
        Step::Unreadable(ReadError::NoParcel)
    );
    assert_eq!(
        read_step(&raw(Vendor::Kdniao, r#"{"LogisticCode":null}"#)),
        Step::Unreadable(ReadError::NoParcel)
    );
}

#[test]
fn errors_and_no_ops_have_stable_tags_and_say_nothing_of_the_payload() {
    let tags: Vec<_> = ReadError::ALL.iter().map(|error| error.tag()).collect();
    assert_eq!(
        tags,
        ["payload_not_json", "payload_not_an_object", "payload_without_parcel"]
    );
    let tags: Vec<_> = NoOp::ALL.iter().map(|no_op| no_op.tag()).collect();
    assert_eq!(
        tags,
        [
            "payment",
            "correction_without_old_carrier",
            "correction_to_same_carrier",
            "unknown_event"
        ]
    );
    for error in ReadError::ALL {
        assert!(error.to_string().starts_with("payload "));
    }
}

#[test]
fn rule_3_5_payments_are_counted_no_ops_whatever_they_contain() {
    let payment = kdniao(&codes(&["1"])).request_type(" 107 ");
    assert_eq!(read_step(&payment.event()), Step::Nothing(NoOp::Payment));
    let mut event = payment.event();
    event.payload = "not even json".to_owned();
    assert_eq!(read_step(&event), Step::Nothing(NoOp::Payment));
    // Kuaidi100 knows no request types.
    let mut event = kuaidi100(&codes(&["1"])).event();
    event.request_type = Some("107".to_owned());
    assert!(matches!(read_step(&event), Step::Accepted(_)));
}

#[test]
fn identity_comes_from_the_envelope_and_the_payload_helps() {
    let mut event = kuaidi100(&codes(&["1"])).event();
    assert_eq!(shipment(&event).tracking_number, "YT1");
    event.tracking_number = String::new();
    event.payload = event.payload.replace("yt1", "\u{3000}yt-2é ");
    assert_eq!(shipment(&event).tracking_number, "YT-2é", "trimmed, ASCII upper case");
    let numeric = kuaidi100(&[]).set("lastResult.nu", 735_587_678_765_u64).event();
    let numeric = PushEvent {
        tracking_number: String::new(),
        ..numeric
    };
    assert_eq!(shipment(&numeric).tracking_number, "735587678765");
}

#[test]
fn keys_display_as_the_topic_writes_them() {
    let event = kuaidi100(&[]).event();
    let Ok(courierflow_vendors::reading::Reading::Snapshot(snapshot)) =
        courierflow_vendors::reading::read(&event, Carriers::built_in())
    else {
        panic!("a snapshot");
    };
    assert_eq!(snapshot.key().to_string(), "kuaidi100:yto:YT1");
}

#[test]
fn rule_3_1_and_rule_3_2_and_rule_3_3_carriers() {
    let carrier = |com: Value| shipment(&kuaidi100(&[]).set("lastResult.com", com).event()).carrier;
    assert_eq!(carrier(json!(" ShunFeng ")), "sf");
    assert_eq!(carrier(json!("NewOne")), "newone");
    assert_eq!(carrier(json!(null)), "unknown");
    assert_eq!(carrier(json!(" ")), "unknown");
    assert_eq!(carrier(json!(56)), "56");
    assert_eq!(
        carrier(json!("zto")),
        "kuaidi100.zto",
        "rule 3.3: ZTO's canonical code, and no code of this vendor"
    );
    assert_eq!(shipment(&kdniao(&[]).set("ShipperCode", "JTSD").event()).carrier, "jt");
    assert_eq!(shipment(&kdniao(&[]).set("ShipperCode", "FWX").event()).carrier, "fwx");
    assert_eq!(
        shipment(&kdniao(&[]).set("ShipperCode", Value::Null).event()).carrier,
        "unknown"
    );
}

// --- shapes ---

#[test]
fn results_may_come_as_json_texts() {
    let object = kuaidi100(&codes(&["1", "5"])).set(
        "destResult",
        json!({"com": "speedpost", "data": [item("2025-06-05 08:00:00", "3", "x")]}),
    );
    let text = |key: &str| object.payload[key].to_string();
    let both = object
        .clone()
        .set("lastResult", text("lastResult"))
        .set("destResult", text("destResult"));
    assert_eq!(derived(&both.event()), derived(&object.event()));
    let one = object.clone().set("destResult", text("destResult"));
    assert_eq!(derived(&one.event()), derived(&object.event()));
    let broken = object.clone().set("destResult", "{");
    assert_eq!(shipment(&broken.event()).events.len(), 2);
}

#[test]
fn rule_4_1_elements_that_are_no_objects_are_skipped_and_a_null_text_is_empty() {
    let data = json!([null, 1, "x", [], item("2025-06-01 08:00:00", "0", "a"), {"ftime": "2025-06-01 09:00:00", "context": null}]);
    let shipment = shipment(&kuaidi100(&[]).set("lastResult.data", data).event());
    let contexts: Vec<_> = shipment.events.iter().map(|event| event.context.as_str()).collect();
    assert_eq!(contexts, ["a", ""]);
    assert!(!has_flag(&shipment, "bad_time"), "what is no object has no time");
}

#[test]
fn rule_4_1_an_item_without_a_time_is_dropped() {
    let shipment = shipment(
        &kuaidi100(&[])
            .set("lastResult.data", json!([{}, item("2025-06-01 08:00:00", "0", "a")]))
            .event(),
    );
    assert_eq!(shipment.events.len(), 1);
    assert!(has_flag(&shipment, "bad_time"));
}

#[test]
fn rule_4_1_remarks_are_no_text() {
    let mut line = trace("2025-06-01 08:00:00", "2", "a");
    line["Remark"] = "b".into();
    assert_eq!(shipment(&kdniao(&[line]).event()).events[0].context, "a");
}

#[test]
fn numbers_nulls_and_wrong_types_are_tolerated_everywhere() {
    let payload = r#"{"status":{"a":[1]},"message":[],"comOld":1e2,"comNew":false,"billstatus":9,"lastResult":{"nu":12345,
        "com":"yuantong","state":3,"ischeck":"1","isLoop":"true","arrivalTime":20250617,"routeInfo":[],
        "data":[{"context":77,"ftime":null,"time":"2025-06-01 08:00","statusCode":5,"status":[],"areaCode":310000000000,
        "areaName":{},"location":1},{"ftime":{"x":"y"},"context":{}}]}}"#;
    let shipment = shipment(&raw(Vendor::Kuaidi100, payload));
    assert_eq!(statuses(&shipment.events), ["OUT_FOR_DELIVERY/OUT_FOR_DELIVERY"]);
    assert_eq!(shipment.events[0].context, "77");
    assert_eq!(shipment.events[0].area_code.as_deref(), Some("CN310000000000"));
    assert_eq!(shipment.events[0].location.as_deref(), Some("1"));
    assert!(has_flag(&shipment, "route_loop"));
}

#[test]
fn repeated_keys_are_no_error() {
    let payload = r#"{"lastResult":1,"lastResult":{"nu":"a","nu":"YT1","com":"yuantong","data":[1],"data":[]},"status":"abort","status":"polling"}"#;
    assert!(matches!(read_step(&raw(Vendor::Kuaidi100, payload)), Step::Accepted(_)));
}

#[test]
fn deep_and_long_payloads_are_read() {
    let deep = format!(
        r#"{{"x":{}{},"lastResult":{{"nu":"YT1","data":[]}}}}"#,
        "[".repeat(60),
        "]".repeat(60)
    );
    assert!(matches!(read_step(&raw(Vendor::Kuaidi100, &deep)), Step::Accepted(_)));
    let long = item("2025-06-01 08:00:00", "0", &"长 ".repeat(100_000));
    assert_eq!(
        shipment(&kuaidi100(&[long]).event()).events[0].context.len(),
        4 * 100_000 - 1
    );
    let many: Vec<_> = (0..5_000)
        .map(|n| item("2025-06-01 08:00:00", "0", if n % 2 == 0 { "a" } else { "b" }))
        .collect();
    let mut stream = Stream::default();
    assert_eq!(stream.accept(&kuaidi100(&many).event()).shipment.events.len(), 5_000);
    assert_eq!(stream.accept(&kuaidi100(&many[1..]).event()).counts.retracted_events, 1);
}

#[test]
fn escapes_are_understood() {
    let payload = r#"{"lastResult":{"nu":"\u0059T1","com":"yuantong","data":[{"ftime":"2025-06-01\t08:00","context":"\u5df2\u7b7e\u6536 \ud83d\ude80\n"}]}}"#;
    let shipment = shipment(&raw(Vendor::Kuaidi100, payload));
    assert_eq!(shipment.events[0].context, "已签收 🚀");
    assert_eq!(statuses(&shipment.events), ["DELIVERED/UNSPECIFIED"]);
}

#[test]
fn half_an_emoji_is_no_reason_to_lose_a_parcel() {
    let result = r#"{"nu":"YT1","com":"yuantong","data":[{"ftime":"2025-06-01 08:00","context":"已签收\ud83d"}]}"#;
    let plain = format!(r#"{{"lastResult":{result}}}"#);
    let as_text = format!(r#"{{"lastResult":{}}}"#, Value::from(result));
    for payload in [plain, as_text] {
        assert_eq!(
            shipment(&raw(Vendor::Kuaidi100, &payload)).events[0].context,
            "已签收\u{fffd}",
            "{payload}"
        );
    }
    let parcel = r#"{"LogisticCode":"YT1","Traces":[{"AcceptTime":"2025-06-01 08:00","AcceptStation":"\udead"}]}"#;
    assert_eq!(shipment(&raw(Vendor::Kdniao, parcel)).events[0].context, "\u{fffd}");
}

#[test]
fn a_number_that_nothing_can_hold_is_absent() {
    for number in ["1e400", &"9".repeat(400), "1e300", "-1e400", "1.5"] {
        let result = format!(
            r#"{{"nu":"YT1","com":"yuantong","state":{number},"ischeck":{number},"isLoop":{number},"data":[{{"ftime":"2025-06-01 08:00","status":{number},"context":{number}}},{{"ftime":{number}}}]}}"#
        );
        let plain = format!(r#"{{"x":{number},"status":{number},"destResult":{number},"lastResult":{result}}}"#);
        let as_text = format!(r#"{{"lastResult":{}}}"#, Value::from(result));
        for payload in [plain, as_text] {
            let event = raw(Vendor::Kuaidi100, &payload);
            let shipment = shipment(&event);
            assert_eq!(
                (shipment.carrier.as_str(), shipment.events.len()),
                ("yto", 1),
                "{payload}"
            );
            assert_eq!(
                courierflow_vendors::reading::push_facts(&event, Carriers::built_in()).items,
                2,
                "{payload}"
            );
        }
        let parcel = format!(
            r#"{{"LogisticCode":"YT1","State":{number},"Success":{number},"Traces":[{{"AcceptTime":"2025-06-01 08:00","Action":{number}}}]}}"#
        );
        assert_eq!(shipment(&raw(Vendor::Kdniao, &parcel)).events.len(), 1, "{parcel}");
    }
}

#[test]
fn a_carrier_code_that_cannot_be_a_key_is_no_carrier_code() {
    let long = "x".repeat(129);
    for code in [json!(long), json!("a\u{0}b"), json!(1e300), json!(true)] {
        let payload = json!({"comNew": code, "lastResult": {"nu": "YT1", "com": "yuantong", "data": []}}).to_string();
        let carrier = shipment(&raw(Vendor::Kuaidi100, &payload)).carrier;
        assert!(["yto", "1e300"].contains(&carrier.as_str()), "{carrier}");
        let payload = json!({"LogisticCode": "YT1", "ShipperCode": code, "Traces": []}).to_string();
        let carrier = shipment(&raw(Vendor::Kdniao, &payload)).carrier;
        assert!(["unknown", "1e300"].contains(&carrier.as_str()), "{carrier}");
    }
}

#[test]
fn a_number_too_long_for_an_integer_is_a_number() {
    let payload = r#"{"lastResult":{"nu":9400110200881234567890,"com":"usps","data":[]}}"#;
    assert_eq!(shipment(&raw(Vendor::Kuaidi100, payload)).tracking_number, "YT1");
}

// --- places ---

#[test]
fn rule_4_10_places() {
    for (area_code, area_name, location, expected_code, expected_place) in [
        (
            json!("CN310000000000"),
            json!("上海市"),
            json!("浦东"),
            Some("CN310000000000"),
            Some("浦东"),
        ),
        (
            json!("310000000000"),
            json!("上海市"),
            json!(""),
            Some("CN310000000000"),
            Some("上海市"),
        ),
        (json!(null), json!(null), json!(null), None, None),
        (json!(""), json!(" "), json!("\u{3000}"), None, None),
        (json!("31000000000"), json!("x"), json!(null), None, Some("x")),
        (json!("CN4403"), json!("x"), json!(null), None, Some("x")),
    ] {
        let mut line = item("2025-06-01 08:00:00", "0", "x");
        line["areaCode"] = area_code;
        line["areaName"] = area_name;
        line["location"] = location;
        let shipment = shipment(&kuaidi100(&[line]).event());
        assert_eq!(shipment.events[0].area_code.as_deref(), expected_code);
        assert_eq!(shipment.events[0].location.as_deref(), expected_place);
    }
    let mut line = trace("2025-06-01 08:00:00", "2", "x");
    line["Location"] = "STOCKTON,CA,US".into();
    let shipment = shipment(&kdniao(&[line]).set("Location", "now here").event());
    assert_eq!(shipment.events[0].location.as_deref(), Some("STOCKTON,CA,US"));
    assert_eq!(shipment.events[0].area_code, None);
}

#[test]
fn phone_numbers_in_places_are_masked_too() {
    let mut line = item("2025-06-01 08:00:00", "1", "x");
    line["location"] = "网点 13812345678".into();
    let derived = derived(&kuaidi100(&[line]).event());
    assert_eq!(derived.shipment.events[0].location.as_deref(), Some("网点 138******78"));
    assert_eq!(derived.transitions[0].location.as_deref(), Some("网点 138******78"));
}

// --- zones and segments ---

#[test]
fn rule_4_7_kdniao_across_borders() {
    let line = |time| trace(time, "2", time);
    let times = |push: &Kdniao| {
        let shipment = shipment(&push.event());
        let times: Vec<_> = shipment.events.iter().map(|event| event.occurred_at).collect();
        (times, has_flag(&shipment, "tz_assumed"))
    };
    let domestic = kdniao(&[line("2025-06-01 08:00:00")]);
    assert_eq!(times(&domestic), (vec![china("2025-06-01T08:00:00")], false));
    let zoned = kdniao(&[in_zone(line("2025-06-01 08:00:00"), "-05:00")]);
    assert_eq!(times(&zoned), (vec![millis("2025-06-01T13:00:00Z")], false));
    let mixed = kdniao(&[
        line("2025-06-01 08:00:00"),
        in_zone(line("2025-06-01 09:00:00"), "GMT+8"),
    ]);
    assert_eq!(
        times(&mixed),
        (vec![china("2025-06-01T08:00:00"), china("2025-06-01T09:00:00")], true)
    );
    // Rule 4.5: flagged, but still domestic.
    let unreadable = kdniao(&[in_zone(line("2025-06-01 08:00:00"), "Paris")]);
    assert_eq!(times(&unreadable), (vec![china("2025-06-01T08:00:00")], true));
    let named = kdniao(&[in_zone(line("2025-06-01 08:00:00"), "Europe/Paris")]);
    assert_eq!(times(&named), (vec![millis("2025-06-01T06:00:00Z")], false));
    let by_carrier = kdniao(&[line("2025-06-01 08:00:00")]).set("ShipperCode", "COLISSIMO");
    assert_eq!(times(&by_carrier), (vec![china("2025-06-01T08:00:00")], true));
    // Rule 3.3: a carrier with a zone of its own tells its own time, where a line does not say another.
    let japan = kdniao(&[
        line("2025-06-01 08:00:00"),
        in_zone(line("2025-06-01 09:00:00"), "+08:00"),
    ])
    .set("ShipperCode", "JP");
    assert_eq!(
        times(&japan),
        (
            vec![millis("2025-05-31T23:00:00Z"), china("2025-06-01T09:00:00")],
            false
        )
    );
    // A clock that goes forward and back.
    let germany = |time| times(&kdniao(&[line(time)]).set("ShipperCode", "DHL_DE"));
    assert_eq!(
        germany("2025-01-01 08:00:00"),
        (vec![millis("2025-01-01T07:00:00Z")], false)
    );
    assert_eq!(
        germany("2025-06-01 08:00:00"),
        (vec![millis("2025-06-01T06:00:00Z")], false)
    );
}

#[test]
fn rule_4_8_the_destination_tells_its_own_time() {
    let push = |com: &str| {
        kuaidi100(&[item("2025-06-01 08:00:00", "1", "a")]).set(
            "destResult",
            json!({"com": com, "nu": "other", "data": [item("2025-06-05 08:00:00", "3", "b")]}),
        )
    };
    for (com, utc, assumed) in [
        ("japanposten", "2025-06-04T23:00:00Z", false),
        ("SpeedPost ", "2025-06-05T00:00:00Z", false),
        ("usps", "2025-06-05T00:00:00Z", true),
        ("", "2025-06-05T00:00:00Z", true),
    ] {
        let derived = derived(&push(com).event());
        let shipment = derived.shipment;
        assert_eq!(shipment.events[1].segment, Segment::Destination);
        assert_eq!(shipment.events[1].occurred_at, millis(utc), "{com}");
        assert_eq!(shipment.events[1].local_time, "2025-06-05 08:00:00");
        assert_eq!(has_flag(&shipment, "tz_assumed"), assumed, "{com}");
        assert_eq!(
            (shipment.carrier.as_str(), shipment.tracking_number.as_str()),
            ("yto", "YT1")
        );
        assert_eq!(changes(&derived.transitions)[1], "PICKED_UP→DELIVERED TOLERATED");
    }
}

#[test]
fn rule_4_8_a_destination_without_items_is_absent() {
    for dest in [
        json!({"com": "usps", "data": []}),
        json!({"com": "usps"}),
        json!(null),
        json!([]),
    ] {
        let shipment = shipment(&kuaidi100(&codes(&["1"])).set("destResult", dest).event());
        assert!(!has_flag(&shipment, "tz_assumed"));
    }
    // Nor does it make another push of it.
    let placeholder = json!({"com": "usps", "state": "0", "data": [item("2025-06-02 08:00:00", "", "暂无轨迹")]});
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1"])).event());
    let again = kuaidi100(&codes(&["1"])).set("destResult", placeholder);
    assert_eq!(
        stream.push(&again.received("2025-06-30T01:00:00Z").event()),
        Step::Duplicate
    );
}

#[test]
fn rule_4_8_the_same_line_in_both_segments_is_two_events() {
    let line = item("2025-06-01 08:00:00", "0", "x");
    let push = kuaidi100(std::slice::from_ref(&line)).set("destResult", json!({"com": "hkpost", "data": [line]}));
    let shipment = shipment(&push.event());
    assert_eq!(shipment.events.len(), 2);
    assert_ne!(shipment.events[0].id, shipment.events[1].id);
}

#[test]
fn rule_14_3_events_stand_oldest_first() {
    let shuffled = json!([
        item("2025-06-01 10:00:00", "5", "c"),
        item("2025-06-01 08:00:00", "1", "a"),
        item("2025-06-01 09:00:00", "0", "b")
    ]);
    let shipment = shipment(&kuaidi100(&[]).set("lastResult.data", shuffled).event());
    let times: Vec<_> = shipment.events.iter().map(|event| event.local_time.as_str()).collect();
    assert_eq!(
        times,
        ["2025-06-01 08:00:00", "2025-06-01 09:00:00", "2025-06-01 10:00:00"]
    );
}
