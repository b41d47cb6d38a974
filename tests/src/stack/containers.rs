//! The servers as containers, one set for each test, on a container engine of this machine.

use super::process::last_lines;
use super::reservation::Reservation;
use super::service::agent;
use super::{Server, Stack, repository};
use anyhow::{Context, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::{
    KillContainerOptions, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::wait::ExitWaitStrategy;
use testcontainers::core::{ContainerPort, IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use tokio::runtime::Runtime;

/// How long a server may take until it is ready; `stack.sh` gives it less, for it has no engine below it.
const READY_LIMIT: Duration = Duration::from_mins(3);
/// How long a server may take to end by itself, as in `stack.sh`.
const STOP_SECONDS: i32 = 20;
/// How often a server is asked whether it is ready.
const POLL: Duration = Duration::from_millis(100);
/// Options of a JVM that lives for seconds: it would spend most of them on optimizing itself.
const SHORT_LIVED: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
/// The label of a container that tells whose it is: the directory of its stack.
const LABEL: &str = "courierflow.test-stack";

/// The client of the engine is one for the whole process and lives on the runtime that made it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "without threads there is no test to run")]
    Runtime::new().expect("a runtime for the client of the container engine")
});

/// The official images of the servers on ports and with a directory of their own (`.local/test-<name>`), beside those of
/// other tests. What a killed run of the same name left is removed first.
///
/// `COURIERFLOW_TEST_KAFKA_IMAGE`, `…_REGISTRY_IMAGE` and `…_CLICKHOUSE_IMAGE` name other images. The engine is the one of
/// `DOCKER_HOST`, by default `/var/run/docker.sock`; it must run on this machine, because the ports of the containers are
/// published on the loopback address.
#[derive(Debug)]
pub struct ContainerStack {
    reservation: Reservation,
    /// In the order in which they were started.
    containers: Vec<(Server, Container)>,
    started: bool,
}

impl ContainerStack {
    /// Starts all servers; returns when they are ready. Images that are not there are pulled.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_only(name, &Server::ALL)
    }

    /// Starts some of the servers, for what does not need the others.
    pub fn start_only(name: &str, servers: &[Server]) -> anyhow::Result<Self> {
        let mut stack = Self {
            reservation: Reservation::new(name)?,
            containers: Vec::new(),
            started: false,
        };
        let label = stack.dir().display().to_string();
        RUNTIME
            .block_on(remove_leftovers(&label))
            .context("cannot ask the container engine; is it running, and is DOCKER_HOST right?")?;
        for &server in servers {
            let request = request(server, stack.port(server))?.with_label(LABEL, &label);
            let container = RUNTIME
                .block_on(request.start())
                .with_context(|| format!("cannot start a container of {server}"))?;
            stack.containers.push((server, Container(Some(container))));
        }
        for &server in servers {
            stack.wait_ready(server)?;
        }
        stack.started = true;
        Ok(stack)
    }

    fn port(&self, server: Server) -> u16 {
        self.reservation.port(match server {
            Server::Kafka => 0,
            Server::Registry => 1,
            Server::ClickHouse => 2,
        })
    }

    fn container(&self, server: Server) -> anyhow::Result<&ContainerAsync<GenericImage>> {
        let mut containers = self.containers.iter();
        let found = containers.find(|(of, _)| *of == server);
        found
            .and_then(|(_, container)| container.0.as_ref())
            .with_context(|| format!("{server} was never started"))
    }

    fn is_running(&self, server: Server) -> anyhow::Result<bool> {
        let container = self.container(server)?;
        RUNTIME
            .block_on(container.is_running())
            .with_context(|| format!("cannot look after the container of {server}"))
    }

    fn wait_ready(&self, server: Server) -> anyhow::Result<()> {
        let start = Instant::now();
        while !self.is_ready(server) {
            let problem = if !self.is_running(server)? {
                "ended before it was ready".to_owned()
            } else if start.elapsed() > READY_LIMIT {
                format!("is not ready after {READY_LIMIT:?}")
            } else {
                sleep(POLL);
                continue;
            };
            self.save_log(server)?;
            bail!("{server} {problem}:\n{}", last_lines(&self.log(server), 30));
        }
        Ok(())
    }

    /// Asks what `stack.sh` asks. An open port would say nothing: it is the engine that listens there.
    fn is_ready(&self, server: Server) -> bool {
        match server {
            // The broker is usable when it lists itself, which it does once its controller has unfenced it.
            Server::Kafka => {
                let client: Result<BaseConsumer, _> = ClientConfig::new()
                    .set("bootstrap.servers", self.brokers())
                    // What a broker that is not there yet makes librdkafka say would fill the output of the test.
                    .set("log_level", "0")
                    .create();
                client
                    .and_then(|client| client.fetch_metadata(None, Duration::from_secs(2)))
                    .is_ok_and(|metadata| !metadata.brokers().is_empty())
            }
            Server::Registry => answers(&format!("{}/subjects", self.registry_url())),
            Server::ClickHouse => answers(&format!("{}/?query=SELECT+1", self.clickhouse_url())),
        }
    }

    fn log(&self, server: Server) -> PathBuf {
        self.dir().join(format!("log/{server}.log"))
    }

    fn save_log(&self, server: Server) -> anyhow::Result<()> {
        let container = self.container(server)?;
        let mut log = RUNTIME.block_on(container.stdout_to_vec())?;
        log.extend(RUNTIME.block_on(container.stderr_to_vec())?);
        let path = self.log(server);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, log).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Stack for ContainerStack {
    fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port(Server::Kafka))
    }

    fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.port(Server::Registry))
    }

    fn clickhouse_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port(Server::ClickHouse))
    }

    fn dir(&self) -> &Path {
        self.reservation.dir()
    }

    fn reserve_port(&self) -> anyhow::Result<u16> {
        self.reservation.reserve_port()
    }

    fn start_server(&self, server: Server) -> anyhow::Result<()> {
        if !self.is_running(server)? {
            RUNTIME
                .block_on(self.container(server)?.start())
                .with_context(|| format!("cannot start {server} again"))?;
        }
        self.wait_ready(server)
    }

    fn stop(&self, server: Server) -> anyhow::Result<()> {
        let container = self.container(server)?;
        RUNTIME
            .block_on(container.stop_with_timeout(Some(STOP_SECONDS)))
            .with_context(|| format!("cannot stop {server}"))
    }

    fn kill(&self, server: Server) -> anyhow::Result<()> {
        let container = self.container(server)?;
        // To stop with a timeout of 0 would send SIGTERM first.
        let killed = RUNTIME.block_on(async {
            let engine = docker_client_instance().await?;
            engine
                .kill_container(container.id(), None::<KillContainerOptions>)
                .await?;
            anyhow::Ok(())
        });
        if self.is_running(server)? {
            killed.with_context(|| format!("cannot kill {server}"))?;
            bail!("{server} survived a SIGKILL");
        }
        Ok(())
    }

    fn freeze(&self, server: Server) -> anyhow::Result<()> {
        RUNTIME
            .block_on(self.container(server)?.pause())
            .with_context(|| format!("cannot freeze {server}"))
    }

    fn thaw(&self, server: Server) -> anyhow::Result<()> {
        RUNTIME
            .block_on(self.container(server)?.unpause())
            .with_context(|| format!("cannot thaw {server}"))
    }

    /// Nothing can be run in a container that has ended, but in another one with its volumes.
    fn lose(&self, server: Server, directories: &[PathBuf]) -> anyhow::Result<()> {
        let volumes_of = self.container(server)?.id().to_owned();
        let arguments = ["-rf".to_owned(), "--".to_owned()].into_iter();
        let arguments = arguments.chain(directories.iter().map(|directory| directory.display().to_string()));
        let request = image(server)
            .generic()?
            .with_entrypoint("rm")
            .with_wait_for(WaitFor::exit(ExitWaitStrategy::new().with_exit_code(0)))
            .with_cmd(arguments)
            .with_label(LABEL, self.dir().display().to_string())
            .with_host_config_modifier(move |host| host.volumes_from = Some(vec![volumes_of.clone()]));
        let removed = RUNTIME
            .block_on(request.start())
            .with_context(|| format!("cannot remove files of {server}"))?;
        drop(Container(Some(removed)));
        Ok(())
    }
}

impl Drop for ContainerStack {
    /// Ends the services, then the servers the hard way, for nobody needs their data any more. The logs of a test that
    /// failed are kept.
    fn drop(&mut self) {
        if !self.started || std::thread::panicking() {
            for (server, _) in &self.containers {
                if let Err(error) = self.save_log(*server) {
                    tracing::warn!(error = format!("{error:#}"), %server, "a log was not kept");
                }
            }
        }
        let swept = self.reservation.sweep();
        self.containers.clear();
        match swept {
            Ok(()) => self.reservation.forget(!self.started),
            Err(error) => tracing::error!(error = format!("{error:#}"), "services of a test were not ended"),
        }
    }
}

/// Removed with its data when it is dropped.
#[derive(Debug)]
struct Container(Option<ContainerAsync<GenericImage>>);

impl Drop for Container {
    fn drop(&mut self) {
        // It removes itself, but only inside of a runtime.
        let container = self.0.take();
        RUNTIME.block_on(async { drop(container) });
    }
}

/// Where the image of a server comes from.
struct Image {
    /// The variable that names another one.
    variable: &'static str,
    /// The official image, in the version that `stack.sh` fetches.
    default_name: &'static str,
}

fn image(server: Server) -> Image {
    match server {
        Server::Kafka => Image {
            variable: "COURIERFLOW_TEST_KAFKA_IMAGE",
            default_name: "apache/kafka:4.2.1",
        },
        Server::Registry => Image {
            variable: "COURIERFLOW_TEST_REGISTRY_IMAGE",
            default_name: "apicurio/apicurio-registry:3.0.9",
        },
        Server::ClickHouse => Image {
            variable: "COURIERFLOW_TEST_CLICKHOUSE_IMAGE",
            default_name: "clickhouse/clickhouse-server:26.7",
        },
    }
}

impl Image {
    fn generic(&self) -> anyhow::Result<GenericImage> {
        let name = env::var(self.variable).unwrap_or_else(|_| self.default_name.to_owned());
        // A colon may also stand before the port of a registry.
        match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => Ok(GenericImage::new(name, tag)),
            _ => bail!("{}: '{name}' has no tag", self.variable),
        }
    }
}

/// A container of a server that can be reached on `port`.
fn request(server: Server, port: u16) -> anyhow::Result<ContainerRequest<GenericImage>> {
    let image = image(server).generic()?;
    let request = match server {
        Server::Kafka => {
            let properties = repository().join("deploy/local/kafka/server.properties");
            let properties =
                fs::read_to_string(&properties).with_context(|| format!("cannot read {}", properties.display()))?;
            // The same port on both sides: the broker, too, connects to the address that it gives to its clients.
            let request = published(image, port, port.tcp())
                .with_env_var(
                    "KAFKA_LISTENERS",
                    format!("PLAINTEXT://:{port},CONTROLLER://127.0.0.1:9093"),
                )
                .with_env_var("KAFKA_ADVERTISED_LISTENERS", format!("PLAINTEXT://127.0.0.1:{port}"))
                .with_env_var("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@127.0.0.1:9093")
                .with_env_var("KAFKA_LOG_DIRS", "/var/lib/kafka/data")
                .with_env_var("KAFKA_HEAP_OPTS", "-Xmx512m")
                .with_env_var("JAVA_TOOL_OPTIONS", SHORT_LIVED);
            kafka_variables(&properties).fold(request, |request, (name, value)| request.with_env_var(name, value))
        }
        // As in `stack.sh`: a schema id must survive a restart and a kill. A start that takes the processor too long ends: the registry
        // waits five seconds for its database.
        Server::Registry => published(image, port, 8080.tcp())
            .with_env_var("JAVA_TOOL_OPTIONS", format!("-Xmx256m {SHORT_LIVED}"))
            .with_env_var("APICURIO_STORAGE_KIND", "sql")
            .with_env_var("APICURIO_STORAGE_SQL_KIND", "h2")
            .with_env_var(
                "APICURIO_DATASOURCE_URL",
                "jdbc:h2:file:/tmp/registry/registry;WRITE_DELAY=0",
            ),
        // The users of the local stack, let in from everywhere: to a container, this machine is another host. The image would restrict
        // `default`, unless it leaves the users alone.
        Server::ClickHouse => {
            let users = repository().join("deploy/local/clickhouse/users.xml");
            let users = fs::read_to_string(&users).with_context(|| format!("cannot read {}", users.display()))?;
            let users = users.replace("<ip>127.0.0.1</ip><ip>::1</ip>", "<ip>::/0</ip>");
            published(image, port, 8123.tcp())
                .with_env_var("CLICKHOUSE_SKIP_USER_SETUP", "1")
                .with_copy_to("/etc/clickhouse-server/users.d/local.xml", users.into_bytes())
        }
    };
    Ok(request)
}

/// On the loopback address only: these servers have no passwords.
fn published(image: GenericImage, port: u16, container_port: ContainerPort) -> ContainerRequest<GenericImage> {
    image
        .with_mapped_port(port, container_port)
        .with_host_config_modifier(|host| {
            let ports = host.port_bindings.iter_mut().flat_map(HashMap::values_mut);
            for binding in ports.flatten().flatten() {
                binding.host_ip = Some("127.0.0.1".to_owned());
            }
        })
}

/// The variables by which the official image takes properties of the broker: `process.roles` is `KAFKA_PROCESS_ROLES`.
fn kafka_variables(properties: &str) -> impl Iterator<Item = (String, &str)> {
    properties
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (format!("KAFKA_{}", name.replace('.', "_").to_uppercase()), value))
}

/// The containers of a stack, whatever they do.
async fn containers_of(label: &str) -> anyhow::Result<Vec<ContainerSummary>> {
    let filters = HashMap::from([("label", vec![format!("{LABEL}={label}")])]);
    let ours = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    Ok(docker_client_instance().await?.list_containers(Some(ours)).await?)
}

/// Removes the containers of a stack, with their data.
async fn remove_leftovers(label: &str) -> anyhow::Result<()> {
    let engine = docker_client_instance().await?;
    for container in containers_of(label).await? {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        engine
            .remove_container(&container.id.unwrap_or_default(), Some(options))
            .await?;
    }
    Ok(())
}

/// Whether `GET` says 200 right now.
fn answers(url: &str) -> bool {
    agent().get(url).call().is_ok_and(|response| response.status() == 200)
}

#[cfg(test)]
mod tests {
    use super::super::contract::assert_servers_come_back;
    use super::*;

    #[test]
    fn servers_come_back_and_the_stack_leaves_nothing() {
        let stack = ContainerStack::start("containers-themselves").unwrap();
        assert_servers_come_back(&stack);

        // A stack whose test ended in the middle of a freeze can be removed, too.
        stack.freeze(Server::Registry).unwrap();
        let dir = stack.dir().to_path_buf();
        let label = dir.display().to_string();
        drop(stack);
        assert!(!dir.exists());
        assert_eq!(RUNTIME.block_on(containers_of(&label)).unwrap(), []);
    }

    #[test]
    fn properties_of_the_broker_become_variables_of_its_image() {
        let properties = "# a comment = 1\n\nprocess.roles=broker,controller\nnode.id=1\n";
        assert_eq!(
            kafka_variables(properties).collect::<Vec<_>>(),
            [
                ("KAFKA_PROCESS_ROLES".to_owned(), "broker,controller"),
                ("KAFKA_NODE_ID".to_owned(), "1"),
            ]
        );
    }

    #[test]
    fn an_image_has_a_tag() {
        let image = |default_name| Image {
            variable: "COURIERFLOW_TEST_NO_IMAGE",
            default_name,
        };
        for name in ["kafka", "registry.example:5000/kafka"] {
            assert!(image(name).generic().is_err(), "{name}");
        }
        for name in ["kafka:1", "registry.example:5000/kafka:1"] {
            assert!(image(name).generic().is_ok(), "{name}");
        }
        for server in Server::ALL {
            assert!(super::image(server).generic().is_ok(), "{server}");
        }
    }
}
