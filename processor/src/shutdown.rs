//! A flag that tells plain threads that the process is shutting down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Cheap to clone; every clone sees the same flag.
#[derive(Clone, Default)]
pub struct Shutdown {
    begun: Arc<AtomicBool>,
}

impl Shutdown {
    /// Asks all threads to finish their work and end.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Release);
    }

    /// True once shutdown has begun.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Sleeps until the time has passed or shutdown begins; true if the whole time passed.
    pub fn sleep(&self, duration: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(50);
        let until = Instant::now() + duration;
        while !self.has_begun() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(STEP));
        }
        false
    }
}
