//! Brings topics, schemas and tables to the state that this version of the program needs. What is already right is left
//! alone. Development and production use the same code.

pub mod analysts;
mod carriers;
pub mod clickhouse;
mod copies;
pub mod ddl;
pub mod definitions;
mod functions;
mod grow;
mod internal_topics;
pub mod kind;
mod move_calls;
mod move_state;
pub mod names;
mod replace;
mod requeue;
mod retention;
mod tables;
mod topic_settings;
mod topics;
pub mod views;

use anyhow::Context;
use clap::ValueEnum;
use courierflow_schemas::registry::Registry;

use self::clickhouse::{Change, MigrateError};
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

/// A part of the system that is brought up to date by itself: others may own the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The topics of Kafka.
    Topics,
    /// The schemas of the registry.
    Schemas,
    /// Tables and views of `ClickHouse`.
    Tables,
    /// Functions of `ClickHouse`, which belong to the server.
    Functions,
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which parts, in this order.
    pub parts: Vec<Part>,
    /// If false, it is only said what would be changed.
    pub may_change: bool,
}

impl Plan {
    /// Everything is brought up to date.
    pub fn all() -> Self {
        Self {
            parts: Part::value_variants().to_vec(),
            may_change: true,
        }
    }
}

/// Runs the steps of a plan.
pub async fn run(config: &Config, plan: &Plan) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for part in &plan.parts {
        match part {
            Part::Topics => {
                let of_topics = topics::migrate(config, plan.may_change).await.context("topics")?;
                report.changes.extend(of_topics.changes);
                report.warnings.extend(of_topics.warnings);
            }
            Part::Schemas => {
                let changes = schemas(config, plan.may_change).await.context("schemas")?;
                report.changes.extend(changes);
            }
            Part::Tables => {
                let changes = tables(config, plan.may_change).await.context("tables and views")?;
                report.changes.extend(changes.iter().map(ToString::to_string));
            }
            Part::Functions => {
                let migrated = functions::migrate(&config.clickhouse, plan.may_change).await;
                let of_functions = migrated.context("functions")?;
                report.changes.extend(of_functions.changes);
                report.warnings.extend(of_functions.warnings);
            }
        }
    }
    Ok(report)
}

async fn schemas(config: &Config, may_change: bool) -> anyhow::Result<Vec<String>> {
    let registry = Registry::new(&config.registry);
    let changes = tokio::task::spawn_blocking(move || {
        if may_change {
            registry.migrate().map(|migrated| migrated.changes)
        } else {
            registry.check()
        }
    });
    Ok(changes.await??)
}

async fn tables(config: &Config, may_change: bool) -> Result<Vec<Change>, MigrateError> {
    if may_change {
        clickhouse::migrate_clickhouse(&config.clickhouse, config.carriers).await
    } else {
        clickhouse::check_clickhouse(&config.clickhouse, config.carriers).await
    }
}
