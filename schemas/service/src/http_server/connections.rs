//! All connections of a server: who gets in, who gives way, who is late.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::connection::Connection;
use super::{Closed, Limits, Metrics};

/// How long a full server waits before it looks again who could give way: connections come to wait for their peers without
/// saying so.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a connection that was told to close may take before the next one is: its task only has to be scheduled.
const END_OF_A_TASK: Duration = Duration::from_secs(1);

/// The open connections and their limits.
#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    metrics: Metrics,
    open: Mutex<Open>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
    of_peer: HashMap<IpAddr, usize>,
}

/// A connection that got in; it leaves when this is dropped.
pub(super) struct Entered {
    id: u64,
    connection: Arc<Connection>,
    all: Arc<Connections>,
}

impl Entered {
    pub(super) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.all.leave(self.id, self.connection.peer());
    }
}

impl Connections {
    pub(super) fn new(limits: Limits, metrics: Metrics) -> Self {
        Self {
            limits,
            metrics,
            open: Mutex::default(),
            freed: Notify::new(),
        }
    }

    /// Lets a connection in, for which another has to give way if there are too many. Nothing if its peer has as many as it may
    /// have and we work for all of them.
    pub(super) async fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Entered> {
        let connection = Arc::new(Connection::new(peer));
        let peer = connection.peer();
        loop {
            // From here on, so that none is missed that leaves before it is waited for.
            let freed = self.freed.notified();
            let patience;
            {
                let mut open = self.lock();
                let per_peer = self.limits.connections_per_peer;
                let has = open.of_peer.get(&peer).copied().unwrap_or_default();
                if per_peer > 0 && has >= per_peer {
                    let gives_way = open.oldest_waiting_of(peer);
                    self.metrics.closed(Closed::PeerLimit);
                    gives_way?.close();
                    patience = END_OF_A_TASK;
                } else if open.connections.len() >= self.limits.connections {
                    patience = if let Some(connection) = open.next_to_give_way() {
                        self.metrics.closed(Closed::Full);
                        connection.close();
                        END_OF_A_TASK
                    } else {
                        LOOK_AGAIN
                    };
                } else {
                    let id = open.add(Arc::clone(&connection));
                    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
                    self.metrics.open.set(open.connections.len() as f64);
                    return Some(Entered {
                        id,
                        connection,
                        all: Arc::clone(self),
                    });
                }
            }
            // The next one waits in the system's queue meanwhile: file descriptors are really given back.
            drop(timeout(patience, freed).await);
        }
    }

    /// Closes one connection, if there is any that waits for its peer.
    pub(super) fn give_way(&self) {
        if let Some(connection) = self.lock().next_to_give_way() {
            self.metrics.closed(Closed::Full);
            connection.close();
        }
    }

    /// Closes the connections whose time is over, for ever.
    pub(super) async fn close_late(&self) {
        let Limits { head, idle, write, .. } = self.limits;
        let often = (head.min(idle).min(write) / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let mut ticks = interval(often);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = ticks.tick().await;
            for connection in self.lock().connections.values() {
                if let Some(reason) = connection.late(&self.limits, now) {
                    self.metrics.closed(reason);
                    connection.close();
                }
            }
        }
    }

    fn leave(&self, id: u64, peer: IpAddr) {
        let mut open = self.lock();
        open.remove(id, peer);
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
        self.metrics.open.set(open.connections.len() as f64);
        drop(open);
        self.freed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // No change can panic half-way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn add(&mut self, connection: Arc<Connection>) -> u64 {
        let id = self.next;
        self.next += 1;
        *self.of_peer.entry(connection.peer()).or_default() += 1;
        self.connections.insert(id, connection);
        id
    }

    fn remove(&mut self, id: u64, peer: IpAddr) {
        self.connections.remove(&id);
        if let Some(count) = self.of_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.of_peer.remove(&peer);
            }
        }
    }

    /// Of the peer with the most connections the one that has waited for it longest: whoever fills the server makes room first,
    /// and behind one proxy it is whoever has been silent longest.
    fn next_to_give_way(&self) -> Option<&Connection> {
        let waiting = self.connections.values().filter_map(|connection| {
            let since = connection.waiting_since()?;
            let count = self.of_peer.get(&connection.peer()).copied().unwrap_or_default();
            Some((count, std::cmp::Reverse(since), connection))
        });
        waiting
            .max_by_key(|(count, since, _)| (*count, *since))
            .map(|(_, _, connection)| &**connection)
    }

    fn oldest_waiting_of(&self, peer: IpAddr) -> Option<&Connection> {
        let of_peer = self.connections.values().filter(|connection| connection.peer() == peer);
        let waiting = of_peer.filter_map(|connection| Some((connection.waiting_since()?, connection)));
        waiting
            .min_by_key(|(since, _)| *since)
            .map(|(_, connection)| &**connection)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::Phase;
    use super::*;

    const LIMITS: Limits = Limits {
        connections: 3,
        connections_per_peer: 2,
        head: Duration::from_secs(1),
        idle: Duration::from_secs(1),
        write: Duration::from_secs(1),
        drain: Duration::ZERO,
    };

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// A task as the server's: it holds the connection until it is told to close.
    fn hold(entered: Entered) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move { entered.connection().told_to_close().await })
    }

    #[tokio::test(start_paused = true)]
    async fn the_peer_with_the_most_connections_gives_way_oldest_first() {
        let all = Arc::new(Connections::new(LIMITS, Metrics::none()));
        let quiet = hold(all.enter(peer(1)).await.unwrap());
        tokio::time::advance(Duration::from_millis(1)).await;
        let oldest = hold(all.enter(peer(2)).await.unwrap());
        tokio::time::advance(Duration::from_millis(1)).await;
        let newer = hold(all.enter(peer(2)).await.unwrap());
        // Full: the one with two connections loses its older one, not the one who came first.
        let _next = all.enter(peer(3)).await.unwrap();
        oldest.await.unwrap();
        assert!(!quiet.is_finished() && !newer.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_at_its_limit_makes_room_for_itself_and_waits_for_nobody() {
        let all = Arc::new(Connections::new(LIMITS, Metrics::none()));
        let first = all.enter(peer(1)).await.unwrap();
        let second = all.enter(peer(1)).await.unwrap();
        first.connection().enters(Phase::Work);
        let second = hold(second);
        let third = all.enter(peer(1)).await.unwrap();
        second.await.unwrap();
        // We work for both: a third is refused, and others are not kept waiting.
        third.connection().enters(Phase::Work);
        assert!(all.enter(peer(1)).await.is_none());
        assert!(all.enter(peer(2)).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn while_we_work_for_all_the_next_one_waits() {
        let all = Arc::new(Connections::new(LIMITS, Metrics::none()));
        let mut entered = Vec::new();
        for last in 1..=3 {
            let next = all.enter(peer(last)).await.unwrap();
            next.connection().enters(Phase::Work);
            entered.push(next);
        }
        assert!(timeout(Duration::from_secs(10), all.enter(peer(4))).await.is_err());
        drop(entered.pop());
        assert!(timeout(Duration::from_secs(10), all.enter(peer(4))).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_are_late_are_closed() {
        let all = Arc::new(Connections::new(LIMITS, Metrics::none()));
        let late = hold(all.enter(peer(1)).await.unwrap());
        let at_work = all.enter(peer(2)).await.unwrap();
        at_work.connection().enters(Phase::Work);
        let at_work = hold(at_work);
        assert!(timeout(Duration::from_secs(2), all.close_late()).await.is_err());
        late.await.unwrap();
        assert!(!at_work.is_finished());
    }
}
