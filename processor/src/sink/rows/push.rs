//! Rows of `push`: the log of what the vendors sent (rule 14.4).

use clickhouse::Row;
use courierflow_domain::{is_future, mask};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::PushEvent;
use courierflow_schemas::registry::SchemaIds;
use serde::Serialize;

use super::route_node::{RouteNodeRow, route_nodes};
use super::{Details, Table, Unrepresentable, hex, micros, millis_if_known};
use crate::dead_letter::Coordinates;
use courierflow_vendors::reading::{push_facts, push_time, reference};
use courierflow_vendors::route::route;

pub(crate) enum Push {}

#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub(crate) struct PushRow {
    pub(super) vendor: &'static str,
    pub(super) account: String,
    pub(super) received_at: i64,
    push_id: String,
    part: u16,
    parts: u16,
    pub(super) carrier: String,
    pub(super) tracking_number: String,
    signature: &'static str,
    tracking_status: String,
    items: u16,
    bytes: u32,
    origin: &'static str,
    query_reason: Option<String>,
    reference: Option<String>,
    push_time: Option<i64>,
    vendor_total_hours: Option<u16>,
    topic: String,
    partition: i32,
    offset: i64,
}

impl Table for Push {
    type Record = PushEvent;
    type Row = PushRow;
    type Detail = RouteNodeRow;
    const NAME: &'static str = "push";
    const DETAILS: Option<&'static str> = Some("route_node");
    const HAS_TOMBSTONES: bool = false;

    fn schema_id(ids: &SchemaIds) -> u32 {
        ids.push
    }

    fn row(event: PushEvent, found_at: &Coordinates<'_>, carriers: &Carriers) -> Result<PushRow, Unrepresentable> {
        let facts = push_facts(&event, carriers);
        let carrier = facts.carrier.into_owned();
        // The vendor may put any text here, so it is masked.
        let tracking_status = mask(&facts.tracking_status, Some(&event.tracking_number)).into_owned();
        let items = facts.items;
        let vendor_total_hours = facts.total_hours;
        let reference = reference(&event).map(str::to_owned);
        let push_time = push_time(&event).filter(|time| !is_future(*time, event.received_at));
        let push_time = millis_if_known("push_time", push_time)?;
        Ok(PushRow {
            vendor: event.vendor.as_str(),
            received_at: micros("received_at", event.received_at)?,
            push_id: hex(event.push_id.0),
            part: event.part,
            parts: event.parts,
            carrier,
            signature: event.signature.as_str(),
            tracking_status,
            items,
            // A record is at most a few MiB.
            bytes: u32::try_from(event.payload.len()).unwrap_or(u32::MAX),
            origin: event.origin.as_str(),
            query_reason: event.query_reason,
            reference,
            push_time,
            vendor_total_hours,
            topic: found_at.topic.to_owned(),
            partition: found_at.partition,
            offset: found_at.offset,
            account: event.account,
            tracking_number: event.tracking_number,
        })
    }

    fn row_with_details(
        event: PushEvent,
        found_at: &Coordinates<'_>,
        carriers: &Carriers,
    ) -> Result<(PushRow, Details<RouteNodeRow>), Unrepresentable> {
        let route = route(&event);
        let row = Self::row(event, found_at, carriers)?;
        let nodes = route.map_or_else(Details::default, |route| route_nodes(route, &row));
        Ok((row, nodes))
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{Origin, PushId, Signature, TimestampMicros, Vendor};

    use super::*;

    const FOUND_AT: Coordinates<'_> = Coordinates {
        topic: "courier.push.v1",
        partition: 5,
        offset: 77,
        timestamp: None,
    };

    fn event() -> PushEvent {
        PushEvent {
            push_id: PushId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0xfe, 0xff]),
            part: 1,
            parts: 3,
            vendor: Vendor::Kdniao,
            account: "demo".to_owned(),
            received_at: TimestampMicros(1_754_711_112_000_345),
            signature: Signature::Verified,
            vendor_carrier: "YTO".to_owned(),
            tracking_number: "YT0001".to_owned(),
            request_type: Some("102".to_owned()),
            query: String::new(),
            content_type: "application/x-www-form-urlencoded".to_owned(),
            push_time: Some("2025-08-09 11:45:05".to_owned()),
            business_id: None,
            payload:
                r#"{"ShipperCode":"YTO","LogisticCode":"YT0001","Success":true,"Traces":[{"AcceptStation":"已揽收"}]}"#
                    .to_owned(),
            origin: Origin::Push,
            query_reason: None,
            reference: Some("SO-17".to_owned()),
        }
    }

    #[test]
    fn rule_13_1_a_tracking_status_that_tells_of_a_person_is_masked() {
        let event = PushEvent {
            vendor: Vendor::Kuaidi100,
            payload: r#"{"status":"快递员张三13812345678"}"#.to_owned(),
            ..event()
        };
        let status = Push::row(event, &FOUND_AT, Carriers::built_in()).map(|row| row.tracking_status);
        assert_eq!(status, Ok("快递员***138******78".to_owned()));
    }

    #[test]
    fn golden_row() {
        let expected = PushRow {
            vendor: "kdniao",
            account: "demo".to_owned(),
            received_at: 1_754_711_112_000_345,
            push_id: "000102030405060708090a0b0c0dfeff".to_owned(),
            part: 1,
            parts: 3,
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            signature: "VERIFIED",
            tracking_status: String::new(),
            items: 1,
            bytes: 101,
            origin: "PUSH",
            query_reason: None,
            reference: Some("SO-17".to_owned()),
            push_time: Some(1_754_711_105_000),
            vendor_total_hours: None,
            topic: "courier.push.v1".to_owned(),
            partition: 5,
            offset: 77,
        };
        assert_eq!(Push::row(event(), &FOUND_AT, Carriers::built_in()), Ok(expected));
    }

    #[test]
    fn the_answer_to_a_query_says_so() {
        let answer = PushEvent {
            origin: Origin::Query,
            query_reason: Some("AUDIT".to_owned()),
            ..event()
        };
        let row = Push::row(answer, &FOUND_AT, Carriers::built_in()).unwrap();
        assert_eq!((row.origin, row.query_reason.as_deref()), ("QUERY", Some("AUDIT")));
    }
}
