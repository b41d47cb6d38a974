//! What the end-to-end tests, the simulator and the benchmarks share.

pub mod api_description;
pub mod asyncapi;
pub mod attack;
pub mod bench;
pub mod dbt_sources;
pub mod differential;
pub mod fuzz;
pub mod measures;
pub mod metrics_page;
pub mod oracle;
pub mod simulator;
pub mod stack;
