//! Keeps a worker alive: one that was fenced or failed is rebuilt from scratch.

use std::fmt::Display;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use metrics::Counter;

use super::rival::{self, Membership};
use super::slot::Slot;
use crate::health::Health;
use crate::shutdown::Shutdown;

/// Delays between rebuilds: short enough to resume soon after a failure, longer if it fails again and again. The jitter adds up to as
/// much again, so they end at 15 to 30 s.
const REBUILD_AFTER: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(LONGEST_DELAY)
    .with_jitter()
    .without_max_times();
const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// A worker that has run for so long has recovered: its next failure is a new one.
const RECOVERED: Duration = Duration::from_mins(1);

/// Why a worker ended.
pub(crate) trait Failure: Display {
    /// True if starting again cannot help: an operator has to look and to decide.
    fn is_for_an_operator(&self) -> bool;

    /// True if another worker has taken the identity, or if the broker has taken it back because a transaction timed out.
    fn is_fenced(&self) -> bool;
}

/// A worker as its supervisor knows it.
pub(crate) struct Supervised<'a> {
    pub(crate) slot: &'a Slot,
    pub(crate) membership: Membership<'a>,
    /// Its name in `/readyz`.
    pub(crate) part: &'a str,
    /// The line of the log when it has stopped for an operator.
    pub(crate) stopped: &'static str,
    pub(crate) rebuilds: Counter,
    pub(crate) health: &'a Health,
    pub(crate) shutdown: &'a Shutdown,
}

impl Supervised<'_> {
    /// Runs the worker again and again, until the process ends or an operator has to look.
    pub(crate) fn run<E: Failure>(&self, worker: impl Fn() -> Result<(), E>) {
        let (slot, health, shutdown) = (self.slot, self.health, self.shutdown);
        let mut delays = Delays::new();
        while !shutdown.has_begun() {
            health.not_ready(self.part, "starting");
            let begun = Instant::now();
            match worker() {
                Ok(()) => return,
                Err(error) if error.is_for_an_operator() => {
                    tracing::error!(slot = slot.name(), %error, "{}", self.stopped);
                    health.not_ready(self.part, error.to_string());
                    return;
                }
                Err(error) => {
                    tracing::warn!(slot = slot.name(), %error, "worker is rebuilt");
                    health.failed(self.part, &error.to_string());
                    self.rebuilds.increment(1);
                    shutdown.sleep(delays.after(begun.elapsed()));
                    if error.is_fenced() {
                        rival::wait_until_gone(self.membership, slot, self.part, health, shutdown);
                    }
                }
            }
        }
    }
}

/// How long to wait before each rebuild of a worker.
struct Delays(ExponentialBackoff);

impl Delays {
    fn new() -> Self {
        Self(REBUILD_AFTER.build())
    }

    /// The delay after a failure of a worker that has run for so long.
    fn after(&mut self, run: Duration) -> Duration {
        if run > RECOVERED {
            *self = Self::new();
        }
        self.0.next().unwrap_or(LONGEST_DELAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_fails_again_and_again_is_rebuilt_ever_more_rarely() {
        let mut delays = Delays::new();
        let at_once = Duration::ZERO;
        for (run, shortest) in [
            (at_once, 1),
            (at_once, 2),
            (RECOVERED, 4),
            (at_once, 8),
            (at_once, 15),
            (at_once, 15),
            // It had recovered.
            (RECOVERED * 2, 1),
            (at_once, 2),
        ] {
            let shortest = Duration::from_secs(shortest);
            let delay = delays.after(run);
            assert!(
                (shortest..=shortest * 2).contains(&delay),
                "{delay:?}, not {shortest:?}"
            );
        }
    }
}
