//! The servers of `deploy/local/stack.sh`, one set for each test.

use super::reservation::{Reservation, SERVER_PORTS, run};
use super::{Server, Stack, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The ports that the servers listen on: places in the block, and the variables of `deploy/local/settings.sh`.
const KAFKA: u16 = 0;
const KAFKA_CONTROLLER: u16 = 1;
const REGISTRY: u16 = 2;
const CLICKHOUSE_HTTP: u16 = 3;
const PORT_VARIABLES: [(&str, u16); SERVER_PORTS as usize] = [
    ("COURIERFLOW_KAFKA_PORT", KAFKA),
    ("COURIERFLOW_KAFKA_CONTROLLER_PORT", KAFKA_CONTROLLER),
    ("COURIERFLOW_REGISTRY_PORT", REGISTRY),
    ("COURIERFLOW_CLICKHOUSE_HTTP_PORT", CLICKHOUSE_HTTP),
    ("COURIERFLOW_CLICKHOUSE_TCP_PORT", 4),
    // Not used by the servers, but they must differ from the others.
    ("COURIERFLOW_INGEST_PORT", 5),
    ("COURIERFLOW_PROCESSOR_PORT", 6),
];

/// Real servers on ports and in a directory of their own (`.local/test-<name>`), beside a stack of `./dev up` and beside
/// those of other tests. What a killed run of the same name left is ended and forgotten first.
#[derive(Debug)]
pub struct LocalStack {
    reservation: Reservation,
    broker: BrokerSettings,
    started: bool,
}

/// What a broker of a test has and others have not.
#[derive(Debug, Default)]
pub struct BrokerSettings {
    /// Lines that win over those of `server.properties`.
    pub properties: String,
    /// Options of its JVM beside those of the environment.
    pub jvm: String,
    /// A directory of classes beside those of Kafka.
    pub classes: Option<PathBuf>,
}

impl LocalStack {
    /// Starts all servers; returns when they are ready.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_only(name, &Server::ALL)
    }

    /// Starts some of the servers, for what does not need the others; [`Stack::start_server`] adds one later.
    pub fn start_only(name: &str, servers: &[Server]) -> anyhow::Result<Self> {
        Self::start_with(name, servers, |_| Ok(BrokerSettings::default()))
    }

    /// The same with a broker of other settings, which may name ports that are reserved here.
    pub fn start_with(
        name: &str,
        servers: &[Server],
        broker: impl FnOnce(&Self) -> anyhow::Result<BrokerSettings>,
    ) -> anyhow::Result<Self> {
        let mut stack = Self {
            reservation: Reservation::new(name)?,
            broker: BrokerSettings::default(),
            started: false,
        };
        stack.broker = broker(&stack)?;
        // Without names the script starts all of them.
        if !servers.is_empty() {
            stack.script("start", servers)?;
            stack.script("wait", servers)?;
        }
        stack.started = true;
        Ok(stack)
    }

    /// The listeners that the broker has anyway, as its property `listeners` names them.
    pub fn listeners(&self) -> String {
        let port = |place| self.reservation.port(place);
        format!(
            "PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{}",
            port(KAFKA),
            port(KAFKA_CONTROLLER)
        )
    }

    /// Where the broker's classes are: the directory of Kafka.
    pub fn kafka_home(&self) -> anyhow::Result<PathBuf> {
        let output = self.command().args(["home", "kafka"]).output()?;
        Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
    }

    /// Compiles a class of `tests/java` against those of the broker, and returns where it is.
    pub fn compile(&self, source: &str) -> anyhow::Result<PathBuf> {
        let classes = self.dir().join("classes");
        let libraries = format!("{}/lib/*", self.kafka_home()?.display());
        let source = repository().join("tests/java").join(source);
        let mut javac = Command::new("javac");
        let output = javac
            .args(["-cp", &libraries, "-d"])
            .arg(&classes)
            .arg(source)
            .output()?;
        anyhow::ensure!(output.status.success(), "{output:?}");
        Ok(classes)
    }

    fn script(&self, command: &str, servers: &[Server]) -> anyhow::Result<()> {
        let names = servers.iter().map(|server| server.name());
        run(self.command().arg(command).args(names))
    }

    /// `stack.sh` with the directory and the ports of this stack.
    pub(super) fn command(&self) -> Command {
        let ports = PORT_VARIABLES.map(|(variable, place)| (variable, self.reservation.port(place).to_string()));
        let mut script = self.reservation.script();
        script.envs(ports);
        script.env("COURIERFLOW_KAFKA_PROPERTIES", &self.broker.properties);
        if !self.broker.jvm.is_empty() {
            let others = std::env::var("COURIERFLOW_KAFKA_JVM").unwrap_or_default();
            script.env("COURIERFLOW_KAFKA_JVM", format!("{others} {}", self.broker.jvm));
        }
        if let Some(classes) = &self.broker.classes {
            script.env("COURIERFLOW_KAFKA_CLASSPATH", classes);
        }
        script
    }
}

impl Stack for LocalStack {
    fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.reservation.port(KAFKA))
    }

    fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.reservation.port(REGISTRY))
    }

    fn clickhouse_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.reservation.port(CLICKHOUSE_HTTP))
    }

    fn dir(&self) -> &Path {
        self.reservation.dir()
    }

    fn reserve_port(&self) -> anyhow::Result<u16> {
        self.reservation.reserve_port()
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
        match self.reservation.sweep() {
            Ok(()) => self.reservation.forget(!self.started),
            Err(error) => tracing::error!(error = format!("{error:#}"), "servers of a test were not ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::assert_servers_come_back;
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    /// Every file and directory below, and the directory itself, is closed to everybody but its owner.
    fn assert_private(path: &Path) {
        // A server may remove a file while we look.
        let Ok(about) = fs::symlink_metadata(path) else { return };
        assert!(
            about.is_symlink() || about.permissions().mode() % 0o100 == 0,
            "{}",
            path.display()
        );
        if about.is_dir() {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                assert_private(&entry.path());
            }
        }
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent()
    }

    /// Status of a statement that is posted with these headers.
    fn post(stack: &LocalStack, statement: &str, headers: &[(&str, &str)]) -> u16 {
        let request = agent().post(stack.clickhouse_url()).content_type("text/plain");
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        request.send(statement).unwrap().status().as_u16()
    }

    /// What a browser sends for a page of another site, with its consent or not, and what other clients and our own pages send.
    fn assert_web_pages_are_kept_out(stack: &LocalStack) {
        let own = stack.clickhouse_url();
        let host = own.trim_start_matches("http://");
        let strangers: [&[(&str, &str)]; 7] = [
            &[("origin", "http://evil.example")],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:3000")],
            &[("host", "evil.example"), ("origin", "http://evil.example")],
            // To the browser a page under a name that points here is of our own origin.
            &[("host", "evil.example"), ("sec-fetch-site", "same-origin")],
            &[("host", "evil.example")],
            &[("sec-fetch-site", "cross-site")],
        ];
        for headers in strangers {
            assert_eq!(
                post(stack, "CREATE TABLE evil (a UInt8) ENGINE = Memory", headers),
                403,
                "{headers:?}"
            );
        }
        assert_eq!(post(stack, "DESCRIBE evil", &[]), 404, "there is no such table");
        let friends: [&[(&str, &str)]; 3] = [
            &[],
            &[("host", host), ("origin", &own), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
        ];
        for headers in friends {
            assert_eq!(post(stack, "SELECT 1", headers), 200, "{headers:?}");
        }
        // An image or a link needs no POST.
        let get = |site: &str| {
            let request = agent()
                .get(format!("{own}/?query=SELECT+1"))
                .header("sec-fetch-site", site);
            request.call().unwrap().status().as_u16()
        };
        assert_eq!([get("cross-site"), get("none")], [403, 200]);
        // Read to its end: the embedded server aborts if a client leaves while it still sends this page.
        let mut page = agent().get(format!("{own}/play")).call().unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.body_mut().read_to_string().unwrap().contains("<html"));
    }

    #[test]
    fn servers_come_back_and_the_stack_is_alone_and_leaves_nothing() {
        let stack = LocalStack::start("stack-itself").unwrap();
        assert_web_pages_are_kept_out(&stack);
        assert_servers_come_back(&stack);
        for part in ["data", "log", "run"] {
            assert_private(&stack.dir().join(part));
        }

        let second = LocalStack::start_only("stack-itself", &[Server::ClickHouse]);
        assert!(second.is_err_and(|error| error.to_string().contains("another test run")));

        let dir = stack.dir().to_path_buf();
        drop(stack);
        assert!(!dir.exists());
    }
}
