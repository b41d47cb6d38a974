//! The vendors of a run: they die, hang and err, and their books outlive them, as a vendor's do.

use std::net::SocketAddr;
use std::time::Duration;

use courierflow_tests::simulator::vendor_server::{Contracts, Faults, ServeConfig, VendorServer, VendorState};
use courierflow_tests::stack::Stack;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::vendors::{CUSTOMER, KEY};
use crate::harness::{PATIENCE, agent, eventually};

/// Simulated seconds in a second: three days without a record take longer than any outage of a run.
const SPEED: u32 = 1_200;
const SECONDS_OF_A_DAY: i64 = 86_400;
/// Parcels that exist.
const PARCELS: u32 = 2_000;

pub(super) struct Vendors {
    address: SocketAddr,
    state: VendorState,
    /// `None`: they are away.
    runtime: Option<Runtime>,
}

impl Vendors {
    /// Their clock reaches the present when the run has taken that long.
    pub(super) fn start(stack: &dyn Stack, lasts: Duration, seed: u64) -> Self {
        let port = stack.reserve_port().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let simulated = i64::try_from(lasts.as_secs()).unwrap() * i64::from(SPEED);
        let days = simulated / SECONDS_OF_A_DAY + 1;
        let config = ServeConfig {
            seed,
            parcels: PARCELS,
            from: jiff::Timestamp::now().as_second() - days * SECONDS_OF_A_DAY,
            order_days: Some(u32::try_from(days).unwrap()),
            speed: f64::from(SPEED),
            contracts: Contracts {
                kuaidi100_key: KEY.to_owned(),
                kuaidi100_customer: CUSTOMER.to_owned(),
                ..Contracts::default()
            },
            faults: Faults::default(),
            units: None,
        };
        let runtime = runtime();
        let server = runtime.block_on(VendorServer::bind(address, config)).unwrap();
        let state = server.state();
        runtime.spawn(server.run(std::future::pending()));
        Self {
            address,
            state,
            runtime: Some(runtime),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All connections are cut, and nobody listens; what was being answered may be in the books or not.
    pub(super) fn kill(&mut self) {
        let runtime = self.runtime.take().expect("they are there");
        runtime.shutdown_timeout(PATIENCE);
    }

    pub(super) fn restart(&mut self) {
        let runtime = runtime();
        let server = eventually("the vendors listen again", || {
            let resumed = VendorServer::resume(self.address, self.state.clone());
            runtime.block_on(resumed).map_err(|error| error.to_string())
        });
        runtime.spawn(server.run(std::future::pending()));
        self.runtime = Some(runtime);
    }

    /// Connections are accepted, and nothing is answered.
    pub(super) fn freeze(&self) {
        self.post("faults", &json!({"hang": 1.0}));
    }

    pub(super) fn thaw(&self) {
        self.post("faults", &json!({"hang": 0.0}));
    }

    /// Much goes wrong with calls, each in the way of a vendor.
    pub(super) fn err(&self) {
        let faults =
            json!({"server_errors": 0.1, "html": 0.1, "drop_after_accept": 0.1, "slow": 0.1, "slow_ms": 1_500});
        self.post("faults", &faults);
    }

    pub(super) fn recover(&self) {
        self.post(
            "faults",
            &json!({"server_errors": 0.0, "html": 0.0, "drop_after_accept": 0.0, "slow": 0.0}),
        );
    }

    /// Nothing more happens to any parcel; returns when everything that has happened is told.
    pub(super) fn stop_the_clock(&self) {
        self.post("clock", &json!({"speed": 0.0}));
        eventually("everything is told", || match self.ledger("?totals")["idle"] {
            Value::Bool(true) => Ok(()),
            _ => Err("pushes are on their way".to_owned()),
        });
    }

    pub(super) fn ledger(&self, query: &str) -> Value {
        let mut answer = agent().get(format!("{}/ledger{query}", self.url())).call().unwrap();
        let body = answer.body_mut().with_config().limit(u64::MAX);
        body.read_json().unwrap()
    }

    /// Numbers of Kuaidi100's parcels with their carriers and telephone numbers.
    pub(super) fn parcels(&self) -> Vec<[String; 3]> {
        let url = format!(
            "{}/parcels.csv?columns=tracking_number,carrier,phone,vendor",
            self.url()
        );
        let csv = agent().get(url).call().unwrap().body_mut().read_to_string().unwrap();
        let rows = csv
            .lines()
            .skip(1)
            .map(|line| line.split(',').map(|cell| cell.trim_matches('"')));
        let rows = rows.filter_map(|row| match row.collect::<Vec<_>>()[..] {
            [number, carrier, phone, "kuaidi100"] => Some([number, carrier, phone].map(str::to_owned)),
            _ => None,
        });
        rows.collect()
    }

    fn post(&self, path: &str, change: &Value) {
        let answer = agent()
            .post(format!("{}/{path}", self.url()))
            .send_json(change)
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}
