//! What every test needs: services on a stack, pushes, records, rows, and polling with a deadline.

pub(crate) mod acknowledged;
pub(crate) mod gate;
pub(crate) mod guarded;
pub(crate) mod load;
pub(crate) mod post;
pub(crate) mod power;
pub(crate) mod python;
pub(crate) mod sharing;
pub(crate) mod tables;
pub(crate) mod tls;
pub(crate) mod topics;
pub(crate) mod vendors;

use std::time::{Duration, Instant};

use courierflow_schemas::topics::{ANNOTATION, PUSH, SHIPMENT, SUBSCRIPTION, TRANSITION, VENDOR_CALL};
use courierflow_tests::oracle::{self, Difference, Expected};
use courierflow_tests::stack::{self, Launch, Server, Service, Stack};

use self::sharing::{Sharing, Use};

/// A deadline longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A number that a command of `./dev` passes in the environment.
pub(crate) fn option(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is not a number"))
    })
}

/// Polls until `probe` succeeds. Panics with its last error after the deadline.
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match probe() {
            Ok(value) => return value,
            Err(reason) if Instant::now() > deadline => panic!("{what}: not within {PATIENCE:?}: {reason}"),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// A stack with topics, schemas and tables.
pub(crate) fn migrated(name: &str) -> Box<dyn Stack> {
    let stack = stack::start(name).expect("the stack starts");
    migrate(&stack);
    stack
}

/// A stack with tables, for what has to do with nothing else: the other two servers take seconds to start.
pub(crate) fn with_tables(name: &str) -> Box<dyn Stack> {
    let stack = stack::start_with(name, &[Server::ClickHouse]).expect("ClickHouse starts");
    let launch = processor("migrate", &stack).arg("--only").arg("tables,functions");
    migrate_by(&launch, &stack);
    stack
}

/// Creates missing topics, schemas and tables; returns what it did.
pub(crate) fn migrate(stack: &dyn Stack) -> String {
    migrate_by(&processor("migrate", stack), stack)
}

fn migrate_by(launch: &Launch, stack: &dyn Stack) -> String {
    let log = stack.dir().join("log/migrate.log");
    let before = std::fs::read_to_string(&log).unwrap_or_default().len();
    launch.run_to_end("migrate", stack).expect("migrate succeeds");
    std::fs::read_to_string(&log).expect("a log").split_off(before)
}

/// The processor. Its slots belong to the stack instead of the host, because workers of different stacks must not fence
/// each other.
pub(crate) fn processor(subcommand: &str, stack: &dyn Stack) -> Launch {
    let slots = stack.dir().join("slots");
    Launch::processor(subcommand).env("COURIERFLOW__DERIVE__SLOT_DIR", slots.display().to_string())
}

/// Starts a service and waits until it is ready.
pub(crate) fn ready(launch: &Launch, name: &str, stack: &dyn Stack) -> Service {
    let mut service = launch.start(name, stack).expect("the service starts");
    service.wait_ready(PATIENCE).expect("the service becomes ready");
    service
}

/// An HTTP client for services and servers on this machine; it returns answers of any status.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // A proxy from the environment must not be used for the loopback address.
        .proxy(None)
        .build()
        .new_agent()
}

/// Sends the registry a POST, or a GET if there is no body; returns status and answer.
pub(crate) fn ask_registry(
    stack: &dyn Stack,
    path: &str,
    body: Option<&serde_json::Value>,
) -> (u16, serde_json::Value) {
    let url = format!("{}{path}", stack.registry_url());
    let mut answer = match body {
        Some(body) => agent().post(url).send_json(body),
        None => agent().get(url).call(),
    }
    .expect("the registry answers");
    let status = answer.status().as_u16();
    (status, answer.body_mut().read_json().unwrap_or_default())
}

/// The answer of `/readyz`, with any status.
pub(crate) fn readyz(service: &Service) -> Result<serde_json::Value, String> {
    let answer = agent().get(format!("{}/readyz", service.url())).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    answer.body_mut().read_json().map_err(|error| error.to_string())
}

/// Waits until a service is not ready and one of its parts whose name begins with `part` gives a reason with all of `words`.
pub(crate) fn wait_until_part_says(service: &Service, part: &str, words: &[&str]) {
    eventually(&format!("{part} says {words:?}"), || {
        let answer = readyz(service)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let has_words = |said: &serde_json::Value| {
            let said = said.as_str().unwrap_or_default();
            words.iter().all(|word| said.contains(word))
        };
        let says = |state: &serde_json::Value| has_words(&state["reason"]) || has_words(&state["last_failure"]);
        if answer["ready"] == false && parts.iter().any(|(name, state)| name.starts_with(part) && says(state)) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

/// The sum of a metric over its labels; 0 if it does not exist yet.
pub(crate) fn metric(service: &Service, name: &str) -> Result<f64, String> {
    Ok(values_of(service, name)?.iter().sum())
}

/// The same of a metric that must exist.
pub(crate) fn told_metric(service: &Service, name: &str) -> Result<f64, String> {
    match values_of(service, name)?.as_slice() {
        [] => Err(format!("{name} is not told yet")),
        values => Ok(values.iter().sum()),
    }
}

fn values_of(service: &Service, name: &str) -> Result<Vec<f64>, String> {
    let answer = agent().get(format!("{}/metrics", service.url())).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let lines = text.lines().filter(|line| line.starts_with(name));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect())
}

/// Consumer groups of the processor, as in its configuration's defaults.
pub(crate) const DERIVE_GROUP: &str = "courierflow-derive";
pub(crate) const SUBSCRIBE_GROUP: &str = "courierflow-subscribe";
pub(crate) const RECONCILE_GROUP: &str = "courierflow-reconcile";
/// Each with the topic that it reads.
pub(crate) const SINK_GROUPS: [(&str, &str); 6] = [
    ("courierflow-sink-push", PUSH),
    ("courierflow-sink-shipment", SHIPMENT),
    ("courierflow-sink-transition", TRANSITION),
    ("courierflow-sink-subscription", SUBSCRIPTION),
    ("courierflow-sink-vendor_call", VENDOR_CALL),
    ("courierflow-sink-annotation", ANNOTATION),
];

/// Waits until derive has committed everything in the push topic.
pub(crate) fn wait_until_derived(stack: &dyn Stack) {
    wait_until_read(stack, DERIVE_GROUP, PUSH);
}

/// Waits until everything is derived and everything derived is in the tables.
pub(crate) fn wait_until_in_tables(stack: &dyn Stack) {
    wait_until_derived(stack);
    wait_until_sink_has_read(stack);
}

/// Waits until everything derived so far, and every push, is in the tables.
pub(crate) fn wait_until_sink_has_read(stack: &dyn Stack) {
    for (group, topic) in SINK_GROUPS {
        wait_until_read(stack, group, topic);
    }
}

/// Waits until a group has committed everything that is in a topic now.
pub(crate) fn wait_until_read(stack: &dyn Stack, group: &str, topic: &str) {
    let ends = topics::ends(stack, topic);
    eventually(&format!("{group} has read {topic}"), || {
        match topics::lag(stack, group, topic, &ends)? {
            0 => Ok(()),
            lag => Err(format!("{lag} records behind {ends:?}")),
        }
    });
}

/// Waits for a backlog as long as there is progress.
pub(crate) fn wait_as_long_as_it_moves(stack: &dyn Stack) {
    let groups = [(DERIVE_GROUP, PUSH)].into_iter().chain(SINK_GROUPS);
    for (group, topic) in groups {
        // The numbers no longer change, because the group before has finished.
        let ends = topics::ends(stack, topic);
        let mut least = i64::MAX;
        loop {
            let lag = eventually("lag shrinks", || {
                let lag = topics::lag(stack, group, topic, &ends)?;
                if lag == 0 || lag < least {
                    Ok(lag)
                } else {
                    Err(format!("{group} stays {lag} records behind"))
                }
            });
            if lag == 0 {
                break;
            }
            least = lag;
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

/// The tables of pushes and parcels must equal an independent recomputation from the push topic.
pub(crate) fn assert_tables_are_right(stack: &dyn Stack) -> Expected {
    let pushes = topics::push_events(stack, &topics::read(stack, PUSH));
    let expected = oracle::expected_tables(&pushes);
    let actual = tables::contents(stack);
    assert_same(&oracle::differences(&expected, &actual));
    actual
}

/// Panics with the first differences if there are any.
pub(crate) fn assert_same(differences: &[Difference]) {
    let shown: Vec<_> = differences.iter().take(5).map(ToString::to_string).collect();
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

/// The stack that is shared by tests that break nothing: all servers, ingest and a processor. Each test uses tracking
/// numbers of its own.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ingest: Service,
    pub(crate) processor: Service,
    // The last field, so that services end before their servers.
    pub(crate) stack: Box<dyn Stack>,
}

static SHARED: Sharing<Shared> = Sharing::new();

/// The shared stack.
pub(crate) fn shared() -> Use<Shared> {
    SHARED.get(|| {
        let stack = migrated("shared");
        let ingest = ready(&Launch::ingest(), "ingest", &stack);
        let processor = ready(&processor("run", &stack), "processor", &stack);
        Shared {
            ingest,
            processor,
            stack,
        }
    })
}
