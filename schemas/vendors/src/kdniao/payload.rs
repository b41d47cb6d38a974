//! Kdniao: one element of `Data`, domestic (basic and value-added) and cross-border alike.

use std::borrow::Cow;

use courierflow_schemas::carriers::{Carrier, Carriers};
use courierflow_schemas::records::{PushEvent, Segment, Vendor};

use jiff::tz::{Offset, TimeZone};

use super::codes;
use crate::fingerprint::Fingerprint;
use crate::local_time::CHINA;
use crate::parse::folding::fold;
use crate::parse::lenient_json::{ElementCount, Flag, Objects, Text, lenient_object, parse_object};
use crate::parse::time_grammar::{parse_edd, parse_offset, parse_push_time, parse_time};
use crate::parse::trace_list::{Line, TraceList, Zone, says_nothing};
use crate::reading::{
    NoOp, PushFacts, ReadError, Reading, carrier_of, contains_ignoring_blanks, item_count, tracking_number,
};
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

lenient_object! {
    /// Only what the push log shows.
    Summary {
        "ShipperCode" or "shipperCode" => shipper_code: Text<'a>,
        "Traces" or "traces" => traces: ElementCount,
    }
}

pub(super) fn read<'a>(
    event: &'a PushEvent,
    payload: &'a str,
    carriers: &'a Carriers,
) -> Result<Reading<'a>, ReadError> {
    if event
        .request_type
        .as_deref()
        .is_some_and(|request_type| request_type.trim() == PAYMENT_REQUEST_TYPE)
    {
        return Ok(Reading::Nothing(NoOp::Payment));
    }
    let parcel: Parcel<'a> = parse_object(payload)?;
    let tracking_number = tracking_number(event, parcel.logistic_code.as_str())?;
    let shipper_code = parcel.shipper_code.code();
    let mapped = shipper_code
        .as_deref()
        .and_then(|code| carriers.find(Vendor::Kdniao, code));
    let international = mapped.is_some_and(|carrier| carrier.international);

    // `State` is the basic product's and sticks to 4 after any problem; who gets `StateEx` is told to ignore it.
    let state = parcel.state_ex.trimmed().or(parcel.state.trimmed());
    let state = ResultState {
        signed_off: (state.as_deref()).is_some_and(|state| codes::DOMESTIC.is_sign_off(state)),
        code: state,
    };
    let tracking = tracking_word(parcel.success, parcel.reason.as_str().unwrap_or_default());
    let edd = parcel.estimated_delivery_time.as_str().and_then(parse_edd);

    let traces = parcel.traces.0;
    let mut content = Fingerprint::with_capacity(traces.len().saturating_mul(256).saturating_add(256));
    content
        .text(tracking.as_str())
        .optional_text(state.code.as_deref())
        .optional_number(edd.map(|edd| edd.0));
    let offsets: Vec<_> = traces
        .iter()
        .map(|trace| trace.timezone.as_str().and_then(parse_offset))
        .collect();
    // A placeholder is no line: its zone says nothing of the parcel.
    let is_line = |trace: &Trace<'_>| {
        let text = trace.accept_station.as_str().unwrap_or_default();
        !says_nothing(&codes::DOMESTIC, trace.action.as_str().map(str::trim), None, text)
    };
    let tells_zone = |(trace, offset): (&Trace<'_>, &Option<Offset>)| offset.is_some() && is_line(trace);
    let cross_border = international || traces.iter().zip(&offsets).any(tells_zone);
    content.flag(cross_border);
    let codes = if cross_border {
        &codes::CROSS_BORDER
    } else {
        &codes::DOMESTIC
    };
    // A carrier abroad tells its own time.
    let rules = mapped.filter(|_| cross_border).and_then(zone_of);
    let without_offset = match &rules {
        Some(rules) => Zone::Rules(rules),
        None if cross_border => Zone::Assumed(CHINA),
        None => Zone::Offset(CHINA),
    };
    let mut list = TraceList::new(Segment::Origin, traces.len(), codes);
    for (trace, offset) in traces.into_iter().zip(offsets) {
        let of_line = offset.map(Zone::Offset);
        let line = Line {
            local_time: trace.accept_time.as_str().and_then(parse_time),
            text: fold(trace.accept_station.verbatim_or_empty()),
            code: trace.action.trimmed(),
            name: None,
            area_code: None,
            area_name: None,
            place: trace.location.verbatim(),
        };
        list.push(line, of_line.as_ref().unwrap_or(&without_offset), &mut content);
    }
    let (items, bad_times) = list.finish(&mut content);

    Ok(Reading::Snapshot(Box::new(Snapshot {
        vendor: Vendor::Kdniao,
        carrier: carrier_of(carriers, Vendor::Kdniao, shipper_code),
        tracking_number,
        account: Cow::Borrowed(&event.account),
        push_id: event.push_id,
        signature: event.signature,
        received_at: event.received_at,
        push_time: event.push_time.as_deref().and_then(parse_push_time),
        tracking,
        full_repush: false,
        codes,
        content_hash: content.finish(),
        items,
        bad_times,
        origin_state: state,
        destination_state: ResultState::default(),
        edd,
        route_from: RouteEnd::default(),
        route_to: RouteEnd::default(),
        route_loop: false,
    })))
}

fn zone_of(carrier: &Carrier) -> Option<TimeZone> {
    TimeZone::get(carrier.zone.as_deref()?).ok()
}

/// Rule 19: `Success` false is the end of the subscription only with one of two reasons.
fn tracking_word(success: Flag, reason: &str) -> TrackingWord {
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

pub(super) fn push_facts<'a>(payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
    let parcel: Summary<'_> = parse_object(payload).ok()?;
    Some(PushFacts {
        carrier: carrier_of(carriers, Vendor::Kdniao, parcel.shipper_code.code()),
        tracking_status: Cow::Borrowed(""),
        items: item_count(parcel.traces.0),
    })
}
