//! What is stored of each shape that the vendors send: byte for byte, under the right tracking number.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use courierflow_ingest::publisher::DeadLetter;
use courierflow_schemas::records::{PushEvent, Signature, Vendor};

use crate::support::{
    APP_KEY, CROSS_BORDER, INTERNATIONAL, MAP_TRACK, MARKETPLACE, SALT, Service, encode, hex, kdniao_form, kdniao_sign,
    kuaidi100_form, kuaidi100_sign,
};

/// Posts, expects success, and returns the only event.
async fn one_event(service: &Service, path: &str, body: impl Into<Body>) -> PushEvent {
    let answer = service.post(path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let mut events = service.events();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// Posts, expects success, and returns the dead letter.
async fn dead_letter(service: &Service, path: &str, body: impl Into<Body>) -> DeadLetter {
    let answer = service.post(path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let mut batches = service.published();
    assert_eq!(batches.len(), 1);
    let batch = batches.remove(0);
    assert_eq!(batch.events, []);
    batch.dead_letter.unwrap()
}

fn secrets(secret: &str) -> courierflow_vendors::account::KeyValue {
    courierflow_vendors::account::KeyValue::Many(vec![courierflow_schemas::settings::Secret::new(secret)])
}

#[tokio::test]
async fn kuaidi100_samples_of_every_product_in_every_shape() {
    let service = Service::new();
    for (sample, number, carrier) in [
        (INTERNATIONAL, "V030344422", "yuantong"),
        (MAP_TRACK, "YT2556786544444545", "yuantong"),
        (MARKETPLACE, "735587678765", "zhongtong"),
    ] {
        // A signed form.
        let event = one_event(&service, "/v1/push/kuaidi100/demo", kuaidi100_form(sample)).await;
        assert_eq!(event.payload, sample, "byte for byte");
        assert_eq!(
            (event.tracking_number.as_str(), event.vendor_carrier.as_str()),
            (number, carrier)
        );
        assert_eq!((event.vendor, event.account.as_str()), (Vendor::Kuaidi100, "demo"));
        assert_eq!((event.part, event.parts, event.signature), (0, 1, Signature::Verified));
        assert_eq!(
            (event.request_type, event.push_time, event.business_id),
            (None, None, None)
        );
        // An unsigned form, with its fields in any order, and with a sign that cannot be checked.
        for form in [
            format!("param={}", encode(sample.as_bytes())),
            format!("sign=0&x=1&param={}", encode(sample.as_bytes())),
        ] {
            let event = one_event(&service, "/v1/push/kuaidi100/open", form).await;
            assert_eq!((event.payload.as_str(), event.signature), (sample, Signature::Unsigned));
        }
        // A bare JSON body, also with blanks around it.
        let body = format!("\r\n {sample}\n");
        let event = one_event(&service, "/v1/push/kuaidi100/open", body.clone()).await;
        assert_eq!((event.payload, event.tracking_number.as_str()), (body, number));
        // The payload's fields as fields of the form.
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(sample).unwrap();
        let form: Vec<String> = fields
            .iter()
            .map(|(key, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{key}={}", encode(value.as_bytes()))
            })
            .collect();
        let event = one_event(&service, "/v1/push/kuaidi100/open", form.join("&")).await;
        assert_eq!(event.tracking_number, number);
        let stored: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
        assert_eq!(stored, serde_json::Value::Object(fields));
    }
}

#[tokio::test]
async fn kuaidi100_flat_form_keeps_what_the_fields_hold() {
    let service = Service::new();
    let result = r#" {"nu" : "a1", "com":"yuantong", "data": [] } "#;
    let form = format!(
        "status=polling&message=3%E5%A4%A9+%22%0A&status=abort&lastResult={}&destResult=null&billstatus=&autoCheck=0&extra=%7B%7D",
        encode(result.as_bytes())
    );
    let event = one_event(&service, "/v1/push/kuaidi100/open", form).await;
    assert_eq!(
        event.payload,
        format!(
            r#"{{"status":"polling","message":"3天 \"\n","lastResult":{result},"destResult":null,"billstatus":"","autoCheck":"0","extra":"{{}}"}}"#
        )
    );
    assert_eq!(
        (event.tracking_number.as_str(), event.signature),
        ("A1", Signature::Unsigned)
    );
}

#[tokio::test]
async fn kuaidi100_signature_is_over_the_decoded_text() {
    let service = Service::new();
    // Blanks at the ends, plus signs and escapes inside: exactly the decoded text is signed and kept.
    let param =
        " {\"status\":\"polling\",\"lastResult\":{\"nu\":\"A+1\",\"data\":[{\"context\":\"装件入车扫描 100%25 \"}]}} ";
    let event = one_event(&service, "/v1/push/kuaidi100/demo", kuaidi100_form(param)).await;
    assert_eq!((event.payload.as_str(), event.tracking_number.as_str()), (param, "A+1"));
    // Either case, either salt, whatever comes first, blanks around the sign.
    let sign = kuaidi100_sign(param.as_bytes(), SALT);
    for (sign, expected) in [
        (sign.clone(), 200),
        (sign.to_lowercase(), 200),
        (format!("{sign}%0A"), 200),
        (kuaidi100_sign(param.as_bytes(), "older-salt"), 200),
        (kuaidi100_sign(param.as_bytes(), "other-salt"), 401),
        (kuaidi100_sign(param.trim().as_bytes(), SALT), 401),
        (sign[1..].to_owned(), 401),
        (sign + "0", 401),
    ] {
        let body = format!("param={}&sign={sign}", encode(param.as_bytes()));
        assert_eq!(
            service.post("/v1/push/kuaidi100/demo", body).await.status,
            expected,
            "{sign}"
        );
    }
}

#[tokio::test]
async fn kuaidi100_signature_vectors() {
    let text = concat!(
        r#"{"status":"polling","message":"","lastResult":{"nu":"YT0000000000001","com":"yuantong","state":"0","ischeck":"0","#,
        r#""data":[{"context":"上海分拨中心/装件入车扫描 ","time":"2012-08-28 16:33:19","ftime":"2012-08-28 16:33:19"}]}}"#
    );
    assert_eq!(text.len(), 235);
    for (param, salt, sign, stored) in [
        (
            r#"{"status":"polling"}"#,
            "SALT",
            "9E1C45EE8E992780AB1C5976032B9F61",
            false,
        ),
        (text, "S@lt+01", "EEC87026F12B5C2B4DA682A40A15BC67", true),
    ] {
        let mut settings = crate::support::settings();
        settings.accounts.truncate(1);
        settings.accounts[0].keys.insert("salts".to_owned(), secrets(salt));
        let service = Service::with(&settings, crate::support::Broker::default());
        let body = format!("param={}&sign={sign}", encode(param.as_bytes()));
        assert_eq!(
            service.post("/v1/push/kuaidi100/demo", body).await.status,
            StatusCode::OK
        );
        let batch = service.published().remove(0);
        assert_eq!((batch.events.len() == 1, batch.dead_letter.is_none()), (stored, stored));
    }
    // Anybody can make a sign with an empty salt, so an account without secrets ignores it.
    let service = Service::new();
    let body = format!(
        "param={}&sign=E6C984E244775E79C47A5E936233C7B2",
        encode(text.as_bytes())
    );
    assert_eq!(
        one_event(&service, "/v1/push/kuaidi100/open", body.clone())
            .await
            .signature,
        Signature::Unsigned
    );
    assert_eq!(
        service.post("/v1/push/kuaidi100/demo", body).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn kdniao_sample_in_every_shape() {
    let service = Service::new();
    let parcel = {
        let start = CROSS_BORDER.find("[{").unwrap() + 1;
        &CROSS_BORDER[start..=CROSS_BORDER.rfind("}]").unwrap()]
    };
    for (path, body, signature, request_type) in [
        (
            "/v1/push/kdniao/demo",
            kdniao_form(CROSS_BORDER),
            Signature::Verified,
            Some("101"),
        ),
        (
            "/v1/push/kdniao/open",
            format!("RequestType=102&RequestData={}", encode(CROSS_BORDER.as_bytes())),
            Signature::Unsigned,
            Some("102"),
        ),
        (
            "/v1/push/kdniao/open",
            CROSS_BORDER.to_owned(),
            Signature::Unsigned,
            None,
        ),
    ] {
        let event = one_event(&service, path, body).await;
        assert_eq!(event.payload, parcel, "byte for byte");
        assert_eq!(
            (event.tracking_number.as_str(), event.vendor_carrier.as_str()),
            ("6A37856075760", "COLISSIMO")
        );
        assert_eq!((event.vendor, event.signature), (Vendor::Kdniao, signature));
        assert_eq!(event.push_time.as_deref(), Some("2024-06-27 21:07:00"));
        assert_eq!(
            event.business_id.as_deref(),
            Some("100001"),
            "that of the push, not that of the parcel"
        );
        assert_eq!(event.request_type.as_deref(), request_type);
        assert_eq!((event.part, event.parts), (0, 1));
    }
}

#[tokio::test]
async fn kdniao_signature_vector() {
    let data = r#"{"PushTime":"2024-06-27 21:07:00","EBusinessID":"100001","Count":"1","Data":[]}"#;
    let mut settings = crate::support::settings();
    settings.accounts = vec![settings.accounts[3].clone()];
    settings.accounts[0]
        .keys
        .insert("app_keys".to_owned(), secrets("test-app-key"));
    let service = Service::with(&settings, crate::support::Broker::default());
    let sign = "YTQ3ZjRmMjEzYzllYjQxYzNkYTNkZjA3YTZhNGY4MzU";
    for (sign, expected) in [
        (format!("{sign}%3D"), 200),
        (format!("{sign}="), 200),
        (sign.to_owned(), 200),
        (format!("{sign}%253D"), 200),
        // Of the 16 bytes instead of the hex text.
        ("pH9PITyetBw9o98HpqT4NQ==".to_owned(), 401),
        (sign[1..].to_owned(), 401),
        (sign.to_lowercase(), 401),
    ] {
        let body = format!("RequestData={}&DataSign={sign}", encode(data.as_bytes()));
        let answer = service.post("/v1/push/kdniao/demo", body).await;
        assert_eq!(answer.status, expected, "{sign}");
        // Signed, but without a parcel.
        let letters: Vec<_> = service
            .published()
            .into_iter()
            .filter_map(|batch| batch.dead_letter)
            .collect();
        assert_eq!(letters.len(), usize::from(expected == 200));
    }
}

#[tokio::test]
async fn rule_2_5_kdniao_text_that_verifies_is_kept() {
    let service = Service::new();
    let data = r#"{"PushTime":"2024-06-27 21:07:00","Data":[{"LogisticCode":"A1","ShipperCode":"YTO","Timezone":"+02:00 100%"}]}"#;
    let parcel = r#"{"LogisticCode":"A1","ShipperCode":"YTO","Timezone":"+02:00 100%"}"#;
    let sign = encode(kdniao_sign(data.as_bytes(), APP_KEY).as_bytes());
    let once = encode(data.as_bytes());
    let twice = encode(once.as_bytes());
    for encoded in [&once, &twice] {
        let event = one_event(
            &service,
            "/v1/push/kdniao/demo",
            format!("RequestData={encoded}&DataSign={sign}"),
        )
        .await;
        assert_eq!(event.payload, parcel);
        // Without a signature, the text that starts an object.
        let event = one_event(&service, "/v1/push/kdniao/open", format!("RequestData={encoded}")).await;
        assert_eq!(event.payload, parcel);
    }
    // A text that was encoded three times is not accepted.
    let thrice = encode(twice.as_bytes());
    let answer = service
        .post("/v1/push/kdniao/demo", format!("RequestData={thrice}&DataSign={sign}"))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    // The once-decoded text was signed, encoded as it is: it verified, and it is no JSON.
    let sign = encode(kdniao_sign(once.as_bytes(), APP_KEY).as_bytes());
    let letter = dead_letter(
        &service,
        "/v1/push/kdniao/demo",
        format!("RequestData={twice}&DataSign={sign}"),
    )
    .await;
    assert_eq!(letter.reason, "not_json");
}

#[tokio::test]
async fn kdniao_batches() {
    let service = Service::new();
    for count in [1_u16, 10, 100] {
        let parcels: Vec<String> = (0..count)
            .map(|index| format!(r#"{{ "LogisticCode" : "n{index}","Traces":[{{"AcceptTime":"x"}}] }}"#))
            .collect();
        let data = format!(
            r#"{{"Count":"{count}","Data":[ {} ],"PushTime":"t"}}"#,
            parcels.join(" ,\n")
        );
        for (path, body) in [
            ("/v1/push/kdniao/demo", kdniao_form(&data)),
            ("/v1/push/kdniao/open", data.clone()),
        ] {
            assert_eq!(service.post(path, body).await.status, StatusCode::OK);
            let events = service.events();
            assert_eq!(events.len(), usize::from(count));
            for ((index, event), parcel) in (0_u16..).zip(&events).zip(&parcels) {
                assert_eq!((event.part, event.parts), (index, count));
                assert_eq!((&event.payload, &event.tracking_number), (parcel, &format!("N{index}")));
                assert_eq!(
                    (event.push_id, event.received_at),
                    (events[0].push_id, events[0].received_at)
                );
            }
        }
    }
    assert!(
        !service
            .get("/metrics")
            .await
            .body
            .contains("count_mismatches_total{vendor=\"kdniao\"} 1")
    );
}

#[tokio::test]
async fn rule_2_6_one_bad_parcel_in_a_batch() {
    let service = Service::new();
    let good = [
        r#"{"LogisticCode":"A"}"#,
        r#"{"LogisticCode":"b","ShipperCode":null}"#,
        r#"{"LogisticCode":"A"}"#,
    ];
    let data = format!(
        r#"{{"Count":3,"EBusinessID":100001,"Data":[{},{{"LogisticCode":""}},null,{},7,{},{{"LogisticCode":{{}}}}]}}"#,
        good[0], good[1], good[2]
    );
    let body = kdniao_form(&data);
    assert_eq!(
        service.post("/v1/push/kdniao/demo", body.clone()).await.status,
        StatusCode::OK
    );
    let batch = service.published().remove(0);
    let stored: Vec<_> = batch
        .events
        .iter()
        .map(|event| (event.part, event.parts, event.tracking_number.as_str()))
        .collect();
    assert_eq!(
        stored,
        [(0, 7, "A"), (3, 7, "B"), (5, 7, "A")],
        "the same number twice, in order"
    );
    assert_eq!(
        batch
            .events
            .iter()
            .map(|event| event.payload.as_str())
            .collect::<Vec<_>>(),
        good
    );
    assert_eq!(
        batch.events[0].business_id.as_deref(),
        Some("100001"),
        "a number is its digits"
    );
    let letter = batch.dead_letter.unwrap();
    assert_eq!(
        (letter.reason, letter.parts.as_str()),
        ("no_tracking_number", "1,2,4,6")
    );
    assert_eq!(letter.body, body.as_bytes());
    let metrics = service.get("/metrics").await.body;
    assert!(metrics.contains("courierflow_ingest_count_mismatches_total{vendor=\"kdniao\"} 1"));
    assert!(metrics.contains(r#"outcome="dead_lettered"} 1"#));
}

#[tokio::test]
async fn signed_but_unusable_is_dead_lettered_and_acknowledged() {
    let service = Service::new();
    let long = "9".repeat(5000);
    let kuaidi100: Vec<(&str, Vec<u8>)> = vec![
        ("not_json", b"".to_vec()),
        ("not_json", b"polling".to_vec()),
        ("not_json", b"{\"lastResult\":{\"nu\":\"A\"}".to_vec()),
        ("not_json", b"{\"lastResult\":{\"nu\":\"A\"}} trailing".to_vec()),
        ("not_json", b"[{\"lastResult\":{\"nu\":\"A\"}}]".to_vec()),
        ("not_json", b"null".to_vec()),
        ("not_utf8", b"{\"lastResult\":{\"nu\":\"\xff\"}}".to_vec()),
        ("no_parcel", b"{}".to_vec()),
        ("no_parcel", b"{\"lastResult\":null}".to_vec()),
        ("no_parcel", b"{\"lastResult\":[]}".to_vec()),
        ("no_parcel", b"{\"lastResult\":\"x\"}".to_vec()),
        ("no_tracking_number", b"{\"lastResult\":{}}".to_vec()),
        ("no_tracking_number", b"{\"lastResult\":{\"nu\":null}}".to_vec()),
        (
            "no_tracking_number",
            b"{\"lastResult\":{\"nu\":\" \\u3000\\t\"}}".to_vec(),
        ),
        ("no_tracking_number", b"{\"lastResult\":{\"nu\":[\"A\"]}}".to_vec()),
        ("no_tracking_number", b"{\"lastResult\":{\"nu\":true}}".to_vec()),
        ("no_tracking_number", b"{\"lastResult\":{\"nu\":\"\\ud800\"}}".to_vec()),
        ("no_tracking_number", b"{\"lastResult\":{\"nu\":\" \\u200b\"}}".to_vec()),
        (
            "bad_identifier",
            format!("{{\"lastResult\":{{\"nu\":\"{long}\"}}}}").into_bytes(),
        ),
        (
            "bad_identifier",
            format!("{{\"lastResult\":{{\"nu\":{long}}}}}").into_bytes(),
        ),
        ("bad_identifier", b"{\"lastResult\":{\"nu\":\"A\\u0000B\"}}".to_vec()),
        ("bad_identifier", b"{\"lastResult\":{\"nu\":\"A\\nB\"}}".to_vec()),
        (
            "bad_identifier",
            format!("{{\"lastResult\":{{\"nu\":\"A\",\"com\":\"{long}\"}}}}").into_bytes(),
        ),
        // The carrier named by a carrier correction becomes a key later.
        (
            "bad_identifier",
            format!("{{\"status\":\"abort\",\"comNew\":\"{long}\",\"lastResult\":{{\"nu\":\"A\"}}}}").into_bytes(),
        ),
        (
            "bad_identifier",
            b"{\"comOld\":\"A\\u0000\",\"lastResult\":{\"nu\":\"A\"}}".to_vec(),
        ),
    ];
    for (reason, param) in kuaidi100 {
        let body = kuaidi100_form(&param);
        let letter = dead_letter(&service, "/v1/push/kuaidi100/demo", body.clone()).await;
        let text = String::from_utf8_lossy(&param);
        assert_eq!((letter.reason, letter.parts.as_str()), (reason, ""), "{text}");
        assert_eq!((letter.vendor, letter.account.as_str()), (Vendor::Kuaidi100, "demo"));
        assert_eq!(letter.content_type, "application/x-www-form-urlencoded");
        assert_eq!(letter.body, body.as_bytes(), "{text}");
    }
    for (reason, data) in [
        ("not_json", "{\"Data\":[{\"LogisticCode\":\"A\"}]"),
        ("not_json", "{\"Data\":[{\"LogisticCode\":\"A\"},]}"),
        ("no_parcel", "{}"),
        ("no_parcel", "{\"Data\":null}"),
        ("no_parcel", "{\"Data\":{}}"),
        ("no_parcel", "{\"Data\":[]}"),
        ("no_tracking_number", "{\"Data\":[{},null]}"),
        ("bad_identifier", "{\"Data\":[{\"LogisticCode\":\"A\\u0085B\"}]}"),
    ] {
        let letter = dead_letter(&service, "/v1/push/kdniao/demo", kdniao_form(data)).await;
        assert_eq!(letter.reason, reason, "{data}");
    }
}

#[tokio::test]
async fn identifiers_are_trimmed_and_numbers_are_their_digits() {
    let service = Service::new();
    for (nu, com, number, carrier) in [
        (r#""  yt123 ""#, r#"" YuanTong""#, "YT123", "YuanTong"),
        ("\"\\u3000yt\u{a0}\"", "null", "YT", ""),
        ("780012345678901234567890", "7", "780012345678901234567890", "7"),
        (r#""é-ä1""#, "[]", "é-ä1", ""),
        (r#""\u0079t""#, r#""""#, "YT", ""),
        // Rule 3.4.
        (
            r#""\ufeff\uff39\uff34\u200b1\u3000""#,
            r#""\uff39uan\u200dTong""#,
            "YT1",
            "YuanTong",
        ),
        (r#""yt:1""#, r#""yuan:tong""#, "YT:1", ""),
        (r#""yt1""#, "\"\u{ff1a}\"", "YT1", ""),
    ] {
        let param = format!(r#"{{"lastResult":{{"com":{com},"nu":{nu}}},"unknown":[1,{{}}]}}"#);
        let event = one_event(&service, "/v1/push/kuaidi100/demo", kuaidi100_form(&param)).await;
        assert_eq!(
            (event.tracking_number.as_str(), event.vendor_carrier.as_str()),
            (number, carrier)
        );
        assert_eq!(event.payload, param);
    }
    // The longest number that is taken.
    let longest = "9".repeat(128);
    let param = format!(r#"{{"lastResult":{{"nu":"{longest}"}}}}"#);
    let event = one_event(&service, "/v1/push/kuaidi100/demo", kuaidi100_form(&param)).await;
    assert_eq!(event.tracking_number, longest);
}

#[tokio::test]
async fn of_the_same_name_the_first_field_and_the_last_member_count() {
    let service = Service::new();
    let first = r#"{"lastResult":{"nu":"A"}}"#;
    let second = r#"{"lastResult":{"nu":"B"}}"#;
    let body = format!("{}&param={}&sign=0", kuaidi100_form(first), encode(second.as_bytes()));
    assert_eq!(
        one_event(&service, "/v1/push/kuaidi100/demo", body).await.payload,
        first
    );
    let twice = r#"{"lastResult":{"nu":"A","nu":"B"},"lastResult":{"nu":"C","nu":"D"}}"#;
    assert_eq!(
        one_event(&service, "/v1/push/kuaidi100/open", twice)
            .await
            .tracking_number,
        "D"
    );
    let twice =
        r#"{"Data":[{"LogisticCode":"A"},{"LogisticCode":"B"}],"Data":[{"LogisticCode":"C","LogisticCode":"D"}]}"#;
    let event = one_event(&service, "/v1/push/kdniao/open", twice).await;
    assert_eq!((event.tracking_number.as_str(), event.parts), ("D", 1));
}

#[tokio::test]
async fn envelope() {
    let service = Service::new();
    let request = |content_type: &[u8]| {
        Request::post("/v1/push/kuaidi100/open?callbackid=7&x=%20+")
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(INTERNATIONAL))
            .unwrap()
    };
    let before = jiff::Timestamp::now().as_microsecond();
    service.send(request(b"text/plain; charset=GBK")).await;
    let first = service.events().remove(0);
    let after = jiff::Timestamp::now().as_microsecond();
    assert_eq!(
        (first.query.as_str(), first.content_type.as_str()),
        ("callbackid=7&x=%20+", "text/plain; charset=GBK")
    );
    assert!((before..=after).contains(&first.received_at.0));
    service.send(request(&[b'a', 0xff])).await;
    let second = service.events().remove(0);
    assert_eq!(second.content_type, "a\u{fffd}");
    // The same bytes under the same account have the same id, whatever the headers and the query string are.
    assert_eq!(first.push_id, second.push_id);
    let other = one_event(&service, "/v1/push/kuaidi100/both", INTERNATIONAL).await;
    assert_ne!(first.push_id, other.push_id);
    let other = one_event(&service, "/v1/push/kuaidi100/open", format!("{INTERNATIONAL} ")).await;
    assert_ne!(first.push_id, other.push_id);
}

#[tokio::test]
async fn push_id_is_stable() {
    // A change of this value would make every repetition of a push look like a new one.
    let service = Service::new();
    let event = one_event(&service, "/v1/push/kuaidi100/open", r#"{"lastResult":{"nu":"A"}}"#).await;
    assert_eq!(hex(&event.push_id.0), "3a67cadcc6c1b8f7ef5c9bf86482b05c");
}
