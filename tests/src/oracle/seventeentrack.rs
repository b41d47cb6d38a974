//! 17TRACK, read by the rules of its section in `docs/vendors.md`: providers are the two segments, times as told, sub-statuses.

use std::fmt::Write;

use courierflow_schemas::records::{
    PushEvent, Segment,
    Status::{
        AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
        PickedUp, Returned, Returning, Unknown,
    },
    Vendor,
};
use jiff::civil::DateTime;
use serde_json::Value;

use super::codes::Code;
use super::read::{Item, List, Reading, Route, Snapshot, Word, code_of, is_placeholder, non_blank, text_of};
use super::time::{Time, Written, Zone};
use super::{carriers, masking, time};

/// Sub-statuses, then the stages that stand for them.
pub(super) const CODES: &[Code] = &[
    ("NotFound_Other", Unknown, "NO_TRACE"),
    ("NotFound_InvalidCode", Unknown, "NO_TRACE"),
    ("InfoReceived", InfoReceived, "ORDER_CREATED"),
    ("InTransit_PickedUp", PickedUp, "PICKED_UP"),
    ("InTransit_Other", InTransit, "IN_TRANSIT"),
    ("InTransit_Departure", InTransit, "LEFT_ORIGIN_COUNTRY"),
    ("InTransit_Arrival", InTransit, "ARRIVED_DEST_COUNTRY"),
    ("InTransit_TransportArrived", InTransit, "LINEHAUL"),
    ("InTransit_TransportDeparted", InTransit, "LINEHAUL"),
    ("InTransit_CustomsProcessing", Customs, "IN_PROGRESS"),
    ("InTransit_CustomsReleased", Customs, "CLEARED"),
    ("InTransit_CustomsRequiringInformation", Exception, "CUSTOMS_EXCEPTION"),
    ("Expired_Other", Exception, "NO_UPDATE"),
    ("AvailableForPickup_Other", AvailableForPickup, "LOCKER_OR_STATION"),
    ("OutForDelivery_Other", OutForDelivery, "OUT_FOR_DELIVERY"),
    ("DeliveryFailure_Other", Exception, "DELIVERY_FAILED"),
    ("DeliveryFailure_NoBody", Exception, "RECIPIENT_UNREACHABLE"),
    ("Exception_NoBody", Exception, "RECIPIENT_UNREACHABLE"),
    ("DeliveryFailure_Security", Exception, "SECURITY_OR_FEES"),
    ("Exception_Security", Exception, "SECURITY_OR_FEES"),
    ("DeliveryFailure_Rejected", Exception, "REFUSED"),
    ("Exception_Rejected", Exception, "REFUSED"),
    ("DeliveryFailure_InvalidAddress", Exception, "BAD_ADDRESS"),
    ("Delivered_Other", Delivered, "UNSPECIFIED"),
    ("Exception_Other", Exception, "UNSPECIFIED"),
    ("Exception_Returning", Returning, "RETURNING"),
    ("Exception_Returned", Returned, "RETURN_SIGNED"),
    ("Exception_Damage", Exception, "DAMAGED"),
    ("Exception_Damaged", Exception, "DAMAGED"),
    ("Exception_Delayed", Exception, "DELAYED"),
    ("Exception_Lost", Exception, "LOST"),
    ("Exception_Destroyed", Exception, "DESTROYED"),
    ("Exception_Cancel", Cancelled, "WAYBILL_VOIDED"),
    ("PickedUp", PickedUp, "PICKED_UP"),
    ("Departure", InTransit, "LEFT_ORIGIN_COUNTRY"),
    ("Arrival", InTransit, "ARRIVED_DEST_COUNTRY"),
    ("AvailableForPickup", AvailableForPickup, "LOCKER_OR_STATION"),
    ("OutForDelivery", OutForDelivery, "OUT_FOR_DELIVERY"),
    ("Delivered", Delivered, "UNSPECIFIED"),
    ("Returning", Returning, "RETURNING"),
    ("Returned", Returned, "RETURN_SIGNED"),
];

/// The code that stands for a whole main status: that of an unknown sub-status is what comes before its first `_`.
pub(super) fn of_main_status(code: &str) -> Option<&'static str> {
    match code.split('_').next()? {
        "NotFound" => Some("NotFound_Other"),
        "InfoReceived" => Some("InfoReceived"),
        "InTransit" => Some("InTransit_Other"),
        "Expired" => Some("Expired_Other"),
        "AvailableForPickup" => Some("AvailableForPickup_Other"),
        "OutForDelivery" => Some("OutForDelivery_Other"),
        "DeliveryFailure" => Some("DeliveryFailure_Other"),
        "Delivered" => Some("Delivered_Other"),
        "Exception" => Some("Exception_Other"),
        _ => None,
    }
}

/// 0 is the vendor's number for none.
fn carrier_number(value: &Value) -> Option<String> {
    code_of(value).filter(|number| number != "0")
}

/// Elements that are not objects are skipped. No array, no elements.
fn objects(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter(|element| element.is_object())
}

pub(super) fn read(push: &PushEvent, payload: &Value) -> Reading {
    let data = &payload["data"];
    if !data.is_object() {
        return Reading::Nothing;
    }
    let (word, nothing) = (payload["event"].as_str().map(str::trim), Value::Null);
    let (word, track_info) = match word {
        Some("TRACKING_UPDATED") => (Word::Active, &data["track_info"]),
        Some("TRACKING_STOPPED") => (Word::Stopped, &nothing),
        _ => return Reading::Nothing,
    };
    let registered = carrier_number(&data["carrier"]);

    // The registered carrier's list is the origin's, else the first one; all others are the destination's.
    let providers: Vec<&Value> = objects(&track_info["tracking"]["providers"]).collect();
    let number_of = |provider: &Value| carrier_number(&provider["provider"]["key"]);
    let origin_at = providers
        .iter()
        .position(|provider| registered.is_some() && number_of(provider) == registered)
        .unwrap_or(0);
    let state = code_of(&track_info["latest_status"]["sub_status"]);
    let (mut origin, mut destination) = (List::default(), List::default());
    (origin.state, destination.state) = (state.clone(), state);
    let mut also = format!("{registered:?} {:?}", code_of(&track_info["latest_status"]["status"]));
    let mut order: Vec<usize> = (0..providers.len()).collect();
    order.sort_by_key(|index| *index != origin_at);
    for index in &order {
        let provider = providers[*index];
        let number = number_of(provider);
        let events: Vec<&Value> = objects(&provider["events"]).collect();
        // Writing to a string cannot fail.
        let _ = write!(also, " {number:?} {}", events.len());
        let (segment, list) = if *index == origin_at {
            (Segment::Origin, &mut origin)
        } else {
            (Segment::Destination, &mut destination)
        };
        let zone = number.as_deref().and_then(carriers::zone_of_seventeentrack);
        let items = events.iter().map(|event| item(event, segment, *index, zone));
        // Rule 8.3c.
        list.items
            .extend(items.filter(|item| !is_placeholder(Vendor::SeventeenTrack, item)));
    }

    let sync_times = providers
        .iter()
        .filter_map(|provider| instant(&provider["latest_sync_time"]));
    let last_zone = order
        .last()
        .and_then(|index| number_of(providers[*index]))
        .and_then(|number| carriers::zone_of_seventeentrack(&number));
    let shipping = &track_info["shipping_info"];
    let snapshot = Snapshot {
        vendor: Vendor::SeventeenTrack,
        word,
        update_all: false,
        push_time: sync_times
            .map(|(_, utc)| utc)
            .max()
            .filter(|utc| !(time::is_future(*utc, push.received_at.0))),
        edd: estimate(&track_info["time_metrics"]["estimated_delivery_date"], last_zone),
        route: Route {
            from_name: country(&shipping["shipper_address"]),
            to_name: country(&shipping["recipient_address"]),
            ..Route::default()
        },
        is_loop: false,
        cross_border: false,
        tz_assumed: origin
            .items
            .iter()
            .chain(&destination.items)
            .any(|item| item.time.is_some() && item.zone.is_none()),
        also,
        origin,
        destination,
        reference: None,
        dest_carrier: None,
        dest_number: None,
        corrected_to: None,
    };
    Reading::Parcel {
        carrier: carriers::canonical(Vendor::SeventeenTrack, registered.as_deref().unwrap_or_default()),
        snapshot: Box::new(snapshot),
    }
}

fn item(event: &Value, segment: Segment, list: usize, zone: Option<&str>) -> Item {
    let told = times(event, zone);
    let raw = &event["time_raw"];
    let also = [
        &event["time_iso"],
        &event["time_utc"],
        &raw["date"],
        &raw["time"],
        &event["stage"],
    ];
    Item {
        segment,
        time: told
            .as_ref()
            .map(|(time, _)| *time)
            .filter(|time| time::is_possible(time.local)),
        text: masking::folded(&text_of(&event["description"]).unwrap_or_default()),
        code: code_of(&event["sub_status"]).or_else(|| code_of(&event["stage"])),
        name: None,
        area_code: None,
        area_name: None,
        place: non_blank(&event["location"]).or_else(|| place(&event["address"])),
        zone: told.and_then(|(_, zone)| zone),
        zone_unread: false,
        list,
        also: also.map(|value| format!("{:?}", text_of(value))).join(" "),
        left_out: false,
    }
}

/// The time of an event and the zone that it was told in, `None` where UTC had to be assumed.
fn times(event: &Value, zone: Option<&str>) -> Option<(Time, Option<Zone>)> {
    if let Some((local, east)) = text_of(&event["time_iso"]).and_then(|text| with_offset(&text)) {
        let zone = Zone::Offset(east);
        if let Some(time) = time::placed(Written::Clock(local), &zone) {
            return Some((time, Some(zone)));
        }
    }
    let raw = |field: &str| text_of(&event["time_raw"][field]).map(|text| text.trim().to_owned());
    let (date, told_clock) = (raw("date"), raw("time").filter(|clock| !clock.is_empty()));
    let written = |told: &str| clock(&format!("{} {told}", date.as_deref()?));
    if let Some((local_in_utc, utc)) = instant(&event["time_utc"]) {
        let raw = told_clock.as_deref().and_then(written);
        let local = raw.filter(|raw| time::is_possible(*raw)).unwrap_or(local_in_utc);
        let told = Time {
            local,
            in_zone: local,
            utc,
            is_absolute: true,
        };
        return Some((told, Some(Zone::Offset(0))));
    }
    let local = written(told_clock.as_deref().unwrap_or("00:00:00"))?;
    let zone = zone.map(|name| Zone::Named(name.to_owned()));
    let time = time::placed(Written::Clock(local), zone.as_ref().unwrap_or(&Zone::Offset(0)))?;
    Some((time, zone))
}

/// A time without an offset.
fn clock(text: &str) -> Option<DateTime> {
    match time::parse(text)? {
        Written::Clock(local) => Some(local),
        _ => None,
    }
}

/// `2026-03-12T14:02:00-07:00`: wall clock and seconds east of UTC.
fn with_offset(text: &str) -> Option<(DateTime, i64)> {
    match time::parse(text)? {
        Written::Offset(local, east) => Some((local, east)),
        _ => None,
    }
}

/// A time that is UTC unless it says otherwise: the clock in UTC, and the second.
fn instant(value: &Value) -> Option<(DateTime, i64)> {
    let time = time::placed(time::parse(&text_of(value)?)?, &Zone::Offset(0))?;
    time::is_possible(time.in_zone).then_some((time.in_zone, time.utc))
}

/// `to`, else `from`, unless the vendor guessed it itself.
fn estimate(told: &Value, zone: Option<&str>) -> Option<i64> {
    let source = text_of(&told["source"]).unwrap_or_default();
    if source.to_lowercase().contains("17track") {
        return None;
    }
    let read = |value: &Value| {
        let text = text_of(value)?;
        let (local, zone) = match (with_offset(&text), zone) {
            (Some((local, east)), _) => (local, Zone::Offset(east)),
            (None, zone) => {
                let local = clock(&text).or_else(|| clock(&format!("{} 23:59:59", text.trim())))?;
                (local, zone.map_or(Zone::Offset(0), |name| Zone::Named(name.to_owned())))
            }
        };
        time::placed(Written::Clock(local), &zone).map(|time| time.utc)
    };
    read(&told["to"]).or_else(|| read(&told["from"]))
}

fn country(address: &Value) -> Option<String> {
    let country = text_of(&address["country"])?.trim().to_uppercase();
    (country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_alphabetic())).then_some(country)
}

/// City, state and country; not a country alone.
fn place(address: &Value) -> Option<String> {
    let part = |field: &str| code_of(&address[field]);
    if part("city").is_none() && part("state").is_none() {
        return None;
    }
    let parts: Vec<String> = ["city", "state", "country"].into_iter().filter_map(part).collect();
    Some(parts.join(", "))
}

/// Carrier's number, event word, and the length of all lists.
pub(super) fn push_columns(payload: &Value) -> (String, String, usize) {
    let data = &payload["data"];
    let providers = objects(&data["track_info"]["tracking"]["providers"]);
    let items = providers
        .map(|provider| provider["events"].as_array().map_or(0, Vec::len))
        .sum();
    (
        carrier_number(&data["carrier"]).unwrap_or_default(),
        text_of(&payload["event"]).unwrap_or_default().trim().to_owned(),
        items,
    )
}
