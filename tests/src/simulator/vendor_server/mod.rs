//! The vendors as servers that are called: subscriptions and queries come in, pushes go to the callback URLs that were given
//! in them. Everything that the documents say about codes, quota, units, retries and limits is enforced, and the
//! [`ledger`] says what has happened.
//!
//! Written from the vendors' documents alone: it shares neither a builder nor a reader of calls with the product.
//!
//! | room | what | I/O |
//! |---|---|---|
//! | `call`, `form`, `answer` | a call, its fields, what it is answered | no |
//! | `contract` | keys and signatures | no |
//! | `kuaidi100`, `kdniao`, `seventeentrack` | each vendor's APIs | no |
//! | `place` | whether a text is a place | no |
//! | `ledger` | who subscribed to what and when, months, units, limits of queries | no |
//! | `parcels` | the parcels that exist | no |
//! | `watch`, `schedule` | when a vendor looks, what it tells, when it calls again | no |
//! | `push` | pushes and answers to queries, as the vendors write them | no |
//! | `faults` | what goes wrong on purpose | no |
//! | `desk` | all of that together: calls in, pushes out | no |
//! | `clock` | simulated time as a function of real time | no |
//! | `arguments` | the options of the program | no |
//! | `connection`, `http`, `server` | sockets, routes, the loop that sends | yes |

mod answer;
mod arguments;
mod call;
mod clock;
mod connection;
mod contract;
mod desk;
mod faults;
mod form;
mod http;
mod kdniao;
mod kuaidi100;
mod ledger;
mod parcels;
mod place;
mod push;
mod schedule;
mod server;
mod seventeentrack;
#[cfg(test)]
mod tests;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use self::arguments::ServeArguments;
pub use self::contract::Contracts;
pub use self::faults::{Faults, Forced};

use super::clock::Seconds;

/// What to serve.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Seed of the parcels and of every draw.
    pub seed: u64,
    /// How many parcels exist.
    pub parcels: u32,
    /// When the simulated clock starts, seconds UTC.
    pub from: Seconds,
    /// For so many days from then on parcels are ordered; as long as most of them still arrive by now, if not given.
    pub order_days: Option<u32>,
    /// Simulated seconds in one real second, until the clock has caught up with the real one.
    pub speed: f64,
    /// Keys and secrets.
    pub contracts: Contracts,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Units that each contract has left to spend; `None`: as many as are wanted.
    pub units: Option<u64>,
}

/// Vendors that may be away for a while: their books and their clock outlive the program.
#[derive(Clone, Debug)]
pub struct VendorState(Arc<server::Vendors>);

/// Vendors that listen already.
#[derive(Debug)]
pub struct VendorServer {
    listener: TcpListener,
    vendors: Arc<server::Vendors>,
    address: SocketAddr,
}

impl VendorServer {
    /// Lives all parcels and listens; port 0 is any free one.
    pub async fn bind(address: SocketAddr, config: ServeConfig) -> anyhow::Result<Self> {
        anyhow::ensure!(
            config.speed.is_finite() && config.speed >= 0.0,
            "the speed must be 0 or more"
        );
        config.faults.validate().map_err(anyhow::Error::msg)?;
        let listener = server::bind(address).await?;
        let address = listener.local_addr()?;
        let vendors = Arc::new(server::Vendors::new(config, server::real_now()));
        Ok(Self {
            listener,
            vendors,
            address,
        })
    }

    /// The same vendors listen again, after the runtime in which they were served has ended in the middle of whatever they did.
    pub async fn resume(address: SocketAddr, state: VendorState) -> anyhow::Result<Self> {
        let listener = server::bind(address).await?;
        let VendorState(vendors) = state;
        vendors.resume();
        Ok(Self {
            listener,
            vendors,
            address,
        })
    }

    /// What outlives this server.
    pub fn state(&self) -> VendorState {
        VendorState(Arc::clone(&self.vendors))
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is over.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        server::run(self.listener, self.vendors, stop).await
    }
}
