//! The dashboards of `deploy/grafana`: every SQL statement in them runs, and nothing in them belongs to one installation of Grafana.

use std::path::PathBuf;

use courierflow_tests::stack::{Stack, repository};
use serde_json::Value;

use crate::harness::tables;

/// They can be imported anywhere: the data sources are variables, which Grafana asks for or fills with the default of their type, and so is
/// the database.
#[test]
fn dashboards_name_no_data_source_and_no_database() {
    for file in dashboards() {
        let text = std::fs::read_to_string(&file).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        for key in ["id", "uid"] {
            assert!(
                dashboard.get(key).is_none(),
                "{} has a {key} of its own",
                file.display()
            );
        }
        let mut offered = Vec::new();
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            if variable["type"] == "datasource" {
                offered.push((
                    format!("${{{}}}", variable["name"].as_str().unwrap()),
                    variable["query"].clone(),
                ));
            }
        }
        let mut sources = Vec::new();
        sources_in(&dashboard, &mut sources);
        assert!(sources.len() >= 10, "{}: {sources:?}", file.display());
        for source in sources {
            let found = (source["uid"].as_str().unwrap().to_owned(), source["type"].clone());
            assert!(
                offered.contains(&found),
                "{}: {source} is none of {offered:?}",
                file.display()
            );
        }
        let mut queries = Vec::new();
        collect(&dashboard, &mut queries);
        for query in queries {
            assert!(
                !query.contains("courier"),
                "{} names a database in\n{query}",
                file.display()
            );
        }
    }
}

fn sources_in(value: &Value, sources: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            sources.extend(fields.get("datasource").cloned());
            fields.values().for_each(|value| sources_in(value, sources));
        }
        Value::Array(values) => values.iter().for_each(|value| sources_in(value, sources)),
        _ => {}
    }
}

/// Values that a user may type into a field or the address.
const ODD: &str = "O'Brien\\'' OR 1=1 --";

/// Runs all SQL of all dashboards with the variables at "all", where queries of charts must return rows; and with odd values,
/// which must not be interpreted as SQL, so that no row is returned.
pub(super) fn assert_every_query_runs(stack: &dyn Stack) {
    let mut run = 0;
    for file in dashboards() {
        let text = std::fs::read_to_string(&file).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let mut queries = Vec::new();
        collect(&dashboard, &mut queries);
        for query in queries {
            let sql = substituted(&query, "");
            let rows =
                tables::try_rows(stack, &sql).unwrap_or_else(|error| panic!("{}: {error}\n{sql}", file.display()));
            // One needs a parcel that is not named, others need more parcels than this test has.
            let may_be_empty = ["${number", "_sound", "exception_trend"]
                .iter()
                .any(|text| query.contains(text));
            assert!(
                !rows.is_empty() || may_be_empty,
                "{} has no answer to\n{sql}",
                file.display()
            );
            if query.contains(":percentencode}") {
                let sql = substituted(&query, ODD);
                let rows =
                    tables::try_rows(stack, &sql).unwrap_or_else(|error| panic!("{}: {error}\n{sql}", file.display()));
                assert_eq!(rows, Vec::<Value>::new(), "{} answers\n{sql}", file.display());
            }
            run += 1;
        }
    }
    assert!(run >= 12, "only {run} queries were found");
}

fn dashboards() -> Vec<PathBuf> {
    let directory = repository().join("deploy/grafana/dashboards");
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// The SQL of panels and of variables, at any level.
fn collect(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            queries.extend(fields.get("rawSql").and_then(Value::as_str).map(str::to_owned));
            if fields.get("type").and_then(Value::as_str) == Some("query") {
                queries.extend(fields.get("query").and_then(Value::as_str).map(str::to_owned));
            }
            fields.values().for_each(|value| collect(value, queries));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, queries)),
        _ => {}
    }
}

/// The substitutions of the plugin and the page. `percentencode` leaves nothing that could end a literal; `sqlstring`
/// leaves backslashes, which `ClickHouse` reads.
fn substituted(query: &str, value: &str) -> String {
    let encoded: Vec<String> = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut sql = query
        .replace("$__fromTime", "toDateTime(now() - 60 * 86400)")
        .replace("$__toTime", "toDateTime(now())")
        // A constant of the dashboard: nobody can set it from the page or its address.
        .replace("${database}", "courier");
    for variable in ["vendor", "origin", "dest", "carrier", "number"] {
        sql = sql.replace(&format!("${{{variable}:percentencode}}"), &encoded.concat());
    }
    assert!(!sql.contains('$'), "an unknown or bare variable in\n{query}");
    sql
}
