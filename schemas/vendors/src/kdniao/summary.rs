//! What a Kdniao payload says without its history being read: for the push log, and for the subscription.

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, Vendor};

use super::codes;
use super::payload::{result_state, tracking_word};
use crate::parse::lenient_json::{ElementCount, Flag, Text, lenient_object, parse_object};
use crate::reading::{PushFacts, PushWord, carrier_of, item_count};

lenient_object! {
    /// Only what the push log shows.
    Summary {
        "ShipperCode" or "shipperCode" => shipper_code: Text<'a>,
        "Traces" or "traces" => traces: ElementCount,
    }
}

/// The answer to a query looks like an element of a push.
pub(super) fn push_facts<'a>(payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
    let parcel: Summary<'a> = parse_object(payload).ok()?;
    Some(PushFacts {
        carrier: carrier_of(carriers, Vendor::Kdniao, parcel.shipper_code.code()),
        tracking_status: Cow::Borrowed(""),
        items: item_count(parcel.traces.0),
        total_hours: None,
    })
}

/// `OrderCode` is documented as the subscriber's number of the order, `CallBack` as a text of the subscriber's own.
pub(super) const REFERENCE_MEMBERS: [&str; 2] = ["OrderCode", "CallBack"];

lenient_object! {
    /// Only what the subscriber has called it.
    ReferencePayload {
        "OrderCode" or "orderCode" => order_code: Text<'a>,
        // The vendor's own documents write it in both ways.
        "CallBack" or "Callback" => call_back: Text<'a>,
        // And relays begin all keys with a small letter.
        "callBack" or "callback" => relayed_call_back: Text<'a>,
    }
}

pub(super) fn reference<'a>(payload: &'a str, member: &str) -> Option<Cow<'a, str>> {
    let parcel: ReferencePayload<'a> = parse_object(payload).ok()?;
    match member {
        "OrderCode" => parcel.order_code.trimmed(),
        "CallBack" => parcel.call_back.trimmed().or(parcel.relayed_call_back.trimmed()),
        _ => None,
    }
}

lenient_object! {
    /// Only what it says of its subscription.
    WordPayload {
        "ShipperCode" or "shipperCode" => shipper_code: Text<'a>,
        "Success" or "success" => success: Flag,
        "Reason" or "reason" => reason: Text<'a>,
        "State" or "state" => state: Text<'a>,
        "StateEx" or "stateEx" => state_ex: Text<'a>,
        "Traces" or "traces" => traces: ElementCount,
    }
}

pub(super) fn push_word(origin: Origin, payload: &str) -> Option<PushWord<'_>> {
    let parcel: WordPayload<'_> = parse_object(payload).ok()?;
    if origin == Origin::Query {
        return Some(PushWord {
            carrier: parcel.shipper_code.code(),
            ..PushWord::of_query(parcel.traces.0)
        });
    }
    let success = parcel.success.0;
    Some(PushWord {
        tracking: tracking_word(parcel.success, parcel.reason.as_str().unwrap_or_default()),
        word: None,
        success,
        message: parcel.reason.trimmed(),
        carrier: parcel.shipper_code.code(),
        old_carrier: None,
        new_carrier: None,
        has_items: parcel.traces.0 > 0,
        end: (result_state(parcel.state_ex, parcel.state).code).and_then(|code| codes::DOMESTIC.end(&code)),
    })
}
