//! Two installations on one Kafka, one registry and one ClickHouse: one without a prefix, one whose topics begin with `acme.`. Each does
//! everything that an installation does, and nothing crosses.

use std::process::Command;

use courierflow_schemas::topics::{ALL, DERIVE_DEAD, PUSH, PUSH_DEAD, SHIPMENT, SUBSCRIPTION, TRANSITION};
use courierflow_tests::stack::{Launch, Service, Stack, binary, repository};
use serde_json::json;

use crate::harness::topics::{Record, partitions, read};
use crate::harness::{
    DERIVE_GROUP, PATIENCE, SINK_GROUPS, SUBSCRIBE_GROUP, agent, eventually, migrated, post, processor, ready, tables,
    topics,
};
use crate::subscribe::vendors::{Configuration, TOKEN, Vendors};

const PREFIX: &str = "acme.";
/// Unlike the 8 of the other installation.
const GROWN: usize = 12;

fn of_acme(topic: &str) -> String {
    format!("{PREFIX}{topic}")
}

/// A service of the installation with the prefix.
fn acme(launch: Launch, stack: &dyn Stack) -> Launch {
    launch
        .env("COURIERFLOW__TOPICS__PREFIX", PREFIX)
        .env("COURIERFLOW__CLICKHOUSE__DATABASE", "acme")
        // The registry's answers are kept by subject, so both could share the file; on two hosts they do not.
        .env(
            "COURIERFLOW__REGISTRY__ID_CACHE",
            stack.dir().join("acme-ids.json").display().to_string(),
        )
}

/// Runs a command of the processor with the prefix; returns what it said, or why it failed.
fn run(stack: &dyn Stack, name: &str, subcommand: &str, arguments: &[&str]) -> Result<String, String> {
    let launch = acme(processor(subcommand, stack), stack);
    run_launch(
        stack,
        name,
        &arguments.iter().fold(launch, |launch, argument| launch.arg(*argument)),
    )
}

fn run_launch(stack: &dyn Stack, name: &str, launch: &Launch) -> Result<String, String> {
    let log = stack.dir().join(format!("log/{name}.log"));
    let before = std::fs::read_to_string(&log).unwrap_or_default().len();
    let ended = launch.run_to_end(name, stack);
    let said = std::fs::read_to_string(&log).unwrap_or_default().split_off(before);
    ended.map(|()| said.clone()).map_err(|_| said)
}

/// Runs `dead-letters` with the prefix; returns its output.
fn dead_letters(stack: &dyn Stack, arguments: &[&str]) -> String {
    let output = Command::new(binary("processor").unwrap())
        .arg("dead-letters")
        .args(arguments)
        .current_dir(repository())
        .envs(stack.configuration())
        .env("COURIERFLOW__TOPICS__PREFIX", PREFIX)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn keys(records: &[Record]) -> Vec<&str> {
    records.iter().filter_map(|record| record.key.as_deref()).collect()
}

/// A number of the other installation is on none of the topics.
fn assert_nothing_crossed(stack: &dyn Stack) {
    for topic in ALL {
        let (plain, prefixed) = (read(stack, topic.name), read(stack, &of_acme(topic.name)));
        assert!(
            !keys(&plain).iter().any(|key| key.contains("ACME")),
            "{}: {:?}",
            topic.name,
            keys(&plain)
        );
        assert!(
            !keys(&prefixed).iter().any(|key| key.contains("PLAIN")),
            "{PREFIX}{}: {:?}",
            topic.name,
            keys(&prefixed)
        );
    }
    for (database, other) in [("courier", "ACME"), ("acme", "PLAIN")] {
        for table in ["push", "shipment", "transition", "subscription", "vendor_call"] {
            let sql = format!("SELECT count() AS count FROM {database}.{table} WHERE tracking_number LIKE '%{other}%'");
            assert_eq!(tables::rows(stack, &sql)[0]["count"], 0, "{database}.{table}");
        }
    }
}

/// Waits until a database has the shipment with so many transitions.
fn wait_for(stack: &dyn Stack, database: &str, number: &str, transitions: u64) {
    eventually(&format!("{number} is in {database}"), || {
        let sql =
            format!("SELECT count() AS count FROM {database}.transition FINAL WHERE tracking_number = '{number}'");
        match tables::try_rows(stack, &sql)?.first() {
            Some(row) if row["count"] == transitions => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

/// The parcel goes on: two events.
fn out_for_delivery(number: &str) -> String {
    json!({"status": "polling", "lastResult": {"nu": number, "com": "yunda", "state": "5", "ischeck": "0", "data": [
        {"context": "派件中", "ftime": "2026-08-02 09:00:00", "statusCode": "5"},
        {"context": "已揽收", "ftime": "2026-08-01 10:00:00", "statusCode": "103"},
    ]}})
    .to_string()
}

fn assert_a_prefix_that_differs_is_told(stack: &dyn Stack) {
    let said = run(stack, "before-migrate", "derive", &[]).unwrap_err();
    let expected = "subject acme.courier.push.v1-value has no schema of this version: there is courier.push.v1-value, so \
                    topics.prefix may have to be \"\", the same for all services";
    assert!(said.contains(expected), "{said}");
}

/// Somebody asks for a subscription over HTTP, and the vendor is called.
fn assert_subscribes(stack: &dyn Stack, desk: &str, vendors: &Vendors) {
    let body = json!({"tracking_number": "ACMESUBSCRIBED1", "carrier": "yto", "request_id": "acme-1"});
    let answer = agent()
        .post(format!("{desk}/v1/subscriptions"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .send_json(&body)
        .unwrap();
    assert_eq!(answer.status(), 202, "{answer:?}");
    eventually("the vendor is asked, and the subscription is on its topic", || {
        match (vendors.calls(), read(stack, &of_acme(SUBSCRIPTION)).len()) {
            (1, records) if records >= 2 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert!(read(stack, SUBSCRIPTION).is_empty());
}

/// What cannot be used lies on the installation's own topic, with the broker's names in it.
fn assert_dead_letters_are_its_own(stack: &dyn Stack, ingest: &Service) {
    topics::produce(stack, &of_acme(PUSH), 0, "ACMEGARBAGE1", &[Some(b"no record of ours")]);
    let unusable = json!({"status": "polling", "message": "", "lastResult": null}).to_string();
    post::kuaidi100(&ingest.url(), &unusable).unwrap();
    eventually("the dead letters are there", || {
        match (
            read(stack, &of_acme(DERIVE_DEAD)).len(),
            read(stack, &of_acme(PUSH_DEAD)).len(),
        ) {
            // Of derive, and of the sink's table of pushes.
            (2, 1) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert!(read(stack, DERIVE_DEAD).is_empty() && read(stack, PUSH_DEAD).is_empty());
    let listed = dead_letters(stack, &["list"]);
    assert!(listed.contains("acme.courier.derive.dead.v1/"), "{listed}");
    assert!(listed.contains("from acme.courier.push.v1/0/"), "{listed}");
    let replayed = dead_letters(stack, &["replay", "--dry-run", "--topic", "derive", "--all"]);
    assert!(replayed.contains("would go to acme.courier.push.v1/"), "{replayed}");
}

fn assert_groups_and_metrics_have_the_prefix(stack: &dyn Stack, running: &Service) {
    let groups = SINK_GROUPS.map(|(group, _)| group).into_iter().chain([DERIVE_GROUP]);
    for group in groups {
        assert!(topics::members(stack, group) > 0, "{group}");
        assert!(topics::members(stack, &of_acme(group)) > 0, "{PREFIX}{group}");
    }
    eventually("the metrics name the topics", || {
        let mut answer = agent()
            .get(format!("{}/metrics", running.url()))
            .call()
            .map_err(|error| error.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let is_there = text.contains("courierflow_topic_retention_seconds{topic=\"acme.courier.push.v1\"}");
        let is_other = text.contains("{topic=\"courier.");
        if is_there && !is_other {
            Ok(())
        } else {
            Err(text.lines().filter(|line| line.contains("topic=")).collect())
        }
    });
}

#[test]
fn two_installations_share_the_servers_and_nothing_crosses() {
    let stack = migrated("installations");
    assert_a_prefix_that_differs_is_told(&stack);
    let said = run(&stack, "migrate-acme", "migrate", &[]).unwrap();
    for line in [
        "created topic acme.courier.push.v1",
        "registered acme.courier.push.v1-value",
    ] {
        assert!(said.contains(line), "{line} is missing in {said}");
    }
    let said = run(&stack, "check-acme", "migrate", &["--check"]).unwrap();
    assert!(said.contains("nothing to change"), "{said}");

    let plain_ingest = ready(&Launch::ingest(), "ingest", &stack);
    let plain = ready(&processor("run", &stack), "processor", &stack);
    let vendors = Vendors::start();
    let config = Configuration::new().write(&stack, &vendors.url);
    let desk = format!("127.0.0.1:{}", stack.reserve_port().unwrap());
    let launch = Launch::ingest()
        .config(&config)
        .env("COURIERFLOW__INGEST__SUBSCRIPTIONS__LISTEN", &desk);
    let mut ingest = ready(&acme(launch, &stack), "acme-ingest", &stack);
    let mut running = ready(
        &acme(processor("run", &stack).config(&config), &stack),
        "acme-processor",
        &stack,
    );
    assert_groups_and_metrics_have_the_prefix(&stack, &running);
    post::one_picked_up(&plain_ingest.url(), "PLAIN1");
    post::one_picked_up(&ingest.url(), "ACME1");
    wait_for(&stack, "courier", "PLAIN1", 1);
    wait_for(&stack, "acme", "ACME1", 1);
    let rows = tables::rows(&stack, "SELECT DISTINCT topic FROM acme.push");
    assert_eq!(rows, [json!({"topic": "acme.courier.push.v1"})]);
    assert_subscribes(&stack, &format!("http://{desk}"), &vendors);
    assert_dead_letters_are_its_own(&stack, &ingest);

    // What is known is restored from its own topic.
    running.terminate(PATIENCE).unwrap();
    running.restart().unwrap();
    running.wait_ready(PATIENCE).unwrap();
    post::kuaidi100(&ingest.url(), &out_for_delivery("ACME1")).unwrap();
    wait_for(&stack, "acme", "ACME1", 2);
    let said = run(&stack, "replay-acme", "replay", &["--from", "earliest"]).unwrap();
    assert!(
        said.contains("rows that differ: 0 of shipment, 0 of transition"),
        "{said}"
    );

    // One of them grows; the other goes on.
    ingest.terminate(PATIENCE).unwrap();
    running.terminate(PATIENCE).unwrap();
    let grown = GROWN.to_string();
    let grow = acme(processor("migrate", &stack), &stack)
        .env("COURIERFLOW__TOPICS__PARTITIONS", &grown)
        .arg("--grow");
    let groups = SINK_GROUPS.map(|(group, _)| group).into_iter();
    for group in groups.chain([DERIVE_GROUP, SUBSCRIBE_GROUP]).map(of_acme) {
        eventually("the sessions have ended", || match topics::members(&stack, &group) {
            0 => Ok(()),
            members => Err(format!("{group} has {members} members")),
        });
    }
    run_launch(&stack, "grow-acme", &grow).unwrap();
    for topic in ALL {
        assert_eq!(
            partitions(&stack, &of_acme(topic.name)),
            GROWN,
            "{PREFIX}{}",
            topic.name
        );
        assert_eq!(partitions(&stack, topic.name), 8, "{}", topic.name);
    }
    let grown = |launch: Launch| acme(launch, &stack).env("COURIERFLOW__TOPICS__PARTITIONS", &grown);
    let ingest = ready(&grown(Launch::ingest()), "acme-ingest-grown", &stack);
    let _running = ready(&grown(processor("run", &stack)), "acme-processor-grown", &stack);
    post::one_picked_up(&ingest.url(), "ACME2");
    wait_for(&stack, "acme", "ACME2", 1);
    post::one_picked_up(&plain_ingest.url(), "PLAIN2");
    wait_for(&stack, "courier", "PLAIN2", 1);
    drop(plain);
    for (topic, number) in [
        (PUSH, "PLAIN1"),
        (SHIPMENT, "kuaidi100:yunda:PLAIN1"),
        (TRANSITION, "PLAIN1"),
    ] {
        let found = read(&stack, topic);
        assert!(keys(&found).contains(&number), "{topic}");
    }
    assert_nothing_crossed(&stack);
}
