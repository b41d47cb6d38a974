//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use courierflow_tests::oracle::Difference;

use super::faults::Fault;

/// The result of a run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) elapsed: Duration,
    pub(super) faults: BTreeMap<Fault, usize>,
    pub(super) pushes: u64,
    pub(super) acked: u64,
    pub(super) retried: u64,
    pub(super) stored: usize,
    pub(super) lost: Vec<String>,
    pub(super) transitions: usize,
    pub(super) shipments: usize,
    pub(super) doubled: Vec<String>,
    pub(super) dead_letters: usize,
    pub(super) differing: Vec<Difference>,
}

impl Report {
    pub(super) fn is_clean(&self) -> bool {
        self.pushes == self.acked
            && self.lost.is_empty()
            && self.doubled.is_empty()
            && self.differing.is_empty()
            && self.dead_letters == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.faults.values().sum();
        writeln!(out, "{total} faults in {:.0?}, seed {}", self.elapsed, self.seed)?;
        for (fault, count) in &self.faults {
            writeln!(out, "  {count:>6}  {fault}")?;
        }
        let mut line = |name: &str, count: u64| writeln!(out, "{name:<52} {count:>9}");
        line("pushes sent", self.pushes)?;
        line("  attempts that were refused or died, and repeated", self.retried)?;
        line("pushes answered with success", self.acked)?;
        line("push events stored", self.stored as u64)?;
        line("acknowledged and lost", self.lost.len() as u64)?;
        line("shipment records that a committed reader sees", self.shipments as u64)?;
        line(
            "transition records that a committed reader sees",
            self.transitions as u64,
        )?;
        line("  of both, seen more than once", self.doubled.len() as u64)?;
        line("dead letters of derive and sink", self.dead_letters as u64)?;
        line("rows that differ from the recomputation", self.differing.len() as u64)?;
        for lost in self.lost.iter().take(5) {
            writeln!(out, "lost: {lost}")?;
        }
        for doubled in self.doubled.iter().take(5) {
            writeln!(out, "doubled: {doubled}")?;
        }
        for differing in self.differing.iter().take(5) {
            writeln!(out, "{differing}")?;
        }
        Ok(())
    }
}
