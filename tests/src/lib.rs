//! What the end-to-end tests, the simulator and the benchmarks share.

pub mod bench;
pub mod differential;
pub mod measures;
pub mod metrics_page;
pub mod oracle;
pub mod simulator;
pub mod stack;
