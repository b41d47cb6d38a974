//! All services start while the registry is away.

use courierflow_tests::stack::{Launch, Server, Stack};

use crate::harness::{PATIENCE, eventually, migrated, post, processor, ready, tables};

fn assert_arrives(stack: &dyn Stack, number: &str) {
    eventually("the shipment is in its table", || {
        let rows = tables::shipments_of(stack, number);
        match rows.first() {
            Some(row) if row.status == "PICKED_UP" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn services_start_with_the_ids_that_they_kept_when_the_registry_is_down() {
    let stack = migrated("registry-down");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut processor = ready(&processor("run", &stack), "processor", &stack);
    post::one_picked_up(&ingest.url(), "REGISTRYUP1");
    assert_arrives(&stack, "REGISTRYUP1");

    stack.stop(Server::Registry).unwrap();
    post::one_picked_up(&ingest.url(), "REGISTRYDOWN1");
    assert_arrives(&stack, "REGISTRYDOWN1");

    for service in [&mut ingest, &mut processor] {
        service.terminate(PATIENCE).unwrap();
        service.restart().unwrap();
        service.wait_ready(PATIENCE).unwrap();
    }
    post::one_picked_up(&ingest.url(), "REGISTRYDOWN2");
    assert_arrives(&stack, "REGISTRYDOWN2");
}
