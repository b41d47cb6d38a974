//! The endpoints about subscriptions and calls of the vendors.

mod data;

use serde_json::{Value, json};

pub(super) use self::data::{ACCOUNTS, insert};
use self::data::{hours_ago, month_of};
use super::data::{ODD_NUMBER, pickup_day, today};
use super::{columns, shared};

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
