//! Reads single records of `courier.shipment.v1` back: those of parcels whose next push needs more than what is
//! remembered of them.

use std::time::{Duration, Instant};

use courierflow_schemas::topics;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::shutdown::Shutdown;

const POLL: Duration = Duration::from_millis(100);
/// Longer than a broker takes to come back; the open transaction times out before that.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why a record was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordReaderError {
    #[error("reading a record back: {0}")]
    Kafka(#[from] KafkaError),
    #[error("{topic}/{partition} has no record at offset {offset}: found {found:?}", topic = topics::SHIPMENT)]
    Missing {
        partition: i32,
        offset: i64,
        found: Option<i64>,
    },
    #[error("shutting down")]
    ShutDown,
}

/// A consumer that jumps from record to record.
pub(super) struct RecordReader {
    reader: BaseConsumer,
    shutdown: Shutdown,
}

impl RecordReader {
    /// `client` is the configuration that all clients of the worker start from.
    pub(super) fn new(client: &ClientConfig, shutdown: Shutdown) -> Result<Self, RecordReaderError> {
        let mut config = client.clone();
        config
            .set("group.id", "courierflow-recall")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "false")
            // A committed record has no transaction to wait for.
            .set("isolation.level", "read_uncommitted")
            // An offset that is not there is a fault, not a reason to begin elsewhere.
            .set("auto.offset.reset", "error");
        // One record is wanted, and soon: the default fetches 1 MiB and waits half a second for more.
        config
            .set("fetch.message.max.bytes", "16384")
            .set("fetch.wait.max.ms", "10")
            .set("queued.min.messages", "1")
            // A batch holds more than the one record. The default lets a partition rest for a second after that, also when it
            // has been assigned anew meanwhile.
            .set("fetch.queue.backoff.ms", "1");
        Ok(Self {
            reader: config.create()?,
            shutdown,
        })
    }

    /// The value of the record at `offset`, which must be there: the newest record of a key outlives compaction.
    pub(super) fn read(&self, partition: i32, offset: i64) -> Result<Vec<u8>, RecordReaderError> {
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(topics::SHIPMENT, partition, Offset::Offset(offset))?;
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
                // Still in the queue from the assignment before.
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
                // Transport errors heal themselves; what does not shows as lack of patience.
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
