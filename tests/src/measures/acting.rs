//! Parcels that somebody could act on, and the life of one parcel.

use courierflow_schemas::meaning::party_of;
use serde_json::{Value, json};

use super::figure::{Figure, Row, Rows};
use super::parcel::{area, destination, is_cross_border};
use crate::oracle::{ShipmentRow, TransitionRow};

const HOUR: i64 = 3600;

fn is_open(row: &ShipmentRow, now: i64) -> bool {
    !matches!(row.status.as_str(), "DELIVERED" | "RETURNED" | "CANCELLED")
        && !matches!(row.tracking_state.as_str(), "CARRIER_CORRECTED" | "ABORTED_NO_RECORD")
        && row.delivered_at.is_none()
        && row.returned_at.is_none()
        && row.first_received_at >= (now - 101 * 24 * HOUR) * 1_000_000
}

fn key(row: &ShipmentRow) -> Vec<String> {
    vec![
        row.carrier.clone(),
        row.tracking_number.clone(),
        row.vendor.clone(),
        row.epoch.clone(),
    ]
}

/// As ClickHouse prints it.
fn time(seconds: Option<i64>) -> Value {
    json!(seconds.map(|seconds| {
        jiff::Timestamp::from_second(seconds)
            .unwrap_or_default()
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    }))
}

/// Rows of `open_exceptions`; `now` is that of the refresh.
pub fn open_exceptions(rows: &[ShipmentRow], now: i64) -> Rows {
    let open = rows.iter().filter(|row| is_open(row, now) && row.status == "EXCEPTION");
    let shown = open.map(|row| {
        let is_quiet = |status: &str| status == "EXCEPTION" || status == "UNKNOWN";
        let is_refusal = |sub_status: Option<&str>| sub_status == Some("REFUSED");
        let run = row
            .event
            .iter()
            .rev()
            .take_while(|event| is_quiet(&event.status) || is_refusal(event.sub_status.as_deref()))
            .filter(|event| event.status != "UNKNOWN")
            .last();
        let columns = Row::from([
            ("account", Figure::exact(row.account.clone())),
            ("reason", Figure::Exact(json!(row.sub_status))),
            ("raw_code", Figure::Exact(json!(row.raw_code))),
            ("name_zh", Figure::Any),
            ("name_en", Figure::Any),
            ("party", Figure::exact(party_of(row.sub_status.as_deref()).as_str())),
            (
                "exception_since",
                Figure::Exact(time(run.map(|event| event.occurred_at))),
            ),
            ("open_hours", Figure::Any),
            ("last_event_at", Figure::Exact(time(row.last_event_at))),
            (
                "last_location",
                Figure::Exact(json!(row.event.last().and_then(|event| event.location.clone()))),
            ),
            ("origin", Figure::exact(area(row.origin_code.as_deref()))),
            ("dest", Figure::exact(destination(row))),
            ("leg", Figure::exact(row.leg.clone())),
            ("attempts", Figure::exact(row.attempts)),
            ("tracking_state", Figure::exact(row.tracking_state.clone())),
            ("refreshed_at", Figure::Any),
        ]);
        (key(row), columns)
    });
    shown.collect()
}

fn limit_hours(row: &ShipmentRow) -> i64 {
    match row.status.as_str() {
        "AVAILABLE_FOR_PICKUP" => 18,
        "OUT_FOR_DELIVERY" => 36,
        "CUSTOMS" => 5 * 24,
        _ if row.picked_up_at.is_some() && is_cross_border(row) => 10 * 24,
        _ => 48,
    }
}

/// Rows of `stalled_shipments`, of parcels looked at `now` and silent at `asked_at`.
pub fn stalled_shipments(rows: &[ShipmentRow], now: i64, asked_at: i64) -> Rows {
    let silent = |row: &ShipmentRow| {
        row.last_event_at
            .is_some_and(|last_event_at| asked_at - last_event_at > limit_hours(row) * HOUR)
    };
    let stalled = rows.iter().filter(|row| is_open(row, now) && silent(row));
    let shown = stalled.map(|row| {
        #[allow(clippy::cast_precision_loss, reason = "hours")]
        let limit = limit_hours(row) as f64;
        let columns = Row::from([
            ("account", Figure::exact(row.account.clone())),
            ("status", Figure::exact(row.status.clone())),
            ("sub_status", Figure::Exact(json!(row.sub_status))),
            ("last_event_at", Figure::Exact(time(row.last_event_at))),
            ("silent_hours", Figure::Any),
            ("limit_hours", Figure::Close(limit)),
            (
                "last_location",
                Figure::Exact(json!(row.event.last().and_then(|event| event.location.clone()))),
            ),
            ("origin", Figure::exact(area(row.origin_code.as_deref()))),
            ("dest", Figure::exact(destination(row))),
            ("is_cross_border", Figure::exact(is_cross_border(row))),
            ("leg", Figure::exact(row.leg.clone())),
            ("tracking_state", Figure::exact(row.tracking_state.clone())),
            ("refreshed_at", Figure::Any),
        ]);
        (key(row), columns)
    });
    shown.collect()
}

/// Rows of `shipment_timeline` of a tracking number, by carrier, vendor, epoch, time and the states before and after.
pub fn timeline(transitions: &[TransitionRow], tracking_number: &str) -> Rows {
    let of_number = transitions.iter().filter(|row| row.tracking_number == tracking_number);
    let shown = of_number.map(|row| {
        let key = vec![
            row.carrier.clone(),
            row.vendor.clone(),
            row.epoch.clone(),
            time(Some(row.occurred_at)).as_str().unwrap_or_default().to_owned(),
            row.from_status.clone(),
            row.to_status.clone(),
        ];
        #[allow(clippy::cast_precision_loss, reason = "hours")]
        let hours = |seconds: i64| seconds as f64 / 3600.0;
        let columns = Row::from([
            ("tracking_number", Figure::exact(row.tracking_number.clone())),
            (
                "occurred_at_china",
                Figure::Exact(time(Some(row.occurred_at + 8 * HOUR))),
            ),
            ("from_sub_status", Figure::Exact(json!(row.from_sub_status))),
            ("to_sub_status", Figure::Exact(json!(row.to_sub_status))),
            ("leg", Figure::exact(row.leg.clone())),
            ("dwell_hours", Figure::close(row.dwell_seconds.map(hours))),
            ("raw_code", Figure::Exact(json!(row.raw_code))),
            ("is_exception", Figure::exact(row.is_exception)),
            ("party", Figure::Exact(json!(row.party))),
            ("verdict", Figure::exact(row.verdict.clone())),
            ("area_code", Figure::Exact(json!(row.area_code))),
            ("location", Figure::Exact(json!(row.location))),
            ("received_at", Figure::Any),
            (
                "reported_hours",
                Figure::Close(hours(row.received_at.div_euclid(1_000_000) - row.occurred_at)),
            ),
        ]);
        (key, columns)
    });
    shown.collect()
}
