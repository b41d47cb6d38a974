//! Subscriptions and calls whose figures can be worked out by hand. The parcels are those of [`crate::dashboard::data`]; the
//! account is kuaidi100's unless another is named:
//!
//! | account | numbers | asked for | what became of it |
//! |---|---|---|---|
//! | demo | the 40 of sf and the 40 of zto | an hour before their pickup | accepted; the first push came after 2 h, of 30 of zto after 30 h |
//! | web | WEB1 | 50 h ago | accepted, and no push |
//! | web | WEB2 | 50 h ago | 501: somebody else's |
//! | web | WEB3 | 50 h ago | accepted four times this month |
//! | web | WEB4 | 50 h ago | 601: the account is stopped |
//! | web | WEB5 | 50 h ago | 700: refused |
//! | web | the one with quotes | 4 h ago | accepted by the third call, after the vendor had given it up once |
//! | demo of kdniao | JTNEW | an hour ago | not called yet |
//!
//! Ten days ago 40 parcels of jt and 10 of sf were audited. Of 8 of jt no push had told the last event.

use std::sync::LazyLock;

use courierflow_tests::stack::Stack;
use jiff::Timestamp;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::dashboard::data::{ODD_NUMBER, noon, pickup_day, time};
use crate::harness::tables;

/// `[[subscribe.accounts]]` of the dashboard: a unit of the account web costs something.
pub(crate) const ACCOUNTS: &str = concat!(
    r#"[{name="web",vendor="kuaidi100",api="kuaidi100_enterprise",price=0.5},"#,
    r#"{name="demo",vendor="kdniao",api="kdniao_cross_border"}]"#,
);

const HOUR: i64 = 3600;

/// The same for all rows, however long inserting takes.
pub(super) fn hours_ago(hours: i64) -> i64 {
    static NOW: LazyLock<i64> = LazyLock::new(|| Timestamp::now().as_second());
    *NOW - hours * HOUR
}

pub(super) fn month_of(seconds: i64) -> i64 {
    let day = Timestamp::from_second(seconds).unwrap().in_tz("Asia/Shanghai").unwrap();
    i64::from(day.year()) * 100 + i64::from(day.month())
}

fn merged(mut base: Value, changes: &Value) -> Value {
    let row = base.as_object_mut().unwrap();
    row.extend(changes.as_object().unwrap().clone());
    base
}

/// A subscription that was asked for then, with changes; `accepted` says how often the vendor accepted it then.
fn subscription(number: &str, at: i64, accepted: Option<u16>, changes: &Value) -> Value {
    let calls: Vec<u16> = accepted.into_iter().collect();
    let of_calls = |value: Value| vec![value; calls.len()];
    let row = json!({
        "vendor": "kuaidi100", "account": "web", "tracking_number": number, "carrier": "yto", "vendor_carrier": "yuantong",
        "former_carriers": [], "version": at * 1_000_000, "state": "ACTIVE", "since": time(at), "requested_at": time(at),
        "requester": "oms", "reference": format!("order-{number}"), "api": "kuaidi100_enterprise", "product": "ADVANCED",
        "international": false, "round": 1, "attempt": 1, "duplicate": false,
        "calls.month": of_calls(json!(month_of(at))), "calls.vendor_carrier": of_calls(json!("yuantong")),
        "calls.accepted": calls, "calls.last_at": of_calls(json!(time(at))),
    });
    merged(row, changes)
}

/// A call at that time that was done, with changes.
fn call(number: &str, at: i64, changes: &Value) -> Value {
    let id = xxh3_64(format!("{number} {at}").as_bytes());
    let row = json!({
        "vendor": "kuaidi100", "account": "web", "started_at": time(at), "call_id": format!("{id:032x}"), "kind": "SUBSCRIBE",
        "api": "kuaidi100_enterprise", "carrier": "yto", "vendor_carrier": "yuantong", "tracking_number": number, "reason": "NEW",
        "duration_ms": 200, "http_status": 200, "code": "200", "class": "DONE", "message": "提交成功",
        "month": month_of(at), "bytes": 60,
    });
    merged(row, changes)
}

/// Fills the two tables; the parcels have to be there.
pub(crate) fn insert(stack: &dyn Stack) {
    let (mut subscriptions, mut calls) = (Vec::new(), Vec::new());
    followed(&mut subscriptions, &mut calls);
    troubled(&mut subscriptions, &mut calls);
    audits(&mut calls);
    for (table, rows) in [("subscription", subscriptions), ("vendor_call", calls)] {
        let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        tables::execute(
            stack,
            &format!(
                "INSERT INTO courier.{table} SETTINGS async_insert = 0 FORMAT JSONEachRow\n{}",
                rows.join("\n")
            ),
        );
    }
}

fn followed(subscriptions: &mut Vec<Value>, calls: &mut Vec<Value>) {
    let at = noon(pickup_day()) - HOUR;
    let kinds = [
        ("sf", "SF0", 40, 2, true),
        ("zto", "ZTO1", 30, 30, true),
        ("zto", "ZTO2", 10, 2, false),
    ];
    for (carrier, prefix, count, hours, is_over) in kinds {
        for number in 0..count {
            let number = format!("{prefix}{number:03}");
            let mut changes = json!({"account": "demo", "carrier": carrier, "first_push_at": time(at + hours * HOUR)});
            if is_over {
                let end = json!({"state": "ENDED", "ended_word": "shutdown", "ended_at": time(at + 60 * HOUR), "since": time(at + 60 * HOUR)});
                changes = merged(changes, &end);
            }
            subscriptions.push(subscription(&number, at, Some(1), &changes));
            calls.push(call(&number, at, &json!({"account": "demo", "carrier": carrier})));
        }
    }
}

fn troubled(subscriptions: &mut Vec<Value>, calls: &mut Vec<Value>) {
    let at = hours_ago(50);
    let mut add = |number: &str, accepted: Option<u16>, changes: Value| {
        subscriptions.push(subscription(number, at, accepted, &changes));
    };
    add("WEB1", Some(1), json!({"since": time(hours_ago(49))}));
    add(
        "WEB2",
        None,
        json!({"state": "FALLBACK", "reason": "FOREIGN", "code": "501", "since": time(hours_ago(48)), "duplicate": true}),
    );
    let full = json!({"state": "QUOTA", "reason": "QUOTA", "since": time(hours_ago(47)), "round": 4, "first_push_at": time(hours_ago(47)), "calls.month": [month_of(hours_ago(0))]});
    add("WEB3", Some(4), full);
    add(
        "WEB4",
        None,
        json!({"state": "WAITING", "reason": "ACCOUNT_STOPPED", "code": "601", "since": time(hours_ago(46)), "not_before": time(hours_ago(0))}),
    );
    add(
        "WEB5",
        None,
        json!({"state": "REJECTED", "reason": "UNKNOWN_CARRIER", "code": "700", "since": time(hours_ago(45)), "carrier": "nobody"}),
    );
    calls.push(call("WEB1", at, &json!({})));
    calls.push(call(
        "WEB2",
        at,
        &json!({"class": "DUPLICATE", "code": "501", "http_status": 409, "message": "重复订阅"}),
    ));
    calls.extend((0..4).map(|round| {
        call(
            "WEB3",
            at + round * HOUR / 2,
            &json!({"reason": if round == 0 { "NEW" } else { "RESUBSCRIBE" }}),
        )
    }));
    calls.push(call(
        "WEB4",
        at,
        &json!({"class": "ACCOUNT", "code": "601", "http_status": 401, "message": "KEY已过期"}),
    ));
    calls.push(call("WEB5", at, &json!({"class": "REJECTED", "code": "700", "http_status": 400, "message": "订阅方的订阅数据存在错误: 不支持的快递公司", "carrier": "nobody"})));

    let at = hours_ago(4);
    let again = json!({
        "carrier": "nobody", "vendor_carrier": "wuming", "former_carriers": ["yuantong"], "round": 2, "attempt": 3,
        "since": time(at + 600), "first_push_at": time(hours_ago(3)), "calls.month": [month_of(hours_ago(0))],
    });
    subscriptions.push(subscription(ODD_NUMBER, at, Some(2), &again));
    let tries = [
        json!({"class": "RETRY", "code": "500", "message": "服务器错误", "reason": "RESUBSCRIBE", "duration_ms": 400}),
        json!({"class": "UNKNOWN", "code": null, "http_status": null, "message": null, "reason": "RETRY", "duration_ms": 10_000}),
        json!({"reason": "IN_DOUBT", "duration_ms": 100}),
    ];
    for (minutes, changes) in [0, 1, 10].into_iter().zip(&tries) {
        let of = merged(json!({"carrier": "nobody", "vendor_carrier": "wuming"}), changes);
        calls.push(call(ODD_NUMBER, at + minutes * 60, &of));
    }

    let fresh = json!({"vendor": "kdniao", "account": "demo", "carrier": "jt", "vendor_carrier": "JTSD", "api": "kdniao_cross_border", "state": "REQUESTED", "attempt": 0});
    subscriptions.push(subscription("JTNEW", hours_ago(1), None, &fresh));
}

fn audits(calls: &mut Vec<Value>) {
    let at = hours_ago(240);
    let jt = ["JT3", "JT4", "JT5"].into_iter().zip([20, 12, 8]);
    let jt = jt.flat_map(|(prefix, count)| (0..count).map(move |number| format!("{prefix}{number:03}")));
    let of_jt = json!({"vendor": "kdniao", "api": "kdniao_cross_border", "carrier": "jt", "vendor_carrier": "JTSD", "code": null});
    let of_sf = json!({"carrier": "sf", "vendor_carrier": "shunfeng"});
    let sf = (0..10).map(|number| format!("SF0{number:03}"));
    let audit = json!({"account": "demo", "kind": "QUERY", "reason": "AUDIT", "items": 3, "message": null});
    for (numbers, of) in [(jt.collect::<Vec<_>>(), of_jt), (sf.collect(), of_sf)] {
        calls.extend(
            numbers
                .iter()
                .map(|number| call(number, at, &merged(of.clone(), &audit))),
        );
    }
}
