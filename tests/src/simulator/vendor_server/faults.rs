//! What goes wrong on purpose, and how often.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::simulator::random::Random;

/// Shares are from 0 to 1 and of calls, unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Answered with the vendor's server error, not taken.
    pub server_errors: f64,
    /// Taken, answered after [`Self::slow_ms`].
    pub slow: f64,
    /// How long a slow answer takes, milliseconds of real time.
    pub slow_ms: u64,
    /// Never answered, not taken.
    pub hang: f64,
    /// Subscriptions that are taken, then the connection is closed without an answer.
    pub drop_after_accept: f64,
    /// Answered with a page of a gateway, not taken.
    pub html: f64,
    /// Refused by the gateway for too many calls: 429.
    pub rate_limited: f64,
    /// Share of pushes that are never sent.
    pub lost_pushes: f64,
    /// Share of tracking numbers to which [`Self::lost_pushes`] applies.
    pub lost_parcels: f64,
    /// Share of queries that are answered from a cache.
    pub stale_answers: f64,
    /// How old such an answer is, simulated hours.
    pub stale_hours: i64,
    /// Share of Kdniao's queries that find nothing although there is something, as across borders.
    pub empty_answers: f64,
    /// Answers to the calls of single numbers.
    pub forced: Vec<Forced>,
}

/// An answer that the calls of one number get, whatever they ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forced {
    /// The number; `*`: every number.
    pub tracking_number: String,
    /// The `returnCode` of Kuaidi100, the `Reason` of Kdniao; `429`: the gateway refuses the call.
    pub code: String,
    /// For so many calls; for ever if missing.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            server_errors: 0.0,
            slow: 0.0,
            slow_ms: 7_000,
            hang: 0.0,
            drop_after_accept: 0.0,
            html: 0.0,
            rate_limited: 0.0,
            lost_pushes: 0.0,
            lost_parcels: 1.0,
            stale_answers: 0.0,
            stale_hours: 8,
            empty_answers: 0.0,
            forced: Vec::new(),
        }
    }
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ServerError,
    Slow,
    Hang,
    DropAfterAccept,
    Html,
    RateLimited,
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ServerError => "server_errors",
            Self::Slow => "slow",
            Self::Hang => "hang",
            Self::DropAfterAccept => "drop_after_accept",
            Self::Html => "html",
            Self::RateLimited => "rate_limited",
        }
    }
}

impl Faults {
    /// Draws what goes wrong with a call: one thing at most.
    pub(crate) fn draw(&self, random: &mut Random) -> Option<Fault> {
        let mut rest = random.between(0.0, 1.0);
        for (share, fault) in [
            (self.server_errors, Fault::ServerError),
            (self.slow, Fault::Slow),
            (self.hang, Fault::Hang),
            (self.drop_after_accept, Fault::DropAfterAccept),
            (self.html, Fault::Html),
            (self.rate_limited, Fault::RateLimited),
        ] {
            if rest < share {
                return Some(fault);
            }
            rest -= share;
        }
        None
    }

    /// The answer that is forced on the next call about this number; counts it.
    pub(crate) fn take_forced(&mut self, tracking_number: &str) -> Option<String> {
        let applies = |forced: &Forced| {
            forced.times != Some(0) && (forced.tracking_number == tracking_number || forced.tracking_number == "*")
        };
        let forced = self.forced.iter_mut().find(|forced| applies(forced))?;
        forced.times = forced.times.map(|times| times - 1);
        Some(forced.code.clone())
    }

    /// The faults with some members of a JSON object instead; a text that says what is wrong with them.
    pub(crate) fn changed(&self, change: &Value) -> Result<Self, String> {
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let (Some(members), Some(change)) = (merged.as_object_mut(), change.as_object()) else {
            return Err("not a JSON object".to_owned());
        };
        members.extend(change.clone());
        let changed: Self = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        changed.validate()?;
        Ok(changed)
    }

    /// A text that says which share is none.
    pub(crate) fn validate(&self) -> Result<(), String> {
        for (name, share) in [
            ("server_errors", self.server_errors),
            ("slow", self.slow),
            ("hang", self.hang),
            ("drop_after_accept", self.drop_after_accept),
            ("html", self.html),
            ("rate_limited", self.rate_limited),
            ("lost_pushes", self.lost_pushes),
            ("lost_parcels", self.lost_parcels),
            ("stale_answers", self.stale_answers),
            ("empty_answers", self.empty_answers),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{name} must be from 0 to 1"));
            }
        }
        if self.stale_hours < 0 {
            return Err("stale_hours must be 0 or more".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_are_drawn_as_often_as_asked_for() {
        let faults = Faults {
            server_errors: 0.2,
            html: 0.1,
            ..Faults::default()
        };
        let mut random = Random::new(1, 2, 3);
        let drawn: Vec<_> = (0..10_000).map(|_| faults.draw(&mut random)).collect();
        let count = |fault| drawn.iter().filter(|drawn| **drawn == fault).count();
        assert!((1_850..2_150).contains(&count(Some(Fault::ServerError))));
        assert!((900..1_100).contains(&count(Some(Fault::Html))));
        assert_eq!(count(Some(Fault::Hang)), 0);
    }

    #[test]
    fn faults_are_changed_member_by_member() {
        let faults = Faults::default();
        let changed = faults.changed(&json!({"slow": 0.5})).unwrap();
        assert_eq!((changed.slow, changed.slow_ms), (0.5, 7_000));
        for change in [
            json!({"slow": 2}),
            json!({"slo": 0.1}),
            json!([1]),
            json!({"stale_hours": -1}),
        ] {
            assert!(faults.changed(&change).is_err(), "{change}");
        }
    }

    #[test]
    fn a_forced_answer_is_given_so_many_times() {
        let mut faults = Faults::default()
            .changed(&json!({"forced": [{"tracking_number": "YT1", "code": "500", "times": 2}]}))
            .unwrap();
        assert_eq!(faults.take_forced("YT2"), None);
        let codes: Vec<_> = (0..3).map(|_| faults.take_forced("YT1")).collect();
        assert_eq!(codes, [Some("500".to_owned()), Some("500".to_owned()), None]);
    }
}
