//! What the vendors have written down, as `simulator serve` shows it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::tables::Known;
use crate::simulator::clock::Seconds;

/// `GET /clock`.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub(super) now: jiff::Timestamp,
    pub(super) speed: f64,
}

impl Clock {
    pub(super) async fn of(client: &reqwest::Client, vendor_url: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Shown {
            now: String,
            speed: f64,
        }
        let Shown { now, speed } = get(client, vendor_url, "/clock").await?;
        let now = now.parse().context("the vendors' clock shows no moment")?;
        Ok(Self { now, speed })
    }
}

/// `GET /ledger`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Books {
    /// Whether everything that is due is done.
    pub(super) idle: bool,
    /// Numbers that are followed.
    pub(super) active: u64,
    pub(super) total: Counts,
    /// Of each number under each carrier; empty if only the totals were asked for.
    #[serde(default)]
    numbers: Vec<Parcel>,
}

/// What was counted.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) accepted: u64,
    corrected: u64,
    pub(super) beyond_quota: u64,
    pub(super) queries: u64,
    pub(super) queries_too_soon: u64,
    pub(super) queries_locked: u64,
    pub(super) pushes_answered: u64,
    pub(super) pushes_given_up: u64,
    units: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Parcel {
    tracking_number: String,
    months: BTreeMap<String, Counts>,
    lost: Vec<LostPush>,
    told_until: Option<Seconds>,
}

#[derive(Clone, Debug, Deserialize)]
struct LostPush {
    at: Seconds,
    lines: Vec<Seconds>,
}

/// Pushes that the vendors have never sent, by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LostPushes {
    /// A later push told the same, or it had no line that was not known.
    pub(super) told_again: u64,
    /// Queries have told its lines.
    pub(super) found: u64,
    /// Nobody has told its lines, though there was time to ask.
    pub(super) missing: BTreeSet<String>,
    /// Nobody has told its lines yet: it is too young.
    pub(super) young: u64,
}

impl Books {
    pub(super) async fn of(client: &reqwest::Client, vendor_url: &str, query: &str) -> anyhow::Result<Self> {
        get(client, vendor_url, &format!("/ledger{query}")).await
    }

    /// Subscriptions of each number: those that were accepted, and those that the vendor began by itself under another carrier.
    pub(super) fn subscriptions(&self) -> BTreeMap<&str, (u64, u64)> {
        let mut subscriptions: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        for number in &self.numbers {
            let (accepted, corrected) = subscriptions.entry(number.tracking_number.as_str()).or_default();
            for counts in number.months.values() {
                *accepted += counts.accepted;
                *corrected += counts.corrected;
            }
        }
        subscriptions
    }

    /// Numbers that were charged, under each carrier. The vendors charge a number again in the next simulated month, which may
    /// be the same real one.
    pub(super) fn charged(&self) -> u64 {
        let charged = self
            .numbers
            .iter()
            .filter(|number| number.months.values().any(|counts| counts.units > 0));
        charged.count() as u64
    }

    /// What became of the lost pushes. Those since `young_since` are too young to be missed.
    pub(super) fn lost_pushes(&self, known: &BTreeMap<String, Known>, young_since: Seconds) -> LostPushes {
        let mut found = LostPushes::default();
        for number in &self.numbers {
            let nothing = Known::default();
            let known = known.get(&number.tracking_number).unwrap_or(&nothing);
            for push in &number.lost {
                let is_told = number.told_until > Some(push.at);
                if is_told || push.lines.iter().all(|line| known.by_push.contains(line)) {
                    found.told_again += 1;
                } else if push.lines.iter().all(|line| known.at.contains(line)) {
                    found.found += 1;
                } else if push.at >= young_since {
                    found.young += 1;
                } else {
                    found.missing.insert(number.tracking_number.clone());
                }
            }
        }
        found
    }
}

async fn get<Answer: DeserializeOwned>(
    client: &reqwest::Client,
    vendor_url: &str,
    path: &str,
) -> anyhow::Result<Answer> {
    let url = format!("{}{path}", vendor_url.trim_end_matches('/'));
    let answer = client
        .get(&url)
        .send()
        .await
        .with_context(|| format!("no vendors at {vendor_url}"))?;
    answer
        .json()
        .await
        .with_context(|| format!("{url} is no address of `simulator serve`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_push_was_told_again_found_missed_or_is_too_young() {
        let books = |told_until: &str| -> Books {
            let text = format!(
                r#"{{"idle": true, "active": 0, "total": {{"calls": 1, "accepted": 1, "corrected": 0, "beyond_quota": 0, "queries": 0,
                    "queries_too_soon": 0, "queries_locked": 0, "pushes_answered": 0, "pushes_given_up": 0, "units": 1}},
                    "numbers": [{{"tracking_number": "YT1", "months": {{}}, "lost": [{{"at": 100, "lines": [10, 90]}}],
                    "told_until": {told_until}}}]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let known = |by_push: &[Seconds], by_query: &[Seconds]| {
            let by_push: BTreeSet<_> = by_push.iter().copied().collect();
            let at = by_push.iter().chain(by_query).copied().collect();
            BTreeMap::from([("YT1".to_owned(), Known { at, by_push })])
        };
        let told_again = LostPushes {
            told_again: 1,
            ..LostPushes::default()
        };
        let found = LostPushes {
            found: 1,
            ..LostPushes::default()
        };
        let young = LostPushes {
            young: 1,
            ..LostPushes::default()
        };
        let missing = LostPushes {
            missing: ["YT1".to_owned()].into(),
            ..LostPushes::default()
        };
        for (case, told_until, known, young_since, expected) in [
            ("a later push", "101", known(&[10, 90], &[]), 0, &told_again),
            ("nothing new", "50", known(&[10, 90], &[]), 0, &told_again),
            ("a query", "50", known(&[10], &[90]), 0, &found),
            ("only a query", "null", known(&[], &[10, 90]), 0, &found),
            ("nobody", "50", known(&[10], &[]), 101, &missing),
            ("nobody yet", "50", known(&[10], &[]), 100, &young),
            ("not even a row", "null", BTreeMap::new(), 101, &missing),
        ] {
            assert_eq!(&books(told_until).lost_pushes(&known, young_since), expected, "{case}");
        }
    }
}
