//! What must be at hand of a shipment to judge and place its next push: a few hundred bytes, where its record has
//! thousands. Most of a record are texts that only three rare pushes ask for, and those read the record itself back.

use courierflow_schemas::records::{
    EpochDay, RecentPush, Shipment, ShipmentEvent, TimestampMicros, TimestampMillis, TrackingState,
};
use serde::{Deserialize, Serialize};

use super::transition::{self, Step};

/// What is remembered of a shipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Life of the number.
    pub epoch: EpochDay,
    /// Of the last record.
    pub version: i64,
    /// Of the first push of the epoch.
    pub first_received_at: TimestampMicros,
    /// Of the last accepted push.
    pub received_at: TimestampMicros,
    /// The vendor's own time of the last accepted push.
    pub push_time: Option<TimestampMillis>,
    /// What the vendor does.
    pub tracking_state: TrackingState,
    /// The parcel has reached its end.
    pub is_terminal: bool,
    /// First estimated delivery.
    pub edd_first: Option<TimestampMillis>,
    /// Last estimated delivery.
    pub edd_last: Option<TimestampMillis>,
    /// Fields of the vendor's route that the record has: origin code, origin, destination code, destination.
    pub has_route: [bool; 4],
    /// Time of the newest event; `None` when there is no event.
    pub last_event_at: Option<TimestampMillis>,
    /// Low halves of the ids of all events.
    #[serde(with = "fixed_u32s")]
    pub(super) event_marks: Vec<u32>,
    /// The transitions of the events.
    pub(super) steps: Vec<RememberedStep>,
    /// Oldest first.
    pub(super) recent_pushes: Vec<RememberedPush>,
}

/// A push of which a repetition can be recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RememberedPush {
    #[serde(with = "postcard::fixint::le")]
    pub(super) content_hash: i64,
    pub(super) received_at: TimestampMicros,
}

/// A transition of which can be told whether it is still there, and whether it still says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RememberedStep {
    #[serde(with = "postcard::fixint::le")]
    pub(super) event_id: i64,
    /// Of the event, in seconds, the low half: a change of zone moves it by hours.
    #[serde(with = "postcard::fixint::le")]
    pub(super) occurred_at: u32,
    /// Hash of what else its record says.
    #[serde(with = "postcard::fixint::le")]
    pub(super) content: u32,
}

impl Memory {
    /// What is remembered of a record.
    pub fn of(shipment: &Shipment) -> Self {
        let steps = transition::steps(&shipment.events);
        Self::with_steps(shipment, steps.iter().map(Step::remembered).collect())
    }

    /// The same, where the transitions of the record's events are known.
    pub(super) fn with_steps(shipment: &Shipment, steps: Vec<RememberedStep>) -> Self {
        Self {
            epoch: shipment.epoch,
            version: shipment.version,
            first_received_at: shipment.first_received_at,
            received_at: shipment.received_at,
            push_time: shipment.push_time,
            tracking_state: shipment.tracking_state,
            is_terminal: shipment.status.is_terminal(),
            edd_first: shipment.edd_first,
            edd_last: shipment.edd_last,
            has_route: [
                shipment.route_origin_code.is_some(),
                shipment.route_origin.is_some(),
                shipment.route_dest_code.is_some(),
                shipment.route_dest.is_some(),
            ],
            last_event_at: shipment.events.last().map(|event| event.occurred_at),
            event_marks: shipment.events.iter().map(mark).collect(),
            steps,
            recent_pushes: shipment.recent_pushes.iter().map(RememberedPush::of).collect(),
        }
    }

    /// How many of the remembered events `events` do not have any more.
    pub(super) fn count_vanished(&self, events: &[ShipmentEvent]) -> usize {
        let mut marks: Vec<u32> = events.iter().map(mark).collect();
        marks.sort_unstable();
        let is_gone = |mark: &&u32| marks.binary_search(mark).is_err();
        self.event_marks.iter().filter(is_gone).count()
    }
}

impl RememberedPush {
    fn of(push: &RecentPush) -> Self {
        Self {
            content_hash: push.content_hash,
            received_at: push.received_at,
        }
    }
}

/// Half an id tells twenty events of one parcel apart; the count that is made of it is a metric.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low half")]
fn mark(event: &ShipmentEvent) -> u32 {
    event.id as u32
}

/// Hashes do not get shorter as varints.
mod fixed_u32s {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<[u8; 4]> = values.iter().map(|value| value.to_le_bytes()).collect();
        bytes.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let bytes = Vec::<[u8; 4]>::deserialize(deserializer)?;
        Ok(bytes.into_iter().map(u32::from_le_bytes).collect())
    }
}
