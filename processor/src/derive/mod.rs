//! Push events → shipments and transitions, exactly once.
//!
//! A worker is one consumer, one transactional producer and one state map, on one thread; nothing is shared between
//! workers. [`worker`] holds the loop, [`transaction`] the producer's side of it, [`state`] the shipments, [`restore`]
//! brings them back from `courier.shipment.v1`, [`slot`] gives a worker an identity that outlives a crash.

mod restore;
mod slot;
mod state;
mod supervisor;
mod transaction;
mod worker;

pub use supervisor::start;
