//! Three Kafka brokers beside one registry and one ClickHouse, for what one broker cannot show: replicas.

use super::local::LocalStack;
use super::reservation::run;
use super::{Server, Stack};
use anyhow::{Context, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::Metadata;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

const READY_LIMIT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// What the brokers of a cluster have in common; three replicas of everything, of which one may be away. A dead broker is noticed
/// sooner than by default.
const SHARED: &str = "\
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
";

/// A process of Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broker {
    /// Broker and controller: without it there is no cluster.
    First,
    /// A broker.
    Second,
    /// A broker.
    Third,
}

impl Broker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    fn id(self) -> u16 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }
}

/// The servers of `deploy/local/stack.sh` with three brokers (`KRaft`, static quorum of one). Dropping it ends all of them.
#[derive(Debug)]
pub struct ClusterStack {
    local: LocalStack,
    /// Of each broker, the port of its clients and one for its controller.
    ports: [(u16, u16); 3],
}

impl ClusterStack {
    /// Starts all servers; returns when the brokers know each other.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        let local = LocalStack::start_only(name, &[])?;
        let mut ports = [(0, 0); 3];
        for pair in &mut ports {
            *pair = (local.reserve_port()?, local.reserve_port()?);
        }
        let cluster = Self { local, ports };
        for broker in Broker::ALL {
            cluster.script(broker, "start")?;
        }
        for server in [Server::Registry, Server::ClickHouse] {
            cluster.local.start_server(server)?;
        }
        cluster.wait_for_brokers(Broker::ALL.len())?;
        Ok(cluster)
    }

    /// Ends a broker with SIGKILL; its disk stays.
    pub fn kill_broker(&self, broker: Broker) -> anyhow::Result<()> {
        self.script(broker, "kill")
    }

    /// Ends a broker with SIGKILL and deletes everything that it has stored. Replication bears that as long as somebody else has it: if this
    /// broker was the only one in sync, the others, when they follow it again, would delete what it has lost.
    pub fn lose_broker(&self, broker: Broker) -> anyhow::Result<()> {
        self.kill_broker(broker)?;
        let data = self.broker_dir(broker).join("data/kafka");
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))
    }

    /// Starts a broker again, with what is on its disk.
    pub fn start_broker(&self, broker: Broker) -> anyhow::Result<()> {
        self.script(broker, "start")
    }

    fn broker_dir(&self, broker: Broker) -> PathBuf {
        self.local.dir().join(format!("broker-{}", broker.id()))
    }

    fn port(&self, broker: Broker) -> (u16, u16) {
        let [first, second, third] = self.ports;
        match broker {
            Broker::First => first,
            Broker::Second => second,
            Broker::Third => third,
        }
    }

    /// The lines of this broker, which come after those of `server.properties` and win.
    fn properties(&self, broker: Broker) -> String {
        let id = broker.id();
        let (_, controller) = self.port(Broker::First);
        let common = format!("{SHARED}node.id={id}\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n");
        if broker == Broker::First {
            return common;
        }
        let (port, _) = self.port(broker);
        format!("{common}process.roles=broker\nlisteners=PLAINTEXT://127.0.0.1:{port}\n")
    }

    fn script(&self, broker: Broker, command: &str) -> anyhow::Result<()> {
        let (port, controller) = self.port(broker);
        let mut script = self.local.command();
        script
            .env("COURIERFLOW_LOCAL_DIR", self.broker_dir(broker))
            .env("COURIERFLOW_KAFKA_PORT", port.to_string())
            .env("COURIERFLOW_KAFKA_CONTROLLER_PORT", controller.to_string())
            .env("COURIERFLOW_KAFKA_HEAP", "256m")
            .env("COURIERFLOW_KAFKA_PROPERTIES", self.properties(broker));
        run(script.args([command, "kafka"]))
    }

    fn wait_for_brokers(&self, count: usize) -> anyhow::Result<()> {
        self.wait_until(&|metadata| match metadata.brokers().len() {
            found if found == count => Ok(()),
            found => Err(format!("{found} of {count} brokers are there")),
        })
    }

    /// Until every replica of every partition is in sync.
    pub fn wait_until_in_sync(&self) -> anyhow::Result<()> {
        self.wait_until(&|metadata| {
            let topics = metadata.topics().iter();
            let mut behind = topics.flat_map(|topic| {
                topic
                    .partitions()
                    .iter()
                    .map(move |partition| (topic.name(), partition))
            });
            match behind.find(|(_, partition)| partition.isr().len() < partition.replicas().len()) {
                None if metadata.topics().is_empty() => Err("no topics".to_owned()),
                None => Ok(()),
                Some((topic, partition)) => Err(format!(
                    "of {topic}/{} the brokers {:?} are in sync, of {:?}",
                    partition.id(),
                    partition.isr(),
                    partition.replicas()
                )),
            }
        })
    }

    /// Until the brokers say so of themselves.
    fn wait_until(&self, is: &dyn Fn(&Metadata) -> Result<(), String>) -> anyhow::Result<()> {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.brokers())
            // A broker that is not there yet is no news.
            .set("log_level", "0")
            .create()?;
        let start = Instant::now();
        loop {
            let found = match client.fetch_metadata(None, Duration::from_secs(2)) {
                Ok(metadata) => is(&metadata),
                Err(error) => Err(error.to_string()),
            };
            match found {
                Ok(()) => return Ok(()),
                Err(reason) => ensure!(start.elapsed() < READY_LIMIT, "{reason}"),
            }
            sleep(POLL);
        }
    }
}

impl Stack for ClusterStack {
    fn brokers(&self) -> String {
        self.ports.map(|(port, _)| format!("127.0.0.1:{port}")).join(",")
    }

    fn registry_url(&self) -> String {
        self.local.registry_url()
    }

    fn clickhouse_url(&self) -> String {
        self.local.clickhouse_url()
    }

    fn dir(&self) -> &Path {
        self.local.dir()
    }

    fn reserve_port(&self) -> anyhow::Result<u16> {
        self.local.reserve_port()
    }

    /// Of Kafka, all brokers.
    fn start_server(&self, server: Server) -> anyhow::Result<()> {
        self.on(server, "start", |local| local.start_server(server))?;
        match server {
            Server::Kafka => self.wait_for_brokers(Broker::ALL.len()),
            _ => Ok(()),
        }
    }

    fn stop(&self, server: Server) -> anyhow::Result<()> {
        self.on(server, "stop", |local| local.stop(server))
    }

    fn kill(&self, server: Server) -> anyhow::Result<()> {
        self.on(server, "kill", |local| local.kill(server))
    }

    fn freeze(&self, server: Server) -> anyhow::Result<()> {
        self.on(server, "freeze", |local| local.freeze(server))
    }

    fn thaw(&self, server: Server) -> anyhow::Result<()> {
        self.on(server, "thaw", |local| local.thaw(server))
    }
}

impl ClusterStack {
    fn on(
        &self,
        server: Server,
        command: &str,
        other: impl FnOnce(&LocalStack) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match server {
            Server::Kafka => Broker::ALL.iter().try_for_each(|broker| self.script(*broker, command)),
            Server::Registry | Server::ClickHouse => other(&self.local),
        }
    }
}
