//! Whether pushes, and requests for subscriptions, can be stored, part by part. It is the content of `/readyz`, and lets a push be
//! answered 503 at once instead of after the acknowledgement deadline.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

/// How long pushes are refused after a delivery failed while no other succeeded.
const PAUSE: Duration = Duration::from_secs(1);

/// Set by the watchers and by the deliveries themselves, read by every push.
#[derive(Debug)]
pub struct Readiness {
    broker: AtomicBool,
    topics: AtomicBool,
    schema: AtomicBool,
    /// Their topic; `None` if nobody can ask for subscriptions here.
    subscriptions: Option<AtomicBool>,
    stopping: AtomicBool,
    started: Instant,
    /// Time of the last acknowledgement, in milliseconds after `started`; 0 means never.
    last_acknowledged: AtomicU64,
    /// End of the pause, in milliseconds after `started`.
    paused_until: AtomicU64,
}

/// The body of `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent parts, each a key of the JSON")]
pub struct Report {
    /// True if all parts below are, and it is not stopping.
    pub ready: bool,
    /// A broker answers and deliveries do not fail.
    pub broker: bool,
    /// The topics exist and have leaders.
    pub topics: bool,
    /// The schema id is known.
    pub schema: bool,
    /// The service is shutting down.
    pub stopping: bool,
    /// The topic of requests for subscriptions exists and has leaders. Pushes do not depend on it. Missing if nobody can ask here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<bool>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            broker: AtomicBool::new(false),
            topics: AtomicBool::new(false),
            schema: AtomicBool::new(false),
            subscriptions: None,
            stopping: AtomicBool::new(false),
            started: Instant::now(),
            last_acknowledged: AtomicU64::new(0),
            paused_until: AtomicU64::new(0),
        }
    }
}

impl Readiness {
    /// Of a service that also takes requests for subscriptions.
    pub fn with_subscriptions() -> Self {
        Self {
            subscriptions: Some(AtomicBool::new(false)),
            ..Self::default()
        }
    }

    /// The state of all parts.
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
            subscriptions: self.subscriptions.as_ref().map(|usable| usable.load(Ordering::Relaxed)),
        }
    }

    /// Whether it makes sense to try. It remains true during shutdown, so that pushes in flight can finish.
    pub fn can_publish(&self) -> bool {
        let Report {
            broker, topics, schema, ..
        } = self.report();
        broker && topics && schema
    }

    /// Whether it makes sense to try to store a request for subscriptions.
    pub fn can_request(&self) -> bool {
        let is_usable = |topic: &AtomicBool| topic.load(Ordering::Relaxed);
        self.can_publish() && self.subscriptions.as_ref().is_some_and(is_usable)
    }

    /// Whether anybody can ask for subscriptions here.
    pub const fn takes_requests(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// Records whether the topic of requests is usable. Returns true if that has changed.
    pub fn set_subscriptions(&self, usable: bool) -> bool {
        let part = self.subscriptions.as_ref();
        part.is_some_and(|part| part.swap(usable, Ordering::Relaxed) != usable)
    }

    /// Records whether the broker answers. Returns true if that has changed.
    pub fn set_broker(&self, reachable: bool) -> bool {
        self.broker.swap(reachable, Ordering::Relaxed) != reachable
    }

    /// Records whether the topics are usable. Returns true if that has changed.
    pub fn set_topics(&self, usable: bool) -> bool {
        self.topics.swap(usable, Ordering::Relaxed) != usable
    }

    /// Records that the schema id is known.
    pub fn set_schema_known(&self) {
        self.schema.store(true, Ordering::Relaxed);
    }

    /// Marks the service as shutting down, so that load balancers send no more traffic.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Records that a record was acknowledged.
    pub fn acknowledged(&self) {
        // At least 1, because 0 means never.
        self.last_acknowledged.store(self.now().max(1), Ordering::Relaxed);
    }

    /// Records that a record was not acknowledged within `deadline`. If no other record was either, pushes are refused
    /// for a moment and then tried again, so that not every push waits for the whole deadline when a broker accepts
    /// connections but stores nothing. A single partition without a leader must not stop the others.
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
    fn pushes_do_not_depend_on_the_topic_of_requests() {
        let readiness = Readiness::with_subscriptions();
        readiness.set_broker(true);
        readiness.set_topics(true);
        readiness.set_schema_known();
        assert!(readiness.can_publish() && readiness.report().ready && !readiness.can_request());
        assert!(readiness.set_subscriptions(true), "news");
        assert!(readiness.can_request());
        readiness.set_broker(false);
        assert!(!readiness.can_request());
        assert!(
            !ready().can_request() && !ready().set_subscriptions(true),
            "nobody can ask"
        );
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
