//! What a rebalance changed, as values. The group speaks through callbacks inside `poll`; what it said is handled after the
//! poll, before the polled message.

use std::collections::BTreeSet;

use rdkafka::TopicPartitionList;

use super::error::WorkerError;
use crate::start_offsets::DataLoss;

/// One word of the group.
#[derive(Debug)]
pub(super) enum GroupEvent {
    /// Partitions were taken away. Their open transaction has ended before the group was told that they are free.
    Revoked {
        partitions: Vec<i32>,
        /// Without asking: the group has given them away already.
        lost: bool,
        /// How ending the transaction went. A callback cannot return it.
        ended: Result<(), WorkerError>,
    },
    /// Partitions were given.
    Assigned(Vec<i32>),
    /// Push events are gone before they were read: nothing was assigned.
    DataLoss(DataLoss),
}

/// What all events of one poll come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AssignmentChange {
    /// Partitions were lost.
    pub(super) lost: bool,
    /// The group has given out its partitions: these are ours, and not restored yet. There may be none of them, as there are
    /// more workers than partitions.
    pub(super) assigned: Option<BTreeSet<i32>>,
}

impl AssignmentChange {
    /// Adds the events up; fails if ending a transaction failed, or if push events are lost.
    pub(super) fn of(events: impl IntoIterator<Item = GroupEvent>) -> Result<Self, WorkerError> {
        let mut change = Self::default();
        for event in events {
            match event {
                GroupEvent::Revoked {
                    partitions,
                    lost,
                    ended,
                } => {
                    ended?;
                    change.lost |= lost;
                    if let Some(assigned) = &mut change.assigned {
                        assigned.retain(|partition| !partitions.contains(partition));
                    }
                }
                GroupEvent::DataLoss(loss) => return Err(loss.into()),
                GroupEvent::Assigned(partitions) => change.assigned.get_or_insert_default().extend(partitions),
            }
        }
        Ok(change)
    }
}

/// The partitions of a list.
pub(super) fn partitions_of(list: &TopicPartitionList) -> Vec<i32> {
    list.elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revoked(partitions: &[i32], lost: bool) -> GroupEvent {
        GroupEvent::Revoked {
            partitions: partitions.to_vec(),
            lost,
            ended: Ok(()),
        }
    }

    fn assigned(partitions: &[i32]) -> GroupEvent {
        GroupEvent::Assigned(partitions.to_vec())
    }

    #[test]
    fn what_is_ours_after_all_that_the_group_said() {
        for (name, events, lost, ours) in [
            ("nothing", vec![], false, None),
            ("first assignment", vec![assigned(&[0, 1])], false, Some(&[0, 1][..])),
            ("none for us", vec![assigned(&[])], false, Some(&[])),
            ("taken, nothing given yet", vec![revoked(&[0, 1], false)], false, None),
            (
                "taken and given",
                vec![revoked(&[0, 1], false), assigned(&[1])],
                false,
                Some(&[1]),
            ),
            (
                "lost and given again",
                vec![revoked(&[0], true), assigned(&[0])],
                true,
                Some(&[0]),
            ),
            (
                "given and taken in one poll",
                vec![assigned(&[0, 1]), revoked(&[0, 1], false)],
                false,
                Some(&[]),
            ),
            (
                "given, taken, given",
                vec![assigned(&[0, 1]), revoked(&[0, 1], false), assigned(&[2])],
                false,
                Some(&[2]),
            ),
        ] {
            let expected = AssignmentChange {
                lost,
                assigned: ours.map(|ours| ours.iter().copied().collect()),
            };
            assert_eq!(AssignmentChange::of(events).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_transaction_that_could_not_be_ended_is_an_error() {
        let failed = GroupEvent::Revoked {
            partitions: vec![0],
            lost: false,
            ended: Err(WorkerError::Corrupted(0)),
        };
        let change = AssignmentChange::of([failed, assigned(&[0])]);
        assert!(matches!(change, Err(WorkerError::Corrupted(0))));
    }
}
