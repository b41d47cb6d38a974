//! Checks the time of receipt that a push event states. `received_at` drives the clock of its partition and becomes the
//! timestamp of derived records: if it came from a clock that is far ahead, every parcel of the partition would expire,
//! and the broker would refuse the records. So it is compared with the timestamp of the event's own record, which the
//! broker checked when it stored the record and which never changes.

use courierflow_schemas::records::TimestampMicros;

const MICROS_PER_MILLI: i64 = 1_000;
/// By default a broker accepts timestamps up to this far ahead of its clock (`message.timestamp.after.max.ms`).
const MAX_LEAD_MILLIS: i64 = 3_600_000;

/// True when a push event claims to have been received more than an hour after the timestamp of its record, which is in
/// milliseconds since 1970. Without a timestamp the result is false.
pub fn is_in_future(received_at: TimestampMicros, record_timestamp: Option<i64>) -> bool {
    record_timestamp.is_some_and(|timestamp| millis(received_at) > timestamp.saturating_add(MAX_LEAD_MILLIS))
}

/// The timestamp of what is derived from a push event: its receipt, but not later than the timestamp of its own record,
/// so that the broker accepts it as it accepted that one. Ingest sets the timestamp of its records to the receipt.
pub fn derived_timestamp(received_at: TimestampMicros, record_timestamp: Option<i64>) -> i64 {
    let received_at = millis(received_at);
    record_timestamp.map_or(received_at, |timestamp| timestamp.min(received_at))
}

fn millis(time: TimestampMicros) -> i64 {
    time.0.div_euclid(MICROS_PER_MILLI)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use super::*;

    const NOW: i64 = 1_780_000_000_000;

    fn received(millis: i64) -> TimestampMicros {
        TimestampMicros(millis * MICROS_PER_MILLI + 999)
    }

    #[test]
    fn an_hour_ahead_is_believed_and_no_more() {
        assert!(!is_in_future(received(NOW), Some(NOW)));
        assert!(!is_in_future(received(NOW + MAX_LEAD_MILLIS), Some(NOW)));
        assert!(is_in_future(received(NOW + MAX_LEAD_MILLIS + 1), Some(NOW)));
        assert!(is_in_future(TimestampMicros(i64::MAX), Some(NOW)));
    }

    #[test]
    fn the_past_is_believed_and_so_is_a_record_without_a_timestamp() {
        assert!(!is_in_future(TimestampMicros(i64::MIN), Some(NOW)));
        assert!(!is_in_future(TimestampMicros(i64::MAX), Some(i64::MAX)));
        assert!(!is_in_future(TimestampMicros(i64::MAX), None));
    }

    #[test]
    fn what_is_derived_is_as_old_as_the_receipt_and_never_younger_than_the_record() {
        assert_eq!(derived_timestamp(received(NOW), Some(NOW)), NOW, "a record of ingest");
        assert_eq!(derived_timestamp(received(NOW), Some(NOW + 5)), NOW, "put back later");
        assert_eq!(
            derived_timestamp(received(NOW + 5), Some(NOW)),
            NOW,
            "a clock that is ahead"
        );
        assert_eq!(derived_timestamp(received(NOW), None), NOW);
    }
}
