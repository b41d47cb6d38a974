//! What the vendors will bill.

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::{DAY, call, china_day, in_china, insert, month_of, subscription, time};
use crate::harness::{migrated, tables};
use crate::metrics::now;

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
