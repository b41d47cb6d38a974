//! Brings topics, schemas and tables to the state that this version of the program needs. What is already right is left
//! alone. Development and production use the same code.

mod carriers;
pub mod clickhouse;
mod copies;
pub mod definitions;
mod grow;
mod internal_topics;
mod move_state;
pub mod names;
mod replace;
mod requeue;
mod tables;
mod topics;
pub mod views;

use anyhow::Context;
use courierflow_schemas::registry::Registry;

use crate::config::Config;
pub use grow::grow;

/// What was changed, one line each, and what an operator should look at.
#[derive(Debug, Default)]
pub struct Report {
    /// Changes, in order.
    pub changes: Vec<String>,
    /// Things that a migration leaves as they are.
    pub warnings: Vec<String>,
}

/// Runs every step.
pub async fn run(config: &Config) -> anyhow::Result<Report> {
    let mut report = topics::migrate(config).await.context("topics")?;
    report.changes.extend(schemas(config).await.context("schemas")?);
    let of_database = clickhouse::migrate_clickhouse(&config.clickhouse, config.carriers)
        .await
        .context("tables and views")?;
    report.changes.extend(of_database.iter().map(ToString::to_string));
    Ok(report)
}

async fn schemas(config: &Config) -> anyhow::Result<Vec<String>> {
    let registry = Registry::new(&config.registry);
    let migrated = tokio::task::spawn_blocking(move || registry.migrate()).await??;
    Ok(migrated.changes)
}
