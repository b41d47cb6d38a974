//! The times of 17TRACK. An event has up to four, and the first that can be read is used.

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{TimestampMillis, Vendor};
use jiff::tz::{Offset, TimeZone};

use crate::fingerprint::Fingerprint;
use crate::local_time::LocalTime;
use crate::parse::event_time::{EventTime, Zone};
use crate::parse::lenient_json::{Object, Text, lenient_object};
use crate::parse::time_grammar::{Written, parse_local_time, parse_time};

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
    /// The first possible one of `time_iso`, `time_utc` and `time_raw`, which is in the zone of its carrier. `time_iso` wins over
    /// `time_utc`, which was seen half an hour off.
    pub(super) fn read(&self, of_provider: &Zone) -> Option<EventTime> {
        let iso = self.iso.as_str().and_then(parse_with_offset);
        let iso = iso.and_then(|(local_time, offset)| Zone::Offset(offset).place(Written::Local(local_time)));
        if iso.is_some() {
            return iso;
        }
        let raw = self.raw.0.as_ref();
        let date = raw.and_then(|raw| raw.date.as_str()).map(str::trim).unwrap_or_default();
        let time = raw.and_then(|raw| raw.time.as_str()).map(str::trim).unwrap_or_default();
        if let Some((utc, instant)) = self.utc.as_str().and_then(parse_instant) {
            let local_time = parse_local_time(&format!("{date} {time}"));
            let local_time = local_time.filter(|time| time.is_plausible()).unwrap_or(utc);
            return Some(EventTime::with_clock(local_time, instant));
        }
        let time = if time.is_empty() { "00:00:00" } else { time };
        let local_time = parse_local_time(&format!("{date} {time}"))?;
        of_provider.place(Written::Local(local_time))
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
    match parse_time(text)? {
        Written::AtOffset(local_time, offset) => Some((local_time, offset)),
        Written::Local(_) | Written::Unix(_) => None,
    }
}

/// A plausible instant: with its offset, as Unix time, else in UTC. The clock in UTC stands beside it.
fn parse_instant(text: &str) -> Option<(LocalTime, TimestampMillis)> {
    let time = Zone::Offset(Offset::UTC).place(parse_time(text)?)?;
    let utc = time.zone_time;
    utc.is_plausible().then_some((utc, time.occurred_at))
}

/// The time when the vendor asked a carrier.
pub(super) fn parse_sync_time(text: &str) -> Option<TimestampMillis> {
    parse_instant(text).map(|(_, instant)| instant)
}

/// Estimated delivery: with its offset, else in `zone`; a date alone is the end of that day (rule 4.11).
pub(super) fn parse_estimate(text: &str, zone: &TimeZone) -> Option<TimestampMillis> {
    if let Some((local_time, offset)) = parse_with_offset(text) {
        return local_time.at_offset(offset).filter(|_| local_time.is_plausible());
    }
    let local_time = parse_local_time(text).or_else(|| parse_local_time(&format!("{} 23:59:59", text.trim())))?;
    let (instant, _) = local_time.in_zone(zone)?;
    local_time.is_plausible().then_some(instant)
}

/// The zone in which a carrier tells its times, where one is certain.
pub(super) fn zone_of(carriers: &Carriers, carrier: Option<&Cow<'_, str>>) -> Option<TimeZone> {
    let name = carriers.find(Vendor::SeventeenTrack, carrier?)?.zone.as_deref()?;
    TimeZone::get(name).ok()
}
