//! Reads single records of `courier.shipment.v1` back, for parcels whose next push needs more than the state store
//! holds.

use std::time::{Duration, Instant};

use courierflow_schemas::topics::{self, on_broker, prefixed};
use courierflow_service::authenticated::{self, Authenticated};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::fetching::CHECK_CRCS;
use crate::poll_error::is_of_unreadable_batch;
use crate::shutdown::Shutdown;

const POLL: Duration = Duration::from_millis(100);
/// Long enough for a broker to restart. The open transaction times out earlier.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why a record was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordReaderError {
    #[error("reading a record back: {0}")]
    Kafka(#[from] KafkaError),
    #[error("{topic}/{partition} has no record at offset {offset}: found {found:?}", topic = on_broker(topics::SHIPMENT))]
    Missing {
        partition: i32,
        offset: i64,
        found: Option<i64>,
    },
    #[error("{topic}/{partition} at offset {offset} cannot be read: {source}", topic = on_broker(topics::SHIPMENT))]
    Unreadable {
        partition: i32,
        offset: i64,
        source: RDKafkaErrorCode,
    },
    #[error("shutting down")]
    ShutDown,
}

/// A consumer that seeks to one record after the other.
pub(super) struct RecordReader {
    reader: Authenticated<BaseConsumer>,
    shutdown: Shutdown,
}

impl RecordReader {
    /// `client` is the configuration that all clients of the worker share.
    pub(super) fn new(client: &ClientConfig, shutdown: Shutdown) -> Result<Self, RecordReaderError> {
        let mut config = client.clone();
        config
            .set("group.id", prefixed("courierflow-recall"))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "false")
            // The record is known to be committed, so there is no transaction to wait for.
            .set("isolation.level", "read_uncommitted")
            // A missing offset is an error, not a reason to begin elsewhere.
            .set(CHECK_CRCS, "true")
            .set("auto.offset.reset", "error");
        // We want one record quickly: by default a fetch takes 1 MiB and waits half a second for more.
        config
            .set("fetch.message.max.bytes", "16384")
            .set("fetch.wait.max.ms", "10")
            .set("queued.min.messages", "1")
            // A fetched batch holds more than the one record. By default the client then does not fetch from the partition
            // for a second, even if it has been assigned again meanwhile.
            .set("fetch.queue.backoff.ms", "1");
        Ok(Self {
            reader: authenticated::create(&config)?,
            shutdown,
        })
    }

    /// The value of the record at `offset`. It must exist, because compaction keeps the newest record of a key.
    pub(super) fn read(&self, partition: i32, offset: i64) -> Result<Vec<u8>, RecordReaderError> {
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(on_broker(topics::SHIPMENT), partition, Offset::Offset(offset))?;
        self.reader.assign(&place)?;
        let value = self.wait_for(partition, offset);
        self.reader.unassign()?;
        value
    }

    fn wait_for(&self, partition: i32, offset: i64) -> Result<Vec<u8>, RecordReaderError> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.shutdown.has_begun() {
                return Err(RecordReaderError::ShutDown);
            }
            match self.reader.poll(POLL) {
                // Still queued from the previous assignment.
                Some(Ok(message)) if message.partition() != partition => {}
                Some(Ok(message)) if message.offset() == offset => {
                    return Ok(message.payload().unwrap_or_default().to_vec());
                }
                Some(Ok(message)) => {
                    return Err(RecordReaderError::Missing {
                        partition,
                        offset,
                        found: Some(message.offset()),
                    });
                }
                Some(Err(KafkaError::MessageConsumption(source))) if is_of_unreadable_batch(source) => {
                    return Err(RecordReaderError::Unreadable {
                        partition,
                        offset,
                        source,
                    });
                }
                // The client recovers from transport errors by itself; if it does not, the wait above times out.
                Some(Err(error)) => tracing::info!(%error, "reading a record back goes on"),
                None => {}
            }
        }
        Err(RecordReaderError::Missing {
            partition,
            offset,
            found: None,
        })
    }
}
