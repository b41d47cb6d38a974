//! What follows a subscription.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::receiver::{Arrived, Receiver};
use super::{APP_CODE, KEY, SALT, Vendors, param};
use crate::simulator::clock::{DAY, HOUR};

/// Pushes by the number that they are about.
fn by_number(pushes: Vec<Arrived>, number: &str) -> BTreeMap<String, Vec<Arrived>> {
    let mut by_number: BTreeMap<String, Vec<Arrived>> = BTreeMap::new();
    for push in pushes {
        let number = push.told.pointer(number).and_then(Value::as_str).unwrap().to_owned();
        by_number.entry(number).or_default().push(push);
    }
    by_number
}

fn lines(push: &Arrived, list: &str) -> usize {
    push.told.pointer(list).and_then(Value::as_array).unwrap().len()
}

#[tokio::test]
async fn pushes_are_signed_and_in_order_and_end_with_shutdown() {
    let receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let parcels = vendors.parcels("Domestic").await;
    for parcel in parcels.iter().take(40) {
        let number = parcel["tracking_number"].as_str().unwrap();
        let company = parcel["kuaidi100"].as_str().unwrap();
        let param = param(company, number, &receiver.url("kuaidi100"));
        assert_eq!(vendors.poll(&param).await.1, "200");
    }
    vendors.advance(14 * 60).await;
    assert_eq!(receiver.take().len(), 0, "the first look is after a quarter of an hour");
    vendors.advance(30 * DAY).await;
    let pushes = by_number(receiver.take(), "/lastResult/nu");
    let mut ended = 0;
    for parcel in vendors.parcels("Domestic").await.iter().take(40) {
        let Some(pushes) = pushes.get(parcel["tracking_number"].as_str().unwrap()) else {
            continue;
        };
        for push in pushes {
            assert_eq!(push.is_signed, Some(true));
            assert_eq!(push.query, "s=0123456789abcdef");
            assert_eq!(push.told["lastResult"]["com"], parcel["kuaidi100"]);
        }
        let told: Vec<_> = pushes.iter().map(|push| lines(push, "/lastResult/data")).collect();
        assert!(told.is_sorted(), "{told:?}");
        let statuses: Vec<_> = pushes
            .iter()
            .map(|push| push.told["status"].as_str().unwrap())
            .collect();
        let (last, before) = statuses.split_last().unwrap();
        assert!(before.iter().all(|status| *status == "polling"), "{statuses:?}");
        if parcel["is_over"] == true {
            assert_eq!(*last, "shutdown");
            assert_eq!(told.last().map(|lines| json!(lines)), Some(parcel["lines"].clone()));
            ended += 1;
        }
    }
    assert!(ended >= 20, "only {ended} were delivered");
    let total = &vendors.get("/ledger").await["total"];
    let arrived: usize = pushes.values().map(Vec::len).sum();
    assert_eq!(
        (&total["pushes_sent"], &total["pushes_answered"]),
        (&arrived.into(), &arrived.into())
    );
    vendors.stop().await;
}

#[tokio::test]
async fn a_number_of_nobody_is_given_up_and_a_wrong_carrier_is_corrected() {
    let receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let url = receiver.url("kuaidi100");
    assert_eq!(vendors.poll(&param("yuantong", "YT0000000000001", &url)).await.1, "200");
    let parcels = vendors.parcels("Domestic").await;
    let late = parcels
        .iter()
        .filter(|parcel| parcel["carrier"] == "sto" || parcel["carrier"] == "jd");
    let late: Vec<_> = late.take(8).collect();
    for (index, parcel) in late.iter().enumerate() {
        let number = parcel["tracking_number"].as_str().unwrap();
        let mut param = param("debangkuaidi", number, &url);
        // One half by the enterprise contract, the other by the marketplace.
        let answered = if index < 4 {
            vendors.poll(&param).await
        } else {
            param.as_object_mut().unwrap().remove("key");
            vendors.market("/poll", APP_CODE, &param).await
        };
        assert_eq!(answered.1, "200");
    }
    vendors.advance(20 * DAY).await;
    let pushes = by_number(receiver.take(), "/lastResult/nu");
    let unknown = &pushes["YT0000000000001"];
    assert_eq!(unknown.len(), 1);
    let told = &unknown[0].told;
    assert_eq!(
        (&told["status"], &told["message"]),
        (&json!("abort"), &json!("3天查询无记录"))
    );
    assert_eq!((&told["autoCheck"], &told["comNew"]), (&json!("0"), &json!("")));
    let mut corrected = 0;
    for (index, parcel) in late.iter().enumerate() {
        let number = parcel["tracking_number"].as_str().unwrap();
        let [abort, after @ ..] = pushes[number].as_slice() else {
            panic!("nothing was told")
        };
        assert_eq!(abort.told["status"], "abort");
        if abort.told["comNew"] == "" {
            // The right carrier did not know it either by then.
            continue;
        }
        corrected += 1;
        let old = if index < 4 { "" } else { "debangkuaidi" };
        assert_eq!(
            (&abort.told["comOld"], &abort.told["autoCheck"]),
            (&json!(old), &json!("0"))
        );
        assert_eq!(abort.told["comNew"], parcel["kuaidi100"]);
        assert!(!after.is_empty(), "it goes on");
        for push in after {
            assert_eq!(
                (&push.told["comOld"], &push.told["autoCheck"]),
                (&json!("debangkuaidi"), &json!("1"))
            );
            assert_eq!(push.told["comNew"], parcel["kuaidi100"]);
        }
        let counts = vendors.counted(number).await;
        assert_eq!((&counts["accepted"], &counts["corrected"]), (&1.into(), &1.into()));
    }
    assert!(corrected >= 4, "only {corrected} were corrected");
}

#[tokio::test]
async fn a_silent_parcel_is_given_up_after_sixty_days() {
    let receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let stale = vendors.parcels("Stale").await;
    let parcel = stale.first().expect("one of 300");
    let (number, company) = (&parcel["tracking_number"], &parcel["kuaidi100"]);
    let param = param(
        company.as_str().unwrap(),
        number.as_str().unwrap(),
        &receiver.url("kuaidi100"),
    );
    assert_eq!(vendors.poll(&param).await.1, "200");
    vendors.advance(DAY).await;
    let pushes = receiver.take();
    let told: Vec<_> = pushes
        .iter()
        .map(|push| (&push.told["status"], &push.told["message"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("polling"), &json!("变化")),
            (&json!("abort"), &json!("60天无变化"))
        ]
    );
}

#[tokio::test]
async fn auto_com_follows_the_carrier_of_the_number() {
    let receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let parcels = vendors.parcels("Domestic").await;
    let parcel = parcels.iter().find(|parcel| parcel["carrier"] == "yunda").unwrap();
    let mut param = param(
        "",
        parcel["tracking_number"].as_str().unwrap(),
        &receiver.url("kuaidi100"),
    );
    param["parameters"]["autoCom"] = "1".into();
    assert_eq!(vendors.poll(&param).await.1, "200");
    vendors.advance(30 * DAY).await;
    let pushes = receiver.take();
    assert!(!pushes.is_empty());
    assert!(pushes.iter().all(|push| push.told["lastResult"]["com"] == "yunda"));
}

#[tokio::test]
async fn each_product_has_its_own_shape() {
    let receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let url = receiver.url("kuaidi100");
    let parcels = vendors.parcels("Domestic").await;
    let mut parcels = parcels.iter().filter(|parcel| parcel["carrier"] == "yto");
    let mut next = |result_v2: &str, salt: &str| {
        let number = parcels.next().unwrap()["tracking_number"].as_str().unwrap().to_owned();
        let mut param = param("yuantong", &number, &url);
        param["parameters"]["resultv2"] = result_v2.into();
        param["parameters"]["salt"] = salt.into();
        (number, param)
    };
    let (plain, param) = next("", SALT);
    vendors.poll(&param).await;
    let (forecast, param) = next("8", SALT);
    vendors.poll(&param).await;
    let (map, param) = next("7", SALT);
    vendors.form("/pollmap", &[("param", &param.to_string())]).await;
    let (flat, param) = next("4", "");
    vendors.market("/poll", APP_CODE, &param).await;
    let international = vendors.parcels("International").await[0]["tracking_number"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut param = super::param("ems", &international, &url);
    param["parameters"]["interCom"] = "1".into();
    vendors.poll(&param).await;
    vendors.advance(30 * DAY).await;
    let arrived = receiver.take();
    let last = |number: &str| {
        let of_number = arrived.iter().rfind(|push| push.told["lastResult"]["nu"] == number);
        of_number.unwrap_or_else(|| panic!("nothing about {number}")).clone()
    };
    let item = |push: &Arrived, member: &str| push.told["lastResult"]["data"][0].get(member).is_some();
    let push = last(&plain);
    assert!(!item(&push, "status") && !item(&push, "statusCode"));
    let push = last(&forecast);
    assert!(item(&push, "statusCode") && push.told["lastResult"]["predictedRoute"].is_array());
    let push = last(&map);
    let trail = push.told["lastResult"]["trailUrl"].as_str();
    assert!(trail.is_some() && push.told["lastResult"]["predictedRoute"][0]["location"].is_string());
    let push = last(&international);
    assert!(push.told["destResult"]["data"].is_array() && push.told.get("comNew").is_none());
    let unsigned: Vec<_> = arrived.iter().filter(|push| push.is_signed.is_none()).collect();
    assert!(!unsigned.is_empty(), "the marketplace without a salt");
    assert!(unsigned.iter().all(|push| {
        push.told["lastResult"]
            .as_str()
            .is_some_and(|result| result.contains(&flat))
    }));
}

#[tokio::test]
async fn a_callback_that_is_away_is_called_three_times_more_then_given_up() {
    let mut receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let param = param("yuantong", "YT0000000000001", &receiver.url("kuaidi100"));
    assert_eq!(vendors.poll(&param).await.1, "200");
    receiver.go_away().await;
    // The abort after three days is the only push.
    while vendors.get("/ledger").await["active"] == 1 {
        vendors.advance(900).await;
    }
    let attempts = async || vendors.counted("YT0000000000001").await["push_attempts"].clone();
    assert_eq!(attempts().await, 1);
    vendors.advance(29 * 60).await;
    assert_eq!(attempts().await, 1, "not before half an hour");
    vendors.advance(2 * 60).await;
    assert_eq!(attempts().await, 2);
    receiver.come_back().await;
    receiver.refuse(true);
    vendors.advance(31 * 60).await;
    assert_eq!(
        (attempts().await, receiver.take().len()),
        (3.into(), 1),
        "an answer of 503 is a failure"
    );
    receiver.refuse(false);
    vendors.advance(31 * 60).await;
    let pushes = receiver.take();
    assert_eq!(
        (pushes.len(), &pushes[0].told["status"]),
        (1, &json!("abort")),
        "the third repetition"
    );
    let counts = vendors.counted("YT0000000000001").await;
    assert_eq!(
        (&counts["pushes_sent"], &counts["pushes_answered"]),
        (&1.into(), &1.into())
    );
    // Another one, away for good.
    receiver.go_away().await;
    vendors.poll(&param).await;
    vendors.advance(4 * DAY).await;
    for _ in 0..5 {
        vendors.advance(31 * 60).await;
    }
    let counts = vendors.counted("YT0000000000001").await;
    assert_eq!(
        (&counts["push_attempts"], &counts["pushes_given_up"]),
        (&8.into(), &1.into())
    );
    vendors.stop().await;
}

#[tokio::test]
async fn kdniao_pushes_repeat_the_order_number_and_end_silently() {
    let mut receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    let url = receiver.url("kdniao");
    let parcels = vendors.parcels("CrossBorder").await;
    for parcel in &parcels {
        let data = json!({
            "ShipperCode": parcel["kdniao"], "LogisticCode": parcel["tracking_number"], "OrderCode": "SO-7", "CallbackUrl": url,
        });
        assert_eq!(vendors.packet("7108", &data).await["Success"], true);
    }
    let nobody = json!({"ShipperCode": "COE", "LogisticCode": "EL796371469MO", "CallbackUrl": url});
    vendors.packet("7108", &nobody).await;
    vendors.advance(30 * DAY).await;
    let pushes = by_number(receiver.take(), "/Data/0/LogisticCode");
    let reasons: Vec<_> = pushes["EL796371469MO"]
        .iter()
        .map(|push| push.told["Data"][0]["Reason"].clone())
        .collect();
    assert_eq!(reasons, ["暂无轨迹信息", "三天无轨迹"]);
    let mut signed_for = 0;
    for parcel in &parcels {
        let Some(pushes) = pushes.get(parcel["tracking_number"].as_str().unwrap()) else {
            continue;
        };
        assert!(pushes.iter().all(|push| push.is_signed == Some(true)));
        let last = &pushes.last().unwrap().told;
        assert_eq!(
            (&last["Count"], &last["Data"][0]["OrderCode"]),
            (&json!("1"), &json!("SO-7"))
        );
        signed_for += usize::from(last["Data"][0]["State"] == "3");
    }
    assert!(signed_for > 3, "{signed_for}");
    // After 15 and after 30 minutes, then never.
    receiver.go_away().await;
    let other = json!({"ShipperCode": "COE", "LogisticCode": "EL000000000MO", "CallbackUrl": url});
    vendors.packet("7108", &other).await;
    let attempts = async || vendors.counted("EL000000000MO").await["push_attempts"].as_u64();
    vendors.advance(DAY).await;
    while attempts().await == Some(0) {
        vendors.advance(HOUR / 4).await;
    }
    for (minutes, expected) in [(14, 1), (2, 2), (28, 2), (3, 3), (120, 3)] {
        vendors.advance(minutes * 60).await;
        assert_eq!(attempts().await, Some(expected), "after {minutes} minutes more");
    }
    assert_eq!(vendors.counted("EL000000000MO").await["pushes_given_up"], 1);
}

#[tokio::test]
async fn seventeentrack_pushes_go_to_the_console_and_are_signed_in_a_header() {
    let receiver = Receiver::start().await;
    let mut config = super::config();
    config.contracts.seventeentrack_callback = receiver.url("17track");
    let vendors = Vendors::start_with(config).await;
    let parcel = vendors.parcels("International").await[0].clone();
    let register = json!([{"number": parcel["tracking_number"]}]);
    let request = vendors.post("/track/v2.4/register").header("17token", super::TRACK_KEY);
    let (_, answer) = super::answer(request.json(&register)).await;
    assert_eq!(answer["data"]["accepted"][0]["carrier"], 3013);
    vendors.advance(60 * DAY).await;
    let pushes = receiver.take();
    assert!(pushes.iter().all(|push| push.is_signed == Some(true)));
    let events: Vec<_> = pushes.iter().map(|push| push.told["event"].as_str().unwrap()).collect();
    let (last, before) = events.split_last().unwrap();
    assert_eq!(*last, "TRACKING_STOPPED");
    assert!(before.iter().all(|event| *event == "TRACKING_UPDATED"), "{events:?}");
    let request = vendors
        .post("/track/v2.4/gettrackinfo")
        .header("17token", super::TRACK_KEY);
    let (_, answer) = super::answer(request.json(&register)).await;
    assert!(answer["data"]["accepted"][0]["track_info"]["latest_status"].is_object());
}

#[tokio::test]
async fn lost_pushes_are_lost_and_counted() {
    let receiver = Receiver::start().await;
    let vendors = Vendors::start().await;
    vendors.faults(&json!({"lost_pushes": 1.0})).await;
    let mut param = param("yuantong", "YT0000000000001", &receiver.url("kuaidi100"));
    param["key"] = KEY.into();
    vendors.poll(&param).await;
    vendors.advance(4 * DAY).await;
    assert_eq!(receiver.take().len(), 0);
    let counts = vendors.counted("YT0000000000001").await;
    assert_eq!((&counts["pushes_lost"], &counts["pushes_sent"]), (&1.into(), &0.into()));
}
