//! `./dev bench pipeline`: everything behind ingest, one part after the other, each on a stack of its own.

use std::time::Instant;

use super::{derive, latency, sink};

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Push events to shipments.
    pub derive: derive::Plan,
    /// Shipments to rows.
    pub sink: sink::Plan,
    /// From the answer to a push to its row.
    pub latency: latency::Plan,
}

/// Runs all parts; each prints its own figures.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let begun = Instant::now();
    println!("== derive");
    derive::run(plan.derive)?;
    println!("\n== sink");
    sink::run(plan.sink)?;
    println!("\n== latency");
    latency::run(plan.latency)?;
    println!("\nall parts: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}
