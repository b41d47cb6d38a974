//! Shipments of every kind and combination, also of such as derive would hardly make: the views must not rely on it.

use courierflow_schemas::records::Vendor;
use courierflow_vendors::protocol;

use super::parcel::china_day;
use crate::oracle::{EventRow, PushRow, ShipmentRow, TransitionRow};
use crate::simulator::random::Random;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

const CARRIERS: &[&str] = &["sf", "zto", "jt", "ems"];
const AREAS: &[Option<&str>] = &[
    Some("CN440305000000"),
    Some("CN440305000000"),
    Some("CN440100000000"),
    Some("CN440000000000"),
    Some("CN310115000000"),
    Some("CN310000000000"),
    Some("CN330110000000"),
    Some("深圳"),
    None,
];
const STATUSES: &[&str] = &[
    "UNKNOWN",
    "INFO_RECEIVED",
    "PICKED_UP",
    "IN_TRANSIT",
    "IN_TRANSIT",
    "CUSTOMS",
    "OUT_FOR_DELIVERY",
    "AVAILABLE_FOR_PICKUP",
    "DELIVERED",
    "DELIVERED",
    "EXCEPTION",
    "EXCEPTION",
    "RETURNING",
    "RETURNED",
    "CANCELLED",
];
const TRACKING_STATES: &[&str] = &[
    "ACTIVE",
    "ACTIVE",
    "ACTIVE",
    "ENDED",
    "ENDED",
    "ENDED",
    "ABORTED_NO_RECORD",
    "ABORTED_STALE",
    "CARRIER_CORRECTED",
];
const FLAGS: &[&str] = &[
    "bad_time",
    "delivery_revoked",
    "future_time",
    "lane_inferred",
    "pickup_imputed",
    "post_terminal_scan",
    "return_signed",
    "route_loop",
    "unknown_code",
];

/// A shipment of which nothing is known yet, to be filled in; times in seconds.
pub fn shipment_at(carrier: &str, tracking_number: &str, received_at: i64) -> ShipmentRow {
    ShipmentRow {
        vendor: "kuaidi100".to_owned(),
        account: "demo".to_owned(),
        carrier: carrier.to_owned(),
        tracking_number: tracking_number.to_owned(),
        epoch: china_day(received_at).to_string(),
        version: received_at * 1_000_000,
        first_received_at: received_at * 1_000_000,
        received_at: received_at * 1_000_000,
        last_push_at: Some(received_at * 1_000_000),
        status: "IN_TRANSIT".to_owned(),
        sub_status: None,
        raw_code: None,
        leg: "FORWARD".to_owned(),
        tracking_state: "ACTIVE".to_owned(),
        origin_code: None,
        origin: None,
        dest_code: None,
        dest: None,
        created_at: None,
        picked_up_at: None,
        left_origin_at: None,
        arrived_dest_at: None,
        out_for_delivery_at: None,
        first_attempt_at: None,
        available_at: None,
        delivered_at: None,
        returning_at: None,
        returned_at: None,
        cancelled_at: None,
        last_event_at: None,
        edd_first: None,
        edd_last: None,
        reference: None,
        dest_carrier: None,
        dest_number: None,
        corrected_to: None,
        attempts: 0,
        exception_codes: Vec::new(),
        exception_reasons: Vec::new(),
        flags: Vec::new(),
        event: Vec::new(),
    }
}

/// So many shipments of a seed, picked up in the last 60 days before `now`.
pub fn shipments(seed: u64, count: u64, now: i64) -> Vec<ShipmentRow> {
    (0..count)
        .map(|index| shipment(&mut Random::new(seed, 0, index), index, now))
        .collect()
}

/// A duration: mostly ordinary, often exactly at a limit, sometimes impossible.
fn duration(random: &mut Random) -> i64 {
    const LIMITS: &[i64] = &[
        0,
        900,
        18 * HOUR,
        24 * HOUR,
        48 * HOUR,
        60 * HOUR,
        72 * HOUR,
        6 * DAY,
        7 * DAY,
        180 * DAY,
    ];
    if random.chance(0.2) {
        random.pick(LIMITS) + random.whole(-1, 1)
    } else if random.chance(0.03) {
        random.whole(-DAY, 200 * DAY)
    } else {
        random.whole(0, 100 * HOUR)
    }
}

fn shipment(random: &mut Random, index: u64, now: i64) -> ShipmentRow {
    let days = if random.chance(0.6) { 14 } else { 60 };
    let start = now - random.whole(0, days * DAY);
    let received_at = start + random.whole(0, 5 * DAY);
    let mut row = shipment_at(
        random.pick::<&str>(CARRIERS),
        &format!("M{index:07}"),
        received_at.min(now),
    );
    row.first_received_at -= random.whole(0, 3 * DAY) * 1_000_000;
    row.vendor = (*random.pick(&["kuaidi100", "kuaidi100", "kdniao"])).to_owned();
    row.status = (*random.pick(STATUSES)).to_owned();
    row.tracking_state = (*random.pick(TRACKING_STATES)).to_owned();
    row.origin_code = random.pick(AREAS).map(str::to_owned);
    row.dest_code = random.pick(AREAS).map(str::to_owned);
    row.attempts = u8::try_from(random.whole(0, 3)).unwrap_or(0);
    row.flags = FLAGS
        .iter()
        .filter(|_| random.chance(0.06))
        .map(|flag| (*flag).to_owned())
        .collect();
    milestones(random, &mut row, start);
    events(random, &mut row, start);
    if let Some(last) = row.event.last() {
        row.last_event_at = Some(last.occurred_at);
        row.sub_status = last.sub_status.clone();
        row.raw_code = last.raw_code.clone();
        if random.chance(0.5) {
            row.status = last.status.clone();
        }
    }
    row
}

fn milestones(random: &mut Random, row: &mut ShipmentRow, start: i64) {
    let mut after = |base: Option<i64>, share: f64| {
        let base = base.filter(|_| random.chance(share));
        base.map(|base| base + duration(random))
    };
    row.picked_up_at = after(Some(start), 0.95);
    row.created_at = after(row.picked_up_at, 0.5).map(|time| time - 60 * HOUR);
    row.left_origin_at = after(row.picked_up_at, 0.5);
    row.arrived_dest_at = after(row.left_origin_at, 0.8);
    row.out_for_delivery_at = after(row.picked_up_at, 0.8);
    row.first_attempt_at = after(row.picked_up_at, 0.8);
    row.available_at = after(row.picked_up_at, 0.3);
    row.delivered_at = after(row.picked_up_at, 0.6);
    row.edd_first = after(row.picked_up_at, 0.4);
    row.returning_at = after(row.picked_up_at, 0.1);
    row.returned_at = after(row.returning_at, 0.5);
    if random.chance(0.5) {
        // As derive makes it: the first attempt is the delivery, or the locker.
        row.first_attempt_at = row.available_at.or(row.delivered_at).or(row.first_attempt_at);
    }
}

fn events(random: &mut Random, row: &mut ShipmentRow, start: i64) {
    let of_vendor = |vendor: Vendor| protocol(vendor).code_tables().first().map(|table| table.rows);
    let table = row.vendor.parse().ok().and_then(of_vendor).unwrap_or_default();
    let is_abroad = random.chance(0.05);
    let mut time = start;
    for id in 0..random.whole(0, 9) {
        time += random.whole(1, 20 * HOUR);
        let code = random.pick(table);
        // Every third one an exception.
        let code = if random.chance(0.3) {
            table.iter().rev().find(|row| row.is_exception).unwrap_or(code)
        } else {
            code
        };
        // Some come home again.
        let hours = if is_abroad && id < 5 { 9 } else { 8 };
        row.event.push(EventRow {
            id: (u64::try_from(id).unwrap_or(0) + 1).to_string(),
            occurred_at: time,
            local_time: jiff::Timestamp::from_second(time + hours * HOUR)
                .unwrap_or_default()
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string(),
            status: status_name(code.status).to_owned(),
            sub_status: Some(code.sub_status.as_str().to_owned()),
            raw_code: random.chance(0.9).then(|| code.code.to_string()),
            segment: if is_abroad && random.chance(0.3) {
                "DESTINATION"
            } else {
                "ORIGIN"
            }
            .to_owned(),
            area_code: None,
            location: random.chance(0.5).then(|| "广州".to_owned()),
            context: String::new(),
            origin: if id % 4 == 1 { "QUERY" } else { "PUSH" }.to_owned(),
            area: None,
        });
    }
    if is_abroad {
        row.flags.push("cross_border".to_owned());
    }
    if random.chance(0.1) {
        row.flags.push("tz_assumed".to_owned());
    }
    // The lists are what derive makes of the events that are not dated later than their push.
    let counted = row.event.iter().filter(|event| {
        (event.status == "EXCEPTION" || event.sub_status.as_deref() == Some("REFUSED"))
            && event.occurred_at <= row.received_at / 1_000_000 + 600
    });
    for event in counted {
        for (list, name) in [
            (&mut row.exception_codes, &event.raw_code),
            (&mut row.exception_reasons, &event.sub_status),
        ] {
            if let Some(name) = name.clone().filter(|name| !list.contains(name)) {
                list.push(name);
            }
        }
    }
}

fn status_name(status: courierflow_schemas::records::Status) -> &'static str {
    status.as_str()
}

/// The changes of status along the events of the shipments, and of each seventh shipment the first one as taken back.
pub fn transitions_of(shipments: &[ShipmentRow]) -> (Vec<TransitionRow>, Vec<TransitionRow>) {
    let (mut standing, mut retracted) = (Vec::new(), Vec::new());
    for (index, row) in shipments.iter().enumerate() {
        let mut before: Option<&EventRow> = None;
        for event in row.event.iter().filter(|event| event.status != "UNKNOWN") {
            if before.is_some_and(|before| before.status == event.status) {
                continue;
            }
            let list = if index % 7 == 0 && before.is_none() {
                &mut retracted
            } else {
                &mut standing
            };
            list.push(TransitionRow {
                carrier: row.carrier.clone(),
                tracking_number: row.tracking_number.clone(),
                vendor: row.vendor.clone(),
                epoch: row.epoch.clone(),
                occurred_at: event.occurred_at,
                transition_id: event.id.clone(),
                version: row.version,
                first_received_at: row.first_received_at,
                received_at: row.received_at,
                from_status: before.map_or("UNKNOWN", |before| &before.status).to_owned(),
                from_sub_status: before.and_then(|before| before.sub_status.clone()),
                to_status: event.status.clone(),
                to_sub_status: event.sub_status.clone(),
                raw_code: event.raw_code.clone(),
                leg: row.leg.clone(),
                dwell_seconds: before.map(|before| event.occurred_at - before.occurred_at),
                verdict: "EXPECTED".to_owned(),
                is_exception: event.status == "EXCEPTION",
                party: None,
                area_code: event.area_code.clone(),
                location: event.location.clone(),
                origin: event.origin.clone(),
            });
            before = Some(event);
        }
    }
    (standing, retracted)
}

/// A push of each shipment, of each fifth one a second time; every eleventh is the answer to a query.
pub fn pushes_of(shipments: &[ShipmentRow]) -> Vec<PushRow> {
    let mut pushes = Vec::new();
    for (index, row) in shipments.iter().enumerate() {
        let is_answer = index % 11 == 3;
        for repeat in 0..=i64::from(index % 5 == 0) {
            pushes.push(PushRow {
                vendor: row.vendor.clone(),
                account: row.account.clone(),
                received_at: row.received_at + repeat,
                push_id: format!("{index:032x}"),
                part: 0,
                parts: 1,
                carrier: row.carrier.clone(),
                tracking_number: row.tracking_number.clone(),
                signature: "VERIFIED".to_owned(),
                tracking_status: String::new(),
                items: 1,
                bytes: 100,
                origin: if is_answer { "QUERY" } else { "PUSH" }.to_owned(),
                query_reason: is_answer.then(|| "STALLED".to_owned()),
                reference: None,
                push_time: None,
            });
        }
    }
    pushes
}
