//! Three brokers: one loses its disk, another one dies, and nothing that was acknowledged is lost.

use std::collections::HashSet;

use courierflow_schemas::topics::PUSH;
use courierflow_tests::stack::{Broker, ClusterStack, Launch, Service, Stack as _};

use crate::harness::acknowledged::assert_stored;
use crate::harness::load::Load;
use crate::harness::{
    assert_tables_are_right, eventually, metric, migrated, post, processor, ready, topics, wait_until_in_tables,
};

const REPLICATION: (&str, &str) = ("COURIERFLOW__TOPICS__REPLICATION_FACTOR", "3");

fn wait_until_answered(ingest: &Service, number: &str, status: u16) {
    eventually(&format!("a push is answered {status}"), || {
        let answer = post::kuaidi100(&ingest.url(), &post::picked_up(number))?;
        if answer.status == status {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    });
}

#[test]
fn i1_a_broker_loses_its_disk_and_nothing_acknowledged_is_lost() {
    let stack = ClusterStack::start("replicas").unwrap();
    let (variable, three) = REPLICATION;
    processor("migrate", &stack)
        .env(variable, three)
        .run_to_end("migrate", &stack)
        .unwrap();
    let said = std::fs::read_to_string(stack.dir().join("log/migrate.log")).unwrap();
    assert!(
        said.contains(&format!("created topic {PUSH}")) && !said.contains("warning:"),
        "{said}"
    );
    // Its own, not the brokers' default, which is the same here.
    assert_eq!(topics::own_settings(&stack, PUSH)["min.insync.replicas"], "2");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let running = ready(&processor("run", &stack), "processor", &stack);

    let load = Load::start(ingest.url(), 13, 100, 40.0);
    eventually("some pushes are acknowledged", || match load.acked() {
        0..30 => Err(load.acked().to_string()),
        _ => Ok(()),
    });
    stack.lose_broker(Broker::Second).unwrap();
    // Two are left, and that is enough.
    wait_until_answered(&ingest, "TWOLEFT1", 200);

    // One is left: whatever it took could be lost with it, so nothing is acknowledged.
    stack.kill_broker(Broker::Third).unwrap();
    wait_until_answered(&ingest, "ONELEFT1", 503);
    eventually("the metric for the alarm shows it", || {
        let under = metric(&running, "courierflow_kafka_partitions_under_min_isr")?;
        if under > 0.0 {
            Ok(())
        } else {
            Err("none is under min.insync.replicas".to_owned())
        }
    });

    // The empty disk is filled from the only one that is left.
    stack.start_broker(Broker::Second).unwrap();
    wait_until_answered(&ingest, "TWOAGAIN1", 200);
    stack.start_broker(Broker::Third).unwrap();
    let acknowledged = load.simulation();
    let sent = load.finish();
    assert!(sent.retried > 0, "the load did not notice");
    let stored = topics::push_events(&stack, &topics::read(&stack, PUSH));
    assert_stored(acknowledged, &stored);
    let numbers: HashSet<_> = stored.iter().map(|event| event.tracking_number.as_str()).collect();
    assert!(numbers.contains("TWOLEFT1") && numbers.contains("TWOAGAIN1"));
    wait_until_in_tables(&stack);
    assert_tables_are_right(&stack);
    eventually("all replicas are in sync", || {
        match metric(&running, "courierflow_kafka_partitions_under_min_isr")? {
            0.0 => Ok(()),
            under => Err(under.to_string()),
        }
    });
}

#[test]
fn migrate_warns_of_topics_with_fewer_replicas_and_does_not_demand_more_than_there_are() {
    let stack = migrated("few-replicas");
    let (variable, three) = REPLICATION;
    let migrate = || {
        let launch = processor("migrate", &stack).env(variable, three);
        launch.run_to_end("with-three", &stack).unwrap();
        std::fs::read_to_string(stack.dir().join("log/with-three.log")).unwrap()
    };
    let said = migrate();
    for warning in [
        "warning: topic courier.push.v1 has 1 replicas, topics.replication_factor says 3",
        // Nobody has been in a group yet, and nobody has written in a transaction.
        "warning: topic __consumer_offsets will be created with 1 replicas and min.insync.replicas=1",
        "warning: topic __transaction_state will be created with 1 replicas and min.insync.replicas=1",
    ] {
        assert!(said.contains(warning), "{warning} is missing in {said}");
    }
    // With 2 in sync demanded of 1 replica, every push would be refused.
    assert_eq!(topics::setting(&stack, PUSH, "min.insync.replicas"), "1");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    post::one_picked_up(&ingest.url(), "STORED1");
    let _processor = ready(&processor("run", &stack), "processor", &stack);
    wait_until_in_tables(&stack);
    let said = migrate();
    for name in ["__consumer_offsets", "__transaction_state"] {
        let warning = format!("warning: topic {name} has 1 replicas and min.insync.replicas=1");
        assert!(said.contains(&warning), "{warning} is missing in {said}");
    }
}
