//! When a worker has polled last. Its calls look at it just before they are sent.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// A worker whose last poll is longer ago may have lost its partitions without knowing.
const FRESH: Duration = Duration::from_secs(3);

/// When the worker has polled last. Shared with the calls, which look at it just before they send.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastPoll(Arc<AtomicU64>);

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl LastPoll {
    /// The worker polls.
    pub(crate) fn is_now(&self) {
        let elapsed = u64::try_from(BEGIN.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.store(elapsed, Ordering::Release);
    }

    /// Whether the worker still polls. One that was frozen may have lost its partitions without knowing.
    pub(crate) fn is_fresh(&self) -> bool {
        let then = Duration::from_millis(self.0.load(Ordering::Acquire));
        BEGIN.elapsed().saturating_sub(then) < FRESH
    }
}
