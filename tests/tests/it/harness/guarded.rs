//! A broker with a second listener, at which it asks who comes. At its usual listener it takes anybody, so that the harness can look.

use std::path::PathBuf;

use courierflow_tests::stack::{BrokerSettings, Launch, LocalStack, Server, Stack};

use super::{PATIENCE, post, processor, ready, tables, wait_until_in_tables};

/// What a test sets of the second listener.
pub(crate) struct Guard {
    /// Mechanisms, separated by commas.
    pub(crate) mechanisms: &'static str,
    /// The host that clients know it by.
    pub(crate) host: &'static str,
    /// Further properties of the broker: lines.
    pub(crate) properties: String,
    /// Further options of its JVM.
    pub(crate) jvm: String,
    /// A source in `tests/java` for it.
    pub(crate) source: Option<&'static str>,
}

/// The property by which a mechanism of the second listener learns who may come.
pub(crate) fn jaas(mechanism: &str, module: &str, options: &str) -> String {
    format!("listener.name.guarded.{mechanism}.sasl.jaas.config={module} required{options};\n")
}

pub(crate) struct GuardedBroker {
    pub(crate) stack: LocalStack,
    /// `host:port` of the second listener.
    address: String,
}

/// How a client says who it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    /// Properties of librdkafka beside `security.protocol`.
    pub(crate) properties: Vec<(String, String)>,
    /// Variables of its environment.
    pub(crate) environment: Vec<(String, String)>,
}

impl Credentials {
    pub(crate) fn new<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            properties: owned(properties),
            environment: Vec::new(),
        }
    }

    pub(crate) fn environment<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.environment.extend(owned(variables));
        self
    }
}

fn owned<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let pairs = pairs.into_iter();
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl GuardedBroker {
    pub(crate) fn start(name: &str, servers: &[Server], guard: impl FnOnce(&LocalStack) -> Guard) -> Self {
        let mut address = String::new();
        // Containers have brokers of one kind.
        let stack = LocalStack::start_with(name, servers, |stack| {
            let guard = guard(stack);
            address = format!("{}:{}", guard.host, stack.reserve_port()?);
            Ok(BrokerSettings {
                properties: listeners(&stack.listeners(), &address, &guard),
                jvm: guard.jvm,
                classes: guard.source.map(|source| stack.compile(source)).transpose()?,
            })
        });
        Self {
            stack: stack.unwrap(),
            address,
        }
    }

    /// The service goes to the second listener.
    pub(crate) fn guarded(&self, launch: Launch, credentials: &Credentials) -> Launch {
        let launch = launch.env("COURIERFLOW__KAFKA__BROKERS", &self.address).env(
            "COURIERFLOW__KAFKA__PROPERTIES_FILE",
            self.properties_file(credentials).display().to_string(),
        );
        let variables = credentials.environment.iter();
        variables.fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    fn properties_file(&self, credentials: &Credentials) -> PathBuf {
        let properties = credentials.properties.iter();
        let lines = properties.map(|(name, value)| format!("{name}={value}\n"));
        let text = format!("security.protocol=SASL_PLAINTEXT\n{}", lines.collect::<String>());
        let file = self.stack.dir().join("client.properties");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Exit code and log of a service that ends by itself.
    pub(crate) fn run(&self, launch: &Launch, name: &str) -> (Option<i32>, String) {
        let mut service = launch.start(name, &self.stack).unwrap();
        let status = service.wait(PATIENCE).unwrap();
        (status.code(), service.log().unwrap())
    }

    /// Makes the topics.
    pub(crate) fn migrate(&self, name: &str, credentials: &Credentials) -> (Option<i32>, String) {
        let launch = processor("migrate", &self.stack).arg("--only").arg("topics");
        self.run(&self.guarded(launch, credentials), name)
    }

    /// Neither `processor migrate` nor ingest starts: each says in one line for people which key is wrong, and says nothing of
    /// `secrets`.
    pub(crate) fn assert_refuses(&self, name: &str, credentials: &Credentials, expected: &Refused, secrets: &[&str]) {
        let ingest = self.guarded(Launch::ingest(), credentials);
        for (code, said) in [
            self.migrate(name, credentials),
            self.run(&ingest, &format!("ingest-{name}")),
        ] {
            assert_eq!(code, Some(2), "{name}: {said}");
            let begin = format!("configuration key {}: ", expected.key);
            let lines: Vec<&str> = said.lines().filter(|line| line.contains(&begin)).collect();
            assert_eq!(lines.len(), 1, "{name}: {said}");
            assert!(lines[0].contains(expected.words), "{name}: {said}");
            assert!(!secrets.iter().any(|secret| said.contains(secret)), "{name}: {said}");
        }
    }

    /// `processor migrate`, ingest and `processor run` come in, and a push becomes its row. `meanwhile` happens between two pushes,
    /// while the services run.
    pub(crate) fn assert_pushes_become_rows(&self, credentials: &Credentials, meanwhile: impl FnOnce()) {
        let launch = self.guarded(processor("migrate", &self.stack), credentials);
        launch.run_to_end("migrate", &self.stack).unwrap();
        let ingest = ready(&self.guarded(Launch::ingest(), credentials), "ingest", &self.stack);
        let run = self.guarded(processor("run", &self.stack), credentials);
        let _running = ready(&run, "processor", &self.stack);
        let push = |number: &str| {
            post::one_picked_up(&ingest.url(), number);
            wait_until_in_tables(&self.stack);
            assert_eq!(tables::shipments_of(&self.stack, number).len(), 1, "{number}");
        };
        push("GUARDED1");
        meanwhile();
        push("GUARDED2");
    }
}

/// What a refusal must say.
pub(crate) struct Refused {
    pub(crate) key: &'static str,
    pub(crate) words: &'static str,
}

fn listeners(usual: &str, address: &str, guard: &Guard) -> String {
    let (own, mechanisms) = (usual.split(',').next().unwrap(), guard.mechanisms);
    let port = address.rsplit_once(':').unwrap().1;
    let properties = &guard.properties;
    format!(
        "listeners={usual},GUARDED://127.0.0.1:{port}\n\
         advertised.listeners={own},GUARDED://{address}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT\n\
         listener.name.guarded.sasl.enabled.mechanisms={mechanisms}\n\
         {properties}"
    )
}
