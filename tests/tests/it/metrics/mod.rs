//! Every published figure equals a recomputation, and the definitions hold on examples worked out by hand.

mod analysts;
pub(crate) mod change;
mod examples;
mod grafana;
mod outcome;
mod page;
mod plain;
mod recomputed;
mod routes;
mod subscriptions;
mod wording;
mod working;

use std::time::{SystemTime, UNIX_EPOCH};

use courierflow_tests::measures::{Clock, Rows, difference};
use courierflow_tests::stack::Stack;
use serde_json::Value;

use crate::harness::tables;

/// When the two tables behind `view` were refreshed; now for one that is empty.
fn clock(stack: &dyn Stack, view: &str) -> Clock {
    let at = |half: &str| {
        let sql = format!("SELECT toUnixTimestamp(max(refreshed_at)) AS at FROM courier.{view}_{half}");
        match tables::rows(stack, &sql)[0]["at"].as_i64() {
            None | Some(0) => now(),
            Some(at) => at,
        }
    };
    Clock {
        recent: at("recent"),
        older: at("older"),
    }
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

/// A view must return exactly these rows.
fn assert_shows(stack: &dyn Stack, what: &str, key: &[&str], expected: &Rows) {
    let shown = tables::rows(stack, &format!("SELECT * FROM courier.{what}"));
    assert_same(what, key, expected, &shown);
}

fn assert_same(what: &str, key: &[&str], expected: &Rows, shown: &[Value]) {
    let found = difference(what, key, expected, shown);
    let first: Vec<_> = found.iter().take(10).map(String::as_str).collect();
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), first.join("\n"));
}
