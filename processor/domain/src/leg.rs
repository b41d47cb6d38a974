//! The direction of travel along a history (rule 14): back from the first return on, and never forward again.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::{Leg, Status};

use super::evidence::Meaning;

/// The leg of every event, oldest first.
pub(crate) fn legs(meanings: impl Iterator<Item = Meaning>) -> Vec<Leg> {
    let legs = meanings.scan(Leg::Forward, |leg, meaning| {
        *leg = after(*leg, meaning.status);
        Some(*leg)
    });
    legs.collect()
}

/// The leg of an event of this status, where the event before it has the leg `before`.
pub(crate) fn after(before: Leg, status: Status) -> Leg {
    match status {
        Status::Returning | Status::Returned => Leg::Return,
        _ => before,
    }
}

/// On the way back a signature is the sender's. True if the meaning was changed.
pub(crate) fn on_leg(meaning: Meaning, leg: Leg) -> (Meaning, bool) {
    if leg == Leg::Return && meaning.status == Status::Delivered {
        return (
            Meaning {
                status: Status::Returned,
                sub_status: Some(SubStatus::ReturnSigned),
                ..meaning
            },
            true,
        );
    }
    (meaning, false)
}
