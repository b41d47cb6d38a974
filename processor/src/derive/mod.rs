//! Push events → shipments and transitions, exactly once.
//!
//! A worker is one consumer, one transactional producer and one state store, on one thread; nothing is shared between workers. What
//! is derived from a push event is decided by [`courierflow_domain::step()`], a pure function. These modules are the loop around
//! it, from top to bottom:
//!
//! | room | what |
//! |---|---|
//! | [`supervisor`] | keeps the workers alive |
//! | [`rival`] | another worker with the same identity |
//! | [`worker`] | the loop: poll, handle what the group said, derive, commit |
//! | [`deriver`] | from a message to the open transaction |
//! | [`restore`] | the state of a partition from `courier.shipment.v1` |
//! | [`paused`] | what keeps partitions paused: a restore, push events that wait |
//! | [`assignment`] | what a rebalance changed, as values |
//! | [`open_transaction`] | begin, commit, resolve, abort |
//! | [`error`] | why a worker ends |
//! | [`state_store`], [`state_entry`] | the shipments, and one of them |
//! | [`progress`], [`state_budget`], [`producer`], [`record_reader`], [`stable_offsets`], [`counts`], [`by_account`], [`slot`] | at the bottom: what each is called after |
//!
//! A module uses the modules below it, never one above it.

mod assignment;
mod by_account;
mod counts;
mod deriver;
mod error;
mod open_transaction;
mod paused;
mod producer;
mod progress;
mod record_reader;
mod restore;
mod rival;
mod slot;
mod stable_offsets;
mod state_budget;
mod state_entry;
mod state_store;
mod supervisor;
mod worker;

pub use supervisor::start;
