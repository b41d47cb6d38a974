//! What the vendors have to do when: looks, and calls of callback URLs with their repetitions.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use courierflow_schemas::records::Vendor;

use crate::simulator::clock::Seconds;

/// Number of a subscription that is followed.
pub(crate) type WatchId = u64;
/// Number of a push.
pub(crate) type PushId = u64;

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// See what a parcel does.
    Look(WatchId),
    /// Call the callback URL.
    Send(PushId),
}

/// Tasks by the moment at which they are due; those of one moment in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    tasks: BinaryHeap<Reverse<(Seconds, u64, Task)>>,
    added: u64,
}

impl Schedule {
    pub(crate) fn add(&mut self, at: Seconds, task: Task) {
        self.tasks.push(Reverse((at, self.added, task)));
        self.added += 1;
    }

    /// Whether there is something to do now.
    pub(crate) fn is_due(&self, now: Seconds) -> bool {
        self.tasks.peek().is_some_and(|Reverse((at, ..))| *at <= now)
    }

    /// The next task that is due, and when it was.
    pub(crate) fn take_due(&mut self, now: Seconds) -> Option<(Seconds, Task)> {
        if !self.is_due(now) {
            return None;
        }
        let Reverse((at, _, task)) = self.tasks.pop()?;
        Some((at, task))
    }
}

/// How long a vendor waits before it calls again, after so many failures; `None`: it gives up.
pub(crate) fn retry_after(vendor: Vendor, failures: usize) -> Option<Seconds> {
    let minutes: &[Seconds] = match vendor {
        Vendor::Kuaidi100 => &[30, 30, 30],
        Vendor::Kdniao => &[15, 30],
        Vendor::SeventeenTrack => &[10, 30, 60],
    };
    let minutes = minutes.get(failures.checked_sub(1)?)?;
    Some(minutes * 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_vendor_has_its_own_patience() {
        let waits = |vendor| {
            (1..)
                .map_while(move |failures| retry_after(vendor, failures))
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(Vendor::Kuaidi100), [1_800, 1_800, 1_800]);
        assert_eq!(waits(Vendor::Kdniao), [900, 1_800]);
        assert_eq!(waits(Vendor::SeventeenTrack), [600, 1_800, 3_600]);
        assert_eq!(retry_after(Vendor::Kuaidi100, 0), None, "nothing failed");
    }

    proptest! {
        #[test]
        fn tasks_come_when_they_are_due_and_in_order(times in proptest::collection::vec(0..100_i64, 0..60), now in 0..100_i64) {
            let mut schedule = Schedule::default();
            for (id, at) in (0..).zip(&times) {
                schedule.add(*at, Task::Look(id));
            }
            let mut expected: Vec<_> = (0..).zip(&times).filter(|(_, at)| **at <= now).collect();
            expected.sort_by_key(|(_, at)| **at);
            let expected: Vec<_> = expected.into_iter().map(|(id, at)| (*at, Task::Look(id))).collect();
            let taken: Vec<_> = std::iter::from_fn(|| schedule.take_due(now)).collect();
            prop_assert_eq!(taken, expected);
        }
    }
}
