//! The end of a shipment's life (rule 12.4), counted in whole days of the stream, so that a restart of a worker makes
//! no difference.

use courierflow_schemas::records::TimestampMicros;

use crate::known::memory::Memory;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// A shipment that reached its end expires after this many days without an accepted push …
const TERMINAL_DAYS: i32 = 14;
/// … and any other after this many. ClickHouse keeps the rows of both.
const SILENT_DAYS: i32 = 60;

/// A day of a partition's stream of pushes: UTC days since 1970, from `received_at`. The newest day seen is the only clock of
/// derivation; a stream begins on day 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamDay(i32);

impl StreamDay {
    /// The day of a time.
    pub fn of(time: TimestampMicros) -> Self {
        // Always fits: 2^63 µs are less than 2^27 days.
        Self(i32::try_from(time.0.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX))
    }

    /// The day of a push received at this time, if it is later than `self`, the stream's present day.
    pub fn followed_by(self, received_at: TimestampMicros) -> Option<Self> {
        let day = Self::of(received_at);
        (day > self).then_some(day)
    }
}

impl Memory {
    /// The day of the stream on which the shipment expires: the first on which the time without an accepted push has
    /// certainly passed, whatever the hour.
    pub fn expires_on(&self) -> StreamDay {
        let days = if self.is_terminal { TERMINAL_DAYS } else { SILENT_DAYS };
        let StreamDay(last_push) = StreamDay::of(self.received_at);
        StreamDay(last_push.saturating_add(days).saturating_add(1))
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests")]
mod tests {
    use courierflow_schemas::records::{Identity, Shipment, Vendor};

    use super::*;

    fn micros(day: i64, of_day: i64) -> TimestampMicros {
        TimestampMicros(day * MICROS_PER_DAY + of_day)
    }

    fn memory(received_at: TimestampMicros, is_terminal: bool) -> Memory {
        let mut memory = Memory::of(&Shipment {
            received_at,
            ..Shipment::bare(Identity::of(Vendor::Kdniao, "yto", "YT1"))
        });
        memory.is_terminal = is_terminal;
        memory
    }

    #[test]
    fn rule_12_4_whole_days_count() {
        for (name, received_at, is_terminal, expires_on) in [
            ("ended, first microsecond", micros(100, 0), true, 115),
            ("ended, last microsecond", micros(100, MICROS_PER_DAY - 1), true, 115),
            ("under way", micros(100, 5), false, 161),
            ("before 1970", micros(-3, 5), true, 12),
            ("the end of times", TimestampMicros(i64::MAX), true, 106_751_991 + 15),
        ] {
            let expires_on = StreamDay(expires_on);
            assert_eq!(memory(received_at, is_terminal).expires_on(), expires_on, "{name}");
        }
    }

    #[test]
    fn a_day_begins_once_and_never_again() {
        let today = StreamDay(100);
        assert_eq!(today.followed_by(micros(100, MICROS_PER_DAY - 1)), None);
        assert_eq!(today.followed_by(micros(101, 0)), Some(StreamDay(101)));
        assert_eq!(today.followed_by(micros(99, 0)), None);
        assert_eq!(StreamDay::default().followed_by(micros(-1, 0)), None);
        assert_eq!(today.followed_by(TimestampMicros(i64::MIN)), None);
    }
}
