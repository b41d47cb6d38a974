//! The line of calls, and those in flight. They run on the runtime; what becomes of them comes back by a channel.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use courierflow_domain::reconcile::Query;
use courierflow_schemas::records::{Product, SubscriptionSecret, TimestampMicros};
use courierflow_vendors::api::request::CallRequest;
use tokio::runtime::Handle;

use super::intents::Intent;
use crate::exactly_once::last_poll::LastPoll;
use crate::vendor_calls::client::{Client, Exchanged};

/// A query that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub(super) query: Query,
    pub(super) partition: i32,
    /// Canonical code of the carrier.
    pub(super) carrier: String,
    pub(super) product: Product,
    /// Which query of the parcel.
    pub(super) round: u16,
    /// Which call of the query.
    pub(super) attempt: u16,
    /// A repetition waits.
    pub(super) not_before: Option<Instant>,
}

impl Queued {
    pub(super) fn intent(&self, started_at: TimestampMicros) -> Intent {
        Intent {
            vendor: self.query.vendor,
            account: self.query.account.clone(),
            vendor_carrier: self.query.vendor_carrier.clone(),
            carrier: self.carrier.clone(),
            tracking_number: self.query.tracking_number.clone(),
            reason: self.query.class.reason(),
            round: self.round,
            attempt: self.attempt,
            started_at,
        }
    }
}

/// A call whose request is written.
pub(super) struct Prepared {
    pub(super) account: usize,
    /// Of the partitions to which it belongs.
    pub(super) assignment: u64,
    pub(super) queued: Queued,
    pub(super) intent: Intent,
    pub(super) secret: SubscriptionSecret,
    pub(super) request: CallRequest,
}

/// A call that has ended.
pub(super) struct CallResult {
    pub(super) account: usize,
    pub(super) assignment: u64,
    pub(super) queued: Queued,
    pub(super) intent: Intent,
    /// What was sent that nobody else may see.
    pub(super) secret: SubscriptionSecret,
    pub(super) ended_at: TimestampMicros,
    /// `None` if it was not made after all, because the worker had been away for too long.
    pub(super) exchanged: Option<Exchanged>,
}

/// All calls of a worker.
pub(super) struct Calls {
    /// By account, in the order of the plan.
    lines: Vec<VecDeque<Queued>>,
    in_flight: usize,
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
            lines: (0..accounts).map(|_| VecDeque::new()).collect(),
            in_flight: 0,
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

    pub(super) const fn are_in_flight(&self) -> bool {
        self.in_flight > 0
    }

    /// Whether there is anything to wait for.
    pub(super) fn is_busy(&self) -> bool {
        self.are_in_flight() || self.lines.iter().any(|line| !line.is_empty())
    }

    /// Puts a query at the end of its line.
    pub(super) fn queue(&mut self, account: usize, queued: Queued) {
        if let Some(line) = self.lines.get_mut(account) {
            line.push_back(queued);
        }
    }

    /// Puts a query back that could not be begun.
    pub(super) fn put_back(&mut self, account: usize, queued: Queued) {
        if let Some(line) = self.lines.get_mut(account) {
            line.push_front(queued);
        }
    }

    /// Takes the next query of an account that may begin now and that `fits`.
    pub(super) fn next(&mut self, account: usize, fits: impl Fn(&Queued) -> bool) -> Option<Queued> {
        let line = self.lines.get_mut(account)?;
        let now = Instant::now();
        let may_begin = |queued: &Queued| queued.not_before.is_none_or(|then| then <= now) && fits(queued);
        let index = line.iter().position(may_begin)?;
        line.remove(index)
    }

    /// Empties the line of an account: nothing can be sent. The next round plans it again.
    pub(super) fn clear_line(&mut self, account: usize) {
        if let Some(line) = self.lines.get_mut(account) {
            line.clear();
        }
    }

    /// Empties all lines, but for repetitions, which no round knows of.
    pub(super) fn clear_planned(&mut self) {
        for line in &mut self.lines {
            line.retain(|queued| queued.attempt > 1);
        }
    }

    /// Empties all lines: the partitions are gone.
    pub(super) fn clear(&mut self) {
        self.lines.iter_mut().for_each(VecDeque::clear);
    }

    /// Makes a call whose intent is committed.
    pub(super) fn start(&mut self, prepared: Prepared) {
        self.in_flight += 1;
        let (client, sender, last_poll) = (self.client.clone(), self.sender.clone(), self.last_poll.clone());
        self.runtime.spawn(async move {
            let Prepared {
                account,
                assignment,
                queued,
                intent,
                secret,
                request,
            } = prepared;
            let exchanged = if last_poll.is_fresh() {
                Some(client.call(&request).await)
            } else {
                None
            };
            // Nobody receives it if the worker has ended: then its successor records that it was begun.
            let _ = sender.send(CallResult {
                account,
                assignment,
                queued,
                intent,
                secret,
                ended_at: now(),
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
        self.in_flight = self.in_flight.saturating_sub(1);
        Some(result)
    }
}

/// The present.
pub(super) fn now() -> TimestampMicros {
    TimestampMicros(jiff::Timestamp::now().as_microsecond())
}
