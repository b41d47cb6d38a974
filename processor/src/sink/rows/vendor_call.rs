//! Rows of `vendor_call`: what the vendors were asked, and what they answered.

use clickhouse::Row;
use courierflow_domain::mask;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records;
use courierflow_schemas::registry::SchemaIds;
use serde::Serialize;

use super::{Table, Unrepresentable, count, hex, micros};
use crate::dead_letter::Coordinates;

pub(crate) enum VendorCall {}

#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub(crate) struct VendorCallRow {
    vendor: &'static str,
    account: String,
    started_at: i64,
    call_id: String,
    kind: &'static str,
    api: String,
    carrier: String,
    vendor_carrier: String,
    tracking_number: String,
    reason: &'static str,
    duration_ms: u32,
    http_status: Option<u16>,
    code: Option<String>,
    class: &'static str,
    message: Option<String>,
    month: u32,
    bytes: u32,
    items: Option<u32>,
    push_id: Option<String>,
}

impl Table for VendorCall {
    type Record = records::VendorCall;
    type Row = VendorCallRow;
    type Detail = ();
    const NAME: &'static str = "vendor_call";
    const HAS_TOMBSTONES: bool = false;

    fn schema_id(ids: &SchemaIds) -> u32 {
        ids.vendor_call
    }

    fn row(call: records::VendorCall, _: &Coordinates<'_>, _: &Carriers) -> Result<VendorCallRow, Unrepresentable> {
        // The record has no long number in its message; names are masked here, as those of texts are.
        let masked = |text: String| mask(&text, Some(&call.tracking_number)).into_owned();
        Ok(VendorCallRow {
            vendor: call.vendor.as_str(),
            started_at: micros("started_at", call.started_at)?,
            call_id: hex(call.call_id.0),
            kind: call.kind.as_str(),
            reason: call.reason.as_str(),
            duration_ms: count("duration_ms", call.duration_ms)?,
            http_status: call.http_status,
            code: call.code.map(masked),
            class: call.class.as_str(),
            message: call.message.map(masked),
            month: count("month", call.month)?,
            bytes: count("bytes", call.bytes)?,
            items: call.items.map(|items| count("items", items)).transpose()?,
            push_id: call.push_id.map(|id| hex(id.0)),
            account: call.account,
            api: call.api,
            carrier: call.carrier,
            vendor_carrier: call.vendor_carrier,
            tracking_number: call.tracking_number,
        })
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{CallClass, CallId, CallKind, CallReason, PushId, TimestampMicros, Vendor};

    use super::*;

    const ANYWHERE: Coordinates<'_> = Coordinates {
        topic: "courier.vendor.call.v1",
        partition: 0,
        offset: 0,
        timestamp: None,
    };

    fn record() -> records::VendorCall {
        records::VendorCall {
            call_id: CallId([0xab; 16]),
            kind: CallKind::Query,
            api: "kuaidi100_enterprise".to_owned(),
            vendor: Vendor::Kuaidi100,
            account: "demo".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            reason: CallReason::Audit,
            started_at: TimestampMicros(1_754_711_112_000_345),
            duration_ms: 120,
            http_status: Some(200),
            code: Some("200".to_owned()),
            class: CallClass::Done,
            message: Some("ok".to_owned()),
            month: 202_508,
            bytes: 4_321,
            items: Some(7),
            push_id: Some(PushId([0xcd; 16])),
        }
    }

    fn row_of(record: records::VendorCall) -> Result<VendorCallRow, Unrepresentable> {
        VendorCall::row(record, &ANYWHERE, Carriers::built_in())
    }

    fn row() -> VendorCallRow {
        VendorCallRow {
            vendor: "kuaidi100",
            account: "demo".to_owned(),
            started_at: 1_754_711_112_000_345,
            call_id: "ab".repeat(16),
            kind: "QUERY",
            api: "kuaidi100_enterprise".to_owned(),
            carrier: "yto".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            tracking_number: "YT0001".to_owned(),
            reason: "AUDIT",
            duration_ms: 120,
            http_status: Some(200),
            code: Some("200".to_owned()),
            class: "DONE",
            message: Some("ok".to_owned()),
            month: 202_508,
            bytes: 4_321,
            items: Some(7),
            push_id: Some("cd".repeat(16)),
        }
    }

    #[test]
    fn golden_row() {
        assert_eq!(row_of(record()), Ok(row()));
    }

    #[test]
    fn an_answer_that_did_not_come_has_no_columns() {
        let unanswered = records::VendorCall {
            http_status: None,
            code: None,
            class: CallClass::Unknown,
            message: None,
            bytes: 0,
            items: None,
            push_id: None,
            ..record()
        };
        let expected = VendorCallRow {
            http_status: None,
            code: None,
            class: "UNKNOWN",
            message: None,
            bytes: 0,
            items: None,
            push_id: None,
            ..row()
        };
        assert_eq!(row_of(unanswered), Ok(expected));
    }

    #[test]
    fn i8_a_telephone_number_among_the_vendors_words_is_masked() {
        let record = records::VendorCall {
            message: Some("电话13812345678".to_owned()),
            ..record()
        };
        assert_eq!(row_of(record).unwrap().message.as_deref(), Some("电话138******78"));
    }

    #[test]
    fn what_no_column_can_hold_is_refused() {
        for record in [
            records::VendorCall {
                duration_ms: -1,
                ..record()
            },
            records::VendorCall { month: -1, ..record() },
        ] {
            assert!(row_of(record).is_err());
        }
    }
}
