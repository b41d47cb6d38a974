//! Origin and destination of a parcel, and when it left the one city and reached the other (rule 10.5).

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::{Leg, Shipment, ShipmentEvent, TimestampMillis};

#[cfg(doc)]
use crate::known::memory::Memory;
use crate::masking::mask_remembered;
use courierflow_vendors::snapshot::RouteEnd;

/// Municipalities: province and city are the same.
pub const MUNICIPALITIES: &[&str] = &["CN11", "CN12", "CN31", "CN50"];

/// Sub-status of the carriers' own report that the destination city is reached.
const ARRIVED_DEST_CITY: &str = SubStatus::ArrivedDestCity.as_str();

/// Code and name of an area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) code: Option<String>,
    pub(crate) name: Option<String>,
}

impl Area {
    fn of(event: &ShipmentEvent, name: Option<&str>, own_number: &str) -> Self {
        Self {
            code: event.area_code.clone(),
            name: name.map(|name| mask_remembered(name, Some(own_number))),
        }
    }
}

/// The vendor's route in this epoch: for each field the last value that was not empty.
pub(crate) struct Route {
    pub(crate) origin: Area,
    pub(crate) dest: Area,
}

impl Route {
    /// True if the last record has a field that the push lacks; `has` is in the order of [`Memory::has_route`].
    pub(crate) fn needs_record(has: [bool; 4], from: &RouteEnd<'_>, to: &RouteEnd<'_>) -> bool {
        let told = [&from.code, &from.name, &to.code, &to.name].map(Option::is_some);
        has.into_iter().zip(told).any(|(has, told)| has && !told)
    }

    /// `own_number` is the parcel's number, which masking keeps.
    pub(crate) fn after(before: Option<&Shipment>, from: &RouteEnd<'_>, to: &RouteEnd<'_>, own_number: &str) -> Self {
        let masked = |value: &str| mask_remembered(value, Some(own_number));
        let known = |value: Option<&str>, before: Option<&String>| value.map(masked).or_else(|| before.cloned());
        let before = |field: fn(&Shipment) -> &Option<String>| before.and_then(|shipment| field(shipment).as_ref());
        Self {
            origin: Area {
                code: known(from.code.as_deref(), before(|shipment| &shipment.route_origin_code)),
                name: known(from.name.as_deref(), before(|shipment| &shipment.route_origin)),
            },
            dest: Area {
                code: known(to.code.as_deref(), before(|shipment| &shipment.route_dest_code)),
                name: known(to.name.as_deref(), before(|shipment| &shipment.route_dest)),
            },
        }
    }
}

/// Origin and destination of a parcel.
pub(crate) struct Lane {
    pub(crate) origin: Area,
    pub(crate) dest: Area,
    /// Whether at least one of them was taken from events, because the vendor's route never gave it.
    pub(crate) inferred: bool,
}

/// `delivered` is the position of the event that sets `delivered_at`; `area_names` has one name per event. `own_number` is
/// the parcel's number, which masking keeps.
pub(crate) fn find(
    route: &Route,
    events: &[ShipmentEvent],
    area_names: &[Option<&str>],
    delivered: Option<usize>,
    own_number: &str,
) -> Lane {
    let mut forward_areas = events
        .iter()
        .zip(area_names.iter().copied())
        .enumerate()
        .filter(|(_, (event, _))| event.leg == Leg::Forward && event.area_code.is_some());
    let first_area = || {
        forward_areas
            .clone()
            .next()
            .map(|(_, (event, name))| Area::of(event, name, own_number))
    };
    let origin = if route.origin.code.is_some() {
        None
    } else {
        first_area()
    };
    let dest = match delivered {
        Some(delivered) if route.dest.code.is_none() => forward_areas
            .rfind(|(position, _)| *position <= delivered)
            .map(|(_, (event, name))| Area::of(event, name, own_number)),
        _ => None,
    };
    Lane {
        inferred: origin.is_some() || dest.is_some(),
        origin: origin.unwrap_or_else(|| route.origin.clone()),
        dest: dest.unwrap_or_else(|| route.dest.clone()),
    }
}

/// Time of the last event in the origin city before the first forward event in another one.
pub(crate) fn left_origin_at(past: &[ShipmentEvent], lane: &Lane) -> Option<TimestampMillis> {
    let origin = city_of(lane.origin.code.as_deref()?)?;
    let elsewhere = past
        .iter()
        .position(|event| event.leg == Leg::Forward && city_of_event(event).is_some_and(|city| city != origin))?;
    past.iter()
        .take(elsewhere)
        .rfind(|event| city_of_event(event) == Some(origin))
        .map(|event| event.occurred_at)
}

/// Time of the first forward event in the destination city, or of the carrier's own report of it. If both ends are in the
/// same city, only the report counts.
pub(crate) fn arrived_dest_at(past: &[ShipmentEvent], lane: &Lane) -> Option<TimestampMillis> {
    let origin = lane.origin.code.as_deref().and_then(city_of);
    let dest = lane.dest.code.as_deref().and_then(city_of);
    let other_city = dest.filter(|dest| origin.is_some_and(|origin| origin != *dest));
    past.iter()
        .find(|event| {
            event.leg == Leg::Forward
                && (event.sub_status.as_deref() == Some(ARRIVED_DEST_CITY)
                    || other_city.is_some() && city_of_event(event) == other_city)
        })
        .map(|event| event.occurred_at)
}

fn city_of_event(event: &ShipmentEvent) -> Option<&str> {
    event.area_code.as_deref().and_then(city_of)
}

/// The city of an area code (with its `CN`): its first six characters; `None` for a whole province.
fn city_of(area_code: &str) -> Option<&str> {
    if let Some(province) = prefix(area_code, 4)
        && MUNICIPALITIES.contains(&province)
    {
        return Some(province);
    }
    prefix(area_code, 6).filter(|city| !city.ends_with("00"))
}

fn prefix(text: &str, letters: usize) -> Option<&str> {
    let mut ends = text.char_indices().map(|(start, _)| start).chain([text.len()]);
    text.get(..ends.nth(letters)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_10_5_cities() {
        for (code, city) in [
            ("CN440306025000", Some("CN4403")),
            ("CN440300000000", Some("CN4403")),
            ("CN440000000000", None),
            ("CN310000000000", Some("CN31")),
            ("CN310115000000", Some("CN31")),
            ("CN110000000000", Some("CN11")),
            ("CN12", Some("CN12")),
            ("CN500000000000", Some("CN50")),
            ("CN4403", Some("CN4403")),
            ("CN440", None),
            ("CN44", None),
            ("", None),
            ("上海市浦东新区", Some("上海市浦东新")),
        ] {
            assert_eq!(city_of(code), city, "{code}");
        }
    }
}
