//! The role is killed, at random and just where it would hurt.

use std::collections::BTreeSet;

use courierflow_schemas::records::{CallClass, CallReason, SubscriptionState};
use serde_json::{Value, json};

use super::records::{ask, calls, numbers, request, versions, wait_for, wait_for_many};
use super::vendors::{Vendors, subscribe};
use crate::harness::{PATIENCE, eventually, migrated, option, ready};

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
        let stopping = subscribe(&stack, &vendors).env("COURIERFLOW_TEST_STOP", place);
        let mut stopped = ready(&stopping, place, &stack);
        ask(&stack, &[request(number, "r1")]);
        eventually("it stops there", || {
            let log = stopped.log().map_err(|error| error.to_string())?;
            if log.contains(&format!("test stop: {place}")) {
                Ok(())
            } else {
                Err(log)
            }
        });
        assert_eq!(
            vendors.counted(number)["calls"].as_u64().unwrap_or(0),
            made - 1,
            "{place}"
        );
        stopped.kill().unwrap();

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
