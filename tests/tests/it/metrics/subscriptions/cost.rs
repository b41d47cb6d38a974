//! What the vendors will bill.

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::{DAY, call, china_day, in_china, insert, merged, month_of, subscription, time};
use crate::harness::{tables, with_tables};
use crate::metrics::now;

#[test]
fn c1_units_are_those_of_each_vendors_contract() {
    let stack = with_tables("metrics-cost");
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
fn what_only_a_push_told_is_a_unit_and_each_state_is_followed_until_its_end() {
    let stack = with_tables("metrics-cost-states");
    let this_month = china_day(now()).first_of_month();
    let month_ago = |months: i64| this_month.checked_sub(months.months()).unwrap();
    let [first, second, third] = [2, 1, 0].map(|months| in_china(month_ago(months), 12, 0));
    // One account for each question.
    let called = |account: &str, number: &str, at: i64, changes: Value| {
        call(
            number,
            at,
            &Value::Object(merged(json!({"account": account}), &changes)),
        )
    };
    let unknown = || json!({"class": "UNKNOWN", "code": null});
    let detected = json!({"class": "UNKNOWN", "code": null, "carrier": "unknown", "vendor_carrier": ""});
    insert(
        &stack,
        "vendor_call",
        &[
            // Twice without an answer, then a push: one of them is the one that arrived.
            called("lost", "LOST", first, unknown()),
            called("lost", "LOST", first + 60, unknown()),
            // The vendor was to find the carrier.
            called("lost", "FOUND", first, detected),
            // What was counted is an answered call; and nothing was counted.
            called("lost", "OTHER", first, json!({})),
            called("lost", "OTHER", first + 60, unknown()),
            called("lost", "NEVER", first, unknown()),
            called("cancelled", "YT1", first, json!({})),
            called("cancelled", "YT1", second, json!({})),
            called("expired", "YT1", first, json!({})),
            called("rejected", "YT1", first, json!({})),
            called("rejected", "YT1", third, json!({"class": "REJECTED", "code": "701"})),
            called("active", "YT1", first, json!({})),
        ],
    );
    let counted = json!({"state": "ENDED", "calls.month": [month_of(month_ago(2))], "calls.vendor_carrier": ["yuantong"],
                         "calls.accepted": [1], "calls.last_at": [time(first)]});
    // All had an end in the first month; what came later did not move it.
    let ended = |account: &str, number: &str, since: i64, changes: &Value| {
        let row = json!({"account": account, "requested_at": time(first), "ended_at": time(first + DAY), "since": time(since)});
        subscription(number, &Value::Object(merged(row, changes)))
    };
    insert(
        &stack,
        "subscription",
        &[
            ended("lost", "LOST", first + DAY, &counted),
            ended("lost", "FOUND", first + DAY, &counted),
            ended("lost", "OTHER", first + DAY, &counted),
            ended("lost", "NEVER", first + DAY, &json!({"state": "REJECTED"})),
            ended("cancelled", "YT1", third, &json!({"state": "CANCELLED"})),
            ended("expired", "YT1", third, &json!({"state": "EXPIRED"})),
            ended("rejected", "YT1", third, &json!({"state": "REJECTED"})),
            ended("active", "YT1", second, &json!({})),
        ],
    );
    let renewed_in = |account: &str| {
        let sql = format!(
            "SELECT month, accepted, units, units_if_renewed FROM courier.vendor_cost WHERE account = '{account}' ORDER BY month"
        );
        let rows = tables::rows(&stack, &sql);
        let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Value>();
        ["accepted", "units", "units_if_renewed"].map(column)
    };
    for (account, accepted, units, if_renewed) in [
        ("lost", json!([3]), json!([3]), json!([3])),
        ("cancelled", json!([1, 1, 0]), json!([1, 1, 0]), json!([1, 1, 1])),
        ("expired", json!([1]), json!([1]), json!([1])),
        ("rejected", json!([1, 0]), json!([1, 0]), json!([1, 0])),
        ("active", json!([1, 0, 0]), json!([1, 0, 0]), json!([1, 1, 1])),
    ] {
        assert_eq!(renewed_in(account), [accepted, units, if_renewed], "{account}");
    }
}
