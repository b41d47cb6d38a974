//! `[subscribe]` of the configuration: the workers, every delay, and the contracts with the vendors.

mod account;

use std::path::PathBuf;
use std::time::Duration;

use courierflow_domain::subscription::{AccountTerms, AfterStale, Delays, DuplicateMeans, Resubscription};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::{SettingsError, require, require_between};
use courierflow_vendors::request::account::{AutoCarrier, SubscribeAccounts};
use serde::Deserialize;

pub use self::account::SubscribeAccountSettings;
pub(crate) use courierflow_vendors::request::account::key_of;

/// `[subscribe]`. Without an account nothing of it runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubscribeSettings {
    /// Workers in this process, each with its own consumer, producer and state.
    pub workers: usize,
    /// Consumer group.
    pub group: String,
    /// Directory of the workers' slots, as `derive.slot_dir`.
    pub slot_dir: PathBuf,
    /// A transaction is committed at this age.
    pub commit_interval_ms: u64,
    /// The broker aborts a transaction that is older than this.
    pub transaction_timeout_ms: u64,
    /// A worker that sends no heartbeat for this long loses its partitions.
    pub session_timeout_ms: u64,
    /// A worker that does not poll for this long loses its partitions.
    pub max_poll_interval_ms: u64,
    /// A call is given up after this.
    pub call_timeout_ms: u64,
    /// Before each repetition of a call that failed. After the last one the subscription is rejected.
    pub retry_ms: Vec<u64>,
    /// Before the first repetition of a call whose answer was lost.
    pub in_doubt_ms: u64,
    /// Before the repetition of a call that came too fast, unless the vendor says how long.
    pub throttled_ms: u64,
    /// For so long after such a call the account's rate is halved.
    pub slow_down_ms: u64,
    /// Before the repetition of a call that could not be sent; doubled each time …
    pub unsent_ms: u64,
    /// … up to this.
    pub unsent_longest_ms: u64,
    /// It is logged as an error when nothing could be sent for so long.
    pub unsent_alarm_ms: u64,
    /// Between two tries of a stopped account.
    pub probe_ms: u64,
    /// A vendor takes a new subscription so long after the end of the last one.
    pub resubscribe_after_ms: u64,
    /// And up to so much later, so that many numbers do not come at once.
    pub resubscribe_jitter_ms: u64,
    /// Subscriptions of a number in all of which nothing was found before it is only queried.
    pub no_record_rounds: u16,
    /// Before the one repetition of a call that the vendor took for one too many, and nobody knows why.
    pub unexplained_ms: u64,
    /// For so long after the turn of a month the vendor's clock may still show the old one.
    pub month_turn_ms: u64,
    /// Before the repetition of a call for which the vendor could not detect the carrier.
    pub not_recognised_ms: u64,
    /// The first push is late after this.
    pub first_push_late_ms: u64,
    /// A followed parcel of Kuaidi100 that has been at its end for so long is done.
    pub end_after_ms: u64,
    /// The same of Kdniao, which has no word for it.
    pub kdniao_end_after_ms: u64,
    /// The same of a parcel that the vendor does not follow.
    pub fallback_end_ms: u64,
    /// Days after which a parcel that the vendor does not follow is given up.
    pub fallback_days: u64,
    /// A number without quota wakes so long after the turn of the month …
    pub quota_wake_ms: u64,
    /// … and up to so much later.
    pub quota_wake_jitter_ms: u64,
    /// Days after its end on which a subscription is forgotten.
    pub forget_days: u64,
    /// Moves the clock, for tests.
    pub clock_offset_ms: i64,
    /// The contracts, in the order in which they are tried if a request names none.
    pub accounts: Vec<SubscribeAccountSettings>,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const SECONDS_OF_A_DAY: u64 = 86_400;

impl Default for SubscribeSettings {
    fn default() -> Self {
        let delays = Delays::default();
        Self {
            workers: 1,
            group: "courierflow-subscribe".to_owned(),
            slot_dir: ".local/slots".into(),
            commit_interval_ms: 100,
            transaction_timeout_ms: 15_000,
            session_timeout_ms: 6_000,
            max_poll_interval_ms: 300_000,
            call_timeout_ms: millis(delays.call_timeout),
            retry_ms: delays.retry.iter().copied().map(millis).collect(),
            in_doubt_ms: millis(delays.in_doubt),
            throttled_ms: millis(delays.throttled),
            slow_down_ms: millis(delays.slow_down),
            unsent_ms: millis(delays.unsent),
            unsent_longest_ms: millis(delays.unsent_longest),
            unsent_alarm_ms: millis(delays.unsent_alarm),
            probe_ms: millis(delays.probe),
            resubscribe_after_ms: millis(delays.after_end),
            resubscribe_jitter_ms: 300_000,
            no_record_rounds: 2,
            unexplained_ms: millis(delays.unexplained),
            month_turn_ms: millis(delays.month_turn),
            not_recognised_ms: millis(delays.not_recognised),
            first_push_late_ms: millis(delays.first_push_late),
            end_after_ms: 7 * SECONDS_OF_A_DAY * 1_000,
            kdniao_end_after_ms: SECONDS_OF_A_DAY * 1_000,
            fallback_end_ms: millis(delays.fallback_end),
            fallback_days: delays.fallback.as_secs() / SECONDS_OF_A_DAY,
            quota_wake_ms: millis(delays.quota_wake),
            quota_wake_jitter_ms: millis(delays.quota_wake_jitter),
            forget_days: delays.forget.as_secs() / SECONDS_OF_A_DAY,
            clock_offset_ms: 0,
            accounts: Vec::new(),
        }
    }
}

impl SubscribeSettings {
    /// True if there is somebody to ask: only then the role runs.
    pub fn is_on(&self) -> bool {
        self.called().next().is_some()
    }

    /// The accounts that are called, with their places in the list.
    pub fn called(&self) -> impl Iterator<Item = (usize, &SubscribeAccountSettings)> {
        let accounts = self.accounts.iter().enumerate();
        accounts.filter(|(_, account)| account.is_called())
    }

    /// The accounts that are asked about parcels, with their places in the list.
    pub fn queried(&self) -> impl Iterator<Item = (usize, &SubscribeAccountSettings)> {
        let accounts = self.accounts.iter().enumerate();
        accounts.filter(|(_, account)| account.is_queried())
    }

    /// Those that are called, as requests know them.
    pub fn called_common(&self) -> SubscribeAccounts {
        SubscribeAccounts {
            accounts: self.called().map(|(_, account)| account.common()).collect(),
        }
    }

    /// All accounts as requests know them.
    pub fn common(&self) -> SubscribeAccounts {
        SubscribeAccounts {
            accounts: self.accounts.iter().map(SubscribeAccountSettings::common).collect(),
        }
    }

    /// Checks every value; the error names the key.
    pub fn validate(&self, carriers: &Carriers) -> Result<(), SettingsError> {
        require_between("subscribe.workers", self.workers, 1..=64)?;
        require(!self.group.is_empty(), "subscribe.group", "is empty")?;
        require_between("subscribe.commit_interval_ms", self.commit_interval_ms, 1..=10_000)?;
        require(
            self.transaction_timeout_ms >= self.commit_interval_ms.saturating_mul(10).max(10_000),
            "subscribe.transaction_timeout_ms",
            "is less than 10000 or less than ten times subscribe.commit_interval_ms: transactions would time out",
        )?;
        require(
            self.session_timeout_ms >= 6_000,
            "subscribe.session_timeout_ms",
            "is less than 6000, the broker's default minimum",
        )?;
        require(
            self.max_poll_interval_ms > self.session_timeout_ms.saturating_mul(2),
            "subscribe.max_poll_interval_ms",
            "is not more than twice subscribe.session_timeout_ms",
        )?;
        require_between("subscribe.call_timeout_ms", self.call_timeout_ms, 100..=60_000)?;
        require(!self.retry_ms.is_empty(), "subscribe.retry_ms", "is empty")?;
        require_between("subscribe.no_record_rounds", self.no_record_rounds, 1..=100)?;
        self.common().validate(carriers)?;
        for (index, account) in self.accounts.iter().enumerate() {
            account.validate(&|name| key_of(index, name))?;
            self.check_fallback(index, account)?;
        }
        Ok(())
    }

    fn check_fallback(&self, index: usize, account: &SubscribeAccountSettings) -> Result<(), SettingsError> {
        let Some(name) = &account.fallback_account else {
            return Ok(());
        };
        let (vendor, own) = (account.vendor, &account.name);
        let mut others = self.accounts.iter();
        let is_there = others.any(|other| {
            let is_it = other.vendor == vendor && other.name == *name && other.name != *own;
            is_it && (other.is_called() || !account.is_called())
        });
        let reason = format!("{name:?} is no other account of {vendor} that is called");
        require(is_there, &key_of(index, "fallback_account"), reason)
    }

    /// Every delay.
    pub fn delays(&self) -> Delays {
        let ms = Duration::from_millis;
        let days = |days: u64| Duration::from_secs(days.saturating_mul(SECONDS_OF_A_DAY));
        Delays {
            retry: self.retry_ms.iter().copied().map(ms).collect(),
            in_doubt: ms(self.in_doubt_ms),
            throttled: ms(self.throttled_ms),
            slow_down: ms(self.slow_down_ms),
            unsent: ms(self.unsent_ms),
            unsent_longest: ms(self.unsent_longest_ms),
            unsent_alarm: ms(self.unsent_alarm_ms),
            probe: ms(self.probe_ms),
            after_end: ms(self.resubscribe_after_ms),
            unexplained: ms(self.unexplained_ms),
            month_turn: ms(self.month_turn_ms),
            not_recognised: ms(self.not_recognised_ms),
            first_push_late: ms(self.first_push_late_ms),
            fallback_end: ms(self.fallback_end_ms),
            fallback: days(self.fallback_days),
            quota_wake: ms(self.quota_wake_ms),
            quota_wake_jitter: ms(self.quota_wake_jitter_ms),
            call_timeout: ms(self.call_timeout_ms),
            forget: days(self.forget_days),
        }
    }

    /// What the machine knows of an account.
    pub fn terms(&self, account: &SubscribeAccountSettings) -> AccountTerms {
        let ms = Duration::from_millis;
        let again = |rounds: u16| Resubscription {
            pause: ms(self.resubscribe_after_ms),
            jitter: ms(self.resubscribe_jitter_ms),
            rounds,
        };
        // Kdniao takes a further subscription at once, and as many as one likes.
        let at_once = Resubscription {
            pause: Duration::ZERO,
            jitter: Duration::ZERO,
            rounds: account.max_rounds,
        };
        let is_kdniao = account.vendor == Vendor::Kdniao;
        AccountTerms {
            vendor: account.vendor,
            account: account.name.clone(),
            api: account.api.as_str().to_owned(),
            product: account.product,
            delay: ms(account.delay_ms),
            max_subscriptions_per_month: (account.vendor == Vendor::Kuaidi100)
                .then_some(account.max_subscriptions_per_month),
            duplicate: match account.vendor {
                Vendor::Kuaidi100 => DuplicateMeans::Several,
                Vendor::Kdniao => DuplicateMeans::Followed,
                Vendor::SeventeenTrack => DuplicateMeans::Registered,
            },
            no_record: if is_kdniao {
                at_once
            } else {
                again(self.no_record_rounds)
            },
            stale: match account.vendor {
                Vendor::Kuaidi100 => AfterStale::AskFirst(again(self.no_record_rounds.saturating_add(1))),
                Vendor::Kdniao => AfterStale::Resubscribe(at_once),
                // Once; and its queries tell only what it knew when it stopped.
                Vendor::SeventeenTrack => AfterStale::Resubscribe(again(2)),
            },
            end_after: ms(if is_kdniao {
                self.kdniao_end_after_ms
            } else {
                self.end_after_ms
            }),
            detects_on_reject: account.auto_carrier == AutoCarrier::OnReject,
            fallback_account: account.fallback_account.clone(),
            delays: self.delays(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::account::is_loopback;
    use super::*;

    const ACCOUNT: &str = r#"
        name = "demo"
        vendor = "kuaidi100"
        api = "kuaidi100_enterprise"
        subscribe_url = "https://poll.example.com/poll"
        callback_base = "http://push.example.com"
    "#;

    fn validated(section: &str) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.toml");
        std::fs::write(&file, format!("[subscribe]\n{section}")).unwrap();
        let config = crate::config::Config::load(&file).map_err(|error| error.to_string())?;
        assert_eq!(config.subscribe.delays(), Delays::default());
        Ok(())
    }

    fn account(changed: &str) -> Result<(), String> {
        validated(&format!("[[subscribe.accounts]]\n{ACCOUNT}\n{changed}"))
    }

    #[test]
    fn a20_wrong_values_name_their_key() {
        assert_eq!(account(""), Ok(()));
        let without = |name: &str| {
            let lines = ACCOUNT.lines().filter(|line| !line.trim_start().starts_with(name));
            validated(&format!(
                "[[subscribe.accounts]]\n{}",
                lines.collect::<Vec<_>>().join("\n")
            ))
        };
        let plain = ACCOUNT.replace("https://poll", "http://poll");
        let plain = |allowed: &str| validated(&format!("[[subscribe.accounts]]\n{plain}\n{allowed}"));
        let twice = format!("[[subscribe.accounts]]\n{ACCOUNT}\n[[subscribe.accounts]]\n{ACCOUNT}");
        assert_eq!(plain("allow_plaintext = true"), Ok(()));
        assert_eq!(without("subscribe_url"), Ok(()), "not called");
        for (unknown, name) in [
            ("kye_file = 'x'", "kye_file"),
            ("result_levels = { ADVNACED = '6' }", "ADVNACED"),
        ] {
            let error = account(unknown).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        for (result, expected) in [
            (
                without("callback_base"),
                "subscribe.accounts[0].callback_base: is missing",
            ),
            (plain(""), "subscribe.accounts[0].subscribe_url: is http://"),
            (validated(&twice), "subscribe.accounts[1].name: there are two accounts"),
            (
                account("fallback_account = 'demo'"),
                "subscribe.accounts[0].fallback_account: ",
            ),
            (
                account("max_concurrency = 0"),
                "subscribe.accounts[0].max_concurrency: ",
            ),
            (
                account("daily_queries = 1"),
                "subscribe.accounts[0].query_url: is missing",
            ),
            (
                account("daily_queries = 1\nquery_url = 'https://q.example.com/'\naudit_share = 1.1"),
                "subscribe.accounts[0].audit_share: is not between 0 and 1",
            ),
            (
                account("daily_queries = 1\nquery_url = 'https://q.example.com/'\naudit_per_10000 = 10001"),
                "subscribe.accounts[0].audit_per_10000: ",
            ),
            (validated("workers = 0"), "subscribe.workers: "),
            (validated("retry_ms = []"), "subscribe.retry_ms: is empty"),
        ] {
            let Err(error) = result else {
                panic!("no error: {expected}");
            };
            assert!(error.starts_with(&format!("configuration key {expected}")), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn only_addresses_of_this_host_may_be_plain() {
        for (url, expected) in [
            ("http://127.0.0.1:8090/poll", true),
            ("http://[::1]/poll", true),
            ("http://localhost/poll", true),
            ("http://127.0.0.1.example.com/", false),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
        }
    }
}
