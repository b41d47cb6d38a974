//! Records of the three topics, as inputs of the machine.

use courierflow_domain::subscription::{ParcelEnd, PushWord};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Shipment, Status, Subscription, TimestampMicros};
use courierflow_vendors::reading;

/// What a push says about its subscription; `None` if it cannot be read. Then derive dead-letters it.
pub(super) fn word(event: &PushEvent, carriers: &Carriers) -> Option<PushWord> {
    let word = reading::push_word(event)?;
    Some(PushWord::of(event.vendor, &word, carriers))
}

/// Whether a shipment is that of a subscription: under its carrier, if that is known.
pub(super) fn is_of(shipment: &Shipment, subscription: &Subscription) -> bool {
    shipment.vendor.as_str() == subscription.vendor
        && (subscription.vendor_carrier.is_empty() || shipment.carrier == subscription.carrier)
}

/// The end of a parcel, if it has come to it.
pub(super) fn end(shipment: &Shipment) -> Option<ParcelEnd> {
    let milestones = &shipment.milestones;
    let since = match shipment.status {
        Status::Delivered => milestones.delivered_at,
        Status::Returned => milestones.returned_at,
        Status::Cancelled => milestones.cancelled_at,
        _ => return None,
    };
    let since = since.map(|millis| TimestampMicros(millis.0.saturating_mul(1_000)));
    Some(ParcelEnd {
        status: shipment.status,
        since: since.unwrap_or(shipment.received_at),
    })
}
