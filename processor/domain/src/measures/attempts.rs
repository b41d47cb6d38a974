//! Delivery rounds and the first attempt (rules 10.3 and 10.4).

use courierflow_schemas::meaning::is_failed_attempt;
use courierflow_schemas::records::Status::{AvailableForPickup, Delivered, Exception, OutForDelivery};
use courierflow_schemas::records::{Leg, ShipmentEvent, TimestampMillis};

/// A further scan within this time after the beginning of a round belongs to the same round; a later one begins
/// another.
const NEXT_ROUND_AFTER_MILLIS: i64 = 24 * 3_600_000;

/// Number of delivery rounds on the forward leg; one if there was an attempt without a round. `past` ends with the
/// delivery, because later events do not begin a round (rule 8.4).
pub(crate) fn count(past: &[ShipmentEvent], first_attempt_at: Option<TimestampMillis>) -> u16 {
    let mut rounds: u16 = 0;
    let mut round_opened_at = None;
    let mut round_was_closed = false;
    for event in past.iter().filter(|event| event.leg == Leg::Forward) {
        match event.status {
            OutForDelivery => {
                let opens_round = round_opened_at.is_none_or(|opened_at: TimestampMillis| {
                    round_was_closed || event.occurred_at.0.saturating_sub(opened_at.0) >= NEXT_ROUND_AFTER_MILLIS
                });
                if opens_round {
                    rounds = rounds.saturating_add(1);
                    round_opened_at = Some(event.occurred_at);
                    round_was_closed = false;
                }
            }
            Exception | AvailableForPickup | Delivered => round_was_closed = true,
            _ => {}
        }
    }
    if rounds == 0 && first_attempt_at.is_some() {
        1
    } else {
        rounds
    }
}

/// Time of the first delivery, hand-over to a locker or station, or failed attempt after the parcel went out.
pub(crate) fn first_at(past: &[ShipmentEvent]) -> Option<TimestampMillis> {
    let mut leg_before = Leg::Forward;
    let mut was_out = false;
    for event in past {
        let is_forward = event.leg == Leg::Forward;
        let reached = is_forward && matches!(event.status, Delivered | AvailableForPickup);
        // The leg before the event, because a refusal that is coded as a return changes the leg itself.
        let failed = was_out
            && leg_before == Leg::Forward
            && event.is_exception
            && is_failed_attempt(event.sub_status.as_deref());
        if reached || failed {
            return Some(event.occurred_at);
        }
        was_out |= is_forward && event.status == OutForDelivery;
        leg_before = event.leg;
    }
    None
}
