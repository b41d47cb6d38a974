//! Expected against actual: row by row, column by column. Ids are compared by structure: where the expected ids are equal
//! the actual ones must be, and where they differ the actual ones must differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::rows::{Expected, ExpectedRecord};

/// One column of one row that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The table, or the topic.
    pub table: &'static str,
    /// The key of the row.
    pub key: String,
    /// The column; `row` when there is one row too many or too few.
    pub column: String,
    /// What rules.md asks for, as JSON.
    pub expected: String,
    /// What is there, as JSON.
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            key,
            column,
            expected,
            actual,
        } = self;
        write!(f, "{table} [{key}] {column}: expected {expected}, actual {actual}")
    }
}

/// Columns that hold an id, by the last part of their path.
const IDS: [&str; 2] = ["id", "transition_id"];

/// Compares the three tables; `records` are left out.
pub fn differences(expected: &Expected, actual: &Expected) -> Vec<Difference> {
    let mut comparison = Comparison::default();
    comparison.table(
        "push",
        &["vendor", "account", "received_at", "push_id", "part"],
        &expected.push,
        &actual.push,
    );
    comparison.table(
        "shipment",
        &["vendor", "carrier", "tracking_number", "epoch"],
        &expected.shipment,
        &actual.shipment,
    );
    comparison.table(
        "transition",
        &["vendor", "carrier", "tracking_number", "epoch", "occurred_at"],
        &expected.transition,
        &actual.transition,
    );
    comparison.differences
}

/// Compares the records of the two derived topics: every version of every shipment, every transition observed or void.
pub fn record_differences(expected: &[ExpectedRecord], actual: &[ExpectedRecord]) -> Vec<Difference> {
    let shipments = |records: &[ExpectedRecord]| -> Vec<Value> {
        records
            .iter()
            .filter_map(|record| match record {
                ExpectedRecord::Shipment(row) => Some(serde_json::to_value(row).unwrap()),
                ExpectedRecord::Retired(_) | ExpectedRecord::Transition(..) => None,
            })
            .collect()
    };
    let transitions = |records: &[ExpectedRecord]| -> Vec<Value> {
        records
            .iter()
            .filter_map(|record| match record {
                ExpectedRecord::Shipment(_) | ExpectedRecord::Retired(_) => None,
                ExpectedRecord::Transition(op, row) => {
                    let mut row = serde_json::to_value(row).unwrap();
                    row["op"] = Value::String(op.clone());
                    Some(row)
                }
            })
            .collect()
    };
    let mut comparison = Comparison::default();
    comparison.table(
        "courier.shipment.v1",
        &["vendor", "carrier", "tracking_number", "epoch", "version"],
        &shipments(expected),
        &shipments(actual),
    );
    comparison.table(
        "courier.transition.v1",
        &[
            "vendor",
            "carrier",
            "tracking_number",
            "epoch",
            "version",
            "op",
            "occurred_at",
        ],
        &transitions(expected),
        &transitions(actual),
    );
    comparison.differences
}

#[derive(Default)]
struct Comparison {
    differences: Vec<Difference>,
    /// (shipment, kind of id, expected id) → actual id, and back.
    to_actual: BTreeMap<(String, String, String), String>,
    to_expected: BTreeMap<(String, String, String), String>,
}

impl Comparison {
    fn table<R: Serialize>(&mut self, table: &'static str, key: &[&str], expected: &[R], actual: &[R]) {
        let expected = by_key(key, expected);
        let mut actual = by_key(key, actual);
        for (key, expected_rows) in expected {
            let mut candidates = actual.remove(&key).unwrap_or_default();
            // Rows of one key (several transitions of one second) are paired by content first, and among equals by the
            // ids that are already known, then in order.
            let mut unpaired = Vec::new();
            for row in expected_rows {
                let equal: Vec<usize> = (0..candidates.len())
                    .filter(|index| is_equal(&row, &candidates[*index]))
                    .collect();
                let best = equal
                    .iter()
                    .find(|index| self.knows(&row, &candidates[**index]))
                    .or(equal.first());
                match best {
                    Some(index) => {
                        let candidate = candidates.remove(*index);
                        self.row(table, &key, &row, &candidate);
                    }
                    None => unpaired.push(row),
                }
            }
            for row in unpaired {
                let known = (0..candidates.len()).find(|index| self.knows(&row, &candidates[*index]));
                let next = known.or((!candidates.is_empty()).then_some(0));
                match next {
                    Some(index) => {
                        let candidate = candidates.remove(index);
                        self.row(table, &key, &row, &candidate);
                    }
                    None => self.differ(table, &key, "row", &row, &Value::Null),
                }
            }
            for row in candidates {
                self.differ(table, &key, "row", &Value::Null, &row);
            }
        }
        for (key, rows) in actual {
            for row in rows {
                self.differ(table, &key, "row", &Value::Null, &row);
            }
        }
    }

    fn differ(&mut self, table: &'static str, key: &str, column: &str, expected: &Value, actual: &Value) {
        self.differences.push(Difference {
            table,
            key: key.to_owned(),
            column: column.to_owned(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        });
    }

    fn row(&mut self, table: &'static str, key: &str, expected: &Value, actual: &Value) {
        let shipment = shipment_of(expected);
        let (expected, actual) = (columns(expected), columns(actual));
        let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
        for name in names {
            let (expected, actual) = (
                expected.get(name).unwrap_or(&Value::Null),
                actual.get(name).unwrap_or(&Value::Null),
            );
            if let Some(kind) = id_kind(name)
                && let (Some(expected), Some(actual)) = (expected.as_str(), actual.as_str())
            {
                self.id(table, key, name, (&shipment, kind), expected, actual);
            } else if !is_same(expected, actual) {
                self.differ(table, key, name, expected, actual);
            }
        }
    }

    fn id(
        &mut self,
        table: &'static str,
        key: &str,
        column: &str,
        (shipment, kind): (&str, &str),
        expected: &str,
        actual: &str,
    ) {
        let slot = |id: &str| (shipment.to_owned(), kind.to_owned(), id.to_owned());
        let known_actual = self
            .to_actual
            .entry(slot(expected))
            .or_insert_with(|| actual.to_owned())
            .clone();
        let known_expected = self
            .to_expected
            .entry(slot(actual))
            .or_insert_with(|| expected.to_owned())
            .clone();
        if known_actual != actual || known_expected != expected {
            let expected = Value::String(format!("{known_actual}, the id of {expected}"));
            let actual = Value::String(format!("{actual}, the id of {known_expected}"));
            self.differ(table, key, column, &expected, &actual);
        }
    }

    /// True if these two rows are already known as the same transition.
    fn knows(&self, expected: &Value, actual: &Value) -> bool {
        let shipment = shipment_of(expected);
        match (expected["transition_id"].as_str(), actual["transition_id"].as_str()) {
            (Some(expected), Some(actual)) => self
                .to_actual
                .get(&(shipment, "transition_id".to_owned(), expected.to_owned()))
                .is_some_and(|known| known == actual),
            _ => false,
        }
    }
}

fn by_key<R: Serialize>(key: &[&str], rows: &[R]) -> BTreeMap<String, Vec<Value>> {
    let mut by_key: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let row = serde_json::to_value(row).unwrap();
        let parts: Vec<String> = key
            .iter()
            .map(|column| match &row[*column] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
            .collect();
        by_key.entry(parts.join(" ")).or_default().push(row);
    }
    by_key
}

/// Ids are unique within a shipment, not beyond.
fn shipment_of(row: &Value) -> String {
    format!(
        "{} {} {} {}",
        row["vendor"], row["carrier"], row["tracking_number"], row["epoch"]
    )
}

/// A row as flat columns; `event[3].status` for nested ones.
fn columns(row: &Value) -> BTreeMap<String, Value> {
    let mut columns = BTreeMap::new();
    for (name, value) in row.as_object().unwrap() {
        let nested = value
            .as_array()
            .filter(|elements| elements.iter().any(Value::is_object));
        let Some(elements) = nested else {
            if !(name == "event" && value.as_array().is_some()) {
                columns.insert(name.clone(), value.clone());
            }
            continue;
        };
        for (index, element) in elements.iter().enumerate() {
            for (field, value) in element.as_object().unwrap() {
                columns.insert(format!("{name}[{index:03}].{field}"), value.clone());
            }
        }
    }
    columns
}

fn id_kind(column: &str) -> Option<&'static str> {
    let last = column.rsplit('.').next().unwrap();
    IDS.into_iter().find(|id| *id == last)
}

/// Rule 14.2: NULL and the empty text are equal to consumers.
fn is_same(expected: &Value, actual: &Value) -> bool {
    let is_nothing = |value: &Value| value.is_null() || value.as_str() == Some("");
    expected == actual || (is_nothing(expected) && is_nothing(actual))
}

fn is_equal(expected: &Value, actual: &Value) -> bool {
    let (expected, actual) = (columns(expected), columns(actual));
    expected.len() == actual.len()
        && expected.iter().all(|(name, expected)| {
            id_kind(name).is_some() || actual.get(name).is_some_and(|actual| is_same(expected, actual))
        })
}
