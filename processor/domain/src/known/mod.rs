//! What is known of a number before a push arrives, and what the push adds to it: the memory of the last record, whether a push is news,
//! whose life it belongs to, when it is forgotten.

pub(crate) mod epoch;
pub(crate) mod expiry;
pub(crate) mod freshness;
pub(crate) mod future;
pub mod memory;
pub(crate) mod overlap;
pub mod receipt;
pub(crate) mod recent_pushes;
