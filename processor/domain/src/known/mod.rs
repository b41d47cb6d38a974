//! What is known of a number before a push arrives, and what the push adds to it: the memory of the last record, whether a push is
//! new, which life of the number it belongs to, and when the shipment expires.

pub(crate) mod epoch;
pub(crate) mod expiry;
pub(crate) mod freshness;
pub(crate) mod future;
pub mod memory;
pub(crate) mod overlap;
pub mod receipt;
pub(crate) mod recent_pushes;
pub(crate) mod told_once;
