//! What may be noted in ClickHouse as stored while several batches are being inserted.
//!
//! A note says that *everything* of a run is stored up to an offset. Batches are inserted side by side, and one that was read later may
//! be done earlier. Its note waits for the batches before it: whoever inserts the last of them notes all of them. A batch counts as
//! settled only after the note that covers it, because it is committed after all batches before it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::stored::StoredRange;

/// The batches of a worker that are not inserted yet, and the inserted ones behind them. The clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Arc<Mutex<Batches>>);

#[derive(Debug, Default)]
struct Batches {
    /// In the order of reading.
    waiting: VecDeque<Waiting>,
    handed_over: u64,
}

#[derive(Debug)]
struct Waiting {
    number: BatchNumber,
    /// What is stored when this batch and all before it are inserted.
    ranges: Vec<StoredRange>,
    is_inserted: bool,
}

/// Names a batch of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchNumber(u64);

impl Notes {
    /// A batch is given to a settler. To be called in the order of reading.
    pub(super) fn hand_over(&self, ranges: Vec<StoredRange>) -> BatchNumber {
        let mut batches = self.batches();
        let number = BatchNumber(batches.handed_over);
        batches.handed_over += 1;
        batches.waiting.push_back(Waiting {
            number,
            ranges,
            is_inserted: false,
        });
        number
    }

    /// A batch is inserted. Returns what is to be noted now; nothing, if a batch before it is not inserted.
    pub(super) fn inserted(&self, number: BatchNumber) -> Vec<StoredRange> {
        let mut batches = self.batches();
        if let Some(batch) = batches.waiting.iter_mut().find(|batch| batch.number == number) {
            batch.is_inserted = true;
        }
        let mut to_note = Vec::new();
        while let Some(batch) = batches.waiting.pop_front_if(|batch| batch.is_inserted) {
            to_note.extend(batch.ranges);
        }
        to_note
    }

    fn batches(&self) -> std::sync::MutexGuard<'_, Batches> {
        // Nothing can panic between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(ranges: &[StoredRange]) -> Vec<u64> {
        ranges.iter().map(StoredRange::next_offset).collect()
    }

    fn hand_over(notes: &Notes, next_offset: i64) -> BatchNumber {
        notes.hand_over(vec![StoredRange::example(0, next_offset)])
    }

    #[test]
    fn a_later_batch_waits_for_the_earlier_one() {
        let notes = Notes::default();
        let (first, second) = (hand_over(&notes, 100), hand_over(&notes, 200));
        assert!(notes.inserted(second).is_empty());
        assert_eq!(ends(&notes.inserted(first)), [100, 200]);
        let third = hand_over(&notes, 300);
        assert_eq!(ends(&notes.inserted(third)), [300]);
    }

    proptest! {
        /// In whatever order batches are inserted, what is noted is inserted, and at the end everything is noted.
        #[test]
        fn nothing_is_noted_that_is_not_inserted(order in Just((1_u64..=12).collect::<Vec<_>>()).prop_shuffle()) {
            let notes = Notes::default();
            let numbers: Vec<BatchNumber> = (1..=12).map(|end| hand_over(&notes, end)).collect();
            let (mut inserted, mut noted) = (Vec::new(), Vec::new());
            for end in order {
                inserted.push(end);
                noted.extend(ends(&notes.inserted(numbers[usize::try_from(end - 1).unwrap()])));
                for end in 1..=noted.last().copied().unwrap_or(0) {
                    prop_assert!(inserted.contains(&end));
                }
            }
            prop_assert_eq!(noted, (1..=12).collect::<Vec<_>>());
        }
    }
}
