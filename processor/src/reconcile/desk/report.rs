//! What operators see: which accounts are stopped, why there are no rounds, and what is left of the day.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Asked, Desk};
use crate::reconcile::calls::now;

/// Between two looks at the gauges.
const PERIOD: Duration = Duration::from_secs(2);

impl Desk {
    /// Whether there are rounds, and if not, why.
    pub(in crate::reconcile) fn paused(&mut self, why: Option<String>) {
        if self.paused != why {
            self.paused = why;
            self.report_degraded();
        }
    }

    /// A stopped account makes nothing unready, and neither do tables that cannot be used: a restart would not help.
    pub(super) fn report_degraded(&self) {
        let mut degraded = BTreeMap::new();
        for Asked { account, .. } in &self.accounts {
            let now = account.standing.stopped();
            metrics::gauge!("courierflow_reconcile_account_stopped", "account" => account.label.clone(), "reason" => "account")
                .set(if now.is_some() { 1.0 } else { 0.0 });
            if let Some((_, code)) = now {
                let told = format!(
                    "{} the vendor does not know the key, or no units are left",
                    code.unwrap_or("no code")
                );
                degraded.insert(account.label.clone(), told);
            }
        }
        if let Some(why) = &self.paused {
            degraded.insert("rounds".to_owned(), format!("paused: {why}"));
        }
        self.fixed.health.degraded(&self.fixed.part, degraded);
    }

    /// Sets the gauges, now and then.
    pub(in crate::reconcile) fn publish(&mut self) {
        if self.published.is_some_and(|then| then.elapsed() < PERIOD) {
            return;
        }
        if self.published.is_none() {
            self.report_degraded();
        }
        self.published = Some(Instant::now());
        for Asked { account, .. } in &self.accounts {
            let unsent = account.standing.unsent_since();
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            let unsent = unsent.map_or(0.0, |since| (now().0 - since.0) as f64 / 1e6);
            metrics::gauge!("courierflow_reconcile_unsent_seconds", "account" => account.label.clone())
                .set(unsent.max(0.0));
        }
        for Asked { account, left } in self.accounts.iter().filter(|_| self.is_planned) {
            metrics::gauge!("courierflow_reconcile_budget_left", "account" => account.label.clone())
                .set(f64::from(*left));
        }
    }
}
