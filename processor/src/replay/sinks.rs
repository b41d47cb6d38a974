//! The sinks of the tables that a replay exchanges.

use clickhouse::Row;
use courierflow_schemas::wire::Record;
use courierflow_service::kafka_client;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::Serialize;

use super::ReplayError;
use crate::bounded_read::{self, REQUEST, ReadError};
use crate::config::Config;
use crate::sink::rows::{self, Table};

/// A row of `sink_start`.
#[derive(Debug, Row, Serialize)]
pub(super) struct SinkStart {
    topic: &'static str,
    partition: i32,
    first_offset: u64,
}

/// Table and topic of each sink.
const SINKS: [(&str, &str); 2] = [
    (rows::Shipment::NAME, <rows::Shipment as Table>::Record::TOPIC),
    (rows::Transition::NAME, <rows::Transition as Table>::Record::TOPIC),
];

/// Fails if one of them runs.
pub(super) fn refuse_running(config: &Config) -> Result<(), ReplayError> {
    for (table, _) in SINKS {
        let group = group(config, table);
        let consumer = consumer(config, &group).map_err(ReadError::from)?;
        let found = consumer.fetch_group_list(Some(&group), REQUEST);
        let found = found.map_err(ReadError::from)?;
        if found.groups().iter().any(|group| !group.members().is_empty()) {
            return Err(ReplayError::SinkIsRunning(group));
        }
    }
    Ok(())
}

/// Where they go on when they are started again.
pub(super) fn committed(config: &Config) -> Result<Vec<SinkStart>, ReadError> {
    let mut starts = Vec::new();
    for (table, topic) in SINKS {
        let consumer = consumer(config, &group(config, table))?;
        let mut partitions = TopicPartitionList::new();
        for partition in 0..bounded_read::partitions(&consumer, topic)? {
            partitions.add_partition(topic, partition);
        }
        for element in consumer.committed_offsets(partitions, REQUEST)?.elements() {
            if let Offset::Offset(offset) = element.offset()
                && let Ok(first_offset) = u64::try_from(offset)
            {
                let partition = element.partition();
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

fn group(config: &Config, table: &str) -> String {
    format!("{}-{table}", config.sink.group)
}

/// Asks about a group without joining it.
fn consumer(config: &Config, group: &str) -> Result<BaseConsumer, KafkaError> {
    let mut client = ClientConfig::new();
    client.set("client.id", "courierflow-replay");
    kafka_client::configure(&mut client, &config.kafka);
    client
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
}
