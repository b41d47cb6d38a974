//! The rules of derivation: from the last emitted [`Shipment`](courierflow_schemas::records::Shipment) and a [`Snapshot`] to the
//! next shipment and its transitions. [`step()`] processes one record of the push topic. Pure: no clock, no I/O; the same input
//! gives the same bytes. Its only state is what it remembers of texts that it has read ([`memo`]), which saves time.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

pub mod masking;
pub mod text;

mod derivation;
mod encoding;
pub mod known;
mod life;
mod meaning;
mod measures;
mod memo;
pub mod reconcile;
mod refusal;
mod step;
pub mod subscription;
mod untold;

#[doc(inline)]
pub use courierflow_vendors::snapshot::{ShipmentKey, Snapshot};
pub use derivation::{Counts, Derived, Outcome, derive};
pub use encoding::{DerivedEncoder, MAX_DERIVED_BYTES};
pub use known::expiry::StreamDay;
pub use known::{future::is_future, memory, memory::Memory, receipt};
pub use masking::{Context, mask, mask_remembered};
pub use meaning::evidence::rank;
pub use measures::lane::MUNICIPALITIES;
pub use refusal::{Refusal, RefusalClass};
pub use step::{Accepted, Effect, NewDay, NoChange, PushRecord, Step, step};
pub use untold::id_key::{IdKey, NoIdKey};

/// Options of derived records, from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeriveOptions {
    /// Whether the vendors' texts go into shipments.
    pub context: Context,
    /// The secret key from which ids are made.
    pub id_key: IdKey,
}
