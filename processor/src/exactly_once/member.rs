//! How a worker is a member of its consumer group.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::fetching::CHECK_CRCS;
use crate::poll_error::{ends_reading, say_where_it_may_be};

/// The name that brokers know the clients of a worker by.
pub(crate) fn client_id(slot: &str) -> String {
    format!("courierflow-{slot}")
}

/// How a worker is a member of its group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberSettings<'a> {
    pub(crate) group: &'a str,
    pub(crate) session_timeout_ms: u64,
    pub(crate) max_poll_interval_ms: u64,
}

/// The configuration of a worker's consumer.
pub(crate) fn consumer_config(mut client: ClientConfig, settings: MemberSettings<'_>, slot: &str) -> ClientConfig {
    client.set("group.id", settings.group).set("group.instance.id", slot);
    client
        .set("enable.auto.commit", "false")
        // Where to start is decided by `start_offsets`; an offset that is gone later ends the worker, and its successor says why.
        .set(CHECK_CRCS, "true")
        .set("auto.offset.reset", "error");
    client.set("isolation.level", "read_committed");
    // The classic protocol, because with the new one a static member that was killed cannot rejoin before its session
    // expires. The `range` assignor, because it assigns all partitions in every rebalance. The cooperative assignor needs two
    // rebalances to move a partition; if a static member dies between them, it rejoins without a third, and partitions it had
    // not released would stay unassigned.
    client
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "range");
    // With the default of 3 s, a joining member waits seconds for its partitions.
    client
        .set("heartbeat.interval.ms", "500")
        .set("session.timeout.ms", settings.session_timeout_ms.to_string());
    client.set("statistics.interval.ms", "5000");
    client.set("max.poll.interval.ms", settings.max_poll_interval_ms.to_string());
    client
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "16384");
    client
}

/// An error that the consumer cannot live with ends the worker.
pub(crate) fn judge_poll_error<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    error: KafkaError,
) -> Result<(), KafkaError> {
    match error {
        error if ends_reading(&error) => {
            say_where_it_may_be(consumer, &error);
            Err(error)
        }
        KafkaError::PartitionEOF(_) => Ok(()),
        // The client has logged it.
        KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown) => {
            Ok(())
        }
        error => {
            tracing::warn!(%error, "consumer");
            Ok(())
        }
    }
}

/// True if another worker has taken the identity, or if the broker has taken it back because a transaction timed out.
pub(crate) fn is_fenced(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::FencedInstanceId
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch
        )
    )
}
