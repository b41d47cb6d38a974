//! Fills topics, as fast as one producer can, before something is measured.

use std::time::{Duration, Instant};

use anyhow::bail;
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::settings::RegistrySettings;
use courierflow_schemas::topics;
use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};

use crate::stack::Stack;

/// A full queue that does not move for so long will not move any more.
const STUCK: Duration = Duration::from_secs(30);

/// What every client of a benchmark begins with.
pub(super) fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// A consumer that partitions are assigned to by hand, as tuned as those of the processor.
pub(super) fn reader(brokers: &str, group: &str) -> anyhow::Result<BaseConsumer> {
    Ok(client(brokers)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_uncommitted")
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "16384")
        .create()?)
}

/// The registry's ids of our schemas.
pub(super) fn schema_ids(stack: &dyn Stack) -> anyhow::Result<SchemaIds> {
    let registry = Registry::new(&RegistrySettings {
        url: stack.registry_url(),
        id_cache: stack.dir().join("schema-ids.json"),
        ..Default::default()
    });
    Ok(registry.schema_ids()?)
}

/// A producer for many records; what it holds is sent by its `flush`.
pub(super) fn filler(brokers: &str) -> anyhow::Result<ThreadedProducer<DefaultProducerContext>> {
    Ok(client(brokers)
        .set("partitioner", "murmur2")
        .set("compression.type", "lz4")
        .set("linger.ms", "20")
        .set("queue.buffering.max.kbytes", "262144")
        .set("message.max.bytes", topics::MAX_RECORD_BYTES.to_string())
        .create()?)
}

/// Produces a record, waiting while the queue is full.
pub(super) fn fill(
    producer: &ThreadedProducer<DefaultProducerContext>,
    mut record: BaseRecord<'_, [u8], Vec<u8>>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    while let Err((error, returned)) = producer.send(record) {
        if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) || begun.elapsed() > STUCK {
            bail!("cannot produce: {error}");
        }
        record = returned;
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
