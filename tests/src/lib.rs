//! What the end-to-end tests, the simulator and the benchmarks share.

pub mod simulator;
pub mod stack;
