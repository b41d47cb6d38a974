//! Records of the three topics, as inputs of the machine.

use courierflow_domain::subscription::{ParcelEnd, PushWord};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{
    PushEvent, Reason, Shipment, Status, Subscription, SubscriptionState, TimestampMicros,
};
use courierflow_vendors::protocol;
use courierflow_vendors::reading::{self, Reading};
use rdkafka::Message;
use rdkafka::message::Headers;

const DAY_MICROS: i64 = 86_400_000_000;
/// The header of a copy of a push that the group had read where it lay before: `migrate --grow` wrote it again for derive.
pub(crate) const READ_BEFORE: &str = "courierflow-read-by-subscribe";

pub(super) fn was_read_before(message: &impl Message) -> bool {
    let mut headers = message.headers().into_iter().flat_map(Headers::iter);
    headers.any(|header| header.key == READ_BEFORE)
}

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

/// Whether the answer to a query shows that a parcel moves which the vendor gave up because nothing had changed for days. When it gave
/// up, all that it knew was older than that; what is a good deal younger is news. `None` if nobody waits for such an answer.
pub(super) fn brings_news(event: &PushEvent, subscription: &Subscription, carriers: &Carriers) -> Option<bool> {
    let is_awaited = (subscription.state, subscription.reason) == (SubscriptionState::Fallback, Some(Reason::Stale));
    let ended_at = subscription
        .ended_at
        .filter(|_| is_awaited && event.received_at >= subscription.since)?;
    let without_change = i64::from(protocol(event.vendor).stale_days()?).saturating_mul(DAY_MICROS);
    let Ok(Reading::Snapshot(snapshot)) = reading::read(event, carriers) else {
        return None;
    };
    let newest = snapshot.items.iter().map(|item| item.occurred_at.0).max()?;
    // Half of it, because the vendor counts from when it had looked.
    Some(newest.saturating_mul(1_000) > ended_at.0.saturating_sub(without_change / 2))
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
    use courierflow_schemas::records::{Origin, PushId, Signature, Vendor};

    use courierflow_schemas::topics::{ALL, PUSH};

    use super::*;
    use crate::subscribe::state::tests::held;

    #[test]
    fn a_push_from_before_the_request_is_not_of_its_subscription() {
        let mut subscription = held("YT0000000000001", SubscriptionState::Active, None).subscription;
        subscription.requested_at = TimestampMicros(1_000);
        for (received_at, expected) in [(999, true), (1_000, false), (1_001, false)] {
            let event = event(received_at, Origin::Push, "{}");
            assert_eq!(is_before(&event, &subscription), expected, "{received_at}");
        }
    }

    fn event(received_at: i64, origin: Origin, payload: &str) -> PushEvent {
        PushEvent {
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
            payload: payload.to_owned(),
            origin,
            query_reason: None,
            reference: None,
        }
    }

    #[test]
    fn an_answer_brings_news_if_a_parcel_moves_that_did_not_for_sixty_days() {
        // 2026-11-29 00:00 in China.
        const ENDED_AT: i64 = 1_795_881_600_000_000;
        let mut subscription = held("YT0000000000001", SubscriptionState::Fallback, None).subscription;
        subscription.reason = Some(Reason::Stale);
        subscription.since = TimestampMicros(ENDED_AT);
        subscription.ended_at = Some(TimestampMicros(ENDED_AT));
        let answer = |day: &str, received_at| {
            let payload = format!(
                r#"{{"message":"ok","state":"0","status":"200","com":"yuantong","nu":"YT0000000000001","data":[
                    {{"time":"{day} 10:00:00","ftime":"{day} 10:00:00","context":"快件在途","statusCode":"0"}}]}}"#
            );
            event(received_at, Origin::Query, &payload)
        };
        let judged =
            |answer: &PushEvent, subscription: &Subscription| brings_news(answer, subscription, Carriers::built_in());
        for (day, expected) in [("2026-09-25", false), ("2026-11-27", true), ("2026-11-29", true)] {
            assert_eq!(
                judged(&answer(day, ENDED_AT + 1), &subscription),
                Some(expected),
                "{day}"
            );
        }
        let fresh = answer("2026-11-29", ENDED_AT + 1);
        assert_eq!(
            judged(&answer("2026-11-29", ENDED_AT - 1), &subscription),
            None,
            "asked before"
        );
        for (state, reason) in [
            (SubscriptionState::Active, None),
            (SubscriptionState::Fallback, Some(Reason::NoRecord)),
        ] {
            let other = Subscription {
                state,
                reason,
                ..subscription.clone()
            };
            assert_eq!(judged(&fresh, &other), None, "{state}");
        }
    }

    #[test]
    fn the_header_of_copies_is_told_to_readers() {
        let push = ALL.into_iter().find(|topic| topic.name == PUSH).unwrap();
        assert!(push.headers.iter().any(|header| header.name == READ_BEFORE));
    }
}
