//! Expected values, and how closely an actual one must meet them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One expected value of a row.
#[derive(Clone, Debug)]
pub enum Figure {
    /// Exactly this.
    Exact(Value),
    /// This, up to the rounding of floating point.
    Close(f64),
    /// Hours read from bins of a quarter of an hour: at most 0.25 above this, and not below.
    Hours(f64),
    /// Anything: the column is a clock, or checked elsewhere.
    Any,
}

/// Columns of a row.
pub type Row = BTreeMap<&'static str, Figure>;

/// Rows by their key, as text.
pub type Rows = BTreeMap<Vec<String>, Row>;

impl Figure {
    /// An exact value.
    pub fn exact(value: impl Into<Value>) -> Self {
        Self::Exact(value.into())
    }

    /// NULL when there is no number.
    pub fn close(value: Option<f64>) -> Self {
        value.map_or(Self::Exact(Value::Null), Self::Close)
    }

    /// NULL when a quantile is not reached.
    pub fn hours(value: Option<f64>) -> Self {
        value.map_or(Self::Exact(Value::Null), Self::Hours)
    }

    fn is_met_by(&self, actual: &Value) -> bool {
        match self {
            Self::Exact(expected) => expected == actual,
            Self::Close(expected) => actual
                .as_f64()
                .is_some_and(|actual| (actual - expected).abs() <= 1e-9 * expected.abs().max(1.0)),
            Self::Hours(expected) => actual
                .as_f64()
                .is_some_and(|actual| actual >= *expected - 1e-9 && actual < *expected + 0.25),
            Self::Any => true,
        }
    }
}

/// The first few differences between what a view shows and what it should show, with `key` as the columns that name a row;
/// every column of the view must be expected.
pub fn difference(name: &str, key: &[&str], expected: &Rows, actual: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for row in actual {
        let row_key: Vec<String> = key.iter().map(|column| text(row.get(*column))).collect();
        if !seen.insert(row_key.clone()) {
            found.push(format!("{name} {row_key:?} is there twice"));
        }
        let Some(wanted) = expected.get(&row_key) else {
            found.push(format!("{name} {row_key:?} should not be there: {row}"));
            continue;
        };
        for (column, value) in row
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(column, _)| !key.contains(&column.as_str()))
        {
            match wanted.get(column.as_str()) {
                None => found.push(format!("{name}: nobody expects a column {column}")),
                Some(figure) if !figure.is_met_by(value) => {
                    found.push(format!("{name} {row_key:?} {column}: {value}, expected {figure:?}"));
                }
                Some(_) => {}
            }
        }
        for column in wanted.keys().filter(|column| row.get(**column).is_none()) {
            found.push(format!("{name}: there is no column {column}"));
        }
    }
    for key in expected.keys().filter(|key| !seen.contains(*key)) {
        found.push(format!("{name} {key:?} is missing"));
    }
    found
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "no such column".to_owned(),
    }
}
