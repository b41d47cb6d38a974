//! What operators see: gauges, which accounts are stopped, and which subscriptions have no account any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use courierflow_domain::subscription::StopCause;
use courierflow_schemas::records::{Reason, SubscriptionState};

use super::Desk;
use crate::health::Health;
use crate::subscribe::accounts::Accounts;
use crate::subscribe::state::Tally;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(2);

/// Tells the health of the worker's accounts, and when its gauges were set.
pub(in crate::subscribe) struct Report {
    health: Health,
    part: String,
    published: Option<Instant>,
    gauges: Gauges,
    /// `vendor/account` of those that are not in the configuration, and how many subscriptions of each have not ended.
    without_account: BTreeMap<String, usize>,
}

impl Report {
    pub(in crate::subscribe) fn new(health: Health, part: &str) -> Self {
        Self {
            health,
            part: part.to_owned(),
            published: None,
            gauges: Gauges::of(part),
            without_account: BTreeMap::new(),
        }
    }

    /// Says which accounts are stopped, and which are missing. That makes nothing unready: a restart would not help.
    pub(super) fn degraded(&mut self, accounts: &Accounts) {
        let missing = self.without_account.iter().map(|(label, number)| {
            let told =
                format!("not in the configuration: nobody looks after {number} subscriptions that have not ended");
            (label.clone(), told)
        });
        let mut told: BTreeMap<String, String> = missing.collect();
        for account in accounts.iter() {
            let now = account.standing.stopped();
            for cause in [StopCause::Account, StopCause::Callback] {
                let is_it = now.is_some_and(|(stopped, _)| stopped == cause);
                let labels = [("account", account.label.clone()), ("reason", name(cause).to_owned())];
                let value = if is_it { 1.0 } else { 0.0 };
                self.gauges.set("courierflow_subscribe_account_stopped", labels, value);
            }
            if let Some((cause, code)) = now {
                let code = code.unwrap_or("no code");
                told.insert(account.label.clone(), format!("{code} {}", meaning(cause)));
            }
        }
        self.health.degraded(&self.part, told);
    }

    /// Notices subscriptions whose account was taken out of the configuration.
    fn look_for_missing(&mut self, accounts: &Accounts, tally: &Tally) {
        let missing = without_account(accounts, tally);
        for (account, subscriptions) in &missing {
            let labels = [("account", account.clone())];
            self.gauges
                .set("courierflow_subscribe_without_account", labels, count(*subscriptions));
            if !self.without_account.contains_key(account) {
                tracing::error!(
                    account,
                    subscriptions,
                    "an account is not in the configuration any more: nobody looks after its subscriptions, whose secrets stay"
                );
            }
        }
        self.without_account = missing;
    }
}

/// Subscriptions that have not ended, of accounts that are not in the configuration.
fn without_account(accounts: &Accounts, tally: &Tally) -> BTreeMap<String, usize> {
    let mut missing = BTreeMap::new();
    for ((owner, state, _), number) in tally {
        let is_known = accounts.iter().any(|account| account.owner == *owner);
        if !is_known && !state.is_terminal() && *number > 0 {
            *missing.entry(owner.replace(':', "/")).or_default() += number;
        }
    }
    missing
}

/// A gauge's name and labels.
type Labelled = (&'static str, Vec<(&'static str, String)>);

/// The gauges of one worker, each with its name as a label: those of several workers are to be added. One that is not set again, because
/// its partitions went to another worker, shows 0.
struct Gauges {
    worker: String,
    set: BTreeSet<Labelled>,
}

impl Gauges {
    fn of(worker: &str) -> Self {
        Self {
            worker: worker.to_owned(),
            set: BTreeSet::new(),
        }
    }

    fn set<const N: usize>(&mut self, name: &'static str, labels: [(&'static str, String); N], value: f64) {
        let mut labels = Vec::from(labels);
        labels.push(("worker", self.worker.clone()));
        metrics::gauge!(name, &labels).set(value);
        self.set.insert((name, labels));
    }

    /// Those that were set; each is to be set again now, or cleared.
    fn begin(&mut self) -> BTreeSet<Labelled> {
        std::mem::take(&mut self.set)
    }

    fn clear(&self, before: &BTreeSet<Labelled>) {
        for (name, labels) in before.difference(&self.set) {
            metrics::gauge!(*name, labels).set(0.0);
        }
    }
}

/// A worker that has ended has nothing.
impl Drop for Gauges {
    fn drop(&mut self) {
        let before = self.begin();
        self.clear(&before);
    }
}

const fn name(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Account => "account",
        StopCause::Callback => "callback",
    }
}

const fn meaning(cause: StopCause) -> &'static str {
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
        self.report.published = Some(Instant::now());
        let before = self.report.gauges.begin();
        self.report.look_for_missing(&self.accounts, self.state.tally());
        self.report.degraded(&self.accounts);
        self.publish_calls();
        self.publish_states();
        self.report.gauges.clear(&before);
    }

    fn publish_calls(&mut self) {
        let now = self.now();
        for (index, account) in self.accounts.iter().enumerate() {
            let label = || [("account", account.label.clone())];
            let in_flight = count(account.limiter.in_flight());
            let parked = self.state.parked_since(&account.owner);
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            let parked = parked.map_or(0.0, |since| (now.0 - since.saturating_mul(1_000)) as f64 / 1e6);
            let in_line = self.calls.oldest(index).map_or(0.0, |age| age.as_secs_f64());
            let oldest = parked.max(in_line).max(0.0);
            let unsent = account.standing.unsent_since();
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            let unsent = unsent.map_or(0.0, |since| (now.0 - since.0) as f64 / 1e6);
            let gauges = &mut self.report.gauges;
            gauges.set("courierflow_subscribe_in_flight", label(), in_flight);
            gauges.set("courierflow_subscribe_oldest_waiting_seconds", label(), oldest);
            gauges.set("courierflow_subscribe_unsent_seconds", label(), unsent.max(0.0));
        }
        let state_bytes = count(self.state.bytes());
        self.report
            .gauges
            .set("courierflow_subscribe_state_bytes", [], state_bytes);
    }

    fn publish_states(&mut self) {
        let gauges = &mut self.report.gauges;
        let mut states: BTreeMap<(String, SubscriptionState), usize> = BTreeMap::new();
        for ((owner, state, reason), number) in self.state.tally() {
            let label = owner.replace(':', "/");
            *states.entry((label.clone(), *state)).or_default() += number;
            if *state == SubscriptionState::Waiting {
                let reason = reason.map_or("NONE", Reason::as_str).to_owned();
                let labels = [("account", label), ("reason", reason)];
                gauges.set("courierflow_subscribe_waiting", labels, count(*number));
            }
        }
        for ((label, state), number) in states {
            let labels = [("account", label), ("state", state.as_str().to_owned())];
            gauges.set("courierflow_subscribe_subscriptions", labels, count(number));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge")]
const fn count(number: usize) -> f64 {
    number as f64
}
