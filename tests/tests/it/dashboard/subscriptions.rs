//! Subscriptions and calls whose figures can be worked out by hand, and the endpoints about them. The parcels are those of
//! [`super::data`]; the account is kuaidi100's unless another is named:
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

use super::data::{ODD_NUMBER, noon, pickup_day, time, today};
use super::{columns, shared};
use crate::harness::tables;

/// `[[subscribe.accounts]]` of the dashboard: a unit of the account web costs something.
pub(super) const ACCOUNTS: &str = r#"[{name="web",vendor="kuaidi100",api="kuaidi100_enterprise",price=0.5},{name="demo",vendor="kdniao",api="kdniao_cross_border"}]"#;

const HOUR: i64 = 3600;

/// The same for all rows, however long inserting takes.
fn hours_ago(hours: i64) -> i64 {
    static NOW: LazyLock<i64> = LazyLock::new(|| Timestamp::now().as_second());
    *NOW - hours * HOUR
}

fn month_of(seconds: i64) -> i64 {
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
pub(super) fn insert(stack: &dyn Stack) {
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

/// Rows of the account.
fn of_account(rows: &Value, account: &str, names: &[&str]) -> Vec<Value> {
    let rows = rows.as_array().unwrap().iter();
    let rows: Vec<&Value> = rows
        .filter(|row| row["account"] == account && row["vendor"] == "kuaidi100")
        .collect();
    columns(&json!(rows), names)
}

#[test]
fn subscriptions_that_need_somebody_and_where_all_of_them_stand() {
    let dashboard = shared();
    let answer = dashboard.ask("subscriptions", "");
    let attention = ["attention", "tracking_number", "state", "reason", "code"];
    assert_eq!(
        columns(&answer["rows"], &attention),
        [
            json!(["NO_FIRST_PUSH", "WEB1", "ACTIVE", null, null]),
            json!(["FOREIGN", "WEB2", "FALLBACK", "FOREIGN", "501"]),
            json!(["QUOTA", "WEB3", "QUOTA", "QUOTA", null]),
            json!(["ACCOUNT_STOPPED", "WEB4", "WAITING", "ACCOUNT_STOPPED", "601"]),
            json!(["REJECTED", "WEB5", "REJECTED", "UNKNOWN_CARRIER", "700"]),
        ],
        "the longest in their state first"
    );
    assert_eq!(
        columns(
            &answer["states"],
            &["vendor", "account", "carrier", "state", "reason", "subscriptions"]
        ),
        [
            json!(["kuaidi100", "demo", "sf", "ENDED", null, 40]),
            json!(["kuaidi100", "demo", "zto", "ENDED", null, 30]),
            json!(["kuaidi100", "demo", "zto", "ACTIVE", null, 10]),
            json!(["kdniao", "demo", "jt", "REQUESTED", null, 1]),
            json!(["kuaidi100", "web", "nobody", "ACTIVE", null, 1]),
            json!(["kuaidi100", "web", "nobody", "REJECTED", "UNKNOWN_CARRIER", 1]),
            json!(["kuaidi100", "web", "yto", "ACTIVE", null, 1]),
            json!(["kuaidi100", "web", "yto", "FALLBACK", "FOREIGN", 1]),
            json!(["kuaidi100", "web", "yto", "QUOTA", "QUOTA", 1]),
            json!(["kuaidi100", "web", "yto", "WAITING", "ACCOUNT_STOPPED", 1]),
        ]
    );
    for (query, numbers, counts, states) in [
        ("limit=2", vec!["WEB1", "WEB2"], 5, 10),
        // The counts say what else there is.
        ("attention=QUOTA", vec!["WEB3"], 5, 10),
        ("account=demo", vec![], 0, 4),
        ("vendor=kdniao", vec![], 0, 1),
        ("account=web&carrier=nobody", vec!["WEB5"], 1, 2),
    ] {
        let answer = dashboard.ask("subscriptions", query);
        let found: Vec<&str> = answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["tracking_number"].as_str().unwrap())
            .collect();
        assert_eq!(found, numbers, "{query}");
        let sizes = ["counts", "states"].map(|key| answer[key].as_array().unwrap().len());
        assert_eq!(sizes, [counts, states], "{query}");
    }
    let nothing = dashboard.ask("subscriptions", "account=nosuch&attention=QUOTA");
    assert_eq!(
        nothing["explanation"],
        "there is nothing for account nosuch, attention QUOTA"
    );
}

#[test]
fn the_subscription_of_a_parcel_and_its_calls() {
    let dashboard = shared();
    let quoted: String = form_urlencoded::byte_serialize(ODD_NUMBER.to_lowercase().as_bytes()).collect();
    let answer = dashboard.ask("subscription", &format!("number={quoted}"));
    let names = [
        "tracking_number",
        "account",
        "state",
        "reason",
        "round",
        "attempt",
        "former_carriers",
        "reference",
    ];
    assert_eq!(
        columns(&answer["rows"], &names),
        [json!([
            ODD_NUMBER,
            "web",
            "ACTIVE",
            null,
            2,
            3,
            ["yuantong"],
            format!("order-{ODD_NUMBER}")
        ])]
    );
    assert_eq!(
        columns(&answer["rows"][0]["calls"], &["month", "accepted"]),
        [json!([month_of(hours_ago(0)), 2])]
    );

    let calls = |query: &str| {
        let answer = dashboard.ask("vendor-calls", &format!("number={quoted}{query}"));
        columns(&answer["rows"], &["kind", "reason", "class", "code", "duration_ms"])
    };
    let newest = json!(["SUBSCRIBE", "IN_DOUBT", "DONE", "200", 100]);
    assert_eq!(
        calls(""),
        [
            newest.clone(),
            json!(["SUBSCRIBE", "RETRY", "UNKNOWN", null, 10_000]),
            json!(["SUBSCRIBE", "RESUBSCRIBE", "RETRY", "500", 400]),
        ]
    );
    assert_eq!(calls("&limit=1"), [newest]);
    assert_eq!(
        dashboard.ask("vendor-calls", "number=NOSUCH")["explanation"],
        "there is nothing for number NOSUCH"
    );
}

#[test]
fn coverage_by_day_and_by_account() {
    let dashboard = shared();
    let answer = dashboard.ask("coverage", "");
    let counts = [
        "vendor",
        "account",
        "requested",
        "accepted",
        "due",
        "first_push_24h_share",
        "aborted",
        "without_shipment",
        "shipments",
        "shipments_unsubscribed",
    ];
    assert_eq!(
        columns(&answer["accounts"], &counts),
        [
            json!(["kuaidi100", "demo", 80, 80, 80, 0.625, 0, 0, 161, 80]),
            json!(["kuaidi100", "web", 6, 3, 2, 0.5, 2, 2, 0, 0]),
            json!(["kdniao", "demo", 1, 0, 0, null, 0, 0, 40, 40]),
        ]
    );
    // 50 of 80: Wilson, worked out by hand.
    let demo = &answer["accounts"][0];
    for (name, expected) in [("first_push_24h_low", 0.5155), ("first_push_24h_high", 0.7231)] {
        let actual = demo[name].as_f64().unwrap();
        assert!((actual - expected).abs() < 5e-5, "{name}: {actual}");
    }
    let day = pickup_day().to_string();
    let days = [
        "day",
        "requested",
        "first_push_24h_share",
        "first_push_p50_hours",
        "first_push_p95_hours",
        "shipments",
    ];
    assert_eq!(
        columns(
            &dashboard.ask("coverage", "vendor=kuaidi100&account=demo")["days"],
            &days
        )[0],
        json!([day, 80, 0.625, 2, 30, 80])
    );
    let nobody = dashboard.ask("coverage", "account=nosuch");
    assert_eq!((&nobody["accounts"], &nobody["days"]), (&json!([]), &json!([])));
}

#[test]
fn quota_cost_and_answers_of_an_account() {
    let dashboard = shared();
    let web = "vendor=kuaidi100&account=web";
    let quota = dashboard.ask("quota", web);
    // WEB1 was accepted two days ago, perhaps last month.
    let numbers = |name: &str| -> u64 {
        quota["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[name].as_u64().unwrap())
            .sum()
    };
    assert_eq!(
        [
            "numbers",
            "accepted_1",
            "accepted_2",
            "accepted_3",
            "accepted_4",
            "accepted"
        ]
        .map(numbers),
        [3, 1, 1, 0, 1, 7]
    );
    assert_eq!(quota["rows"][0]["month"], month_of(hours_ago(0)));

    let cost = dashboard.ask("cost", web);
    let sum = |name: &str| -> u64 {
        cost["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[name].as_u64().unwrap())
            .sum()
    };
    assert_eq!(["calls", "accepted", "units"].map(sum), [11, 6, 3]);
    assert_eq!(
        of_account(&dashboard.ask("cost", "carrier=ems")["rows"], "web", &["calls"]),
        [] as [Value; 0]
    );
    let prices = columns(
        &dashboard.ask("catalog", "")["accounts"],
        &["vendor", "account", "price"],
    );
    assert_eq!(
        prices,
        [json!(["kuaidi100", "web", 0.5]), json!(["kdniao", "demo", null])]
    );

    let answers = dashboard.ask("vendor-answers", web);
    assert_eq!(
        columns(
            &answers["codes"],
            &["kind", "class", "code", "calls", "p50_ms", "p95_ms"]
        ),
        [
            json!(["SUBSCRIBE", "DONE", "200", 6, 200, 200]),
            json!(["SUBSCRIBE", "ACCOUNT", "601", 1, 200, 200]),
            json!(["SUBSCRIBE", "DUPLICATE", "501", 1, 200, 200]),
            json!(["SUBSCRIBE", "REJECTED", "700", 1, 200, 200]),
            json!(["SUBSCRIBE", "RETRY", "500", 1, 400, 400]),
            json!(["SUBSCRIBE", "UNKNOWN", null, 1, 10_000, 10_000]),
        ]
    );
    let day = pickup_day();
    let one_day = dashboard.ask("vendor-answers", &format!("from={day}&to={day}"));
    assert_eq!(
        columns(&one_day["days"], &["call_date", "account", "calls"]),
        [json!([day.to_string(), "demo", 80])]
    );
    let before = day.yesterday().unwrap();
    let nothing = dashboard.ask("vendor-answers", &format!("from={before}&to={before}&account=web"));
    assert_eq!(
        nothing["explanation"],
        format!("there is nothing for days from {before} to {before}, account web")
    );
}

#[test]
fn what_pushes_missed_with_its_interval() {
    let dashboard = shared();
    let answer = dashboard.ask("completeness", "");
    let counts = [
        "vendor",
        "carrier",
        "audited",
        "with_missed",
        "with_missed_share",
        "events",
        "missed",
        "missed_share",
    ];
    let jt = json!(["kdniao", "jt", 40, 8, 0.2, 100, 8, 0.08]);
    let sf = json!(["kuaidi100", "sf", 10, 0, 0, 40, 0, 0]);
    assert_eq!(columns(&answer["rows"], &counts), [jt, sf.clone()]);
    // 8 of 40: Wilson, worked out by hand.
    for (name, expected) in [("with_missed_low", 0.1050), ("with_missed_high", 0.3476)] {
        let actual = answer["rows"][0][name].as_f64().unwrap();
        assert!((actual - expected).abs() < 5e-5, "{name}: {actual}");
    }
    assert_eq!(
        columns(&dashboard.ask("completeness", "carrier=sf")["rows"], &counts),
        [sf]
    );
    let days = format!("from={}&to={}", pickup_day(), today());
    assert_eq!(
        dashboard.ask("completeness", &days)["rows"].as_array().unwrap().len(),
        2
    );
}
