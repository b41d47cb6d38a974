//! Lines with the class that a careful person gives them, and what the classifier makes of them. Shared by the tests
//! and by the report of `./dev accuracy`.

use courierflow_domain::text::classify;

/// A row of `train.tsv` or `own.tsv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labelled {
    /// Number of the line.
    pub(crate) id: &'static str,
    /// What the vendor wrote.
    pub(crate) text: &'static str,
    /// Canonical status.
    pub(crate) status: &'static str,
    /// Its refinement; empty for UNKNOWN.
    pub(crate) sub_status: &'static str,
    also_ok: &'static str,
    /// Only one answer (or one of `also_ok`) is right; the other lines are arguable.
    pub(crate) is_sure: bool,
}

/// The lines of a file; its columns are named in its first line.
pub(crate) fn lines(file: &'static str) -> Vec<Labelled> {
    let mut rows = file.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let names = rows.next().unwrap_or_default();
    let position = |name| names.iter().position(|column| *column == name);
    let cell = |row: &[&'static str], name| position(name).and_then(|at| row.get(at).copied()).unwrap_or_default();
    rows.map(|row| Labelled {
        id: cell(&row, "id"),
        text: cell(&row, "text"),
        status: cell(&row, "status"),
        sub_status: cell(&row, "sub_status"),
        also_ok: cell(&row, "also_ok"),
        is_sure: cell(&row, "confidence") == "sure",
    })
    .collect()
}

/// What the classifier says: status and sub-status, UNKNOWN without one if it says nothing.
pub(crate) fn told(text: &str) -> (&'static str, &'static str) {
    classify(text).map_or(("UNKNOWN", ""), |class| {
        (class.status.as_str(), class.sub_status.as_str())
    })
}

impl Labelled {
    /// Whether the status is the labelled one or one of those that are as good.
    pub(crate) fn has_status(&self, (status, _): (&str, &str)) -> bool {
        status == self.status || self.others().any(|other| other.split('/').next() == Some(status))
    }

    /// Whether status and sub-status are; another answer without sub-status accepts every one.
    pub(crate) fn has_class(&self, (status, sub_status): (&str, &str)) -> bool {
        (status, sub_status) == (self.status, self.sub_status)
            || self.others().any(|other| match other.split_once('/') {
                Some(class) => class == (status, sub_status),
                None => other == status,
            })
    }

    /// The worst fault: a delivery, a return or its end that was none.
    pub(crate) fn is_false_end(&self, class: (&str, &str)) -> bool {
        matches!(class.0, "DELIVERED" | "RETURNING" | "RETURNED" | "CANCELLED") && !self.has_status(class)
    }

    fn others(&self) -> impl Iterator<Item = &'static str> {
        self.also_ok.split(',').filter(|other| !other.is_empty())
    }
}
