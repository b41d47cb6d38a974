//! The broker stops under load; the other services stop, too, and recover.

use std::collections::HashSet;

use courierflow_schemas::topics::PUSH;
use courierflow_tests::stack::{Launch, Server, Stack};

use crate::harness::acknowledged::assert_stored;
use crate::harness::load::Load;
use crate::harness::post::{self, assert_kdniao_refused};
use crate::harness::{assert_tables_are_right, eventually, migrated, processor, ready, topics, wait_until_in_tables};

fn request_data(number: &str) -> String {
    format!(
        r#"{{"PushTime":"2026-08-01 11:00:00","EBusinessID":"1000001","Count":"1","Data":[{{"ShipperCode":"STO","LogisticCode":"{number}","Success":true,"State":"1","Traces":[]}}]}}"#
    )
}

#[test]
fn i1_while_the_broker_is_away_vendors_are_refused_and_nothing_acknowledged_is_lost() {
    let stack = migrated("broker-stopped");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let _processor = ready(&processor("run", &stack), "processor", &stack);
    post::one_picked_up(&ingest.url(), "BEFORE1");

    let load = Load::start(ingest.url(), 5, 120, 0.0);
    eventually("a third of the load is acknowledged", || {
        let (acked, all) = (load.acked(), load.pushes());
        if acked * 3 > all {
            Ok(())
        } else {
            Err(format!("{acked} of {all}"))
        }
    });
    stack.kill(Server::Kafka).unwrap();

    // The answers say "not now" in each vendor's format.
    let refused = post::kuaidi100(&ingest.url(), &post::picked_up("DURING1")).unwrap();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.retry_after.is_some(), "{refused:?}");
    let body = refused.json();
    assert_eq!(
        (&body["result"], &body["returnCode"]),
        (&false.into(), &"500".into()),
        "{body}"
    );
    let refused = post::kdniao(&ingest.url(), &request_data("DURING2")).unwrap();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.retry_after.is_some(), "{refused:?}");
    assert_kdniao_refused(&refused.json());
    eventually("ingest is not ready", || {
        if ingest.is_ready() {
            Err("still ready".to_owned())
        } else {
            Ok(())
        }
    });

    // The other servers are stopped and started with it.
    stack.kill(Server::ClickHouse).unwrap();
    stack.kill(Server::Registry).unwrap();
    for server in Server::ALL {
        stack.start_server(server).unwrap();
    }
    let acknowledged = load.simulation();
    let sent = load.finish();
    assert!(sent.retried > 0, "the load did not notice");
    eventually("the vendor's retry is accepted", || {
        let answer = post::kuaidi100(&ingest.url(), &post::picked_up("DURING1"))?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    });

    // Everything acknowledged is on the topic at least once, and the tables are as after an undisturbed run.
    let stored = topics::push_events(&stack, &topics::read(&stack, PUSH));
    assert_stored(acknowledged, &stored);
    let numbers: HashSet<_> = stored.iter().map(|event| event.tracking_number.as_str()).collect();
    assert!(numbers.contains("BEFORE1") && numbers.contains("DURING1"));
    wait_until_in_tables(&stack);
    assert_tables_are_right(&stack);
}
