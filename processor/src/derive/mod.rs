//! Push events → shipments and transitions, exactly once.
//!
//! A worker is one consumer, one transactional producer and one state store, on one thread; nothing is shared between workers. What
//! is derived from a push event is decided by [`courierflow_domain::step()`], a pure function. These modules are the loop around
//! it, from top to bottom:
//!
//! | room | what |
//! |---|---|
//! | [`supervisor`] | starts the workers |
//! | [`worker`] | the loop: poll, handle what the group said, derive, commit |
//! | [`deriver`] | from a message to the open transaction |
//! | [`restore`] | the state of a partition from `courier.shipment.v1` |
//! | [`paused`] | what keeps partitions paused: a restore, push events that wait |
//! | [`open_transaction`] | begin, commit, resolve, abort |
//! | [`error`] | why a worker ends |
//! | [`state_store`], [`state_entry`] | the shipments, and one of them |
//! | [`progress`], [`state_budget`], [`record_reader`], [`counts`], [`by_account`] | at the bottom: what each is called after |
//!
//! What it shares with `subscribe` is in [`exactly_once`](crate::exactly_once). A module uses the modules below it, never one above it.

mod by_account;
mod counts;
mod deriver;
mod error;
mod open_transaction;
mod paused;
mod progress;
mod record_reader;
mod restore;
mod state_budget;
mod state_entry;
mod state_store;
mod supervisor;
mod worker;

pub use supervisor::start;
