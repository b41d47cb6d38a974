//! Posts pushes by hand, as a vendor would.

use courierflow_schemas::records::Vendor;
use courierflow_tests::simulator::vendors::{kdniao, kuaidi100, service, seventeentrack};
use serde_json::Value;

/// Secrets and business id of the accounts in the local configuration.
pub(crate) const SALT: &str = "courierflow-demo-salt";
pub(crate) const APP_KEY: &str = "courierflow-demo-app-key";
pub(crate) const API_KEY: &str = "17track-demo-key-0001";
pub(crate) const BUSINESS_ID: &str = "1000001";

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in the answer {:?}", self.body))
    }
}

/// Posts a body; an answer of any status is an answer.
pub(crate) fn post(base: &str, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, String> {
    post_with(base, path, &[("content-type", content_type)], body)
}

/// The same with header fields.
pub(crate) fn post_with(base: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, String> {
    let mut request = super::agent().post(format!("{base}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.send(body).map_err(|error| error.to_string())?;
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let body = response
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

/// Kuaidi100's payload of a parcel that was picked up: one event, a row in each table.
pub(crate) fn picked_up(number: &str) -> String {
    format!(
        r#"{{"status":"polling","lastResult":{{"nu":"{number}","com":"yunda","state":"0","ischeck":"0","data":[{{"context":"已揽收","ftime":"2026-08-01 10:00:00","statusCode":"103"}}]}}}}"#
    )
}

/// Posts the push of such a parcel, which must be accepted.
pub(crate) fn one_picked_up(base: &str, number: &str) {
    assert_success(Vendor::Kuaidi100, &kuaidi100(base, &picked_up(number)));
}

/// Posts a signed Kuaidi100 form to the account `demo`.
pub(crate) fn kuaidi100(base: &str, param: &str) -> Result<Answer, String> {
    let (content_type, body) = kuaidi100::body(param, kuaidi100::Shape::SignedForm, Some(SALT));
    post(base, "/v1/push/kuaidi100/demo", content_type, &body)
}

/// Posts a signed Kdniao form to the account `demo`.
pub(crate) fn kdniao(base: &str, request_data: &str) -> Result<Answer, String> {
    let (content_type, body) = kdniao::body(
        request_data,
        kdniao::Product::ValueAdded,
        kdniao::Shape::SignedForm,
        Some(APP_KEY),
    );
    post(base, "/v1/push/kdniao/demo", content_type, &body)
}

/// Posts a signed push of 17TRACK to the account `demo`.
pub(crate) fn seventeentrack(base: &str, body: &str) -> Result<Answer, String> {
    let sign = seventeentrack::sign(body, API_KEY);
    let headers = [("content-type", "application/json"), ("sign", sign.as_str())];
    post_with(base, "/v1/push/17track/demo", &headers, body.as_bytes())
}

/// The answer must be the vendor's success body and nothing else.
pub(crate) fn assert_success(vendor: Vendor, answer: &Result<Answer, String>) {
    let answer = answer.as_ref().expect("ingest answers");
    assert_eq!(answer.status, 200, "{answer:?}");
    let is_promised = service(vendor).is_promised_success(&answer.body, BUSINESS_ID);
    assert!(is_promised, "not the success of {vendor}: {}", answer.body);
}

/// A refusal of Kdniao: exactly its four keys, in the right case.
pub(crate) fn assert_kdniao_refused(body: &Value) {
    let keys: Vec<_> = body.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys.len(), 4, "{body}");
    assert_eq!(body["EBusinessID"], BUSINESS_ID);
    assert_eq!(body["Success"], false);
    assert_ne!(body["Reason"], "", "{body}");
    let time = body["UpdateTime"].as_str().expect("a text");
    jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", time).expect("yyyy-MM-dd HH:mm:ss");
}
