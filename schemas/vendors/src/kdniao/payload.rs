//! Kdniao: one element of `Data`, domestic (basic and value-added) and cross-border alike.

use std::borrow::Cow;

use courierflow_schemas::carriers::{Carrier, Carriers};
use courierflow_schemas::records::{Origin, PushEvent, Segment, Vendor};

use jiff::tz::TimeZone;

use super::codes;
use crate::fingerprint::Fingerprint;
use crate::local_time::CHINA;
use crate::parse::event_time::Zone;
use crate::parse::folding::fold;
use crate::parse::lenient_json::{Flag, Objects, Text, lenient_object, parse_object};
use crate::parse::time_grammar::{parse_edd, parse_time};
use crate::parse::trace_list::{Line, TraceList, says_nothing};
use crate::parse::zone_grammar::parse_zone;
use crate::reading::{NoOp, ReadError, Reading, carrier_of, contains_ignoring_blanks, push_time, tracking_number};
use crate::snapshot::{ResultState, RouteEnd, Snapshot, TrackingWord};

/// Payment status of cash on delivery: no traces, another product.
const PAYMENT_REQUEST_TYPE: &str = "107";

lenient_object! {
    /// One parcel.
    Parcel {
        "LogisticCode" or "logisticCode" => logistic_code: Text<'a>,
        "ShipperCode" or "shipperCode" => shipper_code: Text<'a>,
        "Success" or "success" => success: Flag,
        "Reason" or "reason" => reason: Text<'a>,
        "State" or "state" => state: Text<'a>,
        "StateEx" or "stateEx" => state_ex: Text<'a>,
        "EstimatedDeliveryTime" or "estimatedDeliveryTime" => estimated_delivery_time: Text<'a>,
        "Traces" or "traces" => traces: Objects<Trace<'a>>,
    }
}

lenient_object! {
    Trace {
        "AcceptTime" or "acceptTime" => accept_time: Text<'a>,
        "AcceptStation" or "acceptStation" => accept_station: Text<'a>,
        "Location" or "location" => location: Text<'a>,
        "Action" or "action" => action: Text<'a>,
        "Timezone" or "timezone" => timezone: Text<'a>,
    }
}

pub(super) fn read<'a>(
    event: &'a PushEvent,
    payload: &'a str,
    carriers: &'a Carriers,
) -> Result<Reading<'a>, ReadError> {
    let request_type = event.request_type.as_deref().map(str::trim);
    if request_type == Some(PAYMENT_REQUEST_TYPE) {
        return Ok(Reading::Nothing(NoOp::Payment));
    }
    let parcel: Parcel<'a> = parse_object(payload)?;
    let tracking_number = tracking_number(event, parcel.logistic_code.as_str())?;
    let shipper_code = parcel.shipper_code.code();
    let mapped = shipper_code
        .as_deref()
        .and_then(|code| carriers.find(Vendor::Kdniao, code));
    let state = result_state(parcel.state_ex, parcel.state);
    let tracking = match event.origin {
        Origin::Push => tracking_word(parcel.success, parcel.reason.as_str().unwrap_or_default()),
        // An answer is like an element of a push, and says nothing of the subscription (rule 4.13).
        Origin::Query => TrackingWord::Unchanged,
    };
    let edd = parcel.estimated_delivery_time.as_str().and_then(parse_edd);

    let traces = parcel.traces.0;
    let mut content = Fingerprint::with_capacity(traces.len().saturating_mul(256).saturating_add(256));
    content
        .text(tracking.as_str())
        .optional_text(state.code.as_deref())
        .optional_number(edd.map(|edd| edd.0));
    let zones: Vec<_> = traces.iter().map(|trace| ToldZone::of(&trace.timezone)).collect();
    let is_international = mapped.is_some_and(|carrier| carrier.international);
    let cross_border = is_international || any_tells_a_zone(&traces, &zones);
    content.flag(cross_border);
    let codes = if cross_border {
        &codes::CROSS_BORDER
    } else {
        &codes::DOMESTIC
    };
    // A carrier abroad tells its own time.
    let own_zone = mapped.filter(|_| cross_border).and_then(zone_of);
    let mut list = TraceList::new(Segment::Origin, traces.len(), codes);
    for (trace, zone) in traces.into_iter().zip(zones) {
        list.push(line(trace, &zone.or(own_zone.as_ref(), cross_border)), &mut content);
    }
    let mut usable = list.finish(&mut content);
    if !cross_border {
        // Also where a zone cannot be read (rule 4.7).
        usable.items.iter_mut().for_each(|item| item.is_abroad = false);
    }

    Ok(Reading::Snapshot(Box::new(Snapshot {
        vendor: Vendor::Kdniao,
        carrier: carrier_of(carriers, Vendor::Kdniao, shipper_code),
        tracking_number,
        account: Cow::Borrowed(&event.account),
        push_id: event.push_id,
        origin: event.origin,
        signature: event.signature,
        received_at: event.received_at,
        push_time: push_time(event),
        tracking,
        full_repush: false,
        codes,
        content_hash: content.finish(),
        items: usable.items,
        bad_times: usable.bad_times,
        left_out: 0,
        origin_state: state,
        destination_state: ResultState::default(),
        edd,
        route_from: RouteEnd::default(),
        route_to: RouteEnd::default(),
        route_loop: false,
        reference: None,
        dest_carrier: None,
        dest_number: None,
        corrected_to: None,
    })))
}

/// `State` is the basic product's and sticks to 4 after any problem; who gets `StateEx` is told to ignore it.
pub(super) fn result_state<'a>(state_ex: Text<'a>, state: Text<'a>) -> ResultState<'a> {
    let state = state_ex.trimmed().or(state.trimmed());
    ResultState {
        signed_off: (state.as_deref()).is_some_and(|state| codes::DOMESTIC.is_sign_off(state)),
        code: state,
    }
}

fn zone_of(carrier: &Carrier) -> Option<TimeZone> {
    TimeZone::get(carrier.zone.as_deref()?).ok()
}

/// What a trace says of its zone (rules 4.5, 4.7).
enum ToldZone {
    Missing,
    Unreadable,
    Zone(Zone),
}

impl ToldZone {
    fn of(timezone: &Text<'_>) -> Self {
        match timezone.as_str().map(str::trim) {
            None | Some("") => Self::Missing,
            Some(text) => parse_zone(text).map_or(Self::Unreadable, Self::Zone),
        }
    }

    /// Where nothing is told, a cross-border parcel is in the carrier's own zone, and if that is not known it is doubtful.
    fn or(self, own_zone: Option<&TimeZone>, cross_border: bool) -> Zone {
        match (self, own_zone) {
            (Self::Zone(zone), _) => zone,
            (Self::Missing, _) if !cross_border => Zone::CHINA,
            (Self::Missing, Some(own)) => Zone::Rules(own.clone()),
            (Self::Unreadable, Some(own)) => Zone::AssumedRules(own.clone()),
            (Self::Missing | Self::Unreadable, None) => Zone::Assumed(CHINA),
        }
    }
}

/// A placeholder is no line: its zone says nothing of the parcel.
fn any_tells_a_zone(traces: &[Trace<'_>], zones: &[ToldZone]) -> bool {
    let is_line = |trace: &Trace<'_>| {
        let text = trace.accept_station.as_str().unwrap_or_default();
        !says_nothing(&codes::DOMESTIC, trace.action.as_str().map(str::trim), None, text)
    };
    let mut told = traces.iter().zip(zones);
    told.any(|(trace, zone)| matches!(zone, ToldZone::Zone(_)) && is_line(trace))
}

fn line<'a>(trace: Trace<'a>, zone: &Zone) -> Line<'a> {
    Line {
        time: (trace.accept_time.as_str().and_then(parse_time)).and_then(|time| zone.place(time)),
        text: fold(trace.accept_station.verbatim_or_empty()),
        code: trace.action.trimmed(),
        name: None,
        area_code: None,
        area_name: None,
        place: trace.location.verbatim(),
    }
}

/// Rule 11.1: `Success` false is the end of the subscription only with one of two reasons.
pub(super) fn tracking_word(success: Flag, reason: &str) -> TrackingWord {
    if success.0 != Some(false) {
        TrackingWord::Active
    } else if contains_ignoring_blanks(reason, "无轨迹变化") {
        TrackingWord::AbortedStale
    } else if contains_ignoring_blanks(reason, "天无轨迹") {
        TrackingWord::AbortedNoRecord
    } else {
        TrackingWord::Unchanged
    }
}
