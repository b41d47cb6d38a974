//! Rows of `route_node`: the way from hub to hub that pushes tell and predict.
//!
//! A row depends on one push alone, but what was planned first and what became of it are told by different pushes. So a node has up to two
//! rows, and each replaces its own kind: of `FIRST`, the first prediction, the older one stays; of `LAST`, what was told last, the newer one.
//! Hence the same rows stay in whatever order pushes are read, and however often.

use std::collections::HashMap;

use clickhouse::Row;
use courierflow_domain::{is_future, mask};
use courierflow_schemas::records::{TimestampMicros, TimestampMillis};
use courierflow_vendors::route::{Node, NodeState, Route};
use serde::Serialize;

use super::Details;
use super::push::PushRow;

#[derive(Clone, Debug, PartialEq, Row, Serialize)]
pub(crate) struct RouteNodeRow {
    vendor: &'static str,
    account: String,
    carrier: String,
    tracking_number: String,
    name: String,
    visit: u8,
    telling: &'static str,
    version: u64,
    received_at: i64,
    position: u16,
    province: String,
    city: String,
    kind: &'static str,
    state: &'static str,
    planned_arrival_at: Option<u32>,
    planned_departure_at: Option<u32>,
    arrived_at: Option<u32>,
    departed_at: Option<u32>,
}

/// The rows of a route that came with this push.
pub(super) fn route_nodes(route: Route, push: &PushRow) -> Details<RouteNodeRow> {
    let mut visits: HashMap<String, u8> = HashMap::new();
    let mut rows = Vec::new();
    for node in route.nodes {
        let name = masked(&node.name, push);
        // A way may lead through a hub twice. The reader's limit of nodes is below what a byte holds.
        let visit = visits.entry(name.clone()).or_default();
        *visit = visit.saturating_add(1);
        let last = row(&node, name, *visit, push);
        if node.state == NodeState::Expected {
            let first = RouteNodeRow {
                telling: "FIRST",
                version: u64::MAX - last.version,
                ..last.clone()
            };
            rows.push(first);
        }
        rows.push(last);
    }
    Details {
        rows,
        left_out: route.left_out,
    }
}

fn row(node: &Node, name: String, visit: u8, push: &PushRow) -> RouteNodeRow {
    let is_reached = node.state != NodeState::Expected;
    let is_passed = node.state == NodeState::Passed;
    // What has happened cannot lie in the future: such a time is not known.
    let fact = |time: Option<TimestampMillis>| {
        seconds(time.filter(|time| !is_future(*time, TimestampMicros(push.received_at))))
    };
    let place = |text: &Option<String>| text.as_deref().map_or_else(String::new, |text| masked(text, push));
    RouteNodeRow {
        vendor: push.vendor,
        account: push.account.clone(),
        carrier: push.carrier.clone(),
        tracking_number: push.tracking_number.clone(),
        name,
        visit,
        telling: "LAST",
        version: u64::try_from(push.received_at).unwrap_or(0),
        received_at: push.received_at,
        position: node.position,
        province: place(&node.province),
        city: place(&node.city),
        kind: node.kind.as_str(),
        state: node.state.as_str(),
        planned_arrival_at: if is_reached { None } else { seconds(node.arrival) },
        planned_departure_at: if is_passed { None } else { seconds(node.departure) },
        arrived_at: if is_reached { fact(node.arrival) } else { None },
        departed_at: if is_passed { fact(node.departure) } else { None },
    }
}

/// The vendor may put any text here.
fn masked(text: &str, push: &PushRow) -> String {
    mask(text, Some(&push.tracking_number)).into_owned()
}

/// Unlike the columns of the records, a time that its column cannot represent is left out: a prediction is no reason to refuse a push.
fn seconds(time: Option<TimestampMillis>) -> Option<u32> {
    u32::try_from(time?.0.div_euclid(1_000)).ok()
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::carriers::Carriers;
    use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, Vendor};

    use super::*;
    use crate::dead_letter::Coordinates;
    use crate::sink::rows::{Push, Table};

    const RECEIVED_AT: i64 = 1_750_000_000;

    fn rows(nodes: &str) -> Details<RouteNodeRow> {
        let event = PushEvent {
            push_id: PushId([0; 16]),
            part: 0,
            parts: 1,
            vendor: Vendor::Kuaidi100,
            account: "demo".to_owned(),
            received_at: TimestampMicros(RECEIVED_AT * 1_000_000 + 7),
            signature: Signature::Verified,
            vendor_carrier: "yuantong".to_owned(),
            tracking_number: "YT0001".to_owned(),
            request_type: None,
            query: String::new(),
            content_type: "application/json".to_owned(),
            push_time: None,
            business_id: None,
            payload: format!(
                r#"{{"status":"polling","lastResult":{{"nu":"YT0001","com":"yuantong","predictedRoute":{nodes}}}}}"#
            ),
            origin: Origin::Push,
            query_reason: None,
            reference: None,
        };
        let nowhere = Coordinates {
            topic: "t",
            partition: 0,
            offset: 0,
            timestamp: None,
        };
        Push::row_with_details(event, &nowhere, Carriers::built_in()).unwrap().1
    }

    #[test]
    fn only_what_is_expected_is_told_first() {
        let told = rows(
            r#"[{"name":"a","state":"已经过节点","arriveTime":1749990000,"leaveTime":1749990060},
                {"name":"b","state":"当前停留节点","arriveTime":1749999000,"leaveTime":1750003600},
                {"name":"b","state":"预估途径节点","arriveTime":1750007200,"leaveTime":1750010800},
                {"name":"b"}]"#,
        );
        assert_eq!(told.left_out, 1);
        let brief: Vec<_> = told
            .rows
            .iter()
            .map(|row| {
                let planned = (row.planned_arrival_at, row.planned_departure_at);
                (
                    row.name.as_str(),
                    row.visit,
                    row.telling,
                    planned,
                    (row.arrived_at, row.departed_at),
                )
            })
            .collect();
        let later = (Some(1_750_007_200), Some(1_750_010_800));
        let expected = [
            ("a", 1, "LAST", (None, None), (Some(1_749_990_000), Some(1_749_990_060))),
            ("b", 1, "LAST", (None, Some(1_750_003_600)), (Some(1_749_999_000), None)),
            ("b", 2, "FIRST", later, (None, None)),
            ("b", 2, "LAST", later, (None, None)),
        ];
        assert_eq!(brief, expected);
        assert_eq!(told.rows[0].carrier, "yto");
        assert_eq!(told.rows[3].version, 1_750_000_000_000_007);
        assert_eq!(told.rows[2].version, u64::MAX - 1_750_000_000_000_007);
    }

    #[test]
    fn what_has_happened_does_not_lie_in_the_future() {
        // Ten minutes are borne, as everywhere.
        for (seconds, expected) in [(600, Some(1_750_000_600)), (601, None)] {
            let at = RECEIVED_AT + seconds;
            let node = format!(r#"[{{"name":"a","state":"已经过节点","arriveTime":{at},"leaveTime":{at}}}]"#);
            let row = &rows(&node).rows[0];
            assert_eq!((row.arrived_at, row.departed_at), (expected, expected), "{seconds}");
        }
    }

    #[test]
    fn a_push_without_a_route_has_no_details() {
        assert_eq!(rows("null"), Details::default());
        assert_eq!(rows("[]"), Details::default());
    }
}
