//! What operators see: gauges, and which accounts are stopped.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use courierflow_domain::subscription::StopCause;
use courierflow_schemas::records::SubscriptionState;

use super::Desk;
use crate::health::Health;
use crate::subscribe::accounts::Accounts;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(2);

/// Tells the health of the worker's accounts, and when its gauges were set.
pub(in crate::subscribe) struct Report {
    health: Health,
    part: String,
    published: Option<Instant>,
}

impl Report {
    pub(in crate::subscribe) fn new(health: Health, part: &str) -> Self {
        Self {
            health,
            part: part.to_owned(),
            published: None,
        }
    }

    /// Says which accounts are stopped. That makes nothing unready: a restart would not help.
    pub(super) fn degraded(&self, accounts: &Accounts) {
        let mut stopped = BTreeMap::new();
        for account in accounts.iter() {
            let now = account.standing.stopped();
            for cause in [StopCause::Account, StopCause::Callback] {
                let is_it = now.is_some_and(|(stopped, _)| stopped == cause);
                let labels = [("account", account.label.clone()), ("reason", name(cause).to_owned())];
                metrics::gauge!("courierflow_subscribe_account_stopped", &labels).set(if is_it { 1.0 } else { 0.0 });
            }
            if let Some((cause, code)) = now {
                let told = format!("{} {}", code.unwrap_or("no code"), told(cause));
                stopped.insert(account.label.clone(), told);
            }
        }
        self.health.degraded(&self.part, stopped);
    }
}

const fn name(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Account => "account",
        StopCause::Callback => "callback",
    }
}

const fn told(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Account => "the vendor does not know the key, or no units are left",
        StopCause::Callback => "the vendor takes no call with this callback address",
    }
}

impl Desk {
    /// Sets the gauges, now and then.
    pub(in crate::subscribe) fn publish(&mut self) {
        if self.report.published.is_some_and(|then| then.elapsed() < PERIOD) {
            return;
        }
        if self.report.published.is_none() {
            self.report.degraded(&self.accounts);
        }
        self.report.published = Some(Instant::now());
        let now = self.now();
        for (index, account) in self.accounts.iter().enumerate() {
            let label = account.label.clone();
            metrics::gauge!("courierflow_subscribe_in_flight", "account" => label.clone())
                .set(count(account.limiter.in_flight()));
            let parked = self.state.first_parked(&account.owner);
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            let parked = parked.map_or(0.0, |(since, ..)| (now.0 - since.saturating_mul(1_000)) as f64 / 1e6);
            let in_line = self.calls.oldest(index).map_or(0.0, |age| age.as_secs_f64());
            metrics::gauge!("courierflow_subscribe_oldest_waiting_seconds", "account" => label)
                .set(parked.max(in_line).max(0.0));
        }
        let mut states: BTreeMap<(String, SubscriptionState), usize> = BTreeMap::new();
        for ((owner, state, reason), number) in self.state.tally() {
            let label = owner.replace(':', "/");
            *states.entry((label.clone(), *state)).or_default() += number;
            if *state == SubscriptionState::Waiting {
                let reason = reason.map_or("NONE", courierflow_schemas::records::Reason::as_str);
                metrics::gauge!("courierflow_subscribe_waiting", "account" => label, "reason" => reason)
                    .set(count(*number));
            }
        }
        for ((label, state), number) in states {
            metrics::gauge!("courierflow_subscribe_subscriptions", "account" => label, "state" => state.as_str())
                .set(count(number));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge")]
const fn count(number: usize) -> f64 {
    number as f64
}
