//! What both services need to start, run and end: the log, their Kafka clients, signals and exit codes, the HTTP
//! server. A crate of its own, so that the pure crates, which know the contracts, know nothing of rdkafka and tokio.

pub mod authenticated;
pub mod bearer;
pub mod build_info;
pub mod completions;
pub mod exit;
pub mod file_limit;
pub mod health_check;
pub mod http_server;
pub mod kafka_access;
pub mod kafka_client;
pub mod logging;
#[cfg(feature = "msk-iam")]
mod msk_iam;
pub mod partition_counts;
pub mod process_metrics;
pub mod signals;
pub mod traces;
