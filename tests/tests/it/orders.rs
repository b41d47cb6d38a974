//! An order from the callback URL or the payload to its page's API: several parcels, some delivered.

use std::fs;

use courierflow_schemas::records::{SubscriptionState, Vendor};
use courierflow_tests::measures::{self, insert_shipments};
use courierflow_tests::oracle::ShipmentRow;
use courierflow_tests::simulator::vendors::{kdniao, kuaidi100};
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::{Value, json};

use crate::harness::{
    agent, metric, migrated, post, processor, ready, tables, topics, wait_until_in_tables, with_tables,
};

/// The accounts of this test: `shop` of both vendors, each with its own place of references, and one that looks for none.
const ACCOUNTS: &str = r#"
[[ingest.accounts]]
name = "shop"
vendor = "kuaidi100"
salts = ["courierflow-demo-salt"]
reference = "query:orderId"

[[ingest.accounts]]
name = "silent"
vendor = "kuaidi100"
salts = ["courierflow-demo-salt"]

[[ingest.accounts]]
name = "shop"
vendor = "kdniao"
business_id = "1000001"
app_keys = ["courierflow-demo-app-key"]
reference = "CallBack"
reference_pattern = "order=([A-Z]+-[0-9]+)"
"#;

fn push_kuaidi100(ingest: &Service, account_and_query: &str, number: &str, codes: &[&str]) {
    let lines = codes.iter().enumerate().rev().map(|(hour, code)| {
        json!({"context": format!("第{hour}条"), "ftime": format!("2026-08-01 {:02}:00:00", 10 + hour), "statusCode": code,
               "areaName": "广东,深圳市", "location": "深圳龙华营业点"})
    });
    let abroad = json!({"nu": format!("AB{number}"), "com": "usps", "state": "0", "data": []});
    let payload = json!({"status": "polling", "destResult": abroad,
        "lastResult": {"nu": number, "com": "yunda", "state": "0", "ischeck": "0", "data": lines.collect::<Vec<_>>()}});
    let (content_type, body) = kuaidi100::body(&payload.to_string(), kuaidi100::Shape::SignedForm, Some(post::SALT));
    let path = format!("/v1/push/kuaidi100/{account_and_query}");
    post::assert_success(
        Vendor::Kuaidi100,
        &post::post(&ingest.url(), &path, content_type, &body),
    );
}

fn push_kdniao(ingest: &Service, number: &str, call_back: &str) {
    let data = json!({"EBusinessID": "1000001", "Count": "1", "PushTime": "2026-08-01 12:00:00", "Data": [{
        "ShipperCode": "YTO", "LogisticCode": number, "Success": true, "State": "2", "CallBack": call_back,
        "Traces": [{"AcceptTime": "2026-08-01 10:00:00", "AcceptStation": "已揽收", "Action": "1"}]}]});
    let (content_type, body) = kdniao::body(
        &data.to_string(),
        kdniao::Product::ValueAdded,
        kdniao::Shape::SignedForm,
        Some(post::APP_KEY),
    );
    let answer = post::post(&ingest.url(), "/v1/push/kdniao/shop", content_type, &body);
    post::assert_success(Vendor::Kdniao, &answer);
}

fn looked_for(ingest: &Service, vendor: &str, outcome: &str) -> f64 {
    let labels = format!(r#"vendor="{vendor}",account="shop",outcome="{outcome}""#);
    metric(ingest, &format!("courierflow_ingest_references_total{{{labels}}}")).unwrap()
}

fn ask(dashboard: &Service, path: &str) -> Value {
    let url = format!("{}/api/v1/{path}", dashboard.url());
    let mut answer = agent().get(&url).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

#[test]
fn from_the_push_to_the_order() {
    let stack = migrated("orders");
    let file = fs::canonicalize(stack.dir()).unwrap().join("orders.toml");
    fs::write(&file, ACCOUNTS).unwrap();
    let ingest = ready(&Launch::ingest().config(&file), "ingest", &stack);
    let processor = ready(&processor("run", &stack), "processor", &stack);

    let delivered = ["103", "0", "5", "3"];
    push_kuaidi100(&ingest, "shop?orderId=SO-17", "ORDER1", &delivered);
    push_kuaidi100(&ingest, "shop?x=1&orderId=SO-17", "ORDER2", &["103", "0"]);
    push_kuaidi100(&ingest, "shop?orderId=SO%2018", "ORDER3", &["103"]);
    push_kuaidi100(&ingest, "shop", "ORDER4", &["103"]);
    push_kuaidi100(&ingest, "silent?orderId=SO-17", "ORDER5", &["103"]);
    push_kdniao(&ingest, "ORDER6", "shop=4|order=SO-17|手机13812345678");
    push_kdniao(&ingest, "ORDER7", "张三");
    subscribed(&stack, "ORDER8", "SO-17", SubscriptionState::Active);
    subscribed(&stack, "ORDER9", "SO-17", SubscriptionState::Cancelled);
    // Its pushes do not name the order, but it was subscribed under it.
    subscribed(&stack, "ORDER4", "SO-17", SubscriptionState::Active);
    wait_until_in_tables(&stack);

    assert_eq!(
        topics::pushes_of(&stack, "ORDER1")[0].reference.as_deref(),
        Some("SO-17")
    );
    assert_eq!(topics::pushes_of(&stack, "ORDER5")[0].reference, None);
    let event = &topics::pushes_of(&stack, "ORDER6")[0];
    assert_eq!(event.reference.as_deref(), Some("SO-17"));
    assert!(
        !format!("{:?}", tables::pushes_of(&stack, "ORDER6")).contains("138"),
        "nothing else of that text"
    );
    for (vendor, outcome, count) in [
        ("kuaidi100", "found", 2.0),
        ("kuaidi100", "unfit", 1.0),
        ("kuaidi100", "nothing", 1.0),
        ("kdniao", "found", 1.0),
        ("kdniao", "unfit", 1.0),
    ] {
        let counted = looked_for(&ingest, vendor, outcome);
        assert!((counted - count).abs() < 0.5, "{vendor} {outcome}: {counted}");
    }

    let row = &tables::pushes_of(&stack, "ORDER6")[0];
    let sent = "2026-08-01T04:00:00Z".parse::<jiff::Timestamp>().unwrap();
    assert_eq!(
        (row.push_time, row.reference.as_deref()),
        (Some(sent.as_second()), Some("SO-17"))
    );
    let shipment = &tables::shipments_of(&stack, "ORDER1")[0];
    assert_eq!(shipment.event[0].area.as_deref(), Some("广东,深圳市"));
    assert_eq!(shipment.event[0].location.as_deref(), Some("深圳龙华营业点"));
    assert_eq!(
        (shipment.dest_carrier.as_deref(), shipment.dest_number.as_deref()),
        (Some("usps"), Some("ABORDER1"))
    );

    let orders = tables::rows(
        &stack,
        "SELECT vendor, state, parcels, delivered, open, untold, tracking_numbers, toString(last_delivered_at) AS last_delivered_at
         FROM courier.order_shipments WHERE reference = 'SO-17' ORDER BY vendor",
    );
    let counts = |row: &Value| ["parcels", "delivered", "open", "untold"].map(|name| row[name].as_u64().unwrap());
    assert_eq!(orders.len(), 2, "each contract has its own: {orders:?}");
    assert_eq!(
        (orders[0]["state"].as_str(), counts(&orders[0])),
        (Some("OPEN"), [1, 0, 1, 0])
    );
    assert_eq!(
        (orders[1]["state"].as_str(), counts(&orders[1])),
        (Some("PART_DELIVERED"), [4, 1, 3, 1])
    );
    assert_eq!(orders[1]["last_delivered_at"], "2026-08-01 05:00:00");
    let numbers = json!(["ORDER1", "ORDER2", "ORDER4", "ORDER8"]);
    assert_eq!(
        orders[1]["tracking_numbers"], numbers,
        "not what is of another account, or was rejected"
    );

    let answer = ask(&processor, "order?reference=SO-17");
    assert_eq!(answer["rows"][1]["state"], "PART_DELIVERED");
    let outcomes: Vec<_> = answer["parcels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["OPEN", "OPEN", "OPEN", "UNTOLD", "DELIVERED"]);
    assert_eq!(ask(&processor, "order?reference=SO-18")["rows"], json!([]));
    assert_eq!(
        ask(&processor, "order?reference=SO-17&account=nobody")["rows"],
        json!([])
    );
    let parcel = ask(&processor, "parcel?number=ORDER1");
    assert_eq!(parcel["rows"][0]["reference"], "SO-17");
    // By the number that the carrier abroad has given it.
    let found = ask(&processor, "parcel?number=aborder1");
    assert_eq!(
        (found["rows"].clone(), found["abroad"][0]["tracking_number"].clone()),
        (json!([]), json!("ORDER1"))
    );
    assert_found_by_index(&stack);
}

/// Looking an order up reads the granules that the index names, not the whole table.
fn assert_found_by_index(stack: &dyn Stack) {
    for (sql, index) in [
        (
            "SELECT * FROM courier.order_shipments WHERE reference = 'SO-17'",
            "reference_bloom",
        ),
        (
            "SELECT * FROM courier.shipment FINAL WHERE dest_number = 'ABORDER1'",
            "dest_number_bloom",
        ),
    ] {
        let plan = tables::rows(stack, &format!("SELECT explain FROM (EXPLAIN indexes = 1 {sql})"));
        let plan: Vec<_> = plan.iter().map(|row| row["explain"].as_str().unwrap()).collect();
        assert!(plan.join("\n").contains(index), "{}", plan.join("\n"));
    }
}

/// A subscription of the account `shop` under the name of an order, as `processor subscribe` would have it.
fn subscribed(stack: &dyn Stack, number: &str, reference: &str, state: SubscriptionState) {
    tables::execute(
        stack,
        &format!(
            "INSERT INTO courier.subscription (vendor, account, tracking_number, carrier, version, state, reference, requested_at)
             VALUES ('kuaidi100', 'shop', '{number}', 'yunda', 1, '{}', '{reference}', toDateTime64({SUBSCRIBED_AT}, 6))",
            state.as_str()
        ),
    );
}

/// One parcel of an order, as it must stand in the view.
fn outcome_of(stack: &dyn Stack, reference: &str) -> Vec<(String, String)> {
    let sql =
        format!("SELECT tracking_number, outcome FROM courier.order_parcel WHERE reference = '{reference}' ORDER BY 1");
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = tables::rows(stack, &sql);
    rows.iter()
        .map(|row| (text(row, "tracking_number"), text(row, "outcome")))
        .collect()
}

const DAY: i64 = 86_400;

/// A row of `shipment` of the account `shop`, last pushed so many days before the subscriptions of this test.
fn told(number: &str, carrier: &str, days_before: i64) -> ShipmentRow {
    ShipmentRow {
        account: "shop".to_owned(),
        ..measures::shipment_at(carrier, number, SUBSCRIBED_AT - days_before * DAY)
    }
}

/// When `subscribed` says that everything was asked for.
const SUBSCRIBED_AT: i64 = 1_785_000_000;

#[test]
fn what_is_told_of_a_number_belongs_to_the_order_that_it_was_subscribed_under_only_since_then() {
    let stack = with_tables("order-rows");
    let delivered = |row: ShipmentRow| ShipmentRow {
        delivered_at: Some(row.received_at / 1_000_000 - 3600),
        ..row
    };
    let of = |reference: &str, row: ShipmentRow| ShipmentRow {
        reference: Some(reference.to_owned()),
        ..row
    };
    let corrected = |row: ShipmentRow| ShipmentRow {
        tracking_state: "CARRIER_CORRECTED".to_owned(),
        ..row
    };
    let foreign = |row: ShipmentRow| ShipmentRow {
        account: "other".to_owned(),
        ..row
    };
    let rows = [
        // An older life, with and without an order of its own.
        delivered(told("OLD", "yunda", 200)),
        delivered(of("FORMER", told("COLD", "yunda", 200))),
        delivered(of("AGAIN", told("TWICE", "yunda", 200))),
        // Another carrier's parcel, and another account's.
        delivered(told("OTHER", "sto", -1)),
        delivered(foreign(told("FOREIGN", "yunda", -1))),
        // What was pushed since.
        delivered(told("SINCE", "yunda", -2)),
        delivered(of("PUSHED", told("BOTH", "yunda", -2))),
        told("STOPPED", "yunda", -2),
        // Corrected: until the right carrier is told of, and then.
        corrected(of("LONELY", told("MOVED", "yunda", -1))),
        corrected(of("RIGHT", told("WENT", "yunda", -1))),
        delivered(of("RIGHT", told("WENT", "sto", -2))),
    ];
    tables::execute(&stack, &insert_shipments("courier", &rows));
    for (number, reference, state) in [
        ("OLD", "S-OLD", SubscriptionState::Active),
        ("COLD", "S-COLD", SubscriptionState::Active),
        ("TWICE", "AGAIN", SubscriptionState::Active),
        ("OTHER", "S-OTHER", SubscriptionState::Active),
        ("FOREIGN", "S-FOREIGN", SubscriptionState::Active),
        ("SINCE", "S-SINCE", SubscriptionState::Ended),
        ("BOTH", "S-BOTH", SubscriptionState::Active),
        ("STOPPED", "S-STOPPED", SubscriptionState::Cancelled),
        ("NEVER", "S-STOPPED", SubscriptionState::Cancelled),
        ("REFUSED", "S-REFUSED", SubscriptionState::Rejected),
    ] {
        subscribed(&stack, number, reference, state);
    }
    for (reference, number, outcome) in [
        ("S-OLD", "OLD", "UNTOLD"),
        ("S-COLD", "COLD", "UNTOLD"),
        ("FORMER", "COLD", "DELIVERED"),
        ("AGAIN", "TWICE", "UNTOLD"),
        ("S-OTHER", "OTHER", "UNTOLD"),
        ("S-FOREIGN", "FOREIGN", "UNTOLD"),
        ("S-SINCE", "SINCE", "DELIVERED"),
        ("S-BOTH", "BOTH", "DELIVERED"),
        ("PUSHED", "BOTH", "DELIVERED"),
        ("S-STOPPED", "STOPPED", "OPEN"),
        ("LONELY", "MOVED", "CORRECTED"),
        ("RIGHT", "WENT", "DELIVERED"),
        ("S-REFUSED", "REFUSED", "UNTOLD"),
    ] {
        assert_eq!(
            outcome_of(&stack, reference),
            [(number.to_owned(), outcome.to_owned())],
            "{reference}"
        );
    }
    let lonely = "SELECT state, open FROM courier.order_shipments WHERE reference = 'LONELY'";
    assert_eq!(tables::rows(&stack, lonely)[0]["state"], "OPEN");
}
