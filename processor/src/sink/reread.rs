//! What a worker still has to read a second time.

use std::collections::BTreeMap;

use super::batch::Offsets;
use super::runs::PartitionRun;

/// By partition, how far it must be settled until nothing is missing any more.
#[derive(Debug, Default)]
pub(super) struct Reread {
    partitions: BTreeMap<i32, Partition>,
}

#[derive(Debug)]
struct Partition {
    settled: i64,
    end: i64,
}

impl Reread {
    /// Partitions were assigned.
    pub(super) fn begin(&mut self, begun: &BTreeMap<i32, PartitionRun>) {
        for (partition, run) in begun {
            if let Some(end) = run.reread_to {
                let settled = run.first;
                self.partitions.insert(*partition, Partition { settled, end });
            }
        }
    }

    /// Everything before these offsets is settled.
    pub(super) fn settled(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(partition) = self.partitions.get_mut(partition) {
                partition.settled = *offset;
            }
        }
        self.partitions.retain(|_, partition| partition.settled < partition.end);
    }

    /// The partition has no further records now. `read` is the offset after the last one that was read, if there was one: what follows
    /// it are markers of transactions.
    pub(super) fn at_end(&mut self, number: i32, read: Option<i64>) {
        if let Some(partition) = self.partitions.get_mut(&number) {
            partition.end = partition.end.min(read.unwrap_or(partition.settled));
            if partition.settled >= partition.end {
                self.partitions.remove(&number);
            }
        }
    }

    /// The partition was revoked.
    pub(super) fn forget(&mut self, partition: i32) {
        self.partitions.remove(&partition);
    }

    /// Records to go; an upper bound, because it is counted in offsets.
    pub(super) fn remaining(&self) -> u64 {
        let remaining = |partition: &Partition| u64::try_from(partition.end - partition.settled).unwrap_or(0);
        self.partitions.values().map(remaining).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reread(partitions: &[(i32, i64, i64)]) -> Reread {
        let of = |(number, settled, end): &(i32, i64, i64)| {
            let (settled, end) = (*settled, *end);
            (*number, Partition { settled, end })
        };
        Reread {
            partitions: partitions.iter().map(of).collect(),
        }
    }

    #[test]
    fn it_is_over_when_everything_is_settled() {
        let mut reread = reread(&[(0, 10, 20), (3, 0, 5)]);
        assert_eq!(reread.remaining(), 15);
        reread.settled(&Offsets::from([(0, 14), (7, 100)]));
        assert_eq!(reread.remaining(), 11);
        reread.settled(&Offsets::from([(0, 25), (3, 4)]));
        assert_eq!(reread.remaining(), 1);
        reread.settled(&Offsets::from([(3, 5)]));
        assert_eq!(reread.remaining(), 0);
    }

    #[test]
    fn markers_at_the_end_are_not_waited_for() {
        // Only a marker is left.
        let mut one = reread(&[(0, 19, 20)]);
        one.at_end(0, None);
        assert_eq!(one.remaining(), 0);
        // The records before it are not settled yet.
        let mut two = reread(&[(0, 10, 20)]);
        two.at_end(0, Some(19));
        assert_eq!(two.remaining(), 9);
        two.settled(&Offsets::from([(0, 19)]));
        assert_eq!(two.remaining(), 0);
        // They are.
        let mut three = reread(&[(0, 10, 20)]);
        three.settled(&Offsets::from([(0, 19)]));
        three.at_end(0, Some(19));
        assert_eq!(three.remaining(), 0);
    }

    #[test]
    fn a_revoked_partition_is_for_its_next_owner() {
        let mut reread = reread(&[(0, 10, 20), (1, 10, 11)]);
        reread.forget(0);
        assert_eq!(reread.remaining(), 1);
    }
}
