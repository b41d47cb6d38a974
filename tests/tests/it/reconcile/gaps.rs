//! No pushes came for hours, and nobody will send them again.

use std::collections::BTreeSet;

use courierflow_schemas::records::{CallClass, CallReason};
use courierflow_tests::stack::Stack;
use serde_json::Value;

use super::asked::{AT_ONCE, numbers_of, queries, reconcile, reconcile_ends, two_rounds, wait_for_queries};
use super::parcels::{HOUR, now, picked_up, push, tell};
use crate::harness::vendors::Vendors;
use crate::harness::{
    PATIENCE, eventually, metric, migrated, processor, ready, readyz, tables, wait_until_derived, wait_until_in_tables,
    wait_until_sink_has_read,
};

const A_DAY_IN_MS: &str = "86400000";

/// On the days before, a push came every minute.
fn a_push_a_minute_on_the_days_before(stack: &dyn Stack) {
    tables::execute(
        stack,
        "INSERT INTO courier.push (vendor, account, received_at, push_id, part, parts, carrier, tracking_number, signature)
         SELECT 'kuaidi100', 'demo', now() - toIntervalDay(1 + number % 7) - toIntervalMinute(intDiv(number, 7)), toString(number),
            0, 1, 'yto', 'YT0', 'VERIFIED'
         FROM numbers(7 * 600)",
    );
}

#[test]
fn r4_after_a_gap_every_open_parcel_is_asked_about_once_and_by_order_again() {
    let stack = migrated("reconcile-gap");
    let vendors = Vendors::start();
    let _run = ready(&processor("run", &*stack), "run", &*stack);
    let carrier = "yuantong";
    let open: Vec<String> = (0..60).map(|index| format!("YT4{index:012}")).collect();
    let heard = "YT4999999999999";
    let mut pushes: Vec<_> = open
        .iter()
        .map(|number| {
            push(
                number,
                carrier,
                &picked_up(number, carrier, now() - 8 * HOUR),
                now() - 5 * HOUR,
            )
        })
        .collect();
    // A push ends the gap, in an interval that is over.
    let result = picked_up(heard, carrier, now() - 8 * HOUR);
    pushes.push(push(heard, carrier, &result, now() - 1_300));
    tell(&*stack, &pushes);
    wait_until_in_tables(&*stack);
    a_push_a_minute_on_the_days_before(&*stack);
    tables::refresh(&*stack, "open_parcel");
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("stalled_quiet_ms = 1000", &format!("stalled_quiet_ms = {A_DAY_IN_MS}"));
    let launch = reconcile(&*stack, &vendors, account, &settings);
    let reconcile = ready(&launch, "reconcile", &*stack);
    let all: BTreeSet<String> = open.iter().cloned().collect();
    let made = wait_for_queries(&*stack, open.len());
    two_rounds(&reconcile);
    assert_eq!(queries(&*stack).len(), made.len(), "once");
    assert_eq!(numbers_of(&made), all);
    assert!(
        made.iter()
            .all(|call| call.reason == CallReason::Gap && call.class == CallClass::NoResult)
    );

    // The operator's order: once more, for what was not heard of since.
    let (from, to) = (
        jiff::Timestamp::from_second(now() - 6 * HOUR),
        jiff::Timestamp::from_second(now() - HOUR),
    );
    let (from, to) = (from.unwrap().to_string(), to.unwrap().to_string());
    launch
        .clone()
        .arg("--gap")
        .arg(from.clone())
        .arg(to.clone())
        .run_to_end("order", &*stack)
        .unwrap();
    let made = wait_for_queries(&*stack, 2 * open.len());
    two_rounds(&reconcile);
    assert_eq!((queries(&*stack).len(), numbers_of(&made)), (2 * open.len(), all));
    let wrong = launch.arg("--gap").arg(to).arg(from).run_to_end("order", &*stack);
    assert!(wrong.is_err());
    reconcile_ends(reconcile);
}

#[test]
fn r4_while_the_sink_stands_still_nothing_is_concluded_from_the_tables() {
    let stack = migrated("reconcile-behind");
    let vendors = Vendors::start();
    let _derive = ready(&processor("derive", &*stack), "derive", &*stack);
    let mut sink = ready(&processor("sink", &*stack), "sink", &*stack);
    let carrier = "yuantong";
    let told = |number: &str, ago: i64| {
        let result = picked_up(number, carrier, now() - 8 * HOUR);
        push(number, carrier, &result, now() - ago)
    };
    let open: Vec<_> = (0..60)
        .map(|index| told(&format!("YT7{index:012}"), 5 * HOUR))
        .collect();
    tell(&*stack, &open);
    wait_until_in_tables(&*stack);
    a_push_a_minute_on_the_days_before(&*stack);
    tables::refresh(&*stack, "open_parcel");

    // Since then a push came every ten minutes, so there is no gap. The tables do not know of them.
    sink.terminate(PATIENCE).unwrap();
    let since: Vec<_> = (0..30)
        .rev()
        .map(|index| told(&format!("YT8{index:012}"), index * 600))
        .collect();
    tell(&*stack, &since);
    wait_until_derived(&*stack);
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("stalled_quiet_ms = 1000", &format!("stalled_quiet_ms = {A_DAY_IN_MS}"))
        + "gap_longest_ms = 3600000\n";
    let reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    let rounds_of = |answer: &Value| answer["parts"]["reconcile"]["degraded"]["rounds"].clone();
    eventually("it says that the tables are behind", || {
        let answer = readyz(&reconcile)?;
        let says = rounds_of(&answer).as_str().unwrap_or_default().to_owned();
        if answer["ready"] == true && says.contains("push ") && says.contains("shipment ") {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    let behind = |what: &str| {
        metric(
            &reconcile,
            &format!("courierflow_reconcile_behind_seconds{{what=\"{what}\"}}"),
        )
    };
    let (of_push, of_derive) = (behind("push").unwrap(), behind("derive").unwrap());
    assert!((17_000.0..19_000.0).contains(&of_push), "{of_push}");
    assert_eq!((of_derive, behind("subscription").unwrap()), (0.0, 0.0));
    assert_eq!(metric(&reconcile, "courierflow_reconcile_paused"), Ok(1.0));
    assert!(
        reconcile
            .log()
            .unwrap()
            .contains("paused: nobody is asked about silent parcels")
    );
    assert_eq!(queries(&*stack), []);

    sink.restart().unwrap();
    wait_until_sink_has_read(&*stack);
    eventually("it goes on", || {
        let rounds = metric(&reconcile, "courierflow_reconcile_rounds_total")?;
        let answer = readyz(&reconcile)?;
        if rounds >= 2.0 && rounds_of(&answer).is_null() {
            Ok(())
        } else {
            Err(format!("{rounds} {answer}"))
        }
    });
    two_rounds(&reconcile);
    assert_eq!(queries(&*stack), [], "there was no gap");
    reconcile_ends(reconcile);
}
