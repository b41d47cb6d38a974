//! The servers of `deploy/local/stack.sh`, one set for each test.

use super::ports::PortBlock;
use super::{Server, Stack, repository};
use anyhow::{Context, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

/// The ports that the servers listen on: places in the block, and the variables of `deploy/local/settings.sh`.
const KAFKA: u16 = 0;
const REGISTRY: u16 = 2;
const CLICKHOUSE_HTTP: u16 = 3;
const PORT_VARIABLES: [(&str, u16); 7] = [
    ("COURIERFLOW_KAFKA_PORT", KAFKA),
    ("COURIERFLOW_KAFKA_CONTROLLER_PORT", 1),
    ("COURIERFLOW_REGISTRY_PORT", REGISTRY),
    ("COURIERFLOW_CLICKHOUSE_HTTP_PORT", CLICKHOUSE_HTTP),
    ("COURIERFLOW_CLICKHOUSE_TCP_PORT", 4),
    // Not used by the servers, but they must differ from the others.
    ("COURIERFLOW_INGEST_PORT", 5),
    ("COURIERFLOW_PROCESSOR_PORT", 6),
];
/// The first place for the services of the test.
const SERVICES: u16 = 7;

/// Real servers on ports and in a directory of their own (`.local/test-<name>`), beside a stack of `./dev up` and beside
/// those of other tests. What a killed run of the same name left is ended and forgotten first.
#[derive(Debug)]
pub struct LocalStack {
    dir: PathBuf,
    ports: PortBlock,
    next_port: AtomicU16,
    started: bool,
    _lock: File,
}

impl LocalStack {
    /// Starts all servers; returns when they are ready.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_only(name, &Server::ALL)
    }

    /// Starts some of the servers, for what does not need the others; [`Stack::start_server`] adds one later.
    pub fn start_only(name: &str, servers: &[Server]) -> anyhow::Result<Self> {
        ensure!(is_directory_name(name), "'{name}' must be made of a-z, 0-9 and -");
        let parent = repository().join(".local");
        fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let lock = File::create(parent.join(format!("test-{name}.lock"))).context("cannot create a lock file")?;
        if lock.try_lock().is_err() {
            bail!("another test run is using the stack '{name}'");
        }
        let mut stack = Self {
            dir: parent.join(format!("test-{name}")),
            ports: PortBlock::claim()?,
            next_port: AtomicU16::new(SERVICES),
            started: false,
            _lock: lock,
        };
        if stack.dir.exists() {
            stack.script("sweep", &[])?;
            fs::remove_dir_all(&stack.dir).with_context(|| format!("cannot remove {}", stack.dir.display()))?;
        }
        fs::create_dir_all(&stack.dir).with_context(|| format!("cannot create {}", stack.dir.display()))?;
        stack.script("start", servers)?;
        stack.script("wait", servers)?;
        stack.started = true;
        Ok(stack)
    }

    fn script(&self, command: &str, servers: &[Server]) -> anyhow::Result<()> {
        let output = Command::new(repository().join("deploy/local/stack.sh"))
            .arg(command)
            .args(servers.iter().map(|server| server.name()))
            .envs(
                PORT_VARIABLES
                    .iter()
                    .map(|(variable, place)| (variable, self.port(*place).to_string())),
            )
            .env("COURIERFLOW_LOCAL_DIR", &self.dir)
            .output()
            .context("cannot run deploy/local/stack.sh")?;
        if !output.status.success() {
            bail!(
                "stack.sh {command} {servers:?} failed: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        Ok(())
    }

    /// The places of the servers lie within every block.
    fn port(&self, place: u16) -> u16 {
        self.ports.get(place).unwrap_or_default()
    }
}

impl Stack for LocalStack {
    fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port(KAFKA))
    }

    fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.port(REGISTRY))
    }

    fn clickhouse_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port(CLICKHOUSE_HTTP))
    }

    fn dir(&self) -> &Path {
        &self.dir
    }

    fn reserve_port(&self) -> anyhow::Result<u16> {
        let place = self.next_port.fetch_add(1, Ordering::Relaxed);
        self.ports
            .get(place)
            .context("a test has too many services: enlarge the block of ports")
    }

    fn start_server(&self, server: Server) -> anyhow::Result<()> {
        self.script("start", &[server])?;
        self.script("wait", &[server])
    }

    fn stop(&self, server: Server) -> anyhow::Result<()> {
        self.script("stop", &[server])
    }

    fn kill(&self, server: Server) -> anyhow::Result<()> {
        self.script("kill", &[server])
    }

    fn freeze(&self, server: Server) -> anyhow::Result<()> {
        self.script("freeze", &[server])
    }

    fn thaw(&self, server: Server) -> anyhow::Result<()> {
        self.script("thaw", &[server])
    }
}

impl Drop for LocalStack {
    /// Ends the servers the hard way, for nobody needs their data any more. The logs of a test that failed are kept.
    fn drop(&mut self) {
        if let Err(error) = self.script("sweep", &[]) {
            tracing::error!(error = format!("{error:#}"), "servers of a test were not ended");
            return;
        }
        let leftover = if self.started && !thread::panicking() {
            self.dir.clone()
        } else {
            self.dir.join("data")
        };
        if leftover.exists()
            && let Err(error) = fs::remove_dir_all(&leftover)
        {
            tracing::warn!(%error, path = %leftover.display(), "files of a test were not removed");
        }
    }
}

fn is_directory_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::ClientConfig;
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use std::time::Duration;

    fn topics(stack: &LocalStack) -> Vec<String> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", stack.brokers())
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(None, Duration::from_secs(10)).unwrap();
        metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
    }

    fn create_topic(stack: &LocalStack, name: &str) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", stack.brokers())
            .create()
            .unwrap();
        let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let created = runtime
            .block_on(admin.create_topics([&topic], &AdminOptions::new()))
            .unwrap();
        assert_eq!(created, [Ok(name.to_owned())]);
    }

    fn register(stack: &LocalStack) -> String {
        let url = format!("{}/subjects/kept-value/versions", stack.registry_url());
        let schema = serde_json::json!({ "schema": r#"{"type":"string"}"# });
        ureq::post(url)
            .send_json(schema)
            .unwrap()
            .into_body()
            .read_to_string()
            .unwrap()
    }

    fn subjects(stack: &LocalStack) -> String {
        let url = format!("{}/subjects", stack.registry_url());
        ureq::get(url).call().unwrap().into_body().read_to_string().unwrap()
    }

    fn sql(stack: &LocalStack, statement: &str) -> Result<String, ureq::Error> {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .build()
            .new_agent();
        agent
            .post(stack.clickhouse_url())
            .send(statement)?
            .into_body()
            .read_to_string()
    }

    #[test]
    fn a_server_comes_back_on_its_address_with_its_data_however_it_ended() {
        let stack = LocalStack::start("stack-itself").unwrap();
        create_topic(&stack, "kept");
        register(&stack);
        sql(
            &stack,
            "CREATE TABLE kept (number UInt8) ENGINE = MergeTree ORDER BY number",
        )
        .unwrap();
        sql(&stack, "INSERT INTO kept VALUES (7)").unwrap();

        for end in [LocalStack::kill, LocalStack::stop] {
            for server in Server::ALL {
                end(&stack, server).unwrap();
            }
            assert!(sql(&stack, "SELECT 1").is_err());
            for server in Server::ALL {
                stack.start_server(server).unwrap();
            }
            assert!(topics(&stack).contains(&"kept".to_owned()));
            assert_eq!(subjects(&stack), r#"["kept-value"]"#);
            assert_eq!(sql(&stack, "SELECT number FROM kept").unwrap(), "7\n");
        }

        stack.freeze(Server::ClickHouse).unwrap();
        assert!(matches!(sql(&stack, "SELECT 1"), Err(ureq::Error::Timeout(_))));
        stack.thaw(Server::ClickHouse).unwrap();
        assert_eq!(sql(&stack, "SELECT 1").unwrap(), "1\n");

        let second = LocalStack::start_only("stack-itself", &[Server::ClickHouse]);
        assert!(second.is_err_and(|error| error.to_string().contains("another test run")));

        let dir = stack.dir().to_path_buf();
        drop(stack);
        assert!(!dir.exists());
    }

    #[test]
    fn only_plain_names_become_directories() {
        for (name, valid) in [
            ("sink-2", true),
            ("", false),
            ("../x", false),
            ("A", false),
            ("a b", false),
        ] {
            assert_eq!(is_directory_name(name), valid, "{name:?}");
        }
    }
}
