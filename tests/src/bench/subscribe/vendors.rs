//! The vendors of the simulator, without a fault, and the configuration that calls them.

use std::path::PathBuf;

use anyhow::Context;
use tokio::runtime::Runtime;

use crate::bench::ingest::SALT;
use crate::simulator::vendor_server::{Contracts, Faults, ServeConfig, VendorServer};
use crate::stack::{LocalStack, Stack, repository};

const KEY: &str = "the-key-of-the-bench";
const CUSTOMER: &str = "THE-CUSTOMER";

/// Vendors that listen; they end with the runtime.
pub(super) struct Vendors {
    pub(super) url: String,
    _runtime: Runtime,
}

impl Vendors {
    /// Their clock stands still: they answer calls and push nothing.
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let config = ServeConfig {
            seed: 7,
            parcels: 10,
            from: jiff::Timestamp::now().as_second() - 86_400,
            order_days: Some(1),
            speed: 0.0,
            contracts: Contracts {
                kuaidi100_key: KEY.to_owned(),
                kuaidi100_customer: CUSTOMER.to_owned(),
                ..Contracts::default()
            },
            faults: Faults::default(),
            units: None,
        };
        let server = runtime.block_on(VendorServer::bind("127.0.0.1:0".parse()?, config))?;
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Ok(Self { url, _runtime: runtime })
    }
}

/// The local configuration with one account that is called at `url`, with nothing but `concurrency` to slow it down.
pub(super) fn configuration(stack: &LocalStack, url: &str, concurrency: usize) -> anyhow::Result<PathBuf> {
    let write = |name: &str, text: &str| -> anyhow::Result<PathBuf> {
        let file = stack.dir().join(name);
        std::fs::write(&file, text)?;
        Ok(file)
    };
    let (key, salt) = (write("vendor.key", KEY)?, write("vendor.salt", SALT)?);
    let section = format!(
        r#"
[subscribe]
slot_dir = '{slots}'
[[subscribe.accounts]]
name = "demo"
vendor = "kuaidi100"
api = "kuaidi100_enterprise"
subscribe_url = "{url}/poll"
query_url = "{url}/poll/query.do"
key_file = '{key}'
customer = "{CUSTOMER}"
salt_file = '{salt}'
callback_base = "http://127.0.0.1:9"
max_calls_per_second = 100000
max_concurrency = {concurrency}
"#,
        slots = stack.dir().join("slots").display(),
        key = key.display(),
        salt = salt.display(),
    );
    let local = std::fs::read_to_string(repository().join("deploy/local/courierflow.toml"))?;
    // Its own section is replaced.
    let (before, rest) = local.split_once("\n[subscribe]\n").context("a section [subscribe]")?;
    let (_, after) = rest.split_once("\n[topics]\n").context("a section [topics]")?;
    write("subscribe.toml", &format!("{before}\n{section}\n[topics]\n{after}"))
}
