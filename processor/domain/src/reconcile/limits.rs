//! What a number may be asked, whatever the reasons: vendors lock numbers that are asked too often, and bill wrong ones.

use std::time::Duration;

use courierflow_schemas::records::TimestampMicros;

/// Limits of each number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Least time between two queries.
    pub apart: Duration,
    /// Most queries in a China day.
    pub per_day: u32,
    /// Most queries in the life of a parcel.
    pub per_life: u32,
    /// After so many answers in a row that the vendor knows nothing of the number …
    pub no_result_in_a_row: u32,
    /// … it is left alone for so long.
    pub no_result_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            apart: Duration::from_hours(1),
            per_day: 2,
            per_life: 20,
            no_result_in_a_row: 3,
            no_result_pause: Duration::from_hours(24),
        }
    }
}

/// What a number was asked before, at its account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// When its last query began.
    pub last_at: Option<TimestampMicros>,
    /// Queries in the present China day.
    pub today: u32,
    /// Queries in the life of the parcel.
    pub in_all: u32,
    /// Its last answers in a row that the vendor knows nothing of it.
    pub no_results: u32,
    /// The vendor refused a query of it for good: unknown carrier, wrong telephone number, wrong number.
    pub is_rejected: bool,
}

impl Limits {
    /// Whether the number may be asked now.
    pub(super) fn allow(&self, asked: &Asked, now: TimestampMicros) -> bool {
        let pause = if asked.no_results >= self.no_result_in_a_row {
            self.no_result_pause.max(self.apart)
        } else {
            self.apart
        };
        let is_rested = asked.last_at.is_none_or(|last| later(last, pause) <= now);
        is_rested && !asked.is_rejected && asked.today < self.per_day && asked.in_all < self.per_life
    }
}

pub(super) fn later(time: TimestampMicros, delay: Duration) -> TimestampMicros {
    let micros = i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
    TimestampMicros(time.0.saturating_add(micros))
}
