//! What a call became: as an input of the machine, and as the record of the call.

use courierflow_domain::subscription::months::ChinaMonth;
use courierflow_domain::subscription::{Answer, Outcome};
use courierflow_schemas::records::{CallId, CallKind, Vendor, VendorCall};
use courierflow_vendors::api::answer as told;
use courierflow_vendors::protocol;

use super::calls::CallResult;
use super::state::Key;
use crate::vendor_calls::client::Exchanged;

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

/// What the answer means for the machine, with the call that it answers.
pub(super) fn answer_of(result: &CallResult, answer: &told::Answer) -> Answer {
    Answer {
        call_id: result.queued.call.call_id,
        started_at: result.started_at,
        outcome: Outcome::of(answer),
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
    use super::*;

    #[test]
    fn codes_of_metrics_are_those_of_the_tables() {
        let label = |code| label_of_code(Vendor::Kuaidi100, code);
        assert_eq!(
            [label(Some("501")), label(Some("799")), label(None)],
            ["501", "other", "none"]
        );
    }
}
