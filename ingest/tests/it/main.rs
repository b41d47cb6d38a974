//! Tests of ingest over HTTP, without a broker: what vendors send, what is stored, and what the answers are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is a test's way to fail"
)]

mod answers;
mod configuration;
mod connections;
mod content;
mod hostile;
mod openapi;
mod seventeentrack;
mod shared_tenancy;
mod subscriptions;
mod support;
