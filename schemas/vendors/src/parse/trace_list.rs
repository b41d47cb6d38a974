//! One list of a vendor, from its own order to list order (rule 6): lines without a usable time dropped, oldest first.

use std::borrow::Cow;

use courierflow_schemas::records::{Segment, TimestampMillis};
use jiff::tz::{Offset, TimeZone};

use crate::codes::CodeTable;
use crate::fingerprint::Fingerprint;
use crate::local_time::LocalTime;
use crate::parse::placeholders::is_placeholder;
use crate::snapshot::TraceItem;

/// How a line's local time becomes UTC.
pub(crate) enum Zone<'z> {
    /// A known offset.
    Offset(Offset),
    /// A zone with rules.
    Rules(&'z TimeZone),
    /// Nobody says; this offset is taken.
    Assumed(Offset),
    /// The instant is told beside the local time.
    Instant(TimestampMillis),
}

/// A line before its time is judged.
pub(crate) struct Line<'a> {
    pub(crate) local_time: Option<LocalTime>,
    /// Folded.
    pub(crate) text: Cow<'a, str>,
    pub(crate) code: Option<Cow<'a, str>>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) area_code: Option<Cow<'a, str>>,
    pub(crate) area_name: Option<Cow<'a, str>>,
    pub(crate) place: Option<Cow<'a, str>>,
}

/// True of a line that only says that there is nothing to say (rule 63c).
pub(crate) fn says_nothing(codes: &CodeTable, code: Option<&str>, name: Option<&str>, text: &str) -> bool {
    let known_code = |code: &str| codes.find(code).or_else(|| codes.find_fallback(code)).is_some();
    let is_told = code.is_some_and(known_code) || name.is_some_and(|name| codes.find_name(name).is_some());
    !is_told && is_placeholder(text)
}

/// Collects the lines of one list in the vendor's order, and their part of the content hash.
pub(crate) struct TraceList<'a> {
    segment: Segment,
    codes: &'static CodeTable,
    items: Vec<TraceItem<'a>>,
    bad_times: u32,
}

impl<'a> TraceList<'a> {
    /// An empty list with room for `lines`; `codes` are those that its lines are read with.
    pub(crate) fn new(segment: Segment, lines: usize, codes: &'static CodeTable) -> Self {
        Self {
            segment,
            codes,
            items: Vec::with_capacity(lines),
            bad_times: 0,
        }
    }

    /// Adds a line, unless it is a placeholder, which is no line, or has no usable time.
    pub(crate) fn push(&mut self, line: Line<'a>, zone: &Zone<'_>, content: &mut Fingerprint) {
        if says_nothing(self.codes, line.code.as_deref(), line.name.as_deref(), &line.text) {
            return;
        }
        let usable = line
            .local_time
            .filter(|time| time.is_plausible())
            .and_then(|local_time| {
                let (occurred_at, offset) = match zone {
                    Zone::Offset(offset) | Zone::Assumed(offset) => (local_time.at_offset(*offset)?, *offset),
                    Zone::Rules(zone) => local_time.in_zone(zone)?,
                    Zone::Instant(instant) => (*instant, Offset::UTC),
                };
                Some((local_time, occurred_at, offset))
            });
        let zone_assumed = matches!(zone, Zone::Assumed(_));
        // Instant and offset together are the local time and its zone; all unusable times are alike.
        content
            .optional_number(usable.map(|(_, occurred_at, _)| occurred_at.0))
            .number(usable.map_or(0, |(_, _, offset)| i64::from(offset.seconds())))
            .flag(zone_assumed)
            .text(&line.text)
            .optional_text(line.code.as_deref())
            .optional_text(line.name.as_deref())
            .optional_text(line.area_code.as_deref())
            .optional_text(line.place.as_deref());
        let Some((local_time, occurred_at, _)) = usable else {
            self.bad_times = self.bad_times.saturating_add(1);
            return;
        };
        self.items.push(TraceItem {
            segment: self.segment,
            local_time,
            occurred_at,
            zone_assumed,
            text: line.text,
            code: line.code,
            name: line.name,
            area_code: line.area_code,
            area_name: line.area_name,
            place: line.place,
        });
    }

    /// The usable lines oldest first, and the number of those that were dropped for their time. A list whose first usable line is not older than
    /// its last is taken as newest first: that is how Kuaidi100 and Kdniao's cross-border pushes write theirs.
    pub(crate) fn finish(self, content: &mut Fingerprint) -> (Vec<TraceItem<'a>>, u32) {
        // Separates the lines of two lists.
        let lines = self.items.len().saturating_add(self.bad_times as usize);
        content.number(i64::try_from(lines).unwrap_or(i64::MAX));
        let mut items = self.items;
        let ascending = match (items.first(), items.last()) {
            (Some(first), Some(last)) => first.occurred_at < last.occurred_at,
            _ => false,
        };
        if !ascending {
            items.reverse();
        }
        (items, self.bad_times)
    }
}

/// Rule 35: `CN` and twelve digits, or twelve bare digits, which get their `CN`; anything else is no area code. Takes a
/// trimmed text.
pub(crate) fn area_code(code: Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    let code = with_country(code)?;
    let digits = code.strip_prefix("CN")?;
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// Rule 17: a code of the vendor's route is taken as it is, but for the `CN` that twelve bare digits lack.
pub(crate) fn with_country(code: Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    let code = code?;
    if code.len() == 12 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Owned(format!("CN{code}")));
    }
    Some(code)
}
