//! The typed records of the three topics. Field by field they match `avro/*.avsc`, where units, zones and meanings are
//! documented for every consumer; the tests of this crate prove the match.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z (Avro `timestamp-micros`): times that we set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimestampMicros(pub i64);

/// Milliseconds since 1970-01-01T00:00:00Z (Avro `timestamp-millis`): times that a vendor reported, always whole
/// seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimestampMillis(pub i64);

/// Days since 1970-01-01 (Avro `date`): identifies an epoch of a tracking number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochDay(pub i32);

/// XXH3-128 of vendor, account and raw body of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushId(#[serde(with = "apache_avro::serde::fixed")] pub [u8; 16]);

/// The vendor that sent a push. It is a string in Avro, so that a further vendor does not change the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// 快递100
    Kuaidi100,
    /// 快递鸟
    Kdniao,
    /// 17TRACK
    SeventeenTrack,
}

impl Vendor {
    /// Every vendor, in the order of the documents.
    pub const ALL: [Self; 3] = [Self::Kuaidi100, Self::Kdniao, Self::SeventeenTrack];

    /// The name used in URLs, records and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kuaidi100 => "kuaidi100",
            Self::Kdniao => "kdniao",
            Self::SeventeenTrack => "17track",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Vendor {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|vendor| vendor.as_str() == name)
            .ok_or_else(|| UnknownName("vendor", name.to_owned()))
    }
}

impl Serialize for Vendor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Vendor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl serde::de::Visitor<'_> for Name {
            type Value = Vendor;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a vendor")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Vendor, E> {
                name.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// The error for a name that does not belong to a closed set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {0} {1:?}")]
pub struct UnknownName(pub &'static str, pub String);

/// Declares a closed set of an Avro enum: variants in the order of the schema's symbols, with their canonical names.
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every member, in the order of the schema's symbols.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The canonical name, as in topics and tables.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

closed_set! {
    /// How a push was authenticated.
    Signature {
        /// The vendor's signature matched one of the account's secrets.
        Verified = "VERIFIED",
        /// The account accepts pushes without a signature.
        Unsigned = "UNSIGNED",
    }
}

closed_set! {
    /// Canonical status of a parcel or an event.
    Status {
        /// Neither code nor name nor text gives a status.
        Unknown = "UNKNOWN",
        /// The carrier knows of the parcel but does not have it.
        InfoReceived = "INFO_RECEIVED",
        /// The carrier has the parcel: the service clock starts.
        PickedUp = "PICKED_UP",
        /// Between two places.
        InTransit = "IN_TRANSIT",
        /// In customs clearance.
        Customs = "CUSTOMS",
        /// The courier is delivering it.
        OutForDelivery = "OUT_FOR_DELIVERY",
        /// In a locker or at a station.
        AvailableForPickup = "AVAILABLE_FOR_PICKUP",
        /// Handed over, on the forward leg.
        Delivered = "DELIVERED",
        /// Something went wrong; never final.
        Exception = "EXCEPTION",
        /// On the way back to the sender.
        Returning = "RETURNING",
        /// Back at the sender.
        Returned = "RETURNED",
        /// The waybill is void.
        Cancelled = "CANCELLED",
    }
}

impl Status {
    /// True for the statuses in which an ordinary parcel ends.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled)
    }
}

closed_set! {
    /// Direction of travel.
    Leg {
        /// To the recipient.
        Forward = "FORWARD",
        /// Back to the sender.
        Return = "RETURN",
    }
}

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
    }
}

closed_set! {
    /// Which carrier's list an event comes from.
    Segment {
        /// The origin country's carrier, and everything domestic.
        Origin = "ORIGIN",
        /// The destination country's carrier.
        Destination = "DESTINATION",
    }
}

closed_set! {
    /// The kind of a transition record.
    Op {
        /// New or changed.
        Observed = "OBSERVED",
        /// Void: the vendor rewrote history.
        Retracted = "RETRACTED",
    }
}

closed_set! {
    /// Whether a change of status is to be expected.
    Verdict {
        /// Ordinary.
        Expected = "EXPECTED",
        /// Happens; counted, no alert.
        Tolerated = "TOLERATED",
        /// Should not happen.
        Anomaly = "ANOMALY",
    }
}

/// One parcel of one push, as received. Topic `courier.push.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/push_event.avsc")]
pub struct PushEvent {
    pub push_id: PushId,
    pub part: u16,
    pub parts: u16,
    pub vendor: Vendor,
    pub account: String,
    pub received_at: TimestampMicros,
    pub signature: Signature,
    pub vendor_carrier: String,
    pub tracking_number: String,
    #[serde(default)]
    pub request_type: Option<String>,
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub content_type: String,
    #[serde(default)]
    pub push_time: Option<String>,
    #[serde(default)]
    pub business_id: Option<String>,
    pub payload: String,
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
}

/// An accepted push, to recognise duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/shipment.avsc")]
pub struct RecentPush {
    pub content_hash: i64,
    pub received_at: TimestampMicros,
}

/// A change of (leg, status, sub-status) from one event to the next. Topic `courier.transition.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in avro/transition.avsc")]
pub struct Transition {
    pub transition_id: i64,
    pub op: Op,
    pub version: i64,
    pub vendor: Vendor,
    pub account: String,
    pub carrier: String,
    pub tracking_number: String,
    pub epoch: EpochDay,
    pub first_received_at: TimestampMicros,
    pub received_at: TimestampMicros,
    pub from_status: Status,
    #[serde(default)]
    pub from_sub_status: Option<String>,
    pub to_status: Status,
    #[serde(default)]
    pub to_sub_status: Option<String>,
    #[serde(default)]
    pub raw_code: Option<String>,
    pub leg: Leg,
    pub occurred_at: TimestampMillis,
    #[serde(default)]
    pub dwell_seconds: Option<i64>,
    pub verdict: Verdict,
    pub is_exception: bool,
    #[serde(default)]
    pub party: Option<String>,
    #[serde(default)]
    pub area_code: Option<String>,
    #[serde(default)]
    pub location: Option<String>,
}
