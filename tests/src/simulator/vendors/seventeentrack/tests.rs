use std::collections::BTreeSet;

use courierflow_schemas::records::Vendor;
use serde_json::Value;

use super::sign;
use crate::simulator::push::SimulatedPush;
use crate::simulator::vendors::reading::{Told, missing, pushes};

/// Reads a push back.
pub(super) fn read(push: &SimulatedPush) -> Told {
    let text = String::from_utf8(push.body.clone()).unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    let presented = push.headers.iter().find(|(name, _)| *name == "sign");
    let signatures = presented.map(|(_, presented)| (presented.clone(), sign(&text, "17track-demo-key-0001")));
    let mut times = Vec::new();
    for event in events(&body) {
        let raw = |field: &str| event["time_raw"][field].as_str().unwrap_or_default().to_owned();
        times.push(format!("{} {}", raw("date"), raw("time")));
    }
    Told {
        signatures,
        parcels: vec![times],
        crosses_border: providers(&body).len() > 1,
        gives_up: body["event"] == "TRACKING_STOPPED",
        body,
    }
}

fn providers(body: &Value) -> &[Value] {
    let providers = &body["data"]["track_info"]["tracking"]["providers"];
    providers.as_array().map_or(&[], Vec::as_slice)
}

fn events(body: &Value) -> impl Iterator<Item = &Value> {
    providers(body)
        .iter()
        .flat_map(|provider| provider["events"].as_array().unwrap())
}

#[test]
fn every_event_and_provider_occurs() {
    let mut seen = BTreeSet::new();
    for (_, told) in pushes(Vendor::SeventeenTrack) {
        seen.insert(told.body["event"].as_str().unwrap().to_owned());
        seen.insert(format!("{} providers", providers(&told.body).len()));
        for event in events(&told.body) {
            seen.insert(event["sub_status"].as_str().unwrap().to_owned());
        }
    }
    let expected = "TRACKING_UPDATED, TRACKING_STOPPED, 1 providers, 2 providers, InTransit_Departure, \
                    InTransit_Arrival, Delivered_Other";
    assert_eq!(missing(expected, &seen), Vec::<&str>::new());
}
