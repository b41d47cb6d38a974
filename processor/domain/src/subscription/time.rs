//! Arithmetic of times: inputs come in microseconds, timers are kept in milliseconds.

use std::time::Duration;

use courierflow_schemas::records::{TimestampMicros, TimestampMillis};

/// A time so much later.
pub(super) fn later(time: TimestampMicros, delay: Duration) -> TimestampMicros {
    let micros = i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
    TimestampMicros(time.0.saturating_add(micros))
}

/// The timer that is due so much later, not a microsecond too early.
pub(super) fn after(time: TimestampMicros, delay: Duration) -> TimestampMillis {
    TimestampMillis(later(time, delay).0.saturating_add(999).div_euclid(1_000))
}

/// The millisecond of a time.
pub(super) fn millis(time: TimestampMicros) -> TimestampMillis {
    TimestampMillis(time.0.div_euclid(1_000))
}

/// A timer as a time.
pub(super) fn micros(time: TimestampMillis) -> TimestampMicros {
    TimestampMicros(time.0.saturating_mul(1_000))
}
