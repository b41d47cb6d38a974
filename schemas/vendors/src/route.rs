//! The way of a parcel from hub to hub, as a vendor tells and predicts it. Derivation does not read it: its nodes are no events, and
//! most of them are guesses.

use std::borrow::Cow;

use courierflow_schemas::records::{PushEvent, TimestampMillis};
use memchr::memmem;

use crate::parse::{json, repair};
use crate::{Protocol, protocol};

/// Nodes of a push that are read. Vendors name about ten.
pub const MAX_NODES: usize = 100;
/// Characters of a name; what is longer is no name.
pub const MAX_NAME_CHARS: usize = 100;

/// What a push tells of the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// From the sender to the recipient, in the order of the vendor.
    pub nodes: Vec<Node>,
    /// Nodes that could not be read or were too many.
    pub left_out: usize,
}

/// A hub or depot on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Place in the vendor's list, from 1; nodes that were left out are counted.
    pub position: u16,
    /// As the vendor writes it, trimmed, not masked.
    pub name: String,
    /// Likewise.
    pub province: Option<String>,
    /// Likewise.
    pub city: Option<String>,
    /// What it is.
    pub kind: NodeKind,
    /// Where the parcel is, seen from it.
    pub state: NodeState,
    /// Arrival: a fact of a node that was reached, else a prediction.
    pub arrival: Option<TimestampMillis>,
    /// Departure: a fact of a node that was passed, else a prediction.
    pub departure: Option<TimestampMillis>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Sorts and forwards.
    Hub,
    /// Collects and delivers.
    Depot,
    /// The vendor does not say.
    Unknown,
}

impl NodeKind {
    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "HUB",
            Self::Depot => "DEPOT",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Where the parcel is, seen from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// It has left again: both times are facts.
    Passed,
    /// It is there: the arrival is a fact.
    Current,
    /// It is not there yet.
    Expected,
}

impl NodeState {
    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Current => "CURRENT",
            Self::Expected => "EXPECTED",
        }
    }
}

/// Reads the way that a push tells. `None` if it tells none or cannot be read. A payload without one costs a search for a word.
pub fn route(event: &PushEvent) -> Option<Route> {
    let vendor = protocol(event.vendor);
    let has = |member: &&str| memmem::find(event.payload.as_bytes(), member.as_bytes()).is_some();
    if !vendor.route_members().iter().any(has) {
        return None;
    }
    of_payload(vendor, event, &event.payload).or_else(|| match repair::repaired(&event.payload) {
        Cow::Borrowed(_) => None,
        Cow::Owned(payload) => of_payload(vendor, event, &payload),
    })
}

fn of_payload(vendor: &dyn Protocol, event: &PushEvent, payload: &str) -> Option<Route> {
    vendor.route(event.origin, &json::opened(payload, vendor.text_members()))
}
