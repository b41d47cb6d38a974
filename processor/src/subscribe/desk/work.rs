//! What is no record: calls that have ended, timers, probes of stopped accounts, and the line of calls.

use std::sync::Arc;
use std::time::Duration;

use courierflow_domain::subscription::{AccountChange, Answer, Input, Outcome};
use courierflow_schemas::records::{CallReason, Subscription, TimestampMicros};
use courierflow_schemas::topics;
use courierflow_vendors::api::order::OrderError;

use super::Desk;
use crate::subscribe::answers::{self, Internal};
use crate::subscribe::breakpoint::{self, Breakpoint};
use crate::subscribe::calls::{CallResult, Queued};
use crate::subscribe::counts::Call;
use crate::subscribe::error::WorkerError;
use crate::subscribe::state::{Key, waits_for_account};

/// So many timers are handled between two polls.
const TIMERS: usize = 200;

impl Desk {
    /// Takes everything that is no record and has happened. Timers and probes only where `all` is asked for, and only when the pushes
    /// are read that may make them needless.
    pub(in crate::subscribe) fn work_through(&mut self, all: bool) -> Result<(), WorkerError> {
        while let Some(result) = self.calls.ended(Duration::ZERO) {
            self.call_ended(result);
        }
        while let Some(internal) = self.internal.pop_front() {
            self.take_internal(internal)?;
        }
        if !all || self.is_behind() {
            return Ok(());
        }
        while !self.restored.is_empty() && self.calls.len() + self.transactions.calls() < super::MOST {
            if let Some(internal) = self.restored.pop_front() {
                self.take_internal(internal)?;
            }
        }
        self.timers()?;
        self.probes()
    }

    /// Waits for a call to end.
    pub(super) fn wait_for_call(&mut self, wait: Duration) {
        if let Some(result) = self.calls.ended(wait) {
            self.call_ended(result);
        }
    }

    fn call_ended(&mut self, result: CallResult) {
        if let Some(account) = self.accounts.get_mut(result.queued.account) {
            account.limiter.give_back();
        }
        self.internal.push_back(Internal::Ended(Box::new(result)));
    }

    fn take_internal(&mut self, internal: Internal) -> Result<(), WorkerError> {
        let partition = internal.partition();
        // It may be of a former assignment; its call is repeated by the new owner.
        if !self.state.owns(partition) {
            return Ok(());
        }
        match &internal {
            Internal::Ended(result) if result.exchanged.is_none() => {
                if self.is_current(&result.queued)? {
                    self.calls.queue(result.queued.clone());
                }
                return Ok(());
            }
            Internal::Ended(result) => self.answered(result)?,
            Internal::NotMade {
                key, call_id, outcome, ..
            } => {
                let answer = Answer {
                    call_id: *call_id,
                    started_at: self.now(),
                    outcome: *outcome,
                    code: None,
                };
                self.take_key(partition, key, Input::Answer(&answer))?;
            }
            Internal::Restored { key, .. } => self.take_key(partition, key, Input::Restored)?,
        }
        self.transactions.took(partition, Some(internal));
        Ok(())
    }

    /// One input to the subscription with this key, if its account is in the configuration.
    fn take_key(&mut self, partition: i32, key: &Key, input: Input<'_>) -> Result<(), WorkerError> {
        let Some(held) = self.state.get(partition, key)? else {
            return Ok(());
        };
        let Subscription {
            vendor,
            account,
            tracking_number,
            ..
        } = &held.subscription;
        match self.accounts.find(vendor, account) {
            Some(account) => self.take(partition, account, tracking_number, input),
            None => Ok(()),
        }
    }

    /// A call was made: its record, what it tells of the account, and what of the subscription.
    fn answered(&mut self, result: &CallResult) -> Result<(), WorkerError> {
        let (partition, index) = (result.queued.partition, result.queued.account);
        let (Some(exchanged), Some(account)) = (&result.exchanged, self.accounts.get(index)) else {
            return Ok(());
        };
        breakpoint::reach(Breakpoint::AfterAnswer);
        let vendor = account.terms().vendor;
        let told = account
            .contract
            .call
            .read_subscribed(exchanged.ended.exchange(), &result.secret);
        let answer = answers::answer_of(result, &told);
        let record = answers::record(result, vendor, exchanged, &told);
        let counted = Call {
            api: account.contract.call.kind().as_str(),
            account: account.label.clone(),
            class: told.class,
            code: answers::label_of_code(vendor, told.code.as_deref()),
            seconds: exchanged.duration.as_secs_f64(),
            is_unknown: told.is_unlisted,
        };
        self.transactions.begin()?.counts.call(counted);
        let mut value = Vec::new();
        self.codecs.call.encode(&record, &mut value)?;
        let number = &result.subscription.tracking_number;
        self.produce(topics::VENDOR_CALL, partition, number.as_bytes(), Some(&value))?;
        self.account_heard(index, number, &answer)?;
        self.take(partition, index, number, Input::Answer(&answer))
    }

    fn account_heard(&mut self, index: usize, tracking_number: &str, answer: &Answer) -> Result<(), WorkerError> {
        let now = self.now();
        let Some(account) = self.accounts.get_mut(index) else {
            return Ok(());
        };
        let delays = &account.contract.terms.delays;
        let change = account.standing.heard(tracking_number, answer, now, delays);
        let label = account.label.clone();
        match change {
            Some(AccountChange::Stopped { cause, code }) => {
                tracing::error!(
                    account = label,
                    ?cause,
                    code,
                    "account stopped: one number at a time tries it"
                );
            }
            Some(AccountChange::Resumed) => {
                tracing::info!(account = label, "account goes on");
                self.state.unpark(&account.owner)?;
            }
            Some(AccountChange::SlowDown { until }) => account.limiter.slow_down(until),
            Some(AccountChange::UnsentForLong) => {
                tracing::error!(account = label, "nothing could be sent to the vendor for long");
            }
            None => return Ok(()),
        }
        self.report.degraded(&self.accounts);
        Ok(())
    }

    fn timers(&mut self) -> Result<(), WorkerError> {
        let now = self.now();
        for (partition, key) in self.state.due(now, TIMERS)? {
            if self.is_full() {
                break;
            }
            self.timer(partition, &key)?;
        }
        Ok(())
    }

    fn timer(&mut self, partition: i32, key: &Key) -> Result<(), WorkerError> {
        let Some(held) = self.state.get(partition, key)? else {
            return Ok(());
        };
        let subscription = &held.subscription;
        if subscription.state.is_terminal() {
            return self.forget(partition, key);
        }
        let found = self.accounts.find(&subscription.vendor, &subscription.account);
        let account = found.and_then(|index| self.accounts.get(index));
        let can_go_on =
            account.is_some_and(|account| account.standing.is_running() || !waits_for_account(subscription));
        let version = subscription.version;
        if can_go_on {
            self.take_key(partition, key, Input::Due)?;
        }
        let after = self.state.get(partition, key)?;
        if after.is_some_and(|after| after.subscription.version == version) {
            // Its account is stopped, or not in the configuration any more: no clock helps.
            self.state.park(partition, key)?;
            return Ok(());
        }
        self.transactions.took(partition, None);
        Ok(())
    }

    /// A subscription ended so long ago that nobody asks for it: tombstones.
    fn forget(&mut self, partition: i32, key: &Key) -> Result<(), WorkerError> {
        self.transactions.begin()?;
        self.produce(topics::SUBSCRIPTION, partition, key.as_bytes(), None)?;
        let undo = self.state.remove(partition, key)?;
        self.with_open(|open| open.undo.push(undo));
        self.transactions.took(partition, None);
        Ok(())
    }

    fn probes(&mut self) -> Result<(), WorkerError> {
        let now = self.now();
        for index in 0..self.accounts.len() {
            let Some(account) = self.accounts.get_mut(index) else {
                continue;
            };
            let Some((partition, key)) = self.state.first_parked(&account.owner)? else {
                continue;
            };
            if account.standing.takes_probe(now, &account.contract.terms.delays) {
                self.take_key(partition, &key, Input::Probe)?;
                self.transactions.took(partition, None);
            }
        }
        Ok(())
    }

    // ---- calls ------------------------------------------------------------------------------------------------------

    /// Starts as many of the committed calls as the accounts may have now.
    pub(in crate::subscribe) fn start_calls(&mut self) -> Result<(), WorkerError> {
        let now = self.now();
        for index in 0..self.accounts.len() {
            while self.calls.has_next(index) && self.start_call(index, now)? {}
        }
        Ok(())
    }

    /// Starts the next call of an account; false if it has to wait.
    fn start_call(&mut self, index: usize, now: TimestampMicros) -> Result<bool, WorkerError> {
        let Some(account) = self.accounts.get_mut(index) else {
            return Ok(false);
        };
        let is_running = account.standing.is_running();
        if is_running && !account.limiter.take(now) {
            return Ok(false);
        }
        let Some(queued) = self.calls.next(index) else {
            return Ok(false);
        };
        if !is_running {
            if queued.call.reason != CallReason::Probe {
                // It waits with the others; nothing was asked.
                self.not_made(&queued, Outcome::Account);
                return Ok(true);
            }
            if !account.limiter.take(now) {
                self.calls.queue(queued);
                return Ok(false);
            }
        }
        if !self.make(queued, now)?
            && let Some(account) = self.accounts.get_mut(index)
        {
            account.limiter.give_back();
        }
        Ok(true)
    }

    /// Makes a call; false if there is nothing to be called any more.
    fn make(&mut self, queued: Queued, now: TimestampMicros) -> Result<bool, WorkerError> {
        let held = self.state.get(queued.partition, &queued.key)?;
        let held = held.filter(|held| held.subscription.call_id == Some(queued.call.call_id));
        let (Some(held), Some(account)) = (held, self.accounts.get(queued.account)) else {
            return Ok(false);
        };
        let (subscription, secret) = (held.subscription, held.secret.unwrap_or_default());
        match account.contract.call.subscribe(&subscription, &secret) {
            Ok(request) => {
                self.calls.start(queued, (subscription, secret), request, now);
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(account = account.label, %error, "no call can be made");
                let outcome = match error {
                    OrderError::Missing(_) => Outcome::Account,
                    error => Outcome::Rejected(error.reason()),
                };
                self.not_made(&queued, outcome);
                Ok(false)
            }
        }
    }

    fn not_made(&mut self, queued: &Queued, outcome: Outcome) {
        self.internal.push_back(Internal::NotMade {
            partition: queued.partition,
            key: Arc::clone(&queued.key),
            call_id: queued.call.call_id,
            outcome,
        });
    }

    /// Whether the subscription still waits for this call: a push may have told its success, or somebody cancelled.
    fn is_current(&self, queued: &Queued) -> Result<bool, WorkerError> {
        let held = self.state.get(queued.partition, &queued.key)?;
        Ok(held.is_some_and(|held| held.subscription.call_id == Some(queued.call.call_id)))
    }
}
