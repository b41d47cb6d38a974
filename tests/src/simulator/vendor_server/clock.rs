//! The vendor's clock: it runs faster than the real one until it has caught up with it, and never passes it.

use serde::Deserialize;

use crate::simulator::clock::Seconds;

/// How far behind the real time the simulated one stays at least, so that nothing that is told lies in the future.
const DISTANCE: Seconds = 1;

/// Simulated time as a function of real time. Real times are arguments, in microseconds since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VendorClock {
    /// The real moment of the last setting.
    set_at: i64,
    /// The simulated time at that moment.
    shown: Seconds,
    /// Simulated seconds in one real second.
    speed: f64,
    /// What it was ahead then: see [`VendorClock::ahead`].
    was_ahead: Seconds,
}

/// A change of the clock. What is missing stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockChange {
    /// The simulated time from now on: a moment such as `2026-11-30T15:59:30Z`.
    now: Option<String>,
    /// Seconds to go forward.
    advance: Option<Seconds>,
    /// Simulated seconds in one real second; 0 stops the clock.
    speed: Option<f64>,
}

impl VendorClock {
    pub(crate) fn new(real: i64, from: Seconds, speed: f64) -> Self {
        let shown = from.min(latest(real));
        Self {
            set_at: real,
            shown,
            speed,
            was_ahead: 0,
        }
    }

    /// The simulated time.
    pub(crate) fn now(&self, real: i64) -> Seconds {
        self.unlimited(real).min(latest(real))
    }

    /// How far it would be ahead if it did not stay behind the real one. By that clock calls of a customer whose durations are as
    /// short as its speed wants are not too soon either when it has caught up.
    pub(crate) fn ahead(&self, real: i64) -> Seconds {
        self.was_ahead
            .saturating_add(self.unlimited(real).saturating_sub(latest(real)).max(0))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a float becomes the nearest integer, and nobody waits for longer than it can count"
    )]
    fn unlimited(&self, real: i64) -> Seconds {
        let passed = (real - self.set_at).max(0) as f64 / 1e6 * self.speed;
        self.shown.saturating_add(passed as Seconds)
    }

    /// The changed clock; a text that says why not, if it would go back or pass the real time.
    pub(crate) fn changed(&self, change: &ClockChange, real: i64) -> Result<Self, &'static str> {
        let before = self.now(real);
        let shown = match change.now.as_deref().map(str::parse::<jiff::Timestamp>) {
            Some(Ok(moment)) => moment.as_second(),
            Some(Err(_)) => return Err("now must be a moment such as 2026-11-30T15:59:30Z"),
            None => before,
        };
        let shown = shown.saturating_add(change.advance.unwrap_or(0));
        let speed = change.speed.unwrap_or(self.speed);
        if shown < before {
            return Err("the clock does not go back");
        }
        if shown > latest(real) {
            return Err("the clock does not pass the real time");
        }
        if !speed.is_finite() || speed < 0.0 {
            return Err("speed must be 0 or more");
        }
        Ok(Self {
            set_at: real,
            shown,
            speed,
            was_ahead: self.ahead(real),
        })
    }

    pub(crate) const fn speed(&self) -> f64 {
        self.speed
    }
}

/// A moment as JSON shows it: `2026-11-30T15:59:30Z`.
pub(crate) fn moment(at: Seconds) -> String {
    jiff::Timestamp::from_second(at).unwrap_or_default().to_string()
}

/// The latest simulated time at that real moment.
const fn latest(real: i64) -> Seconds {
    real.div_euclid(1_000_000) - DISTANCE
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REAL: i64 = 1_786_248_000_000_000;
    const NOW: Seconds = REAL / 1_000_000;

    fn change(json: &str) -> ClockChange {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_clock_runs_at_its_speed_until_it_meets_the_real_one() {
        let clock = VendorClock::new(REAL, NOW - 86_400, 7_200.0);
        for (case, real_seconds, expected) in [
            ("at the start", 0, NOW - 86_400),
            ("after a second", 1, NOW - 86_400 + 7_200),
            ("after ten", 10, NOW - 86_400 + 72_000),
            ("caught up", 100, NOW + 99),
        ] {
            assert_eq!(clock.now(REAL + real_seconds * 1_000_000), expected, "{case}");
        }
        assert_eq!(VendorClock::new(REAL, NOW + 5, 1.0).now(REAL), NOW - 1, "no future");
    }

    #[test]
    fn how_far_it_is_ahead_grows_with_its_speed_once_it_has_caught_up() {
        let clock = VendorClock::new(REAL, NOW - 86_400, 7_200.0);
        let after = |seconds: i64| REAL + seconds * 1_000_000;
        assert_eq!(clock.ahead(after(11)), 0);
        let ahead = clock.ahead(after(100));
        assert_eq!(ahead, 7_200 * 100 - 86_400 - 99);
        let stopped = clock.changed(&change(r#"{"speed":0}"#), after(100)).unwrap();
        assert_eq!(stopped.ahead(after(100)), ahead);
        assert_eq!(stopped.ahead(after(200)), ahead);
    }

    #[test]
    fn it_is_set_forward_only_and_not_past_the_present() {
        let clock = VendorClock::new(REAL, NOW - 86_400, 0.0);
        let changed = |json| clock.changed(&change(json), REAL).map(|clock| clock.now(REAL));
        assert_eq!(changed(r#"{"advance":60}"#), Ok(NOW - 86_340));
        assert_eq!(changed(r#"{"speed":3}"#), Ok(NOW - 86_400));
        assert!(changed(r#"{"advance":-1}"#).is_err());
        assert!(changed(r#"{"advance":86400}"#).is_err());
        assert!(changed(r#"{"speed":-1}"#).is_err());
        assert!(changed(r#"{"now":"2020-01-01T00:00:00Z"}"#).is_err());
    }

    proptest! {
        #[test]
        fn time_neither_goes_back_nor_reaches_the_present(
            from in 0..2 * NOW, speed in 0.0..1e6, first in 0..1_000_000_000_i64, second in 0..1_000_000_000_i64,
        ) {
            let clock = VendorClock::new(REAL, from, speed);
            let (early, late) = (first.min(second), first.max(second));
            prop_assert!(clock.now(REAL + early) <= clock.now(REAL + late));
            prop_assert!(clock.now(REAL + late) < (REAL + late) / 1_000_000);
        }
    }
}
