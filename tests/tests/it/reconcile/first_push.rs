//! A parcel that is followed, and no push came.

use courierflow_schemas::records::CallReason;

use super::asked::{AT_ONCE, queries, reconcile, reconcile_ends, two_rounds, wait_for_queries};
use super::parcels::{DAY, HOUR, now, picked_up, push, tell};
use crate::harness::vendors::Vendors;
use crate::harness::{PATIENCE, migrated, processor, ready, tables, wait_until_in_tables};

/// While subscribe stands still nobody writes down that the first push came.
#[test]
fn a_push_that_subscribe_has_not_read_is_a_first_push() {
    const TOLD: &str = "YT6000000000001";
    const TOLD_BEFORE: &str = "YT6000000000002";
    const NEVER_TOLD: &str = "YT6000000000003";
    let stack = migrated("reconcile-first-push");
    let vendors = Vendors::start();
    let mut run = ready(&processor("run", &*stack), "run", &*stack);
    let told = |number: &str, ago: i64| {
        let result = picked_up(number, "yuantong", now() - 3 * DAY);
        push(number, "yuantong", &result, now() - ago)
    };
    tell(&*stack, &[told(TOLD, HOUR), told(TOLD_BEFORE, 2 * DAY)]);
    wait_until_in_tables(&*stack);
    let numbers = [TOLD, TOLD_BEFORE, NEVER_TOLD];
    tables::execute(
        &*stack,
        &format!(
            "INSERT INTO courier.subscription (vendor, account, tracking_number, carrier, vendor_carrier, version, state, since, product)
             SELECT 'kuaidi100', 'demo', arrayJoin({numbers:?}::Array(String)), 'yto', 'yuantong', 1, 'ACTIVE', now() - toIntervalDay(1), 'PLAIN'"
        )
        .replace('"', "'"),
    );
    run.terminate(PATIENCE).unwrap();

    let account = "daily_queries = 100000\naudit_per_10000 = 0";
    let quiet = format!("stalled_quiet_ms = {}", 30 * DAY * 1_000);
    let settings = AT_ONCE.replace("stalled_quiet_ms = 1000", &quiet);
    let reconcile = ready(&reconcile(&*stack, &vendors, account, &settings), "reconcile", &*stack);
    wait_for_queries(&*stack, 2);
    two_rounds(&reconcile);
    let asked = queries(&*stack);
    let mut asked: Vec<_> = asked
        .iter()
        .map(|call| (call.tracking_number.as_str(), call.reason))
        .collect();
    asked.sort_unstable();
    let late = CallReason::FirstPushLate;
    assert_eq!(asked, [(TOLD_BEFORE, late), (NEVER_TOLD, late)]);
    reconcile_ends(reconcile);
}
