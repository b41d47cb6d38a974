//! What could not be understood: codes, texts and carriers, each counted by hand.

use serde_json::{Value, json};

use crate::harness::{tables, with_tables};

/// An event: code, status, sub-status and text.
type Event = (Option<&'static str>, &'static str, Option<&'static str>, &'static str);

fn shipment(number: &str, vendor: &str, carrier: &str, days_ago: i64, events: &[Event]) -> Value {
    let moment = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days_ago);
    let time = moment.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let of_events = |value: &dyn Fn(&Event) -> Value| Value::from(events.iter().map(value).collect::<Vec<_>>());
    json!({
        "vendor": vendor, "account": "demo", "carrier": carrier, "tracking_number": number, "epoch": &time[..10],
        "version": moment.as_microsecond(), "first_received_at": time, "received_at": time, "status": "IN_TRANSIT",
        "leg": "FORWARD", "tracking_state": "ACTIVE",
        "event.id": (0..events.len()).collect::<Vec<_>>(),
        "event.occurred_at": of_events(&|_| json!(time)),
        "event.local_time": of_events(&|_| json!(time)),
        "event.status": of_events(&|event| json!(event.1)),
        "event.sub_status": of_events(&|event| json!(event.2)),
        "event.raw_code": of_events(&|event| json!(event.0)),
        "event.segment": of_events(&|_| json!("ORIGIN")),
        "event.area_code": of_events(&|_| json!("")),
        "event.location": of_events(&|_| json!("")),
        "event.context": of_events(&|event| json!(event.3)),
        "flags": if events.iter().any(|event| event.0 == Some("1099")) { vec!["unknown_code"] } else { vec![] },
    })
}

#[test]
fn what_could_not_be_understood_is_told_by_kind_and_frequency() {
    let stack = with_tables("metrics-wording");
    let shipments = [
        // A code that falls back to 0, once with the text of another place and another number.
        shipment(
            "A1",
            "kuaidi100",
            "yto",
            3,
            &[
                (Some("1099"), "IN_TRANSIT", None, "走了"),
                (Some("1099"), "IN_TRANSIT", None, "又走了"),
            ],
        ),
        shipment(
            "A2",
            "kuaidi100",
            "yto",
            2,
            &[(Some("1099"), "UNKNOWN", None, "【上海市】第12件莫名其妙")],
        ),
        shipment(
            "A3",
            "kuaidi100",
            "yto",
            1,
            &[
                (None, "UNKNOWN", None, "【杭州市】第7件莫名其妙"),
                (Some("0"), "IN_TRANSIT", None, "在途"),
            ],
        ),
        // Of another vendor the code has a meaning, of this one it has none.
        shipment("B1", "kdniao", "zto", 1, &[(Some("1099"), "IN_TRANSIT", None, "")]),
        // What has a meaning, what has no text, and what was heard of too long ago.
        shipment(
            "C1",
            "kuaidi100",
            "yto",
            1,
            &[
                (Some("0"), "UNKNOWN", Some("NO_TRACE"), "查无结果"),
                (None, "UNKNOWN", None, ""),
            ],
        ),
        shipment(
            "C2",
            "kuaidi100",
            "yto",
            40,
            &[(Some("1099"), "UNKNOWN", None, "【上海市】第1件莫名其妙")],
        ),
        // A carrier without a mapping; its parcels need no other fault.
        shipment(
            "D1",
            "kdniao",
            "neuerkurier",
            1,
            &[(Some("2"), "IN_TRANSIT", None, "在途")],
        ),
    ];
    let rows: Vec<String> = shipments.iter().map(Value::to_string).collect();
    tables::execute(
        &stack,
        &format!("INSERT INTO courier.shipment FORMAT JSONEachRow\n{}", rows.join("\n")),
    );
    tables::refresh(&stack, "unknown_wording");
    let found = tables::rows(
        &stack,
        "SELECT kind, vendor, carrier, wording, events, parcels, status, example, last_parcel FROM courier.unknown_wording
         ORDER BY kind, vendor, wording",
    );
    let row = |values: [&str; 4], events: u64, parcels: u64, last: [&str; 3]| {
        json!({
            "kind": values[0], "vendor": values[1], "carrier": values[2], "wording": values[3], "events": events, "parcels": parcels,
            "status": last[0], "example": last[1], "last_parcel": last[2],
        })
    };
    assert_eq!(
        found,
        [
            row(
                ["carrier", "kdniao", "neuerkurier", "neuerkurier"],
                0,
                1,
                ["", "", "D1"]
            ),
            row(["code", "kdniao", "zto", "1099"], 1, 1, ["IN_TRANSIT", "", "B1"]),
            row(
                ["code", "kuaidi100", "yto", "1099"],
                3,
                2,
                ["IN_TRANSIT", "【上海市】第12件莫名其妙", "A2"]
            ),
            row(
                ["text", "kuaidi100", "yto", "【】第0件莫名其妙"],
                2,
                2,
                ["UNKNOWN", "【杭州市】第7件莫名其妙", "A3"]
            ),
        ]
    );
}
