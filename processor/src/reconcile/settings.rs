//! `[reconcile]` of the configuration. Which accounts are asked, and how often, stands with them in `[[subscribe.accounts]]`.

use std::path::PathBuf;
use std::time::Duration;

use courierflow_domain::reconcile::{Delays, GapTerms, Limits, Terms};
use courierflow_domain::subscription;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::{SettingsError, require, require_between};
use serde::Deserialize;

/// `[reconcile]`. Without an account with `daily_queries` nothing of it runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileSettings {
    /// Consumer group.
    pub group: String,
    /// Directory of the worker's slot, as `derive.slot_dir`.
    pub slot_dir: PathBuf,
    /// Between two rounds.
    pub every_ms: u64,
    /// A statement of ClickHouse that takes longer is cancelled.
    pub statement_timeout_ms: u64,
    /// The broker aborts a transaction that is older than this.
    pub transaction_timeout_ms: u64,
    /// A worker that sends no heartbeat for this long loses its partitions.
    pub session_timeout_ms: u64,
    /// A worker that does not poll for this long loses its partitions.
    pub max_poll_interval_ms: u64,
    /// A call is given up after this.
    pub call_timeout_ms: u64,
    /// Between two tries of a stopped account.
    pub probe_ms: u64,
    /// For so long after a vendor had too much to do the account's rate is halved.
    pub slow_down_ms: u64,
    /// A query that found nothing is repeated so often, where the vendor says that it may take several.
    pub repeats: u16,
    /// Least time between two queries of a number.
    pub apart_ms: u64,
    /// Most queries of a number in a China day.
    pub per_day: u32,
    /// Most queries in the life of a parcel.
    pub per_life: u32,
    /// After so many answers in a row that the vendor knows nothing of the number …
    pub no_result_in_a_row: u32,
    /// … it is left alone for so long.
    pub no_result_pause_ms: u64,
    /// For so long a vendor repeats a push that was not answered; a longer silence of an account is a gap.
    pub gap_patience_ms: u64,
    /// The same of Kdniao.
    pub kdniao_gap_patience_ms: u64,
    /// So many pushes an hour must be usual at that time of day.
    pub gap_usual_per_hour: f64,
    /// A gap that has not ended after this is not waited for.
    pub gap_longest_ms: u64,
    /// The queries after a gap are spread over this.
    pub gap_spread_ms: u64,
    /// Before the queries about a parcel whose subscription ended too early.
    pub ended_open_ms: Vec<u64>,
    /// Before the queries about a subscription without a push.
    pub first_push_late_ms: Vec<u64>,
    /// Between two queries about a parcel that the vendor does not follow.
    pub fallback_every_ms: u64,
    /// Before the queries about a parcel without an event for too long.
    pub stalled_ms: Vec<u64>,
    /// It must also be so long since its last push.
    pub stalled_quiet_ms: u64,
    /// The audit of a parcel under way comes at the earliest so long after its pickup …
    pub audit_from_ms: u64,
    /// … and before this.
    pub audit_until_ms: u64,
    /// The second audit comes so long after the end of the parcel.
    pub audit_after_end_ms: u64,
    /// An audit that could not be made for so long is not made up for.
    pub audit_within_ms: u64,
}

const HOUR: u64 = 3_600_000;

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        let (delays, limits) = (Delays::default(), Limits::default());
        let all = |delays: &[Duration]| delays.iter().copied().map(millis).collect();
        Self {
            group: "courierflow-reconcile".to_owned(),
            slot_dir: ".local/slots".into(),
            every_ms: 300_000,
            statement_timeout_ms: 60_000,
            transaction_timeout_ms: 15_000,
            session_timeout_ms: 6_000,
            max_poll_interval_ms: 300_000,
            call_timeout_ms: 10_000,
            probe_ms: 600_000,
            slow_down_ms: 60_000,
            repeats: 2,
            apart_ms: millis(limits.apart),
            per_day: limits.per_day,
            per_life: limits.per_life,
            no_result_in_a_row: limits.no_result_in_a_row,
            no_result_pause_ms: millis(limits.no_result_pause),
            gap_patience_ms: 5_400_000,
            kdniao_gap_patience_ms: 2_700_000,
            gap_usual_per_hour: 20.0,
            gap_longest_ms: 6 * HOUR,
            gap_spread_ms: millis(delays.gap_spread),
            ended_open_ms: all(&delays.ended_open),
            first_push_late_ms: all(&delays.first_push_late),
            fallback_every_ms: millis(delays.fallback_every),
            stalled_ms: all(&delays.stalled),
            stalled_quiet_ms: 12 * HOUR,
            audit_from_ms: millis(delays.audit_from),
            audit_until_ms: millis(delays.audit_until),
            audit_after_end_ms: 24 * HOUR,
            audit_within_ms: 24 * HOUR,
        }
    }
}

impl ReconcileSettings {
    /// Checks every value; the error names the key.
    pub fn validate(&self) -> Result<(), SettingsError> {
        require(!self.group.is_empty(), "reconcile.group", "is empty")?;
        require_between("reconcile.every_ms", self.every_ms, 100..=86_400_000)?;
        require_between(
            "reconcile.statement_timeout_ms",
            self.statement_timeout_ms,
            1_000..=600_000,
        )?;
        require_between(
            "reconcile.transaction_timeout_ms",
            self.transaction_timeout_ms,
            10_000..=900_000,
        )?;
        require(
            self.session_timeout_ms >= 6_000,
            "reconcile.session_timeout_ms",
            "is less than 6000, the broker's default minimum",
        )?;
        require(
            self.max_poll_interval_ms > self.session_timeout_ms.saturating_mul(2),
            "reconcile.max_poll_interval_ms",
            "is not more than twice reconcile.session_timeout_ms",
        )?;
        require_between("reconcile.call_timeout_ms", self.call_timeout_ms, 100..=60_000)?;
        require_between("reconcile.per_day", self.per_day, 1..=1_000)?;
        require_between("reconcile.per_life", self.per_life, 1..=10_000)?;
        require_between("reconcile.gap_patience_ms", self.gap_patience_ms, 1_000..=86_400_000)?;
        require_between(
            "reconcile.kdniao_gap_patience_ms",
            self.kdniao_gap_patience_ms,
            1_000..=86_400_000,
        )?;
        require(
            self.gap_usual_per_hour.is_finite() && self.gap_usual_per_hour > 0.0,
            "reconcile.gap_usual_per_hour",
            "is not more than 0",
        )?;
        require(
            self.audit_until_ms > self.audit_from_ms,
            "reconcile.audit_until_ms",
            "is not more than reconcile.audit_from_ms",
        )
    }

    /// When each class is due, and what each number may be asked.
    pub fn terms(&self) -> Terms {
        let ms = Duration::from_millis;
        let all = |delays: &[u64]| delays.iter().copied().map(ms).collect();
        Terms {
            delays: Delays {
                gap_spread: ms(self.gap_spread_ms),
                ended_open: all(&self.ended_open_ms),
                first_push_late: all(&self.first_push_late_ms),
                fallback_every: ms(self.fallback_every_ms),
                stalled: all(&self.stalled_ms),
                audit_from: ms(self.audit_from_ms),
                audit_until: ms(self.audit_until_ms),
            },
            limits: Limits {
                apart: ms(self.apart_ms),
                per_day: self.per_day,
                per_life: self.per_life,
                no_result_in_a_row: self.no_result_in_a_row,
                no_result_pause: ms(self.no_result_pause_ms),
            },
        }
    }

    /// When silence of an account is suspicious.
    pub fn gap_terms(&self, vendor: Vendor) -> GapTerms {
        let patience = if vendor == Vendor::Kdniao {
            self.kdniao_gap_patience_ms
        } else {
            self.gap_patience_ms
        };
        GapTerms {
            patience: Duration::from_millis(patience),
            usual_per_hour: self.gap_usual_per_hour,
        }
    }

    /// What of the delays of subscribing holds for queries, too.
    pub fn account_delays(&self) -> subscription::Delays {
        subscription::Delays {
            probe: Duration::from_millis(self.probe_ms),
            slow_down: Duration::from_millis(self.slow_down_ms),
            ..subscription::Delays::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_the_file_are_those_of_the_planner() {
        let settings = ReconcileSettings::default();
        settings.validate().unwrap();
        assert_eq!(settings.terms(), Terms::default());
    }

    #[test]
    fn wrong_values_name_their_key() {
        let wrong = |change: &dyn Fn(&mut ReconcileSettings)| {
            let mut settings = ReconcileSettings::default();
            change(&mut settings);
            settings.validate().unwrap_err().to_string()
        };
        for (error, key) in [
            (wrong(&|settings| settings.group.clear()), "reconcile.group"),
            (wrong(&|settings| settings.every_ms = 0), "reconcile.every_ms"),
            (
                wrong(&|settings| settings.session_timeout_ms = 1),
                "reconcile.session_timeout_ms",
            ),
            (
                wrong(&|settings| settings.call_timeout_ms = 0),
                "reconcile.call_timeout_ms",
            ),
            (wrong(&|settings| settings.per_day = 0), "reconcile.per_day"),
            (
                wrong(&|settings| settings.gap_usual_per_hour = 0.0),
                "reconcile.gap_usual_per_hour",
            ),
            (
                wrong(&|settings| settings.audit_until_ms = 0),
                "reconcile.audit_until_ms",
            ),
        ] {
            assert!(error.starts_with(&format!("configuration key {key}: ")), "{error}");
        }
    }
}
