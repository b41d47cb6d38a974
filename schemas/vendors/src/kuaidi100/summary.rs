//! What a Kuaidi100 payload says without its history being read: for the push log, and for the subscription.

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, Vendor};

use super::payload::{StatusWord, tracking_word};
use super::route::hours;
use crate::parse::lenient_json::{ElementCount, Object, Text, lenient_object, parse_object};
use crate::reading::{PushFacts, PushWord, carrier_of, item_count};

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
        "totalTime" => total_time: Text<'a>,
    }
}

pub(super) fn push_facts<'a>(origin: Origin, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
    if origin == Origin::Query {
        let answer: ResultSummary<'a> = parse_object(payload).ok()?;
        return Some(PushFacts {
            carrier: carrier_of(carriers, Vendor::Kuaidi100, answer.com.code()),
            tracking_status: Cow::Borrowed(""),
            items: item_count(answer.data.0),
            total_hours: answer.total_time.as_str().and_then(hours),
        });
    }
    let payload: Summary<'a> = parse_object(payload).ok()?;
    let last = payload.last_result.0.unwrap_or_default();
    let dest = payload.dest_result.0.unwrap_or_default();
    let carrier = carrier_of(carriers, Vendor::Kuaidi100, payload.com_new.code().or(last.com.code()));
    Some(PushFacts {
        carrier,
        tracking_status: payload.status.trimmed().unwrap_or_default(),
        items: item_count(last.data.0.saturating_add(dest.data.0)),
        total_hours: last.total_time.as_str().and_then(hours),
    })
}

lenient_object! {
    /// Only what it says of its subscription.
    WordPayload {
        "status" => status: Text<'a>,
        "message" => message: Text<'a>,
        "comOld" => com_old: Text<'a>,
        "comNew" => com_new: Text<'a>,
        "lastResult" => last_result: Object<ResultSummary<'a>>,
        "destResult" => dest_result: Object<ResultSummary<'a>>,
    }
}

pub(super) fn push_word(origin: Origin, payload: &str) -> Option<PushWord<'_>> {
    if origin == Origin::Query {
        let answer: ResultSummary<'_> = parse_object(payload).ok()?;
        return Some(PushWord {
            carrier: answer.com.code(),
            ..PushWord::of_query(answer.data.0)
        });
    }
    let payload: WordPayload<'_> = parse_object(payload).ok()?;
    let word = payload.status.trimmed();
    let status = StatusWord::of(word.as_deref());
    let new_carrier = payload.com_new.code();
    let is_correction = status == StatusWord::Abort && new_carrier.is_some();
    let last = payload.last_result.0.unwrap_or_default();
    let abroad = payload.dest_result.0.unwrap_or_default();
    Some(PushWord {
        tracking: tracking_word(status, is_correction, payload.message.as_str()),
        word,
        success: None,
        message: payload.message.trimmed(),
        carrier: last.com.code(),
        old_carrier: payload.com_old.code(),
        new_carrier,
        has_items: last.data.0 > 0 || abroad.data.0 > 0,
        end: None,
    })
}
