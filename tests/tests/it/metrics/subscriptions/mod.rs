//! The views on subscriptions and calls, on rows worked out by hand.

mod completeness;
mod cost;
mod coverage;

use courierflow_tests::stack::Stack;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::now;
use crate::harness::{tables, with_tables};

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
fn states_quota_and_what_needs_attention() {
    let stack = with_tables("metrics-subscriptions");
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
    let stack = with_tables("metrics-calls");
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
