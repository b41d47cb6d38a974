//! The processor's pure core, run over a list of push events as a worker runs it, for comparison with [`crate::oracle`].

use std::collections::HashMap;

use courierflow_processor::domain::{self, DeriveOptions, Memory, Outcome};
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
        let previous = state.get(&key);
        let memory = previous.map(Memory::of);
        let recall = || previous.cloned().ok_or("nothing to recall");
        let derived = domain::derive(memory.as_ref(), recall, &snapshot, DeriveOptions::default());
        if let Ok(Outcome::Accepted(derived)) = derived {
            state.insert(key, derived.shipment.clone());
            steps.push(Step {
                shipment: derived.shipment,
                transitions: derived.transitions,
            });
        }
    }
    steps
}
