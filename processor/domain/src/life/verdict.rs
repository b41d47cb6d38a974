//! The verdict on a change of status (rule 9.5). It looks at statuses after the leg was taken into account.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp,
    Returned, Returning, Unknown,
};
use courierflow_schemas::records::Verdict::{self, Anomaly, Expected, Tolerated};
use courierflow_schemas::records::{ShipmentEvent, Status};

/// A return this long after the sign-off does not belong to this delivery.
const RETURN_AFTER_DELIVERY_SECONDS: i64 = 30 * 86_400;

/// The context of a change of status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// Seconds spent in the previous status; `None` for the first.
    pub(crate) dwell_seconds: Option<i64>,
    /// Whether there is an earlier event of status EXCEPTION.
    pub(crate) after_exception: bool,
}

/// The first match wins; pairs that are not listed are tolerated.
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

        // Cities are not compared: a parcel within one city needs no transit, and other parcels may lack scans.
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
