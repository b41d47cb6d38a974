//! Dead letters can be listed and replayed, and what is printed about them contains no personal data.

use std::process::{Command, Output};

use courierflow_schemas::records::{PushEvent, PushId, Vendor};
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, PUSH_DEAD, SHIPMENT, TRANSITION};
use courierflow_schemas::wire::{Encoder, Record as _};
use courierflow_tests::stack::{Launch, Service, Stack, binary, repository};
use serde_json::{Value, json};

use crate::harness::post::{self, assert_success};
use crate::harness::topics::{self, ends, murmur2_partition, partitions, read};
use crate::harness::{ask_registry, eventually, migrated, processor, ready, tables, wait_until_in_tables};

/// Personal data in every record of this test; none of it may appear outside the restricted topics.
const SECRETS: [&str; 3] = ["司马相如", "13912345678", "8-2-30417"];
const PERSONAL: &str = "派件员: 司马相如, 电话: 13912345678, 取件码 8-2-30417";

fn event(number: &str, payload: String) -> PushEvent {
    PushEvent {
        push_id: PushId(*b"dead-letter-test"),
        ..topics::push_event(number, payload)
    }
}

fn on_its_way(number: &str) -> String {
    let line = json!({"ftime": "2026-08-01 10:00:00", "statusCode": "5", "context": PERSONAL});
    json!({"status": "polling", "lastResult": {"nu": number, "com": "yuantong", "state": "5", "ischeck": "0", "data": [line]}})
        .to_string()
}

/// A record on the partition of its key.
fn put(stack: &dyn Stack, topic: &str, key: &str, value: &[u8]) {
    let partition = murmur2_partition(key, partitions(stack, topic));
    topics::produce(stack, topic, partition, key, &[Some(value)]);
}

fn dead_letters(stack: &dyn Stack, arguments: &str) -> Output {
    Command::new(binary("processor").unwrap())
        .arg("dead-letters")
        .args(arguments.split_whitespace())
        .current_dir(repository())
        .envs(stack.configuration())
        .output()
        .expect("processor runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `list --json` shows.
fn list(stack: &dyn Stack, arguments: &str) -> Vec<Value> {
    let output = dead_letters(stack, &format!("list --json {arguments}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// Runs `replay`; returns its output, and whether it succeeded.
fn replay(stack: &dyn Stack, arguments: &str) -> (String, bool) {
    let output = dead_letters(stack, &format!("replay {arguments}"));
    (text(&output.stdout), output.status.success())
}

fn reasons(letters: &[Value]) -> Vec<String> {
    let mut reasons: Vec<_> = letters
        .iter()
        .map(|letter| {
            let source = letter["source"]["topic"].as_str().unwrap_or("-");
            format!("{} {source}", letter["reason"].as_str().expect("a reason"))
        })
        .collect();
    reasons.sort_unstable();
    reasons
}

/// Waits until there are so many dead letters of derive and sink.
fn wait_for_letters(stack: &dyn Stack, count: usize) {
    eventually("the dead letters are there", || match read(stack, DERIVE_DEAD).len() {
        found if found == count => Ok(()),
        found => Err(format!("{found} of {count}")),
    });
}

/// Registers a version of `PushEvent` with one more field at its end; its id.
fn register_newer_schema(stack: &dyn Stack) -> u64 {
    let mut schema: Value = serde_json::from_str(PushEvent::SCHEMA_TEXT).unwrap();
    let fields = schema["fields"].as_array_mut().unwrap();
    fields.push(json!({"name": "added", "type": "int", "default": 0}));
    let body = json!({"schema": schema.to_string(), "schemaType": "AVRO"});
    let path = format!("/subjects/{}/versions", PushEvent::subject());
    ask_registry(stack, &path, Some(&body)).1["id"].as_u64().expect("an id")
}

/// The id that the registry will give to the next schema.
fn next_schema_id(stack: &dyn Stack) -> u32 {
    let subjects = ask_registry(stack, "/subjects", None).1;
    let id = |subject: &Value| {
        let path = format!("/subjects/{}/versions/latest", subject.as_str().unwrap());
        ask_registry(stack, &path, None).1["id"].as_u64().unwrap()
    };
    let newest = subjects.as_array().unwrap().iter().map(id).max().unwrap();
    u32::try_from(newest + 1).unwrap()
}

/// Puts five dead letters of derive and sink on their topic and one of ingest. Returns the schema id that one of the
/// records names and the registry does not know yet.
fn put_aside(stack: &dyn Stack, ingest: &Service) -> u32 {
    // Written by a newer program whose schema is not registered yet: derive and the push log dead-letter it for now.
    let newer = next_schema_id(stack);
    let mut early = Vec::new();
    let encoder = Encoder::new(newer);
    encoder
        .encode(&event("EARLY1", on_its_way("EARLY1")), &mut early)
        .unwrap();
    early.push(0);
    put(stack, PUSH, "EARLY1", &early);
    // Only derive reads payloads, so the push log accepts this one.
    let path = format!("/subjects/{}/versions/latest", PushEvent::subject());
    let own = ask_registry(stack, &path, None).1["id"].as_u64().unwrap();
    let encoder = Encoder::new(u32::try_from(own).unwrap());
    let mut text = Vec::new();
    encoder
        .encode(&event("NOJSON1", PERSONAL.to_owned()), &mut text)
        .unwrap();
    put(stack, PUSH, "NOJSON1", &text);
    // Records that can never be used.
    put(stack, PUSH, "GARBAGE1", PERSONAL.as_bytes());
    let unusable = json!({"status": "polling", "message": PERSONAL, "lastResult": null}).to_string();
    assert_success(Vendor::Kuaidi100, &post::kuaidi100(&ingest.url(), &unusable));
    wait_for_letters(stack, 5);
    newer
}

fn assert_listed_by_their_headers(stack: &dyn Stack) {
    assert_eq!(
        reasons(&list(stack, "")),
        [
            "no_parcel -",
            "not_wire_format courier.push.v1",
            "payload_not_json courier.push.v1",
            "undecodable courier.push.v1",
            "undecodable courier.push.v1",
            "unknown_schema courier.push.v1",
        ]
    );
    let of_ingest = list(stack, "--topic push");
    assert_eq!(of_ingest.len(), 1);
    assert_eq!(of_ingest[0]["vendor"], "kuaidi100");
    assert_eq!(of_ingest[0]["account"], "demo");
    let of_derive = list(stack, "--reason payload_not_json");
    assert_eq!(of_derive.len(), 1);
    assert_eq!(of_derive[0]["key"], "NOJSON1");
    assert_eq!(of_derive[0]["error"], "payload is not json");
    let newest = dead_letters(stack, "list --limit 2");
    assert_eq!(text(&newest.stdout).lines().count(), 2);
    assert!(
        text(&newest.stderr).contains("4 older ones are not shown"),
        "{newest:?}"
    );
}

/// I8: no personal data in a list, a header or a log; payloads only on request.
fn assert_nothing_personal_is_said(stack: &dyn Stack) {
    let listed = |arguments: &str| text(&dead_letters(stack, &format!("list --limit 1000 {arguments}")).stdout);
    let mut places = vec![
        ("list".to_owned(), listed("")),
        ("list --json".to_owned(), listed("--json")),
    ];
    for topic in [DERIVE_DEAD, PUSH_DEAD] {
        for letter in read(stack, topic) {
            places.push((topic.to_owned(), format!("{:?}", letter.headers)));
        }
    }
    for file in std::fs::read_dir(stack.dir().join("log")).unwrap() {
        let path = file.unwrap().path();
        places.push((path.display().to_string(), text(&std::fs::read(path).unwrap())));
    }
    assert!(
        places.iter().any(|(_, said)| said.contains("dead-lettered")),
        "the logs are there"
    );
    let payloads = listed("--payload");
    for secret in SECRETS {
        assert!(payloads.contains(secret), "{secret} was not even sent");
        for (place, said) in &places {
            assert!(!said.contains(secret), "{secret} is in {place}");
        }
    }
}

#[test]
fn dead_letters_are_listed_and_replayed_and_a_second_replay_does_no_harm() {
    let stack = migrated("dead-letters");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let _processor = ready(&processor("run", &stack), "processor", &stack);
    let newer = put_aside(&stack, &ingest);
    assert_listed_by_their_headers(&stack);

    // A dry run changes nothing; it reports that the body of ingest cannot be replayed.
    let before = ends(&stack, PUSH);
    let (said, complete) = replay(&stack, "--topic derive --all --dry-run");
    let expected = "3 would be replayed\n2 more have the same content";
    assert!(complete && said.contains(expected), "{said}");
    let (said, complete) = replay(&stack, "--topic push --all");
    let expected = "0 replayed\n1 not replayed: raw bodies of ingest";
    assert!(!complete && said.contains(expected), "{said}");
    assert_eq!(ends(&stack, PUSH), before);

    // The schema is registered and the dead letters are replayed: now the parcel is derived. The others still cannot be
    // used.
    assert_eq!(register_newer_schema(&stack), u64::from(newer));
    let (said, complete) = replay(&stack, "--topic derive --all");
    assert!(
        complete && said.contains("3 replayed\n2 more have the same content"),
        "{said}"
    );
    wait_until_in_tables(&stack);
    wait_for_letters(&stack, 8);
    let rows = || {
        (
            tables::shipments_of(&stack, "EARLY1"),
            tables::transitions_of(&stack, "EARLY1"),
        )
    };
    let derived = rows();
    assert_eq!((derived.0.len(), derived.1.len()), (1, 1));
    assert_eq!(tables::pushes_of(&stack, "EARLY1").len(), 1);
    // A replayed record is unchanged, on the same partition, and has a header with its origin.
    let mut pushes = read(&stack, PUSH);
    pushes.retain(|record| record.key.as_deref() == Some("EARLY1"));
    assert_eq!(pushes.len(), 2);
    assert_eq!(
        (pushes[0].partition, &pushes[0].value),
        (pushes[1].partition, &pushes[1].value)
    );
    let from = &pushes[1].headers["replayed_from"];
    assert!(from.starts_with(DERIVE_DEAD), "{from}");

    // Replay all again, and one alone: derive recognises what it has accepted.
    let emitted = || read(&stack, SHIPMENT).len() + read(&stack, TRANSITION).len();
    let before = emitted();
    let (said, complete) = replay(&stack, "--topic derive --all");
    assert!(
        complete && said.contains("3 replayed\n5 more have the same content"),
        "{said}"
    );
    let place = list(&stack, "--reason unknown_schema").remove(0);
    let place = format!("--partition {} --offset {}", place["partition"], place["offset"]);
    let (said, complete) = replay(&stack, &format!("--topic derive {place}"));
    assert!(complete && said == "1 replayed\n", "{said}");
    let (said, complete) = replay(&stack, "--topic derive --partition 0 --offset 999999");
    assert!(!complete, "{said}");
    wait_until_in_tables(&stack);
    wait_for_letters(&stack, 11);
    assert_eq!(emitted(), before);
    assert_eq!(rows(), derived);
    assert_eq!(tables::pushes_of(&stack, "EARLY1").len(), 1);

    // Records that the sink could not insert are not replayed; the others are.
    put(&stack, TRANSITION, "GARBAGE2", PERSONAL.as_bytes());
    wait_for_letters(&stack, 12);
    let (said, complete) = replay(&stack, "--topic derive --all");
    let expected = "1 not replayed: records of derived topics";
    assert!(
        !complete && said.starts_with("3 replayed\n") && said.contains(expected),
        "{said}"
    );
    wait_for_letters(&stack, 15);

    assert_nothing_personal_is_said(&stack);
}
