//! The leg of each event of a history (rule 8.1): return from the first return on, and never forward again.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{AvailableForPickup, Delivered, OutForDelivery, Returned, Returning};
use courierflow_schemas::records::{Leg, Status};

use crate::meaning::evidence::Meaning;

/// The leg of every event, oldest first. A return that only a text mentions must be confirmed by later events (rule
/// 6.5), because "退回网点" and the like are also written about parcels that are delivered the next day.
pub(crate) fn legs(meanings: impl DoubleEndedIterator<Item = Meaning>) -> Vec<Leg> {
    let mut turns = Vec::new();
    let mut returns_later = false;
    let mut goes_on_later = false;
    for meaning in meanings.rev() {
        let is_return = is_return(meaning.status);
        turns.push(is_return && (!meaning.by_text || returns_later || !goes_on_later));
        returns_later |= is_return;
        goes_on_later |= matches!(meaning.status, OutForDelivery | AvailableForPickup | Delivered);
    }
    let legs = turns.into_iter().rev().scan(Leg::Forward, |leg, turns| {
        if turns {
            *leg = Leg::Return;
        }
        Some(*leg)
    });
    legs.collect()
}

fn is_return(status: Status) -> bool {
    matches!(status, Returning | Returned)
}

/// On the return leg a signature is the sender's. True if the meaning was changed.
pub(crate) fn on_leg(meaning: Meaning, leg: Leg) -> (Meaning, bool) {
    if leg == Leg::Return && meaning.status == Delivered {
        return (
            Meaning {
                status: Returned,
                sub_status: Some(SubStatus::ReturnSigned),
                ..meaning
            },
            true,
        );
    }
    (meaning, false)
}
