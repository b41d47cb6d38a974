//! What derive counts.

use std::collections::BTreeMap;

use super::state::State;
use super::worker::worker_name;

/// What a transaction did; added to the metrics when it is committed, so that nothing is counted twice.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) outcomes: BTreeMap<&'static str, u64>,
    /// By error class.
    pub(super) dead_letters: BTreeMap<&'static str, u64>,
    pub(super) input_bytes: u64,
    pub(super) output_bytes: u64,
    pub(super) transitions: u64,
    pub(super) retractions: u64,
    pub(super) rewrites: u64,
    pub(super) unknown_codes: u64,
    pub(super) expired: u64,
}

impl Counts {
    pub(super) fn outcome(&mut self, name: &'static str) {
        *self.outcomes.entry(name).or_default() += 1;
    }

    pub(super) fn publish(&self) {
        for (outcome, count) in &self.outcomes {
            metrics::counter!("courierflow_derive_push_events_total", "outcome" => *outcome).increment(*count);
        }
        for (class, count) in &self.dead_letters {
            metrics::counter!("courierflow_derive_dead_letters_total", "reason" => *class).increment(*count);
        }
        metrics::counter!("courierflow_derive_input_bytes_total").increment(self.input_bytes);
        metrics::counter!("courierflow_derive_output_bytes_total").increment(self.output_bytes);
        metrics::counter!("courierflow_derive_rewrites_total").increment(self.rewrites);
        metrics::counter!("courierflow_derive_transitions_total").increment(self.transitions);
        metrics::counter!("courierflow_derive_retractions_total").increment(self.retractions);
        metrics::counter!("courierflow_derive_unknown_codes_total").increment(self.unknown_codes);
        metrics::counter!("courierflow_derive_expired_shipments_total").increment(self.expired);
    }
}

#[allow(clippy::cast_precision_loss, reason = "no worker holds 2^53 shipments or bytes")]
pub(super) fn publish_size(state: &State) {
    let (shipments, bytes) = state.size();
    let worker = worker_name();
    metrics::gauge!("courierflow_derive_shipments", "worker" => worker.clone()).set(shipments as f64);
    metrics::gauge!("courierflow_derive_state_bytes", "worker" => worker).set(bytes as f64);
}
