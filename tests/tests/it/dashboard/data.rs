//! Parcels whose figures can be worked out by hand. Picked up at noon, China time, twenty days ago:
//!
//! | carrier | vendor | lane | parcels |
//! |---|---|---|---|
//! | sf | kuaidi100 | Guangdong to Shanghai | 40, all delivered after 20 h, on the day announced |
//! | zto | kuaidi100 | Guangdong to Shanghai | 30 with a failed attempt (204) after 47 h, delivered after 50 h; 10 of which nothing was heard since hour 10 |
//! | jt | kdniao | Zhejiang to Guangdong | 20 delivered after 30 h; 12 refused (404) after 40 h and back after 90 h; 8 whose delivery failed (405) after 26 h |
//!
//! picked up 40 hours ago, so that the promise of 24 h can be judged and that of 72 h cannot:
//!
//! | carrier | vendor | lane | parcels |
//! |---|---|---|---|
//! | yto | kuaidi100 | within Shanghai | 40, all delivered after 20 h |
//! | yto | kuaidi100 | Shanghai to Guangdong | 40, all delivered after 35 h |
//!
//! picked up 65 days ago, so that they are counted once a day:
//!
//! | carrier | vendor | lane | parcels |
//! |---|---|---|---|
//! | sto | kuaidi100 | Guangdong to Shanghai | 6, all delivered after 20 h; 4 with a failed attempt (204) after 47 h, delivered after 50 h |
//!
//! and one of an unknown carrier, with quotes in its number, picked up three hours ago.

use std::sync::LazyLock;

use courierflow_tests::stack::Stack;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use crate::harness::tables;
use crate::metrics::change;

const CHINA: &str = "Asia/Shanghai";

/// A parcel as it is stored.
pub(crate) const ODD_NUMBER: &str = "O'BRIEN\"1\\";

/// Pickup day of the old parcels; it stays the same if midnight passes during the tests.
pub(crate) fn pickup_day() -> Date {
    static DAY: LazyLock<Date> = LazyLock::new(|| today().checked_sub(20.days()).unwrap());
    *DAY
}

pub(crate) fn today() -> Date {
    Timestamp::now().in_tz(CHINA).unwrap().date()
}

pub(super) fn noon(day: Date) -> i64 {
    day.at(12, 0, 0, 0).in_tz(CHINA).unwrap().timestamp().as_second()
}

/// Hours since the pickup, status, sub-status, the vendor's code.
type Step = (i64, &'static str, &'static str, &'static str);

struct Kind {
    carrier: &'static str,
    vendor: &'static str,
    origin: &'static str,
    dest: &'static str,
    count: usize,
    steps: &'static [Step],
    /// Column and hours since the pickup.
    milestones: &'static [(&'static str, i64)],
    attempts: u8,
    exceptions: &'static [(&'static str, &'static str)],
}

/// No push told of this code: the answer to a query did.
const UNTOLD: &str = "405";

fn told_by(step: &Step) -> &'static str {
    if step.3 == UNTOLD { "QUERY" } else { "PUSH" }
}

const PICKED_UP: Step = (0, "PICKED_UP", "PICKED_UP", "103");

const KINDS: &[Kind] = &[
    Kind {
        carrier: "sf",
        vendor: "kuaidi100",
        origin: "CN440305000000",
        dest: "CN310115000000",
        count: 40,
        steps: &[
            PICKED_UP,
            (6, "IN_TRANSIT", "LINEHAUL", "1002"),
            (18, "OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY", "5"),
            (20, "DELIVERED", "RECIPIENT", "301"),
        ],
        milestones: &[
            ("out_for_delivery_at", 18),
            ("first_attempt_at", 20),
            ("delivered_at", 20),
            ("edd_first", 30),
        ],
        attempts: 1,
        exceptions: &[],
    },
    Kind {
        carrier: "zto",
        vendor: "kuaidi100",
        origin: "CN440106000000",
        dest: "CN310106000000",
        count: 30,
        steps: &[
            PICKED_UP,
            (46, "OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY", "5"),
            (47, "EXCEPTION", "DELIVERY_FAILED", "204"),
            (49, "OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY", "5"),
            (50, "DELIVERED", "AFTER_EXCEPTION", "302"),
        ],
        milestones: &[
            ("out_for_delivery_at", 46),
            ("first_attempt_at", 47),
            ("available_at", 49),
            ("delivered_at", 50),
        ],
        attempts: 2,
        exceptions: &[("204", "DELIVERY_FAILED")],
    },
    Kind {
        carrier: "zto",
        vendor: "kuaidi100",
        origin: "CN440106000000",
        dest: "CN310106000000",
        count: 10,
        steps: &[PICKED_UP, (10, "IN_TRANSIT", "LINEHAUL", "1002")],
        milestones: &[],
        attempts: 0,
        exceptions: &[],
    },
    Kind {
        carrier: "jt",
        vendor: "kdniao",
        origin: "CN330106000000",
        dest: "CN440305000000",
        count: 20,
        steps: &[
            (0, "PICKED_UP", "PICKED_UP", "1"),
            (30, "DELIVERED", "RECIPIENT", "301"),
        ],
        milestones: &[("first_attempt_at", 30), ("delivered_at", 30)],
        attempts: 1,
        exceptions: &[],
    },
    Kind {
        carrier: "jt",
        vendor: "kdniao",
        origin: "CN330106000000",
        dest: "CN440305000000",
        count: 12,
        steps: &[
            (0, "PICKED_UP", "PICKED_UP", "1"),
            (40, "RETURNING", "REFUSED", "404"),
            (90, "RETURNED", "RETURN_SIGNED", "406"),
        ],
        milestones: &[("returning_at", 40), ("returned_at", 90)],
        attempts: 0,
        exceptions: &[("404", "REFUSED")],
    },
    Kind {
        carrier: "jt",
        vendor: "kdniao",
        origin: "CN330106000000",
        dest: "CN440305000000",
        count: 8,
        steps: &[
            (0, "PICKED_UP", "PICKED_UP", "1"),
            (25, "OUT_FOR_DELIVERY", "OUT_FOR_DELIVERY", "202"),
            (26, "EXCEPTION", "DELIVERY_FAILED", "405"),
        ],
        milestones: &[("out_for_delivery_at", 25), ("first_attempt_at", 26)],
        attempts: 1,
        exceptions: &[("405", "DELIVERY_FAILED")],
    },
];

const YOUNG: &[Kind] = &[
    Kind {
        carrier: "yto",
        vendor: "kuaidi100",
        origin: "CN310115000000",
        dest: "CN310106000000",
        count: 40,
        steps: &[PICKED_UP, (20, "DELIVERED", "RECIPIENT", "301")],
        milestones: &[("first_attempt_at", 20), ("delivered_at", 20)],
        attempts: 1,
        exceptions: &[],
    },
    Kind {
        carrier: "yto",
        vendor: "kuaidi100",
        origin: "CN310115000000",
        dest: "CN440305000000",
        count: 40,
        steps: &[PICKED_UP, (35, "DELIVERED", "RECIPIENT", "301")],
        milestones: &[("first_attempt_at", 35), ("delivered_at", 35)],
        attempts: 1,
        exceptions: &[],
    },
];

const OLD: &[Kind] = &[
    Kind {
        carrier: "sto",
        vendor: "kuaidi100",
        origin: "CN440305000000",
        dest: "CN310115000000",
        count: 6,
        steps: &[PICKED_UP, (20, "DELIVERED", "RECIPIENT", "301")],
        milestones: &[("first_attempt_at", 20), ("delivered_at", 20)],
        attempts: 1,
        exceptions: &[],
    },
    Kind {
        carrier: "sto",
        vendor: "kuaidi100",
        origin: "CN440305000000",
        dest: "CN310115000000",
        count: 4,
        steps: &[
            PICKED_UP,
            (47, "EXCEPTION", "DELIVERY_FAILED", "204"),
            (50, "DELIVERED", "AFTER_EXCEPTION", "302"),
        ],
        milestones: &[("first_attempt_at", 47), ("delivered_at", 50)],
        attempts: 2,
        exceptions: &[("204", "DELIVERY_FAILED")],
    },
];

/// A number that a spreadsheet would compute.
pub(crate) const FORMULA_NUMBER: &str = "=1+1";

/// The day of the pickup of the oldest ones.
pub(crate) fn old_day() -> Date {
    pickup_day().checked_sub(45.days()).unwrap()
}

const ODD: Kind = Kind {
    carrier: "nobody",
    vendor: "kuaidi100",
    origin: "",
    dest: "",
    count: 1,
    steps: &[PICKED_UP, (1, "IN_TRANSIT", "LINEHAUL", "1002")],
    milestones: &[],
    attempts: 0,
    exceptions: &[],
};

/// Fills the tables and refreshes what depends on them.
pub(crate) fn insert(stack: &dyn Stack) {
    let start = noon(pickup_day());
    let now = Timestamp::now().as_second();
    let (mut shipments, mut transitions) = (Vec::new(), Vec::new());
    let old = KINDS.iter().map(|kind| (kind, start));
    let young = YOUNG.iter().map(|kind| (kind, now - 40 * 3600));
    for (place, (kind, start)) in old.chain(young).enumerate() {
        for number in 0..kind.count {
            let number = format!("{}{place}{number:03}", kind.carrier.to_uppercase());
            shipments.push(shipment(kind, &number, start));
            transitions.extend(changes(kind, &number, start));
        }
    }
    for (place, kind) in OLD.iter().enumerate() {
        for number in 0..kind.count {
            let number = if (place, number) == (0, 0) {
                FORMULA_NUMBER.to_owned()
            } else {
                format!("STOOLD{place}{number:03}")
            };
            shipments.push(shipment(kind, &number, noon(old_day())));
        }
    }
    shipments.push(shipment(&ODD, ODD_NUMBER, now - 3 * 3600));
    transitions.extend(changes(&ODD, ODD_NUMBER, now - 3 * 3600));
    let pushes: Vec<Value> = (0..8).map(|number| push(number, now)).collect();
    for (table, rows) in [("shipment", shipments), ("transition", transitions), ("push", pushes)] {
        let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        tables::execute(
            stack,
            &format!("INSERT INTO courier.{table} FORMAT JSONEachRow\n{}", rows.join("\n")),
        );
    }
    // Only the second one speaks for the parcel of the unknown carrier, whose lane is unknown.
    tables::execute(
        stack,
        "INSERT INTO courier.sla_promise (carrier, origin, dest, hours, loaded_at) VALUES ('nobody', 'CN44', '', 12, now()), ('nobody', '', '', 48, now()), ('', 'CN11', '', 6, now())",
    );
    // The way of one of them: late at the second hub, and to be late at the third.
    let noon = noon(pickup_day());
    let node = |(name, position, telling, state, version): (&str, u16, &str, &str, u64),
                planned: Option<i64>,
                arrived: Option<i64>| {
        let at = |hours: Option<i64>| hours.map(|hours| noon + hours * 3600);
        json!({
            "vendor": "kuaidi100", "account": "demo", "carrier": "sf", "tracking_number": "SF0000", "name": name, "visit": 1, "telling": telling,
            "version": version, "received_at": time(noon + 12 * 3600), "position": position, "kind": "HUB", "state": state,
            "planned_arrival_at": at(planned), "arrived_at": at(arrived), "departed_at": at(arrived.map(|hours| hours + 2)),
        })
        .to_string()
    };
    let nodes = [
        node(("深圳", 1, "LAST", "PASSED", 9), None, Some(1)),
        node(("虎门", 2, "FIRST", "EXPECTED", 1), Some(5), None),
        node(("虎门", 2, "LAST", "PASSED", 9), None, Some(9)),
        node(("上海", 3, "FIRST", "EXPECTED", 1), Some(15), None),
        node(("上海", 3, "LAST", "EXPECTED", 9), Some(18), None),
    ];
    tables::execute(
        stack,
        &format!(
            "INSERT INTO courier.route_node FORMAT JSONEachRow\n{}",
            nodes.join("\n")
        ),
    );
    tables::refresh_metrics(stack);
    change::insert_one(stack);
}

pub(super) fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap();
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn local_time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap().in_tz(CHINA).unwrap();
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn identity(kind: &Kind, number: &str, start: i64) -> Map<String, Value> {
    let row = json!({
        "vendor": kind.vendor,
        "account": "demo",
        "carrier": kind.carrier,
        "tracking_number": number,
        "epoch": &time(start)[..10],
        "version": start * 1_000_000,
        "first_received_at": time(start + 60),
        "received_at": time(start + 91 * 3600),
    });
    row.as_object().unwrap().clone()
}

fn shipment(kind: &Kind, number: &str, start: i64) -> Value {
    let at = |hours: i64| start + hours * 3600;
    let &(last_hour, status, sub_status, code) = kind.steps.last().unwrap();
    let mut row = identity(kind, number, start);
    row.extend(
        json!({
            "status": status,
            "sub_status": sub_status,
            "raw_code": code,
            "leg": if status.starts_with("RETURN") { "RETURN" } else { "FORWARD" },
            "tracking_state": "ACTIVE",
            "picked_up_at": time(start),
            "last_event_at": time(at(last_hour)),
            "attempts": kind.attempts,
            "exception_codes": kind.exceptions.iter().map(|(code, _)| code).collect::<Vec<_>>(),
            "exception_reasons": kind.exceptions.iter().map(|(_, reason)| reason).collect::<Vec<_>>(),
            "flags": [],
            "event.id": (1..=kind.steps.len()).collect::<Vec<_>>(),
            "event.occurred_at": kind.steps.iter().map(|step| time(at(step.0))).collect::<Vec<_>>(),
            "event.local_time": kind.steps.iter().map(|step| local_time(at(step.0))).collect::<Vec<_>>(),
            "event.status": kind.steps.iter().map(|step| step.1).collect::<Vec<_>>(),
            "event.sub_status": kind.steps.iter().map(|step| step.2).collect::<Vec<_>>(),
            "event.raw_code": kind.steps.iter().map(|step| step.3).collect::<Vec<_>>(),
            "event.origin": kind.steps.iter().map(told_by).collect::<Vec<_>>(),
            "event.segment": vec!["ORIGIN"; kind.steps.len()],
            "event.area_code": vec![Value::Null; kind.steps.len()],
            "event.location": vec!["深圳转运中心"; kind.steps.len()],
            "event.context": kind.steps.iter().map(|step| format!("【深圳】 {}", step.2)).collect::<Vec<_>>(),
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    for (column, code) in [("origin_code", kind.origin), ("dest_code", kind.dest)] {
        if !code.is_empty() {
            row.insert(column.to_owned(), code.into());
        }
    }
    for (column, hours) in kind.milestones {
        row.insert((*column).to_owned(), time(at(*hours)).into());
    }
    Value::Object(row)
}

fn changes(kind: &Kind, number: &str, start: i64) -> Vec<Value> {
    let mut before: Option<&Step> = None;
    let mut rows = Vec::new();
    for (place, step) in kind.steps.iter().enumerate() {
        let mut row = identity(kind, number, start);
        row.extend(
            json!({
                "transition_id": place + 1,
                "is_deleted": 0,
                "occurred_at": time(start + step.0 * 3600),
                "from_status": before.map_or("UNKNOWN", |step| step.1),
                "from_sub_status": before.map(|step| step.2),
                "to_status": step.1,
                "to_sub_status": step.2,
                "raw_code": step.3,
                "leg": "FORWARD",
                "dwell_seconds": before.map(|before| (step.0 - before.0) * 3600),
                "origin": told_by(step),
                "verdict": "EXPECTED",
                "is_exception": step.1 == "EXCEPTION",
                "location": "深圳转运中心",
            })
            .as_object()
            .unwrap()
            .clone(),
        );
        rows.push(Value::Object(row));
        before = Some(step);
    }
    rows
}

/// Five of Kuaidi100 and two of Kdniao, a minute apart, and an answer of Kdniao to a query, which is no push.
fn push(number: i64, now: i64) -> Value {
    json!({
        "vendor": if number < 5 { "kuaidi100" } else { "kdniao" },
        "account": "demo",
        "received_at": time(now - 60 * (number + 1)),
        "push_id": format!("{number:032x}"),
        "part": 0,
        "parts": 1,
        "carrier": "sf",
        "tracking_number": format!("SF{number}"),
        "signature": "VERIFIED",
        "tracking_status": "polling",
        "items": 3,
        "bytes": 1000,
        "origin": if number == 7 { "QUERY" } else { "PUSH" },
        "topic": "courier.push.v1",
        "partition": 0,
        "offset": number,
    })
}
