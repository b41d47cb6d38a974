//! The processor: derives shipments and transitions from push events, exactly once, and writes them to ClickHouse,
//! idempotently. The rules are in `courierflow_domain`, which is pure; `derive` and `sink` are the loops around it. `dashboard`
//! shows the results.

mod acknowledged;
mod admin;
pub mod annotation;
mod bounded_read;
pub mod config;
pub mod dashboard;
pub mod dead_letter;
pub mod derive;
mod exactly_once;
mod fetching;
mod groups;
pub mod health;
pub mod load;
pub mod migrate;
mod partition_counts;
pub mod poison;
mod poll_error;
pub mod reconcile;
pub mod replay;
pub mod retention;
pub mod shutdown;
pub mod sink;
pub mod splices;
mod start_offsets;
pub mod subscribe;
pub mod subscriptions;
pub mod under_min_isr;
pub mod unread;
pub mod vendor_calls;
