//! A vendor's wall-clock time: a date and a time of day to the second, in a zone that is known from elsewhere.

use std::fmt;

use courierflow_schemas::records::TimestampMillis;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

/// China has had one zone without daylight saving time since 1992, before any event that we keep.
pub const CHINA: Offset = Offset::constant(8);

/// A valid local date and time, whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(civil::DateTime);

impl LocalTime {
    /// None if there is no such day or time of day.
    pub fn new(year: i16, month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Option<Self> {
        civil::DateTime::new(year, month, day, hour, minute, second, 0)
            .ok()
            .map(Self)
    }

    /// Rule 28: a parcel's time lies in 2000–2099, as written; anything else is a vendor's placeholder or mistake.
    pub fn is_plausible(self) -> bool {
        (2000..2100).contains(&self.0.year())
    }

    /// The instant at a fixed offset from UTC.
    pub fn at_offset(self, offset: Offset) -> Option<TimestampMillis> {
        offset
            .to_timestamp(self.0)
            .ok()
            .map(|instant| TimestampMillis(instant.as_millisecond()))
    }

    /// The instant in a zone with rules, and the offset that held; in a gap or an overlap the earlier offset (rule 36).
    pub fn in_zone(self, zone: &TimeZone) -> Option<(TimestampMillis, Offset)> {
        let instant = zone.to_ambiguous_timestamp(self.0).compatible().ok()?;
        Some((TimestampMillis(instant.as_millisecond()), zone.to_offset(instant)))
    }
}

impl fmt::Display for LocalTime {
    /// `yyyy-MM-dd HH:mm:ss`, the normalised form of events and ids (rule 29).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0;
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}
