//! Push events → shipments and transitions, exactly once.
//!
//! A worker is one consumer, one transactional producer and one state map, on one thread; nothing is shared between
//! workers. [`worker`] holds the loop and the place in the group, [`deriver`] what lies between a message and the commit,
//! [`transaction`] the producer's side of it, [`state`] the shipments; [`restore`] brings them back from
//! `courier.shipment.v1`, [`recall`] reads single records of it, [`slot`] gives a worker an identity that outlives a crash.

mod counts;
mod deriver;
mod recall;
mod restore;
mod slot;
mod state;
mod supervisor;
mod transaction;
mod worker;

pub use supervisor::start;
