//! Turns a vendor's list of trace lines into list order (rule 7.1): oldest first, without lines that have no usable
//! time.

use std::borrow::Cow;

use courierflow_schemas::records::Segment;

use crate::codes::CodeTable;
use crate::fingerprint::Fingerprint;
use crate::parse::event_time::EventTime;
use crate::parse::placeholders::is_placeholder;
use crate::snapshot::TraceItem;

/// A line, perhaps without a usable time.
pub(crate) struct Line<'a> {
    pub(crate) time: Option<EventTime>,
    /// Folded.
    pub(crate) text: Cow<'a, str>,
    pub(crate) code: Option<Cow<'a, str>>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) area_code: Option<Cow<'a, str>>,
    pub(crate) area_name: Option<Cow<'a, str>>,
    pub(crate) place: Option<Cow<'a, str>>,
}

/// True for a placeholder line, which only says that there is no information (rule 8.3c).
pub(crate) fn says_nothing(codes: &CodeTable, code: Option<&str>, name: Option<&str>, text: &str) -> bool {
    let known_code = |code: &str| codes.find(code).or_else(|| codes.find_fallback(code)).is_some();
    let is_told = code.is_some_and(known_code) || name.is_some_and(|name| codes.find_name(name).is_some());
    !is_told && is_placeholder(text)
}

/// Collects the lines of a list in the vendor's order, and adds them to the content hash.
pub(crate) struct TraceList<'a> {
    segment: Segment,
    codes: &'static CodeTable,
    items: Vec<TraceItem<'a>>,
    bad_times: u32,
}

/// The lines of one or more lists that can be used.
#[derive(Default)]
pub(crate) struct Usable<'a> {
    /// Oldest first.
    pub(crate) items: Vec<TraceItem<'a>>,
    /// Lines dropped because of their time.
    pub(crate) bad_times: u32,
}

impl Usable<'_> {
    /// Adds the lines of a further list.
    pub(crate) fn append(&mut self, mut list: Self) {
        if self.items.is_empty() {
            self.items = list.items;
        } else {
            self.items.append(&mut list.items);
        }
        self.bad_times = self.bad_times.saturating_add(list.bad_times);
    }
}

impl<'a> TraceList<'a> {
    /// An empty list with room for `lines`; `codes` is the table that its lines are read with.
    pub(crate) fn new(segment: Segment, lines: usize, codes: &'static CodeTable) -> Self {
        Self {
            segment,
            codes,
            items: Vec::with_capacity(lines),
            bad_times: 0,
        }
    }

    /// Adds a line, unless it is a placeholder, which is no line, or has no usable time.
    pub(crate) fn push(&mut self, line: Line<'a>, content: &mut Fingerprint) {
        if says_nothing(self.codes, line.code.as_deref(), line.name.as_deref(), &line.text) {
            return;
        }
        // Instant and offset together are the time in the item's zone, and the zone; all unusable times are alike.
        content
            .optional_number(line.time.map(|time| time.occurred_at.0))
            .number(line.time.map_or(0, |time| i64::from(time.offset.seconds())))
            .flag(line.time.is_some_and(|time| time.zone_assumed))
            .text(&line.text)
            .optional_text(line.code.as_deref())
            .optional_text(line.name.as_deref())
            .optional_text(line.area_code.as_deref())
            .optional_text(line.place.as_deref());
        let Some(time) = line.time else {
            self.bad_times = self.bad_times.saturating_add(1);
            return;
        };
        self.items.push(TraceItem {
            segment: self.segment,
            local_time: time.local_time,
            zone_time: time.zone_time,
            occurred_at: time.occurred_at,
            zone_assumed: time.zone_assumed && !time.absolute,
            is_abroad: self.segment == Segment::Destination || time.zone_assumed || !time.is_on_chinas_clock(),
            text: line.text,
            code: line.code,
            name: line.name,
            area_code: line.area_code,
            area_name: line.area_name,
            place: line.place,
        });
    }

    /// The usable lines. A list whose first usable line is not older than its last is taken as newest first, the order of
    /// Kuaidi100 and of Kdniao's cross-border pushes.
    pub(crate) fn finish(self, content: &mut Fingerprint) -> Usable<'a> {
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
        Usable {
            items,
            bad_times: self.bad_times,
        }
    }
}

/// Rule 4.10: `CN` and twelve digits, or twelve bare digits, to which `CN` is added; anything else is not an area code.
/// The text must be trimmed.
pub(crate) fn area_code(code: Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    let code = with_country(code)?;
    let digits = code.strip_prefix("CN")?;
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// Rule 10.5: a code of the vendor's route is used as it is, except that `CN` is added to twelve bare digits.
pub(crate) fn with_country(code: Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    let code = code?;
    if code.len() == 12 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Owned(format!("CN{code}")));
    }
    Some(code)
}
