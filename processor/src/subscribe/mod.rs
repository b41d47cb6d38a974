//! Requests for subscriptions → calls of the vendors, each intent committed before its call and each answer after it.
//!
//! A worker is one consumer of three topics, one transactional producer and one map of subscriptions, on one thread; nothing is shared
//! between workers. What an input changes is decided by [`courierflow_domain::subscription::step()`], a pure function. Calls run on the
//! runtime, and their answers come back to the thread as inputs like any other. From top to bottom:
//!
//! | room | what |
//! |---|---|
//! | [`supervisor`] | starts the workers |
//! | [`worker`] | the loop: poll, handle what the group said, step, commit, start the calls that are committed |
//! | [`member`] | what the consumer calls back |
//! | [`restore`] | the subscriptions of a partition from the two compacted topics |
//! | [`desk`] | from an input to the open transaction |
//! | [`intake`] | records of the three topics, as inputs |
//! | [`answers`] | what a call became, as input and as record |
//! | [`calls`] | the line of calls and those in flight |
//! | [`transaction`] | begin, commit, resolve, abort |
//! | [`accounts`] | the contracts: who is asked, and how each of them stands |
//! | [`state`] | the subscriptions, and when each is due |
//! | [`settings`], [`ingest_section`] | the configuration |
//! | [`breakpoint`] | where tests stop a worker, not in a release |
//! | [`counts`], [`error`] | at the bottom: what each is called after |
//!
//! A module uses the modules below it, never one above it. What it shares with derive is in
//! [`exactly_once`](crate::exactly_once).

mod accounts;
mod answers;
mod breakpoint;
mod calls;
mod counts;
mod desk;
mod error;
pub(crate) mod ingest_section;
mod intake;
mod member;
mod restore;
pub(crate) mod settings;
mod state;
mod supervisor;
mod transaction;
mod worker;

pub(crate) use intake::READ_BEFORE;
pub use supervisor::{check, start};
pub(crate) use transaction::inputs;
