//! Subscriptions as their users see them: inputs go in, states and effects come out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on should say where"
)]

mod account;
mod answers;
mod duplicates;
mod parcel;
mod properties;
mod requests;
mod states;
mod vendors;
