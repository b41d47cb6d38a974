//! Bad input: the answer is always one of the table, never a 500, and memory stays bounded.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use proptest::prelude::*;

use crate::support::{Service, encode, kdniao_form, kuaidi100_form};

const PATHS: [&str; 6] = [
    "/v1/push/kuaidi100/demo",
    "/v1/push/kuaidi100/open",
    "/v1/push/kuaidi100/both",
    "/v1/push/kdniao/demo",
    "/v1/push/kdniao/open",
    "/v1/push/kdniao/both",
];

async fn assert_answered(service: &Service, body: impl Into<axum::body::Bytes>) {
    let body = body.into();
    for path in PATHS {
        let answer = service.post(path, body.clone()).await;
        assert!(
            [200, 400, 401, 413].contains(&answer.status.as_u16()),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert!(json.is_object());
    }
}

#[tokio::test]
async fn a_table_of_bad_bodies() {
    let service = Service::new();
    let megabytes = 2 * 1024 * 1024;
    let parcels = |element: &str, count: usize| format!("{{\"Data\":[{}]}}", vec![element; count].join(","));
    let bodies: Vec<Vec<u8>> = vec![
        b"\0".to_vec(),
        b"{".to_vec(),
        b"{}".to_vec(),
        b"=".to_vec(),
        b"&&&=".to_vec(),
        b"%".to_vec(),
        b"%=%".to_vec(),
        b"param=%".to_vec(),
        b"param=%ff&sign=%ff".to_vec(),
        b"RequestData=%ff&DataSign=%ff&RequestType=%ff".to_vec(),
        vec![0xff; 1000],
        b"\xef\xbb\xbf{\"lastResult\":{\"nu\":\"A\"}}".to_vec(),
        b"{\"lastResult\":{\"nu\":\"A\"}}\0".to_vec(),
        b"<xml a=\"b\"/>".to_vec(),
        b"--x\r\nContent-Disposition: form-data; name=\"param\"\r\n\r\n{}\r\n--x--".to_vec(),
        "{".repeat(megabytes).into_bytes(),
        "[".repeat(megabytes).into_bytes(),
        format!("{{\"a\":{}", "[".repeat(megabytes - 10)).into_bytes(),
        format!("{{\"lastResult\":{{\"nu\":\"{}\"}}}}", "\\u0041".repeat(1000)).into_bytes(),
        format!("{{\"lastResult\":{{\"nu\":\"A\",\"data\":[{}]}}}}", vec!["{}"; 400_000].join(",")).into_bytes(),
        format!("{{\"lastResult\":{{\"nu\":{}}}}}", "9".repeat(1_000_000)).into_bytes(),
        format!("{{\"{}\":1}}", "k".repeat(megabytes - 10)).into_bytes(),
        "a=&".repeat(megabytes / 3).into_bytes(),
        (0..200_000).flat_map(|key| format!("{key}=&").into_bytes()).collect(),
        format!("lastResult=%7B%7D&x={}", "\u{1}".repeat(megabytes - 100)).into_bytes(),
        format!("param={}", "%".repeat(megabytes - 10)).into_bytes(),
        format!("param={}", "+".repeat(megabytes - 10)).into_bytes(),
        parcels("{}", 100).into_bytes(),
        parcels("null", 500_000).into_bytes(),
        parcels("{\"LogisticCode\":\"A\"}", 101).into_bytes(),
        parcels("[[[[]]]]", 100).into_bytes(),
        b"{\"Data\":[{\"LogisticCode\":1e999}]}".to_vec(),
        b"{\"lastResult\":{\"nu\":\"A\",\"data\":[{\"time\":\"0001-01-01 00:00:00\"},{\"ftime\":\"9999-99-99\"},null,7]}}".to_vec(),
        b"{\"Data\":[{\"LogisticCode\":\"A\",\"Success\":\"maybe\",\"Traces\":\"none\"}],\"Count\":[]}".to_vec(),
    ];
    for body in bodies {
        assert_answered(&service, body.clone()).await;
        if body.len() < 100_000 {
            assert_answered(&service, kuaidi100_form(&body)).await;
            assert_answered(&service, kdniao_form(&body)).await;
        }
    }
}

#[tokio::test]
async fn two_mebibytes_are_taken_and_one_byte_more_is_not() {
    let service = Service::new();
    let limit = 2 * 1024 * 1024;
    let body = |length: usize| {
        let frame = "{\"lastResult\":{\"nu\":\"A\"},\"x\":\"\"}".len();
        format!(
            "{{\"lastResult\":{{\"nu\":\"A\"}},\"x\":\"{}\"}}",
            "x".repeat(length - frame)
        )
    };
    assert_eq!(
        service.post("/v1/push/kuaidi100/open", body(limit)).await.status,
        StatusCode::OK
    );
    assert_eq!(service.events()[0].payload.len(), limit);
    assert_eq!(
        service.post("/v1/push/kuaidi100/open", body(limit + 1)).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn texts_repeated_for_every_parcel_are_bounded() {
    let service = Service::new();
    let parcels = vec![r#"{"LogisticCode":"A"}"#; 100].join(",");
    let long = "x".repeat(1_000_000);
    let data = format!(
        r#"{{"PushTime":"{long}","EBusinessID":{},"Data":[{parcels}]}}"#,
        "7".repeat(900_000)
    );
    let body = format!(
        "RequestData={}&RequestType={}",
        encode(data.as_bytes()),
        "1".repeat(10_000)
    );
    let request = Request::post(format!("/v1/push/kdniao/open?{}", "q".repeat(2048)))
        .header(header::CONTENT_TYPE, "c".repeat(10_000))
        .body(Body::from(body))
        .unwrap();
    assert_eq!(service.send(request).await.status, StatusCode::OK);
    let events = service.events();
    assert_eq!(events.len(), 100);
    for event in events {
        assert_eq!(
            (event.request_type, event.push_time, event.business_id),
            (None, None, None)
        );
        assert_eq!((event.query.len(), event.content_type.len()), (2048, 256));
    }
    let answer = service
        .post(&format!("/v1/push/kdniao/open?{}", "q".repeat(2049)), "{}")
        .await;
    assert_eq!(answer.status, StatusCode::URI_TOO_LONG);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let service = Service::new();
            assert_answered(&service, kuaidi100_form(&body)).await;
            assert_answered(&service, kdniao_form(&body)).await;
            assert_answered(&service, body).await;
        });
    }

    #[test]
    fn arbitrary_json(value in json(), key in proptest::sample::select(vec!["lastResult", "Data"])) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let service = Service::new();
            let body = serde_json::json!({ key: value }).to_string();
            assert_answered(&service, kuaidi100_form(&body)).await;
            assert_answered(&service, kdniao_form(&body)).await;
            assert_answered(&service, body).await;
        });
    }
}

/// JSON in which the keys that ingest looks for are common.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let key = proptest::sample::select(vec!["nu", "com", "data", "LogisticCode", "ShipperCode", "Data", "x"]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec((key.clone(), inner), 0..5).prop_map(|members| {
                serde_json::Value::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}
