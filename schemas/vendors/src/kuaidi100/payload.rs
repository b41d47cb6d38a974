//! Kuaidi100: the JSON of `param`, all products (enterprise, marketplace, map track, international).

use std::borrow::Cow;
use std::mem;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, PushEvent, Segment, TimestampMillis, Vendor};
use jiff::tz::TimeZone;

use crate::fingerprint::Fingerprint;
use crate::local_time::CHINA;
use crate::parse::event_time::Zone;
use crate::parse::folding::fold;
use crate::parse::lenient_json::{Flag, Object, Objects, Text, lenient_object, parse_object};
use crate::parse::time_grammar::{parse_edd, parse_time};
use crate::parse::trace_list::{Line, TraceList, Usable, area_code, with_country};
use crate::reading::{NoOp, ReadError, Reading, carrier_of, contains_ignoring_blanks, tracking_number};
use crate::snapshot::{ResultState, RouteEnd, Snapshot, TrackingWord};

lenient_object! {
    /// The whole push.
    Payload {
        "status" => status: Text<'a>,
        "message" => message: Text<'a>,
        "comOld" => com_old: Text<'a>,
        "comNew" => com_new: Text<'a>,
        "lastResult" => last_result: Object<TrackResult<'a>>,
        "destResult" => dest_result: Object<TrackResult<'a>>,
    }
}

lenient_object! {
    /// The list of one country.
    TrackResult {
        "nu" => nu: Text<'a>,
        "com" => com: Text<'a>,
        "state" => state: Text<'a>,
        "ischeck" => ischeck: Flag,
        "isLoop" => is_loop: Flag,
        "arrivalTime" => arrival_time: Text<'a>,
        "routeInfo" => route_info: Object<RouteInfo<'a>>,
        "data" => data: Objects<DataItem<'a>>,
    }
}

lenient_object! {
    RouteInfo {
        "from" => from: Object<Area<'a>>,
        "to" => to: Object<Area<'a>>,
    }
}

lenient_object! {
    Area {
        "number" => number: Text<'a>,
        "name" => name: Text<'a>,
    }
}

lenient_object! {
    DataItem {
        "context" => context: Text<'a>,
        "ftime" => ftime: Text<'a>,
        "time" => time: Text<'a>,
        "statusCode" => status_code: Text<'a>,
        "status" => status: Text<'a>,
        "areaCode" => area_code: Text<'a>,
        "areaName" => area_name: Text<'a>,
        "location" => location: Text<'a>,
    }
}

pub(super) fn read<'a>(
    event: &'a PushEvent,
    payload: &'a str,
    carriers: &'a Carriers,
) -> Result<Reading<'a>, ReadError> {
    if event.origin == Origin::Query {
        return read_answer(event, payload, carriers);
    }
    let payload: Payload<'a> = parse_object(payload)?;
    let mut last = payload.last_result.0.ok_or(ReadError::NoParcel)?;
    let tracking_number = tracking_number(event, last.nu.as_str())?;

    let status = StatusWord::of(payload.status.trimmed().as_deref());
    let com = mem::take(&mut last.com).code();
    let (com_old, com_new) = (payload.com_old.code(), payload.com_new.code());
    let is_correction = status == StatusWord::Abort && com_new.is_some();
    let carrier = if is_correction {
        match corrected_carrier(carriers, com_old, com, com_new.clone()) {
            Ok(carrier) => carrier,
            Err(no_op) => return Ok(Reading::Nothing(no_op)),
        }
    } else {
        carrier_of(carriers, Vendor::Kuaidi100, com_new.clone().or(com))
    };
    let corrected_to = is_correction.then(|| carrier_of(carriers, Vendor::Kuaidi100, com_new));
    let tracking = tracking_word(status, is_correction, payload.message.as_str());

    let dest = payload.dest_result.0;
    let mut content = Fingerprint::with_capacity(hash_bytes(&last, dest.as_ref()));
    content.text(tracking.as_str());
    // The lists of a carrier correction are those of the wrong carrier (rule 11.2).
    let results = if is_correction {
        Results::default()
    } else {
        Results::read(last, dest, carriers, &mut content)
    };

    let said = Said {
        carrier,
        tracking_number,
        tracking,
        full_repush: status == StatusWord::UpdateAll,
        corrected_to,
    };
    Ok(snapshot(event, said, results, &content))
}

/// The answer to a query is the origin's result itself (rule 4.13). Its `status` and `message` are of the transport, and it says
/// nothing of the subscription.
fn read_answer<'a>(event: &'a PushEvent, payload: &'a str, carriers: &'a Carriers) -> Result<Reading<'a>, ReadError> {
    let mut answer: TrackResult<'a> = parse_object(payload)?;
    let said = Said {
        tracking_number: tracking_number(event, answer.nu.as_str())?,
        carrier: carrier_of(carriers, Vendor::Kuaidi100, mem::take(&mut answer.com).code()),
        tracking: TrackingWord::Unchanged,
        full_repush: false,
        corrected_to: None,
    };
    let mut content = Fingerprint::with_capacity(hash_bytes(&answer, None));
    content.text(said.tracking.as_str());
    let results = Results::read(answer, None, carriers, &mut content);
    Ok(snapshot(event, said, results, &content))
}

/// What is said of the parcel's identity and of its subscription.
struct Said<'a> {
    carrier: Cow<'a, str>,
    tracking_number: Cow<'a, str>,
    tracking: TrackingWord,
    full_repush: bool,
    corrected_to: Option<Cow<'a, str>>,
}

fn snapshot<'a>(event: &'a PushEvent, said: Said<'a>, results: Results<'a>, content: &Fingerprint) -> Reading<'a> {
    Reading::Snapshot(Box::new(Snapshot {
        vendor: Vendor::Kuaidi100,
        carrier: said.carrier,
        tracking_number: said.tracking_number,
        account: Cow::Borrowed(&event.account),
        push_id: event.push_id,
        origin: event.origin,
        signature: event.signature,
        received_at: event.received_at,
        // Rule 5.7 knows none for this vendor; an envelope from elsewhere may carry one.
        push_time: None,
        tracking: said.tracking,
        full_repush: said.full_repush,
        codes: &super::codes::CODES,
        content_hash: content.finish(),
        items: results.lines.items,
        bad_times: results.lines.bad_times,
        left_out: 0,
        origin_state: results.origin_state,
        destination_state: results.destination_state,
        edd: results.edd,
        route_from: results.route_from,
        route_to: results.route_to,
        route_loop: results.route_loop,
        reference: None,
        dest_carrier: results.dest_carrier,
        dest_number: results.dest_number,
        corrected_to: said.corrected_to,
    }))
}

/// Room for what is hashed of two results.
fn hash_bytes(last: &TrackResult<'_>, dest: Option<&TrackResult<'_>>) -> usize {
    let lines_abroad = dest.map_or(0, |dest| dest.data.0.len());
    let lines = last.data.0.len().saturating_add(lines_abroad);
    lines.saturating_mul(256).saturating_add(256)
}

/// What the results say of the parcel.
#[derive(Default)]
struct Results<'a> {
    lines: Usable<'a>,
    origin_state: ResultState<'a>,
    destination_state: ResultState<'a>,
    edd: Option<TimestampMillis>,
    route_from: RouteEnd<'a>,
    route_to: RouteEnd<'a>,
    route_loop: bool,
    dest_carrier: Option<Cow<'a, str>>,
    dest_number: Option<Cow<'a, str>>,
}

impl<'a> Results<'a> {
    fn read(
        last: TrackResult<'a>,
        dest: Option<TrackResult<'a>>,
        carriers: &'a Carriers,
        content: &mut Fingerprint,
    ) -> Self {
        let mut results = Self {
            edd: last.arrival_time.as_str().and_then(parse_edd),
            route_loop: last.is_loop.0 == Some(true),
            ..Self::default()
        };
        if let Some(route) = last.route_info.0 {
            results.route_from = route_end(route.from);
            results.route_to = route_end(route.to);
        }
        results.origin_state = result_state(last.state, last.ischeck, content);
        results.add_list(Segment::Origin, last.data.0, &Zone::CHINA, content);
        if let Some(dest) = dest {
            results.add_destination(dest, carriers, content);
        }
        results.hash_rest(content);
        results
    }

    /// Without lines it is as if the destination were not there (rule 4.8).
    fn add_destination(&mut self, dest: TrackResult<'a>, carriers: &'a Carriers, content: &mut Fingerprint) {
        let com = dest.com.code();
        let zone = com.as_deref().and_then(|com| zone_of(carriers, com));
        let zone = zone.map_or(Zone::Assumed(CHINA), Zone::Rules);
        // Not hashed: they come with the lines, and who has no new line has told nothing new.
        self.dest_carrier = com.map(|com| carrier_of(carriers, Vendor::Kuaidi100, Some(com)));
        self.dest_number = dest.nu.number();
        let before = content.len();
        let state = result_state(dest.state, dest.ischeck, content);
        if self.add_list(Segment::Destination, dest.data.0, &zone, content) {
            self.destination_state = state;
        } else {
            content.truncate(before);
        }
    }

    /// True if there is a line in it, usable or not.
    fn add_list(&mut self, segment: Segment, data: Vec<DataItem<'a>>, zone: &Zone, content: &mut Fingerprint) -> bool {
        let mut list = TraceList::new(segment, data.len(), &super::codes::CODES);
        for item in data {
            list.push(line(item, zone), content);
        }
        let usable = list.finish(content);
        let has_lines = !usable.items.is_empty() || usable.bad_times > 0;
        self.lines.append(usable);
        has_lines
    }

    /// All but states and lists, which hash themselves.
    fn hash_rest(&self, content: &mut Fingerprint) {
        content.optional_number(self.edd.map(|edd| edd.0));
        for end in [&self.route_from, &self.route_to] {
            content
                .optional_text(end.code.as_deref())
                .optional_text(end.name.as_deref());
        }
        content.flag(self.route_loop);
    }
}

fn line<'a>(item: DataItem<'a>, zone: &Zone) -> Line<'a> {
    // `time` is the carrier's own writing, `ftime` the vendor's normalised one.
    let time = [&item.ftime, &item.time].into_iter().find_map(|text| {
        let written = parse_time(text.as_str()?)?;
        zone.place(written)
    });
    let area_name = item.area_name.verbatim();
    Line {
        time,
        text: fold(item.context.verbatim_or_empty()),
        code: item.status_code.trimmed(),
        name: item.status.trimmed(),
        area_code: area_code(item.area_code.trimmed()),
        place: item.location.verbatim().or_else(|| area_name.clone()),
        area_name,
    }
}

fn result_state<'a>(state: Text<'a>, ischeck: Flag, content: &mut Fingerprint) -> ResultState<'a> {
    let state = ResultState {
        code: state.trimmed(),
        signed_off: ischeck.0 == Some(true),
    };
    content.optional_text(state.code.as_deref()).flag(state.signed_off);
    state
}

/// The `status` of a push; unknown words are as good as `polling` (rule 11.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusWord {
    Shutdown,
    Abort,
    UpdateAll,
    Other,
}

impl StatusWord {
    pub(super) fn of(word: Option<&str>) -> Self {
        let word = word.unwrap_or_default();
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if is("shutdown") {
            Self::Shutdown
        } else if is("abort") {
            Self::Abort
        } else if is("updateall") {
            Self::UpdateAll
        } else {
            Self::Other
        }
    }
}

/// Which shipment a carrier correction closes (rule 11.2): that of `comOld`, which one of the documents leaves empty,
/// else that of `lastResult.com`.
fn corrected_carrier<'a>(
    carriers: &'a Carriers,
    com_old: Option<Cow<'a, str>>,
    com: Option<Cow<'a, str>>,
    com_new: Option<Cow<'a, str>>,
) -> Result<Cow<'a, str>, NoOp> {
    let old = com_old.or(com).ok_or(NoOp::CorrectionWithoutOldCarrier)?;
    let old = carrier_of(carriers, Vendor::Kuaidi100, Some(old));
    if old == carrier_of(carriers, Vendor::Kuaidi100, com_new) {
        return Err(NoOp::CorrectionToSameCarrier);
    }
    Ok(old)
}

/// Rule 11.1.
pub(super) fn tracking_word(status: StatusWord, is_correction: bool, message: Option<&str>) -> TrackingWord {
    match status {
        StatusWord::Abort if is_correction => TrackingWord::Corrected,
        StatusWord::Abort if contains_ignoring_blanks(message.unwrap_or_default(), "无变化") => {
            TrackingWord::AbortedStale
        }
        StatusWord::Abort => TrackingWord::AbortedNoRecord,
        StatusWord::Shutdown => TrackingWord::Ended,
        StatusWord::UpdateAll => TrackingWord::Unchanged,
        StatusWord::Other => TrackingWord::Active,
    }
}

fn route_end(area: Object<Area<'_>>) -> RouteEnd<'_> {
    area.0.map_or_else(RouteEnd::default, |area| RouteEnd {
        code: with_country(area.number.trimmed()),
        name: area.name.verbatim(),
    })
}

fn zone_of(carriers: &Carriers, com: &str) -> Option<TimeZone> {
    let name = carriers.find(Vendor::Kuaidi100, com)?.zone.as_deref()?;
    TimeZone::get(name).ok()
}
