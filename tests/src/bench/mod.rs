//! Benchmarks: each prints its figures beside a floor measured in the same run. None of them is a test; [`attacks`] has a target, which it
//! names, and fails if that is missed.

#![allow(clippy::print_stdout, reason = "printing is what a benchmark does")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "figures, not sums of money"
)]

pub mod attacks;
pub mod chain;
mod connection;
mod cpu;
pub mod dashboards;
pub mod derive;
pub mod ingest;
mod kafka;
pub mod latency;
mod metrics;
pub mod pipeline;
pub mod pressure;
mod pushes;
pub mod restore;
pub mod rules;
pub mod sink;
pub mod subscribe;
