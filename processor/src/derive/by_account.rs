//! Counts push events by account, so that an account that floods can be seen.

use std::collections::{BTreeMap, BTreeSet};

use courierflow_schemas::records::{PushEvent, Vendor};

/// What became of a push event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outcome {
    /// `accepted`, `dead_lettered`, or why it has no effect.
    pub(super) name: &'static str,
    /// The error class of a dead letter; empty otherwise.
    pub(super) reason: &'static str,
}

impl Outcome {
    /// An outcome that is no dead letter.
    pub(super) const fn of(name: &'static str) -> Self {
        Self { name, reason: "" }
    }

    /// A dead letter of this class.
    pub(super) const fn dead_lettered(class: &'static str) -> Self {
        Self {
            name: "dead_lettered",
            reason: class,
        }
    }
}

/// Outcomes of push events by account: those of one transaction.
#[derive(Default)]
pub(super) struct ByAccount {
    accounts: BTreeMap<Vendor, BTreeMap<String, BTreeMap<Outcome, u64>>>,
    /// Records that are no push events.
    of_nobody: BTreeMap<Outcome, u64>,
}

impl ByAccount {
    /// Counts a record of the push topic; `event` is `None` if it could not be decoded.
    pub(super) fn count(&mut self, event: Option<&PushEvent>, outcome: Outcome) {
        let Some(event) = event else {
            *self.of_nobody.entry(outcome).or_default() += 1;
            return;
        };
        let accounts = self.accounts.entry(event.vendor).or_default();
        match accounts.get_mut(&event.account) {
            Some(outcomes) => *outcomes.entry(outcome).or_default() += 1,
            None => drop(accounts.insert(event.account.clone(), BTreeMap::from([(outcome, 1)]))),
        }
    }

    /// Adds these counts to the metric.
    pub(super) fn publish(&self, labels: &mut AccountLabels) {
        for (&vendor, accounts) in &self.accounts {
            for (account, outcomes) in accounts {
                publish(vendor.as_str(), labels.of(vendor, account), outcomes);
            }
        }
        publish("unknown", "unknown", &self.of_nobody);
    }
}

fn publish(vendor: &'static str, account: &str, outcomes: &BTreeMap<Outcome, u64>) {
    for (outcome, count) in outcomes {
        metrics::counter!(
            "courierflow_derive_account_push_events_total",
            "vendor" => vendor,
            "account" => account.to_owned(),
            "outcome" => outcome.name,
            "reason" => outcome.reason,
        )
        .increment(*count);
    }
}

/// Most accounts that a worker counts apart …
const MAX_ACCOUNTS: usize = 200;
/// … and the label of all others.
const OTHER: &str = "other";

/// The accounts that have a label of their own. ingest takes their names from its configuration, so there are few; but anybody who may
/// write to the topic can invent some, and each is a time series for ever.
#[derive(Default)]
pub(super) struct AccountLabels {
    known: BTreeSet<(Vendor, String)>,
}

impl AccountLabels {
    fn of<'a>(&mut self, vendor: Vendor, account: &'a str) -> &'a str {
        let key = (vendor, account.to_owned());
        if self.known.contains(&key) || self.known.len() < MAX_ACCOUNTS && self.known.insert(key) {
            account
        } else {
            OTHER
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_beyond_the_limit_share_a_label() {
        let mut labels = AccountLabels::default();
        for number in 0..MAX_ACCOUNTS {
            let name = number.to_string();
            assert_eq!(labels.of(Vendor::Kdniao, &name), name);
        }
        assert_eq!(labels.of(Vendor::Kuaidi100, "0"), OTHER);
        assert_eq!(labels.of(Vendor::Kdniao, "one more"), OTHER);
        assert_eq!(labels.of(Vendor::Kdniao, "0"), "0");
    }
}
