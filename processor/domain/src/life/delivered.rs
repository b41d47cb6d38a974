//! Delivered stays delivered (rule 8.4): scans that were uploaded after the sign-off, and codes that come only from the
//! vendor's clock, do not change the status of a delivered parcel.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    AvailableForPickup, Customs, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp, Returned, Returning,
};
use courierflow_schemas::records::{Leg, ShipmentEvent};

/// Clears the exception mark of clock codes among the events after the delivery. True if rule 8.4 ignores any of these
/// events.
pub(crate) fn settle(behind: &mut [ShipmentEvent]) -> bool {
    let mut passed_over = false;
    for event in behind.iter_mut().filter(|event| event.leg == Leg::Forward) {
        if is_clock_code(event) {
            event.is_exception = false;
            passed_over = true;
        }
        passed_over |= is_scan(event);
    }
    passed_over
}

/// True if an event after the delivery does not change the status: by rule 8.4, or because it is a return that only a
/// text mentions and that did not change the leg (rule 8.1).
pub(crate) fn is_passed_over(behind: &ShipmentEvent) -> bool {
    let untrue_return = matches!(behind.status, Returning | Returned);
    behind.leg == Leg::Forward && (is_scan(behind) || is_clock_code(behind) || untrue_return)
}

fn is_scan(event: &ShipmentEvent) -> bool {
    matches!(
        event.status,
        InfoReceived | PickedUp | InTransit | Customs | OutForDelivery | AvailableForPickup
    )
}

/// Exceptions that nobody observed: they only say that too much time has passed.
fn is_clock_code(event: &ShipmentEvent) -> bool {
    const CLOCK_CODES: [SubStatus; 3] = [
        SubStatus::DeliveryOverdue,
        SubStatus::NoUpdate,
        SubStatus::PickupOverdue,
    ];
    let sub_status = event.sub_status.as_deref();
    event.status == Exception && CLOCK_CODES.iter().any(|code| sub_status == Some(code.as_str()))
}
