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

/// Whether a push came before anybody asked for the subscription: what it tells is of an earlier one, or of somebody else's. A group that
/// is new reads everything that still lies on the topic.
pub(super) fn is_before(event: &PushEvent, subscription: &Subscription) -> bool {
    event.received_at < subscription.requested_at
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

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{Origin, PushId, Signature, SubscriptionState, Vendor};

    use super::*;
    use crate::subscribe::state::tests::held;

    #[test]
    fn a_push_from_before_the_request_is_not_of_its_subscription() {
        let mut subscription = held("YT0000000000001", SubscriptionState::Active, None).subscription;
        subscription.requested_at = TimestampMicros(1_000);
        for (received_at, expected) in [(999, true), (1_000, false), (1_001, false)] {
            let event = PushEvent {
                push_id: PushId::default(),
                part: 0,
                parts: 1,
                vendor: Vendor::Kuaidi100,
                account: "demo".to_owned(),
                received_at: TimestampMicros(received_at),
                signature: Signature::Verified,
                vendor_carrier: "yuantong".to_owned(),
                tracking_number: "YT0000000000001".to_owned(),
                request_type: None,
                query: String::new(),
                content_type: String::new(),
                push_time: None,
                business_id: None,
                payload: "{}".to_owned(),
                origin: Origin::Push,
                query_reason: None,
            };
            assert_eq!(is_before(&event, &subscription), expected, "{received_at}");
        }
    }
}
