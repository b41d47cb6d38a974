//! Snapshots as 17TRACK tells them: the carrier that a parcel is registered with and, once it has crossed a border, the one
//! that delivers it.

use serde_json::{Value, json};

use super::carriers;
use super::schedule::Reason;
use super::steps::sub_status;
use crate::simulator::clock::{Seconds, at_offset, offset_in};
use crate::simulator::snapshot::Snapshot;
use crate::simulator::steps::Step;
use crate::simulator::world::{Happening, Place};

/// The body of a push.
pub(in crate::simulator) fn body(snapshot: &Snapshot<'_>, reason: Reason) -> String {
    let parcel = snapshot.parcel;
    let head = |event: &str| {
        json!({"event": event, "data": {
            "number": parcel.tracking_number, "carrier": carriers::number(parcel.carrier.code), "param": null, "tag": null,
        }})
    };
    match reason {
        Reason::Stopped => head("TRACKING_STOPPED").to_string(),
        Reason::Updated => {
            let mut push = head("TRACKING_UPDATED");
            if let Some(data) = push.get_mut("data").and_then(Value::as_object_mut) {
                data.insert("track_info".to_owned(), track_info(snapshot));
            }
            push.to_string()
        }
    }
}

fn track_info(snapshot: &Snapshot<'_>) -> Value {
    let parcel = snapshot.parcel;
    let abroad = parcel.destination.as_ref().filter(|_| !snapshot.abroad.is_empty());
    let here: Vec<&Happening> = snapshot.happenings.iter().map(AsRef::as_ref).collect();
    let mut providers = vec![provider(
        carriers::number(parcel.carrier.code),
        "CN",
        snapshot.taken_at - 60,
        &list(&here, |index, step| {
            let leaves = index + 1 == here.len() && step == Step::LeftHub && parcel.destination.is_some();
            leaves.then_some("InTransit_Departure")
        }),
    )];
    if let Some(carrier) = abroad {
        providers.push(provider(
            carriers::number(carrier.code),
            carrier.country,
            snapshot.taken_at,
            &list(&snapshot.abroad, |index, _| (index == 0).then_some("InTransit_Arrival")),
        ));
    }
    let newest = providers.last().and_then(|provider| provider.pointer("/events/0"));
    let sub_status = newest.and_then(|event| event.get("sub_status")).and_then(Value::as_str);
    let sub_status = sub_status.unwrap_or("NotFound_Other").to_owned();
    let status = sub_status.split('_').next().unwrap_or_default().to_owned();
    let country = parcel.destination.as_ref().map_or("CN", |carrier| carrier.country);
    json!({
        "shipping_info": {
            "shipper_address": {"country": "CN", "state": null, "city": null, "street": null, "postal_code": null},
            "recipient_address": {"country": country, "state": null, "city": null, "street": null, "postal_code": null},
        },
        "latest_status": {"status": status, "sub_status": sub_status, "sub_status_descr": null},
        "latest_event": newest.cloned(),
        "time_metrics": {"estimated_delivery_date": {"source": null, "from": null, "to": null}},
        "milestone": [],
        "misc_info": {"risk_factor": 0, "local_key": abroad.map_or(0, |carrier| carriers::number(carrier.code))},
        "tracking": {"providers_hash": 1, "providers": providers},
    })
}

fn provider(key: u32, country: &str, asked_at: Seconds, events: &[Value]) -> Value {
    json!({
        "provider": {"key": key, "name": "", "alias": "", "tel": null, "homepage": null, "country": country},
        "provider_lang": null,
        "service_type": null,
        "latest_sync_status": "Success",
        "latest_sync_time": utc(asked_at),
        "events_hash": 1,
        "events": events,
    })
}

/// Newest first. `instead` may give the event at an index another sub-status than its step has.
fn list(happenings: &[&Happening], instead: impl Fn(usize, Step) -> Option<&'static str>) -> Vec<Value> {
    let told = happenings.iter().enumerate().map(|(index, happening)| {
        let own = sub_status(happening.step);
        event(happening, instead(index, happening.step).unwrap_or(own))
    });
    told.rev().collect()
}

fn event(happening: &Happening, sub_status: &str) -> Value {
    let (zone, location) = match &happening.place {
        Place::China(city, _, site) => ("Asia/Shanghai", format!("{} {site}", city.short())),
        Place::Abroad(town, zone) => (*zone, (*town).to_owned()),
    };
    let offset = offset_in(zone, happening.at);
    let local = at_offset(happening.at, offset);
    let (sign, minutes) = (
        if offset.seconds() < 0 { '-' } else { '+' },
        offset.seconds().abs() / 60,
    );
    let mut event = json!({
        "time_iso": format!("{}{sign}{:02}:{:02}", local.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60),
        "time_utc": utc(happening.at),
        "time_raw": {
            "date": local.strftime("%Y-%m-%d").to_string(), "time": local.strftime("%H:%M:%S").to_string(),
            "timezone": null,
        },
        "description": happening.text,
        "description_translation": {"lang": null, "description": null},
        "location": location,
        "stage": stage(sub_status),
        "sub_status": sub_status,
        "address": null,
    });
    // What the carrier's system got wrong, the vendor cannot put into its own forms.
    if let (Some(written), Some(event)) = (happening.written_time, event.as_object_mut()) {
        event.insert("time_iso".to_owned(), Value::Null);
        event.insert("time_utc".to_owned(), Value::Null);
        event.insert(
            "time_raw".to_owned(),
            json!({"date": written, "time": null, "timezone": null}),
        );
    }
    event
}

/// The milestone that a sub-status reaches, if it is one.
fn stage(sub_status: &str) -> Option<&'static str> {
    Some(match sub_status {
        "InfoReceived" => "InfoReceived",
        "InTransit_PickedUp" => "PickedUp",
        "InTransit_Departure" => "Departure",
        "InTransit_Arrival" => "Arrival",
        "AvailableForPickup_Other" => "AvailableForPickup",
        "OutForDelivery_Other" => "OutForDelivery",
        "Delivered_Other" => "Delivered",
        "Exception_Returning" => "Returning",
        "Exception_Returned" => "Returned",
        _ => return None,
    })
}

fn utc(at: Seconds) -> String {
    let text = at_offset(at, jiff::tz::Offset::UTC).strftime("%Y-%m-%dT%H:%M:%SZ");
    text.to_string()
}
