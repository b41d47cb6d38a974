//! From a time as it was written to the moment of an event (rules 4.5, 4.6, 4.8).

use courierflow_schemas::records::TimestampMillis;
use jiff::tz::{Offset, TimeZone};

use super::time_grammar::Written;
use crate::local_time::{CHINA, LocalTime};

/// Where the wall clock of an item hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// At a known offset.
    Offset(Offset),
    /// In a zone with rules.
    Rules(TimeZone),
    /// Nobody says, so that this offset is taken.
    Assumed(Offset),
    /// What was said cannot be read, so that the carrier's own zone is taken.
    AssumedRules(TimeZone),
}

/// When an event took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventTime {
    /// The wall clock as written; of a Unix time, that of the item's zone.
    pub(crate) local_time: LocalTime,
    /// The wall clock of the item's zone, the same for every spelling of a moment.
    pub(crate) zone_time: LocalTime,
    pub(crate) occurred_at: TimestampMillis,
    /// Of the item's zone at that moment.
    pub(crate) offset: Offset,
    /// Nobody told the item's zone.
    pub(crate) zone_assumed: bool,
    /// The moment needs no zone: it was written with an offset, or as Unix time.
    pub(crate) absolute: bool,
}

impl Zone {
    pub(crate) const CHINA: Self = Self::Offset(CHINA);

    /// The moment of an item; none if its local time lies outside of 2000–2099 (rule 4.6).
    pub(crate) fn place(&self, written: Written) -> Option<EventTime> {
        let (told, absolute) = match written {
            Written::Local(local_time) => {
                let local_time = Some(local_time).filter(|time| time.is_plausible())?;
                let (occurred_at, offset) = self.moment_of(local_time)?;
                ((local_time, local_time, occurred_at, offset), false)
            }
            Written::AtOffset(local_time, offset) => {
                let local_time = Some(local_time).filter(|time| time.is_plausible())?;
                let occurred_at = local_time.at_offset(offset)?;
                let (zone_time, offset) = self.clock_at(occurred_at)?;
                ((local_time, zone_time, occurred_at, offset), true)
            }
            Written::Unix(second) => {
                let occurred_at = TimestampMillis(second.checked_mul(1000)?);
                let (zone_time, offset) = self.clock_at(occurred_at)?;
                let zone_time = Some(zone_time).filter(|time| time.is_plausible())?;
                ((zone_time, zone_time, occurred_at, offset), true)
            }
        };
        let (local_time, zone_time, occurred_at, offset) = told;
        Some(EventTime {
            local_time,
            zone_time,
            occurred_at,
            offset,
            zone_assumed: matches!(self, Self::Assumed(_) | Self::AssumedRules(_)),
            absolute,
        })
    }

    fn moment_of(&self, local_time: LocalTime) -> Option<(TimestampMillis, Offset)> {
        match self {
            Self::Offset(offset) | Self::Assumed(offset) => Some((local_time.at_offset(*offset)?, *offset)),
            Self::Rules(zone) | Self::AssumedRules(zone) => local_time.in_zone(zone),
        }
    }

    fn clock_at(&self, moment: TimestampMillis) -> Option<(LocalTime, Offset)> {
        match self {
            Self::Offset(offset) | Self::Assumed(offset) => Some((LocalTime::at(moment, *offset)?, *offset)),
            Self::Rules(zone) | Self::AssumedRules(zone) => LocalTime::at_zone(moment, zone),
        }
    }
}

impl EventTime {
    /// However the time was written, the clock of the item's zone shows what China's shows.
    pub(crate) fn is_on_chinas_clock(&self) -> bool {
        LocalTime::at(self.occurred_at, CHINA) == Some(self.zone_time)
    }

    /// A moment that was told beside a wall clock of no known zone.
    pub(crate) const fn with_clock(local_time: LocalTime, occurred_at: TimestampMillis) -> Self {
        Self {
            local_time,
            zone_time: local_time,
            occurred_at,
            offset: Offset::UTC,
            zone_assumed: false,
            absolute: true,
        }
    }
}
