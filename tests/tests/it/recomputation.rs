//! The pure core equals the independent recomputation, record by record, over random workloads.

use courierflow_schemas::records::PushEvent;
use courierflow_tests::differential::derive_all;
use courierflow_tests::oracle::{ExpectedRecord, expected, record_differences, workload};

const PUSHES: usize = 300;

/// Three thousand pushes; `RECOMPUTATION_SEEDS=first-last` for more.
#[test]
fn every_derived_record_equals_the_recomputed_one() {
    let seeds = std::env::var("RECOMPUTATION_SEEDS").unwrap_or_else(|_| "0-9".to_owned());
    let (first, last) = seeds.split_once('-').expect("RECOMPUTATION_SEEDS is first-last");
    let seeds = first.parse::<u64>().unwrap()..=last.parse::<u64>().unwrap();
    for seed in seeds {
        let events: Vec<PushEvent> = workload(seed, PUSHES);
        let mut actual = Vec::new();
        for step in derive_all(&events) {
            actual.extend(step.transitions.iter().map(ExpectedRecord::from));
            actual.push(ExpectedRecord::from(&step.shipment));
        }
        let differences = record_differences(&expected(&events).records, &actual);
        let shown: Vec<String> = differences.iter().take(20).map(ToString::to_string).collect();
        assert!(differences.is_empty(), "seed {seed}:\n{}", shown.join("\n"));
    }
}
