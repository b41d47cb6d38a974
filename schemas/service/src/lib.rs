//! What both services need to start, run and end: the log, their Kafka clients, signals and exit codes. It is a crate of its
//! own, so that the pure crates, which depend on the contracts, do not depend on rdkafka and tokio.

pub mod exit;
pub mod kafka_client;
pub mod logging;
pub mod signals;
