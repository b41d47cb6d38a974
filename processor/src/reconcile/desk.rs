//! Everything that a worker knows, and what it does next: rounds, calls that begin, calls that have ended.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use courierflow_domain::reconcile::{Class, Terms};
use courierflow_domain::subscription::months::begin_of_day;
use courierflow_domain::subscription::{self, AccountChange};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{
    CallClass, CallReason, Subscription, SubscriptionSecret, TimestampMicros, VendorCall,
};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::{DecodeError, Decoder};
use courierflow_vendors::api::answer::Answer;
use courierflow_vendors::api::order::Waybill;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::message::BorrowedMessage;

use super::accounts::{self, Account, Contract};
use super::calls::{CallResult, Calls, Prepared, Queued, now};
use super::candidates::{Found, Scope};
use super::error::WorkerError;
use super::history::{History, KEPT};
use super::intents::Intent;
use super::records::{self, Ended};
use super::round::{Decided, Round};
use super::secrets::Secrets;
use super::settings::ReconcileSettings;
use super::transaction::{Change, Outcome, Transactions};
use crate::health::Health;

/// So many calls begin with one transaction at most.
const MOST_BEGINS: usize = 64;
/// Calls that have not ended by then are recorded by the next owner of their partitions.
const PATIENCE_WITH_CALLS: Duration = Duration::from_secs(6);
/// Between two looks at the gauges.
const PERIOD: Duration = Duration::from_secs(2);

/// The topics that a worker reads, from their beginning.
pub(super) const INPUTS: [&str; 2] = [topics::VENDOR_CALL, topics::SUBSCRIPTION_SECRET];

/// Reads the records.
pub(super) struct Decoders {
    call: Decoder<VendorCall>,
    secret: Decoder<SubscriptionSecret>,
}

impl Decoders {
    pub(super) fn new(registry: &Registry, ids: SchemaIds) -> Self {
        Self {
            call: Decoder::new(registry.clone(), ids.vendor_call),
            secret: Decoder::new(registry.clone(), ids.subscription_secret),
        }
    }
}

/// What is the same as long as the worker runs.
pub(super) struct Fixed {
    pub(super) settings: ReconcileSettings,
    pub(super) terms: Terms,
    pub(super) delays: subscription::Delays,
    pub(super) carriers: &'static Carriers,
    /// Partitions of all topics.
    pub(super) all: u32,
    pub(super) health: Health,
    pub(super) part: String,
}

/// An account, and what it may still spend.
struct Asked {
    account: Account,
    /// Of this worker's part of the day, as of the last round. No call begins without it, whatever is in line.
    left: u32,
}

/// See the module.
pub(super) struct Desk {
    pub(super) calls: Calls,
    fixed: Fixed,
    accounts: Vec<Asked>,
    transactions: Transactions,
    decoders: Decoders,
    history: History,
    secrets: Secrets,
    partitions: Vec<i32>,
    /// Tells calls of the present assignment from those of former ones.
    assignment: u64,
    /// To be committed.
    ended: Vec<Ended>,
    /// Parcels, with their carrier, for which no request can be written.
    impossible: HashSet<(String, String)>,
    /// There was a round, so it is known what is left of the day.
    is_planned: bool,
    published: Option<Instant>,
}

impl Desk {
    pub(super) fn new(
        fixed: Fixed,
        contracts: &[Contract],
        calls: Calls,
        transactions: Transactions,
        decoders: Decoders,
    ) -> Self {
        let asked = |contract: &Contract| Asked {
            account: Account::new(contract),
            left: 0,
        };
        Self {
            calls,
            fixed,
            accounts: contracts.iter().map(asked).collect(),
            transactions,
            decoders,
            history: History::default(),
            secrets: Secrets::default(),
            partitions: Vec::new(),
            assignment: 0,
            ended: Vec::new(),
            impossible: HashSet::new(),
            is_planned: false,
            published: None,
        }
    }

    // ---- partitions -------------------------------------------------------------------------------------------------

    /// Takes new partitions over, each with the calls that its former owner has begun and not ended.
    pub(super) fn assigned(&mut self, under_way: BTreeMap<i32, Vec<Intent>>) {
        self.forget_all();
        self.partitions = under_way.keys().copied().collect();
        self.history.assigned(&self.partitions);
        self.secrets.assigned(&self.partitions);
        let (owned, all) = (
            self.partitions.len(),
            usize::try_from(self.fixed.all).unwrap_or(usize::MAX),
        );
        for asked in &mut self.accounts {
            asked.account.limiter.share(owned, all);
        }
        for (partition, intents) in &under_way {
            for intent in intents {
                let ended = records::left_behind(*partition, intent.clone(), self.api_of(intent));
                self.ended.push(ended);
            }
        }
        if !self.ended.is_empty() {
            tracing::info!(
                calls = self.ended.len(),
                "calls were begun by a former owner, and nobody knows their answer"
            );
        }
        self.transactions.assigned(under_way);
    }

    pub(super) const fn has_partitions(&self) -> bool {
        !self.partitions.is_empty()
    }

    fn api_of(&self, intent: &Intent) -> &'static str {
        let found = self.find(intent.vendor.as_str(), &intent.account);
        let asked = found.and_then(|index| self.accounts.get(index));
        asked.map_or("", |asked| asked.account.contract.call.kind().as_str())
    }

    fn find(&self, vendor: &str, account: &str) -> Option<usize> {
        let contracts = self.accounts.iter().map(|asked| &asked.account.contract);
        accounts::find(contracts, vendor, account)
    }

    /// Handles revoked partitions: what has ended is committed, unless they are `lost` and it is too late.
    pub(super) fn revoke(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        lost: bool,
    ) -> Result<(), WorkerError> {
        let ended = if lost { Ok(()) } else { self.finish(consumer) };
        self.forget_all();
        ended
    }

    /// Waits for the calls in flight, and commits what they became. No further call begins.
    pub(super) fn finish(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<(), WorkerError> {
        const STEP: Duration = Duration::from_millis(100);
        self.calls.clear();
        let begun = Instant::now();
        while self.calls.are_in_flight() && begun.elapsed() < PATIENCE_WITH_CALLS {
            if let Some(result) = self.calls.ended(STEP) {
                self.call_ended(result);
            }
        }
        self.take_ended_calls();
        // What cannot be committed now is left to the next owner, as a call of which nobody knows the answer.
        self.calls.clear();
        self.commit(consumer, Vec::new())
    }

    fn forget_all(&mut self) {
        self.assignment += 1;
        self.calls.clear();
        self.ended.clear();
        self.partitions.clear();
        self.history.assigned(&[]);
        self.secrets.assigned(&[]);
        self.transactions.assigned(BTreeMap::new());
    }

    // ---- records ----------------------------------------------------------------------------------------------------

    /// Takes a record of one of the topics.
    pub(super) fn read(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let (partition, payload) = (message.partition(), message.payload());
        let done = if message.topic() == topics::VENDOR_CALL {
            let read = self.read_call(partition, payload.unwrap_or_default());
            if read.as_ref().err().is_none_or(|error| !error.is_transient()) {
                self.transactions.read(partition, message.offset());
            }
            read
        } else {
            self.read_secret(partition, message.key().unwrap_or_default(), payload)
        };
        match done {
            Err(error) if error.is_transient() => Err(WorkerError::NotNow(error)),
            Err(error) => {
                let (topic, offset, class) = (message.topic(), message.offset(), error.class());
                tracing::warn!(
                    topic,
                    partition,
                    offset,
                    class,
                    "a record cannot be read, and is passed over"
                );
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn read_call(&mut self, partition: i32, value: &[u8]) -> Result<(), DecodeError> {
        let call = self.decoders.call.decode(value)?;
        let is_recent = call.started_at >= horizon(now());
        // Only queries have such a reason: what else a call may be for is of no interest.
        if is_recent && is_of_query(call.reason) {
            self.history.read(partition, &call);
        }
        Ok(())
    }

    fn read_secret(&mut self, partition: i32, key: &[u8], value: Option<&[u8]>) -> Result<(), DecodeError> {
        let secret = value.map(|value| self.decoders.secret.decode(value)).transpose()?;
        self.secrets.read(partition, &String::from_utf8_lossy(key), secret);
        Ok(())
    }

    // ---- rounds -----------------------------------------------------------------------------------------------------

    /// Whom the next round is about.
    pub(super) fn scope(&mut self) -> Scope {
        let now = now();
        self.history.forget_before(horizon(now));
        let settings = &self.fixed.settings;
        let contracts = || self.accounts.iter().map(|asked| &asked.account.contract);
        Scope {
            now,
            day: begin_of_day(now),
            horizon: horizon(now),
            partitions: self.partitions.clone(),
            all: self.fixed.all,
            accounts: contracts()
                .map(|contract| (contract.label(), settings.gap_terms(contract.vendor)))
                .collect(),
            audit_per_10000: contracts().map(|contract| contract.audit_per_10000).max().unwrap_or(0),
        }
    }

    /// Plans anew: what is still in line from the round before is planned again, or has become needless.
    pub(super) fn plan(&mut self, scope: &Scope, found: &Found) {
        self.calls.clear_planned();
        let round = Round {
            contracts: self.accounts.iter().map(|asked| &asked.account.contract).collect(),
            history: &self.history,
            secrets: &self.secrets,
            impossible: &self.impossible,
            carriers: self.fixed.carriers,
            terms: &self.fixed.terms,
            audit_within_micros: micros(self.fixed.settings.audit_within_ms),
        };
        let Decided {
            queries,
            unserved,
            left,
        } = round.decide(found, scope);
        self.is_planned = true;
        for (asked, left) in self.accounts.iter_mut().zip(left) {
            asked.left = left;
        }
        metrics::counter!("courierflow_reconcile_rounds_total").increment(1);
        let planned = queries.len();
        for (index, queued) in queries {
            if let Some(asked) = self.accounts.get_mut(index) {
                asked.left = asked.left.saturating_add(1);
            }
            self.calls.queue(index, queued);
        }
        for class in Class::ALL {
            let count = unserved.get(&class).copied().unwrap_or(0);
            metrics::gauge!("courierflow_reconcile_unserved", "class" => class.as_str()).set(f64::from(count));
        }
        let not_served: u32 = unserved.values().sum();
        if planned > 0 || not_served > 0 {
            tracing::info!(planned, unserved = not_served, "round");
        }
    }

    // ---- calls ------------------------------------------------------------------------------------------------------

    /// Commits what has ended and what is about to begin, then makes the calls.
    pub(super) fn step(&mut self, consumer: &BaseConsumer<impl ConsumerContext>) -> Result<(), WorkerError> {
        self.take_ended_calls();
        let prepared = self.prepare();
        self.commit(consumer, prepared)
    }

    fn commit(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        prepared: Vec<Prepared>,
    ) -> Result<(), WorkerError> {
        if prepared.is_empty() && self.ended.is_empty() {
            return Ok(());
        }
        let begins: Vec<_> = prepared
            .iter()
            .map(|call| (call.queued.partition, &call.intent))
            .collect();
        let change = Change {
            begins: &begins,
            ended: &self.ended,
        };
        match self.transactions.commit(consumer, &change)? {
            Outcome::Committed => {
                for ended in std::mem::take(&mut self.ended) {
                    self.history.read(ended.partition, &ended.call);
                    count(&ended.call);
                }
                for call in prepared {
                    self.history.begun(call.queued.partition, &call.intent);
                    self.calls.start(call);
                }
            }
            Outcome::Aborted => {
                for call in prepared.into_iter().rev() {
                    self.give_back(call.account, 1);
                    self.calls.put_back(call.account, call.queued);
                }
            }
        }
        Ok(())
    }

    /// The calls that may begin now, as far as limits of calls, what is left of the day and stopped accounts allow.
    fn prepare(&mut self) -> Vec<Prepared> {
        let now = now();
        let mut prepared: Vec<Prepared> = Vec::new();
        for index in 0..self.accounts.len() {
            while prepared.len() < MOST_BEGINS {
                let fits = |queued: &Queued| {
                    let of_partition = prepared.iter().filter(|call| call.queued.partition == queued.partition);
                    let begins: Vec<_> = of_partition.map(|call| &call.intent).collect();
                    self.transactions
                        .has_room(queued.partition, &begins, &queued.intent(now))
                };
                let Some(queued) = self.calls.next(index, fits) else {
                    break;
                };
                if !self.takes_turn(index, now) {
                    self.calls.put_back(index, queued);
                    break;
                }
                match self.prepared(index, queued, now) {
                    Some(call) => prepared.push(call),
                    None => self.give_back(index, 1),
                }
            }
        }
        prepared
    }

    /// Whether an account may have one more call now; if so, it is taken.
    fn takes_turn(&mut self, index: usize, now: TimestampMicros) -> bool {
        let Some(Asked { account, left }) = self.accounts.get_mut(index) else {
            return false;
        };
        let is_let =
            *left > 0 && (account.standing.is_running() || account.standing.takes_probe(now, &self.fixed.delays));
        if !is_let || !account.limiter.take(now) {
            return false;
        }
        *left -= 1;
        true
    }

    /// A call that was not made, or that nobody charges.
    fn give_back(&mut self, index: usize, queries: u32) {
        if let Some(asked) = self.accounts.get_mut(index) {
            asked.account.limiter.give_back();
            asked.left = asked.left.saturating_add(queries);
        }
    }

    fn prepared(&mut self, index: usize, queued: Queued, now: TimestampMicros) -> Option<Prepared> {
        let account = &self.accounts.get(index)?.account;
        let query = &queued.query;
        let key = Subscription::key(query.vendor.as_str(), &query.account, &query.tracking_number);
        let secret = self.secrets.get(queued.partition, &key).cloned().unwrap_or_default();
        let waybill = Waybill {
            tracking_number: &query.tracking_number,
            carrier: &queued.carrier,
            vendor_carrier: Some(&query.vendor_carrier),
        };
        match account.contract.call.query(waybill, queued.product, &secret) {
            Ok(request) => Some(Prepared {
                account: index,
                assignment: self.assignment,
                intent: queued.intent(now),
                queued,
                secret,
                request,
            }),
            Err(error) => {
                tracing::warn!(account = account.label, %error, "a parcel cannot be asked about");
                let class = query.class.as_str();
                metrics::counter!("courierflow_reconcile_queries_total", "class" => class, "outcome" => "impossible")
                    .increment(1);
                self.impossible.insert((key, query.vendor_carrier.clone()));
                None
            }
        }
    }

    fn take_ended_calls(&mut self) {
        while let Some(result) = self.calls.ended(Duration::ZERO) {
            self.call_ended(result);
        }
    }

    fn call_ended(&mut self, result: CallResult) {
        self.give_back(result.account, u32::from(result.exchanged.is_none()));
        // Of a former assignment: whoever has the partition now has recorded it.
        if result.assignment != self.assignment {
            return;
        }
        let Some(account) = self.accounts.get(result.account).map(|asked| &asked.account) else {
            return;
        };
        let Some(exchanged) = &result.exchanged else {
            // The worker was away for too long. Nothing was sent, so it is as a call that reached nobody.
            let api = account.contract.call.kind().as_str();
            let call = records::call(&result.intent, api, CallClass::Retry, None);
            self.ended.push(Ended {
                partition: result.queued.partition,
                intent: result.intent,
                call,
                event: None,
            });
            return;
        };
        let (ended, answer) = records::of(&result, exchanged, &account.contract.call);
        self.ended.push(ended);
        self.account_heard(&result, &answer);
        self.repeat(result, &answer);
    }

    fn account_heard(&mut self, result: &CallResult, answer: &Answer) {
        let now = now();
        let Some(Asked { account, left }) = self.accounts.get_mut(result.account) else {
            return;
        };
        let heard = records::heard(&result.intent, answer);
        let number = &result.intent.tracking_number;
        let is_unsent = heard.outcome == subscription::Outcome::Unsent;
        if is_unsent || heard.outcome == subscription::Outcome::Account {
            *left = left.saturating_add(1);
        }
        if is_unsent {
            self.calls.clear_line(result.account);
        }
        let label = &account.label;
        match account.standing.heard(number, &heard, now, &self.fixed.delays) {
            Some(AccountChange::Stopped { code, .. }) => {
                tracing::error!(account = label, code, "account stopped: one query at a time tries it");
                self.report_stopped();
            }
            Some(AccountChange::Resumed) => {
                tracing::info!(account = label, "account goes on");
                self.report_stopped();
            }
            Some(AccountChange::SlowDown { until }) => account.limiter.slow_down(until),
            Some(AccountChange::UnsentForLong) => {
                tracing::error!(account = label, "no query could be sent for long");
            }
            None => {}
        }
    }

    /// Some vendors find nothing at once and something half a minute later.
    fn repeat(&mut self, result: CallResult, answer: &Answer) {
        let CallResult { account, queued, .. } = result;
        let Some(wait) = answer.retry_after.filter(|_| answer.class == CallClass::NoResult) else {
            return;
        };
        if queued.attempt <= self.fixed.settings.repeats {
            let again = Queued {
                attempt: queued.attempt.saturating_add(1),
                not_before: Some(Instant::now() + wait),
                ..queued
            };
            self.calls.queue(account, again);
        }
    }

    // ---- what operators see -----------------------------------------------------------------------------------------

    /// A stopped account makes nothing unready: a restart would not help.
    fn report_stopped(&self) {
        let mut stopped = BTreeMap::new();
        for Asked { account, .. } in &self.accounts {
            let now = account.standing.stopped();
            metrics::gauge!("courierflow_reconcile_account_stopped", "account" => account.label.clone(), "reason" => "account")
                .set(if now.is_some() { 1.0 } else { 0.0 });
            if let Some((_, code)) = now {
                let told = format!(
                    "{} the vendor does not know the key, or no units are left",
                    code.unwrap_or("no code")
                );
                stopped.insert(account.label.clone(), told);
            }
        }
        self.fixed.health.degraded(&self.fixed.part, stopped);
    }

    /// Sets the gauges, now and then.
    pub(super) fn publish(&mut self) {
        if self.published.is_some_and(|then| then.elapsed() < PERIOD) {
            return;
        }
        if self.published.is_none() {
            self.report_stopped();
        }
        self.published = Some(Instant::now());
        for Asked { account, left } in self.accounts.iter().filter(|_| self.is_planned) {
            metrics::gauge!("courierflow_reconcile_budget_left", "account" => account.label.clone())
                .set(f64::from(*left));
        }
    }
}

/// Queries before this are not remembered.
fn horizon(now: TimestampMicros) -> TimestampMicros {
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    TimestampMicros(now.0.saturating_sub(kept))
}

fn micros(millis: u64) -> i64 {
    i64::try_from(millis.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

fn is_of_query(reason: CallReason) -> bool {
    reason == CallReason::Manual || Class::of_reason(reason).is_some()
}

fn count(call: &VendorCall) {
    let class = Class::of_reason(call.reason).map_or("OTHER", Class::as_str);
    let outcome = call.class.as_str().to_lowercase();
    metrics::counter!("courierflow_reconcile_queries_total", "class" => class, "outcome" => outcome).increment(1);
}
