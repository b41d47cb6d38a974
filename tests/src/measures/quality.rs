//! How far the figures can be trusted.

use std::collections::BTreeMap;

use super::figure::{Figure, Row, Rows};
use super::parcel::{Span, china_day};
use crate::oracle::{PushRow, ShipmentRow, TransitionRow};

const FLAGS: [(&str, &str); 10] = [
    ("bad_time", "bad_time_share"),
    ("delivery_revoked", "delivery_revoked_share"),
    ("future_time", "future_time_share"),
    ("lane_inferred", "lane_inferred_share"),
    ("pickup_imputed", "pickup_imputed_share"),
    ("post_terminal_scan", "post_terminal_scan_share"),
    ("return_signed", "return_signed_share"),
    ("route_loop", "route_loop_share"),
    ("tz_assumed", "tz_assumed_share"),
    ("unknown_code", "unknown_code_share"),
];

#[derive(Default)]
struct Day<'a> {
    shipments: Vec<&'a ShipmentRow>,
    pushes: Vec<&'a PushRow>,
    transitions: Vec<&'a TransitionRow>,
    retracted: usize,
}

fn share(part: usize, whole: usize) -> Figure {
    #[allow(clippy::cast_precision_loss, reason = "counts of a test")]
    Figure::close((whole > 0).then(|| part as f64 / whole as f64))
}

fn is_odd(row: &ShipmentRow) -> bool {
    [
        (row.created_at, row.picked_up_at),
        (row.picked_up_at, row.delivered_at),
        (row.picked_up_at, row.first_attempt_at),
        (row.picked_up_at, row.left_origin_at),
        (row.left_origin_at, row.arrived_dest_at),
        (row.arrived_dest_at, row.out_for_delivery_at),
        (row.out_for_delivery_at, row.first_attempt_at),
        (row.available_at, row.delivered_at),
    ]
    .into_iter()
    .any(|(start, end)| Span::between(start, end) == Span::Invalid)
}

/// Rows of `data_quality` by day of receipt, vendor and carrier; `retracted` are the void transitions.
pub fn data_quality(
    shipments: &[ShipmentRow],
    pushes: &[PushRow],
    transitions: &[TransitionRow],
    retracted: &[TransitionRow],
    now: i64,
) -> Rows {
    let first_day = china_day(now).saturating_sub(jiff::Span::new().days(40));
    let mut days: BTreeMap<Vec<String>, Day<'_>> = BTreeMap::new();
    let key = |received_at: i64, vendor: &str, carrier: &str| {
        let day = china_day(received_at.div_euclid(1_000_000));
        (day >= first_day).then(|| vec![day.to_string(), vendor.to_owned(), carrier.to_owned()])
    };
    for row in shipments {
        if let Some(key) = key(row.first_received_at, &row.vendor, &row.carrier) {
            days.entry(key).or_default().shipments.push(row);
        }
    }
    // Answers to queries say nothing about how vendors push.
    for row in pushes.iter().filter(|row| row.origin == "PUSH") {
        if let Some(key) = key(row.received_at, &row.vendor, &row.carrier) {
            days.entry(key).or_default().pushes.push(row);
        }
    }
    for row in transitions {
        if let Some(key) = key(row.received_at, &row.vendor, &row.carrier) {
            days.entry(key).or_default().transitions.push(row);
        }
    }
    for row in retracted {
        if let Some(key) = key(row.received_at, &row.vendor, &row.carrier) {
            days.entry(key).or_default().retracted += 1;
        }
    }
    days.into_iter().map(|(key, day)| (key, columns(&day))).collect()
}

fn columns(day: &Day<'_>) -> Row {
    let shipments = day.shipments.len();
    let count = |is_one: &dyn Fn(&ShipmentRow) -> bool| day.shipments.iter().filter(|row| is_one(row)).count();
    let events = || day.shipments.iter().flat_map(|row| &row.event);
    let late: Vec<_> = day
        .transitions
        .iter()
        .filter(|row| row.received_at > row.first_received_at && row.origin == "PUSH")
        .collect();
    let distinct: std::collections::BTreeSet<_> = day
        .pushes
        .iter()
        .map(|row| (&row.account, &row.push_id, row.part))
        .collect();
    let in_state = |state: &'static str| move |row: &ShipmentRow| row.tracking_state == state;
    let has_lane = |row: &ShipmentRow| {
        [&row.origin_code, &row.dest_code]
            .into_iter()
            .all(|code| code.as_deref().is_some_and(|code| code.starts_with("CN")))
    };
    let mut row = Row::from([
        ("shipments", Figure::exact(shipments)),
        ("events", Figure::exact(events().count())),
        ("pushes", Figure::exact(day.pushes.len())),
        ("transitions", Figure::exact(day.transitions.len())),
        ("lag_transitions", Figure::exact(late.len())),
        (
            "without_events_share",
            share(count(&|row| row.event.is_empty()), shipments),
        ),
        (
            "carrier_corrected_share",
            share(count(&in_state("CARRIER_CORRECTED")), shipments),
        ),
        (
            "aborted_share",
            share(
                count(&in_state("ABORTED_NO_RECORD")) + count(&in_state("ABORTED_STALE")),
                shipments,
            ),
        ),
        ("lane_unknown_share", share(count(&|row| !has_lane(row)), shipments)),
        ("duration_invalid_share", share(count(&is_odd), shipments)),
        (
            "events_without_code_share",
            share(
                events().filter(|event| event.raw_code.is_none()).count(),
                events().count(),
            ),
        ),
        (
            "events_unknown_share",
            share(
                events().filter(|event| event.status == "UNKNOWN").count(),
                events().count(),
            ),
        ),
        (
            "pushes_repeated_share",
            share(day.pushes.len() - distinct.len(), day.pushes.len()),
        ),
        (
            "retracted_share",
            share(day.retracted, day.retracted + day.transitions.len()),
        ),
        // Estimates: only whether there is one.
        (
            "report_lag_p50_hours",
            if late.is_empty() {
                Figure::close(None)
            } else {
                Figure::Any
            },
        ),
        (
            "report_lag_p95_hours",
            if late.is_empty() {
                Figure::close(None)
            } else {
                Figure::Any
            },
        ),
        ("refreshed_at", Figure::Any),
    ]);
    for (flag, column) in FLAGS {
        row.insert(
            column,
            share(count(&|row| row.flags.iter().any(|name| name == flag)), shipments),
        );
    }
    row
}
