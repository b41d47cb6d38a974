//! The report of the loop as text for a terminal.

use std::fmt;

use super::LoopReport;
use super::tables::{Accepted, StateRow};

impl LoopReport {
    /// Whether both sides agree, and no limit was passed.
    pub fn is_clean(&self) -> bool {
        self.beyond_quota() == 0
            && self.tables.retracted == 0
            && self.differing().is_empty()
            && self.cost().is_none_or(|(units, charged)| units == charged)
            && (!self.strict || self.lost.missing.is_empty())
    }

    /// Calls that the vendor's limits forbid.
    const fn beyond_quota(&self) -> u64 {
        let total = &self.books.total;
        total.beyond_quota + total.queries_too_soon + total.queries_locked
    }

    /// Numbers of which the vendor has accepted another count of subscriptions than courierflow knows of.
    fn differing(&self) -> Vec<String> {
        let books = self.books.subscriptions();
        let differing = self.tables.accepted.iter().filter_map(|(number, ours)| {
            let (accepted, corrected) = books.get(number.as_str()).copied().unwrap_or_default();
            let Accepted { known, doubtful, .. } = ours;
            (!ours.agrees_with(accepted, corrected)).then(|| {
                format!("{number}: the vendor accepted {accepted} and began {corrected} by itself, we know of {known}, and of {doubtful} not")
            })
        });
        differing.collect()
    }

    /// The units of `vendor_cost` and of the books. The view counts all calls that there are, so there is nothing to compare if some are
    /// older.
    fn cost(&self) -> Option<(u64, u64)> {
        (self.tables.calls.older == 0).then(|| (self.tables.units, self.books.charged()))
    }

    fn parcels(&self, wanted: impl Fn(&StateRow) -> bool) -> u64 {
        let rows = self.tables.states.iter().filter(|row| wanted(row));
        rows.map(|row| row.parcels).sum()
    }

    /// `502 SENSITIVE: 3, 700: 2`, of the parcels in a state.
    fn why(&self, state: &str) -> String {
        let rows = self.tables.states.iter().filter(|row| row.state == state);
        let texts = rows.map(|row| {
            let why = match state {
                "REJECTED" => [row.code.as_str(), row.reason.as_str()].join(" "),
                _ => row.reason.clone(),
            };
            format!("{} {}", row.parcels, why.trim())
        });
        texts.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for LoopReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: u64, remark: &str| {
            let text = format!("  {name:<44} {count:>7}   {remark}");
            writeln!(out, "{}", text.trim_end())
        };
        line(
            "parcels that the vendors were asked to follow",
            self.parcels(|_| true),
            "",
        )?;
        for (name, state) in [
            ("  active", "ACTIVE"),
            ("  ended", "ENDED"),
            ("  given up by the vendor, only queried now", "FALLBACK"),
            ("  waiting for another try", "WAITING"),
            ("  waiting for the next month", "QUOTA"),
            ("  rejected, by code", "REJECTED"),
            ("  given up", "EXPIRED"),
        ] {
            let remark = match state {
                "FALLBACK" | "WAITING" | "REJECTED" => self.why(state),
                _ => String::new(),
            };
            line(name, self.parcels(|row| row.state == state), &remark)?;
        }
        let resubscribed = self.tables.states.iter().map(|row| row.resubscribed).sum();
        line("subscribed again after the vendor gave up", resubscribed, "")?;
        let calls = &self.tables.calls;
        line(
            "calls to subscribe",
            calls.subscriptions,
            &format!("{} without an answer, and repeated", calls.unanswered),
        )?;
        line("queries", calls.queries, "")?;
        line("events that only a query told", self.tables.told_by_queries, "")?;
        writeln!(out)?;
        self.comparison(out)
    }
}

impl LoopReport {
    /// What the vendors' books say about it.
    fn comparison(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (total, lost) = (&self.books.total, &self.lost);
        writeln!(
            out,
            "  * the vendors counted {} calls to subscribe, {} accepted, and {} queries; beyond their limits: {}",
            total.calls,
            total.accepted,
            total.queries,
            self.beyond_quota()
        )?;
        let differing = self.differing();
        writeln!(
            out,
            "  * parcels of which they accepted another number of subscriptions than we know of: {}",
            differing.len()
        )?;
        let missing = lost.missing.len() as u64;
        writeln!(
            out,
            "  * {} of {} lost pushes were found by reconcile; {} more were told again by a later push, {} are younger than a day",
            lost.found,
            lost.found + missing,
            lost.told_again,
            lost.young
        )?;
        writeln!(
            out,
            "  * {} pushes were given up by the vendors; changes taken back although the vendor still tells them: {}",
            total.pushes_given_up, self.tables.retracted
        )?;
        if let Some((units, charged)) = self.cost() {
            writeln!(
                out,
                "  * units in vendor_cost: {units}; parcels that the vendors have charged: {charged}"
            )?;
        }
        for differing in differing.iter().take(5) {
            writeln!(out, "differing: {differing}")?;
        }
        for missing in lost.missing.iter().take(5) {
            writeln!(out, "not found: {missing}")?;
        }
        Ok(())
    }
}
