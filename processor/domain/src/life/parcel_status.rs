//! Status of the whole parcel (rule 8.2): that of its last event that has one.

use courierflow_schemas::records::{Leg, ShipmentEvent, Status};

use crate::life::delivered;

/// Status, refinement and the vendor's code behind it.
#[derive(Debug)]
pub(crate) struct ParcelStatus {
    pub(crate) status: Status,
    pub(crate) sub_status: Option<String>,
    pub(crate) raw_code: Option<String>,
    pub(crate) leg: Leg,
}

/// Decides the status. `events` are oldest first, `delivered` is the position of the one that sets `delivered_at`.
pub(crate) fn decide(events: &[ShipmentEvent], delivered: Option<usize>) -> ParcelStatus {
    let leg = events.last().map_or(Leg::Forward, |newest| newest.leg);
    let mut newest_first = events.iter().enumerate().rev();
    let telling = newest_first.find(|(position, event)| {
        let is_behind = delivered.is_some_and(|delivered| *position > delivered);
        event.status != Status::Unknown && !(is_behind && delivered::is_passed_over(event))
    });
    match telling.map(|(_, event)| event) {
        Some(event) => ParcelStatus {
            status: event.status,
            sub_status: event.sub_status.clone(),
            raw_code: event.raw_code.clone(),
            leg,
        },
        None => ParcelStatus {
            status: Status::Unknown,
            sub_status: None,
            raw_code: None,
            leg,
        },
    }
}
