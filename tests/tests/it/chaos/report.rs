//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use courierflow_tests::oracle::Difference;

use super::faults::Fault;
use super::subscriptions::Compared;

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
    pub(super) subscriptions: Compared,
}

impl Report {
    pub(super) fn is_clean(&self) -> bool {
        self.pushes == self.acked
            && self.lost.is_empty()
            && self.doubled.is_empty()
            && self.differing.is_empty()
            && self.dead_letters == 0
            && self.subscriptions.is_clean()
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
        let subscriptions = &self.subscriptions;
        line(
            "parcels that the vendors were asked to follow",
            subscriptions.asked as u64,
        )?;
        line(
            "  followed, ended, or refused for a reason",
            subscriptions.settled as u64,
        )?;
        line("  lost on the way", subscriptions.lost.len() as u64)?;
        line("calls that the vendors counted", subscriptions.vendor_calls)?;
        line(
            "  of parcels without a committed intent",
            subscriptions.without_intent.len() as u64,
        )?;
        line("subscriptions that the vendors accepted", subscriptions.accepted)?;
        line(
            "  parcels with two in a round, or unknown to us",
            subscriptions.differing.len() as u64,
        )?;
        line(
            "subscription records that a committed reader sees",
            subscriptions.records as u64,
        )?;
        line("  seen more than once", subscriptions.doubled.len() as u64)?;
        line(
            "rows that differ from the newest of them",
            subscriptions.rows_differing.len() as u64,
        )?;
        for (name, found) in [
            ("lost", &subscriptions.lost),
            ("without an intent", &subscriptions.without_intent),
            ("accepted", &subscriptions.differing),
            ("doubled", &subscriptions.doubled),
            ("row", &subscriptions.rows_differing),
        ] {
            for text in found.iter().take(5) {
                writeln!(out, "{name}: {text}")?;
            }
        }
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
