//! Somebody gives a topic more partitions under a running system. Records on partitions that the other topics do not have would be
//! acknowledged and never derived.

use courierflow_schemas::topics::{ALL, PUSH, SHIPMENT, SUBSCRIPTION_REQUEST, TRANSITION};
use courierflow_tests::stack::{self, Launch, Service, Stack};

use crate::harness::vendors::Vendors;
use crate::harness::{
    PATIENCE, eventually, migrate, migrated, post, processor, ready, readyz, topics, wait_until_in_tables,
};
use crate::reconcile::asked::Configuration;

#[test]
fn migrate_keeps_the_retention_of_an_operator_and_sets_what_acknowledgements_rest_on() {
    let stack = migrated("topic-settings");
    // Written down for each topic: a broker's default may be another one, and may change.
    for topic in ALL {
        let own = topics::own_settings(&stack, topic.name);
        assert_eq!(own["min.insync.replicas"], "1", "{}", topic.name);
    }
    assert_eq!(
        topics::setting(&stack, PUSH, "retention.ms"),
        (14 * 86_400_000_u64).to_string()
    );
    topics::set(&stack, PUSH, "retention.ms", "3600000");
    assert!(migrate(&stack).contains("aligned the settings of topic courier.push.v1"));
    assert_eq!(topics::setting(&stack, PUSH, "retention.ms"), "3600000");
    // The call above replaced all settings of the topic.
    assert_eq!(topics::setting(&stack, PUSH, "max.message.bytes"), "8388608");
    // More in sync than there are replicas: nothing could be written.
    topics::set(&stack, SHIPMENT, "min.insync.replicas", "2");
    assert!(migrate(&stack).contains("aligned the settings of topic courier.shipment.v1"));
    assert_eq!(topics::setting(&stack, SHIPMENT, "min.insync.replicas"), "1");
    assert!(
        !migrate(&stack).contains("aligned"),
        "the second time nothing is left to do"
    );
}

/// Runs `migrate --check` and returns its exit code and what it prints.
fn check(stack: &dyn Stack, only: &str, name: &str) -> (Option<i32>, String) {
    let launch = processor("migrate", stack).arg("--check").arg("--only").arg(only);
    let mut service = launch.start(name, stack).unwrap();
    let status = service.wait(PATIENCE).unwrap();
    (status.code(), service.log().unwrap())
}

const EVERYTHING: &str = "topics,schemas,tables,functions";

fn assert_a_function_needs_a_right_and_nothing_else_needs_it(stack: &dyn Stack) {
    let launch = processor("migrate", stack).arg("--only").arg("functions");
    let launch = launch.env("COURIERFLOW__CLICKHOUSE__USER", "dashboard");
    let mut service = launch.start("functions", stack).unwrap();
    let status = service.wait(PATIENCE).unwrap();
    let said = service.log().unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(
        said.contains("warning: the user dashboard may not make functions"),
        "{said}"
    );
}

#[test]
fn migrate_says_beforehand_what_it_would_change_and_leaves_what_is_an_operators() {
    let stack = stack::start("check").unwrap();
    let (code, said) = check(&stack, EVERYTHING, "before");
    assert_eq!(code, Some(3), "{said}");
    for line in [
        "without --check this would be done:",
        "created topic courier.push.v1",
        "registered courier.push.v1-value",
        "applied 001_schema_migration.sql",
        "created function courierflow_percentile_hours",
    ] {
        assert!(said.contains(line), "{line} is missing in {said}");
    }
    assert_eq!(topics::partitions(&stack, PUSH), 0, "nothing was created");
    assert_a_function_needs_a_right_and_nothing_else_needs_it(&stack);
    migrate(&stack);
    let (code, said) = check(&stack, EVERYTHING, "after");
    assert_eq!((code, said.contains("nothing to change")), (Some(0), true), "{said}");

    // More than the promises need, and what they do not depend on.
    let own = [
        ("max.message.bytes", "10000000"),
        ("min.cleanable.dirty.ratio", "0.4"),
        ("cleanup.policy", "compact"),
    ];
    topics::set_all(&stack, SHIPMENT, &own);
    let (code, said) = check(&stack, "topics", "own");
    assert_eq!(code, Some(0), "{said}");

    // Less than they need: only that is changed.
    topics::set_all(
        &stack,
        SHIPMENT,
        &[("max.message.bytes", "1000"), ("min.cleanable.dirty.ratio", "0.4")],
    );
    let aligned =
        "aligned the settings of topic courier.shipment.v1: max.message.bytes = 8388608, cleanup.policy = compact";
    let (code, said) = check(&stack, "topics", "less");
    assert_eq!((code, said.contains(aligned)), (Some(3), true), "{said}");
    let (code, said) = check(&stack, "schemas,tables", "others");
    assert_eq!(code, Some(0), "{said}");
    assert!(migrate(&stack).contains(aligned));
    assert_eq!(topics::setting(&stack, SHIPMENT, "min.cleanable.dirty.ratio"), "0.4");

    // What the configuration says is done, on topics that are there, too.
    let launch = processor("migrate", &stack).env("COURIERFLOW__TOPICS__RETENTION_DAYS__TRANSITION", "3");
    launch.run_to_end("retention", &stack).unwrap();
    assert_eq!(topics::setting(&stack, TRANSITION, "retention.ms"), "259200000");
}

/// Waits until all workers of a role have stopped, and name what is wrong.
fn wait_until_workers_say(running: &Service, role: &str, counts: &[String]) {
    eventually("all workers of a role have stopped and say why", || {
        let answer = readyz(running)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let workers: Vec<_> = parts.iter().filter(|(part, _)| part.starts_with(role)).collect();
        let says = |reason: &str| counts.iter().all(|count| reason.contains(count.as_str()));
        let have_stopped = workers
            .iter()
            .all(|(_, state)| says(state["reason"].as_str().unwrap_or_default()));
        if have_stopped && !workers.is_empty() {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

#[test]
fn i2_more_partitions_of_one_topic_stop_ingest_and_derive() {
    let stack = migrated("partitions");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let running = ready(&processor("run", &stack), "processor", &stack);
    post::one_picked_up(&ingest.url(), "BEFORE1");
    wait_until_in_tables(&stack);
    let before = topics::partitions(&stack, PUSH);

    topics::grow(&stack, PUSH, before + 4);
    let counts = [format!("{PUSH} has {}", before + 4), format!("{SHIPMENT} has {before}")];
    eventually("ingest refuses pushes", || {
        let answer = post::kuaidi100(&ingest.url(), &post::picked_up("REFUSED1"))?;
        if answer.status == 503 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    });
    let difference = format!("{PUSH} has {} partitions and {SHIPMENT} has {before}", before + 4);
    // It refuses before it has said why.
    eventually("ingest says which topics differ, and by how much", || {
        if ingest.log().unwrap().contains(&difference) {
            Ok(())
        } else {
            Err(ingest.log_end())
        }
    });
    wait_until_workers_say(&running, "derive-", &counts);
    // A restart of ingest does not forget it.
    ingest.kill().unwrap();
    ingest.restart().unwrap();
    eventually("ingest is not ready", || {
        let answer = readyz(&ingest)?;
        if answer["broker"] == true && answer["topics"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

#[test]
fn i2_more_partitions_of_a_topic_of_subscriptions_stop_who_reads_it_and_nobody_else() {
    let stack = migrated("request-partitions");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let vendors = Vendors::start();
    let file = Configuration::new("daily_queries = 10", "").write(&stack, &vendors, "run.toml");
    let running = ready(&processor("run", &stack).config(file), "processor", &stack);
    let before = topics::partitions(&stack, SUBSCRIPTION_REQUEST);

    topics::grow(&stack, SUBSCRIPTION_REQUEST, before + 4);
    let counts = [
        format!("{PUSH} has {before}"),
        format!("{SUBSCRIPTION_REQUEST} has {}", before + 4),
    ];
    wait_until_workers_say(&running, "subscribe-", &counts);
    wait_until_workers_say(&running, "reconcile", &counts);
    post::one_picked_up(&ingest.url(), "DERIVED1");
    wait_until_in_tables(&stack);
}
