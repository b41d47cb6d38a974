//! Whether pushes of an account are missing: nothing came for longer than the vendor repeats a push, at hours at which much usually comes.

use std::time::Duration;

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
