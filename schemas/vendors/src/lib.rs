//! What the tracking vendors send, want to hear and mean.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod account;
pub mod code_names;
pub mod codes;
pub mod fingerprint;
pub mod kdniao;
pub mod kuaidi100;
pub mod local_time;
pub mod parse;
pub mod push;
pub mod reading;
pub mod snapshot;
