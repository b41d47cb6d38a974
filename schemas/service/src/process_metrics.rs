//! Metrics of the process itself, the same in both services: which build it is, and what it takes from its host.

use metrics::{describe_gauge, gauge};
use metrics_process::Collector;

use crate::build_info::{REVISION, VERSION};

/// `courierflow_build_info`, and the `process_…` metrics that every Prometheus client has.
#[derive(Debug)]
pub struct ProcessMetrics(Collector);

impl ProcessMetrics {
    /// Registers them with the present recorder.
    pub fn register() -> Self {
        describe_gauge!(
            "courierflow_build_info",
            "1, with the version and the commit as labels."
        );
        gauge!("courierflow_build_info", "version" => VERSION, "revision" => REVISION).set(1.0);
        let collector = Collector::default();
        collector.describe();
        Self(collector)
    }

    /// Reads them from the system, into the present recorder: when somebody looks, not before.
    pub fn update(&self) {
        self.0.collect();
    }
}
