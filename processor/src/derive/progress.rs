//! How far the pushes of a partition are derived, as the group's committed offset says it.

use std::collections::BTreeMap;
use std::str::FromStr;

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
    /// The offset that the shipments of the partition reach at least, once this is committed; 0 if nobody knows. Also in the metadata.
    ///
    /// A shipment topic that is deleted and made anew looks like one of parcels that have all ended, or of pushes that were all refused,
    /// and with an empty state every parcel that is followed would begin a second life. Its committed transactions tell the
    /// difference: what they wrote is there for good, whatever compaction or `migrate --grow` remove of it, so the end of a
    /// partition never comes before this. An operator who resets the group's offsets, or deletes the group, removes it with them, and
    /// so does a version that does not know it.
    pub(super) shipments: i64,
}

/// Before each number, in the metadata.
const EXPIRED: &str = "expired";
const SHIPMENTS: &str = "shipments";

impl Progress {
    /// Everything before `offset`, and nothing of the push event at it.
    pub(super) const fn at(offset: i64) -> Self {
        Self {
            offset,
            expired: 0,
            shipments: 0,
        }
    }

    /// Reads a committed offset; `None` where nothing was ever committed.
    pub(super) fn committed(element: &TopicPartitionListElem<'_>) -> Option<Self> {
        match element.offset() {
            Offset::Offset(offset) => Some(Self {
                offset,
                expired: number_behind(EXPIRED, element.metadata()),
                shipments: number_behind(SHIPMENTS, element.metadata()),
            }),
            _ => None,
        }
    }

    /// Adds it to the offsets that are to be committed.
    pub(super) fn add_to(self, offsets: &mut TopicPartitionList, partition: i32) -> Result<(), KafkaError> {
        let mut element = offsets.add_partition(on_broker(topics::PUSH), partition);
        element.set_offset(Offset::Offset(self.offset))?;
        let metadata = self.metadata();
        if !metadata.is_empty() {
            element.set_metadata(metadata);
        }
        Ok(())
    }

    fn metadata(self) -> String {
        let mut words = Vec::new();
        if self.expired > 0 {
            words.push(format!("{EXPIRED} {}", self.expired));
        }
        if self.shipments > 0 {
            words.push(format!("{SHIPMENTS} {}", self.shipments));
        }
        words.join(" ")
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

/// The number behind this word; 0 without it.
fn number_behind<N: FromStr + Default>(word: &str, metadata: &str) -> N {
    let mut words = metadata.split(' ').skip_while(|found| *found != word);
    let number = words.nth(1).and_then(|number| number.parse().ok());
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_committed() {
        let with = |expired, shipments| Progress {
            offset: 7,
            expired,
            shipments,
        };
        for (progress, metadata) in [
            (with(0, 0), ""),
            (with(5_000, 0), "expired 5000"),
            (with(0, 12), "shipments 12"),
            (with(5_000, 12), "expired 5000 shipments 12"),
        ] {
            assert_eq!(progress.metadata(), metadata);
            let mut list = TopicPartitionList::new();
            progress.add_to(&mut list, 3).unwrap();
            let element = list.find_partition(topics::PUSH, 3).unwrap();
            assert_eq!(Progress::committed(&element), Some(progress));
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topics::PUSH, 3);
        assert_eq!(Progress::committed(&list.elements()[0]), None);
        for others in ["", "somebody else's", "shipments", "shipments x", "12 shipments"] {
            assert_eq!(number_behind::<i64>(SHIPMENTS, others), 0, "{others}");
        }
    }

    #[test]
    fn what_comes_later_is_greater() {
        let expired = |expired| Progress {
            expired,
            ..Progress::at(7)
        };
        let in_order = [Progress::at(7), expired(5_000), expired(10_000), Progress::at(8)];
        assert!(in_order.is_sorted());
        assert!(Some(in_order[0]) > None);
    }
}
