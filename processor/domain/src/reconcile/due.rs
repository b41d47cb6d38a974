//! When a candidate is to be asked, class by class.

use std::time::Duration;

use courierflow_schemas::records::TimestampMicros;
use xxhash_rust::xxh3::xxh3_64;

use super::class::Class;
use super::limits::later;
use super::plan::Candidate;
use crate::subscription::jitter;

/// Shares of numbers are given in ten thousandths.
const WHOLE: u64 = 10_000;

/// Every delay of the classes. All are counted from [`Candidate::since`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays {
    /// The queries after a gap are spread over this.
    pub gap_spread: Duration,
    /// Before the queries about a parcel whose subscription ended too early.
    pub ended_open: Vec<Duration>,
    /// Before the queries about a subscription without a push.
    pub first_push_late: Vec<Duration>,
    /// Between two queries about a parcel that the vendor does not follow.
    pub fallback_every: Duration,
    /// Before the queries about a parcel of which nothing is heard.
    pub stalled: Vec<Duration>,
    /// The audit of a parcel under way comes at the earliest so long after its pickup …
    pub audit_from: Duration,
    /// … and before this.
    pub audit_until: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            gap_spread: Duration::from_hours(2),
            ended_open: vec![Duration::from_hours(6), Duration::from_hours(30)],
            first_push_late: vec![
                Duration::from_hours(24),
                Duration::from_hours(48),
                Duration::from_hours(72),
            ],
            fallback_every: Duration::from_hours(24),
            stalled: vec![Duration::ZERO, Duration::from_hours(24), Duration::from_hours(72)],
            audit_from: Duration::from_hours(4),
            audit_until: Duration::from_hours(72),
        }
    }
}

/// True if a number belongs to the sample of `per_10000` numbers. It is the same sample always and for everybody.
pub fn is_audited(tracking_number: &str, per_10000: u32) -> bool {
    xxh3_64(tracking_number.as_bytes()) % WHOLE < u64::from(per_10000)
}

/// When a parcel of the sample that was picked up then is to be audited: at an hour that says nothing about the parcel.
pub fn audit_moment(tracking_number: &str, picked_up_at: TimestampMicros, delays: &Delays) -> TimestampMicros {
    let range = delays.audit_until.saturating_sub(delays.audit_from);
    let spread = jitter(tracking_number, "audit", range);
    later(picked_up_at, delays.audit_from.saturating_add(spread))
}

/// When the candidate is to be asked next; `None` if it was asked often enough for its class.
pub(super) fn due_at(candidate: &Candidate, delays: &Delays) -> Option<TimestampMicros> {
    let nth = |delays: &[Duration]| {
        let delay = delays.get(usize::try_from(candidate.asked_for_this).ok()?)?;
        Some(later(candidate.since, *delay))
    };
    let is_first = candidate.asked_for_this == 0;
    match candidate.class {
        Class::Gap => is_first.then(|| {
            let spread = jitter(&candidate.tracking_number, "gap", delays.gap_spread);
            later(candidate.since, spread)
        }),
        Class::EndedOpen => nth(&delays.ended_open),
        Class::FirstPushLate => nth(&delays.first_push_late),
        Class::Fallback if is_first => Some(candidate.since),
        Class::Fallback => {
            let last = candidate.asked.last_at.unwrap_or(candidate.since);
            Some(later(last, delays.fallback_every).max(candidate.since))
        }
        Class::Stalled => nth(&delays.stalled),
        // Its moment is its own: see `audit_moment`.
        Class::Audit => is_first.then_some(candidate.since),
    }
}
