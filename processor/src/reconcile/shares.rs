//! The shares that alarms watch: how many subscriptions get no push within a day, and how much the pushes leave out. The views compute
//! them for people; here they become metrics, because Prometheus does not ask ClickHouse.

use std::collections::BTreeSet;

use clickhouse::Row;
use metrics::gauge;
use serde::{Deserialize, Serialize};

use super::candidates::{LoadError, Tables};

/// Of all accounts and partitions, so that every worker tells the same. The two days before the present one: all that was accepted in
/// them is about a day old, and an alarm does not end at midnight.
const FIRST_PUSHES: &str = "
    SELECT concat(toString(vendor), '/', toString(account)) AS label, toUInt64(sum(due)) AS all,
        toUInt64(round(sum(due * (1 - ifNull(first_push_24h_share, 1))))) AS bad
    FROM subscription_coverage
    WHERE day BETWEEN toDate(now(), 'Asia/Shanghai') - 2 AND toDate(now(), 'Asia/Shanghai') - 1
    GROUP BY label";

/// Of a week, because the sample of one day is small.
const AUDITS: &str = "
    SELECT toString(vendor) AS label, toUInt64(sum(events)) AS all, toUInt64(sum(missed)) AS bad
    FROM push_completeness
    WHERE query_date > toDate(now(), 'Asia/Shanghai') - 7
    GROUP BY label";

/// So many of so many.
#[derive(Debug, Row, Serialize, Deserialize)]
struct Share {
    label: String,
    all: u64,
    bad: u64,
}

/// What the metrics have been told of.
#[derive(Debug, Default)]
pub(super) struct Shares {
    accounts: BTreeSet<String>,
    vendors: BTreeSet<String>,
}

impl Shares {
    /// Asks the views.
    pub(super) async fn publish(&mut self, tables: &Tables) -> Result<(), LoadError> {
        for Share { label, all, bad } in told(&mut self.accounts, tables.ask(FIRST_PUSHES).await?) {
            gauge!("courierflow_reconcile_first_push_due", "account" => label.clone()).set(float(all));
            gauge!("courierflow_reconcile_first_push_late", "account" => label).set(float(bad));
        }
        for Share { label, all, bad } in told(&mut self.vendors, tables.ask(AUDITS).await?) {
            gauge!("courierflow_reconcile_audited_events", "vendor" => label.clone()).set(float(all));
            gauge!("courierflow_reconcile_missed_events", "vendor" => label).set(float(bad));
        }
        Ok(())
    }
}

/// The shares, and none of none for what was told of before: a gauge keeps its last value.
fn told(before: &mut BTreeSet<String>, mut shares: Vec<Share>) -> Vec<Share> {
    let now: BTreeSet<String> = shares.iter().map(|share| share.label.clone()).collect();
    let gone = before.difference(&now).cloned();
    shares.extend(gone.map(|label| Share { label, all: 0, bad: 0 }));
    before.extend(now);
    shares
}

#[expect(clippy::cast_precision_loss, reason = "a gauge")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_becomes_none_of_none() {
        let share = |label: &str, all| Share {
            label: label.to_owned(),
            all,
            bad: 1,
        };
        let mut before = BTreeSet::new();
        told(&mut before, vec![share("a", 5), share("b", 7)]);
        let shares = told(&mut before, vec![share("b", 8)]);
        let counted: Vec<_> = shares.iter().map(|share| (&*share.label, share.all)).collect();
        assert_eq!(counted, [("b", 8), ("a", 0)]);
    }
}
