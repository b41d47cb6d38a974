//! Records of the three topics, as inputs of the machine.

use courierflow_domain::subscription::{ParcelEnd, PushWord};
use courierflow_schemas::records::{PushEvent, Shipment, Status, Subscription, TimestampMicros};
use courierflow_vendors::reading;
use courierflow_vendors::snapshot::TrackingWord;

use super::accounts::Accounts;

/// What a push says about its subscription; `None` if it cannot be read. Then derive dead-letters it.
pub(super) fn word(event: &PushEvent, accounts: &Accounts) -> Option<PushWord> {
    let word = reading::push_word(event)?;
    let codes = |code: &str| accounts.codes(event.vendor, code);
    let corrected_to = word
        .new_carrier
        .as_deref()
        .filter(|_| word.tracking == TrackingWord::Corrected);
    Some(PushWord {
        word: word.tracking,
        has_items: word.has_items,
        carrier: word.carrier.as_deref().map(codes),
        corrected_to: corrected_to.map(codes),
    })
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
