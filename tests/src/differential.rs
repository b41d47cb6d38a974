//! The processor's pure core, run over a list of push events as a worker runs it: for comparison with [`crate::oracle`], and
//! for whatever must hold of any input ([`crate::fuzz`]).

#![allow(clippy::panic, reason = "a broken promise is to be seen")]

use std::collections::HashMap;

use courierflow_domain as domain;
use courierflow_domain::{Context, DeriveOptions, IdKey, Memory, Outcome};
use courierflow_schemas::records::{PushEvent, Shipment, Transition};
use courierflow_vendors::reading::{self, Reading};

/// A key that everybody knows.
const OPTIONS: DeriveOptions = DeriveOptions {
    context: Context::Keep,
    id_key: IdKey::from_bytes(*b"a key of 16 byte"),
};

/// What one accepted push brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The new state.
    pub shipment: Shipment,
    /// What changed.
    pub transitions: Vec<Transition>,
}

/// Derives every push event in order; push events that cannot be read or bring nothing leave no step.
///
/// # Panics
///
/// When the core asks for the last record of a parcel that has none.
pub fn derive_all(events: &[PushEvent]) -> Vec<Step> {
    let mut state: HashMap<String, Shipment> = HashMap::new();
    let mut steps = Vec::new();
    for event in events {
        let Ok(Reading::Snapshot(snapshot)) = reading::read(event) else {
            continue;
        };
        let key = snapshot.key().to_string();
        let previous = state.get(&key);
        let memory = previous.map(Memory::of);
        let recall = || previous.cloned().ok_or("a first push recalls nothing");
        let derived = domain::derive(memory.as_ref(), recall, &snapshot, OPTIONS);
        match derived {
            Ok(Outcome::Accepted(derived)) => {
                state.insert(key, derived.shipment.clone());
                steps.push(Step {
                    shipment: derived.shipment,
                    transitions: derived.transitions,
                });
            }
            Ok(Outcome::Outranked | Outcome::Duplicate | Outcome::Stale) => {}
            Err(error) => panic!("{error}"),
        }
    }
    steps
}
