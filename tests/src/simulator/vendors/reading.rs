//! Pushes read back, for the tests.

use std::collections::BTreeSet;

use courierflow_schemas::records::Vendor;
use serde_json::Value;

use super::service;
use crate::simulator::push::{SimulatedPush, Simulation, SimulationConfig};

/// What a push says.
#[derive(Clone, Debug)]
pub struct Told {
    /// The signature, and the one that the account of the local configuration asks for; `None` if it is not signed.
    pub signatures: Option<(String, String)>,
    /// Of each parcel the local times of its history, as the vendor wrote them.
    pub parcels: Vec<Vec<String>>,
    /// Whether there is the history of a carrier abroad.
    pub crosses_border: bool,
    /// Whether the vendor gives the parcel up, or has nothing to tell.
    pub gives_up: bool,
    /// The JSON text.
    pub body: Value,
}

/// The pushes of one vendor in a simulation with much mischief.
pub(super) fn pushes(vendor: Vendor) -> impl Iterator<Item = (SimulatedPush, Told)> {
    let simulation = Simulation::new(SimulationConfig {
        mischief: 0.3,
        ..SimulationConfig::local(7, 1_500, 1_786_248_000)
    });
    let of_vendor = simulation.filter(move |push| push.vendor == vendor);
    of_vendor.map(|push| {
        let told = service(push.vendor).read(&push);
        (push, told)
    })
}

/// A text member of every element of a list.
pub(super) fn texts_of(list: &Value, member: &str) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().map(|item| item[member].as_str());
    texts.map(|text| text.unwrap().to_owned()).collect()
}

/// Which of the names, separated by commas, have not been seen.
pub(super) fn missing<'names>(expected: &'names str, seen: &BTreeSet<String>) -> Vec<&'names str> {
    expected.split(", ").filter(|name| !seen.contains(*name)).collect()
}
