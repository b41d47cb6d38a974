//! All topics have the same number of partitions: state is found by partition number, and a number's records are on the
//! partition of the same number of every topic (I2). Somebody may give a topic more partitions under a running system; both
//! services look, and stop.

use std::fmt;
use std::time::Duration;

use courierflow_schemas::topics;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::MetadataTopic;

/// The topics that derive reads and writes, as the brokers call them.
pub fn topics() -> [&'static str; 3] {
    [topics::PUSH, topics::SHIPMENT, topics::TRANSITION].map(topics::on_broker)
}

/// Two topics with different numbers of partitions, or one that has not the number of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionCountsDiffer {
    topic: &'static str,
    partitions: usize,
    other: String,
}

impl fmt::Display for PartitionCountsDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            topic,
            partitions,
            other,
        } = self;
        write!(
            f,
            "{topic} has {partitions} partitions and {other}: a parcel's state is found by its partition, so all topics grow \
             together, while nothing runs; see \"More partitions\" in the runbook"
        )
    }
}

impl std::error::Error for PartitionCountsDiffer {}

/// Compares the partition counts of topics with the first of them. A topic without partitions is not there, or not known
/// yet, and is passed over.
pub fn difference(counts: impl IntoIterator<Item = (&'static str, usize)>) -> Option<PartitionCountsDiffer> {
    let mut counts = counts.into_iter().filter(|(_, partitions)| *partitions > 0);
    let (topic, partitions) = counts.next()?;
    let (other, of_other) = counts.find(|(_, of_other)| *of_other != partitions)?;
    Some(PartitionCountsDiffer {
        topic,
        partitions,
        other: format!("{other} has {of_other}"),
    })
}

/// The topics that subscribe and reconcile read and write, which others write to as well.
pub fn topics_of_subscriptions() -> [&'static str; 6] {
    [
        topics::PUSH,
        topics::SHIPMENT,
        topics::SUBSCRIPTION_REQUEST,
        topics::SUBSCRIPTION,
        topics::SUBSCRIPTION_SECRET,
        topics::VENDOR_CALL,
    ]
    .map(topics::on_broker)
}

/// Compares topics with each other, and the first of them with `configured` (`topics.partitions`). Then it is also
/// noticed when all topics were given more partitions alike, and nobody has moved the state.
pub fn compare<C: ClientContext>(
    client: &Client<C>,
    topics: &[&'static str],
    configured: i32,
    timeout: Duration,
) -> KafkaResult<Option<PartitionCountsDiffer>> {
    let mut counts = Vec::with_capacity(topics.len());
    for &topic in topics {
        let metadata = client.fetch_metadata(Some(topic), timeout)?;
        counts.push((topic, of(metadata.topics().first())));
    }
    Ok(difference(counts.iter().copied()).or_else(|| unlike(configured, &counts)))
}

fn unlike(configured: i32, counts: &[(&'static str, usize)]) -> Option<PartitionCountsDiffer> {
    let (topic, partitions) = *counts.iter().find(|(_, partitions)| *partitions > 0)?;
    (usize::try_from(configured) != Ok(partitions)).then(|| PartitionCountsDiffer {
        topic,
        partitions,
        other: format!("topics.partitions is {configured}"),
    })
}

/// The number of partitions of a topic; 0 if it is not there.
pub fn of(found: Option<&MetadataTopic>) -> usize {
    found
        .filter(|found| found.error().is_none())
        .map_or(0, |found| found.partitions().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_topic_that_differs_is_named_with_both_counts() {
        for (counts, other) in [
            (vec![], None),
            (vec![("a", 8)], None),
            (vec![("a", 8), ("b", 8), ("c", 8)], None),
            (vec![("a", 8), ("b", 0), ("c", 8)], None),
            (vec![("a", 8), ("b", 8), ("c", 12)], Some("c has 12")),
            (vec![("a", 0), ("b", 8), ("c", 12)], Some("c has 12")),
        ] {
            let found = difference(counts.clone()).map(|found| found.other);
            assert_eq!(found.as_deref(), other, "{counts:?}");
        }
        assert!(
            difference([("a", 12), ("b", 8)])
                .unwrap()
                .to_string()
                .starts_with("a has 12 partitions and b has 8: ")
        );
    }

    #[test]
    fn topics_that_all_grew_differ_from_the_configuration() {
        let said = |configured, counts: &[_]| unlike(configured, counts).map(|found| found.other);
        assert_eq!(said(8, &[("a", 8), ("b", 8)]), None);
        assert_eq!(said(8, &[("a", 0)]), None);
        assert_eq!(said(8, &[("a", 12)]).as_deref(), Some("topics.partitions is 8"));
    }
}
