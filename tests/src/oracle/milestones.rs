//! The figures of a shipment, from its events alone: rules 4.6, 6.5, 8.4 and 10.1–10.6.

use courierflow_schemas::records::{Leg, Status};

use super::events::{self, Event};
use super::read::Route;
use super::time::DAY;

/// Times in UTC seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) origin_code: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) dest_code: Option<String>,
    pub(super) dest: Option<String>,
    pub(super) created_at: Option<i64>,
    pub(super) picked_up_at: Option<i64>,
    pub(super) left_origin_at: Option<i64>,
    pub(super) arrived_dest_at: Option<i64>,
    pub(super) out_for_delivery_at: Option<i64>,
    pub(super) first_attempt_at: Option<i64>,
    pub(super) available_at: Option<i64>,
    pub(super) delivered_at: Option<i64>,
    pub(super) returning_at: Option<i64>,
    pub(super) returned_at: Option<i64>,
    pub(super) cancelled_at: Option<i64>,
    pub(super) last_event_at: Option<i64>,
    pub(super) attempts: u16,
    pub(super) exception_codes: Vec<String>,
    pub(super) exception_reasons: Vec<String>,
    pub(super) pickup_imputed: bool,
    pub(super) delivery_revoked: bool,
    pub(super) lane_inferred: bool,
    /// Rule 8.4.
    pub(super) late_scan: bool,
}

/// `route` holds the last non-empty values of the epoch.
pub(super) fn figures(events: &[Event], route: &Route) -> Figures {
    // Rule 4.6 does not name the lane: a future event may still tell where a parcel comes from.
    let first_area = events
        .iter()
        .find(|event| event.leg == Leg::Forward && event.area_code.is_some());
    let sign_off = events::sign_off(events);
    let late_scan = events.iter().any(|event| event.is_late_scan);
    // It excludes future events from everything else on this page.
    let delivered = sign_off.map(|index| &events[index]);
    let events: Vec<&Event> = events.iter().filter(|event| !event.future).collect();
    let forward: Vec<&Event> = events
        .iter()
        .copied()
        .filter(|event| event.leg == Leg::Forward)
        .collect();
    let first_forward = |status: Status| {
        forward
            .iter()
            .find(|event| event.status == status)
            .map(|event| event.occurred_at)
    };
    let first_on_the_way_back = |status: Status| {
        events
            .iter()
            .find(|event| event.leg == Leg::Return && event.status == status)
            .map(|event| event.occurred_at)
    };
    let first_anywhere = |status: Status| {
        events
            .iter()
            .find(|event| event.status == status)
            .map(|event| event.occurred_at)
    };

    let mut figures = Figures {
        // Rule 10.1.
        created_at: first_forward(Status::InfoReceived),
        picked_up_at: first_forward(Status::PickedUp),
        out_for_delivery_at: first_forward(Status::OutForDelivery),
        available_at: first_forward(Status::AvailableForPickup),
        // Rule 6.5.
        returning_at: first_on_the_way_back(Status::Returning),
        returned_at: first_on_the_way_back(Status::Returned),
        cancelled_at: first_anywhere(Status::Cancelled),
        last_event_at: events.last().map(|event| event.occurred_at),
        first_attempt_at: first_attempt(&events),
        ..Figures::default()
    };
    if figures.picked_up_at.is_none() {
        figures.picked_up_at = first_forward(Status::InTransit);
        figures.pickup_imputed = figures.picked_up_at.is_some();
    }

    let sign_off = delivered.and_then(|delivered| forward.iter().position(|event| event.id == delivered.id));
    figures.delivered_at = delivered.map(|event| event.occurred_at);
    figures.delivery_revoked =
        sign_off.is_some_and(|index| forward[..index].iter().any(|event| event.status == Status::Delivered));
    figures.late_scan = late_scan;

    figures.attempts = rounds(&forward);
    if figures.attempts == 0 && figures.first_attempt_at.is_some() {
        figures.attempts = 1;
    }

    // Rule 10.6: all legs.
    for event in events.iter().filter(|event| event.is_exception) {
        push_distinct(&mut figures.exception_codes, event.raw_code.as_deref());
        push_distinct(&mut figures.exception_reasons, event.sub_status);
    }

    lane(&mut figures, &forward, first_area, route, sign_off);
    figures
}

fn push_distinct(list: &mut Vec<String>, value: Option<&str>) {
    if let Some(value) = value
        && !list.iter().any(|known| known == value)
    {
        list.push(value.to_owned());
    }
}

/// Rule 10.3.
fn first_attempt(events: &[&Event]) -> Option<i64> {
    let mut out_for_delivery_seen = false;
    let mut leg_before = Leg::Forward;
    let mut times = Vec::new();
    for event in events {
        let is_forward = event.leg == Leg::Forward;
        let is_hand_over = matches!(event.status, Status::Delivered | Status::AvailableForPickup);
        let is_failure = event.is_exception
            && matches!(
                event.sub_status,
                Some("DELIVERY_FAILED" | "REFUSED" | "RECIPIENT_UNREACHABLE" | "BAD_ADDRESS" | "BAD_PHONE")
            );
        if (is_forward && is_hand_over) || (is_failure && out_for_delivery_seen && leg_before == Leg::Forward) {
            times.push(event.occurred_at);
        }
        out_for_delivery_seen |= is_forward && event.status == Status::OutForDelivery;
        leg_before = event.leg;
    }
    times.into_iter().min()
}

/// Rule 10.4: delivery rounds on the forward leg. A scan behind the delivery opens none (rule 8.4).
fn rounds(forward: &[&Event]) -> u16 {
    let mut rounds = 0;
    let mut opened_at: Option<i64> = None;
    let mut outcome_since = false;
    for event in forward.iter().filter(|event| !event.is_late_scan) {
        match event.status {
            Status::OutForDelivery => {
                let opens = match opened_at {
                    None => true,
                    Some(opened_at) => outcome_since || event.occurred_at - opened_at >= DAY,
                };
                if opens {
                    rounds += 1;
                    opened_at = Some(event.occurred_at);
                    outcome_since = false;
                }
            }
            Status::Exception | Status::AvailableForPickup | Status::Delivered => outcome_since = true,
            _ => {}
        }
    }
    rounds
}

/// Rule 10.5.
fn lane(figures: &mut Figures, forward: &[&Event], first_area: Option<&Event>, route: &Route, sign_off: Option<usize>) {
    let has_area = |event: &&&Event| event.area_code.is_some();

    figures.origin_code.clone_from(&route.from_code);
    figures.origin.clone_from(&route.from_name);
    if route.from_code.is_none()
        && let Some(event) = first_area
    {
        figures.origin_code.clone_from(&event.area_code);
        figures.origin.clone_from(&event.area_name);
        figures.lane_inferred = true;
    }

    figures.dest_code.clone_from(&route.to_code);
    figures.dest.clone_from(&route.to_name);
    if route.to_code.is_none()
        && let Some(sign_off) = sign_off
        && let Some(event) = forward[..=sign_off].iter().rev().find(has_area)
    {
        figures.dest_code.clone_from(&event.area_code);
        figures.dest.clone_from(&event.area_name);
        figures.lane_inferred = true;
    }

    let origin_city = figures.origin_code.as_deref().and_then(city);
    let dest_city = figures.dest_code.as_deref().and_then(city);
    let city_of = |event: &&Event| event.area_code.as_deref().and_then(city);

    if let Some(origin_city) = &origin_city
        && let Some(elsewhere) = forward
            .iter()
            .position(|event| city_of(event).is_some_and(|city| city != *origin_city))
    {
        figures.left_origin_at = forward[..elsewhere]
            .iter()
            .rev()
            .find(|event| city_of(event).as_ref() == Some(origin_city))
            .map(|event| event.occurred_at);
    }

    let travels = origin_city.is_some() && dest_city.is_some() && origin_city != dest_city;
    figures.arrived_dest_at = forward
        .iter()
        .find(|event| event.sub_status == Some("ARRIVED_DEST_CITY") || (travels && city_of(event) == dest_city))
        .map(|event| event.occurred_at);
}

/// Rule 10.5: the city of an area code of CN and 12 digits.
pub(super) fn city(area_code: &str) -> Option<String> {
    if ["CN11", "CN12", "CN31", "CN50"]
        .iter()
        .any(|municipality| area_code.starts_with(municipality))
    {
        return Some(area_code[..4].to_owned());
    }
    (&area_code[4..6] != "00").then(|| area_code[..6].to_owned())
}
