//! The role is killed at random.

use courierflow_schemas::records::{CallClass, Origin, PushId};
use courierflow_schemas::topics::PUSH;
use courierflow_tests::stack::Stack;
use serde_json::json;

use super::asked::{AT_ONCE, numbers_of, reconcile, reconcile_ends, sent_queries, two_rounds, wait_for_queries};
use super::parcels::{DAY, HOUR, domestic_without_phone, tell_stalled, text};
use crate::harness::vendors::Vendors;
use crate::harness::{PATIENCE, eventually, migrated, option, processor, ready, tables, topics, wait_until_in_tables};

/// Parcels that exist for each kill.
const PARCELS: u64 = 50;

/// What a run has shown.
#[derive(Debug)]
struct Outcome {
    /// Parcels, each asked about once.
    parcels: usize,
    /// Calls whose answer nobody knows.
    lost: usize,
    /// Answers with their events.
    done: usize,
}

#[test]
fn r6_killed_at_random_no_number_is_asked_twice_and_answers_and_events_belong_together() {
    kill_at_random("reconcile-killed", 10);
}

/// `./dev test --full`.
#[test]
#[ignore = "long: ./dev test --full"]
#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn r6_at_full_size() {
    let kills = option("COURIERFLOW_FULL_KILLS", 20);
    let Outcome { parcels, lost, done } = kill_at_random("reconcile-killed-often", kills);
    println!(
        "reconcile was killed {kills} times: {parcels} parcels, each asked about once; {lost} calls whose answer nobody knows, {done} \
         answers with their events"
    );
}

fn kill_at_random(name: &str, kills: u64) -> Outcome {
    let stack = migrated(name);
    let vendors = Vendors::since(12, u32::try_from(PARCELS * kills).unwrap(), 2);
    let _run = ready(&processor("run", &*stack), "run", &*stack);
    vendors.advance(12 * DAY - HOUR);
    let numbers: Vec<_> = domestic_without_phone(&vendors)
        .iter()
        .map(|parcel| {
            (
                text(parcel, "tracking_number").to_owned(),
                text(parcel, "kuaidi100").to_owned(),
            )
        })
        .collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    vendors.faults(&json!({"slow": 1.0, "slow_ms": 150}));
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("apart_ms = 1000", "apart_ms = 3600000");
    let mut reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    let all = u64::try_from(numbers.len()).unwrap();
    let total = || vendors.ledger("?totals")["total"]["queries"].as_u64().unwrap();
    for _ in 0..kills {
        let before = total();
        assert!(before < all, "too few parcels for so many kills");
        eventually("some are asked", || match total() {
            now if now > before + 5 || now >= all => Ok(()),
            now => Err(now.to_string()),
        });
        reconcile.kill().unwrap();
        reconcile.restart().unwrap();
    }
    reconcile.wait_ready(PATIENCE).unwrap();
    wait_for_queries(&*stack, numbers.len());
    two_rounds(&reconcile);
    for (number, _) in &numbers {
        let counted = vendors.counted(number);
        assert!(counted["queries"].as_u64().unwrap() <= 1, "{number}: {counted}");
    }
    reconcile_ends(reconcile);
    calls_and_events(&*stack, numbers.len())
}

/// Every number has one call, and every answer its event.
fn calls_and_events(stack: &dyn Stack, parcels: usize) -> Outcome {
    let calls = sent_queries(stack);
    assert_eq!(numbers_of(&calls).len(), parcels);
    assert_eq!(calls.len(), parcels, "one record a call");
    let of_class = |class| calls.iter().filter(|call| call.class == class).count();
    let (lost, done) = (of_class(CallClass::Unknown), of_class(CallClass::Done));
    assert!(lost > 0, "no call was interrupted");
    let events = topics::push_events(stack, &topics::read(stack, PUSH)).into_iter();
    let mut of_events: Vec<PushId> = events
        .filter(|event| event.origin == Origin::Query)
        .map(|event| event.push_id)
        .collect();
    let mut of_calls: Vec<PushId> = calls.iter().filter_map(|call| call.push_id).collect();
    of_events.sort_unstable();
    of_calls.sort_unstable();
    assert_eq!((of_calls.len(), &of_events), (done, &of_calls));
    wait_until_in_tables(stack);
    for (condition, what) in [
        (
            "push_id NOT IN (SELECT push_id FROM courier.push FINAL)",
            "a call without its event",
        ),
        ("isNull(push_id)", "an answer without an event"),
    ] {
        let sql = format!(
            "SELECT count() AS wrong FROM courier.vendor_call FINAL WHERE class = 'DONE' AND kind = 'QUERY' AND {condition}"
        );
        assert_eq!(tables::rows(stack, &sql)[0]["wrong"], 0, "{what}");
    }
    Outcome { parcels, lost, done }
}
