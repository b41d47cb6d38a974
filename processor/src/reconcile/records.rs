//! What a call became: the push event of an answer with a history, the record of the call, and what it says of the account.

use courierflow_domain::subscription::months::ChinaMonth;
use courierflow_domain::subscription::{self, Outcome};
use courierflow_schemas::records::{
    CallClass, CallKind, Origin, PushEvent, Reason, Signature, TimestampMicros, VendorCall,
};
use courierflow_vendors::api::answer::{Answer, Found};
use courierflow_vendors::api::ids::query_push_id;

use super::calls::CallResult;
use super::intents::Intent;
use crate::vendor_calls::account::CallAccount;
use crate::vendor_calls::client::Exchanged;

/// A call that has ended, as it is to be recorded.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Where its intent is.
    pub(super) partition: i32,
    pub(super) intent: Intent,
    pub(super) call: VendorCall,
    /// Exactly if the vendor told a history.
    pub(super) event: Option<PushEvent>,
}

/// The records of a call that was made, and what the vendor said.
pub(super) fn of(result: &CallResult, exchanged: &Exchanged, account: &CallAccount) -> (Ended, Answer) {
    let queried = account.read_queried(exchanged.ended.exchange(), &result.secret);
    let answer = queried.answer;
    let event = queried.found.map(|found| event(result, account, found));
    let reply = exchanged.ended.reply();
    let bytes = reply.map_or(0, |reply| reply.body.len());
    let items = queried
        .found
        .map(|found| i32::try_from(found.items).unwrap_or(i32::MAX));
    let call = VendorCall {
        duration_ms: i32::try_from(exchanged.duration.as_millis()).unwrap_or(i32::MAX),
        code: answer.code.clone(),
        message: answer.message.clone(),
        bytes: i32::try_from(bytes).unwrap_or(i32::MAX),
        items: if answer.class == CallClass::NoResult {
            Some(0)
        } else {
            items
        },
        push_id: event.as_ref().map(|event| event.push_id),
        ..call(
            &result.intent,
            account.kind().as_str(),
            answer.class,
            reply.map(|reply| reply.status),
        )
    };
    let ended = Ended {
        partition: result.queued.partition,
        intent: result.intent.clone(),
        call,
        event,
    };
    (ended, answer)
}

/// The record of a call that a former owner of the partition has begun: nobody knows its answer.
pub(super) fn left_behind(partition: i32, intent: Intent, api: &str) -> Ended {
    Ended {
        partition,
        call: call(&intent, api, CallClass::Unknown, None),
        intent,
        event: None,
    }
}

/// The record of a call of which nothing more is known.
pub(super) fn call(intent: &Intent, api: &str, class: CallClass, http_status: Option<u16>) -> VendorCall {
    VendorCall {
        call_id: intent.call_id(),
        kind: CallKind::Query,
        api: api.to_owned(),
        vendor: intent.vendor,
        account: intent.account.clone(),
        vendor_carrier: intent.vendor_carrier.clone(),
        carrier: intent.carrier.clone(),
        tracking_number: intent.tracking_number.clone(),
        reason: intent.reason,
        started_at: intent.started_at,
        duration_ms: 0,
        http_status,
        code: None,
        class,
        message: None,
        month: ChinaMonth::of(intent.started_at).number(),
        bytes: 0,
        items: None,
        push_id: None,
    }
}

/// The answer as a push event. It came by a call of ours under the account's keys, so it is as trusted as a signed push.
fn event(result: &CallResult, account: &CallAccount, found: Found<'_>) -> PushEvent {
    let intent = &result.intent;
    PushEvent {
        push_id: query_push_id(intent.vendor, &intent.account, found.payload.as_bytes()),
        part: 0,
        parts: 1,
        vendor: intent.vendor,
        account: intent.account.clone(),
        received_at: result.ended_at,
        signature: Signature::Verified,
        vendor_carrier: intent.vendor_carrier.clone(),
        tracking_number: intent.tracking_number.clone(),
        request_type: account.request_type_of_queries().map(str::to_owned),
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload: found.payload.to_owned(),
        origin: Origin::Query,
        query_reason: Some(intent.reason.as_str().to_owned()),
        reference: None,
    }
}

/// What an answer says of its account. Whoever can refuse a number knows the account, and no callback address is asked for here.
pub(super) fn heard(intent: &Intent, answer: &Answer) -> subscription::Answer {
    let outcome = match answer.class {
        CallClass::Done | CallClass::NoResult | CallClass::Duplicate => Outcome::Done,
        CallClass::Rejected => Outcome::Rejected(
            answer
                .reason
                .filter(|reason| is_harmless(*reason))
                .unwrap_or(Reason::UnknownCarrier),
        ),
        CallClass::Account => Outcome::Account,
        CallClass::Unknown => Outcome::Unanswered,
        CallClass::Retry if answer.slow_down => Outcome::Throttled(answer.retry_after),
        CallClass::Retry if !answer.is_attempt => Outcome::Unsent,
        CallClass::Retry => Outcome::Retry,
    };
    subscription::Answer {
        call_id: intent.call_id(),
        started_at: intent.started_at,
        outcome,
        code: answer.code.clone(),
    }
}

/// False for the reasons of which many in a row would mean a bad callback address.
const fn is_harmless(reason: Reason) -> bool {
    !matches!(reason, Reason::BadData | Reason::Sensitive | Reason::NotRecognised)
}

/// The time of a record on the broker.
pub(super) const fn millis(time: TimestampMicros) -> i64 {
    time.0.div_euclid(1_000)
}
