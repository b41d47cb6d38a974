//! Whether pushes of an account are missing: nothing came for longer than the vendor repeats a push, at hours at which much usually comes.

use std::collections::BTreeMap;
use std::time::Duration;

use courierflow_schemas::records::TimestampMicros;

use super::limits::later;

/// When silence is suspicious.
#[derive(Clone, Debug, PartialEq)]
pub struct GapTerms {
    /// For so long the vendor repeats a push that was not answered; what is older is lost.
    pub patience: Duration,
    /// So many pushes an hour are usual at least, or silence says nothing.
    pub usual_per_hour: f64,
}

/// True if a silence is a gap. `pushes_before` are the pushes in the same hours of each of the days before.
pub fn is_gap(silence: Duration, pushes_before: &[u32], terms: &GapTerms) -> bool {
    let hours = silence.as_secs_f64() / 3_600.0;
    let days = u32::try_from(pushes_before.len()).unwrap_or(u32::MAX);
    let pushes: f64 = pushes_before.iter().map(|pushes| f64::from(*pushes)).sum();
    // Without a day before, nothing is usual.
    days > 0 && silence > terms.patience && pushes / (f64::from(days) * hours) >= terms.usual_per_hour
}

/// Days that are looked at to know what is usual.
const DAYS_BEFORE: i64 = 7;
const DAY: Duration = Duration::from_hours(24);

/// A silence that is a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When it began.
    pub begun: TimestampMicros,
    /// When a push came again; `None` if it has not ended.
    pub ended: Option<TimestampMicros>,
}

impl Gap {
    /// From when on the parcels are to be asked about: from its end, so that what happened in it is told by one query. One that does not
    /// end is not waited for longer than `patience`.
    pub fn asked_from(&self, patience: Duration) -> TimestampMicros {
        self.ended.unwrap_or_else(|| later(self.begun, patience))
    }
}

/// The pushes of an account, counted in intervals of one length.
#[derive(Clone, Debug, Default)]
pub struct PushCounts {
    /// By number of the interval since 1970; those without pushes are missing.
    pub by_interval: BTreeMap<i64, u32>,
}

/// How long the intervals must be in which pushes are counted: short against the silence that is looked for.
pub fn interval(patience: Duration) -> Duration {
    patience.checked_div(9).unwrap_or_default().max(Duration::from_secs(1))
}

/// The gaps of an account that have not ended, or not for longer than a day. Only whole intervals count, so the newest one does not.
pub fn gaps(counts: &PushCounts, now: TimestampMicros, terms: &GapTerms) -> Vec<Gap> {
    let length = interval(terms.patience);
    let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    let a_day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX).div_euclid(micros);
    let present = now.0.div_euclid(micros);
    let times = counts.by_interval.range(..present).map(|(interval, _)| *interval);
    let nexts = times.clone().skip(1).map(Some).chain([None]);
    let silences = times.zip(nexts).filter_map(|(last, next)| {
        let (first, end) = (last.saturating_add(1), next.unwrap_or(present));
        let is_recent = end > present.saturating_sub(a_day);
        (first < end && is_recent).then_some((first, end, next))
    });
    silences
        .filter(|(first, end, _)| {
            let intervals = u32::try_from(end.saturating_sub(*first)).unwrap_or(u32::MAX);
            let before = (1..=DAYS_BEFORE).map(|day| {
                let earlier = |interval: i64| interval.saturating_sub(day.saturating_mul(a_day));
                let of_day = counts.by_interval.range(earlier(*first)..earlier(*end));
                of_day.fold(0, |sum: u32, (_, pushes)| sum.saturating_add(*pushes))
            });
            is_gap(length.saturating_mul(intervals), &before.collect::<Vec<_>>(), terms)
        })
        .map(|(first, end, next)| Gap {
            begun: TimestampMicros(first.saturating_mul(micros)),
            ended: next.map(|_| TimestampMicros(end.saturating_mul(micros))),
        })
        .collect()
}
