//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use courierflow_tests::oracle::Difference;

use super::faults::Fault;
use super::{queries, subscriptions};

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
    /// Of those, no longer on their topic.
    pub(super) expired: usize,
    pub(super) lost: Vec<String>,
    pub(super) transitions: usize,
    pub(super) shipments: usize,
    pub(super) doubled: Vec<String>,
    pub(super) dead_letters: usize,
    pub(super) differing: Vec<Difference>,
    pub(super) subscriptions: subscriptions::Compared,
    pub(super) queries: queries::Compared,
}

impl Report {
    pub(super) fn is_clean(&self) -> bool {
        self.pushes == self.acked
            && self.lost.is_empty()
            && self.doubled.is_empty()
            && self.differing.is_empty()
            && self.dead_letters == 0
            && self.subscriptions.is_clean()
            && self.queries.is_clean()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.faults.values().sum();
        writeln!(out, "{total} faults in {:.0?}, seed {}", self.elapsed, self.seed)?;
        for (fault, count) in &self.faults {
            writeln!(out, "  {count:>6}  {fault}")?;
        }
        for (name, count) in self
            .counts()
            .into_iter()
            .chain(self.subscriptions.counts())
            .chain(self.queries.counts())
        {
            writeln!(out, "{name:<56} {count:>9}")?;
        }
        let found = [("lost", &self.lost), ("doubled", &self.doubled)];
        for (name, found) in found
            .into_iter()
            .chain(self.subscriptions.found())
            .chain(self.queries.found())
        {
            for text in found.iter().take(5) {
                writeln!(out, "{name}: {text}")?;
            }
        }
        for differing in self.differing.iter().take(5) {
            writeln!(out, "{differing}")?;
        }
        Ok(())
    }
}

impl Report {
    fn counts(&self) -> [(&'static str, u64); 11] {
        [
            ("pushes sent", self.pushes),
            ("  attempts that were refused or died, and repeated", self.retried),
            ("pushes answered with success", self.acked),
            ("push events stored", self.stored as u64),
            ("  deleted by retention meanwhile", self.expired as u64),
            ("acknowledged and lost", self.lost.len() as u64),
            ("shipment records that a committed reader sees", self.shipments as u64),
            (
                "transition records that a committed reader sees",
                self.transitions as u64,
            ),
            ("  of both, seen more than once", self.doubled.len() as u64),
            ("dead letters of derive and sink", self.dead_letters as u64),
            ("rows that differ from the recomputation", self.differing.len() as u64),
        ]
    }
}

impl subscriptions::Compared {
    fn counts(&self) -> [(&'static str, u64); 10] {
        [
            ("parcels that the vendors were asked to follow", self.asked as u64),
            ("  followed, ended, or refused for a reason", self.settled as u64),
            ("  lost on the way", self.lost.len() as u64),
            ("calls that the vendors counted", self.vendor_calls),
            (
                "  of parcels without a committed intent",
                self.without_intent.len() as u64,
            ),
            ("subscriptions that the vendors accepted", self.accepted),
            (
                "  parcels with two in a round, or unknown to us",
                self.differing.len() as u64,
            ),
            ("subscription records that a committed reader sees", self.records as u64),
            ("  seen more than once", self.doubled.len() as u64),
            (
                "rows that differ from the newest of them",
                self.rows_differing.len() as u64,
            ),
        ]
    }

    fn found(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("lost", &self.lost),
            ("without an intent", &self.without_intent),
            ("accepted", &self.differing),
            ("doubled", &self.doubled),
            ("row", &self.rows_differing),
        ]
    }
}

impl queries::Compared {
    fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("queries that are recorded", self.made as u64),
            ("  whose answer became an event", self.told as u64),
            ("  whose answer nobody knows", self.interrupted as u64),
            ("queries that the vendors counted", self.vendor_queries),
            ("  of parcels with fewer records", self.unrecorded.len() as u64),
            (
                "parcels asked about too soon or too often",
                self.beyond_limits.len() as u64,
            ),
            (
                "answers without event, or events without answer",
                self.torn.len() as u64,
            ),
            (
                "rows of calls that differ from their records",
                self.rows_differing.len() as u64,
            ),
        ]
    }

    fn found(&self) -> [(&'static str, &Vec<String>); 4] {
        [
            ("not recorded", &self.unrecorded),
            ("beyond the limits", &self.beyond_limits),
            ("torn", &self.torn),
            ("call", &self.rows_differing),
        ]
    }
}
