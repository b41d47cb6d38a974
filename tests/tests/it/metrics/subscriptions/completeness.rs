//! What pushes leave out.

use courierflow_tests::measures::{insert_shipments, insert_transitions, shipment_at};
use courierflow_tests::oracle::{EventRow, ShipmentRow, TransitionRow};
use serde_json::json;

use super::{DAY, HOUR, call, china_day, in_china, insert};
use crate::harness::{tables, with_tables};
use crate::metrics::now;

/// An event of a shipment, told first by a push or a query.
fn event(at: i64, origin: &str) -> EventRow {
    EventRow {
        id: at.to_string(),
        occurred_at: at,
        local_time: "2026-01-01 00:00:00".to_owned(),
        status: "IN_TRANSIT".to_owned(),
        sub_status: None,
        raw_code: None,
        segment: "ORIGIN".to_owned(),
        area_code: None,
        location: None,
        context: String::new(),
        origin: origin.to_owned(),
        area: None,
    }
}

/// A change of state by this event that was told so many hours later.
fn told_after(row: &ShipmentRow, event: &EventRow, hours: i64) -> TransitionRow {
    TransitionRow {
        carrier: row.carrier.clone(),
        tracking_number: row.tracking_number.clone(),
        vendor: row.vendor.clone(),
        epoch: row.epoch.clone(),
        occurred_at: event.occurred_at,
        transition_id: event.id.clone(),
        version: row.version,
        first_received_at: row.first_received_at,
        received_at: (event.occurred_at + hours * HOUR) * 1_000_000,
        from_status: "PICKED_UP".to_owned(),
        from_sub_status: None,
        to_status: event.status.clone(),
        to_sub_status: None,
        raw_code: None,
        leg: "FORWARD".to_owned(),
        dwell_seconds: None,
        verdict: "EXPECTED".to_owned(),
        is_exception: false,
        party: None,
        area_code: None,
        location: None,
        origin: event.origin.clone(),
    }
}

#[test]
fn completeness_counts_what_only_an_audit_told() {
    let stack = with_tables("metrics-completeness");
    let audit_day = china_day(now() - 2 * DAY);
    let audit_at = in_china(audit_day, 12, 0);
    let begin = audit_at - 3 * DAY;
    let parcel = |number: &str, events: Vec<EventRow>| {
        let mut row = shipment_at("yto", number, begin);
        row.event = events;
        row
    };
    let (early, late) = (begin + DAY, begin + 2 * DAY);
    let whole = parcel("WHOLE", vec![event(early, "PUSH"), event(late, "PUSH")]);
    let parcels = vec![
        // Told by the query within 6 h of the event: the push may have been on its way.
        parcel(
            "JUST-NOW",
            vec![event(early, "PUSH"), event(audit_at - 6 * HOUR + 1, "QUERY")],
        ),
        parcel(
            "MISSED",
            vec![event(early, "PUSH"), event(audit_at - 6 * HOUR, "QUERY")],
        ),
        // Audited on two days: what the first one brought counts once.
        parcel("TWICE", vec![event(early, "QUERY"), event(audit_at + 1, "PUSH")]),
        // Audited on two days: what was young when the first one told it is missed by neither.
        parcel("YOUNG", vec![event(early, "PUSH"), event(audit_at - 2 * HOUR, "QUERY")]),
        // Asked about because it looked wrong: proves nothing.
        parcel("STALLED", vec![event(early, "QUERY")]),
        whole.clone(),
    ];
    tables::execute(&stack, &insert_shipments("courier", &parcels));
    let changes = [
        told_after(&whole, &whole.event[0], 2),
        told_after(&whole, &whole.event[1], 4),
        told_after(&parcels[1], &parcels[1].event[1], 6),
    ];
    tables::execute(&stack, &insert_transitions("courier", &changes, &[]));
    let audit = json!({"kind": "QUERY", "reason": "AUDIT"});
    let mut calls: Vec<_> = ["JUST-NOW", "MISSED", "TWICE", "WHOLE", "YOUNG"]
        .map(|number| call(number, audit_at, &audit))
        .into();
    calls.push(call("TWICE", audit_at + DAY, &audit));
    calls.push(call("YOUNG", audit_at + DAY, &audit));
    calls.push(call(
        "STALLED",
        audit_at,
        &json!({"kind": "QUERY", "reason": "STALLED"}),
    ));
    calls.push(call(
        "UNKNOWN",
        audit_at,
        &json!({"kind": "QUERY", "reason": "AUDIT", "class": "NO_RESULT"}),
    ));
    insert(&stack, "vendor_call", &calls);

    let columns = "toString(query_date) AS day, audited, with_missed, with_missed_share, events, missed, pushed_changes, \
                   pushed_p50_hours";
    let rows = tables::rows(&stack, &format!("SELECT {columns} FROM courier.push_completeness"));
    assert_eq!(
        rows,
        [
            json!({"day": audit_day.to_string(), "audited": 5, "with_missed": 2, "with_missed_share": 0.4,
                   "events": 7, "missed": 2, "pushed_changes": 2, "pushed_p50_hours": 4}),
            json!({"day": audit_day.tomorrow().unwrap().to_string(), "audited": 2, "with_missed": 0, "with_missed_share": 0,
                   "events": 1, "missed": 0, "pushed_changes": 0, "pushed_p50_hours": null}),
        ]
    );
}
