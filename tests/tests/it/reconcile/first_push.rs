//! A parcel that is followed, and no push came.

use courierflow_schemas::records::CallReason;

use super::asked::{AT_ONCE, queries, reconcile, reconcile_ends, two_rounds, wait_for_queries};
use super::parcels::{DAY, HOUR, now, picked_up, push, tell};
use crate::harness::vendors::Vendors;
use crate::harness::{PATIENCE, eventually, metric, migrated, processor, ready, tables, wait_until_in_tables};

/// While subscribe stands still nobody writes down that the first push came.
#[test]
fn a_push_that_subscribe_has_not_read_is_a_first_push() {
    const TOLD: &str = "YT6000000000001";
    const TOLD_BEFORE: &str = "YT6000000000002";
    const NEVER_TOLD: &str = "YT6000000000003";
    const TOLD_IN_TIME: &str = "YT6000000000004";
    const TOLD_LATE: &str = "YT6000000000005";
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
    // Of what is accepted for more than a day, one was told of in time, and one was not.
    for (table, columns, values) in [
        (
            "subscription",
            "carrier, version, state, requested_at, since, first_push_at",
            "'yto', 2, 'ACTIVE', accepted_at, accepted_at, accepted_at + toIntervalHour(hours)",
        ),
        (
            "vendor_call",
            "carrier, kind, class, call_id, started_at",
            "'yto', 'SUBSCRIBE', 'DONE', number, accepted_at",
        ),
    ] {
        tables::execute(
            &*stack,
            &format!(
                "INSERT INTO courier.{table} (vendor, account, tracking_number, {columns})
                 WITH now() - toIntervalHour(30) AS accepted_at, arrayJoin([('{TOLD_IN_TIME}', 23), ('{TOLD_LATE}', 25)]) AS told,
                    told.1 AS number, told.2 AS hours
                 SELECT 'kuaidi100', 'demo', number, {values}"
            ),
        );
    }
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
    // For an alarm: subscriptions whose acceptance is a day old.
    eventually("the share of late first pushes", || {
        let of = |name: &str| metric(&reconcile, &format!("{name}{{account=\"kuaidi100/demo\"}}"));
        match (
            of("courierflow_reconcile_first_push_due")?,
            of("courierflow_reconcile_first_push_late")?,
        ) {
            (2.0, 1.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    reconcile_ends(reconcile);
}
