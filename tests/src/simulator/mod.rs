//! The vendor simulator: parcels that live through weeks of simulated time, told by the vendors, one push at a time.
//!
//! | module | what | I/O |
//! |---|---|---|
//! | [`carriers`], [`places`], [`steps`] | tables: how each carrier behaves, where parcels go, what can happen to them | no |
//! | [`texts`] | what carriers write into a trace | no |
//! | [`world`] | the lives of parcels | no |
//! | [`snapshot`] | a life as far as a vendor knows it at one moment | no |
//! | [`vendors`] | the vendors' push services, a folder each: what they sell, when they push what, in which shape, signed | no |
//! | [`push`] | the pushes of all vendors in order, and what goes wrong on the way | no |
//! | [`order`] | which pushes may be on the way at the same time | no |
//! | [`sender`] | posts them | yes |
//! | [`report`] | asks `ClickHouse` what came out | yes |
//! | [`follow`] | compares the books of these servers with the tables | yes |
//! | [`vendor_server`] | the vendors as servers that are called: subscriptions and queries in, pushes out | yes |
//!
//! Everything before [`sender`] is a function of the [`push::SimulationConfig`]: the same seed at the same `now` gives
//! the same bytes in the same order.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of parcels and hours of their lives are far below 2^52"
)]

pub mod carriers;
pub mod clock;
pub mod follow;
pub mod order;
pub mod places;
pub mod push;
pub mod random;
pub mod report;
pub mod sender;
pub mod snapshot;
pub mod steps;
pub mod texts;
pub mod vendor_server;
pub mod vendors;
pub mod world;
