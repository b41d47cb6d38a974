//! Compares the paths, methods and statuses of `openapi.json` with the code.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use courierflow_ingest::answer::Refusal;
use courierflow_schemas::records::Vendor;
use serde_json::Value;

use crate::support::Service;

async fn description(service: &Service) -> Value {
    let answer = service.get("/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn every_push_answer_is_described_and_no_other() {
    let service = Service::new();
    let description = description(&service).await;
    let mut expected: BTreeSet<u16> = Refusal::ALL
        .iter()
        .map(|refusal| refusal.row().status.as_u16())
        .collect();
    expected.insert(200);
    for vendor in Vendor::ALL {
        let operations = &description["paths"][format!("/v1/push/{vendor}/{{account}}")];
        let operations: BTreeMap<String, Value> = serde_json::from_value(operations.clone()).unwrap();
        assert_eq!(operations.keys().collect::<Vec<_>>(), ["post"]);
        let responses: BTreeMap<String, Value> =
            serde_json::from_value(operations["post"]["responses"].clone()).unwrap();
        let described: BTreeSet<u16> = responses.keys().map(|status| status.parse().unwrap()).collect();
        // A wrong method is a property of the path, not of POST.
        assert_eq!(described, &expected - &BTreeSet::from([405]), "{vendor}");
    }
}

#[tokio::test]
async fn every_described_path_is_there_and_nothing_dangles() {
    let service = Service::new();
    let description = description(&service).await;
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(path.replace("{account}", "demo"))
                .body(Body::empty())
                .unwrap();
            let answer = service.send(request).await;
            let described = &operation["responses"][answer.status.as_str()];
            assert!(described.is_object(), "{method} {path} answers {}", answer.status);
        }
    }
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
    }
}
