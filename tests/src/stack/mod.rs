//! The servers and services that the end-to-end tests and the benchmarks run on.
//!
//! [`Stack`] is the seam: a test asks for addresses and lets a server fail, and does not know how the server is run.
//! [`LocalStack`] runs the servers of `deploy/local/stack.sh`, [`ClusterStack`] three brokers of them, `ContainerStack` (feature `containers`) the official images;
//! [`start`] lets `COURIERFLOW_TEST_STACK` choose. A test that names one of the others has local servers whatever was chosen, and says why.
//! [`Service`] is one of our own processes beside it.
//!
//! ```no_run
//! use courierflow_tests::stack::{Launch, LocalStack, Server, Stack};
//! use std::time::Duration;
//!
//! # fn main() -> anyhow::Result<()> {
//! let stack = LocalStack::start("broker-restart")?;
//! Launch::processor("migrate").run_to_end("migrate", &stack)?;
//! let mut ingest = Launch::ingest().start("ingest", &stack)?;
//! ingest.wait_ready(Duration::from_secs(20))?;
//!
//! stack.kill(Server::Kafka)?;
//! // … pushes to ingest.url() are refused …
//! stack.start_server(Server::Kafka)?;
//! # Ok(())
//! # }
//! ```

mod binaries;
mod cluster;
#[cfg(feature = "containers")]
mod containers;
#[cfg(test)]
mod contract;
mod local;
mod ports;
mod process;
mod reservation;
mod service;

pub use binaries::binary;
pub use cluster::{Broker, ClusterStack};
#[cfg(feature = "containers")]
pub use containers::ContainerStack;
pub use local::{BrokerSettings, LocalStack};
pub use service::{Launch, Service};

use anyhow::{Context, bail};
use std::env::{self, VarError};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A server of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// The Kafka broker.
    Kafka,
    /// The schema registry.
    Registry,
    /// ClickHouse.
    ClickHouse,
}

impl Server {
    /// Every server, in the order in which they are started.
    pub const ALL: [Self; 3] = [Self::Kafka, Self::Registry, Self::ClickHouse];

    /// The name by which `stack.sh` knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Registry => "registry",
            Self::ClickHouse => "clickhouse",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of running servers that belongs to one test. Dropping it ends them, and every [`Service`] that was started on
/// it, also when the test panics.
pub trait Stack: fmt::Debug + Send + Sync {
    /// Kafka's bootstrap servers: `host:port`.
    fn brokers(&self) -> String;

    /// The base of the registry's Confluent-compatible API, without a slash at the end.
    fn registry_url(&self) -> String;

    /// ClickHouse's HTTP address, without a slash at the end.
    fn clickhouse_url(&self) -> String;

    /// A directory of this stack alone, for logs and files; it is gone after a test that passed.
    fn dir(&self) -> &Path;

    /// A TCP port on the loopback address that nobody else uses while the stack lives. A service that is started again
    /// can have it again.
    fn reserve_port(&self) -> anyhow::Result<u16>;

    /// Starts a server that was stopped or killed, on its old address with its old data; returns when it is ready, at
    /// once if it already runs.
    fn start_server(&self, server: Server) -> anyhow::Result<()>;

    /// Ends a server cleanly; returns when it is gone.
    fn stop(&self, server: Server) -> anyhow::Result<()>;

    /// Ends a server with SIGKILL; returns when it is gone.
    fn kill(&self, server: Server) -> anyhow::Result<()>;

    /// Lets a server hang (SIGSTOP): its connections stay open and nothing is answered.
    fn freeze(&self, server: Server) -> anyhow::Result<()>;

    /// Ends [`Stack::freeze`].
    fn thaw(&self, server: Server) -> anyhow::Result<()>;

    /// Removes directories of a server that was killed, named as it names them itself: its disk has lost them. One that is not there
    /// is lost already.
    fn lose(&self, _server: Server, directories: &[PathBuf]) -> anyhow::Result<()> {
        for directory in directories {
            if let Err(error) = fs::remove_dir_all(directory)
                && error.kind() != ErrorKind::NotFound
            {
                return Err(error).with_context(|| format!("cannot remove {}", directory.display()));
            }
        }
        Ok(())
    }

    /// The configuration overrides that point our services at these servers.
    fn configuration(&self) -> Vec<(&'static str, String)> {
        let id_cache = self.dir().join("schema-ids.json");
        let id_key = self.dir().join("id.key");
        // If it cannot be written, the processor says that it misses it.
        let _ = put_id_key(&id_key);
        vec![
            ("COURIERFLOW__KAFKA__BROKERS", self.brokers()),
            ("COURIERFLOW__REGISTRY__URL", self.registry_url()),
            ("COURIERFLOW__REGISTRY__ID_CACHE", id_cache.display().to_string()),
            ("COURIERFLOW__CLICKHOUSE__URL", self.clickhouse_url()),
            ("COURIERFLOW__DERIVE__ID_KEY_FILE", id_key.display().to_string()),
            // Slots are per host and group: the workers of a test must not take those of a developer's stack.
            (
                "COURIERFLOW__DERIVE__SLOT_DIR",
                self.dir().join("slots").display().to_string(),
            ),
        ]
    }
}

/// Puts the key there, whole and once: a service that was started before may be reading it.
fn put_id_key(path: &Path) -> std::io::Result<()> {
    const KEY: &str = "6120206b6579206f6620313620627974";
    if fs::read_to_string(path).is_ok_and(|key| key == KEY) {
        return Ok(());
    }
    let begun = path.with_extension("begun");
    fs::write(&begun, KEY)?;
    fs::rename(begun, path)
}

/// A stack with all servers, as `COURIERFLOW_TEST_STACK` wants them to run: `local` (the default) or `containers`.
pub fn start(name: &str) -> anyhow::Result<Box<dyn Stack>> {
    start_with(name, &Server::ALL)
}

/// A stack with these servers alone, for what does not need the others.
pub fn start_with(name: &str, servers: &[Server]) -> anyhow::Result<Box<dyn Stack>> {
    match env::var("COURIERFLOW_TEST_STACK").as_deref() {
        Ok("local") | Err(VarError::NotPresent) => Ok(Box::new(LocalStack::start_only(name, servers)?)),
        #[cfg(feature = "containers")]
        Ok("containers") => Ok(Box::new(ContainerStack::start_only(name, servers)?)),
        #[cfg(not(feature = "containers"))]
        Ok("containers") => bail!("COURIERFLOW_TEST_STACK=containers needs --features courierflow-tests/containers"),
        other => bail!("COURIERFLOW_TEST_STACK is {other:?}: it can be local or containers"),
    }
}

/// What [`start`] gives is used like any other stack.
impl<S: Stack + ?Sized> Stack for Box<S> {
    fn brokers(&self) -> String {
        (**self).brokers()
    }

    fn registry_url(&self) -> String {
        (**self).registry_url()
    }

    fn clickhouse_url(&self) -> String {
        (**self).clickhouse_url()
    }

    fn dir(&self) -> &Path {
        (**self).dir()
    }

    fn reserve_port(&self) -> anyhow::Result<u16> {
        (**self).reserve_port()
    }

    fn start_server(&self, server: Server) -> anyhow::Result<()> {
        (**self).start_server(server)
    }

    fn stop(&self, server: Server) -> anyhow::Result<()> {
        (**self).stop(server)
    }

    fn kill(&self, server: Server) -> anyhow::Result<()> {
        (**self).kill(server)
    }

    fn freeze(&self, server: Server) -> anyhow::Result<()> {
        (**self).freeze(server)
    }

    fn thaw(&self, server: Server) -> anyhow::Result<()> {
        (**self).thaw(server)
    }

    fn lose(&self, server: Server, directories: &[PathBuf]) -> anyhow::Result<()> {
        (**self).lose(server, directories)
    }
}

/// The root of the repository that this was built from.
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
