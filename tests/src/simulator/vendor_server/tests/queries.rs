//! Queries: shape, order, limits, caches.

use serde_json::{Value, json};

use super::Vendors;
use crate::simulator::clock::{DAY, HOUR};

/// A parcel of Yuantong that has arrived by the sixth day, and the vendors at that time.
async fn arrived() -> (Vendors, Value) {
    let vendors = Vendors::start().await;
    vendors.advance(12 * DAY).await;
    let parcels = vendors.parcels("Domestic").await;
    let mut arrived = parcels
        .into_iter()
        .filter(|parcel| parcel["carrier"] == "yto" && parcel["is_over"] == true);
    let parcel = arrived.next().unwrap();
    (vendors, parcel)
}

fn times(answer: &Value) -> Vec<&str> {
    let data = answer["data"].as_array().unwrap();
    data.iter().map(|item| item["ftime"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_answer_has_the_shape_of_the_document_in_the_order_that_is_asked_for() {
    let (vendors, parcel) = arrived().await;
    let number = &parcel["tracking_number"];
    let query = |order: &str, result_v2: Value| json!({"com": "yuantong", "num": number, "phone": "", "resultv2": result_v2, "show": "0", "order": order});
    let descending = vendors.query(&query("desc", 4.into())).await;
    assert_eq!((&descending["status"], &descending["nu"]), (&json!("200"), number));
    assert!(descending.get("returnCode").is_none() && descending.get("lastResult").is_none());
    assert_eq!(descending["state"], descending["data"][0]["statusCode"]);
    let ascending = vendors.query(&query("asc", "4".into())).await;
    let mut times_ascending = times(&ascending);
    assert!(times_ascending.is_sorted());
    times_ascending.reverse();
    assert_eq!(times(&descending), times_ascending);
    assert_eq!(times(&descending).len() as u64, parcel["lines"].as_u64().unwrap());
    let plain = vendors.query(&query("desc", Value::Null)).await;
    assert!(plain["data"][0].get("status").is_none());
}

#[tokio::test]
async fn every_failure_of_a_query_has_its_code() {
    let (vendors, parcel) = arrived().await;
    let number = parcel["tracking_number"].as_str().unwrap();
    for (case, com, num, code) in [
        ("carrier not in the list", "nobody", number, "401"),
        ("no carrier", "", number, "400"),
        ("no number", "yuantong", "", "400"),
        ("sf without phone", "shunfeng", "SF0000000000001", "408"),
        ("a number of nobody", "yuantong", "YT0000000000001", "500"),
        ("another carrier's number", "zhongtong", number, "500"),
    ] {
        let answer = vendors.query(&json!({"com": com, "num": num})).await;
        assert_eq!(
            (&answer["returnCode"], &answer["result"]),
            (&json!(code), &json!(false)),
            "{case}"
        );
    }
    let fields = [
        ("customer", "CUSTOMER"),
        ("sign", "0"),
        ("param", r#"{"com":"yuantong","num":"YT0000000000001"}"#),
    ];
    let (_, answer) = vendors.form("/poll/query.do", &fields).await;
    assert_eq!(answer["returnCode"], "503");
    let fields = [
        ("customer", "CUSTOMER"),
        ("sign", "44D23543466635E993984157E23828A3"),
        fields[2],
    ];
    let (_, answer) = vendors.form("/poll/query.do", &fields).await;
    assert_eq!(answer["returnCode"], "500", "the vector of the signature");
}

#[tokio::test]
async fn a_wrong_number_is_charged_at_the_fifth_query_and_five_without_carrier_begin_to_guess() {
    let (vendors, parcel) = arrived().await;
    for query in 1..=5 {
        vendors
            .query(&json!({"com": "yuantong", "num": "YT0000000000001"}))
            .await;
        let units = vendors.counted("YT0000000000001").await["units"].clone();
        assert_eq!(units, u64::from(query == 5), "query {query}");
    }
    let mut codes = Vec::new();
    for _ in 0..5 {
        let answer = vendors
            .query(&json!({"com": "", "num": parcel["tracking_number"]}))
            .await;
        codes.push(answer["returnCode"].as_str().map(str::to_owned));
    }
    let code = || Some("400".to_owned());
    assert_eq!(codes, [code(), code(), code(), code(), None]);
}

#[tokio::test]
async fn within_half_an_hour_and_after_48_a_day_the_old_answer_comes() {
    let vendors = Vendors::start().await;
    // Every half hour for five days: the number is locked on the second, and has grown since.
    let parcels = vendors.parcels("Domestic").await;
    let parcel = parcels.iter().find(|parcel| parcel["carrier"] == "yto").unwrap();
    let query = json!({"com": "yuantong", "num": parcel["tracking_number"], "resultv2": "1"});
    while vendors.query(&query).await["status"] != "200" {
        vendors.advance(4 * HOUR).await;
    }
    let number = parcel["tracking_number"].as_str().unwrap();
    vendors.query(&query).await;
    assert_eq!(vendors.counted(number).await["queries_too_soon"], 1);
    for _ in 0..100 {
        vendors.advance(DAY / 50).await;
        vendors.query(&query).await;
    }
    let counts = vendors.counted(number).await;
    assert!(counts["queries_locked"].as_u64() > Some(40), "{counts:?}");
    assert_eq!(counts["units"], 1);
}

#[tokio::test]
async fn an_answer_from_a_cache_is_hours_old() {
    let vendors = Vendors::start().await;
    vendors.advance(3 * DAY).await;
    let fresh_before: Vec<(String, u64)> = open(&vendors).await;
    vendors.faults(&json!({"stale_answers": 1.0, "stale_hours": 48})).await;
    vendors.advance(2 * DAY).await;
    let mut older = 0;
    for (number, lines) in fresh_before {
        let answer = vendors.query(&json!({"com": "yuantong", "num": number})).await;
        let told = answer["data"].as_array().map_or(0, Vec::len) as u64;
        assert_eq!(told, lines, "{number}");
        older += 1;
    }
    assert!(older > 3);
}

/// Numbers of Yuantong's parcels that have lines, and how many.
async fn open(vendors: &Vendors) -> Vec<(String, u64)> {
    let parcels = vendors.parcels("Domestic").await;
    let parcels = parcels
        .iter()
        .filter(|parcel| parcel["carrier"] == "yto" && parcel["lines"] != 0);
    let row = |parcel: &Value| {
        let number = parcel["tracking_number"].as_str().unwrap().to_owned();
        (number, parcel["lines"].as_u64().unwrap())
    };
    parcels.map(row).collect()
}

#[tokio::test]
async fn kdniao_tells_the_oldest_line_first_and_charges_only_what_it_finds() {
    let vendors = Vendors::start().await;
    vendors.advance(12 * DAY).await;
    let parcels = vendors.parcels("CrossBorder").await;
    let parcel = parcels.iter().find(|parcel| parcel["is_over"] == true).unwrap();
    let number = parcel["tracking_number"].as_str().unwrap();
    let data = json!({"ShipperCode": "COLISSIMO", "LogisticCode": number});
    vendors.faults(&json!({"empty_answers": 1.0})).await;
    let answer = vendors.packet("7101", &data).await;
    assert_eq!((&answer["State"], &answer["Traces"]), (&json!("0"), &json!([])));
    assert_eq!(vendors.counted(number).await["units"], 0);
    vendors.faults(&json!({"empty_answers": 0.0})).await;
    let answer = vendors.packet("7101", &data).await;
    assert_eq!(
        (&answer["Success"], &answer["State"], &answer["EBusinessID"]),
        (&json!(true), &json!("3"), &json!("1000001"))
    );
    let traces = answer["Traces"].as_array().unwrap();
    let times: Vec<_> = traces
        .iter()
        .map(|trace| trace["AcceptTime"].as_str().unwrap())
        .collect();
    assert!(times.len() > 3 && times.is_sorted(), "{times:?}");
    assert!(traces[0]["Timezone"].is_string());
    assert_eq!(vendors.counted(number).await["units"], 1);
}
