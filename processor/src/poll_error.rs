//! Errors of a poll with which a consumer cannot go on.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Time-out of a request.
const REQUEST: Duration = Duration::from_secs(5);

/// Whether a consumer must not go on after this error of a poll. The client recovers from transport errors by itself. It steps over
/// batches that it cannot read, though, and nobody else would notice.
pub(crate) const fn ends_reading(error: &KafkaError) -> bool {
    match error {
        KafkaError::MessageConsumptionFatal(_) => true,
        KafkaError::MessageConsumption(code) => {
            matches!(code, RDKafkaErrorCode::AutoOffsetReset) || is_of_unreadable_batch(*code)
        }
        _ => false,
    }
}

/// Whether a batch cannot be read: its checksum is wrong, or this client does not know its format or compression.
pub(crate) const fn is_of_unreadable_batch(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{BadCompression, BadMessage, NotImplemented};
    matches!(code, BadMessage | BadCompression | NotImplemented)
}

/// Logs where a batch may be that cannot be read. The client does not tell its partition, but it is one of those that are not read to
/// their ends, and begins where reading stopped or later.
pub(crate) fn say_where_it_may_be<C: ConsumerContext>(consumer: &BaseConsumer<C>, error: &KafkaError) {
    if !error.rdkafka_error_code().is_some_and(is_of_unreadable_batch) {
        return;
    }
    match not_read_to_their_ends(consumer) {
        Ok(unread) => tracing::error!(%error, ?unread, "a batch cannot be read"),
        Err(why) => tracing::error!(%error, %why, "a batch cannot be read, and it is not known where it is"),
    }
}

/// `TOPIC/PARTITION at offset OFFSET`, from where on a partition is not read.
pub(crate) fn not_read_to_their_ends<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
) -> Result<Vec<String>, KafkaError> {
    let (positions, committed) = (consumer.position()?, consumer.committed(REQUEST)?);
    let mut unread = Vec::new();
    for element in positions.elements() {
        let (topic, partition) = (element.topic(), element.partition());
        let (low, high) = consumer.fetch_watermarks(topic, partition, REQUEST)?;
        // Before its first record a partition has no position.
        let committed = committed
            .find_partition(topic, partition)
            .map(|element| element.offset());
        let next = [Some(element.offset()), committed]
            .into_iter()
            .find_map(|offset| match offset {
                Some(Offset::Offset(offset)) => Some(offset),
                _ => None,
            });
        let next = next.unwrap_or(low).max(low);
        if next < high {
            unread.push(format!("{topic}/{partition} at offset {next}"));
        }
    }
    Ok(unread)
}
