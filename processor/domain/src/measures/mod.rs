//! The measures of a parcel's life: milestones, lane, attempts, exceptions, and the flags that say how far to trust
//! them.

pub(crate) mod attempts;
pub(crate) mod exceptions;
pub(crate) mod flags;
pub(crate) mod lane;
pub(crate) mod milestones;

use courierflow_schemas::records::{Milestones, Shipment};

use crate::life::history::History;
use lane::{Lane, Route};
use milestones::Found;

/// All measures.
pub(crate) struct Measures {
    milestones: Milestones,
    pub(crate) lane: Lane,
    attempts: u16,
    exception_codes: Vec<String>,
    exception_reasons: Vec<String>,
}

/// Measures a history. `own_number` is the parcel's number, which masking keeps.
pub(crate) fn take(history: &History<'_>, found: &Found, route: &Route, own_number: &str) -> Measures {
    let past = history.past();
    let lane = lane::find(route, &history.events, &history.area_names, found.delivered, own_number);
    let milestones = Milestones {
        left_origin_at: lane::left_origin_at(past, &lane),
        arrived_dest_at: lane::arrived_dest_at(past, &lane),
        ..found.milestones.clone()
    };
    let until_delivery = found.delivered.and_then(|delivered| past.get(..=delivered));
    let (exception_codes, exception_reasons) = exceptions::lists(past);
    Measures {
        attempts: attempts::count(until_delivery.unwrap_or(past), milestones.first_attempt_at),
        milestones,
        lane,
        exception_codes,
        exception_reasons,
    }
}

impl Measures {
    /// Adds these measures to the shipment.
    pub(crate) fn into_shipment(self, shipment: Shipment) -> Shipment {
        Shipment {
            origin_code: self.lane.origin.code,
            origin: self.lane.origin.name,
            dest_code: self.lane.dest.code,
            dest: self.lane.dest.name,
            milestones: self.milestones,
            attempts: self.attempts,
            exception_codes: self.exception_codes,
            exception_reasons: self.exception_reasons,
            ..shipment
        }
    }
}
