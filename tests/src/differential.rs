//! Runs the pure core of the processor over a list of push events as a worker does, for comparison with [`crate::oracle`]
//! and for properties that must hold for any input ([`crate::fuzz`]).

#![allow(clippy::panic, reason = "a broken promise is to be seen")]

use std::collections::HashMap;

use courierflow_domain as domain;
use courierflow_domain::{Context, DeriveOptions, IdKey, Memory, Outcome};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Shipment, Transition};
use courierflow_vendors::reading::{self, Reading};

/// A key that everybody knows.
pub(crate) const OPTIONS: DeriveOptions = DeriveOptions {
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
        let Ok(Reading::Snapshot(snapshot)) = reading::read(event, Carriers::built_in()) else {
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
            Ok(Outcome::Duplicate | Outcome::Stale | Outcome::Confirmed | Outcome::Outranked) => {}
            Err(error) => panic!("{error}"),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{ExpectedRecord, expected, record_differences, workload};

    const PUSHES: usize = 300;

    /// Three thousand pushes; `RECOMPUTATION_SEEDS=first-last` for more.
    #[test]
    fn every_derived_record_equals_the_recomputed_one() {
        let seeds = std::env::var("RECOMPUTATION_SEEDS").unwrap_or_else(|_| "0-9".to_owned());
        let (first, last) = seeds.split_once('-').expect("RECOMPUTATION_SEEDS is first-last");
        for seed in first.parse::<u64>().unwrap()..=last.parse::<u64>().unwrap() {
            let events: Vec<PushEvent> = workload(seed, PUSHES);
            let mut actual = Vec::new();
            for step in derive_all(&events) {
                actual.extend(step.transitions.iter().map(ExpectedRecord::from));
                actual.push(ExpectedRecord::from(&step.shipment));
            }
            let differences = record_differences(&expected(&events).records, &actual);
            let shown: Vec<String> = differences.iter().take(40).map(ToString::to_string).collect();
            assert!(differences.is_empty(), "seed {seed}:\n{}", shown.join("\n"));
        }
    }
}
