//! All topics get more partitions together: drained, grown, and the state of every parcel moved to its new partition.

use std::collections::{BTreeMap, BTreeSet};

use courierflow_schemas::topics::{PUSH, SHIPMENT};
use courierflow_tests::oracle;
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::load::Load;
use crate::harness::topics::{Record, murmur2_partition, partitions};
use crate::harness::{
    DERIVE_GROUP, PATIENCE, RECONCILE_GROUP, SINK_GROUPS, SUBSCRIBE_GROUP, assert_same, eventually, migrated,
    processor, ready, readyz, tables, topics, wait_until_in_tables, wait_until_sink_has_read,
};

/// Neither a multiple of the former 8 nor reached by adding to a number's partition: it goes anywhere.
pub(crate) const GROWN: usize = 12;

/// The processor whose configuration has the new number.
pub(crate) fn grown(subcommand: &str, stack: &dyn Stack) -> Launch {
    processor(subcommand, stack).env("COURIERFLOW__TOPICS__PARTITIONS", GROWN.to_string())
}

/// Runs the command to its end; returns what it said, or why it refused.
pub(crate) fn grow(stack: &dyn Stack, log: &str) -> Result<String, String> {
    let before = log_of(stack, log).len();
    let ended = grown("migrate", stack).arg("--grow").run_to_end(log, stack);
    let said = log_of(stack, log).split_off(before);
    match ended {
        Ok(()) => Ok(said),
        Err(_) => Err(said),
    }
}

fn log_of(stack: &dyn Stack, name: &str) -> String {
    std::fs::read_to_string(stack.dir().join(format!("log/{name}.log"))).unwrap_or_default()
}

pub(crate) fn wait_until_nobody_is_in_the_groups(stack: &dyn Stack) {
    let groups = SINK_GROUPS.map(|(group, _)| group).into_iter();
    for group in groups.chain([DERIVE_GROUP, SUBSCRIBE_GROUP, RECONCILE_GROUP]) {
        eventually("the sessions have ended", || match topics::members(stack, group) {
            0 => Ok(()),
            members => Err(format!("{group} has {members} members")),
        });
    }
}

fn number(record: &Record) -> &str {
    let key = record.key.as_deref().unwrap();
    key.splitn(3, ':').last().unwrap()
}

/// By key, the partitions that hold a shipment which has not ended.
fn places(stack: &dyn Stack) -> BTreeMap<String, BTreeSet<i32>> {
    places_on(stack, SHIPMENT)
}

/// The same of any topic that holds the newest record of every key.
pub(crate) fn places_on(stack: &dyn Stack, topic: &str) -> BTreeMap<String, BTreeSet<i32>> {
    let mut places: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for record in topics::read(stack, topic) {
        let key = record.key.clone().unwrap();
        let at = places.entry(key).or_default();
        if record.value.is_some() {
            at.insert(record.partition);
        } else {
            at.remove(&record.partition);
        }
    }
    places
}

fn assert_state_is_where_it_belongs(stack: &dyn Stack) {
    assert_all_are_where_they_belong(stack, SHIPMENT);
}

pub(crate) fn assert_all_are_where_they_belong(stack: &dyn Stack, topic: &str) {
    for (key, at) in places_on(stack, topic) {
        let number = key.splitn(3, ':').last().unwrap();
        let right = murmur2_partition(number, GROWN);
        assert!(
            at.is_empty() || at == [right].into(),
            "{key} is on {at:?} and belongs to {right}"
        );
    }
}

/// Kills the command as soon as it has begun to change something.
fn kill_in_the_middle(stack: &dyn Stack) {
    kill_when_grown(stack, SHIPMENT);
}

/// Kills the command as soon as the topic has grown.
pub(crate) fn kill_when_grown(stack: &dyn Stack, topic: &str) {
    let mut running = grown("migrate", stack)
        .arg("--grow")
        .start("grow-killed", stack)
        .unwrap();
    eventually("the topic of the state has grown", || {
        let found = partitions(stack, topic);
        if found == GROWN || running.try_wait().unwrap().is_some() {
            Ok(())
        } else {
            Err(found.to_string())
        }
    });
    running.kill().unwrap();
}

#[test]
fn i2_all_topics_grow_together_and_every_parcel_goes_on_where_it_was() {
    let stack = migrated("growth");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);
    let load = Load::start(ingest.url(), 11, 100, 150.0);
    eventually("half of the load is acknowledged", || {
        let (acked, all) = (load.acked(), load.pushes());
        if acked * 2 > all {
            Ok(())
        } else {
            Err(format!("{acked} of {all}"))
        }
    });

    // The procedure of the runbook. The vendors go on trying.
    ingest.terminate(PATIENCE).unwrap();
    wait_until_in_tables(&stack);
    running.terminate(PATIENCE).unwrap();
    let refused = grow(&stack, "too-early").unwrap_err();
    assert!(
        refused.contains(DERIVE_GROUP) && refused.contains("members"),
        "{refused}"
    );
    wait_until_nobody_is_in_the_groups(&stack);
    let before: BTreeSet<String> = places(&stack).into_keys().collect();
    kill_in_the_middle(&stack);
    let said = grow(&stack, "grow").unwrap();
    assert_eq!(partitions(&stack, PUSH), GROWN, "{said}");
    assert_state_is_where_it_belongs(&stack);
    assert_eq!(
        places(&stack).into_keys().collect::<BTreeSet<_>>(),
        before,
        "nobody is forgotten"
    );
    assert_eq!(topics::setting(&stack, SHIPMENT, "cleanup.policy"), "compact");
    let said = grow(&stack, "again").unwrap();
    assert!(said.contains("nothing to change"), "{said}");

    refuses_the_former_number(&stack);
    assert_everything_goes_on(&stack, &mut ingest, load);
}

/// A processor whose configuration still has the former number would not find what was moved.
fn refuses_the_former_number(stack: &dyn Stack) {
    let former: Service = processor("derive", stack).start("former", stack).unwrap();
    eventually("derive says that topics.partitions is another", || {
        let answer = readyz(&former)?;
        let reason = answer["parts"]["derive-0"]["reason"].as_str().unwrap_or_default();
        if reason.contains(&format!("has {GROWN} partitions and topics.partitions is 8")) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

/// Starts the services again and lets the vendors finish.
fn assert_everything_goes_on(stack: &dyn Stack, ingest: &mut Service, load: Load) {
    ingest.restart().unwrap();
    let running = ready(&grown("run", stack), "grown", stack);
    load.finish();
    wait_until_in_tables(stack);
    assert_state_is_where_it_belongs(stack);
    assert_tables_are_as_if_nothing_had_grown(stack);
    // A partition that has state and is new is none whose topic was made anew.
    assert!(!running.log().unwrap().contains("no offset is committed"));
}

/// The three tables equal a recomputation from the pushes in their order of arrival.
fn assert_tables_are_as_if_nothing_had_grown(stack: &dyn Stack) {
    let mut records = topics::read(stack, PUSH);
    let was_before = |record: &Record| record.partition != murmur2_partition(number(record), GROWN);
    let (divided, all) = (
        records.iter().filter(|record| was_before(record)).count(),
        records.len(),
    );
    assert!(divided > 20 && divided < all, "{divided} of {all}");
    // A number's pushes from before are on another partition, or in front of the others.
    records.sort_by_key(|record| !was_before(record));
    let mut pushes = topics::push_events(stack, &records);
    // Of a push that was written again, derive has read the copy.
    let mut seen = BTreeSet::new();
    pushes.reverse();
    pushes.retain(|push| seen.insert((push.push_id.0, push.part, push.received_at.0)));
    pushes.reverse();
    let expected = oracle::expected_tables(&pushes);
    assert_same(&oracle::differences(&expected, &tables::contents(stack)));
}

#[test]
fn i2_after_a_topic_was_given_more_partitions_by_hand_the_unread_pushes_are_derived_in_their_order() {
    let stack = migrated("growth-by-hand");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);
    let load = Load::start(ingest.url(), 12, 60, 100.0);
    let acknowledged = |what: &str, least: u64| {
        eventually(what, || match load.acked() {
            acked if acked >= least => Ok(acked),
            acked => Err(format!("{acked} of {}", load.pushes())),
        })
    };
    acknowledged("a third is acknowledged", load.pushes() / 3);
    running.terminate(PATIENCE).unwrap();
    let unread = acknowledged("more is acknowledged, and not derived", load.pushes() / 2);
    topics::grow(&stack, PUSH, GROWN);
    eventually("ingest refuses pushes", || {
        let answer = readyz(&ingest)?;
        if answer["topics"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(unread < load.pushes(), "all was sent before ingest noticed");
    ingest.terminate(PATIENCE).unwrap();
    wait_until_nobody_is_in_the_groups(&stack);
    // The sink has not read all that derive has written.
    let mut sink = ready(&processor("sink", &stack), "sink", &stack);
    wait_until_sink_has_read(&stack);
    sink.terminate(PATIENCE).unwrap();
    wait_until_nobody_is_in_the_groups(&stack);
    let said = grow(&stack, "grow").unwrap();
    assert!(
        said.contains("pushes that were not read yet to their partitions"),
        "{said}"
    );
    assert_state_is_where_it_belongs(&stack);

    assert_everything_goes_on(&stack, &mut ingest, load);
}
