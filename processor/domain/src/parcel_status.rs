//! Status of the parcel as a whole (rule 2): that of its last event that says something.

use courierflow_schemas::records::{Leg, ShipmentEvent, Status};

/// Status, refinement and the vendor's code behind it.
#[derive(Debug)]
pub(crate) struct ParcelStatus {
    pub(crate) status: Status,
    pub(crate) sub_status: Option<String>,
    pub(crate) raw_code: Option<String>,
    pub(crate) leg: Leg,
}

/// Decides it; `events` oldest first.
pub(crate) fn decide(events: &[ShipmentEvent]) -> ParcelStatus {
    let leg = events.last().map_or(Leg::Forward, |newest| newest.leg);
    match events.iter().rfind(|event| event.status != Status::Unknown) {
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
