//! Two hosts have the same name, as pods with one `derive.host` have: their workers have the same identities.

use std::collections::BTreeSet;

use courierflow_schemas::topics::{PUSH, SHIPMENT, TRANSITION};
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::{eventually, metric, migrated, post, processor, ready, readyz, topics, wait_until_derived};

const WORKERS: usize = 2;

fn host(stack: &dyn Stack, slots: &str) -> Launch {
    processor("derive", stack)
        .env("COURIERFLOW__DERIVE__HOST", "same")
        .env("COURIERFLOW__DERIVE__WORKERS", WORKERS.to_string())
        .env(
            "COURIERFLOW__DERIVE__SLOT_DIR",
            stack.dir().join(slots).display().to_string(),
        )
}

fn push_wave(base: &str, wave: &str) -> usize {
    const PARCELS: usize = 20;
    for number in 0..PARCELS {
        post::one_picked_up(base, &format!("{wave}{number}"));
    }
    PARCELS
}

/// All workers of the service wait, and say for whom.
fn wait_until_it_names_its_rival(service: &Service) {
    eventually("the fenced processor names the cause", || {
        let answer = readyz(service)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let names = |worker: usize| {
            let reason = parts[&format!("derive-{worker}")]["reason"]
                .as_str()
                .unwrap_or_default();
            let identity = "another processor at 127.0.0.1 has the identity courierflow-derive-same-";
            reason.starts_with(identity) && reason.contains("derive.host")
        };
        if (0..WORKERS).all(names) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

#[test]
fn i3_of_two_hosts_with_one_name_one_derives_and_the_other_waits_for_it_to_end() {
    let stack = migrated("rivals");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let first = ready(&host(&stack, "slots-of-first"), "first", &stack);
    let mut parcels = push_wave(&ingest.url(), "ALONE");
    wait_until_derived(&stack);

    let mut second = ready(&host(&stack, "slots-of-second"), "second", &stack);
    wait_until_it_names_its_rival(&first);
    assert!(
        first.log().unwrap().contains("two hosts have the same name"),
        "{}",
        first.log_end()
    );
    parcels += push_wave(&ingest.url(), "TWO");
    wait_until_derived(&stack);
    assert!(second.is_ready(), "{}", second.log_end());
    let rebuilds = |service| metric(service, "courierflow_derive_worker_rebuilds_total").unwrap();
    // Each worker of the first was fenced once; those of the second may have met the end of its session.
    #[expect(clippy::cast_precision_loss, reason = "2")]
    let workers = WORKERS as f64;
    assert!(rebuilds(&first) <= workers && rebuilds(&second) <= workers);

    // The one that waits takes over by itself.
    second.kill().unwrap();
    parcels += push_wave(&ingest.url(), "AGAIN");
    wait_until_derived(&stack);
    eventually("the first is ready", || {
        first.is_ready().then_some(()).ok_or_else(|| first.log_end())
    });

    let records = topics::read(&stack, TRANSITION);
    let transitions: BTreeSet<_> = records.iter().filter_map(|record| record.key.clone()).collect();
    assert_eq!(
        (records.len(), transitions.len()),
        (parcels, parcels),
        "one transition a parcel"
    );
    assert_eq!(topics::read(&stack, SHIPMENT).len(), parcels);
    assert_eq!(topics::read(&stack, PUSH).len(), parcels);
}
