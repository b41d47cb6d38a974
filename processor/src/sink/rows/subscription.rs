//! Rows of `subscription`: where each subscription stands, its calls as parallel arrays.

use clickhouse::Row;
use courierflow_domain::mask;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{self, MonthOfCalls, Reason};
use courierflow_schemas::registry::SchemaIds;
use serde::Serialize;

use super::{Table, Unrepresentable, count, hex, micros, micros_if_known, millis, millis_if_known, unsigned};
use crate::dead_letter::Coordinates;

pub(crate) enum Subscription {}

/// Not here: the ids of requests, and the fields that only subscribe needs to go on.
#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub(crate) struct SubscriptionRow {
    vendor: String,
    account: String,
    tracking_number: String,
    carrier: String,
    vendor_carrier: String,
    former_carriers: Vec<String>,
    version: u64,
    state: &'static str,
    reason: Option<&'static str>,
    code: Option<String>,
    since: i64,
    requested_at: i64,
    requester: String,
    reference: Option<String>,
    api: String,
    product: &'static str,
    international: bool,
    round: u16,
    attempt: u16,
    call_id: Option<String>,
    not_before: Option<i64>,
    #[serde(rename = "calls.month")]
    calls_month: Vec<u32>,
    #[serde(rename = "calls.vendor_carrier")]
    calls_vendor_carrier: Vec<String>,
    #[serde(rename = "calls.accepted")]
    calls_accepted: Vec<u16>,
    #[serde(rename = "calls.last_at")]
    calls_last_at: Vec<i64>,
    duplicate: bool,
    first_push_at: Option<i64>,
    ended_word: Option<String>,
    ended_at: Option<i64>,
}

impl Table for Subscription {
    type Record = records::Subscription;
    type Row = SubscriptionRow;
    type Detail = ();
    const NAME: &'static str = "subscription";
    const HAS_TOMBSTONES: bool = true;

    fn schema_id(ids: &SchemaIds) -> u32 {
        ids.subscription
    }

    fn row(
        subscription: records::Subscription,
        _: &Coordinates<'_>,
        _: &Carriers,
    ) -> Result<SubscriptionRow, Unrepresentable> {
        // Words of the vendor may be any text.
        let masked = |text: String| mask(&text, Some(&subscription.tracking_number)).into_owned();
        let calls = subscription.calls.len();
        let mut row = SubscriptionRow {
            version: unsigned("version", subscription.version)?,
            state: subscription.state.as_str(),
            reason: subscription.reason.map(Reason::as_str),
            code: subscription.code.map(masked),
            since: micros("since", subscription.since)?,
            requested_at: micros("requested_at", subscription.requested_at)?,
            product: subscription.product.as_str(),
            international: subscription.international,
            round: subscription.round,
            attempt: subscription.attempt,
            call_id: subscription.call_id.map(|id| hex(id.0)),
            not_before: millis_if_known("not_before", subscription.not_before)?,
            calls_month: Vec::with_capacity(calls),
            calls_vendor_carrier: Vec::with_capacity(calls),
            calls_accepted: Vec::with_capacity(calls),
            calls_last_at: Vec::with_capacity(calls),
            duplicate: subscription.duplicate,
            first_push_at: micros_if_known("first_push_at", subscription.first_push_at)?,
            ended_word: subscription.ended_word.map(masked),
            ended_at: micros_if_known("ended_at", subscription.ended_at)?,
            vendor: subscription.vendor,
            account: subscription.account,
            carrier: subscription.carrier,
            vendor_carrier: subscription.vendor_carrier,
            former_carriers: subscription.former_carriers,
            requester: subscription.requester,
            reference: subscription.reference,
            api: subscription.api,
            tracking_number: subscription.tracking_number,
        };
        for month in subscription.calls {
            row.push_month(month)?;
        }
        Ok(row)
    }
}

impl SubscriptionRow {
    /// One element on each of the arrays, which must stay of equal length.
    fn push_month(&mut self, calls: MonthOfCalls) -> Result<(), Unrepresentable> {
        let month = count("calls.month", calls.month)?;
        let last_at = millis("calls.last_at", calls.last_at)?;
        self.calls_month.push(month);
        self.calls_vendor_carrier.push(calls.vendor_carrier);
        self.calls_accepted.push(calls.accepted);
        self.calls_last_at.push(last_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{CallId, Product, SubscriptionState, TimestampMicros, TimestampMillis};

    use super::*;

    const ANYWHERE: Coordinates<'_> = Coordinates {
        topic: "courier.subscription.v1",
        partition: 0,
        offset: 0,
        timestamp: None,
    };

    /// Every value differs from its neighbours, so that swapped columns are noticed.
    fn record() -> records::Subscription {
        records::Subscription {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            tracking_number: "YT0001".to_owned(),
            carrier: "yto".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            former_carriers: vec!["zhongtong".to_owned()],
            version: 1_754_711_112_000_345,
            state: SubscriptionState::Waiting,
            reason: Some(Reason::NoRecord),
            code: Some("501".to_owned()),
            since: TimestampMicros(11),
            requested_at: TimestampMicros(12),
            requester: "oms".to_owned(),
            request_ids: vec!["r1".to_owned()],
            reference: Some("order-1".to_owned()),
            api: "kuaidi100_enterprise".to_owned(),
            product: Product::Advanced,
            international: true,
            round: 2,
            attempt: 3,
            call_id: Some(CallId([0xab; 16])),
            not_before: Some(TimestampMillis(13)),
            calls: vec![
                MonthOfCalls {
                    month: 202_611,
                    vendor_carrier: "zhongtong".to_owned(),
                    accepted: 4,
                    last_at: TimestampMillis(14),
                },
                MonthOfCalls {
                    month: 202_612,
                    vendor_carrier: "yuantong".to_owned(),
                    accepted: 1,
                    last_at: TimestampMillis(15),
                },
            ],
            duplicate: true,
            first_push_at: Some(TimestampMicros(16)),
            ended_word: Some("abort".to_owned()),
            ended_at: Some(TimestampMicros(17)),
            in_doubt: true,
            failed: 21,
            too_early: 22,
            unexplained: 23,
            not_recognised: 24,
            unsent: 25,
        }
    }

    fn row_of(record: records::Subscription) -> Result<SubscriptionRow, Unrepresentable> {
        Subscription::row(record, &ANYWHERE, Carriers::built_in())
    }

    #[test]
    fn golden_row() {
        let expected = SubscriptionRow {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            tracking_number: "YT0001".to_owned(),
            carrier: "yto".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            former_carriers: vec!["zhongtong".to_owned()],
            version: 1_754_711_112_000_345,
            state: "WAITING",
            reason: Some("NO_RECORD"),
            code: Some("501".to_owned()),
            since: 11,
            requested_at: 12,
            requester: "oms".to_owned(),
            reference: Some("order-1".to_owned()),
            api: "kuaidi100_enterprise".to_owned(),
            product: "ADVANCED",
            international: true,
            round: 2,
            attempt: 3,
            call_id: Some("ab".repeat(16)),
            not_before: Some(13),
            calls_month: vec![202_611, 202_612],
            calls_vendor_carrier: vec!["zhongtong".to_owned(), "yuantong".to_owned()],
            calls_accepted: vec![4, 1],
            calls_last_at: vec![14, 15],
            duplicate: true,
            first_push_at: Some(16),
            ended_word: Some("abort".to_owned()),
            ended_at: Some(17),
        };
        assert_eq!(row_of(record()), Ok(expected));
    }

    #[test]
    fn i8_a_telephone_number_among_the_vendors_words_is_masked() {
        let record = records::Subscription {
            code: Some("电话13812345678".to_owned()),
            ended_word: Some("快递员张三13812345678".to_owned()),
            ..record()
        };
        let row = row_of(record).unwrap();
        assert_eq!(row.code.as_deref(), Some("电话138******78"));
        assert_eq!(row.ended_word.as_deref(), Some("快递员***138******78"));
    }

    #[test]
    fn what_no_column_can_hold_is_refused() {
        let mut month = record();
        month.calls[0].month = -1;
        assert!(row_of(month).is_err());
        let since = records::Subscription {
            since: TimestampMicros(i64::MAX),
            ..record()
        };
        assert!(row_of(since).is_err());
    }
}
