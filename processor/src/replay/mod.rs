//! `processor replay` derives the push events that the topic still holds again with this version, into fresh tables beside
//! the present ones. It reports what would change and, on request, exchanges the tables. This repairs a mistake in a mapping
//! for the past, too; on the topics, a parcel that is still under way is repaired by its next push.
//!
//! * [`pushes`] reads the topic, partition by partition.
//! * [`partition`] derives one partition as derive does, and makes the rows that the sink would make.
//! * [`row_buffer`] collects them into batches.
//! * [`tables`] creates the fresh tables, compares and exchanges them.
//! * [`sinks`] are the consumer groups that fill the present ones.

mod counts;
mod partition;
mod pushes;
mod row_buffer;
mod sinks;
mod tables;

use std::fmt;
use std::io::Write;

use courierflow_schemas::records::TimestampMicros;
use courierflow_schemas::registry::{Registry, RegistryError, SchemaIds};
use courierflow_schemas::settings::SettingsError;
use courierflow_schemas::wire::DecodeError;
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::bounded_read::ReadError;
use crate::config::Config;
use crate::sink::NotKnown;
pub use counts::Counts;
use pushes::Pushes;
use tables::Tables;
pub use tables::{CarrierFigures, Difference};

/// What to replay.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Only push events from this time on; all if missing.
    pub from: Option<Timestamp>,
    /// Whether to exchange the fresh tables for the present ones.
    pub exchange: bool,
}

/// The result of a replay.
#[derive(Debug)]
pub struct Report {
    /// Push events.
    pub counts: Counts,
    /// Parcels first received before this were not derived again, because not all of their pushes were read.
    pub covered_from: Option<TimestampMicros>,
    /// Differences between the fresh and the present tables.
    pub difference: Difference,
}

/// Why a replay failed. Nothing was exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The push events cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The key for ids is missing.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The schemas are not known.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registry could not be asked for the schema of a record.
    #[error("not now: {0}")]
    NotNow(DecodeError),
    /// A record that was just derived cannot be decoded.
    #[error("a derived record: {0}")]
    Derived(#[from] DecodeError),
    /// The last record of a shipment is needed but missing: a bug.
    #[error("a shipment is remembered and its record is not")]
    Forgotten,
    /// An error of the server.
    #[error("ClickHouse")]
    ClickHouse(#[from] clickhouse::error::Error),
    /// There are no push events to derive.
    #[error("there are no push events since then")]
    NoPushes,
    /// A sink is running, which would write into tables that are about to be exchanged.
    #[error("a sink is running (consumer group {0}): stop it first, it goes on afterwards where it was")]
    SinkIsRunning(String),
    /// A sink has run meanwhile: the present tables have rows that the fresh ones lack.
    #[error("a sink was running meanwhile, and has stored more: stop it, and begin again")]
    SinkWasRunning,
    /// ClickHouse does not hold everything that a sink has committed, or may not.
    #[error(
        "{table} may lack rows of partition {partition}, from offset {first} to {committed}: let the sink read them again (until it is \
         ready), stop it, and begin again"
    )]
    RowsMayBeMissing {
        /// The table.
        table: &'static str,
        /// The partition.
        partition: i32,
        /// Where the sink would begin.
        first: i64,
        /// What it has committed.
        committed: i64,
    },
    /// What ClickHouse holds is not known.
    #[error("what ClickHouse holds is not known: {0}")]
    NotKnown(String),
    /// The tables of before the last exchange still exist. Another exchange would destroy this way back.
    #[error(
        "the rows of before the last exchange are still in {0}: when they are not needed any more, drop the tables …_before_replay"
    )]
    OlderRows(String),
    /// The progress could not be printed.
    #[error("printing")]
    Print(#[from] std::io::Error),
}

/// Runs a replay and prints its progress to `out`.
pub fn run(config: &Config, plan: Plan, runtime: &Handle, out: &mut impl Write) -> Result<Report, ReplayError> {
    let registry = Registry::new(&config.registry);
    let ids: SchemaIds = registry.schema_ids()?;
    let tables = Tables::new(&config.clickhouse);
    let starts = if plan.exchange {
        // Before the end of the topic is looked up: what a sink has inserted was derived from push events before that end.
        sinks::refuse_running(config)?;
        runtime.block_on(tables.refuse_older_rows())?;
        sinks::starts(config, runtime)?
    } else {
        Vec::new()
    };
    let mut pushes = Pushes::open(config, &registry, ids, plan.from)?;
    runtime.block_on(tables.create())?;
    let ranges = pushes.ranges();
    for (done, &range) in ranges.iter().enumerate() {
        pushes.derive(range, |rows| runtime.block_on(tables.insert(rows)))?;
        writeln!(out, "{} of {} partitions: {}", done + 1, ranges.len(), pushes.counts())?;
    }
    if pushes.counts().push_events == 0 {
        return Err(ReplayError::NoPushes);
    }
    let covered_from = pushes.covered_from()?;
    runtime.block_on(tables.complete(covered_from))?;
    let difference = runtime.block_on(tables.difference())?;
    if plan.exchange {
        sinks::refuse_running(config)?;
        if sinks::starts(config, runtime)? != starts {
            return Err(ReplayError::SinkWasRunning);
        }
        // First, so that nothing brings back what the exchange has corrected.
        runtime.block_on(tables.set_starts(&starts))?;
        runtime.block_on(tables.exchange())?;
    }
    Ok(Report {
        counts: pushes.counts().clone(),
        covered_from,
        difference,
    })
}

impl From<NotKnown> for ReplayError {
    fn from(error: NotKnown) -> Self {
        Self::NotKnown(error.to_string())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.covered_from.map(|from| Timestamp::from_microsecond(from.0)) {
            None => writeln!(out, "derived anew: all parcels")?,
            Some(Ok(from)) => writeln!(
                out,
                "derived anew: parcels first received at {from} or later, the others are unchanged"
            )?,
            Some(Err(_)) => writeln!(out, "derived anew: no parcel")?,
        }
        write!(out, "{}", self.difference)
    }
}
