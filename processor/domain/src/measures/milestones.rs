//! Milestones: first times of the events that metrics are based on (rules 10.1–10.3). The two that need places are
//! added by [`crate::measures::lane`].

use courierflow_schemas::records::Status::{
    self, AvailableForPickup, Cancelled, Delivered, InTransit, InfoReceived, OutForDelivery, PickedUp, Returned,
    Returning,
};
use courierflow_schemas::records::{Leg, Milestones, ShipmentEvent, TimestampMillis};

use crate::measures::attempts;

/// Milestones, and the facts about them that flags need.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) milestones: Milestones,
    /// Position of the event that sets `delivered_at`.
    pub(crate) delivered: Option<usize>,
    pub(crate) pickup_imputed: bool,
    pub(crate) delivery_revoked: bool,
}

pub(crate) fn find(past: &[ShipmentEvent]) -> Found {
    let picked_up_at = first_forward(past, PickedUp);
    // Many carriers have no scan before the first hub.
    let imputed_pickup = if picked_up_at.is_none() {
        first_forward(past, InTransit)
    } else {
        None
    };
    let delivery = find_delivery(past);
    Found {
        milestones: Milestones {
            created_at: first_forward(past, InfoReceived),
            picked_up_at: picked_up_at.or(imputed_pickup),
            left_origin_at: None,
            arrived_dest_at: None,
            out_for_delivery_at: first_forward(past, OutForDelivery),
            first_attempt_at: attempts::first_at(past),
            available_at: first_forward(past, AvailableForPickup),
            delivered_at: delivery
                .position
                .and_then(|position| past.get(position))
                .map(|event| event.occurred_at),
            returning_at: first_on(Some(Leg::Return), past, Returning),
            returned_at: first_on(Some(Leg::Return), past, Returned),
            cancelled_at: first_on(None, past, Cancelled),
            last_event_at: past.last().map(|event| event.occurred_at),
        },
        delivered: delivery.position,
        pickup_imputed: imputed_pickup.is_some(),
        delivery_revoked: delivery.revoked,
    }
}

fn first_forward(past: &[ShipmentEvent], status: Status) -> Option<TimestampMillis> {
    first_on(Some(Leg::Forward), past, status)
}

/// Time of the first event of a status, on the given leg or on any.
fn first_on(leg: Option<Leg>, past: &[ShipmentEvent], status: Status) -> Option<TimestampMillis> {
    past.iter()
        .find(|event| event.status == status && leg.is_none_or(|leg| event.leg == leg))
        .map(|event| event.occurred_at)
}

struct Delivery {
    position: Option<usize>,
    revoked: bool,
}

/// Rule 10.2: a sign-off is void if the parcel went out again and was then delivered; the first one that is not void
/// counts.
fn find_delivery(past: &[ShipmentEvent]) -> Delivery {
    let is = |event: &ShipmentEvent, status| event.leg == Leg::Forward && event.status == status;
    let Some(last) = past.iter().rposition(|event| is(event, Delivered)) else {
        return Delivery {
            position: None,
            revoked: false,
        };
    };
    // Sign-offs before the last round that led to a sign-off are void.
    let last_round = past.iter().take(last).rposition(|event| is(event, OutForDelivery));
    let valid_from = last_round.unwrap_or(0);
    let position = past
        .iter()
        .enumerate()
        .skip(valid_from)
        .find(|(_, event)| is(event, Delivered));
    Delivery {
        position: position.map(|(position, _)| position),
        revoked: past.iter().take(valid_from).any(|event| is(event, Delivered)),
    }
}
