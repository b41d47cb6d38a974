//! The vendor simulator: parcels that live through weeks of simulated time, told by three vendors, one push at a time.
//!
//! | module | what | I/O |
//! |---|---|---|
//! | [`carriers`], [`places`], [`steps`] | tables: how each carrier behaves, where parcels go, what each vendor calls what happens | no |
//! | [`texts`] | what carriers write into a trace | no |
//! | [`world`] | the lives of parcels | no |
//! | [`snapshot`] | a life as far as a vendor knows it at one moment | no |
//! | [`kuaidi100`], [`kdniao`], [`seventeentrack`] | a snapshot in the vendor's shape, signed | no |
//! | [`push`] | when which vendor pushes what, and what goes wrong on the way | no |
//! | [`order`] | which pushes may be on the way at the same time | no |
//! | [`sender`] | posts them | yes |
//! | [`report`] | asks `ClickHouse` what came out | yes |
//!
//! Everything before [`sender`] is a function of the [`push::SimulationConfig`]: the same seed at the same `now` gives
//! the same bytes in the same order.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts of parcels and hours of their lives are far below 2^52"
)]

pub mod carriers;
pub mod clock;
pub mod kdniao;
pub mod kuaidi100;
pub mod order;
pub mod places;
pub mod push;
pub mod random;
pub mod report;
pub mod sender;
pub mod seventeentrack;
pub mod snapshot;
pub mod steps;
pub mod texts;
pub mod world;
