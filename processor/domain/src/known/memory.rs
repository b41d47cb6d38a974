//! What is kept in memory of a shipment in order to process its next push: a few hundred bytes, while its record has
//! thousands. Most of a record is texts, which only three rare kinds of push need; for those the record itself is
//! read back.

use courierflow_schemas::records::{
    EpochDay, Origin, Shipment, ShipmentEvent, TimestampMicros, TimestampMillis, TrackingState,
};
use serde::{Deserialize, Serialize};

use crate::known::future::is_future;
use crate::known::told_once;
use crate::life::transition::{self, StatusChange};

/// The header of a shipment's record with its packed memory, so that a restore need not decode the record. If the
/// header is missing, the record is decoded. The number in the name changes with the meaning or the packing of
/// [`Memory`].
pub const HEADER: &str = "courierflow-memory-4";

/// The memory of a shipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Memory {
    /// The life of the number.
    pub epoch: EpochDay,
    /// By how much the version of the last record is ahead of `received_at`: almost always 0.
    pub(crate) version_lead: i64,
    /// Receipt of the first push of the epoch.
    pub first_received_at: TimestampMicros,
    /// Receipt of the last accepted push.
    pub received_at: TimestampMicros,
    /// Whether the last accepted push was VERIFIED.
    pub(crate) is_verified: bool,
    /// How long before `received_at` the vendor pushed last, in microseconds; 0 unless it was asked since, `None` if it never pushed.
    pub(crate) last_push_age: Option<i64>,
    /// The vendor's own time of the last accepted push; answers to queries have none.
    pub push_time: Option<TimestampMillis>,
    /// What the vendor does with its subscription.
    pub tracking_state: TrackingState,
    /// Receipt of the push that corrected the carrier.
    pub(crate) corrected_at: Option<TimestampMicros>,
    /// Whether the vendor has ended its subscription and reported nothing new since (rule 5.2d).
    pub(crate) is_ended: bool,
    /// Whether the epoch is provisional: the day of the first receipt, because there was no event yet (rule 12.2).
    pub(crate) is_provisional: bool,
    /// The provisional epoch that this one replaced.
    pub(crate) retired_epoch: Option<EpochDay>,
    /// Whether the parcel has reached its end.
    pub is_terminal: bool,
    /// First estimated delivery.
    pub edd_first: Option<TimestampMillis>,
    /// Last estimated delivery.
    pub edd_last: Option<TimestampMillis>,
    /// Which fields of the vendor's route the record has: origin code, origin, destination code, destination.
    pub has_route: [bool; 4],
    /// Which fields the record has of those that a push may leave out: reference, carrier abroad, its number, corrected carrier.
    pub(crate) has_told_once: [bool; 4],
    /// Time of the earliest event; `None` if there is no event.
    pub(crate) first_event_at: Option<TimestampMillis>,
    /// Time of the newest event that was not in the future when it was accepted.
    pub last_event_at: Option<TimestampMillis>,
    /// Times of the events that were in the future then, oldest first.
    pub(crate) future_events_at: Vec<TimestampMillis>,
    /// The transitions of the events.
    pub(crate) changes: Vec<RememberedChange>,
    /// Low halves of the ids of the events that made no transition.
    pub(crate) other_events: Vec<[u8; 4]>,
    /// Low halves of the ids of the events that an answer to a query told first, sorted: most parcels have none.
    pub(crate) queried_events: Vec<[u8; 4]>,
    /// The last accepted pushes, oldest first.
    pub(crate) recent_pushes: Vec<RememberedPush>,
}

/// A remembered push, to recognise a repetition of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RememberedPush {
    #[serde(with = "postcard::fixint::le")]
    pub(crate) content_hash: i64,
    /// How long before the last push it was received, in microseconds.
    pub(crate) age: i64,
}

/// A remembered transition, to find out whether it still exists and is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RememberedChange {
    #[serde(with = "postcard::fixint::le")]
    pub(crate) event_id: i64,
    /// Low bits of the event's time in minutes. They suffice, because the same line can have another time only by
    /// another time zone.
    #[serde(with = "postcard::fixint::le")]
    pub(crate) occurred_at: u16,
    /// Hash of the rest of its record.
    #[serde(with = "postcard::fixint::le")]
    pub(crate) content: u32,
}

impl Memory {
    /// The memory of a record.
    pub fn of(shipment: &Shipment) -> Self {
        let changes = transition::changes(&shipment.events);
        Self::with_changes(shipment, changes.iter().map(StatusChange::remembered).collect())
    }

    /// The same, if the transitions of the record's events are already known.
    pub(crate) fn with_changes(shipment: &Shipment, changes: Vec<RememberedChange>) -> Self {
        let mut changes_in_order = changes.iter().peekable();
        let makes_no_change =
            |event: &&ShipmentEvent| changes_in_order.next_if(|change| change.event_id == event.id).is_none();
        let other_events = shipment.events.iter().filter(makes_no_change);
        let by_query = |event: &&ShipmentEvent| event.origin == Origin::Query;
        let mut queried_events: Vec<_> = shipment
            .events
            .iter()
            .filter(by_query)
            .map(|event| mark(event.id))
            .collect();
        queried_events.sort_unstable();
        let (future, past): (Vec<_>, Vec<_>) = shipment.events.iter().partition(|event| event.future);
        Self {
            epoch: shipment.epoch,
            version_lead: shipment.version.saturating_sub(shipment.received_at.0),
            first_received_at: shipment.first_received_at,
            received_at: shipment.received_at,
            is_verified: shipment.is_verified,
            last_push_age: shipment
                .last_push_at
                .map(|last| shipment.received_at.0.saturating_sub(last.0)),
            // The record may be older than the rule that ignores such times.
            push_time: shipment
                .push_time
                .filter(|time| !is_future(*time, shipment.received_at)),
            tracking_state: shipment.tracking_state,
            corrected_at: shipment.corrected_at,
            is_ended: shipment.is_ended,
            is_provisional: shipment.is_provisional || shipment.events.is_empty(),
            retired_epoch: shipment.retired_epoch,
            is_terminal: shipment.status.is_terminal(),
            edd_first: shipment.edd_first,
            edd_last: shipment.edd_last,
            has_route: [
                shipment.route_origin_code.is_some(),
                shipment.route_origin.is_some(),
                shipment.route_dest_code.is_some(),
                shipment.route_dest.is_some(),
            ],
            has_told_once: told_once::in_record(shipment),
            first_event_at: shipment.events.first().map(|event| event.occurred_at),
            last_event_at: past.last().map(|event| event.occurred_at),
            future_events_at: future.iter().map(|event| event.occurred_at).collect(),
            queried_events,
            other_events: other_events.map(|event| mark(event.id)).collect(),
            changes,
            recent_pushes: shipment
                .recent_pushes
                .iter()
                .map(|push| RememberedPush {
                    content_hash: push.content_hash,
                    age: shipment.received_at.0.saturating_sub(push.received_at.0),
                })
                .collect(),
        }
    }

    /// Packed, for [`HEADER`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(self)
    }

    /// Unpacks [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// Whether the vendor has reported any event, even one in the future.
    pub(crate) fn has_events(&self) -> bool {
        self.first_event_at.is_some() || !self.future_events_at.is_empty()
    }

    /// Version of the last record.
    pub fn version(&self) -> i64 {
        self.received_at.0.saturating_add(self.version_lead)
    }

    /// The receipt of a remembered push.
    pub(crate) fn received(&self, push: &RememberedPush) -> TimestampMicros {
        TimestampMicros(self.received_at.0.saturating_sub(push.age))
    }

    /// Receipt of the vendor's last push, if it ever pushed.
    pub(crate) fn last_push_at(&self) -> Option<TimestampMicros> {
        let age = self.last_push_age?;
        Some(TimestampMicros(self.received_at.0.saturating_sub(age)))
    }

    /// Who told a known event first.
    pub(crate) fn origin_of(&self, mark: [u8; 4]) -> Origin {
        if self.queried_events.binary_search(&mark).is_ok() {
            Origin::Query
        } else {
            Origin::Push
        }
    }

    /// Marks of the remembered events, sorted.
    pub(crate) fn event_marks(&self) -> Vec<[u8; 4]> {
        let of_changes = self.changes.iter().map(|change| mark(change.event_id));
        let mut marks: Vec<_> = of_changes.chain(self.other_events.iter().copied()).collect();
        marks.sort_unstable();
        marks
    }
}

/// Half of an event id. It distinguishes the twenty events of a parcel at half the memory; in one push of ten million a
/// new event is taken for a known one.
pub(crate) fn mark(event_id: i64) -> [u8; 4] {
    let [a, b, c, d, ..] = event_id.to_le_bytes();
    [a, b, c, d]
}
