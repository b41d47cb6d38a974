//! What a push means: from the last emitted [`Shipment`](courierflow_schemas::records::Shipment) and a [`Snapshot`] to the next one and its
//! transitions; [`step()`] is the whole way of one record. Pure: no clock, no I/O, no state of its own; the same input gives the same bytes.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

pub mod masking;
pub mod text;

mod attempts;
mod delivered;
mod derivation;
mod encoding;
mod epoch;
mod event_id;
mod evidence;
mod exceptions;
mod expiry;
mod final_word;
mod flags;
mod freshness;
mod future;
mod history;
mod id_key;
mod lane;
mod leg;
pub mod memory;
mod milestones;
mod overlap;
mod parcel_status;
pub mod receipt;
mod recent_pushes;
mod refusal;
mod step;
mod tracking_state;
mod transition;
mod verdict;

#[doc(inline)]
pub use courierflow_vendors::snapshot::{ShipmentKey, Snapshot};
pub use derivation::{Counts, Derived, Outcome, derive};
pub use encoding::{DerivedEncoder, MAX_DERIVED_BYTES};
pub use evidence::rank;
pub use expiry::StreamDay;
pub use id_key::{IdKey, NoIdKey};
pub use lane::MUNICIPALITIES;
pub use masking::{Context, mask};
pub use memory::Memory;
pub use refusal::{Refusal, RefusalClass};
pub use step::{Accepted, Effect, NewDay, NoChange, PushRecord, Step, step};

/// What the configuration decides about derived records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeriveOptions {
    /// Whether the vendors' texts go into shipments.
    pub context: Context,
    /// The secret under which ids are made.
    pub id_key: IdKey,
}
