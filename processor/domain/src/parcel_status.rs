//! Status of the parcel as a whole (rule 2): its newest event's; where that says nothing, the vendor's top-level state;
//! else the last event that said something.

use courierflow_schemas::records::{Leg, ShipmentEvent, Status};

use super::evidence;
use super::history::{History, on_leg, settle_refusal};
use courierflow_vendors::snapshot::Snapshot;

/// Status, refinement and the vendor's code behind it.
pub(crate) struct ParcelStatus {
    pub(crate) status: Status,
    pub(crate) sub_status: Option<String>,
    pub(crate) raw_code: Option<String>,
    pub(crate) leg: Leg,
}

impl ParcelStatus {
    /// A parcel without events.
    pub(crate) const UNKNOWN: Self = Self {
        status: Status::Unknown,
        sub_status: None,
        raw_code: None,
        leg: Leg::Forward,
    };

    fn of_event(event: &ShipmentEvent, leg: Leg) -> Self {
        Self {
            status: event.status,
            sub_status: event.sub_status.clone(),
            raw_code: event.raw_code.clone(),
            leg,
        }
    }
}

pub(crate) fn decide(snapshot: &Snapshot<'_>, history: &History<'_>) -> ParcelStatus {
    let Some(newest) = history.events.last() else {
        return ParcelStatus::UNKNOWN;
    };
    if newest.status != Status::Unknown {
        return ParcelStatus::of_event(newest, newest.leg);
    }
    if let Some(status) = of_top_level(snapshot, newest, history.newest_text) {
        return status;
    }
    match history.events.iter().rfind(|event| event.status != Status::Unknown) {
        Some(event) => ParcelStatus::of_event(event, newest.leg),
        None => ParcelStatus {
            leg: newest.leg,
            ..ParcelStatus::UNKNOWN
        },
    }
}

/// The top-level state read as if it were the code of the newest event.
fn of_top_level(snapshot: &Snapshot<'_>, newest: &ShipmentEvent, text: &str) -> Option<ParcelStatus> {
    let code = snapshot.state_of(newest.segment).code.as_deref()?;
    let meaning = evidence::read_code(snapshot.codes, code, text)?;
    let meaning = settle_refusal(meaning, true, snapshot, newest.segment);
    let (meaning, _) = on_leg(meaning, newest.leg);
    (meaning.status != Status::Unknown).then(|| ParcelStatus {
        status: meaning.status,
        sub_status: meaning.sub_status.map(|sub_status| sub_status.as_str().to_owned()),
        raw_code: Some(code.to_owned()),
        leg: newest.leg,
    })
}
