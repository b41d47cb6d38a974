//! The vendors over HTTP, with a callback of the subscriber.

mod calls;
mod desk;
mod faults;
mod pushes;
mod queries;
mod receiver;

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Contracts, Faults, ServeConfig, VendorServer};
use crate::simulator::clock::Seconds;

/// 2025-03-01 08:00:00 in China: the first day of a month.
const FROM: Seconds = 1_740_787_200;

const KEY: &str = "KEY";
const APP_CODE: &str = "APPCODE";
const SALT: &str = "S@lt+01";
const APP_KEY: &str = "test-app-key";
const TRACK_KEY: &str = "TESTKEY";

/// Generous: a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// Vendors that listen. Their clock stands unless a test moves it.
struct Vendors {
    base: String,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<anyhow::Result<()>>,
}

fn config() -> ServeConfig {
    ServeConfig {
        seed: 7,
        parcels: 300,
        from: FROM,
        order_days: Some(1),
        speed: 0.0,
        contracts: Contracts {
            kuaidi100_key: KEY.to_owned(),
            kuaidi100_customer: "CUSTOMER".to_owned(),
            kuaidi100_app_code: APP_CODE.to_owned(),
            kdniao_business_id: "1000001".to_owned(),
            kdniao_app_key: APP_KEY.to_owned(),
            kdniao_callback: String::new(),
            seventeentrack_key: TRACK_KEY.to_owned(),
            seventeentrack_callback: String::new(),
        },
        faults: Faults::default(),
        units: None,
    }
}

impl Vendors {
    async fn start() -> Self {
        Self::start_with(config()).await
    }

    async fn start_with(config: ServeConfig) -> Self {
        let server = VendorServer::bind("127.0.0.1:0".parse().unwrap(), config)
            .await
            .unwrap();
        let base = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            base,
            client: reqwest::Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
            stop: Some(stop),
            serving,
        }
    }

    async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        let ended = tokio::time::timeout(PATIENCE, self.serving).await;
        ended
            .expect("it ends")
            .expect("it does not panic")
            .expect("it ends well");
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }

    /// Posts a form; the status and the JSON that come back.
    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .post(path)
            .header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(body)).await
    }

    /// Subscribes at Kuaidi100's enterprise contract; the status and the code.
    async fn poll(&self, param: &Value) -> (u16, String) {
        let (status, answer) = self
            .form("/poll", &[("schema", "json"), ("param", &param.to_string())])
            .await;
        (status, code(&answer))
    }

    /// Subscribes at the marketplace, with JSON.
    async fn market(&self, path: &str, app_code: &str, param: &Value) -> (u16, String) {
        let request = self.post(path).header("x-apig-appcode", app_code).json(param);
        let (status, answer) = answer(request).await;
        (status, code(&answer))
    }

    /// Queries Kuaidi100.
    async fn query(&self, param: &Value) -> Value {
        let param = param.to_string();
        let sign = crate::simulator::vendors::kuaidi100::digest(&format!("{param}{KEY}CUSTOMER"));
        let fields = [("customer", "CUSTOMER"), ("sign", sign.as_str()), ("param", &param)];
        let (status, answer) = self.form("/poll/query.do", &fields).await;
        assert_eq!(status, 200);
        answer
    }

    /// Calls Kdniao.
    async fn packet(&self, request_type: &str, request_data: &Value) -> Value {
        let data = request_data.to_string();
        let sign = crate::simulator::vendors::kdniao::sign(&data, APP_KEY);
        let fields = [
            ("RequestData", data.as_str()),
            ("EBusinessID", "1000001"),
            ("RequestType", request_type),
            ("DataType", "2"),
            ("DataSign", &sign),
        ];
        self.form("/api/track/packet", &fields).await.1
    }

    async fn faults(&self, change: &Value) {
        let (status, answer) = answer(self.post("/faults").json(change)).await;
        assert_eq!(status, 200, "{answer}");
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.base)).send().await.unwrap();
        response.json().await.unwrap()
    }

    /// Moves the clock and waits until everything that was due is done.
    async fn advance(&self, seconds: Seconds) {
        let (status, answer) = answer(self.post("/clock").json(&json!({"advance": seconds}))).await;
        assert_eq!(status, 200, "{answer}");
        let waiting = async {
            while self.get("/ledger?totals").await["idle"] != true {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the vendors become idle");
    }

    /// What the ledger has counted about a number in all months, by name.
    async fn counted(&self, number: &str) -> HashMap<String, Value> {
        let ledger = self.get(&format!("/ledger?tracking_number={number}")).await;
        ledger["total"].as_object().unwrap().clone().into_iter().collect()
    }

    /// Parcels of a course, `Domestic` or another.
    async fn parcels(&self, course: &str) -> Vec<Value> {
        let all = self.get("/parcels").await;
        let all = all.as_array().unwrap().clone();
        all.into_iter().filter(|parcel| parcel["course"] == course).collect()
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// `returnCode`, or the whole body if there is none.
fn code(answer: &Value) -> String {
    answer["returnCode"]
        .as_str()
        .map_or_else(|| answer.to_string(), str::to_owned)
}

/// A subscription of the enterprise contract, as its document shows it.
fn param(company: &str, number: &str, callback: &str) -> Value {
    json!({
        "company": company, "number": number, "from": "广东省深圳市南山区", "to": "北京市朝阳区", "key": KEY,
        "parameters": {"callbackurl": callback, "salt": SALT, "resultv2": "4", "phone": "8888"},
    })
}
