//! The times of 17TRACK. An event has up to four, and the first that can be read is used.

use std::borrow::Cow;

use courierflow_schemas::carriers;
use courierflow_schemas::records::{TimestampMillis, Vendor};
use jiff::tz::{Offset, TimeZone};

use crate::fingerprint::Fingerprint;
use crate::local_time::LocalTime;
use crate::parse::lenient_json::{Object, Text, lenient_object};
use crate::parse::time_grammar::{parse_offset, parse_time};
use crate::parse::trace_list::Zone;

lenient_object! {
    /// What the carrier wrote.
    RawTime {
        "date" => date: Text<'a>,
        "time" => time: Text<'a>,
    }
}

/// The times of one event, as sent.
pub(super) struct EventTimes<'t, 'a> {
    pub(super) iso: &'t Text<'a>,
    pub(super) utc: &'t Text<'a>,
    pub(super) raw: &'t Object<RawTime<'a>>,
}

impl EventTimes<'_, '_> {
    /// The wall clock, and how it becomes UTC. `time_iso` takes precedence over `time_utc`, which was seen to be half
    /// an hour off.
    pub(super) fn read<'z>(&self, of_provider: Option<&'z TimeZone>) -> (Option<LocalTime>, Zone<'z>) {
        if let Some((local_time, offset)) = self.iso.as_str().and_then(parse_with_offset) {
            return (Some(local_time), Zone::Offset(offset));
        }
        let raw = self.raw.0.as_ref();
        let date = raw.and_then(|raw| raw.date.as_str()).map(str::trim).unwrap_or_default();
        let time = raw.and_then(|raw| raw.time.as_str()).map(str::trim).unwrap_or_default();
        if let Some((utc, instant)) = self.utc.as_str().and_then(parse_instant) {
            let local_time = parse_time(&format!("{date} {time}")).unwrap_or(utc);
            return (Some(local_time), Zone::Instant(instant));
        }
        let time = if time.is_empty() { "00:00:00" } else { time };
        let local_time = parse_time(&format!("{date} {time}"));
        let zone = of_provider.map_or(Zone::Assumed(Offset::UTC), Zone::Rules);
        (local_time, zone)
    }

    /// Hashes all times as sent, so that a push with a changed time is another push.
    pub(super) fn hash(&self, content: &mut Fingerprint) {
        content
            .optional_text(self.iso.as_str())
            .optional_text(self.utc.as_str());
        let raw = self.raw.0.as_ref();
        content
            .optional_text(raw.and_then(|raw| raw.date.as_str()))
            .optional_text(raw.and_then(|raw| raw.time.as_str()));
    }
}

/// `2026-03-12T14:02:00-07:00`, `…Z`.
fn parse_with_offset(text: &str) -> Option<(LocalTime, Offset)> {
    let text = text.trim();
    // Search after the date, which has hyphens of its own.
    let time = text.find(['T', ' '])?;
    let length = text.get(time..)?.find(['+', '-', 'Z'])?;
    let (local_time, offset) = text.split_at_checked(time.checked_add(length)?)?;
    Some((parse_time(local_time)?, parse_offset(offset)?))
}

/// Reads a plausible instant, with its offset or else in UTC. Returned with the local time in UTC.
fn parse_instant(text: &str) -> Option<(LocalTime, TimestampMillis)> {
    let (local_time, offset) = parse_with_offset(text).or_else(|| Some((parse_time(text)?, Offset::UTC)))?;
    let instant = local_time.at_offset(offset)?;
    let utc = LocalTime::in_utc(instant)?;
    utc.is_plausible().then_some((utc, instant))
}

/// The time when the vendor asked a carrier.
pub(super) fn parse_sync_time(text: &str) -> Option<TimestampMillis> {
    parse_instant(text).map(|(_, instant)| instant)
}

/// Estimated delivery: with its offset, else in `zone`; a date alone is the end of that day (rule 30).
pub(super) fn parse_estimate(text: &str, zone: &TimeZone) -> Option<TimestampMillis> {
    if let Some((local_time, offset)) = parse_with_offset(text) {
        return local_time.at_offset(offset).filter(|_| local_time.is_plausible());
    }
    let local_time = parse_time(text).or_else(|| parse_time(&format!("{} 23:59:59", text.trim())))?;
    let (instant, _) = local_time.in_zone(zone)?;
    local_time.is_plausible().then_some(instant)
}

/// The zone of a carrier's local times, if it is certain.
pub(super) fn zone_of(carrier: Option<&Cow<'_, str>>) -> Option<TimeZone> {
    let name = carriers::find(Vendor::SeventeenTrack, carrier?)?.zone.as_deref()?;
    TimeZone::get(name).ok()
}
