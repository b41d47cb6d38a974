//! Decides when there are too many dead letters: a few bad records are dead-lettered, but a bug must not dead-letter
//! a whole topic.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xxhash_rust::xxh3::xxh3_64;

/// Poison records of more than this many parcels in a row stop a worker.
const MAX_IN_A_ROW: usize = 100;
/// Of the last so many records …
const WINDOW: usize = 1_000;
/// … the poison ones may be of at most this many parcels (20 %).
const MAX_IN_WINDOW: usize = WINDOW / 5;

/// Counts the parcels with poison records among the records that a worker settles, in order. Parcels, not records: a bug shows on
/// parcel after parcel, while one strange parcel may be pushed a thousand times. Before records that may have to be settled again, a
/// worker makes a copy, and goes back to it in that case; so no record counts twice.
#[derive(Clone, Debug)]
pub struct PoisonGuard {
    is_on: bool,
    /// Parcels of the poison records since the last good one.
    in_a_row: BTreeSet<u64>,
    /// The last records, oldest first: the parcel of a poison one, `None` for a good one.
    window: VecDeque<Option<u64>>,
    /// By parcel, its poison records in the window.
    in_window: BTreeMap<u64, usize>,
    /// Poison records without a key so far.
    without_key: u64,
}

/// Too many poison records: the worker must stop, because it is more likely at fault than the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuchPoison {
    /// Too many bad records in a row.
    #[error("the records of more than {MAX_IN_A_ROW} parcels in a row cannot be used")]
    InARow,
    /// Too many bad records among good ones.
    #[error("the records of more than {MAX_IN_WINDOW} parcels among the last {WINDOW} records cannot be used")]
    InWindow,
}

impl PoisonGuard {
    /// A guard that never stops a worker if `is_on` is false, for an operator who has looked at the records.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            in_a_row: BTreeSet::new(),
            window: VecDeque::new(),
            in_window: BTreeMap::new(),
            without_key: 0,
        }
    }

    /// Counts `count` good records.
    pub fn good(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.in_a_row.clear();
        for _ in 0..count.min(WINDOW) {
            self.remember(None);
        }
    }

    /// Counts a poison record with this key, which names the parcel; fails if there are too many. Each record without a key counts as
    /// a parcel of its own.
    pub fn poison(&mut self, key: Option<&[u8]>) -> Result<(), TooMuchPoison> {
        let parcel = key.map_or_else(
            || {
                self.without_key += 1;
                self.without_key
            },
            xxh3_64,
        );
        self.in_a_row.insert(parcel);
        self.remember(Some(parcel));
        if !self.is_on {
            return Ok(());
        }
        if self.in_a_row.len() > MAX_IN_A_ROW {
            return Err(TooMuchPoison::InARow);
        }
        if self.in_window.len() > MAX_IN_WINDOW {
            return Err(TooMuchPoison::InWindow);
        }
        Ok(())
    }

    fn remember(&mut self, poison: Option<u64>) {
        if let Some(parcel) = poison {
            *self.in_window.entry(parcel).or_default() += 1;
        }
        self.window.push_back(poison);
        if self.window.len() > WINDOW
            && let Some(parcel) = self.window.pop_front().flatten()
            && let Some(records) = self.in_window.get_mut(&parcel)
        {
            *records -= 1;
            if *records == 0 {
                self.in_window.remove(&parcel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another parcel each time.
    fn poison(guard: &mut PoisonGuard) -> Result<(), TooMuchPoison> {
        guard.poison(None)
    }

    #[test]
    fn a_hundred_in_a_row_pass_and_one_more_stops() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..100 {
            assert_eq!(poison(&mut guard), Ok(()));
        }
        assert_eq!(poison(&mut guard), Err(TooMuchPoison::InARow));
    }

    #[test]
    fn one_parcel_stops_nobody_however_often_it_comes() {
        let mut guard = PoisonGuard::new(true);
        assert!((0..5_000).all(|_| guard.poison(Some(b"YT1")) == Ok(())));
        for number in 0..99_u8 {
            assert_eq!(guard.poison(Some(&[number])), Ok(()), "{number}");
        }
        assert_eq!(guard.poison(Some(b"YT2")), Err(TooMuchPoison::InARow));
    }

    #[test]
    fn the_window_counts_parcels() {
        let mut guard = PoisonGuard::new(true);
        for number in 0..201_u8 {
            for _ in 0..3 {
                let refused = guard.poison(Some(&[number]));
                let stops = number == 200;
                assert_eq!(
                    refused,
                    if stops { Err(TooMuchPoison::InWindow) } else { Ok(()) },
                    "{number}"
                );
            }
            guard.good(1);
        }
        // Each fell out of the window as often as it had come.
        guard.good(1_000);
        assert!(guard.in_window.is_empty());
        assert_eq!(guard.poison(Some(b"YT1")), Ok(()));
    }

    #[test]
    fn switched_off_it_lets_everything_pass() {
        let mut guard = PoisonGuard::new(false);
        assert!((0..5_000).all(|_| poison(&mut guard) == Ok(())));
    }

    #[test]
    fn a_good_record_ends_the_row() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..100 {
            poison(&mut guard).unwrap();
        }
        guard.good(1);
        assert_eq!(poison(&mut guard), Ok(()));
    }

    #[test]
    fn every_fifth_record_is_the_limit() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..10_000 {
            guard.good(4);
            assert_eq!(poison(&mut guard), Ok(()));
        }
        for _ in 0..10 {
            guard.good(3);
            if poison(&mut guard).is_err() {
                return;
            }
        }
        panic!("every fourth record is too many");
    }

    #[test]
    fn what_is_settled_again_counts_once() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..100 {
            let before = guard.clone();
            guard.good(3);
            poison(&mut guard).unwrap();
            poison(&mut guard).unwrap();
            guard = before;
        }
        for _ in 0..100 {
            poison(&mut guard).unwrap();
        }
        assert_eq!(poison(&mut guard), Err(TooMuchPoison::InARow));
    }

    #[test]
    fn poison_long_ago_is_forgotten() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..3 {
            for _ in 0..100 {
                poison(&mut guard).unwrap();
            }
            guard.good(1_000);
        }
        assert!(guard.in_window.is_empty());
    }
}
