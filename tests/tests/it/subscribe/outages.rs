//! Subscribing while a server is away: without ClickHouse it goes on, without Kafka it waits, because no call is made before its intent is
//! committed there.

use std::collections::BTreeSet;

use courierflow_schemas::records::SubscriptionState;
use courierflow_tests::stack::{Server, Stack};

use super::records::{ask, calls, numbers, request, versions, wait_for};
use super::vendors::{Vendors, subscribe};
use crate::harness::{PATIENCE, eventually, migrated, processor, ready, readyz, tables, wait_until_sink_has_read};

#[test]
fn c3_without_clickhouse_it_goes_on_and_without_kafka_it_waits() {
    let stack = migrated("subscribe-outages");
    let vendors = Vendors::start();
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let _sink = ready(&processor("sink", &stack), "sink", &stack);

    stack.kill(Server::ClickHouse).unwrap();
    let without_clickhouse = numbers("YT31", 100);
    ask_for(&*stack, &without_clickhouse);
    wait_for(&*stack, &without_clickhouse, SubscriptionState::Active);
    assert!(subscribe.is_ready());
    stack.start_server(Server::ClickHouse).unwrap();

    // Slow enough that the outage comes in the middle.
    vendors.faults(&serde_json::json!({"slow": 1.0, "slow_ms": 100}));
    let without_kafka = numbers("YT32", 600);
    let before = vendors.calls();
    ask_for(&*stack, &without_kafka);
    eventually("some are asked for", || match vendors.calls() - before {
        calls if calls >= 50 => Ok(()),
        calls => Err(calls.to_string()),
    });
    stack.kill(Server::Kafka).unwrap();
    // Where the outage finds it decides which call fails first; a worker that was rebuilt repeats its first one.
    eventually("it says that it waits", || {
        let answer = readyz(&subscribe)?;
        let part = &answer["parts"]["subscribe-0"];
        let says = part["reason"].as_str().unwrap_or_default();
        if answer["ready"] == false && part["ready"] == false && says.contains(" is repeated: ") {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    let while_away = vendors.calls() - before;
    assert!(while_away < 600, "all were asked for before the outage");
    let called = called_numbers(&vendors, &without_kafka);
    stack.start_server(Server::Kafka).unwrap();
    let intended = intended_numbers(&*stack);
    assert_eq!(
        called.difference(&intended).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "called without an intent"
    );
    subscribe.wait_ready(PATIENCE).unwrap();

    vendors.faults(&serde_json::json!({"slow": 0.0}));
    let active = wait_for(&*stack, &without_kafka, SubscriptionState::Active);
    for (number, subscription) in &active {
        let counted = vendors.counted(number);
        assert_eq!(counted["accepted"], 1, "{number}: {counted}");
        let accepted: u16 = subscription.calls.iter().map(|month| month.accepted).sum();
        assert_eq!(accepted, 1, "{number}: {subscription:?}");
    }
    nothing_is_doubled_and_every_call_was_intended(&*stack);
    wait_until_sink_has_read(&*stack);
    let rows = tables::rows(
        &*stack,
        "SELECT count() AS count FROM courier.subscription FINAL WHERE state = 'ACTIVE'",
    );
    assert_eq!(rows[0]["count"], 700);
    subscribe.terminate(PATIENCE).unwrap();
}

fn ask_for(stack: &dyn Stack, numbers: &[String]) {
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    ask(stack, &requests);
}

/// The numbers about which the vendors were called.
fn called_numbers(vendors: &Vendors, of: &[String]) -> BTreeSet<String> {
    let ledger = vendors.ledger("");
    let called = ledger["numbers"].as_array().unwrap().iter();
    let called: BTreeSet<_> = called
        .map(|number| number["tracking_number"].as_str().unwrap())
        .collect();
    of.iter()
        .filter(|number| called.contains(number.as_str()))
        .cloned()
        .collect()
}

/// The numbers with a committed intent.
fn intended_numbers(stack: &dyn Stack) -> BTreeSet<String> {
    let versions = versions(stack).into_iter();
    let intended = versions.filter(|version| version.state == SubscriptionState::Calling);
    intended.map(|version| version.tracking_number).collect()
}

fn nothing_is_doubled_and_every_call_was_intended(stack: &dyn Stack) {
    let mut seen = BTreeSet::new();
    let mut intents = BTreeSet::new();
    for version in versions(stack) {
        assert!(
            seen.insert((version.tracking_number.clone(), version.version)),
            "twice: {version:?}"
        );
        intents.extend(version.call_id);
    }
    for call in calls(stack) {
        assert!(intents.contains(&call.call_id), "no intent: {call:?}");
    }
}
