//! How far ahead of our clock a vendor's time may be before it is doubted (rules 4.6 and 5.2). "Now" is always the
//! receipt of a push.

use courierflow_schemas::records::{TimestampMicros, TimestampMillis};

/// Clocks of couriers' devices and of vendors may be minutes ahead.
const TOLERANCE_MICROS: i64 = 10 * 60 * 1_000_000;

/// True if a time is more than ten minutes after `now`.
pub fn is_future(time: TimestampMillis, now: TimestampMicros) -> bool {
    time.0.saturating_mul(1000).saturating_sub(now.0) > TOLERANCE_MICROS
}
