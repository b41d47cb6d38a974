//! The simulator's vendors, which are called and count every call.

use courierflow_tests::simulator::vendor_server::{Contracts, Faults, ServeConfig, VendorServer};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::agent;

pub(crate) const KEY: &str = "the-key-of-the-contract-9f31";
/// Of the marketplace.
pub(crate) const APP_CODE: &str = "the-app-code-9f31";
pub(crate) const CUSTOMER: &str = "THE-CUSTOMER-9f31";
/// Those of the local configuration.
pub(crate) const SALT: &str = "courierflow-demo-salt";
pub(crate) const BUSINESS_ID: &str = "1000001";
pub(crate) const BUSINESS_KEY: &str = "courierflow-demo-app-key";
pub(crate) const SEVENTEENTRACK_KEY: &str = "17track-demo-key-0001";

const DAY: i64 = 86_400;

/// Vendors that listen; they end with the runtime.
pub(crate) struct Vendors {
    pub(crate) url: String,
    _runtime: Runtime,
}

impl Vendors {
    /// Vendors to whom it hardly matters which parcels exist.
    pub(crate) fn start() -> Self {
        Self::since(1, 10, 1)
    }

    /// Vendors whose clock stands so many days ago, with so many parcels that are ordered within some days from then on.
    pub(crate) fn since(days_ago: i64, parcels: u32, order_days: u32) -> Self {
        Self::pushing_to("", days_ago, parcels, order_days)
    }

    /// The same where 17TRACK, which is given no address in calls, pushes to this one.
    pub(crate) fn pushing_to(callback: &str, days_ago: i64, parcels: u32, order_days: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let config = ServeConfig {
            seed: 7,
            parcels,
            from: jiff::Timestamp::now().as_second() - days_ago * DAY,
            order_days: Some(order_days),
            speed: 0.0,
            contracts: Contracts {
                kuaidi100_key: KEY.to_owned(),
                kuaidi100_customer: CUSTOMER.to_owned(),
                kuaidi100_app_code: APP_CODE.to_owned(),
                kdniao_business_id: BUSINESS_ID.to_owned(),
                kdniao_app_key: BUSINESS_KEY.to_owned(),
                seventeentrack_key: SEVENTEENTRACK_KEY.to_owned(),
                seventeentrack_callback: callback.to_owned(),
                ..Contracts::default()
            },
            faults: Faults::default(),
            units: None,
        };
        let server = runtime.block_on(VendorServer::bind("127.0.0.1:0".parse().unwrap(), config));
        let server = server.unwrap();
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { url, _runtime: runtime }
    }

    pub(crate) fn faults(&self, change: &Value) {
        self.post("faults", change);
    }

    /// The clock goes forward.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock(&json!({"advance": seconds}));
    }

    /// Changes the clock, which stands at first.
    pub(crate) fn clock(&self, change: &Value) {
        self.post("clock", change);
    }

    fn post(&self, path: &str, change: &Value) {
        let mut answer = agent().post(format!("{}/{path}", self.url)).send_json(change).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}: {text}");
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.ledger("?totals")["total"]["calls"].as_u64().unwrap()
    }

    /// What is counted about a number: name → count.
    pub(crate) fn counted(&self, number: &str) -> Value {
        self.ledger(&format!("?tracking_number={number}"))["total"].clone()
    }

    pub(crate) fn ledger(&self, query: &str) -> Value {
        self.get(&format!("ledger{query}"))
    }

    /// Every parcel that exists, and how far it has come.
    pub(crate) fn parcels(&self) -> Vec<Value> {
        self.get("parcels").as_array().unwrap().clone()
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = agent().get(format!("{}/{path}", self.url)).call().unwrap();
        answer.body_mut().with_config().limit(u64::MAX).read_json().unwrap()
    }
}
