//! The role is killed, at random and just where it would hurt.

use std::collections::BTreeSet;

use courierflow_schemas::records::{CallClass, CallReason, SubscriptionState};
use serde_json::json;

use super::records::{ask, calls, numbers, request, versions, wait_for};
use super::vendors::{Vendors, subscribe};
use crate::harness::{PATIENCE, eventually, migrated, ready};

#[test]
fn a6_killed_at_random_it_asks_for_every_number_and_no_vendor_takes_one_twice() {
    const KILLS: usize = 5;
    let stack = migrated("subscribe-killed");
    let vendors = Vendors::start();
    vendors.faults(&json!({"drop_after_accept": 0.05, "server_errors": 0.02, "html": 0.01}));
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let numbers = numbers("YT6", 400);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    for part in requests.chunks(requests.len() / KILLS) {
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
    let newest = wait_for(&stack, &numbers, SubscriptionState::Active);
    for number in &numbers {
        let counted = vendors.counted(number);
        assert_eq!(counted["accepted"], 1, "{number}: {counted}");
        let accepted: u16 = newest[number].calls.iter().map(|month| month.accepted).sum();
        assert_eq!(accepted, 1, "{number}: {:?}", newest[number]);
    }
    let mut seen = BTreeSet::new();
    for version in versions(&stack) {
        let key = (version.tracking_number.clone(), version.version);
        assert!(seen.insert(key), "twice: {version:?}");
    }
    let unanswered = calls(&stack)
        .into_iter()
        .filter(|call| call.class == CallClass::Unknown)
        .count();
    assert!(unanswered > 0, "no answer was lost");
    subscribe.terminate(PATIENCE).unwrap();
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
