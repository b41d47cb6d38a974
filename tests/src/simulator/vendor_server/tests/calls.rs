//! Every row of the tables of answers.

use serde_json::json;

use super::{APP_CODE, KEY, Vendors, answer, param};
use crate::simulator::clock::{DAY, HOUR};

const CALLBACK: &str = "http://127.0.0.1:9/v1/push/kuaidi100/demo?s=1";

#[tokio::test]
async fn every_refusal_of_a_subscription_has_its_code_and_status() {
    let vendors = Vendors::start().await;
    let good = param("yuantong", "YT0000000000001", CALLBACK);
    let with = |name: &str, value: &str| {
        let mut param = good.clone();
        match name.strip_prefix('+') {
            Some(parameter) => param["parameters"][parameter] = value.into(),
            None => param[name] = value.into(),
        }
        param
    };
    let mut unrecognised = with("number", "QQ12345678");
    unrecognised["company"] = "".into();
    unrecognised["parameters"]["autoCom"] = "1".into();
    for (case, param, status, code) in [
        ("wrong key", with("key", "OTHER"), 401, "600"),
        ("no key", with("key", ""), 401, "600"),
        ("not in the list", with("company", "nobody"), 400, "700"),
        ("five characters", with("number", "12345"), 400, "701"),
        ("33 characters", with("number", &"1".repeat(33)), 400, "701"),
        ("bad callback", with("+callbackurl", "nowhere"), 400, "701"),
        ("company and autoCom", with("+autoCom", "1"), 400, "701"),
        ("not recognised", unrecognised, 400, "702"),
        (
            "sensitive",
            with("+callbackurl", "http://127.0.0.1:9/?x=敏感"),
            409,
            "502",
        ),
        ("at last", good.clone(), 200, "200"),
        ("still followed", good.clone(), 409, "501"),
    ] {
        assert_eq!(vendors.poll(&param).await, (status, code.to_owned()), "{case}");
    }
    let counts = vendors.counted("YT0000000000001").await;
    assert_eq!((&counts["accepted"], &counts["codes"]["501"]), (&1.into(), &1.into()));
    // Whose body cannot be read.
    let (status, answer) = vendors.form("/poll", &[("schema", "json"), ("param", "{")]).await;
    assert_eq!((status, answer["result"].as_bool()), (401, Some(false)));
    vendors.stop().await;
}

#[tokio::test]
async fn the_marketplace_and_the_map_are_asked_their_own_way() {
    let vendors = Vendors::start().await;
    let with_number = |number: &str| {
        let mut param = param("yuantong", number, CALLBACK);
        param.as_object_mut().unwrap().remove("key");
        param
    };
    let map = |number: &str| {
        let mut param = with_number(number);
        param["parameters"]["resultv2"] = "5".into();
        param
    };
    let mut nowhere = map("YT0000000000004");
    nowhere["to"] = "北京朝阳".into();
    for (case, path, app_code, param, status, code) in [
        (
            "wrong AppCode",
            "/poll",
            "OTHER",
            with_number("YT0000000000001"),
            401,
            "600",
        ),
        (
            "marketplace",
            "/poll",
            APP_CODE,
            with_number("YT0000000000001"),
            200,
            "200",
        ),
        ("again", "/poll", APP_CODE, with_number("YT0000000000001"), 409, "501"),
        (
            "map",
            "/trackpush/callback",
            APP_CODE,
            map("YT0000000000002"),
            200,
            "200",
        ),
        (
            "map of the enterprise's address",
            "/pollmap",
            APP_CODE,
            map("YT0000000000003"),
            200,
            "200",
        ),
        ("map to nowhere", "/pollmap", APP_CODE, nowhere, 400, "400"),
    ] {
        assert_eq!(
            vendors.market(path, app_code, &param).await,
            (status, code.to_owned()),
            "{case}"
        );
    }
    let mut form = map("YT0000000000005");
    form["key"] = KEY.into();
    let (status, answer) = vendors
        .form("/pollmap", &[("schema", "json"), ("param", &form.to_string())])
        .await;
    assert_eq!(
        (status, &answer["returnCode"]),
        (200, &json!("200")),
        "map with a form and a key"
    );
}

#[tokio::test]
async fn a_number_is_taken_again_half_an_hour_after_its_end_and_four_times_a_month() {
    let vendors = Vendors::start().await;
    // A number of nobody: each subscription ends after three days.
    let param = param("yuantong", "YT0000000000001", CALLBACK);
    for round in 1..=4 {
        assert_eq!(vendors.poll(&param).await.1, "200", "round {round}");
        while vendors.get("/ledger").await["active"] == 1 {
            vendors.advance(900).await;
        }
        assert_eq!(
            vendors.poll(&param).await,
            (409, "501".to_owned()),
            "just ended, round {round}"
        );
        vendors.advance(HOUR / 2).await;
    }
    assert_eq!(
        vendors.poll(&param).await,
        (409, "501".to_owned()),
        "the fifth of March"
    );
    let counts = vendors.counted("YT0000000000001").await;
    assert_eq!((&counts["accepted"], &counts["units"]), (&4.into(), &1.into()));
    vendors.advance(20 * DAY).await;
    assert_eq!(vendors.poll(&param).await.1, "200", "the first of April");
}

#[tokio::test]
async fn units_run_out_and_come_back() {
    let vendors = Vendors::start().await;
    vendors.faults(&json!({"units": 1})).await;
    let number = |number: &str| param("yuantong", number, CALLBACK);
    assert_eq!(vendors.poll(&number("YT0000000000001")).await.1, "200");
    assert_eq!(vendors.poll(&number("YT0000000000002")).await, (401, "601".to_owned()));
    let query = vendors
        .query(&json!({"com": "yuantong", "num": "YT0000000000002"}))
        .await;
    assert_eq!(query["returnCode"], "601");
    vendors.faults(&json!({"units": 0})).await;
    let data = json!({"ShipperCode": "YTO", "LogisticCode": "YT0000000000002", "CallbackUrl": CALLBACK});
    for request_type in ["7108", "7101"] {
        let answer = vendors.packet(request_type, &data).await;
        assert_eq!(
            (&answer["Success"], &answer["Reason"]),
            (&json!(false), &json!("没有可用套餐"))
        );
    }
    vendors.faults(&json!({"units": null})).await;
    assert_eq!(vendors.poll(&number("YT0000000000002")).await.1, "200");
    assert_eq!(vendors.packet("7108", &data).await["Success"], true);
}

#[tokio::test]
async fn kdniao_looks_at_who_calls_and_at_nothing_else() {
    let vendors = Vendors::start().await;
    let data = r#"{"ShipperCode":"COE","LogisticCode":"EL796371469MO"}"#;
    let sign = crate::simulator::vendors::kdniao::sign(data, super::APP_KEY);
    assert_eq!(sign, "Y2JlZDZmZmMyNDliNWMxZGVlOTdiZTRmZTRkM2RiMDQ=");
    let call = async |id: &str, request_type: &str, sign: &str| {
        let fields = [
            ("RequestData", data),
            ("EBusinessID", id),
            ("RequestType", request_type),
            ("DataType", "2"),
            ("DataSign", sign),
        ];
        vendors.form("/api/track/packet", &fields).await
    };
    for (case, id, request_type, sign, reason) in [
        ("another sign", "1000001", "7101", "AAAA", "DataSign 数据签名验证失败"),
        ("another id", "2", "7101", sign.as_str(), "EBusinessID 不存在"),
        ("another type", "1000001", "1", &sign, "RequestType 参数错误"),
        ("no callback anywhere", "1000001", "7108", &sign, "CallbackUrl 参数错误"),
        ("nothing to tell", "1000001", "7101", &sign, "暂无轨迹信息"),
    ] {
        let (status, answer) = call(id, request_type, sign).await;
        assert_eq!((status, answer["Reason"].as_str()), (200, Some(reason)), "{case}");
    }
    // Neither carrier, nor number, nor repetition.
    let nobody = json!({"ShipperCode": "NOBODY", "LogisticCode": "1", "CallbackUrl": CALLBACK, "OrderCode": "SO1"});
    for _ in 0..2 {
        let answer = vendors.packet("7108", &nobody).await;
        assert_eq!(
            (&answer["Success"], &answer["EBusinessID"]),
            (&json!(true), &json!("1000001"))
        );
        assert!(answer["UpdateTime"].as_str().unwrap().starts_with("2025-03-01 08:"));
    }
}

#[tokio::test]
async fn seventeentrack_registers_once_and_follows_again_once() {
    let vendors = Vendors::start().await;
    let call = async |method: &str, token: &str, body: serde_json::Value| {
        let request = vendors.post(&format!("/track/v2.4/{method}")).header("17token", token);
        answer(request.json(&body)).await
    };
    let items = json!([
        {"number": "YT0000000000001", "carrier": 190_157},
        {"number": "QQ12345678"},
        {"number": "712345678901"},
        {"number": "YT0000000000002", "carrier": 1},
        {"number": "1", "carrier": 190_157},
    ]);
    assert_eq!(call("register", "OTHER", items.clone()).await.0, 401);
    let (status, answer) = call("register", super::TRACK_KEY, items.clone()).await;
    assert_eq!((status, &answer["code"]), (200, &json!(0)));
    let accepted = json!([
        {"number": "YT0000000000001", "carrier": 190_157, "origin": 2},
        {"number": "712345678901", "carrier": 190_455, "origin": 1},
    ]);
    assert_eq!(answer["data"]["accepted"], accepted);
    let codes = |answer: &serde_json::Value| {
        let rejected = answer["data"]["rejected"].as_array().unwrap().clone();
        rejected
            .iter()
            .map(|item| item["error"]["code"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&answer), [-18_019_903, -18_019_910, -18_010_012]);
    let one = json!([{"number": "YT0000000000001", "carrier": 190_157}]);
    for (method, code) in [
        ("register", -18_019_901),
        ("retrack", -18_019_904),
        ("gettrackinfo", -18_019_909),
    ] {
        assert_eq!(
            codes(&call(method, super::TRACK_KEY, one.clone()).await.1),
            [code],
            "{method}"
        );
    }
    // Nothing for thirty days: it is stopped.
    vendors.advance(31 * DAY).await;
    assert_eq!(
        codes(&call("retrack", super::TRACK_KEY, one.clone()).await.1),
        Vec::<i64>::new()
    );
    vendors.advance(31 * DAY).await;
    assert_eq!(codes(&call("retrack", super::TRACK_KEY, one).await.1), [-18_019_905]);
    let (_, answer) = call("register", super::TRACK_KEY, json!(vec![items[0].clone(); 41])).await;
    assert_eq!(answer["code"], -18_010_014);
    let ledger = vendors.counted("YT0000000000001").await;
    assert_eq!(
        ledger["codes"]["-18010002"], 1,
        "calls that were refused as a whole are in the ledger"
    );
}
