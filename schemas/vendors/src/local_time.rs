//! A vendor's wall-clock time: a date and a time of day to the second, in a zone that is known from elsewhere.

use std::fmt;

use courierflow_schemas::records::TimestampMillis;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};

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

    /// Rule 4.6: a parcel's time lies in 2000–2099, as written; anything else is a vendor's placeholder or mistake.
    pub fn is_plausible(self) -> bool {
        (2000..2100).contains(&self.0.year())
    }

    /// The clock at an instant, where UTC has this offset.
    pub fn at(instant: TimestampMillis, offset: Offset) -> Option<Self> {
        let instant = Timestamp::from_millisecond(instant.0).ok()?;
        Some(Self(offset.to_datetime(instant)))
    }

    /// The clock at an instant in a zone with rules, and the offset that holds then.
    pub fn at_zone(instant: TimestampMillis, zone: &TimeZone) -> Option<(Self, Offset)> {
        let offset = zone.to_offset(Timestamp::from_millisecond(instant.0).ok()?);
        Some((Self::at(instant, offset)?, offset))
    }

    /// The instant at a fixed offset from UTC.
    pub fn at_offset(self, offset: Offset) -> Option<TimestampMillis> {
        offset
            .to_timestamp(self.0)
            .ok()
            .map(|instant| TimestampMillis(instant.as_millisecond()))
    }

    /// The instant in a zone with rules, and the offset that held; in a gap or an overlap the earlier offset (rule
    /// 4.8).
    pub fn in_zone(self, zone: &TimeZone) -> Option<(TimestampMillis, Offset)> {
        let instant = zone.to_ambiguous_timestamp(self.0).compatible().ok()?;
        Some((TimestampMillis(instant.as_millisecond()), zone.to_offset(instant)))
    }
}

impl LocalTime {
    /// Appends `yyyy-MM-dd HH:mm:ss`, the normalised form of events and ids (rule 4.4). Two of these for every item of
    /// every push: format strings would take as long as reading the JSON.
    pub fn write_to(self, text: &mut String) {
        let time = self.0;
        let century = i8::try_from(time.year().div_euclid(100)).unwrap_or(0);
        let year = i8::try_from(time.year().rem_euclid(100)).unwrap_or(0);
        let mut written = *b"0000-00-00 00:00:00";
        for (at, number) in [
            (0, century),
            (2, year),
            (5, time.month()),
            (8, time.day()),
            (11, time.hour()),
            (14, time.minute()),
            (17, time.second()),
        ] {
            if let Some(place) = written.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                *place = two_digits(number);
            }
        }
        // Digits and separators are always a text.
        text.push_str(std::str::from_utf8(&written).unwrap_or_default());
    }
}

fn two_digits(number: i8) -> [u8; 2] {
    let number = number.unsigned_abs();
    [number / 10, number % 10].map(|digit| b'0'.saturating_add(digit))
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(19);
        self.write_to(&mut text);
        f.write_str(&text)
    }
}
