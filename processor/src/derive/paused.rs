//! What keeps a worker's partitions paused: a restore, and push events that have to wait because the state is full. The worker polls all
//! the same, as the group expects of its members.

use std::collections::BTreeMap;
use std::time::Instant;

use courierflow_schemas::topics::{self, on_broker};
use rdkafka::TopicPartitionList;

use super::restore::{Goal, Restore};

/// What is paused.
#[derive(Default)]
pub(super) struct Paused {
    /// The restore that is under way. All partitions are paused until it ends.
    pub(super) restore: Option<Restore>,
    /// What restores have read that ended before their time, because the partitions were revoked.
    pub(super) kept: BTreeMap<i32, Goal>,
    /// By partition, the offset from which to read when it goes on: of a push event that was handed out too early, or waits.
    pub(super) unread: BTreeMap<i32, i64>,
    /// When room in the state was last looked for; `None` while nothing waits.
    pub(super) looked_for_room: Option<Instant>,
}

impl Paused {
    /// Remembers a push event that was handed out and cannot be processed now.
    pub(super) fn keep_unread(&mut self, partition: i32, offset: i64) {
        self.unread.entry(partition).or_insert(offset);
    }

    /// Handles a revocation of all partitions. What a restore has read is kept, unless the partitions are lost.
    pub(super) fn revoked(&mut self, lost: bool) {
        self.unread.clear();
        if let Some(restore) = self.restore.take() {
            self.kept.extend(restore.into_goals());
        }
        if lost {
            self.kept.clear();
        }
    }
}

/// These partitions of the push topic.
pub(super) fn push_partitions<'p>(partitions: impl IntoIterator<Item = &'p i32>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(on_broker(topics::PUSH), *partition);
    }
    list
}
