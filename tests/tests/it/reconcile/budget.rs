//! What may be spent in a day, with several workers.

use courierflow_schemas::records::CallReason;
use courierflow_tests::stack::{Launch, Server, Service, Stack};
use serde_json::json;

use super::asked::{AT_ONCE, numbers_of, reconcile, reconcile_ends, sent_queries, two_rounds};
use super::parcels::tell_stalled;
use crate::harness::vendors::Vendors;
use crate::harness::{
    PATIENCE, eventually, metric, migrated, processor, ready, readyz, tables, wait_until_derived, wait_until_in_tables,
};

const PARCELS: usize = 1_000;
const BUDGET: usize = 100;

/// Two workers share partitions and budget; one of them dies in the middle of its queries.
#[test]
fn r5_the_budget_of_a_day_is_kept_by_two_workers_and_what_is_left_over_is_told() {
    let stack = migrated("reconcile-budget");
    let vendors = Vendors::start();
    vendors.faults(&json!({"slow": 1.0, "slow_ms": 500}));
    let _run = ready(&processor("run", &*stack), "run", &*stack);
    let account = format!("daily_queries = {BUDGET}\naudit_share = 0.2\naudit_per_10000 = 10000");
    let settings = AT_ONCE
        .replace("apart_ms = 1000", "apart_ms = 3600000")
        .replace("per_day = 100", "per_day = 2");
    let launch = reconcile(&*stack, &vendors, &account, &settings);
    let [survivor, mut victim] = two_workers(&launch, &*stack);
    let numbers: Vec<_> = (0..PARCELS)
        .map(|index| (format!("YT5{index:012}"), "yuantong".to_owned()))
        .collect();
    tell_stalled(&*stack, &numbers);
    wait_until_derived(&*stack);
    wait_until_in_tables(&*stack);
    tables::refresh(&*stack, "open_parcel");

    let asked = || usize::try_from(vendors.ledger("?totals")["total"]["queries"].as_u64().unwrap()).unwrap();
    eventually("both ask, and not only for audits", || {
        let [one, other] = [&survivor, &victim].map(|worker| metric(worker, "courierflow_reconcile_queries_total"));
        match (one?, other?, asked()) {
            (one, other, 40..) if one > 0.0 && other > 0.0 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    victim.kill().unwrap();
    // The survivor gets the partitions of the other one, with what was spent on their parcels and the calls that nobody has ended.
    eventually("the budget is used up", || match sent_queries(&*stack).len() {
        BUDGET => Ok(()),
        made => Err(format!("{made} and {} counted by the vendor", asked())),
    });
    it_is_kept(&*stack, &survivor, asked());

    // It survives the process: what was asked is on the topic.
    wait_until_in_tables(&*stack);
    victim.restart().unwrap();
    victim.wait_ready(PATIENCE).unwrap();
    two_rounds(&survivor);
    two_rounds(&victim);
    assert_eq!(sent_queries(&*stack).len(), BUDGET);
    reconcile_ends(victim);
    without_clickhouse(&*stack, &survivor);
    reconcile_ends(survivor);
}

/// Two processes, each with its half of the partitions.
fn two_workers(launch: &Launch, stack: &dyn Stack) -> [Service; 2] {
    let workers = ["survivor", "victim"].map(|name| ready(launch, name, stack));
    for worker in &workers {
        two_rounds(worker);
    }
    workers
}

/// All is spent, by whom it was meant for, and on no number twice.
fn it_is_kept(stack: &dyn Stack, alone: &Service, counted: usize) {
    two_rounds(alone);
    let budget = "courierflow_reconcile_budget_left{account=\"kuaidi100/demo\"}";
    eventually("nothing is left", || match metric(alone, budget)? {
        0.0 => Ok(()),
        left => Err(left.to_string()),
    });
    let unserved = |class: &str| {
        let name = format!("courierflow_reconcile_unserved{{class=\"{class}\"}}");
        metric(alone, &name)
    };
    assert_eq!((unserved("STALLED"), unserved("AUDIT")), (Ok(900.0), Ok(900.0)));
    let made = sent_queries(stack);
    let of = |reason| made.iter().filter(|call| call.reason == reason).count();
    assert_eq!((of(CallReason::Stalled), of(CallReason::Audit)), (80, 20));
    assert_eq!(numbers_of(&made).len(), BUDGET, "no number twice");
    assert!(counted <= BUDGET, "{counted}");
}

/// ClickHouse away: paused, and ready all the same.
fn without_clickhouse(stack: &dyn Stack, reconcile: &Service) {
    let is_paused = |wanted: f64| match metric(reconcile, "courierflow_reconcile_paused")? {
        paused if (paused - wanted).abs() < 0.5 => Ok(()),
        paused => Err(paused.to_string()),
    };
    stack.kill(Server::ClickHouse).unwrap();
    eventually("it pauses", || is_paused(1.0));
    assert_eq!(readyz(reconcile).unwrap()["parts"]["reconcile"]["ready"], true);
    stack.start_server(Server::ClickHouse).unwrap();
    eventually("it goes on", || is_paused(0.0));
}
