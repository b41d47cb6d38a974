//! What must hold for every input: no panic, determinism, independence of the vendor's order, and a difference of
//! transitions that always leads from the old set to the new one.

use courierflow_domain::{Memory, Outcome};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{
    EpochDay, Identity, Leg, Op, Origin, PushEvent, RecentPush, Segment, Shipment, ShipmentEvent, Status,
    TimestampMicros, TimestampMillis, TrackingState, Vendor,
};
use courierflow_vendors::reading::{Reading, push_facts, read};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::pushes::*;

// --- arbitrary JSON, biased towards what the readers look at ---

const KEYS: &[&str] = &[
    "status",
    "message",
    "comOld",
    "comNew",
    "lastResult",
    "destResult",
    "nu",
    "com",
    "state",
    "ischeck",
    "isLoop",
    "arrivalTime",
    "routeInfo",
    "from",
    "to",
    "number",
    "name",
    "data",
    "context",
    "ftime",
    "time",
    "statusCode",
    "areaCode",
    "areaName",
    "location",
    "LogisticCode",
    "ShipperCode",
    "Success",
    "Reason",
    "State",
    "StateEx",
    "EstimatedDeliveryTime",
    "Traces",
    "AcceptTime",
    "AcceptStation",
    "Location",
    "Action",
    "Timezone",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "polling",
    "shutdown",
    "abort",
    "updateall",
    "3",
    "14",
    "404",
    "1004",
    "999",
    "yuantong",
    "speedpost",
    "COLISSIMO",
    "yt1",
    "true",
    "false",
    "+02:00",
    "-23:59",
    "Z",
    "2025-06-01 08:00:00",
    "2025/6/2 8:00",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "2025-06-17 10",
    "2025-06-17",
    "310000000000",
    "CN440306025000",
    "已签收",
    "快递员：张三 13812345678",
    "取件码 1234",
    "分配给李四",
    "Delivered to: X",
    "60天无变化",
    "三天无轨迹",
    "{\"nu\":\"x\",\"data\":[{}]}",
    "\u{3000}",
    "é",
    "🚀",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(TEXTS).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => (0..20_i64).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..10).prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A payload that gets past the first checks, with anything inside.
fn nearly_a_push() -> impl Strategy<Value = (Vendor, Value)> {
    (
        any::<bool>(),
        json_value(),
        prop::collection::vec(json_value(), 0..6),
        scalar(),
        json_value(),
    )
        .prop_map(|(is_kuaidi100, lines, more_lines, state, dest)| {
            let lines = match lines {
                Value::Array(_) => lines,
                _ => Value::from(more_lines),
            };
            if is_kuaidi100 {
                let result = json!({"nu": "yt1", "com": "yuantong", "state": state, "data": lines});
                (
                    Vendor::Kuaidi100,
                    json!({"status": state, "lastResult": result, "destResult": dest}),
                )
            } else {
                (
                    Vendor::Kdniao,
                    json!({"LogisticCode": "yt1", "StateEx": state, "Reason": dest, "Traces": lines}),
                )
            }
        })
}

/// Times over 40 days, so that epochs open too; seldom impossible ones.
fn line_time() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => (1..=30_u32, 0..24_u32).prop_map(|(day, hour)| format!("2025-06-{day:02} {hour:02}:00:00")),
        4 => (1..=28_u32, 0..24_u32).prop_map(|(day, hour)| format!("2025/{}/{day} {hour}:00", 7 + day % 3)),
        1 => Just("0001-01-01 00:00:00".to_owned()),
    ]
}

fn line() -> impl Strategy<Value = Value> {
    let code = prop::sample::select(
        &[
            "", "0", "1", "101", "1002", "1001", "5", "501", "3", "301", "2", "204", "203", "14", "6", "4", "401",
            "1004", "x",
        ][..],
    );
    let text = prop::sample::select(&["您的快件已发车", "已签收", "正在派件", "快递员：张三", "无", "a  b"][..]);
    let area = prop::sample::select(&["", "440306025000", "CN430102016000", "CN310115000000"][..]);
    (line_time(), code, text, area).prop_map(|(time, code, text, area)| {
        let line = item(&time, code, text);
        if area.is_empty() {
            line
        } else {
            in_area(line, area, "名")
        }
    })
}

fn plausible_push() -> impl Strategy<Value = Kuaidi100> {
    let status = prop::sample::select(&["polling", "polling", "shutdown", "abort", "updateall"][..]);
    let dest = prop::option::weighted(0.3, prop::collection::vec(line(), 0..3));
    (
        prop::collection::vec(line(), 0..8),
        dest,
        status,
        any::<bool>(),
        0..60_i64,
    )
        .prop_map(|(lines, dest, status, ischeck, hours)| {
            let received = TimestampMicros(micros(RECEIVED).0 + hours * 3_600_000_000);
            let utc = jiff::Timestamp::from_microsecond(received.0).unwrap().to_string();
            kuaidi100(&lines)
                .set("status", status)
                .set("lastResult.ischeck", ischeck)
                .set(
                    "destResult",
                    dest.map_or(Value::Null, |data| json!({"com": "speedpost", "data": data})),
                )
                .received(&utc)
        })
}

fn arbitrary_event() -> impl Strategy<Value = ShipmentEvent> {
    let status = prop::sample::select(Status::ALL);
    let text = prop::option::of(prop::sample::select(&["REFUSED", "RETURN_SIGNED", "x", ""][..]));
    (
        (any::<i64>(), any::<i64>(), status, text),
        any::<(bool, bool, bool, bool, bool)>(),
    )
        .prop_map(
            |((id, occurred_at, status, text), (destination, back, is_exception, return_signed, future))| {
                ShipmentEvent {
                    id,
                    segment: if destination {
                        Segment::Destination
                    } else {
                        Segment::Origin
                    },
                    occurred_at: TimestampMillis(occurred_at),
                    local_time: String::new(),
                    status,
                    sub_status: text.map(str::to_owned),
                    leg: if back { Leg::Return } else { Leg::Forward },
                    raw_code: text.map(str::to_owned),
                    is_exception,
                    return_signed,
                    future,
                    area_code: text.map(str::to_owned),
                    location: None,
                    context: String::new(),
                    origin: Origin::Push,
                    area: None,
                }
            },
        )
}

/// A record that nobody derived.
fn arbitrary_shipment() -> impl Strategy<Value = Shipment> {
    let pushes = prop::collection::vec((any::<i64>(), any::<i64>()), 0..12);
    let state = prop::sample::select(TrackingState::ALL);
    let events = prop::collection::vec(arbitrary_event(), 0..6);
    (
        (any::<i64>(), any::<i64>(), any::<i32>()),
        prop::option::of(any::<i64>()),
        pushes,
        state,
        events,
    )
        .prop_map(
            |((version, received_at, epoch), push_time, pushes, tracking_state, events)| Shipment {
                epoch: EpochDay(epoch),
                version,
                first_received_at: TimestampMicros(received_at),
                received_at: TimestampMicros(received_at),
                push_time: push_time.map(TimestampMillis),
                tracking_state,
                edd_first: push_time.map(TimestampMillis),
                is_verified: version % 2 == 0,
                is_provisional: version % 3 == 0,
                is_ended: version % 5 == 0,
                events,
                recent_pushes: pushes
                    .into_iter()
                    .map(|(content_hash, at)| RecentPush {
                        content_hash,
                        received_at: TimestampMicros(at),
                    })
                    .collect(),
                ..Shipment::bare(Identity::of(Vendor::Kuaidi100, "yto", "YT1"))
            },
        )
}

fn derive_from(previous: Option<&Shipment>, event: &PushEvent) -> Option<Outcome> {
    let _ = push_facts(event, Carriers::built_in());
    match read(event, Carriers::built_in()).ok()? {
        Reading::Snapshot(snapshot) => Some(derive(previous, &snapshot, OPTIONS)),
        Reading::Nothing(_) => None,
    }
}

/// Distinct lines at distinct times.
fn distinct_lines() -> impl Strategy<Value = Vec<Value>> {
    let codes = prop::collection::vec(
        prop::sample::select(&["0", "1", "5", "3", "204", "6", "4", "401", ""][..]),
        1..12,
    );
    codes.prop_map(|codes| {
        codes
            .iter()
            .enumerate()
            .map(|(hour, code)| item(&hour_text(hour), code, &format!("已签收{hour}")))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_panic_on_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), kdniao in any::<bool>()) {
        let vendor = if kdniao { Vendor::Kdniao } else { Vendor::Kuaidi100 };
        let _ = derive_from(None, &event(vendor, String::from_utf8_lossy(&bytes).into_owned()));
    }

    #[test]
    fn no_panic_on_arbitrary_json(value in json_value(), kdniao in any::<bool>()) {
        let vendor = if kdniao { Vendor::Kdniao } else { Vendor::Kuaidi100 };
        let _ = derive_from(None, &event(vendor, value.to_string()));
    }

    #[test]
    fn no_panic_on_anything_inside_a_push_nor_on_any_previous_state(
        (vendor, payload) in nearly_a_push(),
        previous in arbitrary_shipment(),
        received_at in any::<i64>(),
        push_time in prop::option::of(prop::sample::select(TEXTS)),
    ) {
        let event = PushEvent {
            received_at: TimestampMicros(received_at),
            push_time: push_time.map(str::to_owned),
            ..event(vendor, payload.to_string())
        };
        let first = derive_from(None, &event);
        prop_assert!(first.is_some() || payload["status"] == "abort");
        prop_assert_eq!(&first, &derive_from(None, &event));
        let _ = derive_from(Some(&previous), &event);
    }

    #[test]
    fn any_order_of_distinct_lines_gives_the_same_events(
        (lines, shuffled) in distinct_lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()))
    ) {
        let sorted = derived(&kuaidi100(&lines).event());
        let mut other = derived(&kuaidi100(&shuffled).event());
        // The order is content: a vendor that changes it has pushed something new.
        other.shipment.recent_pushes.clone_from(&sorted.shipment.recent_pushes);
        other.memory = Memory::of(&other.shipment);
        prop_assert_eq!(sorted, other);
    }

    #[test]
    fn the_same_push_again_changes_nothing(push in plausible_push(), hours in 0..2_000_i64) {
        let mut stream = Stream::default();
        let first = stream.accept(&push.event());
        // A line whose time comes meanwhile is news (rule 5.2e).
        prop_assume!(!has_flag(&first.shipment, "future_time"));
        let before = stream.clone();
        let mut again = push.event();
        again.received_at.0 += hours * 3_600_000_000;
        prop_assert_eq!(stream.push(&again), Step::Duplicate);
        prop_assert_eq!(stream, before);
    }

    #[test]
    fn deriving_a_stream_twice_gives_the_same(pushes in prop::collection::vec(plausible_push(), 1..8)) {
        let run = || {
            let mut stream = Stream::default();
            pushes.iter().map(|push| stream.push(&push.event())).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn differences_lead_to_what_the_events_say(pushes in prop::collection::vec(plausible_push(), 1..8)) {
        let mut stream = Stream::default();
        for push in &pushes {
            let Step::Accepted(derived) = stream.push(&push.event()) else { continue };
            let shipment = &derived.shipment;
            // Everything observed from nothing: the same events, told to someone who knows none.
            let nobody = Shipment { events: Vec::new(), recent_pushes: Vec::new(), ..shipment.clone() };
            let whole_push = push.clone().set("status", "updateall").event();
            let Some(Outcome::Accepted(whole)) = derive_from(Some(&nobody), &whole_push) else { continue };
            if whole.shipment.events != shipment.events {
                continue;
            }
            let live: Vec<_> = stream
                .transitions
                .values()
                .filter(|transition| transition.epoch == shipment.epoch)
                .map(content)
                .collect();
            let mut expected: Vec<_> = whole.transitions.iter().map(content).collect();
            let mut live = live;
            live.sort();
            expected.sort();
            prop_assert_eq!(live, expected);
            // Retractions first, each kind in order of time.
            let order: Vec<_> = derived
                .transitions
                .iter()
                .map(|transition| (transition.op == Op::Observed, transition.occurred_at))
                .collect();
            prop_assert!(order.is_sorted());
            prop_assert!(derived.transitions.iter().all(|transition| transition.version == shipment.version));
        }
    }

    #[test]
    fn records_survive_their_own_format(push in plausible_push()) {
        let shipment = shipment(&push.event());
        let text = serde_json::to_string(&shipment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Shipment>(&text).unwrap(), shipment);
    }
}

/// What a transition says, without when it was learnt.
fn content(transition: &courierflow_schemas::records::Transition) -> String {
    let mut content = serde_json::to_value(transition).unwrap();
    for key in ["version", "received_at", "account", "first_received_at"] {
        content.as_object_mut().unwrap().remove(key);
    }
    content.to_string()
}
