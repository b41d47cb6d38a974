//! How ordinary a change of status is (rule 15). Evaluated on statuses after the leg was taken into account.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp,
    Returned, Returning, Unknown,
};
use courierflow_schemas::records::Verdict::{self, Anomaly, Expected, Tolerated};
use courierflow_schemas::records::{ShipmentEvent, Status};

/// A return so long after the sign-off is no return of this delivery.
const RETURN_AFTER_DELIVERY_SECONDS: i64 = 30 * 86_400;

/// What stands around a change of status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// Seconds spent in the status before; none at the first.
    pub(crate) dwell_seconds: Option<i64>,
    /// An event of status EXCEPTION came earlier in the history.
    pub(crate) after_exception: bool,
}

/// First match wins; a pair that is not named is tolerated.
#[allow(
    clippy::match_same_arms,
    reason = "one block for each status before, as the rule lists them"
)]
pub(crate) fn judge(from: Status, to: &ShipmentEvent, circumstances: Circumstances) -> Verdict {
    let sub_status = to.sub_status.as_deref();
    if from == Unknown {
        return Expected;
    }
    if to.return_signed {
        return Anomaly;
    }
    if from == to.status {
        return match from {
            Exception | AvailableForPickup => Tolerated,
            _ => Expected,
        };
    }
    match (from, to.status) {
        (InfoReceived, PickedUp | Cancelled) => Expected,
        (InfoReceived, Delivered) => Anomaly,

        // The carrier's cities are not compared: a parcel within one city needs no transit, and others skip scans.
        (PickedUp, InTransit | Customs | OutForDelivery | Cancelled) => Expected,
        (PickedUp, InfoReceived) => Anomaly,

        (InTransit | Customs, InTransit | Customs | OutForDelivery | Exception) => Expected,
        (InTransit | Customs, Cancelled) => Anomaly,

        (OutForDelivery, Delivered | AvailableForPickup | Exception) => Expected,
        (OutForDelivery, InTransit) if !circumstances.after_exception => Anomaly,

        (AvailableForPickup, Delivered | Returning) => Expected,
        (AvailableForPickup, Exception) if sub_status == Some(SubStatus::PickupOverdue.as_str()) => Expected,
        (AvailableForPickup, OutForDelivery) if sub_status == Some(SubStatus::RetrievedFromLocker.as_str()) => Expected,
        (AvailableForPickup, InTransit) => Anomaly,

        (Exception, Delivered) if sub_status == Some(SubStatus::AfterException.as_str()) => Expected,
        (Exception, Cancelled) => Expected,
        (Exception, to) if !to.is_terminal() => Expected,

        (Returning, Returned | Exception) => Expected,

        (Delivered, Returned) => Tolerated,
        (Delivered, Returning)
            if circumstances
                .dwell_seconds
                .is_some_and(|dwell| dwell <= RETURN_AFTER_DELIVERY_SECONDS) =>
        {
            Tolerated
        }
        (Delivered | Returned, _) => Anomaly,

        (Cancelled, PickedUp) => Tolerated,
        (Cancelled, _) => Anomaly,

        _ => Tolerated,
    }
}
