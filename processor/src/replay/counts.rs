//! The progress of a replay.

use std::collections::BTreeMap;
use std::fmt;

use courierflow_domain::NoChange;

/// What happened to the push events that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Push events read.
    pub push_events: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Of these, valid but without effect, by reason.
    pub unchanged: BTreeMap<&'static str, u64>,
    /// Of these, refused, by error class; derive dead-letters them.
    pub refused: BTreeMap<&'static str, u64>,
    /// Derived records that no row can represent, by error class; the sink dead-letters them.
    pub rows_refused: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(super) fn unchanged(&mut self, reason: NoChange) {
        *self.unchanged.entry(reason.tag()).or_default() += 1;
    }

    pub(super) fn refused(&mut self, class: &'static str) {
        *self.refused.entry(class).or_default() += 1;
    }

    pub(super) fn row_refused(&mut self, class: &'static str) {
        *self.rows_refused.entry(class).or_default() += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} push events, {} accepted", self.push_events, self.accepted)?;
        write_classes(out, "without effect", &self.unchanged)?;
        write_classes(out, "refused", &self.refused)?;
        if !self.rows_refused.is_empty() {
            write_classes(out, "records without a row", &self.rows_refused)?;
        }
        Ok(())
    }
}

/// `, 3 refused (key_mismatch 1, undecodable 2)`
fn write_classes(out: &mut fmt::Formatter<'_>, what: &str, classes: &BTreeMap<&'static str, u64>) -> fmt::Result {
    write!(out, ", {} {what}", classes.values().sum::<u64>())?;
    for (number, (class, count)) in classes.iter().enumerate() {
        write!(out, "{}{class} {count}", if number == 0 { " (" } else { ", " })?;
    }
    if classes.is_empty() { Ok(()) } else { write!(out, ")") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_where_there_are_any() {
        let mut counts = Counts {
            push_events: 4,
            accepted: 1,
            ..Counts::default()
        };
        assert_eq!(
            counts.to_string(),
            "4 push events, 1 accepted, 0 without effect, 0 refused"
        );
        counts.refused("undecodable");
        counts.refused("key_mismatch");
        counts.refused("undecodable");
        counts.unchanged(NoChange::Stale);
        counts.row_refused("unrepresentable");
        assert_eq!(
            counts.to_string(),
            "4 push events, 1 accepted, 1 without effect (stale 1), 3 refused (key_mismatch 1, undecodable 2), \
             1 records without a row (unrepresentable 1)"
        );
    }
}
