//! What has become of a parcel, as a column of `shipment`.

use std::collections::BTreeMap;

use courierflow_tests::measures::{self, insert_shipments};
use courierflow_tests::oracle::ShipmentRow;
use serde_json::json;

use super::now;
use crate::harness::{tables, with_tables};

fn expected(row: &ShipmentRow) -> &'static str {
    if row.tracking_state == "CARRIER_CORRECTED" {
        return "CORRECTED";
    }
    match (row.status.as_str(), row.delivered_at, row.returned_at) {
        ("CANCELLED", ..) => "CANCELLED",
        (_, Some(_), _) => "DELIVERED",
        (_, None, Some(_)) => "SENT_BACK",
        (_, None, None) => "OPEN",
    }
}

#[test]
fn what_has_become_of_a_parcel_is_a_column_that_agrees_with_the_metrics() {
    let stack = with_tables("metrics-outcome");
    let rows = measures::shipments(5, 600, now());
    tables::execute(&*stack, &insert_shipments("courier", &rows));
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &rows {
        *counted.entry(expected(row)).or_default() += 1;
    }
    assert_eq!(counted.len(), 5, "all of them are here: {counted:?}");
    let found = tables::rows(
        &*stack,
        "SELECT outcome, is_open, count() AS parcels FROM courier.shipment FINAL GROUP BY ALL ORDER BY outcome",
    );
    let told: Vec<_> = counted
        .iter()
        .map(|(outcome, parcels)| json!({ "outcome": outcome, "is_open": *outcome == "OPEN", "parcels": parcels }))
        .collect();
    assert_eq!(found, told);
    let differing = tables::rows(
        &*stack,
        "SELECT shipment.outcome AS outcome, parcel.is_delivered, parcel.is_sent_back, parcel.is_open
         FROM courier.shipment AS shipment FINAL
         INNER JOIN courier.parcel AS parcel USING (vendor, carrier, tracking_number, epoch)
         WHERE outcome != multiIf(parcel.is_delivered, 'DELIVERED', parcel.is_sent_back, 'SENT_BACK', parcel.is_open, 'OPEN', 'CANCELLED')",
    );
    assert!(differing.is_empty(), "{differing:?}");
}
