//! Derive is killed again and again, and derives everything a second time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use courierflow_schemas::records::{Op, Shipment, Transition};
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, SHIPMENT, TRANSITION};
use courierflow_tests::oracle::{self, ExpectedRecord};
use courierflow_tests::stack::{Launch, Service, Stack};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::harness::acknowledged::assert_stored;
use crate::harness::load::Load;
use crate::harness::topics::{Record, read, shipments, transitions, written};
use crate::harness::{
    DERIVE_GROUP, PATIENCE, assert_same, eventually, migrate, migrated, post, processor, ready, readyz, topics,
    wait_until_derived,
};

const KILLS: u64 = 6;
const PARCELS_OF_A_WAVE: u32 = 40;

/// The values of a topic by key, in order. The order within a key is the order of the partition.
fn values_by_key(records: &[Record]) -> BTreeMap<String, Vec<Option<Vec<u8>>>> {
    let mut values: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for record in records {
        let key = record.key.clone().expect("derived records have keys");
        values.entry(key).or_default().push(record.value.clone());
    }
    values
}

fn assert_each_transition_once(transitions: &[Transition]) {
    let mut seen = HashSet::new();
    for transition in transitions {
        let Transition {
            vendor,
            carrier,
            tracking_number,
            epoch,
            ..
        } = transition;
        let shipment = (*vendor, carrier.clone(), tracking_number.clone(), *epoch);
        assert!(
            seen.insert((shipment, transition.transition_id, transition.version, transition.op)),
            "twice: {transition:?}"
        );
    }
}

fn assert_versions_grow(shipments: &[Shipment]) {
    let mut newest = HashMap::new();
    for shipment in shipments {
        let key = (
            shipment.vendor,
            shipment.carrier.clone(),
            shipment.tracking_number.clone(),
        );
        let before = newest.insert(key, shipment.version);
        assert!(
            before.is_none_or(|before| before < shipment.version),
            "{before:?}: {shipment:?}"
        );
    }
}

#[test]
fn i3_a_killed_derive_doubles_nothing_and_i7_deriving_again_gives_the_same_bytes() {
    let stack = migrated("derive-killed");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut derive = ready(&processor("derive", &stack), "derive", &stack);

    // It is killed each time it has written a part of a new wave of pushes, so that most kills hit an open
    // transaction.
    let mut waves = Vec::new();
    for wave in 0..KILLS {
        let before = written(&stack, SHIPMENT);
        waves.push(Load::start(ingest.url(), 3 + wave, PARCELS_OF_A_WAVE, 0.0));
        eventually("derive has written some more", || {
            let now = written(&stack, SHIPMENT);
            if now > before {
                Ok(())
            } else {
                Err(format!("{now} records"))
            }
        });
        derive.kill().unwrap();
        derive.restart().unwrap();
    }
    let acknowledged: Vec<_> = waves.iter().map(Load::simulation).collect();
    for wave in waves {
        wave.finish();
    }
    wait_until_derived(&stack);

    let records = (read(&stack, SHIPMENT), read(&stack, TRANSITION));
    let derived = (shipments(&stack, &records.0), transitions(&stack, &records.1));
    assert_versions_grow(&derived.0);
    assert_each_transition_once(&derived.1);
    assert_eq!(read(&stack, DERIVE_DEAD), [], "dead letters");
    let pushes = topics::push_events(&stack, &read(&stack, PUSH));
    assert_stored(acknowledged.into_iter().flatten(), &pushes);
    let actual: Vec<_> = derived
        .0
        .iter()
        .map(ExpectedRecord::from)
        .chain(derived.1.iter().map(ExpectedRecord::from))
        .collect();
    assert_same(&oracle::record_differences(&oracle::expected(&pushes).records, &actual));
    assert!(
        derived.1.iter().any(|transition| transition.op == Op::Retracted),
        "the load rewrites history"
    );

    // A second time, undisturbed and from scratch, after deleting the derived topics and the group's offsets.
    derive.terminate(PATIENCE).unwrap();
    topics::delete(&stack, &[SHIPMENT, TRANSITION], &[DERIVE_GROUP]);
    migrate(&stack);
    derive.restart().unwrap();
    wait_until_derived(&stack);
    for (topic, first) in [(SHIPMENT, &records.0), (TRANSITION, &records.1)] {
        let (first, second) = (values_by_key(first), values_by_key(&read(&stack, topic)));
        assert_eq!(
            first.keys().collect::<Vec<_>>(),
            second.keys().collect::<Vec<_>>(),
            "keys of {topic}"
        );
        for (key, values) in &first {
            assert_eq!(values, &second[key], "{topic}: {key}");
        }
    }
}

/// Blocks the committed offsets of derive as an open transaction does: until it ends, nobody can read them.
fn hold_offsets(stack: &dyn Stack) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", stack.brokers());
    let producer: BaseProducer = config.clone().set("transactional.id", "holder").create().unwrap();
    let consumer: BaseConsumer = config.set("group.id", DERIVE_GROUP).create().unwrap();
    let mut offsets = TopicPartitionList::new();
    for (partition, end) in topics::ends(stack, PUSH) {
        offsets
            .add_partition_offset(PUSH, partition, Offset::Offset(end))
            .unwrap();
    }
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    let group = consumer.group_metadata().unwrap();
    producer
        .send_offsets_to_transaction(&offsets, &group, PATIENCE)
        .unwrap();
    producer
}

/// Holds a restore up: the records of an open transaction are not committed, and those behind them cannot be read before it ends.
fn hold_shipments(stack: &dyn Stack) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", stack.brokers());
    // Until the test ends it, however slow this machine is.
    let held_for = (PATIENCE * 3).as_millis().to_string();
    config
        .set("transactional.id", "holder")
        .set("transaction.timeout.ms", held_for);
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    for partition in 0..2 {
        let record = BaseRecord::<str, str>::to(SHIPMENT)
            .partition(partition)
            .key("held")
            .payload("");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    producer
}

/// A restore of many parcels may take longer than a member of a group may be silent.
#[test]
fn a_restore_that_takes_longer_than_a_member_may_be_silent_is_made_once() {
    let stack = migrated("derive-long-restore");
    let silent = Duration::from_secs(7);
    let launch = processor("derive", &stack)
        .env("COURIERFLOW__DERIVE__WORKERS", "1")
        .env(
            "COURIERFLOW__DERIVE__MAX_POLL_INTERVAL_MS",
            silent.as_millis().to_string(),
        );
    let holder = hold_shipments(&stack);
    let mut derive = launch.start("derive", &stack).unwrap();
    let restoring = || {
        let state = readyz(&derive)?.to_string();
        let is_told = state.contains("restoring partitions") && state.contains("records");
        if is_told { Ok(Instant::now()) } else { Err(state) }
    };
    let begun = eventually("the worker restores and says how far it is", restoring);
    eventually("it has restored for longer than it may be silent", || {
        let elapsed = restoring()? - begun;
        if elapsed > silent + Duration::from_secs(2) {
            Ok(())
        } else {
            Err(format!("{elapsed:?}"))
        }
    });
    holder.abort_transaction(PATIENCE).unwrap();
    derive.wait_ready(PATIENCE).unwrap();
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    Load::start(ingest.url(), 5, PARCELS_OF_A_WAVE, 0.0).finish();
    wait_until_derived(&stack);
    let log = std::fs::read_to_string(stack.dir().join("log/derive.log")).unwrap();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((lines(r#""restored""#), lines("partitions given up")), (1, 0), "{log}");
}

/// With many parcels a restore takes long, and the worker may be killed during it.
#[test]
fn a_worker_killed_while_it_restores_and_another_joins_leaves_no_partition_to_nobody() {
    let stack = migrated("derive-joined");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let one_worker = processor("derive", &stack).env("COURIERFLOW__DERIVE__WORKERS", "1");
    let mut first = ready(&one_worker, "derive-1", &stack);
    let load = || Load::start(ingest.url(), 5, PARCELS_OF_A_WAVE, 0.0).finish();
    load();
    wait_until_derived(&stack);

    let holder = hold_offsets(&stack);
    first.kill().unwrap();
    first.restart().unwrap();
    eventually("the first worker restores", || {
        let state = readyz(&first)?.to_string();
        if state.contains("restoring") {
            Ok(())
        } else {
            Err(state)
        }
    });
    let mut second = one_worker.start("derive-2", &stack).unwrap();
    // By then its request to join has reached the group.
    std::thread::sleep(Duration::from_secs(4));
    first.kill().unwrap();
    first.restart().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    holder.abort_transaction(PATIENCE).unwrap();
    first.wait_ready(PATIENCE).unwrap();
    second.wait_ready(PATIENCE).unwrap();

    load();
    wait_until_derived(&stack);
}

/// Each rebalance interrupts a restore. If it began anew each time, a group that is not quiet would never get to an end.
#[test]
fn a_restore_that_a_rebalance_interrupts_goes_on_where_it_was() {
    let stack = migrated("derive-restore-kept");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let one_worker = processor("derive", &stack).env("COURIERFLOW__DERIVE__WORKERS", "1");
    let mut filled = ready(&one_worker, "derive-filled", &stack);
    // With two workers, the first has the first half of the partitions, and so these two.
    for partition in 0..2 {
        for number in topics::numbers_on(partition, "KEPT").take(PARCELS_OF_A_WAVE.try_into().unwrap()) {
            post::one_picked_up(&ingest.url(), &number);
        }
    }
    wait_until_derived(&stack);
    ingest.terminate(PATIENCE).unwrap();
    filled.terminate(PATIENCE).unwrap();

    // They are restored except for what an open transaction holds.
    let holder = hold_shipments(&stack);
    let mut first = one_worker.start("derive-1", &stack).unwrap();
    let all = i64::from(2 * PARCELS_OF_A_WAVE);
    let progress = |service: &Service| {
        let state = readyz(service)?;
        let reason = state["parts"]["derive-0"]["reason"].as_str().unwrap_or_default();
        let numbers = reason.strip_prefix("restoring partitions [0, 1]: ");
        let (read, total) = numbers
            .and_then(|numbers| numbers.strip_suffix(" records")?.split_once(" of "))
            .ok_or_else(|| state.to_string())?;
        Ok::<(i64, i64), String>((read.parse().unwrap(), total.parse().unwrap()))
    };
    eventually("all but the held records are read", || match progress(&first)? {
        (read, _) if read >= all => Ok(()),
        progress => Err(format!("{progress:?}")),
    });
    let mut second = one_worker.start("derive-2", &stack).unwrap();
    eventually("only the held records are left", || match progress(&first)? {
        (_, total) if total < all => Ok(()),
        progress => Err(format!("{progress:?}")),
    });
    holder.abort_transaction(PATIENCE).unwrap();
    first.wait_ready(PATIENCE).unwrap();
    second.wait_ready(PATIENCE).unwrap();

    // Nothing was passed over: the same pushes again change nothing.
    let before = read(&stack, SHIPMENT);
    ingest.restart().unwrap();
    ingest.wait_ready(PATIENCE).unwrap();
    for record in &before {
        let key = record.key.as_deref().unwrap_or_default();
        post::one_picked_up(&ingest.url(), key.rsplit(':').next().unwrap_or_default());
    }
    wait_until_derived(&stack);
    assert_eq!(read(&stack, SHIPMENT), before);
}
