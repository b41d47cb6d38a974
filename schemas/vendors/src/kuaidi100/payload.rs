//! Kuaidi100: the JSON of `param`, all products (enterprise, marketplace, map track, international).

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Segment, Vendor};
use jiff::tz::TimeZone;

use crate::fingerprint::Fingerprint;
use crate::local_time::CHINA;
use crate::parse::folding::fold;
use crate::parse::lenient_json::{ElementCount, Flag, Object, Objects, Text, lenient_object, parse_object};
use crate::parse::time_grammar::{parse_edd, parse_time};
use crate::parse::trace_list::{Line, TraceList, Zone, area_code, with_country};
use crate::reading::{
    NoOp, PushFacts, ReadError, Reading, carrier_of, contains_ignoring_blanks, item_count, tracking_number,
};
use crate::snapshot::{ResultState, RouteEnd, Snapshot, TraceItem, TrackingWord};

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

lenient_object! {
    /// Only what the push log shows.
    Summary {
        "status" => status: Text<'a>,
        "comNew" => com_new: Text<'a>,
        "lastResult" => last_result: Object<ResultSummary<'a>>,
        "destResult" => dest_result: Object<ResultSummary<'a>>,
    }
}

lenient_object! {
    ResultSummary {
        "com" => com: Text<'a>,
        "data" => data: ElementCount,
    }
}

/// What stands beside the lists.
struct Head<'a> {
    status: Option<Cow<'a, str>>,
    message: Text<'a>,
    com_old: Option<Cow<'a, str>>,
    com_new: Option<Cow<'a, str>>,
}

pub(super) fn read<'a>(
    event: &'a PushEvent,
    payload: &'a str,
    carriers: &'a Carriers,
) -> Result<Reading<'a>, ReadError> {
    let payload: Payload<'a> = parse_object(payload)?;
    let head = Head {
        status: payload.status.trimmed(),
        message: payload.message,
        com_old: payload.com_old.code(),
        com_new: payload.com_new.code(),
    };
    assemble(event, head, payload.last_result.0, payload.dest_result.0, carriers)
}

fn assemble<'a>(
    event: &'a PushEvent,
    head: Head<'a>,
    last: Option<TrackResult<'a>>,
    dest: Option<TrackResult<'a>>,
    carriers: &'a Carriers,
) -> Result<Reading<'a>, ReadError> {
    let last = last.ok_or(ReadError::NoParcel)?;
    let tracking_number = tracking_number(event, last.nu.as_str())?;
    let com = last.com.code();

    let status = StatusWord::of(head.status.as_deref());
    let is_correction = status == StatusWord::Abort && head.com_new.is_some();
    let carrier = if is_correction {
        match corrected_carrier(carriers, head.com_old, com, head.com_new) {
            Ok(carrier) => carrier,
            Err(no_op) => return Ok(Reading::Nothing(no_op)),
        }
    } else {
        carrier_of(carriers, Vendor::Kuaidi100, head.com_new.or(com))
    };
    let tracking = match status {
        StatusWord::Abort if is_correction => TrackingWord::Corrected,
        StatusWord::Abort if contains_ignoring_blanks(head.message.as_str().unwrap_or_default(), "无变化") => {
            TrackingWord::AbortedStale
        }
        StatusWord::Abort => TrackingWord::AbortedNoRecord,
        StatusWord::Shutdown => TrackingWord::Ended,
        StatusWord::UpdateAll => TrackingWord::Unchanged,
        StatusWord::Other => TrackingWord::Active,
    };

    let mut snapshot = Snapshot {
        vendor: Vendor::Kuaidi100,
        carrier,
        tracking_number,
        account: Cow::Borrowed(&event.account),
        push_id: event.push_id,
        signature: event.signature,
        received_at: event.received_at,
        // Rule 23 knows none for this vendor; an envelope from elsewhere may carry one.
        push_time: None,
        tracking,
        full_repush: status == StatusWord::UpdateAll,
        codes: &super::codes::CODES,
        content_hash: 0,
        items: Vec::new(),
        bad_times: 0,
        origin_state: ResultState::default(),
        destination_state: ResultState::default(),
        edd: None,
        route_from: RouteEnd::default(),
        route_to: RouteEnd::default(),
        route_loop: false,
    };
    let lines = last
        .data
        .0
        .len()
        .saturating_add(dest.as_ref().map_or(0, |dest| dest.data.0.len()));
    let mut content = Fingerprint::with_capacity(lines.saturating_mul(256).saturating_add(256));
    content.text(tracking.as_str());
    // The lists of a carrier correction are those of the wrong carrier (rule 18).
    if !is_correction {
        snapshot.origin_state = ResultState {
            code: last.state.trimmed(),
            signed_off: last.ischeck.0 == Some(true),
        };
        hash_state(&snapshot.origin_state, &mut content);
        (snapshot.items, snapshot.bad_times) =
            read_list(Segment::Origin, last.data.0, &Zone::Offset(CHINA), &mut content);

        // Without lines it is as if the destination were not there (rule 36).
        if let Some(dest) = dest.filter(|dest| !dest.data.0.is_empty()) {
            let rules = dest.com.code().and_then(|com| zone_of(carriers, &com));
            let zone = rules.as_ref().map_or(Zone::Assumed(CHINA), Zone::Rules);
            snapshot.destination_state = ResultState {
                code: dest.state.trimmed(),
                signed_off: dest.ischeck.0 == Some(true),
            };
            hash_state(&snapshot.destination_state, &mut content);
            let (items, bad_times) = read_list(Segment::Destination, dest.data.0, &zone, &mut content);
            snapshot.items.extend(items);
            snapshot.bad_times = snapshot.bad_times.saturating_add(bad_times);
        }

        snapshot.edd = last.arrival_time.as_str().and_then(parse_edd);
        if let Some(route) = last.route_info.0 {
            snapshot.route_from = route_end(route.from);
            snapshot.route_to = route_end(route.to);
        }
        snapshot.route_loop = last.is_loop.0 == Some(true);
        content.optional_number(snapshot.edd.map(|edd| edd.0));
        for end in [&snapshot.route_from, &snapshot.route_to] {
            content
                .optional_text(end.code.as_deref())
                .optional_text(end.name.as_deref());
        }
        content.flag(snapshot.route_loop);
    }
    snapshot.content_hash = content.finish();
    Ok(Reading::Snapshot(Box::new(snapshot)))
}

/// The `status` of a push; unknown words are as good as `polling` (rule 19).
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatusWord {
    Shutdown,
    Abort,
    UpdateAll,
    Other,
}

impl StatusWord {
    fn of(word: Option<&str>) -> Self {
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

/// Which shipment a carrier correction closes (rule 18): that of `comOld`, which one of the documents leaves empty, else
/// that of `lastResult.com`.
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

fn read_list<'a>(
    segment: Segment,
    data: Vec<DataItem<'a>>,
    zone: &Zone<'_>,
    content: &mut Fingerprint,
) -> (Vec<TraceItem<'a>>, u32) {
    let mut list = TraceList::new(segment, data.len(), &super::codes::CODES);
    for item in data {
        // `time` is the carrier's own writing, `ftime` the vendor's normalised one.
        let local_time = item
            .ftime
            .as_str()
            .and_then(parse_time)
            .or_else(|| item.time.as_str().and_then(parse_time));
        let area_name = item.area_name.verbatim();
        let line = Line {
            local_time,
            text: fold(item.context.verbatim_or_empty()),
            code: item.status_code.trimmed(),
            name: item.status.trimmed(),
            area_code: area_code(item.area_code.trimmed()),
            place: item.location.verbatim().or_else(|| area_name.clone()),
            area_name,
        };
        list.push(line, zone, content);
    }
    list.finish(content)
}

fn hash_state(state: &ResultState<'_>, content: &mut Fingerprint) {
    content.optional_text(state.code.as_deref()).flag(state.signed_off);
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

pub(super) fn push_facts<'a>(payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
    let payload: Summary<'_> = parse_object(payload).ok()?;
    let last = payload.last_result.0.unwrap_or_default();
    let dest = payload.dest_result.0.unwrap_or_default();
    let carrier = carrier_of(carriers, Vendor::Kuaidi100, payload.com_new.code().or(last.com.code()));
    Some(PushFacts {
        carrier,
        tracking_status: payload.status.trimmed().unwrap_or_default(),
        items: item_count(last.data.0.saturating_add(dest.data.0)),
    })
}
