//! Somebody gives a topic more partitions under a running system. Records on partitions that the other topics do not have would be
//! acknowledged and never derived.

use courierflow_schemas::topics::{PUSH, SHIPMENT};
use courierflow_tests::stack::Launch;

use crate::harness::{eventually, migrated, post, processor, ready, readyz, tables, topics, wait_until_in_tables};

#[test]
fn i2_more_partitions_of_one_topic_stop_ingest_and_derive() {
    let stack = migrated("partitions");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let running = ready(&processor("run", &stack), "processor", &stack);
    post::one_picked_up(&ingest.url(), "BEFORE1");
    wait_until_in_tables(&stack);
    let before = topics::partitions(&stack, PUSH);

    topics::grow(&stack, PUSH, before + 4);
    let counts = [format!("{PUSH} has {}", before + 4), format!("{SHIPMENT} has {before}")];
    eventually("ingest refuses pushes", || {
        let answer = post::kuaidi100(&ingest.url(), &post::picked_up("REFUSED1"))?;
        if answer.status == 503 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    });
    assert!(ingest.log().unwrap().contains("partitions"), "{}", ingest.log_end());
    eventually("all workers of derive have stopped and say why", || {
        let answer = readyz(&running)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let mut derive = parts.iter().filter(|(part, _)| part.starts_with("derive-"));
        let says = |reason: &str| counts.iter().all(|count| reason.contains(count.as_str()));
        if derive.all(|(_, state)| says(state["reason"].as_str().unwrap_or_default())) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    // A restart of ingest does not forget it.
    ingest.kill().unwrap();
    ingest.restart().unwrap();
    eventually("ingest is not ready", || {
        let answer = readyz(&ingest)?;
        if answer["broker"] == true && answer["topics"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });

    // When the others have as many, nothing of what was acknowledged is missing.
    for topic in courierflow_schemas::topics::ALL {
        if topics::partitions(&stack, topic.name) == before {
            topics::grow(&stack, topic.name, before + 4);
        }
    }
    drop(running);
    ingest.wait_ready(crate::harness::PATIENCE).unwrap();
    let _running = ready(&processor("run", &stack), "processor-again", &stack);
    post::one_picked_up(&ingest.url(), "AFTER1");
    wait_until_in_tables(&stack);
    let numbers = tables::rows(
        &stack,
        "SELECT tracking_number FROM courier.shipment FINAL ORDER BY ALL",
    );
    assert_eq!(numbers.len(), 2, "{numbers:?}");
}
