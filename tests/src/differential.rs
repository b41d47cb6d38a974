//! The processor's pure core, run over a list of push events as a worker runs it, for comparison with [`crate::oracle`].

use std::collections::HashMap;

use courierflow_processor::domain::{self, DeriveOptions, Outcome};
use courierflow_processor::vendor::{self, Reading};
use courierflow_schemas::records::{PushEvent, Shipment, Transition};

/// What one accepted push brought.
pub struct Step {
    /// The new state.
    pub shipment: Shipment,
    /// What changed.
    pub transitions: Vec<Transition>,
}

/// Derives every push event in order; push events that cannot be read or bring nothing leave no step.
pub fn derive_all(events: &[PushEvent]) -> Vec<Step> {
    let mut state: HashMap<String, Shipment> = HashMap::new();
    let mut steps = Vec::new();
    for event in events {
        let Ok(Reading::Snapshot(snapshot)) = vendor::read(event) else {
            continue;
        };
        let key = snapshot.key().to_string();
        if let Outcome::Accepted(derived) = domain::derive(state.get(&key), &snapshot, &DeriveOptions::default()) {
            state.insert(key, derived.shipment.clone());
            steps.push(Step {
                shipment: derived.shipment,
                transitions: derived.transitions,
            });
        }
    }
    steps
}
