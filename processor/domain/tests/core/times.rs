//! Times as vendors write them, from the payload to the event (rules 4.4–4.7).

use courierflow_schemas::records::{Shipment, Status};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::pushes::*;

/// 2025-06-16 07:05:07 in China.
const MOMENT: &str = "2025-06-15T23:05:07Z";

fn line(time: &Value) -> Value {
    json!({"ftime": time, "context": "x", "statusCode": "0"})
}

/// A destination's line, `com` being its carrier.
fn abroad(com: &str, time: &Value) -> Shipment {
    let first = item("2025-06-01 08:00:00", "1", "first");
    shipment(
        &kuaidi100(&[first])
            .set("destResult", json!({"com": com, "data": [line(time)]}))
            .event(),
    )
}

#[test]
fn rule_4_5_every_spelling_of_a_time() {
    for (time, local_time) in [
        (json!("2025-06-16 07:05:07"), "2025-06-16 07:05:07"),
        (json!("2025-06-15T23:05:07Z"), "2025-06-15 23:05:07"),
        (json!("2025-06-16T07:05:07+08:00"), "2025-06-16 07:05:07"),
        (json!("2025-06-16 07:05:07.25 +0800"), "2025-06-16 07:05:07"),
        (json!("2025-06-16T08:05:07+09"), "2025-06-16 08:05:07"),
        (json!("2025-06-15T18:35:07-0430"), "2025-06-15 18:35:07"),
        (json!("20250616070507"), "2025-06-16 07:05:07"),
        (json!(20_250_616_070_507_u64), "2025-06-16 07:05:07"),
        (json!("2025年6月16日 7:05:07"), "2025-06-16 07:05:07"),
        (json!(1_750_028_707), "2025-06-16 07:05:07"),
        (json!("1750028707"), "2025-06-16 07:05:07"),
        (json!(1_750_028_707_999_u64), "2025-06-16 07:05:07"),
        (json!("1750028707999"), "2025-06-16 07:05:07"),
    ] {
        let plain = shipment(&kuaidi100(&[line(&json!("2025-06-16 07:05:07"))]).event());
        let shipment = shipment(&kuaidi100(&[line(&time)]).event());
        let event = &shipment.events[0];
        assert_eq!(
            (event.local_time.as_str(), event.occurred_at),
            (local_time, millis(MOMENT)),
            "{time}"
        );
        assert_eq!(event.id, plain.events[0].id, "{time}");
        assert_eq!(shipment.flags, ["pickup_imputed"], "{time}");
    }
}

#[test]
fn rule_4_5_a_time_that_needs_no_zone_assumes_none_and_crosses_no_border() {
    for (time, assumed) in [
        (json!("2025-06-16 07:05:07"), true),
        (json!("2025-06-16T07:05:07+08:00"), false),
        (json!(MOMENT), false),
        (json!(1_750_028_707), false),
    ] {
        let shipment = abroad("nosuchpost", &time);
        assert_eq!(has_flag(&shipment, "tz_assumed"), assumed, "{time}");
        assert_eq!(shipment.events[1].occurred_at, millis(MOMENT), "{time}");
        // A code that means something else across a border (rule 6.4).
        let mut domestic = trace("", "1", "Label created");
        domestic["AcceptTime"] = time;
        let domestic = shipment_of(&domestic);
        assert_eq!((domestic.status, domestic.flags.len()), (Status::PickedUp, 0));
    }
}

fn shipment_of(trace: &Value) -> Shipment {
    shipment(&kdniao(std::slice::from_ref(trace)).event())
}

#[test]
fn rule_4_5_the_clock_of_a_unix_time_is_that_of_the_item() {
    for (com, local_time) in [
        ("japanposten", "2025-06-16 08:05:07"),
        ("speedpost", "2025-06-16 07:05:07"),
        ("nosuchpost", "2025-06-16 07:05:07"),
    ] {
        assert_eq!(abroad(com, &json!(1_750_028_707)).events[1].local_time, local_time);
    }
    for (zone, local_time) in [
        ("-05:00", "2025-06-15 18:05:07"),
        ("America/New_York", "2025-06-15 19:05:07"),
        ("", "2025-06-16 07:05:07"),
        ("nowhere", "2025-06-16 07:05:07"),
    ] {
        let mut line = in_zone(trace("", "2", "x"), zone);
        line["AcceptTime"] = json!(1_750_028_707);
        let shipment = shipment_of(&line);
        assert_eq!(shipment.events[0].local_time, local_time, "{zone}");
        assert!(!has_flag(&shipment, "tz_assumed"), "{zone}");
    }
}

#[test]
fn rule_4_5_another_spelling_is_a_duplicate() {
    let mut line = in_zone(trace("2025-06-16 01:05:07", "2", "x"), "Europe/Paris");
    let mut stream = Stream::default();
    stream.accept(&kdniao(&[line.clone()]).event());
    for time in [json!(MOMENT), json!(1_750_028_707), json!("2025-06-16T07:05:07+08:00")] {
        line["AcceptTime"] = time;
        let again = kdniao(&[line.clone()]).received("2025-06-30T01:00:00Z");
        assert_eq!(stream.push(&again.event()), Step::Duplicate, "{line}");
    }
}

#[test]
fn rule_4_5_a_zone_that_cannot_be_read_is_flagged_and_crosses_no_border() {
    for (zone, status, assumed) in [
        (" ", Status::PickedUp, false),
        ("CST", Status::PickedUp, true),
        ("北京", Status::PickedUp, true),
        ("8", Status::PickedUp, true),
        ("EST", Status::InfoReceived, false),
        ("\u{2212}05:00", Status::InfoReceived, false),
        ("asia/tokyo", Status::InfoReceived, false),
    ] {
        let shipment = shipment_of(&in_zone(trace("2025-06-01 08:00:00", "1", "Label created"), zone));
        assert_eq!(
            (shipment.status, has_flag(&shipment, "tz_assumed")),
            (status, assumed),
            "{zone}"
        );
    }
    let placeholder = in_zone(trace("2025-06-01 08:00:00", "", "暂无轨迹"), "CST");
    let line = trace("2025-06-01 08:00:00", "1", "x");
    assert!(!has_flag(
        &shipment(&kdniao(&[placeholder, line]).event()),
        "tz_assumed"
    ));
}

#[test]
fn rule_10_7_a_parcel_is_flagged_that_a_line_shows_abroad() {
    let domestic = |time: Value| shipment(&kuaidi100(&[line(&time)]).event());
    for time in [
        "2025-06-15T23:05:07Z",
        "2025-06-15 19:05:07-04:00",
        "2025-06-16 07:05:07",
    ] {
        assert!(!has_flag(&domestic(json!(time)), "cross_border"), "{time}");
        // The second country counts, however its times are written.
        assert!(has_flag(&abroad("speedpost", &json!(time)), "cross_border"), "{time}");
    }
    for (zone, expected) in [
        ("", false),
        ("CST", false),
        ("+08:00", false),
        ("Asia/Shanghai", false),
        ("Z", true),
        ("-5", true),
        ("Europe/Paris", true),
    ] {
        let shipment = shipment_of(&in_zone(trace("2025-06-01 08:00:00", "2", "x"), zone));
        assert_eq!(has_flag(&shipment, "cross_border"), expected, "{zone}");
    }
    // One line in China's zone makes the snapshot cross-border, and nobody knows where the other was written.
    let told = in_zone(trace("2025-06-01 08:00:00", "2", "x"), "+08:00");
    let untold = trace("2025-06-01 09:00:00", "2", "y");
    let shipment = shipment(&kdniao(&[told, untold]).event());
    assert!(has_flag(&shipment, "cross_border") && has_flag(&shipment, "tz_assumed"));
}

#[test]
fn rule_4_5_an_impossible_time_yields_to_the_other_field() {
    for impossible in [
        json!("1999-12-31 23:59:59"),
        json!("2100-01-01 00:00:00"),
        json!("9999-12-31T23:59:59-12:00"),
        json!("0001-01-01T00:00:00Z"),
        json!("0000-00-00 00:00:00"),
        json!("0000000000"),
        json!(9_999_999_999_u64),
        json!("soon"),
    ] {
        let line = json!({"ftime": impossible, "time": "2025-06-16 01:00:00", "context": "x", "statusCode": "0"});
        let shipment = shipment(&kuaidi100(&[line]).event());
        assert_eq!(shipment.events[0].local_time, "2025-06-16 01:00:00", "{impossible}");
        assert!(!has_flag(&shipment, "bad_time"));
        let line = json!({"ftime": impossible, "time": impossible, "context": "x", "statusCode": "0"});
        let neither = shipment_of_lines(&[line, item("2025-06-16 01:00:00", "1", "y")]);
        assert_eq!((neither.events.len(), has_flag(&neither, "bad_time")), (1, true));
    }
}

fn shipment_of_lines(lines: &[Value]) -> Shipment {
    shipment(&kuaidi100(lines).event())
}

/// A moment in one of the spellings that need no zone, or by the clock of its zone.
fn spelled(second: i64, spelling: usize, zone: &TimeZone, east: i32) -> Value {
    let moment = Timestamp::from_second(second).unwrap();
    let there = moment.to_zoned(TimeZone::fixed(jiff::tz::Offset::from_seconds(east * 900).unwrap()));
    let here = moment.to_zoned(zone.clone());
    match spelling {
        0 => json!(second),
        1 => json!(second.to_string()),
        2 => json!(second * 1000 + 999),
        3 => json!((second * 1000).to_string()),
        4 => json!(there.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()),
        5 => json!(there.strftime("%Y/%-m/%-d %-H:%M:%S.5 %z").to_string()),
        6 => json!(moment.strftime("%Y-%m-%d %H:%M:%S Z").to_string()),
        7 => json!(here.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        8 => json!(here.strftime("%Y%m%d%H%M%S").to_string()),
        _ => json!(here.strftime("%Y年%-m月%-d日 %-H:%M:%S").to_string()),
    }
}

proptest! {
    #[test]
    fn rule_4_5_two_spellings_of_a_moment_are_one_event(
        // From the first Unix time of ten digits to 2099-12-29, in zones whose clocks never go back.
        second in 1_000_000_000_i64..4_102_185_600,
        spellings in (0..10_usize, 0..10_usize),
        east in -56..=56_i32,
        zone in prop::sample::select(&["+08:00", "-03:30", "Asia/Kolkata", "Etc/GMT+8", "Z", "\u{2212}11"][..]),
    ) {
        let clock = match zone {
            "Z" => TimeZone::UTC,
            "+08:00" => TimeZone::fixed(jiff::tz::offset(8)),
            "\u{2212}11" => TimeZone::fixed(jiff::tz::offset(-11)),
            "-03:30" => TimeZone::fixed(jiff::tz::Offset::from_seconds(-12_600).unwrap()),
            name => TimeZone::get(name).unwrap(),
        };
        let shipment = |spelling| {
            let mut line = in_zone(trace("", "2", "x"), zone);
            line["AcceptTime"] = spelled(second, spelling, &clock, east);
            shipment(&kdniao(&[line]).received("2100-01-01T00:00:00Z").event())
        };
        let (one, other) = (shipment(spellings.0), shipment(spellings.1));
        prop_assert_eq!(one.events.len(), 1);
        prop_assert_eq!(one.events[0].id, other.events[0].id);
        prop_assert_eq!(one.events[0].occurred_at.0, second * 1000);
        prop_assert_eq!(one.events[0].occurred_at, other.events[0].occurred_at);
        prop_assert_eq!(one.recent_pushes[0].content_hash, other.recent_pushes[0].content_hash);
    }
}
