//! `predictedRoute`: where the parcel was and where it is expected; `totalTime`: how long such a way takes on average.
//!
//! The document has one pair of times for a node, whatever its state: of a node that was passed they are those of the history, of the others
//! predictions. They have no zone and are China's, as the lines of the history are.

use courierflow_schemas::records::{Origin, TimestampMillis};

use super::payload::StatusWord;
use crate::parse::event_time::Zone;
use crate::parse::lenient_json::{Object, Objects, Text, lenient_object, parse_object};
use crate::parse::time_grammar::parse_time;
use crate::route::{MAX_NAME_CHARS, MAX_NODES, Node, NodeKind, NodeState, Route};

pub(super) const MEMBERS: &[&str] = &["predictedRoute"];

lenient_object! {
    Payload {
        "status" => status: Text<'a>,
        "comNew" => com_new: Text<'a>,
        "lastResult" => last_result: Object<RoutedResult<'a>>,
    }
}

lenient_object! {
    RoutedResult {
        "predictedRoute" => predicted_route: Objects<RouteNode<'a>>,
    }
}

lenient_object! {
    RouteNode {
        "arriveTime" => arrive_time: Text<'a>,
        "leaveTime" => leave_time: Text<'a>,
        "province" => province: Text<'a>,
        "city" => city: Text<'a>,
        "name" => name: Text<'a>,
        "state" => state: Text<'a>,
        "type" => kind: Text<'a>,
    }
}

pub(super) fn read(origin: Origin, payload: &str) -> Option<Route> {
    let result: RoutedResult<'_> = match origin {
        Origin::Query => parse_object(payload).ok()?,
        Origin::Push => {
            let payload: Payload<'_> = parse_object(payload).ok()?;
            // What an abort says that corrects the carrier is about the wrong one (rule 11.2).
            let is_abort = StatusWord::of(payload.status.trimmed().as_deref()) == StatusWord::Abort;
            if is_abort && payload.com_new.code().is_some() {
                return None;
            }
            payload.last_result.0?
        }
    };
    let told = result.predicted_route.0;
    let count = told.len();
    let nodes: Vec<Node> = (1..)
        .zip(told.into_iter().take(MAX_NODES))
        .filter_map(|(position, told)| node(position, told))
        .collect();
    Some(Route {
        left_out: count.saturating_sub(nodes.len()),
        nodes,
    })
}

/// `None` if it says neither what is meant nor what is known of it.
fn node(position: u16, told: RouteNode<'_>) -> Option<Node> {
    let state = told.state.trimmed()?;
    let state = match &*state {
        "已经过节点" => NodeState::Passed,
        "当前停留节点" => NodeState::Current,
        // The document writes 途径, others write 途经.
        "预估途径节点" | "预估途经节点" => NodeState::Expected,
        _ => return None,
    };
    Some(Node {
        position,
        name: name(told.name)?,
        province: name(told.province),
        city: name(told.city),
        kind: match told.kind.trimmed().as_deref() {
            Some("转运中心") => NodeKind::Hub,
            Some("网点") => NodeKind::Depot,
            _ => NodeKind::Unknown,
        },
        state,
        arrival: time(&told.arrive_time),
        departure: time(&told.leave_time),
    })
}

fn name(text: Text<'_>) -> Option<String> {
    let text = text.trimmed()?;
    (text.chars().count() <= MAX_NAME_CHARS).then(|| text.into_owned())
}

fn time(text: &Text<'_>) -> Option<TimestampMillis> {
    Some(Zone::CHINA.place(parse_time(text.as_str()?)?)?.occurred_at)
}

/// `totalTime`: `1天 13小时`, blanks as one likes, either part alone.
pub(super) fn hours(text: &str) -> Option<u16> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (days, rest) = match text.split_once('天') {
        Some((days, rest)) => (number(days)?, rest),
        None => (0, text.as_str()),
    };
    let hours = match rest {
        "" if text.contains('天') => 0,
        rest => number(rest.strip_suffix("小时")?)?,
    };
    days.checked_mul(24)?.checked_add(hours)
}

/// Digits alone: `parse` would take a sign.
fn number(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::route::route;

    /// The examples of the documents, as they are served.
    const MARKETPLACE: &str = include_str!("../../../../ingest/tests/samples/kuaidi100-marketplace.json");
    const MAP_TRACK: &str = include_str!("../../../../ingest/tests/samples/kuaidi100-map-track.json");

    fn event(payload: &str) -> PushEvent {
        PushEvent {
            push_id: PushId([0; 16]),
            part: 0,
            parts: 1,
            vendor: Vendor::Kuaidi100,
            account: "demo".to_owned(),
            received_at: TimestampMicros(0),
            signature: Signature::Verified,
            vendor_carrier: "zhongtong".to_owned(),
            tracking_number: "735587678765".to_owned(),
            request_type: None,
            query: String::new(),
            content_type: "application/json".to_owned(),
            push_time: None,
            business_id: None,
            payload: payload.to_owned(),
            origin: Origin::Push,
            query_reason: None,
            reference: None,
        }
    }

    fn of_nodes(nodes: &Value) -> Route {
        let payload = json!({"status": "polling", "lastResult": {"nu": "1", "com": "zto", "predictedRoute": nodes}});
        route(&event(&payload.to_string())).unwrap()
    }

    fn china(time: &str) -> TimestampMillis {
        let time: jiff::civil::DateTime = time.parse().unwrap();
        TimestampMillis(time.in_tz("Asia/Shanghai").unwrap().timestamp().as_millisecond())
    }

    #[test]
    fn the_documents_own_example() {
        let route = route(&event(MARKETPLACE)).unwrap();
        assert_eq!(route.left_out, 0);
        let names: Vec<&str> = route.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["东莞长安", "虎门转运中心", "长沙转运中心", "长沙东岸"]);
        let states: Vec<&str> = route.nodes.iter().map(|node| node.state.as_str()).collect();
        assert_eq!(states, ["PASSED", "PASSED", "EXPECTED", "EXPECTED"]);
        let expected = Node {
            position: 2,
            name: "虎门转运中心".to_owned(),
            province: Some("广东".to_owned()),
            city: Some("东莞市".to_owned()),
            kind: NodeKind::Hub,
            state: NodeState::Passed,
            arrival: Some(china("2025-06-16T06:45:58")),
            departure: Some(china("2025-06-16T07:34:28")),
        };
        assert_eq!(route.nodes[1], expected);
        assert_eq!(route.nodes[3].kind, NodeKind::Depot);
    }

    #[test]
    fn the_example_of_the_map() {
        let route = route(&event(MAP_TRACK)).unwrap();
        assert_eq!((route.left_out, route.nodes.len()), (0, 5));
        assert_eq!(route.nodes[2].arrival, Some(china("2025-06-19T01:55:33")));
    }

    #[test]
    fn an_answer_to_a_query_is_the_result_itself() {
        let result = serde_json::from_str::<Value>(MARKETPLACE).unwrap()["lastResult"].to_string();
        let answer = PushEvent {
            origin: Origin::Query,
            ..event(&result)
        };
        assert_eq!(route(&answer), route(&event(MARKETPLACE)));
    }

    #[test]
    fn what_is_not_there() {
        let none = |payload: Value| route(&event(&payload.to_string()));
        assert_eq!(none(json!({"lastResult": {"nu": "1"}})), None);
        assert_eq!(none(json!({"predictedRoute": []})), None, "no result");
        assert_eq!(
            none(json!({"lastResult": {"predictedRoute": null}})),
            Some(Route::default())
        );
        assert_eq!(
            none(json!({"lastResult": {"predictedRoute": "x"}})),
            Some(Route::default())
        );
        assert_eq!(route(&event("predictedRoute")), None, "no JSON");
        let correction = json!({"status": "abort", "comNew": "zto", "lastResult": {"predictedRoute": []}});
        assert_eq!(none(correction), None, "of the wrong carrier");
        let other = PushEvent {
            vendor: Vendor::Kdniao,
            ..event(MARKETPLACE)
        };
        assert_eq!(route(&other), None, "another vendor");
    }

    #[test]
    fn strange_nodes() {
        let good = json!({"arriveTime": "2025/6/16 6:45", "leaveTime": null, "name": " 虎门 ", "state": "当前停留节点", "type": 7});
        let route = of_nodes(&json!([
            good,
            {"name": "a", "state": "预估途径节点", "arriveTime": 1_750_000_000, "leaveTime": "soon", "province": 5, "city": ["x"]},
            {"name": "b", "state": "在哪里"},
            {"name": "", "state": "已经过节点"},
            {"state": "已经过节点"},
            {"name": "长".repeat(101), "state": "已经过节点"},
            {"name": 4711, "state": "预估途经节点", "arriveTime": "2025-06-18 10:00:00", "leaveTime": "2025-06-17 10:00:00"},
            3, null, "x",
        ]));
        let told: Vec<_> = route
            .nodes
            .iter()
            .map(|node| (node.position, node.name.as_str()))
            .collect();
        assert_eq!(told, [(1, "虎门"), (2, "a"), (7, "4711")]);
        assert_eq!(route.left_out, 4, "what is no object is no node");
        assert_eq!(
            (route.nodes[0].arrival, route.nodes[0].departure),
            (Some(china("2025-06-16T06:45:00")), None)
        );
        assert_eq!(route.nodes[0].kind, NodeKind::Unknown);
        assert_eq!(route.nodes[1].arrival, Some(TimestampMillis(1_750_000_000_000)));
        assert_eq!(
            (route.nodes[1].province.as_deref(), route.nodes[1].city.as_deref()),
            (Some("5"), None)
        );
        assert!(route.nodes[2].departure < route.nodes[2].arrival, "as told");

        let one = of_nodes(&good);
        assert_eq!(one.nodes.len(), 1, "one object stands for a list");
        assert_eq!(
            of_nodes(&json!({"1": good, "0": {"name": "first", "state": "已经过节点"}})).nodes[0].name,
            "first"
        );
    }

    #[test]
    fn ten_thousand_nodes() {
        let node = json!({"name": "虎门转运中心", "state": "预估途径节点"});
        let route = of_nodes(&Value::Array(vec![node; 10_000]));
        assert_eq!((route.nodes.len(), route.left_out), (MAX_NODES, 10_000 - MAX_NODES));
    }

    #[test]
    fn a_result_as_text_is_opened() {
        let result = json!({"predictedRoute": [{"name": "虎门", "state": "已经过节点"}]}).to_string();
        let payload = json!({"lastResult": result}).to_string();
        assert_eq!(route(&event(&payload)).unwrap().nodes.len(), 1);
    }

    #[test]
    fn hours_of_the_whole_way() {
        for (text, expected) in [
            ("1天 13小时", Some(37)),
            ("1 天 19 小时", Some(43)),
            ("0天0小时", Some(0)),
            ("3天", Some(72)),
            ("5 小时", Some(5)),
            ("2730天15小时", Some(65_535)),
            ("2730天16小时", None),
            ("99999天", None),
            ("", None),
            ("天", None),
            ("小时", None),
            ("-1天", None),
            ("+1天", None),
            ("1.5天", None),
            ("1天2小时3分钟", None),
            ("两天", None),
            ("37", None),
        ] {
            assert_eq!(hours(text), expected, "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            Just(json!("已经过节点")),
            Just(json!("预估途径节点")),
            Just(json!("2025-06-16 06:45:58")),
        ];
        let key = prop_oneof![
            Just("name"),
            Just("state"),
            Just("arriveTime"),
            Just("leaveTime"),
            Just("type"),
            Just("province"),
            Just("predictedRoute"),
            Just("totalTime"),
            Just("lastResult"),
            Just("0"),
        ];
        leaf.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..8).prop_map(|members| members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()),
            ]
        })
    }

    proptest! {
        /// Whatever is there, it is a bounded route or none.
        #[test]
        fn never_more_than_a_route(told in value(), text in ".{0,200}") {
            let wrapped = json!({"lastResult": {"predictedRoute": told, "totalTime": text}}).to_string();
            for payload in [wrapped, told.to_string(), format!("predictedRoute{text}")] {
                for origin in [Origin::Push, Origin::Query] {
                    let event = PushEvent { origin, ..event(&payload) };
                    let Some(route) = route(&event) else { continue };
                    prop_assert!(route.nodes.len() <= MAX_NODES);
                    for node in route.nodes {
                        prop_assert!((1..=MAX_NODES).contains(&usize::from(node.position)));
                        prop_assert!((1..=MAX_NAME_CHARS).contains(&node.name.chars().count()));
                    }
                }
            }
        }
    }
}
