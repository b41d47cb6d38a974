//! Shipments expire, many on one day, and the state of derive is bounded.

use courierflow_schemas::records::{PushEvent, TimestampMicros};
use courierflow_schemas::topics::{PUSH, SHIPMENT};
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::{
    PATIENCE, eventually, metric, migrated, post, processor, ready, readyz, topics, wait_until_derived,
};

const DAY: i64 = 86_400_000_000;
/// Parcels that expire together.
const EXPIRING: usize = 300;
/// Fewer than these parcels take, more than the empty state keeps of its room.
const STATE_BYTES: &str = "45000";

fn one_worker(stack: &dyn Stack) -> Launch {
    processor("derive", stack).env("COURIERFLOW__DERIVE__WORKERS", "1")
}

/// A push event that ingest wrote, and a partition on which it is not.
fn template(stack: &dyn Stack) -> (PushEvent, i32) {
    let ingest = ready(&Launch::ingest(), "ingest", stack);
    post::one_picked_up(&ingest.url(), "TEMPLATE1");
    let written = eventually("the push is on its topic", || {
        let records = topics::read(stack, PUSH);
        records.into_iter().next().ok_or_else(|| "nothing yet".to_owned())
    });
    (
        topics::pushes_of(stack, "TEMPLATE1").remove(0),
        (written.partition + 1) % 2,
    )
}

/// The same push of other parcels, received so many days ago.
fn produce(stack: &dyn Stack, template: &PushEvent, partition: i32, numbers: &[String], days_ago: i64) {
    let received_at = TimestampMicros(jiff::Timestamp::now().as_microsecond() - days_ago * DAY);
    let encoded = |number: &String| {
        let event = PushEvent {
            tracking_number: number.clone(),
            received_at,
            ..template.clone()
        };
        topics::encoded(stack, &event)
    };
    let values: Vec<_> = numbers.iter().map(encoded).collect();
    let records = numbers.iter().zip(&values);
    let records = records.map(|(number, value)| (number.as_str(), Some(value.as_slice())));
    topics::produce_all(stack, PUSH, partition, records);
}

fn named(partition: i32, name: &str, count: usize) -> Vec<String> {
    topics::numbers_on(partition, name).take(count).collect()
}

/// Keys of the tombstones that are committed, sorted.
fn tombstones(stack: &dyn Stack) -> Vec<String> {
    let records = topics::read(stack, SHIPMENT).into_iter();
    let tombstones = records.filter(|record| record.value.is_none());
    let mut keys: Vec<_> = tombstones.filter_map(|record| record.key).collect();
    keys.sort();
    keys
}

fn wait_until_full(derive: &Service) {
    eventually("derive says that its state is full", || {
        let answer = readyz(derive)?.to_string();
        if answer.contains("derive.max_state_bytes") {
            Ok(())
        } else {
            Err(answer)
        }
    });
}

#[test]
fn i6_a_day_on_which_many_expire_takes_many_transactions_and_a_crash_among_them_loses_and_doubles_none() {
    let stack = migrated("expiry");
    let (template, partition) = template(&stack);
    let expiring = named(partition, "EXPIRING", EXPIRING);
    produce(&stack, &template, partition, &expiring, 70);
    let mut filled = ready(&one_worker(&stack), "derive", &stack);
    wait_until_derived(&stack);
    filled.terminate(PATIENCE).unwrap();

    // One shipment a transaction, so that the crash is among them. The state is full until most have expired, and the push that
    // expires them is of a new parcel.
    let bounded = one_worker(&stack)
        .env("COURIERFLOW__DERIVE__MAX_TRANSACTION_EVENTS", "1")
        .env("COURIERFLOW__DERIVE__MAX_STATE_BYTES", STATE_BYTES);
    let mut derive = ready(&bounded, "derive-bounded", &stack);
    let before = topics::written(&stack, SHIPMENT);
    let today = named(partition, "TODAY", 1);
    produce(&stack, &template, partition, &today, 0);
    eventually("some have expired", || {
        let written = topics::written(&stack, SHIPMENT) - before;
        if written >= 20 {
            Ok(())
        } else {
            Err(format!("{written} records and markers"))
        }
    });
    derive.kill().unwrap();
    let expired = tombstones(&stack).len();
    assert!((1..EXPIRING).contains(&expired), "{expired} have expired: not in parts");

    derive.restart().unwrap();
    wait_until_derived(&stack);
    let mut keys: Vec<_> = expiring
        .iter()
        .map(|number| format!("kuaidi100:yunda:{number}"))
        .collect();
    keys.sort();
    assert_eq!(tombstones(&stack), keys);
    assert_eq!(topics::shipments_of(&stack, &today[0]).len(), 1);
    derive.wait_ready(PATIENCE).unwrap();
}

#[test]
fn pushes_of_new_parcels_wait_while_the_state_is_full() {
    let stack = migrated("state-full");
    let (template, partition) = template(&stack);
    let bounded = one_worker(&stack)
        .env("COURIERFLOW__DERIVE__MAX_TRANSACTION_EVENTS", "10")
        .env("COURIERFLOW__DERIVE__MAX_STATE_BYTES", STATE_BYTES);
    let mut full = ready(&bounded, "derive-bounded", &stack);
    let known = named(partition, "NEW", 1_000);
    for some in known.chunks(50) {
        produce(&stack, &template, partition, some, 0);
    }
    wait_until_full(&full);
    // What the alarm compares.
    eventually("the alarm's two figures say so", || {
        let told = |name: &str| metric(&full, &format!("courierflow_derive_{name}"));
        let (held, limit) = (told("state_bytes")?, told("max_state_bytes")?);
        let is_right = (limit - STATE_BYTES.parse::<f64>().unwrap()).abs() < 0.5 && held >= limit;
        if is_right {
            Ok(())
        } else {
            Err(format!("{held} of {limit}"))
        }
    });
    let derived = topics::read(&stack, SHIPMENT).len();
    assert!((1..1_000).contains(&derived), "{derived} derived");
    full.terminate(PATIENCE).unwrap();

    // The operator gives it more memory: all are derived, once and in order.
    let _derive = ready(&one_worker(&stack), "derive", &stack);
    wait_until_derived(&stack);
    let records = topics::read(&stack, SHIPMENT);
    let keys: Vec<_> = records
        .iter()
        .filter(|record| record.partition == partition)
        .map(|record| record.key.clone())
        .collect();
    let expected: Vec<_> = known
        .iter()
        .map(|number| Some(format!("kuaidi100:yunda:{number}")))
        .collect();
    assert_eq!(keys, expected);
}
