//! The typed records of the topics. Field by field they match `avro/*.avsc`, where units, zones and meanings are
//! documented for every consumer; the tests of this crate prove the match. Here is what several of them share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod annotations;
mod calls;
mod names;
mod pushes;
mod shipments;
mod subscriptions;
mod transitions;

pub use annotations::*;
pub use calls::*;
pub use pushes::*;
pub use shipments::*;
pub use subscriptions::*;
pub use transitions::*;

use names::closed_set;

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
        /// One that a newer program knows. No program writes it.
        Other = "OTHER",
    }
}
