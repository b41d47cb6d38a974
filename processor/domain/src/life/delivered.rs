//! Delivered stays delivered (rule 64): scans that are uploaded after the sign-off, and codes that only the vendor's clock
//! made, do not change the status of a delivered parcel.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    AvailableForPickup, Customs, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp, Returned, Returning,
};
use courierflow_schemas::records::{Leg, ShipmentEvent};

/// Takes the blame out of clock codes among the events behind the delivery. True if there are events behind it that rule
/// 64 passes over.
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

/// True if an event says nothing about the status of a parcel that was delivered before it: rule 64, and a return that a
/// text alone tells and that did not turn the parcel round (rule 14).
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

/// Exceptions that no one saw: too much time went by.
fn is_clock_code(event: &ShipmentEvent) -> bool {
    const CLOCK_CODES: [SubStatus; 3] = [
        SubStatus::DeliveryOverdue,
        SubStatus::NoUpdate,
        SubStatus::PickupOverdue,
    ];
    let sub_status = event.sub_status.as_deref();
    event.status == Exception && CLOCK_CODES.iter().any(|code| sub_status == Some(code.as_str()))
}
