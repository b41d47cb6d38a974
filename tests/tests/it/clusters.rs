//! What an operator's ClickHouse asks for: the DDL of every kind of database, as far as one server can judge it, and the settings of
//! `[clickhouse]`. Two replicas cannot be had here: see `deploy/clickhouse/cluster-check.sh`.

use courierflow_processor::config::{ClickHouseSettings, RetentionDays};
use courierflow_processor::migrate::clickhouse::{check_clickhouse, migrate_clickhouse};
use courierflow_processor::migrate::ddl;
use courierflow_processor::migrate::definitions::Definitions;
use courierflow_processor::migrate::kind::DatabaseKind;
use courierflow_processor::sink::client::client;
use courierflow_schemas::carriers::Carriers;
use courierflow_tests::measures::REFRESHED;
use courierflow_tests::stack::{self, Server, Stack};
use regex::Regex;

use crate::harness::tables;

fn clickhouse(name: &str) -> Box<dyn Stack> {
    stack::start_with(name, &[Server::ClickHouse]).expect("ClickHouse starts")
}

fn settings(stack: &dyn Stack) -> ClickHouseSettings {
    ClickHouseSettings {
        url: stack.clickhouse_url(),
        ..ClickHouseSettings::default()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap()
}

/// The changes that `migrate` reports, one line each.
fn migrate(settings: &ClickHouseSettings) -> Vec<String> {
    let changes = runtime().block_on(migrate_clickhouse(settings, Carriers::built_in()));
    changes.unwrap().iter().map(ToString::to_string).collect()
}

/// Those that it would make.
fn check(settings: &ClickHouseSettings) -> Vec<String> {
    let changes = runtime().block_on(check_clickhouse(settings, Carriers::built_in()));
    changes.unwrap().iter().map(ToString::to_string).collect()
}

fn statements(kind: DatabaseKind) -> Vec<String> {
    let text = ddl::all(kind, "courier", &Definitions::embedded()).unwrap();
    text.split(";\n\n")
        .filter(|statement| !statement.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_server_understands_the_statements_of_every_kind() {
    let stack = clickhouse("ddl-of-kinds");
    for kind in [DatabaseKind::Plain, DatabaseKind::Replicated, DatabaseKind::Shared] {
        let statements = statements(kind);
        assert!(statements.len() >= 60, "{kind:?}: {}", statements.len());
        for statement in statements {
            tables::execute(&stack, &format!("EXPLAIN AST {statement}"));
        }
    }
}

/// The server looks at columns, version columns, keys, TTL and settings of a replicated table before it notices that it has no
/// Keeper. The path stands here because the default one needs a Replicated database.
#[test]
fn nothing_but_keeper_is_missing_for_the_replicated_tables() {
    let stack = clickhouse("replicated-tables");
    migrate(&settings(&stack));
    tables::execute(&stack, "CREATE DATABASE replica");
    let engine = Regex::new(r"ENGINE = (Replicated\w*MergeTree)(?:\((.*)\))?").unwrap();
    let mut created = 0;
    for statement in statements(DatabaseKind::Replicated) {
        let Some((_, rest)) = statement.split_once("CREATE TABLE IF NOT EXISTS courier.") else {
            continue;
        };
        let name = rest.split_whitespace().next().unwrap();
        let found = engine.captures(rest).unwrap_or_else(|| panic!("{statement}"));
        let more = found
            .get(2)
            .map_or(String::new(), |arguments| format!(", {}", arguments.as_str()));
        let with_path = format!("ENGINE = {}('/courierflow/{name}', 'one'{more})", &found[1]);
        let statement = format!("CREATE TABLE replica.{}", rest.replacen(&found[0], &with_path, 1));
        let error = tables::try_rows(&stack, &statement).unwrap_err();
        assert!(error.starts_with("Code: 225."), "{statement}: {error}");
        created += 1;
    }
    let plain = statements(DatabaseKind::Plain);
    let tables = plain
        .iter()
        .filter(|statement| statement.contains("CREATE TABLE IF NOT EXISTS courier."));
    assert_eq!(created, tables.count());

    // The check above notices what is wrong with such a table.
    let wrong = "CREATE TABLE replica.wrong (a Int8, v String) ENGINE = ReplicatedReplacingMergeTree('/x', 'one', v) ORDER BY a";
    let error = tables::try_rows(&stack, wrong).unwrap_err();
    assert!(error.starts_with("Code: 169."), "{error}");
}

fn engine_of(stack: &dyn Stack, table: &str) -> String {
    let sql = format!("SELECT engine_full FROM system.tables WHERE database = 'courier' AND name = '{table}'");
    tables::rows(stack, &sql)[0]["engine_full"].as_str().unwrap().to_owned()
}

#[test]
fn tables_keep_their_rows_and_views_use_memory_as_configured() {
    let stack = clickhouse("clickhouse-settings");
    let mut settings = settings(&stack);
    let would = check(&settings);
    assert!(
        would.contains(&"applied 001_schema_migration.sql".to_owned()),
        "{would:?}"
    );
    assert!(would.contains(&"created view parcel".to_owned()), "{would:?}");
    assert_eq!(check(&settings), would, "nothing was created");
    assert_eq!(migrate(&settings), would);
    assert_eq!(check(&settings), Vec::<String>::new());
    assert!(engine_of(&stack, "push").contains("toIntervalDay(90)"));

    tables::execute(
        &stack,
        "ALTER TABLE courier.vendor_call MODIFY TTL toDateTime(started_at) + INTERVAL 7 DAY DELETE",
    );
    settings.retention_days = RetentionDays {
        push: Some(30),
        shipment: Some(400),
        transition: Some(0),
        vendor_call: None,
        route_node: Some(60),
    };
    settings.views.max_memory_bytes = 1_000_000_000;
    let would = check(&settings);
    let retention: Vec<&String> = would.iter().filter(|change| change.starts_with("table ")).collect();
    assert_eq!(
        retention,
        [
            "table push keeps its rows for 30 days",
            "table shipment keeps its rows for 400 days",
            "table route_node keeps its rows for 60 days"
        ]
    );
    let views: Vec<&String> = would.iter().filter(|change| change.contains("view ")).collect();
    assert_eq!(views.len(), REFRESHED.len(), "{views:?}");
    assert_eq!(migrate(&settings), would);
    assert_eq!(migrate(&settings), Vec::<String>::new());
    assert!(engine_of(&stack, "push").contains("toDateTime(received_at) + toIntervalDay(30)"));
    assert!(engine_of(&stack, "shipment").contains("toDateTime(first_received_at) + toIntervalDay(400)"));
    assert!(!engine_of(&stack, "transition").contains("TTL"));
    assert!(
        engine_of(&stack, "vendor_call").contains("toIntervalDay(7)"),
        "an operator has set it"
    );
    let limited = tables::rows(
        &stack,
        "SELECT name FROM system.tables WHERE database = 'courier' AND engine = 'MaterializedView'
            AND create_table_query LIKE '%max_memory_usage = 1000000000%'",
    );
    assert_eq!(limited.len(), REFRESHED.len());

    settings.retention_days.push = Some(0);
    assert_eq!(migrate(&settings), ["table push keeps its rows for ever"]);
    assert!(!engine_of(&stack, "push").contains("TTL"));
}

#[test]
fn settings_of_the_configuration_go_with_every_statement() {
    let stack = clickhouse("statement-settings");
    let mut settings = settings(&stack);
    settings.settings.insert("max_threads".to_owned(), "3".to_owned());
    let query = client(&settings)
        .query("SELECT value FROM system.settings WHERE name = 'max_threads'")
        .fetch_one::<String>();
    assert_eq!(runtime().block_on(query).unwrap(), "3");
}

/// The user `courier_views` of the local server has the rights that `docs/configuration.md` names, and no others.
#[test]
fn views_run_as_a_user_of_their_own() {
    let stack = clickhouse("definer");
    let mut settings = settings(&stack);
    migrate(&settings);
    settings.views.definer = Some("courier_views".to_owned());
    let changes = migrate(&settings);
    assert_eq!(
        changes.len(),
        Definitions::embedded().views.len(),
        "all views: {changes:?}"
    );
    let others = tables::rows(
        &stack,
        "SELECT name FROM system.tables WHERE database = 'courier' AND engine LIKE '%View'
            AND create_table_query NOT LIKE '%DEFINER = courier_views SQL SECURITY DEFINER%'",
    );
    assert!(others.is_empty(), "{others:?}");
    tables::refresh_metrics(&stack);
    let failed = tables::rows(
        &stack,
        "SELECT view, exception FROM system.view_refreshes WHERE database = 'courier' AND exception != ''",
    );
    assert!(failed.is_empty(), "{failed:?}");
    tables::rows(&stack, "SELECT count() FROM courier.parcel");

    settings.views.definer = Some("nobody_here".to_owned());
    let refused = runtime()
        .block_on(migrate_clickhouse(&settings, Carriers::built_in()))
        .unwrap_err();
    assert!(refused.to_string().contains("nobody_here"), "{refused}");
}
