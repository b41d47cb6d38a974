//! Who is followed, and whose pushes come.

use courierflow_tests::measures::{insert_shipments, shipment_at};
use courierflow_tests::oracle::ShipmentRow;
use serde_json::{Value, json};

use super::{DAY, HOUR, call, china_day, in_china, insert, month_of, subscription, time};
use crate::harness::{tables, with_tables};
use crate::metrics::now;

#[test]
fn coverage_tells_who_is_not_followed_and_whose_pushes_do_not_come() {
    let stack = with_tables("metrics-coverage");
    let day = china_day(now() - 4 * DAY);
    let noon = in_china(day, 12, 0);
    let asked = json!({"requested_at": time(noon), "since": time(noon)});
    let asked_with = |changes: Value| {
        let mut row = asked.clone();
        row.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        row
    };
    let mut subscriptions = Vec::new();
    let mut calls = Vec::new();
    // The first push after 1, 2, 3, 30 h, and never; they were all accepted 10 min after the request.
    for (number, hours) in [
        ("A1", Some(1)),
        ("A2", Some(2)),
        ("A3", Some(3)),
        ("A4", Some(30)),
        ("A5", None),
    ] {
        let accepted_at = noon + 600;
        let first_push_at = hours.map_or(Value::Null, |hours| time(accepted_at + hours * HOUR));
        subscriptions.push(subscription(
            number,
            &asked_with(json!({"first_push_at": first_push_at})),
        ));
        calls.push(call(number, accepted_at, &json!({})));
    }
    // Refused; and the second round of one that was given up: its last call counts, of a few hours ago.
    subscriptions.push(subscription(
        "REFUSED",
        &asked_with(json!({"state": "REJECTED", "first_push_at": null})),
    ));
    calls.push(call("REFUSED", noon, &json!({"class": "REJECTED", "code": "700"})));
    subscriptions.push(subscription(
        "AGAIN",
        &asked_with(json!({"round": 2, "first_push_at": null})),
    ));
    calls.push(call("AGAIN", noon, &json!({})));
    calls.push(call("AGAIN", now() - 2 * HOUR, &json!({"reason": "RESUBSCRIBE"})));
    // Asked for again a week after it was accepted, and refused now: the earlier call is not of this request.
    subscriptions.push(subscription(
        "ANEW",
        &asked_with(json!({"state": "REJECTED", "reason": "BAD_DATA", "first_push_at": null})),
    ));
    calls.push(call("ANEW", noon - 7 * DAY, &json!({})));
    // No try was answered, the push told: the processor has counted it.
    subscriptions.push(subscription(
        "HEALED",
        &asked_with(json!({
            "first_push_at": time(noon + 600 + HOUR),
            "calls.month": [month_of(day)], "calls.vendor_carrier": ["yuantong"], "calls.accepted": [1],
            "calls.last_at": [time(noon + HOUR)],
        })),
    ));
    calls.push(call("HEALED", noon + 600, &json!({"class": "UNKNOWN", "code": null})));
    // Before the period.
    subscriptions.push(subscription("OLD", &json!({"requested_at": time(now() - 40 * DAY)})));
    insert(&stack, "subscription", &subscriptions);
    insert(&stack, "vendor_call", &calls);
    let shipment = |number: &str, at: i64| shipment_at("yto", number, at);
    let mut corrected = shipment("CORRECTED", noon);
    corrected.tracking_state = "CARRIER_CORRECTED".to_owned();
    let shipments: Vec<ShipmentRow> = ["A1", "A2", "A3", "A4", "HEALED", "STRANGER1", "STRANGER2"]
        .map(|number| shipment(number, noon + HOUR))
        .into_iter()
        .chain([corrected, shipment("STRANGER3", noon - 40 * DAY)])
        .collect();
    tables::execute(&stack, &insert_shipments("courier", &shipments));

    let rows = tables::rows(
        &stack,
        "SELECT * REPLACE (toString(day) AS day) FROM courier.subscription_coverage",
    );
    let [row] = &rows[..] else { panic!("{rows:?}") };
    for (column, value) in [
        ("day", json!(day.to_string())),
        ("vendor", json!("kuaidi100")),
        ("account", json!("demo")),
        ("requested", json!(9)),
        ("accepted", json!(7)),
        ("due", json!(6)),
        ("aborted", json!(1)),
        ("without_shipment", json!(1)),
        ("shipments", json!(7)),
        ("shipments_unsubscribed", json!(2)),
        ("first_push_p95_hours", Value::Null),
    ] {
        assert_eq!(row[column], value, "{column} in {row}");
    }
    let number = |column: &str| row[column].as_f64().unwrap_or_else(|| panic!("no {column} in {row}"));
    assert!((number("first_push_24h_share") - 4.0 / 6.0).abs() < 1e-9, "{row}");
    assert!((number("first_push_p50_hours") - 3.0).abs() < 1e-9, "{row}");
    assert!(
        number("first_push_24h_low") < 0.66 && number("first_push_24h_high") > 0.67,
        "{row}"
    );
}
