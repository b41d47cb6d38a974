//! Tests of ingest over HTTP, without a broker: what the vendors send, what is stored, what they are answered.
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
mod support;
