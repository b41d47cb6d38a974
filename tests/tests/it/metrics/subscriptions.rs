//! The views on subscriptions and calls, on rows worked out by hand.

use courierflow_tests::measures::{insert_shipments, insert_transitions, shipment_at};
use courierflow_tests::oracle::{EventRow, ShipmentRow, TransitionRow};
use courierflow_tests::stack::Stack;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::now;
use crate::harness::{migrated, tables};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Seconds since 1970 as text that a `DateTime64` is read from.
fn time(seconds: i64) -> Value {
    let time = Timestamp::from_second(seconds).unwrap();
    json!(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn china() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

fn china_day(seconds: i64) -> Date {
    Timestamp::from_second(seconds).unwrap().to_zoned(china()).date()
}

/// A time of a day in China, in seconds since 1970.
fn in_china(day: Date, hour: i8, minute: i8) -> i64 {
    let zoned = day.at(hour, minute, 0, 0).to_zoned(china()).unwrap();
    zoned.timestamp().as_second()
}

fn month_of(day: Date) -> i64 {
    i64::from(day.year()) * 100 + i64::from(day.month())
}

fn merged(base: Value, changes: &Value) -> Map<String, Value> {
    let Value::Object(mut row) = base else {
        panic!("a row is an object")
    };
    row.extend(changes.as_object().unwrap().clone());
    row
}

fn insert(stack: &dyn Stack, table: &str, rows: &[Map<String, Value>]) {
    let mut statement = format!("INSERT INTO courier.{table} SETTINGS async_insert = 0 FORMAT JSONEachRow\n");
    for row in rows {
        statement.push_str(&Value::Object(row.clone()).to_string());
        statement.push('\n');
    }
    tables::execute(stack, &statement);
}

/// A subscription that the vendor accepted two days ago, with changes.
fn subscription(number: &str, changes: &Value) -> Map<String, Value> {
    let at = now() - 2 * DAY;
    let row = json!({
        "vendor": "kuaidi100", "account": "demo", "tracking_number": number, "carrier": "yto", "vendor_carrier": "yuantong",
        "version": at * 1_000_000, "state": "ACTIVE", "since": time(at), "requested_at": time(at), "requester": "oms",
        "api": "kuaidi100_enterprise", "product": "ADVANCED", "round": 1, "attempt": 1,
        "first_push_at": time(at + 2 * HOUR),
    });
    merged(row, changes)
}

/// A call at this time that the vendor accepted, with changes.
fn call(number: &str, at: i64, changes: &Value) -> Map<String, Value> {
    let row = json!({
        "vendor": "kuaidi100", "account": "demo", "started_at": time(at), "api": "kuaidi100_enterprise",
        "call_id": format!("{:032x}", xxh3_64(format!("{number} {at}").as_bytes())), "kind": "SUBSCRIBE",
        "carrier": "yto", "vendor_carrier": "yuantong", "tracking_number": number, "reason": "NEW", "duration_ms": 100,
        "http_status": 200, "code": "200", "class": "DONE", "month": month_of(china_day(at)), "bytes": 60,
    });
    merged(row, changes)
}

/// Something in every view on subscriptions.
pub(super) fn insert_some(stack: &dyn Stack) {
    let at = now() - 2 * DAY;
    let month = month_of(china_day(at));
    let calls = json!({
        "calls.month": [month], "calls.vendor_carrier": ["yuantong"], "calls.accepted": [1], "calls.last_at": [time(at)],
        "first_push_at": null,
    });
    insert(stack, "subscription", &[subscription("SOME1", &calls)]);
    let audit = json!({"kind": "QUERY", "reason": "AUDIT", "items": 3});
    insert(
        stack,
        "vendor_call",
        &[call("SOME1", at, &json!({})), call("SOME1", at + DAY, &audit)],
    );
}

#[test]
fn c1_units_are_those_of_each_vendors_contract() {
    let stack = migrated("metrics-cost");
    // The last evening of a month in China and half an hour of the next: both are the same day in UTC.
    let this_month = china_day(now()).first_of_month();
    let turn = this_month.checked_sub(1.month()).unwrap();
    let eve = turn.yesterday().unwrap();
    let (before, after) = (in_china(eve, 23, 30), in_china(turn, 0, 30));
    let (month_before, month, month_now) = (month_of(eve), month_of(turn), month_of(this_month));

    let kdniao = |changes: Value| {
        let mut row =
            json!({"vendor": "kdniao", "api": "kdniao_cross_border", "carrier": "coe", "vendor_carrier": "COE"});
        row.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        row
    };
    let day = |days: i64| in_china(china_day(now() - 90 * DAY), 12, 0) + days * DAY;
    let query = || json!({"kind": "QUERY", "reason": "STALLED"});
    let twice = "f".repeat(32);
    insert(
        &stack,
        "vendor_call",
        &[
            // Subscribed in one month and asked about in the next: two units. Asked again in the same month: no more.
            call("YT1", before, &json!({})),
            call("YT1", before + 60, &query()),
            call("YT1", after, &query()),
            // Nothing was done: not accepted, not known, said to be done already without an earlier try.
            call("YT2", before, &json!({"class": "REJECTED", "code": "700"})),
            call(
                "YT3",
                before,
                &json!({"class": "UNKNOWN", "code": null, "call_id": twice}),
            ),
            // The answer to the first try was lost: this is one.
            call(
                "YT3",
                before + 30,
                &json!({"class": "DUPLICATE", "code": "501", "call_id": twice}),
            ),
            call("YT4", before, &json!({"class": "DUPLICATE", "code": "501"})),
            // Killed between the call and its record: the reason tells.
            call(
                "YT5",
                before,
                &json!({"class": "DUPLICATE", "code": "501", "reason": "IN_DOUBT"}),
            ),
            // Units of 40 days from the first call on; what the vendor knows nothing of is free.
            call("EL1", day(-3), &kdniao(json!({"kind": "QUERY", "class": "NO_RESULT"}))),
            call("EL1", day(0), &kdniao(json!({}))),
            call("EL1", day(39), &kdniao(query())),
            call("EL1", day(40), &kdniao(query())),
            // It is not documented what a unit is.
            call(
                "UP1",
                before,
                &json!({"vendor": "17track", "api": "17track", "carrier": "ups", "vendor_carrier": "100002"}),
            ),
        ],
    );
    // YT1 is still followed, YT3 was given up in its first month.
    insert(
        &stack,
        "subscription",
        &[
            subscription("YT1", &json!({"requested_at": time(before)})),
            subscription(
                "YT3",
                &json!({"requested_at": time(before), "state": "FALLBACK", "reason": "NO_RECORD", "ended_at": time(before + 60)}),
            ),
        ],
    );
    let rows = |vendor: &str| {
        let sql = format!(
            "SELECT month, carrier, calls, accepted, units, units_if_renewed FROM courier.vendor_cost WHERE vendor = '{vendor}'"
        );
        tables::rows(&stack, &sql)
    };
    assert_eq!(
        rows("kuaidi100"),
        [
            json!({"month": month_before, "carrier": "yto", "calls": 7, "accepted": 4, "units": 3, "units_if_renewed": 3}),
            json!({"month": month, "carrier": "yto", "calls": 1, "accepted": 1, "units": 1, "units_if_renewed": 1}),
            json!({"month": month_now, "carrier": "yto", "calls": 0, "accepted": 0, "units": 0, "units_if_renewed": 1}),
        ]
    );
    let of_one = "SELECT sum(units) AS units, sum(calls) AS calls FROM courier.vendor_cost WHERE vendor = 'kdniao'";
    assert_eq!(tables::rows(&stack, of_one), [json!({"units": 2, "calls": 4})]);
    assert_eq!(
        rows("17track"),
        [
            json!({"month": month_before, "carrier": "ups", "calls": 1, "accepted": 1, "units": null, "units_if_renewed": null})
        ]
    );
    // Inserted a second time, as after a power cut: nothing changes.
    let before_replay = tables::rows(&stack, "SELECT * FROM courier.vendor_cost");
    insert(&stack, "vendor_call", &[call("YT1", before, &json!({}))]);
    assert_eq!(tables::rows(&stack, "SELECT * FROM courier.vendor_cost"), before_replay);
}

#[test]
fn states_quota_and_what_needs_attention() {
    let stack = migrated("metrics-subscriptions");
    let ago = |hours: i64| time(now() - hours * HOUR);
    let (this, last) = (month_of(china_day(now())), 202_001);
    let calls = |accepted: &[i64]| {
        let months: Vec<i64> = [last, this].into_iter().take(accepted.len()).collect();
        let carriers = vec!["yuantong"; accepted.len()];
        let times = vec![ago(1); accepted.len()];
        json!({"calls.month": months, "calls.vendor_carrier": carriers, "calls.accepted": accepted, "calls.last_at": times})
    };
    let with = |number: &str, changes: Value, accepted: &[i64]| {
        let mut row = subscription(number, &changes);
        row.extend(calls(accepted).as_object().unwrap().clone());
        row
    };
    insert(
        &stack,
        "subscription",
        &[
            // An older version, which FINAL hides.
            with("FINE", json!({"state": "REQUESTED", "version": 1}), &[]),
            with("FINE", json!({}), &[1]),
            with("YOUNG", json!({"first_push_at": null, "since": ago(23)}), &[1, 1]),
            with("SILENT", json!({"first_push_at": null, "since": ago(25)}), &[4, 1]),
            with(
                "FOREIGN",
                json!({"state": "FALLBACK", "reason": "FOREIGN", "since": ago(5)}),
                &[],
            ),
            with(
                "FULL",
                json!({"state": "QUOTA", "reason": "QUOTA", "since": ago(6)}),
                &[1, 4],
            ),
            with(
                "STOPPED",
                json!({"state": "WAITING", "reason": "ACCOUNT_STOPPED", "since": ago(7)}),
                &[2],
            ),
            with(
                "REFUSED",
                json!({"state": "REJECTED", "reason": "UNKNOWN_CARRIER", "code": "700", "since": ago(8)}),
                &[],
            ),
            with(
                "LONG-AGO",
                json!({"state": "REJECTED", "reason": "BAD_DATA", "code": "701", "since": ago(31 * 24)}),
                &[],
            ),
            with(
                "OVER",
                json!({"state": "ENDED", "reason": "FOREIGN", "first_push_at": null, "since": ago(50)}),
                &[3],
            ),
        ],
    );
    let states = tables::rows(
        &stack,
        "SELECT state, reason, subscriptions FROM courier.subscription_states WHERE carrier = 'yto'",
    );
    assert_eq!(
        states,
        [
            json!({"state": "ACTIVE", "reason": null, "subscriptions": 3}),
            json!({"state": "ENDED", "reason": "FOREIGN", "subscriptions": 1}),
            json!({"state": "FALLBACK", "reason": "FOREIGN", "subscriptions": 1}),
            json!({"state": "QUOTA", "reason": "QUOTA", "subscriptions": 1}),
            json!({"state": "REJECTED", "reason": "BAD_DATA", "subscriptions": 1}),
            json!({"state": "REJECTED", "reason": "UNKNOWN_CARRIER", "subscriptions": 1}),
            json!({"state": "WAITING", "reason": "ACCOUNT_STOPPED", "subscriptions": 1}),
        ]
    );
    let attention = tables::rows(
        &stack,
        "SELECT attention, tracking_number, code, toUInt32(round(age_hours)) AS hours FROM courier.subscription_attention",
    );
    assert_eq!(
        attention,
        [
            json!({"attention": "ACCOUNT_STOPPED", "tracking_number": "STOPPED", "code": null, "hours": 7}),
            json!({"attention": "FOREIGN", "tracking_number": "FOREIGN", "code": null, "hours": 5}),
            json!({"attention": "NO_FIRST_PUSH", "tracking_number": "SILENT", "code": null, "hours": 25}),
            json!({"attention": "QUOTA", "tracking_number": "FULL", "code": null, "hours": 6}),
            json!({"attention": "REJECTED", "tracking_number": "REFUSED", "code": "700", "hours": 8}),
        ]
    );
    assert_eq!(
        tables::rows(
            &stack,
            "SELECT * EXCEPT (vendor, account) FROM courier.subscription_quota"
        ),
        [
            json!({"month": last, "numbers": 6, "accepted_1": 3, "accepted_2": 1, "accepted_3": 1, "accepted_4": 1, "accepted": 12}),
            json!({"month": this, "numbers": 3, "accepted_1": 2, "accepted_2": 0, "accepted_3": 0, "accepted_4": 1, "accepted": 6}),
        ]
    );
}

#[test]
fn answers_are_counted_by_day_in_china() {
    let stack = migrated("metrics-calls");
    let day = china_day(now() - 3 * DAY);
    let begin = in_china(day, 0, 0);
    let mut calls: Vec<_> = (0..20_i64)
        .map(|i| {
            call(
                &format!("YT{i}"),
                begin + i * HOUR,
                &json!({"duration_ms": (i + 1) * 10}),
            )
        })
        .collect();
    calls.push(call("YT20", begin - 1, &json!({"duration_ms": 7})));
    calls.push(call(
        "YT21",
        begin,
        &json!({"class": "RETRY", "code": "500", "duration_ms": 9_000}),
    ));
    insert(&stack, "vendor_call", &calls);
    let columns = "toString(call_date) AS day, class, code, calls, p50_ms, p95_ms";
    let rows = tables::rows(&stack, &format!("SELECT {columns} FROM courier.vendor_call_daily"));
    let eve = day.yesterday().unwrap().to_string();
    assert_eq!(
        rows,
        [
            json!({"day": eve, "class": "DONE", "code": "200", "calls": 1, "p50_ms": 7, "p95_ms": 7}),
            json!({"day": day.to_string(), "class": "DONE", "code": "200", "calls": 20, "p50_ms": 110, "p95_ms": 200}),
            json!({"day": day.to_string(), "class": "RETRY", "code": "500", "calls": 1, "p50_ms": 9_000, "p95_ms": 9_000}),
        ]
    );
}

#[test]
fn coverage_tells_who_is_not_followed_and_whose_pushes_do_not_come() {
    let stack = migrated("metrics-coverage");
    let day = china_day(now() - 4 * DAY);
    let noon = in_china(day, 12, 0);
    let asked = json!({"requested_at": time(noon), "since": time(noon)});
    let asked_with = |changes: Value| {
        let mut row = asked.clone();
        row.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        row
    };
    let mut subscriptions = Vec::new();
    let mut calls = Vec::new();
    // The first push after 1, 2, 3, 30 h, and never; they were all accepted 10 min after the request.
    for (number, hours) in [
        ("A1", Some(1)),
        ("A2", Some(2)),
        ("A3", Some(3)),
        ("A4", Some(30)),
        ("A5", None),
    ] {
        let accepted_at = noon + 600;
        let first_push_at = hours.map_or(Value::Null, |hours| time(accepted_at + hours * HOUR));
        subscriptions.push(subscription(
            number,
            &asked_with(json!({"first_push_at": first_push_at})),
        ));
        calls.push(call(number, accepted_at, &json!({})));
    }
    // Refused; and the second round of one that was given up: its last call counts, of a few hours ago.
    subscriptions.push(subscription(
        "REFUSED",
        &asked_with(json!({"state": "REJECTED", "first_push_at": null})),
    ));
    calls.push(call("REFUSED", noon, &json!({"class": "REJECTED", "code": "700"})));
    subscriptions.push(subscription(
        "AGAIN",
        &asked_with(json!({"round": 2, "first_push_at": null})),
    ));
    calls.push(call("AGAIN", noon, &json!({})));
    calls.push(call("AGAIN", now() - 2 * HOUR, &json!({"reason": "RESUBSCRIBE"})));
    // Before the period.
    subscriptions.push(subscription("OLD", &json!({"requested_at": time(now() - 40 * DAY)})));
    insert(&stack, "subscription", &subscriptions);
    insert(&stack, "vendor_call", &calls);
    let shipment = |number: &str, at: i64| shipment_at("yto", number, at);
    let mut corrected = shipment("CORRECTED", noon);
    corrected.tracking_state = "CARRIER_CORRECTED".to_owned();
    let shipments: Vec<ShipmentRow> = ["A1", "A2", "A3", "A4", "STRANGER1", "STRANGER2"]
        .map(|number| shipment(number, noon + HOUR))
        .into_iter()
        .chain([corrected, shipment("STRANGER3", noon - 40 * DAY)])
        .collect();
    tables::execute(&stack, &insert_shipments("courier", &shipments));

    let rows = tables::rows(
        &stack,
        "SELECT * REPLACE (toString(day) AS day) FROM courier.subscription_coverage",
    );
    let [row] = &rows[..] else { panic!("{rows:?}") };
    for (column, value) in [
        ("day", json!(day.to_string())),
        ("vendor", json!("kuaidi100")),
        ("account", json!("demo")),
        ("requested", json!(7)),
        ("accepted", json!(6)),
        ("due", json!(5)),
        ("aborted", json!(1)),
        ("without_shipment", json!(1)),
        ("shipments", json!(6)),
        ("shipments_unsubscribed", json!(2)),
        ("first_push_p95_hours", Value::Null),
    ] {
        assert_eq!(row[column], value, "{column} in {row}");
    }
    let number = |column: &str| row[column].as_f64().unwrap_or_else(|| panic!("no {column} in {row}"));
    assert!((number("first_push_24h_share") - 0.6).abs() < 1e-9, "{row}");
    assert!((number("first_push_p50_hours") - 3.0).abs() < 1e-9, "{row}");
    assert!(
        number("first_push_24h_low") < 0.6 && number("first_push_24h_high") > 0.6,
        "{row}"
    );
}

/// An event of a shipment, told first by a push or a query.
fn event(at: i64, origin: &str) -> EventRow {
    EventRow {
        id: at.to_string(),
        occurred_at: at,
        local_time: "2026-01-01 00:00:00".to_owned(),
        status: "IN_TRANSIT".to_owned(),
        sub_status: None,
        raw_code: None,
        segment: "ORIGIN".to_owned(),
        area_code: None,
        location: None,
        context: String::new(),
        origin: origin.to_owned(),
    }
}

/// A change of state by this event that was told so many hours later.
fn told_after(row: &ShipmentRow, event: &EventRow, hours: i64) -> TransitionRow {
    TransitionRow {
        carrier: row.carrier.clone(),
        tracking_number: row.tracking_number.clone(),
        vendor: row.vendor.clone(),
        epoch: row.epoch.clone(),
        occurred_at: event.occurred_at,
        transition_id: event.id.clone(),
        version: row.version,
        first_received_at: row.first_received_at,
        received_at: (event.occurred_at + hours * HOUR) * 1_000_000,
        from_status: "PICKED_UP".to_owned(),
        from_sub_status: None,
        to_status: event.status.clone(),
        to_sub_status: None,
        raw_code: None,
        leg: "FORWARD".to_owned(),
        dwell_seconds: None,
        verdict: "EXPECTED".to_owned(),
        is_exception: false,
        party: None,
        area_code: None,
        location: None,
        origin: event.origin.clone(),
    }
}

#[test]
fn completeness_counts_what_only_an_audit_told() {
    let stack = migrated("metrics-completeness");
    let audit_day = china_day(now() - 2 * DAY);
    let audit_at = in_china(audit_day, 12, 0);
    let begin = audit_at - 3 * DAY;
    let parcel = |number: &str, events: Vec<EventRow>| {
        let mut row = shipment_at("yto", number, begin);
        row.event = events;
        row
    };
    let (early, late) = (begin + DAY, begin + 2 * DAY);
    let whole = parcel("WHOLE", vec![event(early, "PUSH"), event(late, "PUSH")]);
    let parcels = vec![
        // Told by the query within 6 h of the event: the push may have been on its way.
        parcel(
            "JUST-NOW",
            vec![event(early, "PUSH"), event(audit_at - 6 * HOUR + 1, "QUERY")],
        ),
        parcel(
            "MISSED",
            vec![event(early, "PUSH"), event(audit_at - 6 * HOUR, "QUERY")],
        ),
        // Audited on two days: what the first one brought counts once.
        parcel("TWICE", vec![event(early, "QUERY"), event(audit_at, "PUSH")]),
        // Asked about because it looked wrong: proves nothing.
        parcel("STALLED", vec![event(early, "QUERY")]),
        whole.clone(),
    ];
    tables::execute(&stack, &insert_shipments("courier", &parcels));
    let changes = [
        told_after(&whole, &whole.event[0], 2),
        told_after(&whole, &whole.event[1], 4),
        told_after(&parcels[1], &parcels[1].event[1], 6),
    ];
    tables::execute(&stack, &insert_transitions("courier", &changes, &[]));
    let audit = json!({"kind": "QUERY", "reason": "AUDIT"});
    let mut calls: Vec<_> = ["JUST-NOW", "MISSED", "TWICE", "WHOLE"]
        .map(|number| call(number, audit_at, &audit))
        .into();
    calls.push(call("TWICE", audit_at + DAY, &audit));
    calls.push(call(
        "STALLED",
        audit_at,
        &json!({"kind": "QUERY", "reason": "STALLED"}),
    ));
    calls.push(call(
        "UNKNOWN",
        audit_at,
        &json!({"kind": "QUERY", "reason": "AUDIT", "class": "NO_RESULT"}),
    ));
    insert(&stack, "vendor_call", &calls);

    let columns = "toString(query_date) AS day, audited, with_missed, with_missed_share, events, missed, pushed_changes, \
                   pushed_p50_hours";
    let rows = tables::rows(&stack, &format!("SELECT {columns} FROM courier.push_completeness"));
    assert_eq!(
        rows,
        [
            json!({"day": audit_day.to_string(), "audited": 4, "with_missed": 2, "with_missed_share": 0.5,
                   "events": 6, "missed": 2, "pushed_changes": 2, "pushed_p50_hours": 4}),
            json!({"day": audit_day.tomorrow().unwrap().to_string(), "audited": 1, "with_missed": 0, "with_missed_share": 0,
                   "events": 1, "missed": 0, "pushed_changes": 0, "pushed_p50_hours": null}),
        ]
    );
}
