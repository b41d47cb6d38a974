//! The definition of a metric is changed in one file, on a database with data, and `migrate` updates the figure.

use courierflow_processor::config::ClickHouseSettings;
use courierflow_processor::migrate::clickhouse::{Change, MigrateError, migrate_clickhouse, migrate_views_of};
use courierflow_processor::migrate::definitions::Definitions;
use courierflow_schemas::carriers::Carriers;
use courierflow_tests::measures::{insert_shipments, shipment_at};
use courierflow_tests::oracle::ShipmentRow;
use courierflow_tests::stack::{self, Server, Stack};
use serde_json::{Value, json};

use crate::harness::{eventually, tables};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn clickhouse(name: &str) -> Box<dyn Stack> {
    stack::start_with(name, &[Server::ClickHouse]).expect("ClickHouse starts")
}

fn try_migrate(stack: &dyn Stack, definitions: &Definitions) -> Result<Vec<Change>, MigrateError> {
    let settings = ClickHouseSettings {
        url: stack.clickhouse_url(),
        ..ClickHouseSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .unwrap()
        .block_on(migrate_views_of(&settings, Carriers::built_in(), definitions))
}

/// The changes that `migrate` reports, one line each.
fn migrate(stack: &dyn Stack, definitions: &Definitions) -> Vec<String> {
    let changes = try_migrate(stack, definitions).unwrap();
    changes.iter().map(ToString::to_string).collect()
}

/// Definitions with one text changed, which must be there.
fn with_formula(from: &str, to: &str) -> Definitions {
    let mut definitions = Definitions::embedded();
    assert!(definitions.formulas.contains(from), "{from}");
    definitions.formulas = definitions.formulas.replace(from, to);
    definitions
}

fn with_view(mut definitions: Definitions, view: &str, from: &str, to: &str) -> Definitions {
    let text = definitions.views.get_mut(view).unwrap();
    assert!(text.contains(from), "{from}");
    *text = text.replace(from, to);
    definitions
}

/// Syscalls of the server so far that wait for the disk: of files and of directories.
fn flushes(stack: &dyn Stack) -> (u64, u64) {
    let rows = tables::rows(
        stack,
        "SELECT sumIf(value, event = 'FileSync') AS files, sumIf(value, event = 'DirectorySync') AS directories
         FROM system.events",
    );
    let of = |name: &str| rows[0][name].as_u64().unwrap();
    (of("files"), of("directories"))
}

#[test]
fn an_acknowledged_insert_is_on_the_disk_and_so_is_what_is_merged() {
    let stack = clickhouse("flushed-inserts");
    migrate(&stack, &Definitions::embedded());
    // As a replay and `load-sla` make tables.
    for table in ["shipment", "transition", "sla_promise", "calendar"] {
        tables::execute(
            &stack,
            &format!("CREATE TABLE courier.{table}_fresh AS courier.{table}"),
        );
    }
    for table in [
        "push",
        "route_node",
        "shipment",
        "shipment_fresh",
        "transition",
        "transition_fresh",
        "subscription",
        "vendor_call",
        "annotation",
        "sla_promise",
        "sla_promise_fresh",
        "calendar",
        "calendar_fresh",
        "sink_offset",
        "sink_start",
        "reconcile_gap",
    ] {
        let (files, directories) = flushes(&stack);
        tables::execute(&stack, &format!("INSERT INTO courier.{table} FORMAT JSONEachRow {{}}"));
        let after = flushes(&stack);
        assert!(
            after.0 > files && after.1 > directories,
            "{table}: {files}, {directories} to {after:?}"
        );
        tables::execute(&stack, &format!("OPTIMIZE TABLE courier.{table} FINAL"));
        let (merged, _) = flushes(&stack);
        // Its row is so old that the merge deletes it.
        let is_empty = table == "reconcile_gap";
        assert!(is_empty || merged > after.0, "merged {table}: {merged} after {after:?}");
    }
}

/// Ten parcels of one carrier, picked up ten days ago: half were delivered after 20 h, the others after 30 h.
fn insert_parcels(stack: &dyn Stack) {
    let picked_up_at = (super::metrics::now() - 10 * DAY + 8 * HOUR).div_euclid(DAY) * DAY + 4 * HOUR;
    let parcel = |number: i64| -> ShipmentRow {
        let delivered_at = picked_up_at + if number < 5 { 20 } else { 30 } * HOUR;
        let mut row = shipment_at("sf", &format!("SF{number}"), picked_up_at);
        row.picked_up_at = Some(picked_up_at);
        "DELIVERED".clone_into(&mut row.status);
        row.delivered_at = Some(delivered_at);
        row.first_attempt_at = Some(delivered_at);
        row.attempts = 1;
        row
    };
    let rows: Vec<ShipmentRow> = (0..10).map(parcel).collect();
    tables::execute(stack, &insert_shipments("courier", &rows));
    tables::refresh_metrics(stack);
}

/// A figure of all parcels; `None` without any.
fn score(stack: &dyn Stack, column: &str) -> Option<f64> {
    let sql = format!(
        "SELECT {column} AS figure FROM courier.carrier_scorecard(from_date = '2000-01-01', to_date = '2100-01-01', \
         vendor = '', origin = '', dest = '')"
    );
    tables::rows(stack, &sql).pop()?["figure"].as_f64()
}

/// Names, identities and texts of all tables and views: a table that was copied or created again has another
/// identity.
fn relations(stack: &dyn Stack, condition: &str) -> Vec<Value> {
    let sql = format!(
        "SELECT name, toString(uuid) AS uuid, create_table_query FROM system.tables \
         WHERE database = 'courier' AND {condition} ORDER BY name"
    );
    tables::rows(stack, &sql)
}

/// Every view can be queried.
fn assert_every_view_can_be_read(stack: &dyn Stack, definitions: &Definitions) {
    for (view, text) in &definitions.views {
        let arguments: Vec<String> = [
            ("from_date", "2000-01-01"),
            ("to_date", "2100-01-01"),
            ("received_from", "2000-01-01 00:00:00"),
            ("recent_from", "2000-01-01"),
            ("as_of", "2100-01-01 00:00:00"),
            ("older_as_of", "2100-01-01 00:00:00"),
            ("vendor", ""),
            ("origin", ""),
            ("dest", ""),
            ("carrier", ""),
            ("lane_level", "province"),
        ]
        .iter()
        .filter(|(name, _)| {
            let expanded = definitions.splices().expand(text).unwrap();
            expanded.contains(&format!("{{{name}:"))
        })
        .map(|(name, value)| format!("{name} = '{value}'"))
        .collect();
        let arguments = if arguments.is_empty() {
            String::new()
        } else {
            format!("({})", arguments.join(", "))
        };
        tables::try_rows(stack, &format!("SELECT * FROM courier.{view}{arguments} LIMIT 1"))
            .unwrap_or_else(|error| panic!("{view}: {error}"));
    }
}

const IS_TABLE: &str = "engine LIKE '%MergeTree'";
const IS_VIEW: &str = "engine IN ('View', 'MaterializedView')";

#[test]
fn a_changed_formula_changes_the_figure_and_copies_nothing() {
    let stack = clickhouse("migration-formula");
    let definitions = Definitions::embedded();
    let created = migrate(&stack, &definitions);
    assert!(
        created.contains(&"created view carrier_scorecard".to_owned()),
        "{created:?}"
    );
    assert_eq!(
        migrate(&stack, &definitions),
        Vec::<String>::new(),
        "the second time there is nothing to do"
    );
    insert_parcels(&stack);
    assert_eq!(score(&stack, "rate_24h"), Some(0.5));
    let tables_before = relations(&stack, IS_TABLE);
    let parts = "SELECT table, name, modification_time FROM system.parts WHERE database = 'courier' AND active \
                 AND table IN ('shipment', 'carrier_daily_recent') ORDER BY table, name";
    let parts_before = tables::rows(&stack, parts);

    // A rate of carrier_daily: the views that show it.
    let changed = with_formula(
        "share(within_24h, due_24h) AS rate_24h",
        "share(within_48h, due_24h) AS rate_24h",
    );
    let said = migrate(&stack, &changed);
    assert_eq!(
        said,
        [
            "replaced view carrier_by_day",
            "replaced view carrier_by_month",
            "replaced view carrier_by_week",
            "replaced view carrier_lane_last_30_days",
            "replaced view carrier_last_30_days",
            "replaced view carrier_scorecard",
            "replaced view carrier_trend",
            "replaced view lane_by_month",
            "replaced view lane_last_30_days",
            "replaced view lane_transit"
        ]
    );
    assert_eq!(score(&stack, "rate_24h"), Some(1.0));
    assert_eq!(score(&stack, "rate_48h"), Some(1.0));
    assert_eq!(relations(&stack, IS_TABLE), tables_before);
    assert_eq!(tables::rows(&stack, parts), parts_before, "no row has moved");
    assert_every_view_can_be_read(&stack, &changed);
    assert_eq!(migrate(&stack, &changed), Vec::<String>::new());

    // And back.
    migrate(&stack, &definitions);
    assert_eq!(score(&stack, "rate_24h"), Some(0.5));
}

#[test]
fn what_reads_a_changed_view_is_replaced_after_it_and_refreshed() {
    let stack = clickhouse("migration-order");
    migrate(&stack, &Definitions::embedded());
    insert_parcels(&stack);
    assert_eq!(score(&stack, "parcels"), Some(10.0));
    let tables_before = relations(&stack, IS_TABLE);

    // View parcel, at the bottom, defines what counts as a parcel of a cohort. carrier_count reads it, and the refreshes read
    // carrier_count.
    let changed = with_view(
        Definitions::embedded(),
        "parcel",
        "isNotNull(picked_up_at) AND status != 'CANCELLED' AND",
        "isNotNull(picked_up_at) AND shipment.tracking_number != 'SF0' AND status != 'CANCELLED' AND",
    );
    let said = migrate(&stack, &changed);
    let place = |line: &str| {
        let place = said.iter().position(|said| said == line);
        place.unwrap_or_else(|| panic!("{line} is not in {said:?}"))
    };
    let parcel = place("replaced view parcel");
    let count = place("replaced view carrier_count");
    let recent = place("replaced view carrier_daily_recent_refresh, which refreshes its table now");
    assert!(parcel < count && count < recent, "{said:?}");
    place("replaced view exception_daily_older_refresh, which refreshes its table now");
    assert!(
        !said.iter().any(|line| line.contains("carrier_scorecard")),
        "it reads the table: {said:?}"
    );

    // The refresh is not requested here; the next scheduled one may be ten minutes away.
    eventually("the figure follows", || match score(&stack, "parcels") {
        Some(9.0) => Ok(()),
        figure => Err(format!("{figure:?}")),
    });
    let is_target = |row: &&Value| {
        let name = row["name"].as_str().unwrap_or_default();
        ["_recent", "_older", "open_parcel", "data_quality_daily", "unknown_wording", "performance_change"]
            .iter()
            .any(|end| name.ends_with(end))
            // A table that a refresh is filling at the moment.
            || name.starts_with(".tmp")
    };
    // A refresh replaces its target with a new table; all other tables are the same.
    let others = |rows: Vec<Value>| rows.into_iter().filter(|row| !is_target(&row)).collect::<Vec<_>>();
    assert_eq!(others(relations(&stack, IS_TABLE)), others(tables_before));
    assert_every_view_can_be_read(&stack, &changed);
}

#[test]
fn a_view_that_cannot_be_leaves_everything_as_it_was() {
    let stack = clickhouse("migration-failure");
    let definitions = Definitions::embedded();
    migrate(&stack, &definitions);
    insert_parcels(&stack);
    let before = relations(&stack, IS_VIEW);
    let assert_refused = |broken: &Definitions, expected: &str| {
        let error = try_migrate(&stack, broken).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(relations(&stack, IS_VIEW), before, "{error}");
        assert_eq!(score(&stack, "rate_24h"), Some(0.5), "{error}");
    };

    // The server would accept it: a view with parameters and a list of columns is only checked when it is read.
    let mistyped = with_formula(
        "share(within_24h, due_24h) AS rate_24h",
        "share(within_25h, due_24h) AS rate_24h",
    );
    assert_refused(&mistyped, "view carrier_by_day cannot be what its file says");

    // The view itself is valid, but its readers are not; other valid changes are not made either.
    let mut renamed = with_view(definitions.clone(), "parcel", "`is_refused` ", "`was_refused`");
    let parcel = renamed.views.get_mut("parcel").unwrap();
    *parcel = parcel.replace(" AS is_refused,", " AS was_refused,");
    let renamed = with_view(
        renamed,
        "exception_name",
        "nullIf(named.sub_status, '')",
        "nullIf(named.sub_status, 'x')",
    );
    assert_refused(&renamed, "view cohort_parcel cannot be what its file says");

    // The view and its table must have the same columns.
    let narrower = with_view(definitions.clone(), "open_parcel_refresh", "    raw_code,\n", "");
    assert_refused(&narrower, "raw_code");
    let wider = with_view(
        definitions.clone(),
        "open_parcel_refresh",
        "    raw_code,\n",
        "    raw_code,\n    1 AS one,\n",
    );
    assert_refused(&wider, "gives the columns one, its table open_parcel has no others");

    assert_refused(
        &with_view(definitions.clone(), "parcel", "{formula:span}", "{formula:spun}"),
        "{formula:spun}",
    );
    let elsewhere = with_view(
        definitions.clone(),
        "open_parcel_refresh",
        "TO {database}.open_parcel\n",
        "TO {database}.push\n",
    );
    assert_refused(&elsewhere, "fills another table than push");

    assert_eq!(
        migrate(&stack, &definitions),
        Vec::<String>::new(),
        "nothing was changed"
    );
}

#[test]
fn a_new_column_comes_by_a_table_first_and_then_by_its_view() {
    let stack = clickhouse("migration-column");
    migrate(&stack, &Definitions::embedded());
    insert_parcels(&stack);
    let changed = with_view(
        Definitions::embedded(),
        "carrier_count",
        "    sum(by_city.cancelled) AS cancelled,\n",
        "    sum(by_city.cancelled) AS cancelled,\n    sum(by_city.cancelled) + 7 AS cancelled_and_seven,\n",
    );
    let error = try_migrate(&stack, &changed).unwrap_err().to_string();
    assert!(error.contains("gives the columns cancelled_and_seven"), "{error}");

    // As a new file in tables/ would do.
    for half in ["recent", "older"] {
        let add =
            format!("ALTER TABLE courier.carrier_daily_{half} ADD COLUMN cancelled_and_seven UInt64 AFTER cancelled");
        tables::execute(&stack, &add);
    }
    migrate(&stack, &changed);
    let sql = "SELECT max(cancelled_and_seven) AS figure FROM courier.carrier_daily_recent";
    eventually(
        "the new column is filled",
        || match tables::rows(&stack, sql)[0]["figure"].as_u64() {
            Some(7) => Ok(()),
            figure => Err(format!("{figure:?}")),
        },
    );
}

#[test]
fn a_view_without_a_file_is_dropped_and_those_of_others_stay() {
    let stack = clickhouse("migration-dropped");
    let definitions = Definitions::embedded();
    migrate(&stack, &definitions);
    tables::execute(
        &stack,
        "CREATE VIEW courier.somebody_elses AS SELECT 1 COMMENT 'of [somebody]'",
    );
    let mut fewer = definitions.clone();
    fewer.views.remove("transit_distribution").unwrap();
    fewer.views.remove("data_quality_refresh").unwrap();
    assert_eq!(
        migrate(&stack, &fewer),
        ["dropped view data_quality_refresh", "dropped view transit_distribution"]
    );
    let names: Vec<String> = relations(
        &stack,
        "name IN ('somebody_elses', 'transit_distribution', 'data_quality_daily')",
    )
    .iter()
    .map(|row| row["name"].as_str().unwrap().to_owned())
    .collect();
    assert_eq!(
        names,
        ["data_quality_daily", "somebody_elses"],
        "what the refresh filled stays"
    );

    // A view that was dropped or replaced by hand is restored.
    tables::execute(&stack, "DROP VIEW courier.carrier_trend");
    tables::execute(&stack, "CREATE OR REPLACE VIEW courier.exception_name AS SELECT 1");
    assert_eq!(
        migrate(&stack, &definitions),
        [
            "created view data_quality_refresh",
            "created view carrier_trend",
            "replaced view exception_name",
            "created view transit_distribution",
        ]
    );
}

#[test]
fn the_schedule_of_a_refresh_is_changed_in_its_file() {
    let stack = clickhouse("migration-schedule");
    migrate(&stack, &Definitions::embedded());
    let schedule = || {
        let rows = relations(&stack, "name = 'open_parcel_refresh'");
        rows[0]["create_table_query"].as_str().unwrap().to_owned()
    };
    assert!(
        schedule().contains("REFRESH EVERY 5 MINUTE OFFSET 2 MINUTE"),
        "{}",
        schedule()
    );
    let changed = with_view(
        Definitions::embedded(),
        "open_parcel_refresh",
        "REFRESH EVERY 5 MINUTE OFFSET 2 MINUTE",
        "REFRESH EVERY 7 MINUTE",
    );
    assert_eq!(
        migrate(&stack, &changed),
        ["replaced view open_parcel_refresh, which refreshes its table now"]
    );
    assert!(schedule().contains("REFRESH EVERY 7 MINUTE"), "{}", schedule());
    assert!(schedule().contains("refresh_retries = 2"), "{}", schedule());
}

#[test]
fn two_migrates_at_the_same_time_do_no_harm() {
    let stack = clickhouse("migration-two");
    let definitions = Definitions::embedded();
    let at_once = |definitions: &Definitions| {
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| migrate(&stack, definitions))).collect();
            for run in runs {
                run.join().unwrap();
            }
        });
        assert_eq!(migrate(&stack, definitions), Vec::<String>::new());
        assert_every_view_can_be_read(&stack, definitions);
        let left_over = relations(
            &stack,
            "startsWith(name, 'migrate_check_') OR startsWith(name, '_tmp_replace')",
        );
        assert_eq!(left_over, Vec::<Value>::new());
    };
    // A new database.
    at_once(&definitions);
    insert_parcels(&stack);
    // A database with data, where most views change.
    let changed = with_view(
        definitions,
        "vendor_fact",
        "SELECT *",
        "SELECT vendor, name_zh, name_en, stale_days, unit, unit_days",
    );
    at_once(&changed);
    assert_eq!(score(&stack, "rate_24h"), Some(0.5));
}

#[test]
fn rows_of_before_there_were_queries_were_told_by_pushes() {
    let stack = clickhouse("migration-origin");
    let definitions = Definitions::embedded();
    migrate(&stack, &definitions);
    let execute = |sql: &str| tables::execute(&stack, sql);
    // As it was before 016.
    execute("SYSTEM STOP VIEW courier.data_quality_refresh");
    execute("ALTER TABLE courier.push DROP COLUMN origin, DROP COLUMN query_reason");
    execute("ALTER TABLE courier.shipment DROP COLUMN event.origin, DROP COLUMN last_push_at");
    execute("ALTER TABLE courier.transition DROP COLUMN origin");
    execute("DELETE FROM courier.schema_migration WHERE number = 16 SETTINGS lightweight_deletes_sync = 2");
    let columns = [
        "id",
        "occurred_at",
        "local_time",
        "status",
        "sub_status",
        "raw_code",
        "segment",
        "area_code",
        "location",
        "context",
    ];
    let columns = columns.map(|column| format!("`event.{column}`")).join(", ");
    execute(&format!(
        "INSERT INTO courier.shipment (tracking_number, {columns}) \
         SELECT 'OLD1', [1, 2], [3, 4], a, a, a, a, a, a, a, a FROM (SELECT ['', ''] AS a)"
    ));
    execute("INSERT INTO courier.push (tracking_number, received_at) SELECT 'OLD1', now64(6)");
    execute("INSERT INTO courier.transition (tracking_number) SELECT 'OLD1'");

    assert_eq!(migrate(&stack, &definitions), ["applied 016_origin.sql"]);
    let shown = |sql: &str| tables::rows(&stack, sql).pop().unwrap();
    // A column alone, and beside another one.
    assert_eq!(
        shown("SELECT event.origin AS origins FROM courier.shipment"),
        json!({"origins": ["PUSH", "PUSH"]})
    );
    assert_eq!(
        shown("SELECT event.id AS ids, event.origin AS origins, last_push_at FROM courier.shipment FINAL"),
        json!({"ids": [1, 2], "origins": ["PUSH", "PUSH"], "last_push_at": null})
    );
    assert_eq!(
        shown("SELECT origin, query_reason FROM courier.push"),
        json!({"origin": "PUSH", "query_reason": null})
    );
    assert_eq!(
        shown("SELECT origin FROM courier.transition"),
        json!({"origin": "PUSH"})
    );
    assert_eq!(
        shown("SELECT count() AS rows FROM courier.shipment ARRAY JOIN event WHERE event.origin = 'PUSH'"),
        json!({"rows": 2})
    );
    assert_every_view_can_be_read(&stack, &definitions);
}

#[test]
fn a_database_of_other_files_is_refused_with_what_to_do() {
    let stack = clickhouse("migration-former");
    migrate(&stack, &Definitions::embedded());
    tables::execute(
        &stack,
        "INSERT INTO courier.schema_migration SELECT 6, '006_parcel.sql', '0123456789abcdef', now64(3, 'UTC')",
    );
    let error = try_migrate(&stack, &Definitions::embedded()).unwrap_err().to_string();
    for part in ["006_carrier_daily.sql", "006_parcel.sql", "./dev down --wipe"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_table_of_carriers_follows_the_mapping_and_a_view_lists_what_it_lacks() {
    let stack = clickhouse("migration-carriers");
    let settings = ClickHouseSettings {
        url: stack.clickhouse_url(),
        ..ClickHouseSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap();
    let migrate = |carriers: &Carriers| -> Vec<String> {
        let changes = runtime.block_on(migrate_clickhouse(&settings, carriers)).unwrap();
        changes.iter().map(ToString::to_string).collect()
    };
    let said = migrate(Carriers::built_in());
    assert!(
        said.contains(&"replaced the mapping of carriers: 2169 codes".to_owned()),
        "{said:?}"
    );
    assert_eq!(migrate(Carriers::built_in()), Vec::<String>::new());

    let received_at = super::metrics::now() - DAY;
    let parcel = |vendor: &str, carrier: &str, number: &str, at: i64| {
        let mut row = shipment_at(carrier, number, at);
        vendor.clone_into(&mut row.vendor);
        row
    };
    let rows = [
        parcel("kdniao", "fwx", "A1", received_at),
        parcel("kdniao", "fwx", "A2", received_at + HOUR),
        parcel("kdniao", "kdniao.danniao", "B1", received_at),
        parcel("kuaidi100", "某快递", "C1", received_at),
        parcel("kuaidi100", "yto", "D1", received_at),
        parcel("kuaidi100", "unknown", "E1", received_at),
    ];
    tables::execute(&stack, &insert_shipments("courier", &rows));
    let unmapped = || -> Vec<String> {
        let sql = "SELECT concat(vendor, ' ', code, ' ', carrier, ' ', toString(parcels), ' ', last_parcel) AS line \
                   FROM courier.unmapped_carrier ORDER BY parcels DESC, code";
        let rows = tables::rows(&stack, sql);
        rows.iter()
            .map(|row| row["line"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        unmapped(),
        [
            "kdniao fwx fwx 2 A2",
            "kdniao danniao kdniao.danniao 1 B1",
            "kuaidi100 某快递 某快递 1 C1"
        ]
    );

    // An operator's own rows: the codes leave the list, although the parcels keep them.
    let own =
        "vendor,code,carrier,name,name_en\nkdniao,FWX,fengwang,丰网,Fengwang\nkdniao,danniao,danniao,丹鸟,Danniao\n";
    let carriers = Carriers::with_file(own.as_bytes()).unwrap();
    assert_eq!(migrate(&carriers), ["replaced the mapping of carriers: 2171 codes"]);
    assert_eq!(unmapped(), ["kuaidi100 某快递 某快递 1 C1"]);
    let left = relations(&stack, "name LIKE 'carrier_mapping%'");
    assert_eq!(left.len(), 1, "nothing is left over: {left:?}");
}
