//! The pure core as its users see it: a push event goes in, records come out. One module per part of the rules; the names
//! of the tests carry the numbers of `docs/rules.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on should say where"
)]

mod code_rows;
mod delivered;
mod epochs;
mod final_word;
mod flow;
mod freshness;
mod golden;
mod history;
mod ids;
mod leg;
mod lives;
mod long_lists;
mod masking;
mod memory;
mod metrics;
mod payloads;
mod properties;
mod pushes;
mod queries;
mod reading;
mod seventeentrack;
mod speed;
mod standing;
mod step;
mod times;
mod told_once;
