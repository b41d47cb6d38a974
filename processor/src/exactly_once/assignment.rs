//! What a rebalance changed, as values. The group calls back inside `poll`; the events it reports are handled after the
//! poll, before the polled message.

use std::collections::BTreeSet;

use rdkafka::TopicPartitionList;

use crate::start_offsets::DataLoss;

/// One event of a rebalance.
#[derive(Debug)]
pub(crate) enum GroupEvent<E> {
    /// Partitions were revoked. The open transaction was ended before the callback returned, so before another worker
    /// could get them.
    Revoked {
        partitions: Vec<i32>,
        /// True if the group had already given them to others.
        lost: bool,
        /// Result of ending the transaction. It is kept here because a callback cannot return it.
        ended: Result<(), E>,
    },
    /// Partitions were assigned.
    Assigned(Vec<i32>),
    /// Records are gone before they were read: nothing was assigned.
    DataLoss(DataLoss),
}

/// The combined effect of all events of one poll.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AssignmentChange {
    /// Partitions were revoked: all of them, as this assignor does it.
    pub(crate) revoked: bool,
    /// Partitions were lost.
    pub(crate) lost: bool,
    /// The partitions that are assigned to this worker and not restored yet; `None` if there was no assignment. The set may
    /// be empty, because there may be more workers than partitions.
    pub(crate) assigned: Option<BTreeSet<i32>>,
}

impl AssignmentChange {
    /// Adds the events up; fails if ending a transaction failed, or if records are lost.
    pub(crate) fn of<E: From<DataLoss>>(events: impl IntoIterator<Item = GroupEvent<E>>) -> Result<Self, E> {
        let mut change = Self::default();
        for event in events {
            match event {
                GroupEvent::Revoked {
                    partitions,
                    lost,
                    ended,
                } => {
                    ended?;
                    change.revoked = true;
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

/// The partition numbers in a list, each as often as topics in it have it.
pub(crate) fn partitions_of(list: &TopicPartitionList) -> Vec<i32> {
    list.elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Failed;

    impl From<DataLoss> for Failed {
        fn from(_: DataLoss) -> Self {
            Self
        }
    }

    fn revoked(partitions: &[i32], lost: bool) -> GroupEvent<Failed> {
        GroupEvent::Revoked {
            partitions: partitions.to_vec(),
            lost,
            ended: Ok(()),
        }
    }

    fn assigned(partitions: &[i32]) -> GroupEvent<Failed> {
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
                revoked: name.contains("taken") || lost,
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
            ended: Err(Failed),
        };
        let change = AssignmentChange::of([failed, assigned(&[0])]);
        assert_eq!(change, Err(Failed));
    }
}
