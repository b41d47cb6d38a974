//! An account that anybody can push to is flooded.

use courierflow_schemas::records::{PushEvent, Signature};
use courierflow_schemas::topics::PUSH;
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::json;

use crate::harness::{metric, migrated, post, processor, ready, readyz, topics, wait_until_derived};

/// Push events of the account that derive has counted, by outcome or by error class.
fn counted(derive: &Service, outcome: &str, reason: &str) -> f64 {
    let labels = format!(r#"vendor="kuaidi100",account="open",outcome="{outcome}",reason="{reason}""#);
    metric(
        derive,
        &format!("courierflow_derive_account_push_events_total{{{labels}}}"),
    )
    .unwrap()
}

/// A push of a megabyte and a half in which every line is a change.
fn of_many_lines(number: &str) -> String {
    let line = |line: u32| {
        let time = format!("2026-06-01 {:02}:{:02}:{:02}", line / 3_600, line / 60 % 60, line % 60);
        json!({"ftime": time, "context": "", "statusCode": if line.is_multiple_of(2) { "0" } else { "5" }})
    };
    let lines: Vec<_> = (0..24_735).rev().map(line).collect();
    json!({"status": "polling", "lastResult": {"nu": number, "com": "c".repeat(128), "state": "0", "data": lines}})
        .to_string()
}

/// What no push of a vendor is, of many parcels, on one partition.
fn produce_unreadable(stack: &dyn Stack, event: &PushEvent, partition: i32, parcels: u32) {
    let unreadable = |number: u32| {
        let event = PushEvent {
            account: "open".to_owned(),
            signature: Signature::Unsigned,
            tracking_number: format!("UNREADABLE{number}"),
            payload: "快递".to_owned(),
            ..event.clone()
        };
        let value = topics::encoded(stack, &event);
        (event.tracking_number, value)
    };
    let records: Vec<_> = (0..parcels).map(unreadable).collect();
    let records = records
        .iter()
        .map(|(number, value)| (number.as_str(), Some(value.as_slice())));
    topics::produce_all(stack, PUSH, partition, records);
}

#[test]
fn an_unsigned_account_that_floods_stops_nobody_and_is_seen() {
    let stack = migrated("flood");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let derive = ready(&processor("derive", &stack), "derive", &stack);
    post::one_picked_up(&ingest.url(), "BEFORE1");
    let long = "N".repeat(128);
    let path = "/v1/push/kuaidi100/open";
    let answer = post::post(&ingest.url(), path, "application/json", of_many_lines(&long).as_bytes());
    assert_eq!(answer.unwrap().status, 200);
    let event = topics::pushes_of(&stack, "BEFORE1").remove(0);
    for partition in 0..2 {
        produce_unreadable(&stack, &event, partition, 150);
    }
    let behind: Vec<_> = (0..20).map(|number| format!("BEHIND{number}")).collect();
    for number in &behind {
        post::one_picked_up(&ingest.url(), number);
    }
    wait_until_derived(&stack);

    assert_eq!(readyz(&derive).unwrap()["ready"], true);
    for number in &behind {
        assert_eq!(topics::shipments_of(&stack, number).len(), 1, "{number}");
    }
    let shipment = topics::shipments_of(&stack, &long).remove(0);
    assert_eq!(shipment.events.len(), 5_000);
    assert!(
        shipment.flags.iter().any(|flag| flag == "truncated"),
        "{:?}",
        shipment.flags
    );
    assert!(metric(&derive, "courierflow_derive_left_out_events_total").unwrap() > 19_000.0);

    // Who it was.
    assert!((counted(&derive, "dead_lettered", "payload_not_json") - 300.0).abs() < 0.5);
    assert!((counted(&derive, "accepted", "") - 1.0).abs() < 0.5);
}
