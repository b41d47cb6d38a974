//! The metrics of subscribe. Counts of a transaction are added when it is committed, so that nothing is counted twice.

use std::collections::BTreeMap;

use courierflow_domain::subscription::{Alarm, RequestOutcome};
use courierflow_schemas::records::{CallClass, Reason};

/// Records that Kafka has deleted before they were read.
pub(super) fn records_lost() -> metrics::Counter {
    metrics::counter!("courierflow_subscribe_records_lost_total")
}

/// What was counted in one transaction.
#[derive(Default)]
pub(super) struct Counts {
    requests: BTreeMap<RequestOutcome, u64>,
    resubscriptions: BTreeMap<&'static str, u64>,
    alarms: BTreeMap<(String, Alarm), u64>,
    calls: Vec<Call>,
    dead_letters: BTreeMap<&'static str, u64>,
}

/// A call that ended.
pub(super) struct Call {
    pub(super) api: &'static str,
    pub(super) account: String,
    pub(super) class: CallClass,
    /// As the vendor's table has it.
    pub(super) code: String,
    pub(super) seconds: f64,
    /// The answer is in no table.
    pub(super) is_unknown: bool,
}

impl Counts {
    pub(super) fn request(&mut self, outcome: RequestOutcome) {
        *self.requests.entry(outcome).or_default() += 1;
    }

    pub(super) fn resubscribed(&mut self, reason: Reason) {
        *self.resubscriptions.entry(reason.as_str()).or_default() += 1;
    }

    pub(super) fn alarm(&mut self, account: &str, alarm: Alarm) {
        *self.alarms.entry((account.to_owned(), alarm)).or_default() += 1;
    }

    pub(super) fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    pub(super) fn dead_letter(&mut self, class: &'static str) {
        *self.dead_letters.entry(class).or_default() += 1;
    }

    pub(super) fn publish(self) {
        for (outcome, count) in self.requests {
            metrics::counter!("courierflow_subscribe_requests_total", "outcome" => outcome.tag()).increment(count);
        }
        for (reason, count) in self.resubscriptions {
            metrics::counter!("courierflow_subscribe_resubscriptions_total", "reason" => reason).increment(count);
        }
        for ((account, alarm), count) in self.alarms {
            match alarm {
                Alarm::Foreign => {
                    tracing::warn!(
                        account,
                        count,
                        "subscribed by somebody else: its pushes may go to another address"
                    );
                    metrics::counter!("courierflow_subscribe_foreign_total", "account" => account).increment(count);
                }
                Alarm::Sensitive => {
                    tracing::error!(
                        account,
                        count,
                        "the vendor does not take a word of the callback address"
                    );
                }
                // Counted with its call.
                Alarm::UnheardAnswer => tracing::warn!(account, count, "an answer that is in no table"),
            }
        }
        for call in self.calls {
            let Call {
                api,
                account,
                class,
                code,
                seconds,
                is_unknown,
            } = call;
            metrics::histogram!("courierflow_subscribe_call_seconds", "api" => api).record(seconds);
            if is_unknown {
                metrics::counter!("courierflow_subscribe_unknown_answers_total", "api" => api).increment(1);
            }
            metrics::counter!(
                "courierflow_subscribe_calls_total",
                "api" => api, "account" => account, "class" => class.as_str(), "code" => code
            )
            .increment(1);
        }
        for (class, count) in self.dead_letters {
            metrics::counter!("courierflow_subscribe_dead_letters_total", "reason" => class).increment(count);
        }
    }
}

/// The name of the thread, which metrics show as the worker.
pub(super) fn worker_name() -> String {
    std::thread::current().name().unwrap_or("subscribe").to_owned()
}
