//! What a call became: as an input of the machine, and as the record of the call.

use courierflow_domain::subscription::months::ChinaMonth;
use courierflow_domain::subscription::{Answer, Outcome};
use courierflow_schemas::records::{CallClass, CallId, CallKind, Reason, Vendor, VendorCall};
use courierflow_vendors::api::answer as told;
use courierflow_vendors::protocol;

use super::calls::CallResult;
use super::state::Key;
use crate::vendor_calls::client::{Ended, Exchanged};

/// An input that is no record.
#[derive(Clone, Debug)]
pub(super) enum Internal {
    /// A call has ended.
    Ended(Box<CallResult>),
    /// A call was not made, and that is what is said of it.
    NotMade {
        partition: i32,
        key: Key,
        call_id: CallId,
        outcome: Outcome,
    },
    /// The subscription was restored with a call of which nobody knows the answer.
    Restored { partition: i32, key: Key },
}

impl Internal {
    pub(super) fn partition(&self) -> i32 {
        match self {
            Self::Ended(result) => result.queued.partition,
            Self::NotMade { partition, .. } | Self::Restored { partition, .. } => *partition,
        }
    }
}

/// What the answer means for the machine.
pub(super) fn outcome(ended: &Ended, answer: &told::Answer) -> Outcome {
    if matches!(ended, Ended::Unsent) {
        return Outcome::Unsent;
    }
    match answer.class {
        CallClass::Done => Outcome::Done,
        CallClass::Duplicate => Outcome::Duplicate,
        CallClass::Account => Outcome::Account,
        CallClass::Rejected => Outcome::Rejected(answer.reason.unwrap_or(Reason::BadData)),
        CallClass::Unknown => Outcome::Unanswered,
        CallClass::Retry if answer.slow_down && !answer.is_attempt => Outcome::Throttled(answer.retry_after),
        CallClass::Retry if answer.is_unlisted => Outcome::Unheard,
        CallClass::Retry | CallClass::NoResult => Outcome::Retry,
    }
}

/// The same with the call that it answers.
pub(super) fn answer_of(result: &CallResult, outcome: Outcome, answer: &told::Answer) -> Answer {
    Answer {
        call_id: result.queued.call.call_id,
        started_at: result.started_at,
        outcome,
        code: answer.code.clone(),
    }
}

/// The record of a call.
pub(super) fn record(result: &CallResult, vendor: Vendor, exchanged: &Exchanged, answer: &told::Answer) -> VendorCall {
    let subscription = &result.subscription;
    let reply = exchanged.ended.reply();
    let bytes = reply.map_or(0, |reply| reply.body.len());
    VendorCall {
        call_id: result.queued.call.call_id,
        kind: CallKind::Subscribe,
        api: subscription.api.clone(),
        vendor,
        account: subscription.account.clone(),
        vendor_carrier: subscription.vendor_carrier.clone(),
        carrier: subscription.carrier.clone(),
        tracking_number: subscription.tracking_number.clone(),
        reason: result.queued.call.reason,
        started_at: result.started_at,
        duration_ms: i32::try_from(exchanged.duration.as_millis()).unwrap_or(i32::MAX),
        http_status: reply.map(|reply| reply.status),
        code: answer.code.clone(),
        class: answer.class,
        message: answer.message.clone(),
        month: ChinaMonth::of(result.started_at).number(),
        bytes: i32::try_from(bytes).unwrap_or(i32::MAX),
        items: None,
        push_id: None,
    }
}

/// The code as a metric may show it: one of the vendor's tables, `none`, or `other`.
pub(super) fn label_of_code(vendor: Vendor, code: Option<&str>) -> String {
    let Some(code) = code else {
        return "none".to_owned();
    };
    let tables = protocol(vendor).api().answer_tables();
    let is_listed = tables.iter().flat_map(|table| table.rows).any(|row| row.told == code);
    if is_listed { code } else { "other" }.to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use courierflow_vendors::api::ApiKind;
    use courierflow_vendors::api::answer::{Exchange, Response};

    use super::*;

    fn of(exchange: Exchange<'_>) -> Outcome {
        let api = protocol(Vendor::Kuaidi100).api();
        let ended = match exchange {
            Exchange::Unsent => Ended::Unsent,
            _ => Ended::Unanswered,
        };
        outcome(&ended, &api.read_subscribed(ApiKind::Kuaidi100Enterprise, exchange))
    }

    fn answered(status: u16, body: &str) -> Outcome {
        of(Exchange::Answered(Response {
            status,
            retry_after: Some("7"),
            body: body.as_bytes(),
        }))
    }

    #[test]
    fn a14_every_class_of_answers_is_an_outcome() {
        let code = |code: &str| format!(r#"{{"returnCode":"{code}","result":false,"message":"x"}}"#);
        for (status, body, expected) in [
            (200, code("200"), Outcome::Done),
            (409, code("501"), Outcome::Duplicate),
            (500, code("500"), Outcome::Retry),
            (401, code("601"), Outcome::Account),
            (400, code("700"), Outcome::Rejected(Reason::UnknownCarrier)),
            (400, code("701"), Outcome::Rejected(Reason::BadData)),
            (400, code("702"), Outcome::Rejected(Reason::NotRecognised)),
            (400, code("400"), Outcome::Rejected(Reason::BadPlace)),
            (409, code("502"), Outcome::Rejected(Reason::Sensitive)),
            (200, code("799"), Outcome::Unheard),
            (302, String::new(), Outcome::Account),
            (429, String::new(), Outcome::Throttled(Some(Duration::from_secs(7)))),
            (200, "<html>".to_owned(), Outcome::Unanswered),
        ] {
            assert_eq!(answered(status, &body), expected, "{status} {body}");
        }
        assert_eq!(of(Exchange::Unsent), Outcome::Unsent);
        assert_eq!(of(Exchange::Unanswered), Outcome::Unanswered);
    }

    #[test]
    fn codes_of_metrics_are_those_of_the_tables() {
        let label = |code| label_of_code(Vendor::Kuaidi100, code);
        assert_eq!(
            [label(Some("501")), label(Some("799")), label(None)],
            ["501", "other", "none"]
        );
    }
}
