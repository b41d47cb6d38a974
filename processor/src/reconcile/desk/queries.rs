//! Rounds and calls: whom to ask is planned, calls begin once their intents are committed, and what they became is recorded.

use std::time::{Duration, Instant};

use courierflow_domain::reconcile::Class;
use courierflow_domain::subscription::months::begin_of_day;
use courierflow_domain::subscription::{self, AccountChange};
use courierflow_schemas::records::{CallClass, Subscription, TimestampMicros, VendorCall};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_vendors::api::answer::Answer;
use courierflow_vendors::api::order::Waybill;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};

use super::{Asked, Desk, horizon};
use crate::reconcile::calls::{CallResult, Prepared, Queued, now};
use crate::reconcile::candidates::{Found, Scope};
use crate::reconcile::error::WorkerError;
use crate::reconcile::history::KEPT;
use crate::reconcile::records::{self, Ended};
use crate::reconcile::round::{Decided, Round};
use crate::reconcile::transaction::{Change, Outcome};

/// So many calls begin with one transaction at most.
const MOST_BEGINS: usize = 64;

impl Desk {
    // ---- rounds -----------------------------------------------------------------------------------------------------

    /// Whom the next round is about.
    pub(in crate::reconcile) fn scope(&mut self) -> Scope {
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
            compares: !self.is_compared,
        }
    }

    /// Plans anew: what is still in line from the round before is planned again, or has become needless.
    pub(in crate::reconcile) fn plan(&mut self, scope: &Scope, found: &Found) {
        self.calls.clear_planned();
        if let Some(known) = found.known_queries {
            self.compare(known, scope.horizon);
        }
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

    /// Says so if the table knows queries that the topic does not hold: it was made anew, or its retention was cut. Everything that it
    /// holds is read from its beginning, so no offset tells.
    fn compare(&mut self, known: u64, since: TimestampMicros) {
        self.is_compared = true;
        let lost = known.saturating_sub(self.history.known(since));
        if lost > 0 {
            tracing::error!(
                topic = on_broker(topics::VENDOR_CALL),
                lost,
                "records lost: the table vendor_call knows queries of the last {} days that the topic does not hold: was the topic deleted \
                 and made anew, or its retention cut? Their numbers may be asked beyond their limits",
                KEPT.as_secs() / 86_400
            );
            metrics::counter!("courierflow_reconcile_records_lost_total").increment(lost);
        }
    }

    // ---- calls ------------------------------------------------------------------------------------------------------

    /// Commits what has ended and what is about to begin, then makes the calls.
    pub(in crate::reconcile) fn step(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
    ) -> Result<(), WorkerError> {
        self.take_ended_calls();
        let prepared = self.prepare();
        self.commit(consumer, prepared)
    }

    pub(super) fn commit(
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
                    let partition = self.partition_of(&ended.call.tracking_number);
                    self.history.read(partition, &ended.call);
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

    pub(super) fn take_ended_calls(&mut self) {
        while let Some(result) = self.calls.ended(Duration::ZERO) {
            self.call_ended(result);
        }
    }

    pub(super) fn call_ended(&mut self, result: CallResult) {
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
        if answer.is_unlisted {
            let api = account.contract.call.kind().as_str();
            metrics::counter!("courierflow_reconcile_unknown_answers_total", "api" => api).increment(1);
        }
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
        if is_unsent
            || matches!(
                heard.outcome,
                subscription::Outcome::Account | subscription::Outcome::Throttled(_)
            )
        {
            *left = left.saturating_add(1);
        }
        if is_unsent {
            self.calls.clear_line(result.account);
        }
        let label = &account.label;
        match account.standing.heard(number, &heard, now, &self.fixed.delays) {
            Some(AccountChange::Stopped { code, .. }) => {
                tracing::error!(account = label, code, "account stopped: one query at a time tries it");
                self.report_degraded();
            }
            Some(AccountChange::Resumed) => {
                tracing::info!(account = label, "account goes on");
                self.report_degraded();
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
}

fn micros(millis: u64) -> i64 {
    i64::try_from(millis.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

fn count(call: &VendorCall) {
    let class = Class::of_reason(call.reason).map_or("OTHER", Class::as_str);
    let outcome = call.class.as_str().to_lowercase();
    metrics::counter!("courierflow_reconcile_queries_total", "class" => class, "outcome" => outcome).increment(1);
}
