//! Decides when there are too many dead letters: a few bad records are dead-lettered, but a bug must not dead-letter
//! a whole topic.

use std::collections::VecDeque;

/// More than this many poison records in a row stop a worker.
const MAX_IN_A_ROW: usize = 100;
/// Of the last so many records …
const WINDOW: usize = 1_000;
/// … at most this many may be poison (20 %).
const MAX_IN_WINDOW: usize = WINDOW / 5;

/// Counts poison records among those that a worker settles, in order. Before records that may have to be settled again,
/// a worker makes a copy, and goes back to it in that case; so no record counts twice.
#[derive(Clone, Debug)]
pub struct PoisonGuard {
    is_on: bool,
    in_a_row: usize,
    window: VecDeque<bool>,
    in_window: usize,
}

/// Too many poison records: the worker must stop, because it is more likely at fault than the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuchPoison {
    /// Too many bad records in a row.
    #[error("more than {MAX_IN_A_ROW} records in a row cannot be used")]
    InARow,
    /// Too many bad records among good ones.
    #[error("more than {MAX_IN_WINDOW} of the last {WINDOW} records cannot be used")]
    InWindow,
}

impl PoisonGuard {
    /// A guard that never stops a worker if `is_on` is false, for an operator who has looked at the records.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            in_a_row: 0,
            window: VecDeque::new(),
            in_window: 0,
        }
    }

    /// Counts `count` good records.
    pub fn good(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.in_a_row = 0;
        for _ in 0..count.min(WINDOW) {
            self.remember(false);
        }
    }

    /// Counts a poison record; fails if there are too many.
    pub fn poison(&mut self) -> Result<(), TooMuchPoison> {
        self.in_a_row += 1;
        self.remember(true);
        if !self.is_on {
            return Ok(());
        }
        if self.in_a_row > MAX_IN_A_ROW {
            return Err(TooMuchPoison::InARow);
        }
        if self.in_window > MAX_IN_WINDOW {
            return Err(TooMuchPoison::InWindow);
        }
        Ok(())
    }

    fn remember(&mut self, is_poison: bool) {
        self.in_window += usize::from(is_poison);
        self.window.push_back(is_poison);
        if self.window.len() > WINDOW {
            let forgotten = self.window.pop_front().unwrap_or(false);
            self.in_window -= usize::from(forgotten);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_in_a_row_pass_and_one_more_stops() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..100 {
            assert_eq!(guard.poison(), Ok(()));
        }
        assert_eq!(guard.poison(), Err(TooMuchPoison::InARow));
    }

    #[test]
    fn switched_off_it_lets_everything_pass() {
        let mut guard = PoisonGuard::new(false);
        assert!((0..5_000).all(|_| guard.poison() == Ok(())));
    }

    #[test]
    fn a_good_record_ends_the_row() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..100 {
            guard.poison().unwrap();
        }
        guard.good(1);
        assert_eq!(guard.poison(), Ok(()));
    }

    #[test]
    fn every_fifth_record_is_the_limit() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..10_000 {
            guard.good(4);
            assert_eq!(guard.poison(), Ok(()));
        }
        for _ in 0..10 {
            guard.good(3);
            if guard.poison().is_err() {
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
            guard.poison().unwrap();
            guard.poison().unwrap();
            guard = before;
        }
        for _ in 0..100 {
            guard.poison().unwrap();
        }
        assert_eq!(guard.poison(), Err(TooMuchPoison::InARow));
    }

    #[test]
    fn poison_long_ago_is_forgotten() {
        let mut guard = PoisonGuard::new(true);
        for _ in 0..3 {
            for _ in 0..100 {
                guard.poison().unwrap();
            }
            guard.good(1_000);
        }
        assert_eq!(guard.in_window, 0);
    }
}
