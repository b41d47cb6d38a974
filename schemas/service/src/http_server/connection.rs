//! What one connection waits for, and since when.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Closed, Limits};

/// Where a connection is in its present request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before the first byte.
    Idle,
    /// Something of the head is there.
    Head,
    /// The head is there, the body is not.
    Body,
    /// All of the request is there.
    Work,
    /// The answer is being sent.
    Answer,
}

/// Shared by the connection's task, its socket and its bodies, and by the list of all connections.
#[derive(Debug)]
pub(super) struct Connection {
    peer: IpAddr,
    state: Mutex<State>,
    close: Notify,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Since when the peer has taken no byte of what is there to be sent.
    stalled_since: Option<Instant>,
    closing: bool,
}

impl Connection {
    /// Just accepted.
    pub(super) fn new(peer: IpAddr) -> Self {
        Self {
            peer: network_of(peer),
            state: Mutex::new(State {
                phase: Phase::Idle,
                since: Instant::now(),
                stalled_since: None,
                closing: false,
            }),
            close: Notify::new(),
        }
    }

    /// Whose connections are counted together.
    pub(super) const fn peer(&self) -> IpAddr {
        self.peer
    }

    /// A new phase begins.
    pub(super) fn enters(&self, phase: Phase) {
        let mut state = self.lock();
        state.phase = phase;
        state.since = Instant::now();
    }

    /// A phase begins if the connection is in the one before it.
    pub(super) fn passes(&self, from: Phase, to: Phase) {
        let mut state = self.lock();
        if state.phase == from {
            state.phase = to;
            state.since = Instant::now();
        }
    }

    /// Whether the peer took something of what was to be sent.
    pub(super) fn wrote(&self, something: bool) {
        let mut state = self.lock();
        state.stalled_since = if something {
            None
        } else {
            state.stalled_since.or_else(|| Some(Instant::now()))
        };
    }

    /// Since when it has been waiting for its peer; nothing while it is the peer who waits for us, or when it is about to be
    /// closed anyway.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let state = self.lock();
        let waits = state.phase != Phase::Work && !state.closing;
        waits.then_some(state.since)
    }

    /// Why it is to be closed at `now`, if it is.
    pub(super) fn late(&self, limits: &Limits, now: Instant) -> Option<Closed> {
        let state = *self.lock();
        let is_over = |since: Instant, limit: Duration| now.duration_since(since) >= limit;
        if state.closing {
            None
        } else if (state.stalled_since).is_some_and(|since| is_over(since, limits.write)) {
            Some(Closed::NotReading)
        } else {
            match state.phase {
                Phase::Idle if is_over(state.since, limits.idle) => Some(Closed::Idle),
                Phase::Head if is_over(state.since, limits.head) => Some(Closed::SlowHead),
                _ => None,
            }
        }
    }

    /// Tells the task of the connection to end.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.close.notify_one();
    }

    /// Waits for [`Connection::close`], also if that came first.
    pub(super) async fn told_to_close(&self) {
        self.close.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is a few assignments: a panic elsewhere leaves nothing half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address, or of IPv6 its /64: who has one address there has all of them.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        connections: 1,
        connections_per_peer: 0,
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        write: Duration::from_secs(30),
        drain: Duration::ZERO,
    };

    fn local() -> Connection {
        Connection::new(IpAddr::from([127, 0, 0, 1]))
    }

    #[test]
    fn each_phase_has_its_own_deadline() {
        let cases: [(Phase, u64, Option<Closed>); 8] = [
            (Phase::Idle, 74, None),
            (Phase::Idle, 76, Some(Closed::Idle)),
            (Phase::Head, 9, None),
            (Phase::Head, 11, Some(Closed::SlowHead)),
            (Phase::Body, 1_000, None),
            (Phase::Work, 1_000, None),
            (Phase::Answer, 1_000, None),
            (Phase::Head, 76, Some(Closed::SlowHead)),
        ];
        for (phase, seconds, expected) in cases {
            let connection = local();
            connection.enters(phase);
            let now = Instant::now() + Duration::from_secs(seconds);
            assert_eq!(connection.late(&LIMITS, now), expected, "{phase:?} {seconds} s");
        }
    }

    #[test]
    fn who_does_not_read_is_late_in_every_phase_until_a_byte_is_taken() {
        let connection = local();
        for phase in [Phase::Idle, Phase::Work, Phase::Answer] {
            connection.enters(phase);
            connection.wrote(false);
            connection.wrote(false);
            let now = Instant::now() + Duration::from_secs(31);
            assert_eq!(connection.late(&LIMITS, now), Some(Closed::NotReading), "{phase:?}");
            connection.wrote(true);
            assert_eq!(connection.late(&LIMITS, now), None, "{phase:?}");
        }
    }

    #[test]
    fn a_connection_that_we_work_for_or_that_ends_does_not_give_way() {
        let connection = local();
        assert!(connection.waiting_since().is_some());
        connection.enters(Phase::Work);
        assert!(connection.waiting_since().is_none());
        connection.enters(Phase::Answer);
        assert!(connection.waiting_since().is_some());
        connection.close();
        assert!(connection.waiting_since().is_none());
    }

    #[test]
    fn a_body_that_ends_after_its_answer_changes_nothing() {
        let connection = local();
        connection.enters(Phase::Answer);
        connection.passes(Phase::Body, Phase::Work);
        assert!(connection.waiting_since().is_some());
    }

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let peer = |address: &str| Connection::new(address.parse().unwrap()).peer();
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
    }
}
