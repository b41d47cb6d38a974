//! How far the pushes of a partition are derived, as the group's committed offset says it.

use std::collections::BTreeMap;

use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

use courierflow_schemas::topics::{self, on_broker};

use crate::exactly_once::stable_offsets::{StableOffsetsError, stable_offsets};
use crate::shutdown::Shutdown;

/// A committed offset, and what was done of the push event at it. Later progress is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Progress {
    /// Offset of the next push event.
    pub(super) offset: i64,
    /// Shipments that it has expired so far, if it begins a day on which more expire than one transaction may hold. In the
    /// offset's metadata, so that such a transaction moves the group's offset like any other: whoever reads it sees whether the
    /// transaction was committed, and whether another worker has derived from the partition.
    pub(super) expired: u64,
}

/// Before the number, in the metadata.
const EXPIRED: &str = "expired ";

impl Progress {
    /// Everything before `offset`, and nothing of the push event at it.
    pub(super) const fn at(offset: i64) -> Self {
        Self { offset, expired: 0 }
    }

    /// Reads a committed offset; `None` where nothing was ever committed.
    pub(super) fn committed(element: &TopicPartitionListElem<'_>) -> Option<Self> {
        match element.offset() {
            Offset::Offset(offset) => Some(Self {
                offset,
                expired: expired(element.metadata()),
            }),
            _ => None,
        }
    }

    /// Adds it to the offsets that are to be committed.
    pub(super) fn add_to(self, offsets: &mut TopicPartitionList, partition: i32) -> Result<(), KafkaError> {
        let mut element = offsets.add_partition(on_broker(topics::PUSH), partition);
        element.set_offset(Offset::Offset(self.offset))?;
        if self.expired > 0 {
            element.set_metadata(format!("{EXPIRED}{}", self.expired));
        }
        Ok(())
    }
}

/// The group's progress in these push partitions, once no transaction is pending on it; `None` where nothing was ever committed.
pub(super) fn stable_progress<C: ConsumerContext>(
    member: &BaseConsumer<C>,
    partitions: &[i32],
    shutdown: &Shutdown,
) -> Result<BTreeMap<i32, Option<Progress>>, StableOffsetsError> {
    let mut wanted = TopicPartitionList::new();
    for &partition in partitions {
        wanted.add_partition(on_broker(topics::PUSH), partition);
    }
    let offsets = stable_offsets(member, &wanted, shutdown)?;
    let elements = offsets.elements();
    let progress = elements
        .iter()
        .map(|element| (element.partition(), Progress::committed(element)));
    Ok(progress.collect())
}

fn expired(metadata: &str) -> u64 {
    let number = metadata.strip_prefix(EXPIRED).and_then(|number| number.parse().ok());
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_committed() {
        for progress in [
            Progress::at(7),
            Progress {
                offset: 7,
                expired: 5_000,
            },
        ] {
            let mut list = TopicPartitionList::new();
            progress.add_to(&mut list, 3).unwrap();
            let element = list.find_partition(topics::PUSH, 3).unwrap();
            assert_eq!(Progress::committed(&element), Some(progress));
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topics::PUSH, 3);
        assert_eq!(Progress::committed(&list.elements()[0]), None);
        assert_eq!(expired("somebody else's"), 0);
    }

    #[test]
    fn what_comes_later_is_greater() {
        let in_order = [
            Progress::at(7),
            Progress {
                offset: 7,
                expired: 5_000,
            },
            Progress {
                offset: 7,
                expired: 10_000,
            },
            Progress::at(8),
        ];
        assert!(in_order.is_sorted());
        assert!(Some(in_order[0]) > None);
    }
}
