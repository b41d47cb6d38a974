//! What people and programs see that know SQL and nothing else: the role of `processor migrate --print-grants`, looked at with stock clients.

use std::collections::BTreeSet;

use courierflow_processor::migrate::{analysts, definitions::Definitions};
use courierflow_tests::metrics_page;
use courierflow_tests::stack::{Stack, repository};
use serde_json::Value;

use crate::harness::{python, tables};

/// The tables in which a newer row replaces an older one.
const REPLACING: [&str; 7] = [
    "push",
    "route_node",
    "shipment",
    "transition",
    "subscription",
    "vendor_call",
    "annotation",
];

/// Views that show each row of such a table once, and what of it.
const VIEWS: [(&str, &str); 2] = [
    ("parcel", "shipment FINAL WHERE tracking_state != 'CARRIER_CORRECTED'"),
    ("shipment_timeline", "transition FINAL"),
];

/// Of a view with parameters the server shows no columns; there are views without parameters for their figures.
const WITH_PARAMETERS: [&str; 6] = [
    "carrier_scorecard",
    "carrier_trend",
    "exception_rate",
    "exception_trend",
    "lane_transit",
    "transit_distribution",
];

/// Not described, and not to be read.
const INTERNAL: [&str; 6] = [
    "schema_migration",
    "sink_offset",
    "sink_start",
    "reconcile_gap",
    "carrier_daily_recent",
    "exception_daily_older",
];

#[test]
fn analysts_may_read_what_is_documented() {
    let documented = documented();
    let readable: BTreeSet<String> = analysts::readable(&Definitions::embedded())
        .unwrap()
        .into_iter()
        .collect();
    assert!(readable.len() > 40, "{readable:?}");
    assert_eq!(readable, documented);
}

/// `UPDATE_GOLDEN=1` rewrites the role of the local server.
#[test]
fn the_local_role_has_the_printed_grants() {
    let path = repository().join("deploy/local/clickhouse/users.xml");
    let users = std::fs::read_to_string(&path).unwrap();
    let statements = analysts::statements("analyst", "courier", &Definitions::embedded()).unwrap();
    let (_, grants) = statements.split_once("\n\n").unwrap();
    let grants = grants.strip_suffix("\nTO analyst;\n").unwrap();
    let (before, rest) = users.split_once("<!-- grants of analyst -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let written = format!("{before}<!-- grants of analyst -->\n<query>{grants}</query>\n<!-- end -->{after}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, written).unwrap();
        return;
    }
    assert_eq!(users, written, "UPDATE_GOLDEN=1 writes the grants anew");
}

/// Relations whose columns stand on the pages.
fn documented() -> BTreeSet<String> {
    let metrics = std::fs::read_to_string(metrics_page::path()).unwrap();
    let contracts = std::fs::read_to_string(repository().join("docs/contracts.md")).unwrap();
    let of_metrics = metrics.lines().filter_map(metrics_page::described);
    let of_contracts = contracts.lines().filter_map(|line| {
        line.strip_prefix("| columns of `")?
            .split_once('`')
            .map(|(name, _)| name)
    });
    of_metrics.chain(of_contracts).map(str::to_owned).collect()
}

/// The tables of the stack have rows.
pub(super) fn assert_they_see_what_is_documented_and_count_no_row_twice(stack: &dyn Stack) {
    for table in REPLACING {
        tables::execute(stack, &format!("SYSTEM STOP MERGES courier.{table}"));
        tables::execute(
            stack,
            &format!("INSERT INTO courier.{table} SELECT * FROM courier.{table}"),
        );
    }
    make_the_role(stack);
    let documented = documented();
    assert_reflection(stack, &documented);
    assert_counts(stack);
    assert_limits(stack);
    for table in REPLACING {
        tables::execute(stack, &format!("SYSTEM START MERGES courier.{table}"));
    }
}

/// By the printed statements, where the server keeps roles itself. The local server has them in a file and only parses these statements.
fn make_the_role(stack: &dyn Stack) {
    let printed = analysts::statements("analyst", "courier", &Definitions::embedded()).unwrap();
    let printed: Vec<&str> = printed.split(";\n").filter(|text| !text.trim().is_empty()).collect();
    assert_eq!(printed.len(), 2, "{printed:?}");
    for statement in &printed {
        tables::execute(stack, &format!("EXPLAIN AST {statement}"));
    }
    for statement in printed {
        if let Err(error) = tables::try_execute(stack, statement) {
            assert!(error.contains("ACCESS_STORAGE_READONLY"), "{error}");
            return;
        }
    }
    tables::execute(stack, "CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH no_password");
    tables::execute(stack, "GRANT analyst TO analyst");
}

/// SQLAlchemy finds the documented tables and views, no others, and of each that takes no parameters every column with its comment.
fn assert_reflection(stack: &dyn Stack, documented: &BTreeSet<String>) {
    let described = metrics_page::relations().unwrap();
    let looked = python::look_at_tables(stack, "analyst", &[]);
    let columns = looked["columns"].as_object().unwrap();
    let found: BTreeSet<String> = columns.keys().cloned().collect();
    assert_eq!(&found, documented);
    for (name, columns) in columns {
        if WITH_PARAMETERS.contains(&name.as_str()) {
            continue;
        }
        let columns: Vec<Vec<&str>> = columns
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                column
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| part.as_str().unwrap_or(""))
                    .collect()
            })
            .collect();
        let shown: Vec<(&str, &str)> = columns.iter().map(|column| (column[0], column[2])).collect();
        let mut wanted: Vec<(&str, &str)> = described[name]
            .columns
            .iter()
            .map(|[name, _, comment]| (name.as_str(), comment.as_str()))
            .collect();
        // Columns that a later file has added are not in the statement that created the table.
        if REPLACING.contains(&name.as_str()) {
            assert!(shown.len() >= wanted.len(), "{name}");
            wanted.retain(|column| !shown.contains(column));
            assert!(wanted.is_empty(), "{name}: {wanted:?}");
        } else {
            assert_eq!(shown, wanted, "{name}");
        }
        assert!(
            shown.iter().all(|(_, comment)| !comment.is_empty()),
            "{name}: {shown:?}"
        );
    }
}

fn count(stack: &dyn Stack, what: &str) -> i64 {
    tables::rows(stack, &format!("SELECT count() AS rows FROM courier.{what}"))[0]["rows"]
        .as_i64()
        .unwrap()
}

/// A count without FINAL is that with FINAL.
fn assert_counts(stack: &dyn Stack) {
    let mut queries = Vec::new();
    let mut wanted = Vec::new();
    for table in REPLACING {
        let (plain, right) = (count(stack, table), count(stack, &format!("{table} FINAL")));
        assert!(
            plain >= 2 * right && right > 0,
            "{table}: {plain} rows, {right} with FINAL"
        );
        queries.push(format!("SELECT count() FROM courier.{table}"));
        wanted.push(Value::from(right));
    }
    for (view, of) in VIEWS {
        queries.push(format!("SELECT count() FROM courier.{view}"));
        wanted.push(Value::from(count(stack, of)));
    }
    let counted = python::look_at_tables(stack, "analyst", &queries);
    assert_eq!(counted["answers"].as_array().unwrap(), &wanted, "{queries:?}");
    // The views are right for others, too.
    let of_views = queries.split_off(REPLACING.len());
    let counted = python::look_at_tables(stack, "default", &of_views);
    assert_eq!(
        counted["answers"].as_array().unwrap(),
        &wanted[REPLACING.len()..],
        "{of_views:?}"
    );
}

/// Nothing else can be read, and nothing written.
fn assert_limits(stack: &dyn Stack) {
    let reading = INTERNAL
        .iter()
        .map(|table| format!("SELECT count() FROM courier.{table}"));
    let writing = [
        "INSERT INTO courier.sla_promise (carrier) VALUES ('x')",
        "ALTER TABLE courier.shipment DELETE WHERE 1",
        "TRUNCATE TABLE courier.push",
        "DROP VIEW courier.parcel",
        "CREATE TABLE courier.mine (a Int8) ENGINE = Memory",
        "SYSTEM REFRESH VIEW courier.open_parcel_refresh",
        "CREATE FUNCTION courierflow_mine AS (a) -> a",
        "GRANT SELECT ON courier.sink_offset TO analyst",
    ];
    let queries: Vec<String> = reading.chain(writing.map(str::to_owned)).collect();
    let looked = python::look_at_tables(stack, "analyst", &queries);
    for (query, answer) in queries.iter().zip(looked["answers"].as_array().unwrap()) {
        let refused = answer.as_str().is_some_and(|words| words.contains("ACCESS_DENIED"));
        assert!(refused, "{query}: {answer}");
    }
    // The same queries of readers are answered where they are allowed, so that it is not the client that fails.
    let looked = python::look_at_tables(stack, "default", &queries[..INTERNAL.len()]);
    assert!(
        looked["answers"].as_array().unwrap().iter().all(Value::is_i64),
        "{looked}"
    );
}
