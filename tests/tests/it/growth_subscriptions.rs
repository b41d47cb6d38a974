//! All topics get more partitions while there are subscriptions: their state and the requests that nobody has read move, nothing is lost,
//! and no vendor is asked twice.

use std::collections::BTreeSet;

use courierflow_schemas::records::RequestAction;
use courierflow_schemas::records::{SubscriptionRequest, SubscriptionState, TimestampMillis};
use courierflow_schemas::topics::{PUSH, SHIPMENT, SUBSCRIPTION, SUBSCRIPTION_REQUEST, SUBSCRIPTION_SECRET};
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::json;

use crate::growth::{
    GROWN, assert_all_are_where_they_belong, grow, grown, kill_when_grown, places_on,
    wait_until_nobody_is_in_the_groups,
};
use crate::harness::topics::{murmur2_partition, numbers_on, partitions};
use crate::harness::{
    PATIENCE, SUBSCRIBE_GROUP, eventually, migrated, processor, ready, topics, wait_until_derived, wait_until_read,
    wait_until_sink_has_read,
};
use crate::subscribe::records::{ask, ask_on, force, newest, numbers, pushed, request, wait_for};
use crate::subscribe::vendors::{Configuration, Vendors, subscribe};

const FORMER: usize = 8;

fn grown_subscribe(stack: &dyn Stack, vendors: &Vendors) -> Launch {
    grown("subscribe", stack).config(Configuration::new().write(stack, &vendors.url))
}

fn cancel(number: &str, id: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        action: RequestAction::Cancel,
        ..request(number, id)
    }
}

fn end(services: impl IntoIterator<Item = Service>, stack: &dyn Stack) {
    for mut service in services {
        service.terminate(PATIENCE).unwrap();
    }
    wait_until_nobody_is_in_the_groups(stack);
}

fn produce_push(stack: &dyn Stack, number: &str, status: &str, message: &str) {
    let event = topics::encoded(stack, &pushed(number, status, message));
    topics::produce(stack, PUSH, murmur2_partition(number, FORMER), number, &[Some(&event)]);
}

/// A number that belongs to another partition afterwards.
fn moving_number(prefix: &str) -> String {
    let mut all = (0..FORMER).flat_map(|partition| numbers_on(i32::try_from(partition).unwrap(), prefix).take(20));
    all.find(|number| murmur2_partition(number, FORMER) != murmur2_partition(number, GROWN))
        .unwrap()
}

/// The keys that have a value.
fn keys_on(stack: &dyn Stack, topic: &str) -> BTreeSet<String> {
    let places = places_on(stack, topic);
    let is_held = places.into_iter().filter(|(_, at)| !at.is_empty());
    is_held.map(|(key, _)| key).collect()
}

/// Kills the command when the topics have grown, and again while subscriptions move.
fn kill_twice_on_the_way(stack: &dyn Stack) {
    kill_when_grown(stack, SUBSCRIPTION_REQUEST);
    let mut running = grown("migrate", stack)
        .arg("--grow")
        .start("grow-killed-again", stack)
        .unwrap();
    eventually("some subscription is where it belongs", || {
        let has_moved = places_on(stack, SUBSCRIPTION).values().any(|at| {
            at.iter()
                .any(|partition| usize::try_from(*partition).unwrap() >= FORMER)
        });
        if has_moved || running.try_wait().unwrap().is_some() {
            Ok(())
        } else {
            Err("none".to_owned())
        }
    });
    running.kill().unwrap();
}

#[test]
fn i2_subscriptions_and_requests_go_on_where_they_were_when_all_topics_grow() {
    let stack = migrated("growth-subscriptions");
    let vendors = Vendors::start();
    let services = [
        ready(&subscribe(&*stack, &vendors), "subscribe", &*stack),
        ready(&processor("derive", &*stack), "derive", &*stack),
        ready(&processor("sink", &*stack), "sink", &*stack),
    ];
    let active = numbers("YT7", 120);
    let waiting = numbers("YT8", 40);
    let ended = numbers("YT9", 10);
    let in_a_month = TimestampMillis(jiff::Timestamp::now().as_millisecond() + 30 * 86_400_000);
    let later = waiting.iter().map(|number| SubscriptionRequest {
        not_before: Some(in_a_month),
        ..request(number, "r1")
    });
    let now = active.iter().chain(&ended).map(|number| request(number, "r1"));
    ask(&*stack, &now.chain(later).collect::<Vec<_>>());
    wait_for(&*stack, &active, SubscriptionState::Active);
    wait_for(&*stack, &ended, SubscriptionState::Active);
    wait_for(&*stack, &waiting, SubscriptionState::Waiting);
    for number in &ended {
        produce_push(&*stack, number, "shutdown", "");
    }
    wait_for(&*stack, &ended, SubscriptionState::Ended);

    // The procedure of the runbook; what is asked for meanwhile waits on its topic.
    wait_until_derived(&*stack);
    wait_until_read(&*stack, SUBSCRIBE_GROUP, PUSH);
    wait_until_sink_has_read(&*stack);
    end(services, &*stack);
    let untaken = numbers("YT5", 60);
    let untaken_then_cancelled = numbers("YT4", 20);
    let mut asked: Vec<_> = untaken.iter().map(|number| request(number, "r1")).collect();
    asked.extend(untaken_then_cancelled.iter().flat_map(|number| {
        let first = SubscriptionRequest {
            not_before: Some(in_a_month),
            ..request(number, "r1")
        };
        [first, cancel(number, "r2")]
    }));
    // Nobody may be asked again for these.
    asked.extend(active.iter().map(|number| request(number, "r2")));
    asked.extend(ended.iter().map(|number| request(number, "r2")));
    ask(&*stack, &asked);

    let before = newest(&*stack);
    let keys = |topic| keys_on(&*stack, topic);
    let (subscriptions, secrets) = (keys(SUBSCRIPTION), keys(SUBSCRIPTION_SECRET));
    assert_eq!(secrets.len(), active.len() + waiting.len());
    kill_twice_on_the_way(&*stack);
    let said = grow(&*stack, "grow").unwrap();
    assert_eq!(partitions(&*stack, PUSH), GROWN, "{said}");
    for topic in [SUBSCRIPTION, SUBSCRIPTION_SECRET, SHIPMENT] {
        assert_all_are_where_they_belong(&*stack, topic);
        assert_eq!(topics::setting(&*stack, topic, "cleanup.policy"), "compact");
    }
    assert_eq!(
        (keys(SUBSCRIPTION), keys(SUBSCRIPTION_SECRET)),
        (subscriptions, secrets)
    );
    assert_eq!(newest(&*stack), before);
    let said = grow(&*stack, "again").unwrap();
    assert!(said.contains("nothing to change"), "{said}");

    // Everything goes on.
    let services = [
        ready(&grown_subscribe(&*stack, &vendors), "grown", &*stack),
        ready(&grown("sink", &*stack), "grown-sink", &*stack),
    ];
    wait_for(&*stack, &untaken, SubscriptionState::Active);
    wait_for(&*stack, &untaken_then_cancelled, SubscriptionState::Cancelled);
    let cancelled: Vec<_> = waiting.iter().map(|number| cancel(number, "r2")).collect();
    ask_on(&*stack, &cancelled, GROWN);
    wait_for(&*stack, &waiting, SubscriptionState::Cancelled);
    // A producer that has not learned of the new partitions.
    let stale: Vec<_> = (0..10).map(|index| moving_number(&format!("STALE{index}N"))).collect();
    let of_stale = stale.iter().map(|number| request(number, "r1"));
    ask(
        &*stack,
        &of_stale
            .chain(active.iter().map(|number| request(number, "r3")))
            .collect::<Vec<_>>(),
    );
    wait_for(&*stack, &stale, SubscriptionState::Active);
    wait_until_read(&*stack, SUBSCRIBE_GROUP, SUBSCRIPTION_REQUEST);
    assert_all_are_where_they_belong(&*stack, SUBSCRIPTION);
    let after = newest(&*stack);
    for number in active.iter().chain(&ended) {
        assert_eq!(after[number], before[number], "{number}");
    }
    for number in active.iter().chain(&ended).chain(&untaken).chain(&stale) {
        assert_eq!(vendors.counted(number)["calls"], 1, "{number}");
    }
    for number in waiting.iter().chain(&untaken_then_cancelled) {
        assert!(vendors.counted(number)["calls"].as_u64().unwrap_or(0) == 0, "{number}");
    }
    wait_until_sink_has_read(&*stack);
    // A partition that has state and is new is none whose topic was made anew.
    assert!(!services[0].log().unwrap().contains("no offset is committed"));
    end(services, &*stack);
}

#[test]
fn i2_what_subscribe_has_read_before_the_push_topic_grew_by_hand_is_told_once() {
    let stack = migrated("growth-by-hand-subscriptions");
    let vendors = Vendors::start();
    // The simulated vendor itself has not given up.
    vendors.faults(&json!({"forced": [force("*", "200", None)]}));
    let quick = |launch: Launch| {
        launch
            .env("COURIERFLOW__SUBSCRIBE__RESUBSCRIBE_AFTER_MS", "100")
            .env("COURIERFLOW__SUBSCRIBE__RESUBSCRIBE_JITTER_MS", "0")
    };
    let running = ready(&quick(subscribe(&*stack, &vendors)), "subscribe", &*stack);
    let (told, untold) = (moving_number("TOLD"), moving_number("UNTOLD"));
    let both = [told.clone(), untold.clone()];
    let requests: Vec<_> = both.iter().map(|number| request(number, "r1")).collect();
    ask(&*stack, &requests);
    wait_for(&*stack, &both, SubscriptionState::Active);
    // Derive is away; the vendor gives up, and is asked again.
    let give_up = |number: &str| produce_push(&*stack, number, "abort", "3天查询无记录");
    let in_round = |number: &String, round: u16| {
        eventually(&format!("{number} is in round {round}"), || {
            let found = newest(&*stack).remove(number).unwrap();
            if (found.state, i64::from(found.round)) == (SubscriptionState::Active, i64::from(round)) {
                Ok(found)
            } else {
                Err(format!("{found:?}"))
            }
        })
    };
    give_up(&told);
    let before = in_round(&told, 2);
    wait_until_read(&*stack, SUBSCRIBE_GROUP, PUSH);
    end([running], &*stack);
    give_up(&untold);
    topics::grow(&*stack, PUSH, GROWN);
    let said = grow(&*stack, "grow").unwrap();
    assert!(said.contains("wrote 2 pushes that were not read yet"), "{said}");

    let services = [
        ready(&quick(grown_subscribe(&*stack, &vendors)), "grown", &*stack),
        ready(&grown("derive", &*stack), "derive", &*stack),
    ];
    in_round(&untold, 2);
    wait_until_derived(&*stack);
    wait_until_read(&*stack, SUBSCRIBE_GROUP, PUSH);
    assert_eq!(newest(&*stack)[&told], before);
    assert_eq!(vendors.counted(&told)["calls"], 2);
    end(services, &*stack);
}
