//! The sinks of the tables that a replay exchanges.

use clickhouse::Row;
use courierflow_schemas::wire::Record;
use serde::Serialize;
use tokio::runtime::Handle;

use super::ReplayError;
use crate::bounded_read::{self, REQUEST, ReadError};
use crate::config::Config;
use crate::groups;
use crate::sink;
use crate::sink::rows::{self, Table};

/// Where a sink begins once its fresh table is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SinkStart {
    pub(super) table: &'static str,
    topic: &'static str,
    partition: i32,
    first_offset: u64,
}

/// A row of `sink_start`.
#[derive(Debug, Row, Serialize)]
pub(super) struct StartRow {
    topic: &'static str,
    partition: i32,
    first_offset: u64,
    table_id: String,
    own_id: String,
}

impl SinkStart {
    /// `table_id` is that of the fresh table, `own_id` that of `sink_start`.
    pub(super) fn row(&self, table_id: String, own_id: String) -> StartRow {
        StartRow {
            topic: self.topic,
            partition: self.partition,
            first_offset: self.first_offset,
            table_id,
            own_id,
        }
    }
}

/// Table and topic of each sink.
fn sinks() -> [(&'static str, &'static str); 2] {
    [
        (rows::Shipment::NAME, <rows::Shipment as Table>::Record::topic()),
        (rows::Transition::NAME, <rows::Transition as Table>::Record::topic()),
    ]
}

/// Fails if one of them runs.
pub(super) fn refuse_running(config: &Config) -> Result<(), ReplayError> {
    for (table, _) in sinks() {
        let group = config.sink.group_of(table);
        let client = groups::client(&config.kafka, &group).map_err(ReadError::from)?;
        let members = groups::members(&client, &group, REQUEST).map_err(ReadError::from)?;
        if !members.is_empty() {
            return Err(ReplayError::SinkIsRunning(group));
        }
    }
    Ok(())
}

/// Where they go on when they are started again. Fails if that is earlier than what they have committed: the present tables may lack rows
/// then, which would be missing in the fresh ones, too, and nobody would read them again.
pub(super) fn starts(config: &Config, runtime: &Handle) -> Result<Vec<SinkStart>, ReplayError> {
    let shipments = starts_of::<rows::Shipment>(config, runtime)?;
    let transitions = starts_of::<rows::Transition>(config, runtime)?;
    Ok([shipments, transitions].concat())
}

fn starts_of<T: Table>(config: &Config, runtime: &Handle) -> Result<Vec<SinkStart>, ReplayError> {
    let topic = T::Record::topic();
    let client = groups::client(&config.kafka, &config.sink.group_of(T::NAME)).map_err(ReadError::from)?;
    let partitions = bounded_read::partitions(&client, topic)?;
    let committed = groups::committed(&client, topic, partitions, REQUEST).map_err(ReadError::from)?;
    let goes_on_at = sink::goes_on_at::<T>(config, &committed, runtime)?;
    let mut starts = Vec::new();
    for (&partition, &committed) in &committed {
        let (low, _) = bounded_read::watermarks(&client, topic, partition).map_err(ReadError::from)?;
        let first = goes_on_at.get(&partition).copied().unwrap_or(committed).max(low);
        if first < committed {
            return Err(ReplayError::RowsMayBeMissing {
                table: T::NAME,
                partition,
                first,
                committed,
            });
        }
        if let Ok(first_offset) = u64::try_from(committed) {
            starts.push(SinkStart {
                table: T::NAME,
                topic,
                partition,
                first_offset,
            });
        }
    }
    Ok(starts)
}
