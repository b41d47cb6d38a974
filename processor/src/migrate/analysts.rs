//! The role for people and programs that ask their own questions: what it may read, as statements. Pure.
//!
//! `migrate` makes no users and no roles. On many servers they are kept elsewhere (in files, in LDAP, by an operator of Kubernetes), and whoever
//! may make tables may not give rights. So the statements are printed, by `processor migrate --print-grants`, and an administrator runs them.

use super::clickhouse::MigrateError;
use super::definitions::Definitions;
use super::views::{self, in_database};

/// Tables that `docs/contracts.md` and `docs/metrics.md` describe. Not here: what the sink and `migrate` note for themselves, and the halves that
/// refreshes fill, of which views show the whole.
const TABLES: [&str; 14] = [
    "annotation",
    "calendar",
    "carrier_mapping",
    "data_quality_daily",
    "open_parcel",
    "performance_change",
    "push",
    "route_node",
    "shipment",
    "sla_promise",
    "subscription",
    "transition",
    "unknown_wording",
    "vendor_call",
];

/// Tables and views that are described for readers, sorted by name.
pub fn readable(definitions: &Definitions) -> Result<Vec<String>, MigrateError> {
    let views = views::in_order(&definitions.views, &definitions.splices())?;
    let described = views
        .iter()
        .filter(|view| view.refresh.is_none() && view.has_described_columns())
        .map(|view| view.name.clone());
    let mut names: Vec<String> = TABLES
        .iter()
        .map(|table| (*table).to_owned())
        .chain(described)
        .collect();
    names.sort();
    Ok(names)
}

/// The statements that make the role and give it its rights. They may be run again, and are after a release that adds a view.
///
/// With `final` a query for which nobody wrote FINAL counts no row twice: programs that write SQL by themselves do not know the word.
pub fn statements(role: &str, database: &str, definitions: &Definitions) -> Result<String, MigrateError> {
    let names = readable(definitions)?;
    let grants: Vec<String> = names
        .iter()
        .map(|name| format!("    SELECT ON {{database}}.{name}"))
        .collect();
    let grants = format!("GRANT\n{}\nTO {role};\n", grants.join(",\n"));
    let role = format!("CREATE ROLE IF NOT EXISTS {role} SETTINGS final = 1;\n");
    Ok(in_database(&format!("{role}\n{grants}"), database))
}
