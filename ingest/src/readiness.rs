//! Whether pushes can be stored, part by part: what `/readyz` says, and why a push is answered 503 at once instead of after
//! the acknowledgement deadline.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

/// For how long pushes are refused after a delivery failed while none succeeded.
const PAUSE: Duration = Duration::from_secs(1);

/// Set by the watchers and by the deliveries themselves, read by every push.
#[derive(Debug)]
pub struct Readiness {
    broker: AtomicBool,
    topics: AtomicBool,
    schema: AtomicBool,
    stopping: AtomicBool,
    started: Instant,
    /// Milliseconds after `started`; 0 = never.
    last_acknowledged: AtomicU64,
    /// Milliseconds after `started`.
    paused_until: AtomicU64,
}

/// The body of `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent parts, each a key of the JSON")]
pub struct Report {
    /// All of the parts below, and not stopping.
    pub ready: bool,
    /// A broker answers and deliveries do not fail.
    pub broker: bool,
    /// The topics exist and have leaders.
    pub topics: bool,
    /// The schema id is known.
    pub schema: bool,
    /// On the way out.
    pub stopping: bool,
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            broker: AtomicBool::new(false),
            topics: AtomicBool::new(false),
            schema: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            started: Instant::now(),
            last_acknowledged: AtomicU64::new(0),
            paused_until: AtomicU64::new(0),
        }
    }
}

impl Readiness {
    /// Everything at one glance.
    pub fn report(&self) -> Report {
        let broker = self.broker.load(Ordering::Relaxed) && !self.is_paused();
        let topics = self.topics.load(Ordering::Relaxed);
        let schema = self.schema.load(Ordering::Relaxed);
        let stopping = self.stopping.load(Ordering::Relaxed);
        Report {
            ready: broker && topics && schema && !stopping,
            broker,
            topics,
            schema,
            stopping,
        }
    }

    /// Whether it makes sense to try. Still true while stopping: what is in flight is finished.
    pub fn can_publish(&self) -> bool {
        let Report {
            broker, topics, schema, ..
        } = self.report();
        broker && topics && schema
    }

    /// What the broker's metadata say. Returns true if that is news.
    pub fn set_broker(&self, reachable: bool) -> bool {
        self.broker.swap(reachable, Ordering::Relaxed) != reachable
    }

    /// What the broker's metadata say of the topics. Returns true if that is news.
    pub fn set_topics(&self, usable: bool) -> bool {
        self.topics.swap(usable, Ordering::Relaxed) != usable
    }

    /// The schema id is known.
    pub fn set_schema_known(&self) {
        self.schema.store(true, Ordering::Relaxed);
    }

    /// On the way out: no more traffic, please.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// A record was acknowledged.
    pub fn acknowledged(&self) {
        // Never 0, which means never.
        self.last_acknowledged.store(self.now().max(1), Ordering::Relaxed);
    }

    /// A record was not acknowledged within `deadline`. If nothing else was either, pushes are refused for a moment, and
    /// then a few may try again: a broker that takes connections but stores nothing must not cost every push the whole
    /// deadline. One partition without a leader, while others work, must not stop the others.
    pub fn not_acknowledged(&self, deadline: Duration) {
        if !self.acknowledged_within(deadline) {
            self.paused_until.store(self.now() + millis(PAUSE), Ordering::Relaxed);
        }
    }

    /// True if any record was acknowledged within the last `period`.
    pub fn acknowledged_within(&self, period: Duration) -> bool {
        let last = self.last_acknowledged.load(Ordering::Relaxed);
        last > 0 && last.saturating_add(millis(period)) >= self.now()
    }

    fn is_paused(&self) -> bool {
        let until = self.paused_until.load(Ordering::Relaxed);
        until > 0 && self.now() < until
    }

    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Readiness {
        let readiness = Readiness::default();
        readiness.set_broker(true);
        readiness.set_topics(true);
        readiness.set_schema_known();
        readiness
    }

    #[test]
    fn every_part_counts() {
        let readiness = Readiness::default();
        assert!(!readiness.report().ready);
        readiness.set_broker(true);
        readiness.set_topics(true);
        assert!(!readiness.can_publish());
        readiness.set_schema_known();
        assert!(readiness.can_publish() && readiness.report().ready);
        readiness.set_stopping();
        assert!(readiness.can_publish() && !readiness.report().ready);
        assert!(readiness.set_broker(false), "news");
        assert!(!readiness.set_broker(false), "known already");
        assert!(!readiness.can_publish());
    }

    #[test]
    fn deliveries_that_fail_pause_pushes_unless_others_succeed() {
        let readiness = ready();
        readiness.acknowledged();
        readiness.not_acknowledged(Duration::from_mins(1));
        assert!(readiness.can_publish(), "another record was acknowledged meanwhile");
        let readiness = ready();
        readiness.not_acknowledged(Duration::from_mins(1));
        assert!(!readiness.can_publish());
        assert!(!readiness.report().broker);
    }
}
