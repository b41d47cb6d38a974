//! How much memory the state of all workers may take (`derive.max_state_bytes`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The limit, and the bytes of all workers of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct StateBudget {
    max: usize,
    used: Arc<AtomicUsize>,
}

impl StateBudget {
    /// A budget of which nothing is used; 0 for no limit.
    pub(super) fn new(max_bytes: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "no process holds 2^53 bytes")]
        metrics::gauge!("courierflow_derive_max_state_bytes").set(max_bytes as f64);
        Self {
            max: max_bytes,
            used: Arc::default(),
        }
    }

    /// A worker's part of it.
    pub(super) fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            own: 0,
        }
    }
}

/// The bytes of one worker.
#[derive(Debug)]
pub(super) struct Share {
    budget: StateBudget,
    own: usize,
}

impl Share {
    /// Says how many bytes this worker's state takes now.
    pub(super) fn set(&mut self, bytes: usize) {
        // In this order the sum is never below zero.
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.budget.used.fetch_sub(self.own, Ordering::Relaxed);
        self.own = bytes;
    }

    /// True if the state may not grow by new parcels.
    pub(super) fn is_full(&self) -> bool {
        let max = self.budget.max;
        max > 0 && self.budget.used.load(Ordering::Relaxed) >= max
    }

    /// What an operator should read.
    pub(super) fn describe(&self) -> String {
        let used = self.budget.used.load(Ordering::Relaxed);
        format!(
            "the state takes {used} bytes, derive.max_state_bytes is {}: pushes of new parcels wait",
            self.budget.max
        )
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_workers_together_fill_it() {
        let budget = StateBudget::new(100);
        let (mut one, mut other) = (budget.share(), budget.share());
        one.set(60);
        assert!(!one.is_full() && !other.is_full());
        other.set(40);
        assert!(one.is_full() && other.is_full());
        one.set(59);
        assert!(!one.is_full());
        one.set(60);
        drop(other);
        assert!(!one.is_full(), "a worker that ends gives its part back");
    }

    #[test]
    fn none_is_no_limit() {
        let mut share = StateBudget::new(0).share();
        share.set(usize::MAX);
        assert!(!share.is_full());
    }
}
