//! The independent recomputation agrees with the tables, row by row and column by column.

use std::fmt;
use std::time::{Duration, Instant};

use courierflow_schemas::topics::PUSH;
use courierflow_tests::oracle::{Difference, differences, expected_tables};
use courierflow_tests::stack::Launch;

use crate::harness::load::Load;
use crate::harness::tables::Slice;
use crate::harness::{migrated, option, processor, ready, tables, topics, wait_as_long_as_it_moves};

/// Parcels whose push events and rows fit into memory together.
const PARCELS_OF_A_SLICE: u64 = 5_000;

/// The numbers of a comparison of the tables.
struct Comparison {
    seed: u64,
    parcels: u64,
    pushes: u64,
    elapsed: Duration,
    push_events: usize,
    rows: [(&'static str, usize); 3],
    differing: Vec<Difference>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, elapsed, .. } = self;
        writeln!(out, "recomputed and compared in {elapsed:.0?}, seed {seed}")?;
        let mut line = |name: &str, count: u64| writeln!(out, "{name:<40} {count:>10}");
        line("parcels", self.parcels)?;
        line("pushes", self.pushes)?;
        line("push events on the topic", self.push_events as u64)?;
        for (table, rows) in self.rows {
            line(&format!("rows of {table}"), rows as u64)?;
        }
        line("values that differ", self.differing.len() as u64)?;
        for difference in self.differing.iter().take(20) {
            writeln!(out, "{difference}")?;
        }
        Ok(())
    }
}

/// Sends the pushes of the given number of parcels through the whole pipeline and compares the tables at the end.
fn compare(name: &str, seed: u64, parcels: u64) -> Comparison {
    let stack = migrated(name);
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let _processor = ready(&processor("run", &stack), "processor", &stack);
    let load = Load::start(ingest.url(), seed, u32::try_from(parcels).unwrap(), 0.0);
    let pushes = load.finish().acked;
    wait_as_long_as_it_moves(&stack);

    let begun = Instant::now();
    let records = topics::read(&stack, PUSH);
    let mut comparison = Comparison {
        seed,
        parcels,
        pushes,
        elapsed: Duration::ZERO,
        push_events: records.len(),
        rows: [("push", 0), ("shipment", 0), ("transition", 0)],
        differing: Vec::new(),
    };
    let of = parcels.div_ceil(PARCELS_OF_A_SLICE);
    for slice in (0..of).map(|number| Slice { number, of }) {
        let is_in = |record: &&topics::Record| slice.contains(record.key.as_deref().unwrap_or_default());
        let records: Vec<_> = records.iter().filter(is_in).cloned().collect();
        let wanted = expected_tables(&topics::push_events(&stack, &records));
        let found = tables::contents_of(&stack, slice);
        let counts = [found.push.len(), found.shipment.len(), found.transition.len()];
        for ((_, rows), count) in comparison.rows.iter_mut().zip(counts) {
            *rows += count;
        }
        comparison.differing.extend(differences(&wanted, &found));
    }
    comparison.elapsed = begun.elapsed();
    comparison
}

#[test]
fn i2_the_tables_of_three_thousand_parcels_equal_the_recomputation() {
    let comparison = compare("recomputation", 11, 3_000);
    assert!(comparison.differing.is_empty(), "{comparison}");
}

/// `./dev bench oracle`: the numbers come from its options.
#[test]
#[ignore = "long: ./dev bench oracle"]
#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn tables_in_full() {
    let seed = option("COURIERFLOW_ORACLE_SEED", 1);
    let parcels = option("COURIERFLOW_ORACLE_PARCELS", 100_000);
    let comparison = compare("recomputation-in-full", seed, parcels);
    println!("{comparison}");
    assert!(comparison.differing.is_empty(), "see the report above");
}
