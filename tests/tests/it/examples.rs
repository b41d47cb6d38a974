//! The programs of `examples/`, built and run as a stranger would: each prints every committed transition, whatever version of the schema
//! it was written with, nothing of an aborted transaction, and remembers how far it was when it is stopped.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};

use courierflow_schemas::records::{Transition, Vendor};
use courierflow_schemas::topics::TRANSITION;
use courierflow_schemas::wire::Record as _;
use courierflow_tests::stack::{Stack, repository};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{PATIENCE, Shared, ask_registry, eventually, post, python, shared, topics};

#[test]
fn the_python_example_prints_what_is_committed() {
    let mut command = Command::new(python::interpreter());
    command.arg(repository().join("examples/python/print_transitions.py"));
    prints_what_is_committed("python", command);
}

#[test]
fn the_java_example_prints_what_is_committed() {
    let folder = repository().join("examples/java");
    let mut maven = Command::new("mvn");
    // As in deploy/local/fetch.sh; the goals are those of examples/README.md.
    maven.args(["-B", "-ntp", "-C", "-q", "compile", "dependency:copy-dependencies"]);
    succeed(maven.current_dir(&folder));
    let mut command = Command::new("java");
    command.arg("-cp").arg("target/classes:target/dependency/*");
    command.arg("PrintTransitions").current_dir(&folder);
    prints_what_is_committed("java", command);
}

/// Debian's Go may be older than the client needs, so that the scripts install none.
#[test]
#[expect(clippy::print_stderr, reason = "nobody else says that it was not run")]
fn the_go_example_prints_what_is_committed() {
    if Command::new("go").arg("version").output().is_err() {
        eprintln!("not run: go is missing");
        return;
    }
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("print-transitions");
    let mut go = Command::new("go");
    go.args(["build", "-mod=readonly", "-o"]).arg(&program).arg(".");
    succeed(go.current_dir(repository().join("examples/go")));
    prints_what_is_committed("go", Command::new(program));
}

fn prints_what_is_committed(language: &str, mut command: Command) {
    let shared = shared();
    let stack = &shared.stack;
    let prefix = format!("EXAMPLE{}", language.to_uppercase());
    let expected = write_transitions(&shared, language, &prefix);
    let ends = topics::ends(stack, TRANSITION);

    let group = format!("example-{language}");
    let output = stack.dir().join(format!("log/{group}.log"));
    let errors = stack.dir().join(format!("log/{group}.errors.log"));
    command.args([stack.brokers(), stack.registry_url(), group.clone()]);
    command.stdout(File::create(&output).expect("a file"));
    command.stderr(File::create(&errors).expect("a file"));
    let mut example = Example(command.spawn().expect("the example starts"));
    let printed = || -> Vec<String> {
        let text = fs::read_to_string(&output).expect("a file");
        let mut lines: Vec<_> = text
            .lines()
            .filter(|line| line.contains(&prefix))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    eventually(&format!("{language} prints the transitions"), || {
        let lines = printed();
        let is_complete = expected.iter().all(|line| lines.contains(line));
        let told = || format!("{lines:#?}\n{}", fs::read_to_string(&errors).expect("a file"));
        if is_complete { Ok(()) } else { Err(told()) }
    });
    eventually("what was printed is committed", || {
        match topics::lag(stack, &group, TRANSITION, &ends)? {
            0 => Ok(()),
            lag => Err(format!("{lag} records behind")),
        }
    });
    let status = example.terminate();
    // A JVM that a signal has ended says so, however orderly its end was.
    let is_orderly = status.success() || language == "java" && status.code() == Some(128 + 15);
    assert!(is_orderly, "{status}: {}", fs::read_to_string(&errors).expect("a file"));
    assert_eq!(printed(), expected, "once each, and nothing else");
    eventually("it has left its group", || match topics::members(stack, &group) {
        0 => Ok(()),
        members => Err(format!("{members} members")),
    });
}

/// Three parcels: one with a change that the vendor takes back, one whose schema has a field more, and one of an aborted transaction. Returns
/// the lines of the first two.
fn write_transitions(shared: &Shared, language: &str, prefix: &str) -> Vec<String> {
    let stack = &shared.stack;
    let number = format!("{prefix}1");
    let of_day = |events: &[(&str, &str)]| parcel(&number, events);
    for push in [
        of_day(&[("10:00:00", "103"), ("11:00:00", "5")]),
        of_day(&[("10:00:00", "103"), ("11:30:00", "5"), ("12:00:00", "301")]),
    ] {
        post::assert_success(Vendor::Kuaidi100, &post::kuaidi100(&shared.ingest.url(), &push));
    }
    let written = eventually("the change is taken back", || {
        let transitions = topics::transitions_of(stack, &number);
        let has = |op: &str, status: &str| {
            let mut all = transitions.iter();
            all.any(|transition| transition.op.as_str() == op && transition.to_status.as_str() == status)
        };
        let is_there = has("RETRACTED", "OUT_FOR_DELIVERY") && has("OBSERVED", "DELIVERED");
        if is_there {
            Ok(transitions)
        } else {
            Err(format!("{transitions:?}"))
        }
    });

    let mut other = written[0].clone();
    other.tracking_number = format!("{prefix}GROWN");
    write_grown(stack, language, &other);
    let mut lines: Vec<_> = written.iter().chain([&other]).map(line).collect();
    other.tracking_number = format!("{prefix}ABORTED");
    write_aborted(stack, language, &other);
    lines.sort();
    lines
}

fn parcel(number: &str, events: &[(&str, &str)]) -> String {
    let events = events.iter().rev().map(|(time, code)| {
        json!({"ftime": format!("2026-08-01 {time}"), "statusCode": code, "context": format!("状态 {code}")})
    });
    let data: Vec<Value> = events.collect();
    json!({"status": "polling", "lastResult": {"nu": number, "com": "yunda", "state": "0", "ischeck": "0", "data": data}}).to_string()
}

/// The form of a line in all three languages.
fn line(transition: &Transition) -> String {
    let time = jiff::Timestamp::from_millisecond(transition.occurred_at.0).expect("a time");
    format!(
        "{time} {} {} {} {} -> {}",
        transition.carrier,
        transition.tracking_number,
        transition.op.as_str(),
        transition.from_status.as_str(),
        transition.to_status.as_str()
    )
}

/// As a later version of the processor might write it: the schema has another id and a further field.
fn write_grown(stack: &dyn Stack, language: &str, transition: &Transition) {
    let mut schema: Value = serde_json::from_str(Transition::SCHEMA_TEXT).expect("JSON");
    let added = json!({"name": "added", "type": "string", "default": ""});
    schema["fields"].as_array_mut().expect("fields").push(added);
    let body = json!({"schema": schema.to_string(), "schemaType": "AVRO"});
    let (status, answer) = ask_registry(
        stack,
        &format!("/subjects/example-{language}-value/versions"),
        Some(&body),
    );
    assert_eq!(status, 200, "{answer}");
    let id = u32::try_from(answer["id"].as_u64().expect("an id")).expect("a small id");
    let mut value = topics::encoded_as(stack, |ids| ids.transition, transition);
    assert_ne!(value[1..5], id.to_be_bytes(), "the id of the present schema");
    value[1..5].copy_from_slice(&id.to_be_bytes());
    // A text of one byte.
    value.extend([2, b'x']);
    let key = transition.tracking_number.as_str();
    topics::produce(stack, TRANSITION, partition(stack, key), key, &[Some(value.as_slice())]);
}

fn write_aborted(stack: &dyn Stack, language: &str, transition: &Transition) {
    let producer: ThreadedProducer<_> = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .set("transactional.id", format!("aborts-for-{language}"))
        .create()
        .expect("a producer");
    producer.init_transactions(PATIENCE).expect("initialised");
    producer.begin_transaction().expect("begun");
    let key = transition.tracking_number.as_str();
    let value = topics::encoded_as(stack, |ids| ids.transition, transition);
    let record = BaseRecord::<str, [u8]>::to(TRANSITION)
        .partition(partition(stack, key))
        .key(key);
    producer
        .send(record.payload(&value))
        .map_err(|(error, _)| error)
        .expect("queued");
    producer.flush(PATIENCE).expect("written");
    producer.abort_transaction(PATIENCE).expect("aborted");
}

fn partition(stack: &dyn Stack, key: &str) -> i32 {
    topics::murmur2_partition(key, topics::partitions(stack, TRANSITION))
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        told(&output.stdout),
        told(&output.stderr)
    );
}

/// A running example, which ends with the test.
struct Example(Child);

impl Example {
    fn terminate(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("it is told to end");
        eventually("the example ends", || {
            let status = self.0.try_wait().map_err(|error| error.to_string())?;
            status.ok_or_else(|| "it runs".to_owned())
        })
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
