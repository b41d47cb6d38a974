//! Replaces views on a live database: those that have changed and those that read them, after the server has accepted all of
//! them under temporary names.
//!
//! 1. A view has changed if the checksum in its comment is not that of its text and of all views that it reads.
//! 2. All changed views are created under temporary names, reading each other, and the server plans them. If it refuses one,
//!    no view was changed. Without this check the server would accept a broken view that has a list of columns, and its
//!    readers would fail.
//! 3. They are replaced, each after what it reads; views without a file are dropped.
//! 4. Views that fill a table are told to do so at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use clickhouse::Row;
use clickhouse::error::Error as ClientError;
use serde::Deserialize;

use super::clickhouse::{Change, Database, MigrateError};
use super::definitions::Definitions;
use super::views::{self, Refresh, View, mark_of};

/// Prefix of the temporary names.
const CHECKED: &str = "migrate_check_";

/// A view of the database.
#[derive(Row, Deserialize)]
struct Present {
    name: String,
    comment: String,
    statement: String,
    /// True for a temporary view left by a `migrate` that was killed.
    is_left_over: bool,
}

/// Creates, replaces and drops views so that they match the definitions.
pub(super) async fn bring_up_to_date(
    database: &Database<'_>,
    definitions: &Definitions,
) -> Result<Vec<Change>, MigrateError> {
    let wanted = views::in_order(&definitions.views, &definitions.splices())?;
    let present = present(database).await?;
    let outdated: Vec<&View> = wanted
        .iter()
        .filter(|view| {
            let mark = present.get(&view.name).and_then(|present| mark_of(&present.comment));
            mark != Some(view.checksum.as_str())
        })
        .collect();
    check_targets(&outdated, &present, database)?;
    // A new database has no views that could break.
    if database.may_change() && !present.is_empty() {
        check(database, &outdated).await?;
    }

    let mut changes = Vec::new();
    let mut to_refresh = Vec::new();
    for view in outdated {
        let is_present = present.contains_key(&view.name);
        if database.may_change() {
            replace(database, view, is_present).await?;
        }
        if is_present && view.refresh.is_some() {
            to_refresh.push(&view.name);
        }
        let view_name = view.name.clone();
        changes.push(if is_present {
            Change::Replaced {
                view: view_name,
                is_refreshing: view.refresh.is_some(),
            }
        } else {
            Change::Created { view: view_name }
        });
    }
    changes.extend(drop_unwanted(database, &wanted, &present).await?);
    if database.may_change() {
        for view in to_refresh {
            refresh(database, view).await?;
        }
    }
    Ok(changes)
}

/// Creates a view, or changes the one that is there.
async fn replace(database: &Database<'_>, view: &View, is_present: bool) -> Result<(), MigrateError> {
    let replaced = match &view.refresh {
        Some(refresh) if is_present => alter(database, view, refresh).await,
        _ => database.execute(&view.create(database.name)).await,
    };
    replaced.map_err(|source| MigrateError::Replace {
        view: view.name.clone(),
        source,
    })
}

async fn present(database: &Database<'_>) -> Result<BTreeMap<String, Present>, MigrateError> {
    let query = format!(
        "SELECT name, comment, create_table_query AS statement,
            startsWith(name, '{CHECKED}') AND metadata_modification_time < now() - INTERVAL 1 HOUR AS is_left_over
        FROM system.tables WHERE database = '{}' AND engine IN ('View', 'MaterializedView')",
        database.name
    );
    let rows: Vec<Present> = database.rows(&query).await?;
    Ok(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
}

/// Fails if a refreshable view would have to fill another table, which the server cannot change.
fn check_targets(
    outdated: &[&View],
    present: &BTreeMap<String, Present>,
    database: &Database<'_>,
) -> Result<(), MigrateError> {
    for view in outdated {
        if let Some(Refresh { target, .. }) = &view.refresh
            && let Some(present) = present.get(&view.name)
            && !present.statement.contains(&format!(" TO {}.{target} ", database.name))
        {
            return Err(MigrateError::Target {
                view: view.name.clone(),
                target: target.clone(),
            });
        }
    }
    Ok(())
}

/// Has the server check all new views before any is replaced.
async fn check(database: &Database<'_>, outdated: &[&View]) -> Result<(), MigrateError> {
    let run = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let checked_names: BTreeMap<String, String> = outdated
        .iter()
        .map(|view| {
            let own = format!("{CHECKED}{run:x}_{}_{}", std::process::id(), view.name);
            (view.name.clone(), own)
        })
        .collect();
    let mut outcome = Ok(());
    for view in outdated {
        outcome = check_one(database, view, &checked_names).await;
        if outcome.is_err() {
            break;
        }
    }
    for name in checked_names.values() {
        database
            .execute(&format!("DROP VIEW IF EXISTS {}.{name}", database.name))
            .await
            .map_err(|source| database.server(source))?;
    }
    outcome
}

async fn check_one(
    database: &Database<'_>,
    view: &View,
    checked_names: &BTreeMap<String, String>,
) -> Result<(), MigrateError> {
    let Some(name) = checked_names.get(&view.name) else {
        return Ok(());
    };
    let refused = |source| MigrateError::Refused {
        view: view.name.clone(),
        source,
    };
    let create = view.create_as(name, database.name, checked_names);
    database.execute(&create).await.map_err(refused)?;
    // Only planning finds a missing column: CREATE accepts a view with a list of columns without checking it.
    let plan = format!(
        "EXPLAIN SELECT * FROM {}.{name}{}",
        database.name,
        view.sample_arguments()
    );
    database.execute(&plan).await.map_err(refused)?;
    match &view.refresh {
        Some(refresh) => check_columns(database, view, name, &refresh.target).await,
        None => Ok(()),
    }
}

/// A column of the table that is missing in the view would be filled with defaults.
async fn check_columns(
    database: &Database<'_>,
    view: &View,
    checked_name: &str,
    target: &str,
) -> Result<(), MigrateError> {
    let given = columns(database, checked_name).await?;
    let wanted = columns(database, target).await?;
    if given == wanted {
        return Ok(());
    }
    let only = |some: &BTreeSet<String>, others: &BTreeSet<String>| {
        let only: Vec<&str> = some.difference(others).map(String::as_str).collect();
        if only.is_empty() {
            "no others".to_owned()
        } else {
            only.join(", ")
        }
    };
    Err(MigrateError::Columns {
        view: view.name.clone(),
        given: only(&given, &wanted),
        target: target.to_owned(),
        wanted: only(&wanted, &given),
    })
}

async fn columns(database: &Database<'_>, relation: &str) -> Result<BTreeSet<String>, MigrateError> {
    let query = format!(
        "SELECT name FROM system.columns WHERE database = '{}' AND table = '{relation}'",
        database.name
    );
    let names: Vec<String> = database.rows(&query).await?;
    Ok(names.into_iter().collect())
}

async fn alter(database: &Database<'_>, view: &View, refresh: &Refresh) -> Result<(), ClientError> {
    for statement in view.alter(refresh, database.name) {
        database.execute(&statement).await?;
    }
    Ok(())
}

/// Drops views of an older version and those that a killed `migrate` left; views of others stay.
async fn drop_unwanted(
    database: &Database<'_>,
    wanted: &[View],
    present: &BTreeMap<String, Present>,
) -> Result<Vec<Change>, MigrateError> {
    let mut changes = Vec::new();
    for view in present.values() {
        let is_wanted = wanted.iter().any(|wanted| wanted.name == view.name);
        let is_ours = mark_of(&view.comment).is_some();
        if view.is_left_over || is_ours && !is_wanted {
            if database.may_change() {
                let statement = format!("DROP VIEW IF EXISTS {}.{}", database.name, view.name);
                let dropped = database.execute(&statement).await;
                dropped.map_err(|source| MigrateError::Replace {
                    view: view.name.clone(),
                    source,
                })?;
            }
            changes.push(Change::Dropped {
                view: view.name.clone(),
            });
        }
    }
    Ok(changes)
}

/// A refresh that is running uses the old query, so it is cancelled and started again.
async fn refresh(database: &Database<'_>, view: &str) -> Result<(), MigrateError> {
    for verb in ["CANCEL", "REFRESH"] {
        database
            .execute(&format!("SYSTEM {verb} VIEW {}.{view}", database.name))
            .await
            .map_err(|source| MigrateError::Replace {
                view: view.to_owned(),
                source,
            })?;
    }
    Ok(())
}
