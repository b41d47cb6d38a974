//! The sinks of the tables that a replay exchanges.

use clickhouse::Row;
use courierflow_schemas::wire::Record;
use serde::Serialize;

use super::ReplayError;
use crate::bounded_read::{self, REQUEST, ReadError};
use crate::config::Config;
use crate::groups;
use crate::sink::rows::{self, Table};

/// A row of `sink_start`.
#[derive(Debug, Row, Serialize)]
pub(super) struct SinkStart {
    topic: &'static str,
    partition: i32,
    first_offset: u64,
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

/// Where they go on when they are started again.
pub(super) fn committed(config: &Config) -> Result<Vec<SinkStart>, ReadError> {
    let mut starts = Vec::new();
    for (table, topic) in sinks() {
        let client = groups::client(&config.kafka, &config.sink.group_of(table))?;
        let partitions = bounded_read::partitions(&client, topic)?;
        for (partition, offset) in groups::committed(&client, topic, partitions, REQUEST)? {
            if let Ok(first_offset) = u64::try_from(offset) {
                starts.push(SinkStart {
                    topic,
                    partition,
                    first_offset,
                });
            }
        }
    }
    Ok(starts)
}
