//! The line of calls that are committed, and those in flight. They run on the runtime; what becomes of them comes back by a channel.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use courierflow_domain::subscription::Call;
use courierflow_schemas::records::{CallReason, Subscription, SubscriptionSecret, TimestampMicros};
use courierflow_vendors::api::request::CallRequest;
use tokio::runtime::Handle;

use super::state::Key;
use crate::exactly_once::last_poll::LastPoll;
use crate::vendor_calls::client::{Client, Exchanged};

/// Calls waiting or in flight; as long as there are so many, nothing is read.
pub(super) const MOST: usize = 1_000;

/// A call that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub(super) partition: i32,
    pub(super) key: Key,
    /// Its account.
    pub(super) account: usize,
    pub(super) call: Call,
    /// When somebody asked for the subscription: the oldest comes first.
    pub(super) requested_at: TimestampMicros,
    pub(super) since: Instant,
}

/// The order of calls of an account: new subscriptions before further ones, then by age.
type Turn = (bool, TimestampMicros, Key);

impl Queued {
    fn turn(&self) -> Turn {
        let is_again = self.call.reason == CallReason::Resubscribe;
        (is_again, self.requested_at, Arc::clone(&self.key))
    }
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub(super) struct CallResult {
    pub(super) queued: Queued,
    /// The subscription when the call was made.
    pub(super) subscription: Box<Subscription>,
    /// What was sent of it that nobody else may see.
    pub(super) secret: SubscriptionSecret,
    pub(super) started_at: TimestampMicros,
    /// `None` if it was not made after all, because the worker had been away for too long.
    pub(super) exchanged: Option<Exchanged>,
}

/// All calls of a worker.
pub(super) struct Calls {
    /// By account.
    lines: Vec<BTreeMap<Turn, Queued>>,
    waiting: usize,
    /// Subscriptions with a call in flight, which may belong to a former assignment.
    in_flight: HashMap<Key, usize>,
    client: Client,
    runtime: Handle,
    last_poll: LastPoll,
    sender: Sender<CallResult>,
    results: Receiver<CallResult>,
}

impl Calls {
    pub(super) fn new(accounts: usize, client: Client, runtime: Handle) -> Self {
        let (sender, results) = channel();
        Self {
            lines: (0..accounts).map(|_| BTreeMap::new()).collect(),
            waiting: 0,
            in_flight: HashMap::new(),
            client,
            runtime,
            last_poll: LastPoll::default(),
            sender,
            results,
        }
    }

    /// To be told of every poll.
    pub(super) const fn last_poll(&self) -> &LastPoll {
        &self.last_poll
    }

    /// Waiting and in flight.
    pub(super) fn len(&self) -> usize {
        self.waiting + self.in_flight.len()
    }

    pub(super) fn are_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Puts a call in its line.
    pub(super) fn queue(&mut self, queued: Queued) {
        if let Some(line) = self.lines.get_mut(queued.account) {
            let replaced = line.insert(queued.turn(), queued);
            self.waiting += usize::from(replaced.is_none());
        }
    }

    /// Takes everything out of the lines: the partitions are gone.
    pub(super) fn clear(&mut self) {
        self.lines.iter_mut().for_each(BTreeMap::clear);
        self.waiting = 0;
    }

    /// Takes the next call of an account whose number has none in flight.
    pub(super) fn next(&mut self, account: usize) -> Option<Queued> {
        let line = self.lines.get_mut(account)?;
        let mut free = line
            .iter()
            .filter(|(_, queued)| !self.in_flight.contains_key(&queued.key));
        let turn = free.next().map(|(turn, _)| turn.clone())?;
        let queued = line.remove(&turn)?;
        self.waiting = self.waiting.saturating_sub(1);
        Some(queued)
    }

    /// Whether an account has a call that could be made.
    pub(super) fn has_next(&self, account: usize) -> bool {
        let mut queued = self.lines.get(account).into_iter().flat_map(BTreeMap::values);
        queued.any(|queued| !self.in_flight.contains_key(&queued.key))
    }

    /// Whether an account has a call of this subscription that was not made yet.
    pub(super) fn is_in_line(&self, account: usize, key: &str) -> bool {
        let mut queued = self.lines.get(account).into_iter().flat_map(BTreeMap::values);
        queued.any(|queued| &*queued.key == key)
    }

    /// How long the first of an account's line has waited.
    pub(super) fn oldest(&self, account: usize) -> Option<Duration> {
        let queued = self.lines.get(account).into_iter().flat_map(BTreeMap::values);
        queued.map(|queued| queued.since.elapsed()).max()
    }

    /// Makes a call.
    pub(super) fn start(
        &mut self,
        queued: Queued,
        (subscription, secret): (Subscription, SubscriptionSecret),
        request: CallRequest,
        started_at: TimestampMicros,
    ) {
        self.in_flight.insert(Arc::clone(&queued.key), queued.account);
        let (client, sender, last_poll) = (self.client.clone(), self.sender.clone(), self.last_poll.clone());
        self.runtime.spawn(async move {
            let exchanged = if last_poll.is_fresh() {
                Some(client.call(&request).await)
            } else {
                None
            };
            // Nobody receives it if the worker has ended: then the successor repeats the call.
            let _ = sender.send(CallResult {
                queued,
                subscription: Box::new(subscription),
                secret,
                started_at,
                exchanged,
            });
        });
    }

    /// A call that has ended, if there is one now, or within `wait`.
    pub(super) fn ended(&mut self, wait: Duration) -> Option<CallResult> {
        let result = if wait.is_zero() {
            self.results.try_recv().ok()?
        } else {
            self.results.recv_timeout(wait).ok()?
        };
        self.in_flight.remove(&result.queued.key);
        Some(result)
    }
}
