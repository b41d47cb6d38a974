//! Topics that grow, or are made anew.

use std::collections::BTreeSet;

use courierflow_schemas::topics::VENDOR_CALL;
use courierflow_tests::stack::Service;
use serde_json::json;

use super::asked::{AT_ONCE, numbers_of, queries, reconcile, reconcile_ends, two_rounds, wait_for_queries};
use super::parcels::{DAY, HOUR, domestic_without_phone, tell_stalled, text};
use crate::growth::{GROWN, grow, grown, wait_until_nobody_is_in_the_groups};
use crate::harness::vendors::Vendors;
use crate::harness::{
    PATIENCE, eventually, metric, migrate, migrated, processor, ready, tables, topics, wait_until_in_tables,
    wait_until_sink_has_read,
};

#[test]
fn r6_a_topic_of_calls_that_was_made_anew_is_told() {
    let stack = migrated("reconcile-made-anew");
    let vendors = Vendors::start();
    let mut run = ready(&processor("run", &*stack), "run", &*stack);
    let numbers: Vec<_> = (0..20)
        .map(|index| (format!("YT9{index:012}"), "yuantong".to_owned()))
        .collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("apart_ms = 1000", "apart_ms = 3600000");
    let mut reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    wait_for_queries(&*stack, numbers.len());
    two_rounds(&reconcile);
    wait_until_sink_has_read(&*stack);
    let made = queries(&*stack).len();
    let said = "the table vendor_call knows queries of the last 25 days that the topic does not hold";
    let lost = |service: &Service| metric(service, "courierflow_reconcile_records_lost_total");
    // What is on the topic is no loss.
    reconcile.terminate(PATIENCE).unwrap();
    reconcile.restart().unwrap();
    reconcile.wait_ready(PATIENCE).unwrap();
    two_rounds(&reconcile);
    assert_eq!(lost(&reconcile), Ok(0.0));
    assert!(!reconcile.log().unwrap().contains(said));

    reconcile.terminate(PATIENCE).unwrap();
    run.terminate(PATIENCE).unwrap();
    topics::delete(&*stack, &[VENDOR_CALL], &[]);
    assert!(migrate(&*stack).contains("created topic courier.vendor.call.v1"));
    run.restart().unwrap();
    reconcile.restart().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "about 20")]
    let made = made as f64;
    eventually("it says so", || match lost(&reconcile)? {
        lost if (lost - made).abs() < f64::EPSILON => Ok(()),
        lost => Err(format!("{lost} of {made}")),
    });
    assert!(reconcile.log().unwrap().contains(said));
    reconcile_ends(reconcile);
}

#[test]
fn r6_after_the_topics_have_grown_no_number_is_asked_again_before_its_time() {
    let stack = migrated("reconcile-growth");
    let vendors = Vendors::since(12, 300, 2);
    let mut run = ready(&processor("run", &*stack), "run", &*stack);
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
    let all: BTreeSet<String> = numbers.iter().map(|(number, _)| number.clone()).collect();
    tell_stalled(&*stack, &numbers);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");
    vendors.faults(&json!({"slow": 1.0, "slow_ms": 300}));
    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let settings = AT_ONCE.replace("apart_ms = 1000", "apart_ms = 3600000");
    let launch = reconcile(&*stack, &vendors, account, &settings);
    let mut first = ready(&launch, "reconcile", &*stack);
    let total = || vendors.ledger("?totals")["total"]["queries"].as_u64().unwrap();
    eventually("some are asked", || match total() {
        asked if asked >= 40 => Ok(()),
        asked => Err(asked.to_string()),
    });
    // In the middle of calls, of which only the intents are left.
    first.kill().unwrap();
    assert!(total() < u64::try_from(all.len()).unwrap(), "all were asked before");

    wait_until_in_tables(&*stack);
    run.terminate(PATIENCE).unwrap();
    wait_until_nobody_is_in_the_groups(&*stack);
    // A transaction that was open when it was killed ends with its time-out.
    let said = eventually("the topics grow", || grow(&*stack, "grow"));
    assert!(
        said.contains("calls of the vendors' APIs to their partitions"),
        "{said}"
    );
    let said = grow(&*stack, "again").unwrap();
    assert!(said.contains("nothing to change"), "{said}");

    vendors.faults(&json!({"slow": 0.0}));
    let _run = ready(&grown("run", &*stack), "grown", &*stack);
    let launch = launch.env("COURIERFLOW__TOPICS__PARTITIONS", GROWN.to_string());
    let second = ready(&launch, "reconcile-grown", &*stack);
    eventually("all are asked", || {
        let asked = numbers_of(&queries(&*stack));
        match all.difference(&asked).count() {
            0 => Ok(()),
            missing => Err(format!("{missing} are not")),
        }
    });
    two_rounds(&second);
    for number in &all {
        let counted = vendors.counted(number);
        assert!(counted["queries"].as_u64().unwrap() <= 1, "{number}: {counted}");
    }
    reconcile_ends(second);
}
