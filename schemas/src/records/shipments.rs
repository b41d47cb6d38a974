//! The record of `courier.shipment.v1`: the whole current state of a parcel.

use serde::{Deserialize, Serialize};

use super::names::closed_set;
use super::{EpochDay, Leg, Origin, PushId, Status, TimestampMicros, TimestampMillis, Vendor};

closed_set! {
    /// What the vendor does with its subscription; never a parcel status.
    TrackingState {
        /// Still tracked.
        Active = "ACTIVE",
        /// The vendor ended it, usually after the sign-off.
        Ended = "ENDED",
        /// Given up: the number was not found.
        AbortedNoRecord = "ABORTED_NO_RECORD",
        /// Given up: nothing changed for a long time.
        AbortedStale = "ABORTED_STALE",
        /// Continues under another carrier; excluded from all metrics.
        CarrierCorrected = "CARRIER_CORRECTED",
        /// One that a newer program knows. No program writes it.
        Other = "OTHER",
    }
}

closed_set! {
    /// Which carrier's list an event comes from. One that only a newer program knows is read as the origin, which is everything else.
    Segment {
        /// The origin country's carrier, and everything domestic.
        Origin = "ORIGIN",
        /// The destination country's carrier.
        Destination = "DESTINATION",
    }
}

/// The whole current state of a parcel as reported by one vendor. Topic `courier.shipment.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/shipment.avsc")]
pub struct Shipment {
    pub vendor: Vendor,
    pub account: String,
    pub carrier: String,
    pub tracking_number: String,
    pub epoch: EpochDay,
    pub version: i64,
    pub first_received_at: TimestampMicros,
    pub received_at: TimestampMicros,
    pub push_id: PushId,
    #[serde(default)]
    pub push_time: Option<TimestampMillis>,
    pub status: Status,
    #[serde(default)]
    pub sub_status: Option<String>,
    #[serde(default)]
    pub raw_code: Option<String>,
    pub leg: Leg,
    pub tracking_state: TrackingState,
    #[serde(default)]
    pub origin_code: Option<String>,
    #[serde(default)]
    pub origin: Option<String>,
    #[serde(default)]
    pub dest_code: Option<String>,
    #[serde(default)]
    pub dest: Option<String>,
    pub milestones: Milestones,
    #[serde(default)]
    pub attempts: u16,
    #[serde(default)]
    pub exception_codes: Vec<String>,
    #[serde(default)]
    pub exception_reasons: Vec<String>,
    #[serde(default)]
    pub edd_first: Option<TimestampMillis>,
    #[serde(default)]
    pub edd_last: Option<TimestampMillis>,
    #[serde(default)]
    pub flags: Vec<String>,
    #[serde(default)]
    pub route_origin_code: Option<String>,
    #[serde(default)]
    pub route_origin: Option<String>,
    #[serde(default)]
    pub route_dest_code: Option<String>,
    #[serde(default)]
    pub route_dest: Option<String>,
    #[serde(default)]
    pub is_verified: bool,
    #[serde(default)]
    pub is_provisional: bool,
    #[serde(default)]
    pub retired_epoch: Option<EpochDay>,
    #[serde(default)]
    pub is_ended: bool,
    #[serde(default)]
    pub corrected_at: Option<TimestampMicros>,
    #[serde(default)]
    pub events: Vec<ShipmentEvent>,
    #[serde(default)]
    pub recent_pushes: Vec<RecentPush>,
    #[serde(default)]
    pub last_push_at: Option<TimestampMicros>,
    #[serde(default)]
    pub reference: Option<String>,
    #[serde(default)]
    pub dest_carrier: Option<String>,
    #[serde(default)]
    pub dest_number: Option<String>,
    #[serde(default)]
    pub corrected_to: Option<String>,
}

/// The identity of a shipment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The reporting vendor.
    pub vendor: Vendor,
    /// Canonical carrier code.
    pub carrier: String,
    /// The number as printed by the carrier.
    pub tracking_number: String,
    /// The life of the number.
    pub epoch: EpochDay,
}

impl Identity {
    /// The identity of a shipment without events.
    pub fn of(vendor: Vendor, carrier: &str, tracking_number: &str) -> Self {
        Self {
            vendor,
            carrier: carrier.to_owned(),
            tracking_number: tracking_number.to_owned(),
            epoch: EpochDay::default(),
        }
    }
}

impl Shipment {
    /// A shipment of which only the identity is known: no push, no event.
    pub fn bare(identity: Identity) -> Self {
        Self {
            vendor: identity.vendor,
            account: String::new(),
            carrier: identity.carrier,
            tracking_number: identity.tracking_number,
            epoch: identity.epoch,
            version: 0,
            first_received_at: TimestampMicros::default(),
            received_at: TimestampMicros::default(),
            push_id: PushId::default(),
            push_time: None,
            status: Status::Unknown,
            sub_status: None,
            raw_code: None,
            leg: Leg::Forward,
            tracking_state: TrackingState::Active,
            origin_code: None,
            origin: None,
            dest_code: None,
            dest: None,
            milestones: Milestones::default(),
            attempts: 0,
            exception_codes: Vec::new(),
            exception_reasons: Vec::new(),
            edd_first: None,
            edd_last: None,
            flags: Vec::new(),
            route_origin_code: None,
            route_origin: None,
            route_dest_code: None,
            route_dest: None,
            is_verified: false,
            is_provisional: false,
            retired_epoch: None,
            is_ended: false,
            corrected_at: None,
            events: Vec::new(),
            recent_pushes: Vec::new(),
            last_push_at: None,
            reference: None,
            dest_carrier: None,
            dest_number: None,
            corrected_to: None,
        }
    }
}

/// Milestones: first times of the events that metrics are based on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/shipment.avsc")]
pub struct Milestones {
    #[serde(default)]
    pub created_at: Option<TimestampMillis>,
    #[serde(default)]
    pub picked_up_at: Option<TimestampMillis>,
    #[serde(default)]
    pub left_origin_at: Option<TimestampMillis>,
    #[serde(default)]
    pub arrived_dest_at: Option<TimestampMillis>,
    #[serde(default)]
    pub out_for_delivery_at: Option<TimestampMillis>,
    #[serde(default)]
    pub first_attempt_at: Option<TimestampMillis>,
    #[serde(default)]
    pub available_at: Option<TimestampMillis>,
    #[serde(default)]
    pub delivered_at: Option<TimestampMillis>,
    #[serde(default)]
    pub returning_at: Option<TimestampMillis>,
    #[serde(default)]
    pub returned_at: Option<TimestampMillis>,
    #[serde(default)]
    pub cancelled_at: Option<TimestampMillis>,
    #[serde(default)]
    pub last_event_at: Option<TimestampMillis>,
}

/// One event of a shipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/shipment.avsc")]
pub struct ShipmentEvent {
    pub id: i64,
    pub segment: Segment,
    pub occurred_at: TimestampMillis,
    pub local_time: String,
    pub status: Status,
    #[serde(default)]
    pub sub_status: Option<String>,
    pub leg: Leg,
    #[serde(default)]
    pub raw_code: Option<String>,
    pub is_exception: bool,
    #[serde(default)]
    pub return_signed: bool,
    #[serde(default)]
    pub future: bool,
    #[serde(default)]
    pub area_code: Option<String>,
    #[serde(default)]
    pub location: Option<String>,
    #[serde(default)]
    pub context: String,
    #[serde(default)]
    pub origin: Origin,
    #[serde(default)]
    pub area: Option<String>,
}

/// An accepted push, to recognise duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/shipment.avsc")]
pub struct RecentPush {
    pub content_hash: i64,
    pub received_at: TimestampMicros,
}
