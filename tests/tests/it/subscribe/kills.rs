//! The role is killed, at random and just where it would hurt.

use std::collections::BTreeSet;

use courierflow_schemas::records::{CallClass, CallReason, SubscriptionState};
use courierflow_schemas::topics::PUSH;
use courierflow_tests::stack::Stack;
use serde_json::{Value, json};

use super::records::{ask, calls, numbers, partition_of, pushed, request, versions, wait_for, wait_for_many};
use super::vendors::{Vendors, subscribe};
use crate::harness::{PATIENCE, eventually, migrated, option, ready, topics};

#[test]
fn a6_killed_at_random_it_asks_for_every_number_and_no_vendor_takes_one_twice() {
    kill_at_random("subscribe-killed", 400, 5);
}

/// `./dev test --full`.
#[test]
#[ignore = "long: ./dev test --full"]
#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn a6_at_full_size() {
    let size = |variable, default| usize::try_from(option(variable, default)).unwrap();
    let (parcels, kills) = (
        size("COURIERFLOW_FULL_PARCELS", 5_000),
        size("COURIERFLOW_FULL_KILLS", 50),
    );
    let unanswered = kill_at_random("subscribe-killed-often", parcels, kills);
    println!(
        "subscribe was killed {kills} times: {parcels} parcels, each accepted once, no version twice; {unanswered} calls whose answer nobody \
         knows"
    );
}

/// Returns how many calls were not answered.
fn kill_at_random(name: &str, parcels: usize, kills: usize) -> usize {
    let stack = migrated(name);
    let vendors = Vendors::start();
    vendors.faults(&json!({"drop_after_accept": 0.05, "server_errors": 0.02, "html": 0.01}));
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let numbers = numbers("YT6", parcels);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    for part in requests.chunks(parcels.div_ceil(kills)) {
        // Of before the requests: once they are on the topic, all calls of this part may be made at any time.
        let before = vendors.calls();
        ask(&stack, part);
        eventually("some are asked for", || {
            let calls = vendors.calls();
            if calls > before + 20 {
                Ok(())
            } else {
                Err(calls.to_string())
            }
        });
        subscribe.kill().unwrap();
        subscribe.restart().unwrap();
    }
    let newest = wait_for_many(&stack, &numbers, SubscriptionState::Active);
    subscribe.terminate(PATIENCE).unwrap();
    let books = vendors.ledger("");
    let books = books["numbers"].as_array().unwrap();
    assert_eq!(books.len(), parcels);
    for counted in books {
        let accepted: u64 = counted["months"].as_object().unwrap().values().map(accepted).sum();
        assert_eq!(accepted, 1, "{counted}");
    }
    for subscription in newest.values() {
        let accepted: u16 = subscription.calls.iter().map(|month| month.accepted).sum();
        assert_eq!(accepted, 1, "{subscription:?}");
    }
    let mut seen = BTreeSet::new();
    for version in versions(&stack) {
        let key = (version.tracking_number.clone(), version.version);
        assert!(seen.insert(key), "twice: {version:?}");
    }
    let calls = calls(&stack);
    let unanswered = calls.iter().filter(|call| call.class == CallClass::Unknown).count();
    assert!(unanswered > 0, "no answer was lost");
    unanswered
}

fn accepted(month: &Value) -> u64 {
    month["accepted"].as_u64().unwrap()
}

#[test]
fn a7_killed_around_a_call_it_makes_the_call_again_and_it_counts_once() {
    let stack = migrated("subscribe-stopped-and-killed");
    let vendors = Vendors::start();
    for (place, number, class, made) in [
        ("after_intent", "YT0000000000071", CallClass::Done, 1),
        ("after_answer", "YT0000000000072", CallClass::Duplicate, 2),
    ] {
        killed_at(place, number, &stack, &vendors);
        assert_eq!(
            vendors.counted(number)["calls"].as_u64().unwrap_or(0),
            made - 1,
            "{place}"
        );
        let mut successor = ready(&subscribe(&stack, &vendors), &format!("{place}-successor"), &stack);
        let active = wait_for(&stack, &[number.to_owned()], SubscriptionState::Active);
        let accepted: u16 = active[number].calls.iter().map(|month| month.accepted).sum();
        assert_eq!((accepted, active[number].attempt), (1, 1), "{place}");
        let told = calls(&stack).into_iter().filter(|call| call.tracking_number == number);
        let told: Vec<_> = told.map(|call| (call.reason, call.class)).collect();
        assert_eq!(told, [(CallReason::InDoubt, class)], "{place}");
        let counted = vendors.counted(number);
        assert_eq!(
            (&counted["calls"], &counted["accepted"]),
            (&json!(made), &json!(1)),
            "{place}"
        );
        successor.terminate(PATIENCE).unwrap();
    }
}

/// Somebody asks for the number, and the role is killed when it has come to this place.
fn killed_at(place: &str, number: &str, stack: &dyn Stack, vendors: &Vendors) {
    let stopping = subscribe(stack, vendors).env("COURIERFLOW_TEST_STOP", place);
    let mut stopped = ready(&stopping, place, stack);
    ask(stack, &[request(number, "r1")]);
    eventually("it stops there", || {
        let log = stopped.log().map_err(|error| error.to_string())?;
        if log.contains(&format!("test stop: {place}")) {
            Ok(())
        } else {
            Err(log)
        }
    });
    stopped.kill().unwrap();
}

/// A vendor that has told all of a parcel follows it no more, and would take a repeated call for a new subscription.
#[test]
fn a7_what_was_pushed_while_nobody_read_is_read_before_a_call_in_doubt_is_repeated() {
    const NUMBER: &str = "YT0000000000073";
    // Far more than is read before the first look at what is no record.
    const BEFORE: usize = 20_000;
    let stack = migrated("subscribe-behind");
    let vendors = Vendors::start();
    killed_at("after_answer", NUMBER, &stack, &vendors);
    let other = topics::encoded(&stack, &pushed("YT0000000000999", "polling", ""));
    let told = topics::encoded(&stack, &pushed(NUMBER, "shutdown", ""));
    let others = std::iter::repeat_n(("YT0000000000999", Some(other.as_slice())), BEFORE);
    let pushes = others.chain([(NUMBER, Some(told.as_slice()))]);
    topics::produce_all(&stack, PUSH, partition_of(NUMBER), pushes);

    let mut successor = ready(&subscribe(&stack, &vendors), "successor", &stack);
    let ended = wait_for(&stack, &[NUMBER.to_owned()], SubscriptionState::Ended);
    let accepted: u16 = ended[NUMBER].calls.iter().map(|month| month.accepted).sum();
    assert_eq!((accepted, ended[NUMBER].ended_word.as_deref()), (1, Some("shutdown")));
    // What has nothing to wait for goes on.
    let next = "YT0000000000074".to_owned();
    ask(&stack, &[request(&next, "r1")]);
    wait_for(&stack, &[next], SubscriptionState::Active);
    successor.terminate(PATIENCE).unwrap();
    assert_eq!(vendors.counted(NUMBER)["calls"], json!(1));
}
