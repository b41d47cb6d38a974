//! Records on the topics that ingest and derive would never write.

use courierflow_schemas::records::TimestampMicros;
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, SHIPMENT};
use courierflow_tests::stack::{Launch, Server, Service, Stack};

use crate::harness::{
    PATIENCE, eventually, metric, migrated, post, processor, ready, readyz, tables, topics, wait_until_in_tables,
};

/// A shipment that derive has never heard of.
const GHOST: &str = "kuaidi100:yunda:GHOST1";

/// The classes and errors of the dead letters, sorted.
fn dead_letters(stack: &dyn Stack) -> Vec<(String, String)> {
    let records = topics::read(stack, DERIVE_DEAD);
    let mut letters: Vec<_> = records
        .into_iter()
        .map(|mut record| {
            let mut header = |name| record.headers.remove(name).unwrap_or_default();
            (header("error_class"), header("error"))
        })
        .collect();
    letters.sort();
    letters
}

/// Records with clocks that are wrong by two hours and by decades: the broker would refuse what is derived from the
/// first, and the second would make every parcel expire.
fn of_wrong_clocks(stack: &dyn Stack) -> [Vec<u8>; 2] {
    let mut event = topics::pushes_of(stack, "GOOD1").remove(0);
    [2, 1_000_000].map(|hours| {
        event.received_at = TimestampMicros(jiff::Timestamp::now().as_microsecond() + hours * 3_600_000_000);
        topics::encoded(stack, &event)
    })
}

/// Less than an hour ahead, or before 1970; returns the numbers.
fn produce_believed_clocks(stack: &dyn Stack, partition: i32) -> [String; 2] {
    let mut event = topics::pushes_of(stack, "GOOD1").remove(0);
    let numbers = ["AHEAD", "ANCIENT"].map(|prefix| topics::numbers_on(partition, prefix).next().unwrap());
    let [ahead, ancient] = &numbers;
    for (number, received_at) in [
        (ahead, jiff::Timestamp::now().as_microsecond() + 3_000_000_000),
        (ancient, -5_000_000),
    ] {
        event.tracking_number.clone_from(number);
        event.received_at = TimestampMicros(received_at);
        let value = topics::encoded(stack, &event);
        topics::produce(stack, PUSH, partition, number, &[Some(&value)]);
    }
    numbers
}

/// Waits until a worker is restarting and reports a record of this partition that it cannot restore.
fn wait_until_restore_fails(derive: &Service, partition: i32) {
    let place = format!("{SHIPMENT}/{partition} at offset");
    eventually("derive names the record that it cannot restore", || {
        let answer = readyz(derive)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let begins_again = |part: &serde_json::Value| {
            let failure = part["last_failure"].as_str().unwrap_or_default();
            failure.contains(&place) && failure.contains("not_wire_format") && part["reason"] != part["last_failure"]
        };
        if parts.values().any(begins_again) {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
}

#[test]
fn what_cannot_be_read_is_put_aside_and_nothing_behind_it_waits() {
    let stack = migrated("garbage");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut derive = ready(&processor("derive", &stack), "derive", &stack);
    post::one_picked_up(&ingest.url(), "GOOD1");
    let written = eventually("the push is on its topic", || {
        let records = topics::read(&stack, PUSH);
        records.into_iter().next().ok_or_else(|| "nothing yet".to_owned())
    });
    let partition = written.partition;
    let good = written.value.unwrap();
    let mut unknown_schema = good.clone();
    unknown_schema[1..5].copy_from_slice(&9_999_u32.to_be_bytes());
    let truncated = good[..good.len() / 2].to_vec();
    let trailing = [good.as_slice(), b"?"].concat();
    let mut event = topics::pushes_of(&stack, "GOOD1").remove(0);
    event.tracking_number = "OTHER1".to_owned();
    let of_another_key = topics::encoded(&stack, &event);
    let believed = produce_believed_clocks(&stack, partition);
    let [in_two_hours, in_decades] = of_wrong_clocks(&stack);
    topics::produce(
        &stack,
        PUSH,
        partition,
        "GOOD1",
        &[
            Some(&unknown_schema),
            Some(&truncated),
            Some(&trailing),
            Some(b"{}"),
            Some(b""),
            None,
            Some(&of_another_key),
            Some(&in_two_hours),
            Some(&in_decades),
        ],
    );
    topics::produce(&stack, PUSH, partition, "GOOD1", &[Some(&good)]);
    crate::harness::wait_until_derived(&stack);

    let letters = dead_letters(&stack);
    let classes: Vec<_> = letters.iter().map(|(class, _)| class.as_str()).collect();
    assert_eq!(
        classes,
        [
            "key_mismatch",
            "received_in_future",
            "received_in_future",
            "undecodable",
            "undecodable",
            "undecodable",
            "undecodable",
            "undecodable",
            "undecodable"
        ],
        "{letters:#?}"
    );
    assert!(letters.iter().any(|(_, error)| error.contains("9999")), "{letters:#?}");
    assert_eq!(
        topics::shipments_of(&stack, "GOOD1").len(),
        1,
        "the repeated push is a duplicate"
    );
    assert_eq!(topics::shipments_of(&stack, "OTHER1"), []);
    for number in &believed {
        assert_eq!(topics::shipments_of(&stack, number).len(), 1, "{number}");
    }
    let before = topics::read(&stack, SHIPMENT);
    assert!(
        before.iter().all(|record| record.value.is_some()),
        "nothing has expired"
    );

    // The sink also reads records that derive would not write: one dead letter each, the rest is stored.
    topics::produce(&stack, SHIPMENT, partition, GHOST, &[None, Some(b"nonsense")]);
    let mut sink = ready(&processor("sink", &stack), "sink", &stack);
    post::one_picked_up(&ingest.url(), "GOOD2");
    wait_until_in_tables(&stack);
    assert_eq!(tables::shipments_of(&stack, "GOOD2").len(), 1);
    sink.kill().unwrap();
    assert!(dead_letters(&stack).iter().any(|(class, _)| class == "not_wire_format"));

    // Derive does not guess an unreadable state: it does not become ready, and reports the place of the record.
    derive.kill().unwrap();
    derive.restart().unwrap();
    wait_until_restore_fails(&derive, partition);
    assert!(topics::read(&stack, SHIPMENT).len() >= before.len());

    // A tombstone for its key solves this.
    topics::produce(&stack, SHIPMENT, partition, GHOST, &[None]);
    derive.wait_ready(PATIENCE).unwrap();
    post::one_picked_up(&ingest.url(), "GOOD3");
    crate::harness::wait_until_derived(&stack);
    let keys = topics::read(&stack, SHIPMENT)
        .into_iter()
        .filter_map(|record| record.key);
    assert_eq!(keys.filter(|key| key.contains("GOOD3")).count(), 1);
}

#[test]
fn a_worker_that_finds_only_garbage_stops_and_keeps_its_place() {
    let stack = migrated("poison");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let derive = ready(&processor("derive", &stack), "derive", &stack);
    post::one_picked_up(&ingest.url(), "BEFORE1");
    crate::harness::wait_until_derived(&stack);
    let written = topics::read(&stack, PUSH).remove(0);
    let partition = written.partition;

    // A record that has to wait makes the worker read the garbage before it repeatedly. It must be counted and logged
    // once, and the lag must show that there is no progress.
    stack.stop(Server::Registry).unwrap();
    let good = written.value.unwrap();
    let mut unknown_schema = good.clone();
    unknown_schema[1..5].copy_from_slice(&9_999_u32.to_be_bytes());
    let mut waiting = vec![Some(b"garbage".as_slice()); 60];
    waiting.push(Some(&unknown_schema));
    topics::produce(&stack, PUSH, partition, "BEFORE1", &waiting);
    eventually("the worker has aborted, again, and lags", || {
        let aborts = metric(&derive, "courierflow_derive_aborts_total")?;
        let lag = metric(&derive, "courierflow_derive_lag_records")?;
        if aborts >= 2.0 && lag >= 1.0 {
            Ok(())
        } else {
            Err(format!("{aborts} aborts, lag {lag}"))
        }
    });
    stack.start_server(Server::Registry).unwrap();
    crate::harness::wait_until_derived(&stack);
    assert_eq!(dead_letters(&stack).len(), 61);
    let log = std::fs::read_to_string(stack.dir().join("log/derive.log")).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("dead-lettered")).count(), 61);

    // One parcel may be broken as often as its sender likes.
    topics::produce(&stack, PUSH, partition, "BEFORE1", &[Some(b"garbage".as_slice()); 150]);
    crate::harness::wait_until_derived(&stack);
    assert_eq!(dead_letters(&stack).len(), 211);

    let numbers: Vec<_> = (0..150).map(|number| format!("GARBAGE{number}")).collect();
    topics::produce(&stack, PUSH, partition, "BEFORE1", &[Some(&good)]);
    let garbage = numbers
        .iter()
        .map(|number| (number.as_str(), Some(b"garbage".as_slice())));
    topics::produce_all(&stack, PUSH, partition, garbage);
    let place = format!("{PUSH}/{partition} at offset");
    eventually("a worker has stopped", || {
        let answer = readyz(&derive)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let stopped = parts
            .values()
            .filter(|part| {
                part["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.contains("in a row") && reason.contains(&place))
            })
            .count();
        if stopped == 1 { Ok(()) } else { Err(answer.to_string()) }
    });
    let ends = topics::ends(&stack, PUSH);
    let lag = topics::lag(&stack, crate::harness::DERIVE_GROUP, PUSH, &ends).unwrap();
    assert!(lag > 0, "the worker has passed all the garbage");
    assert!(dead_letters(&stack).len() <= 311);

    // An operator has looked at the records, so the guard is switched off for one run.
    drop(derive);
    let without_guard = processor("derive", &stack).env("COURIERFLOW__PROCESSOR__POISON_GUARD", "false");
    let _derive = ready(&without_guard, "derive-without-guard", &stack);
    post::one_picked_up(&ingest.url(), "BEHIND1");
    crate::harness::wait_until_derived(&stack);
    assert_eq!(dead_letters(&stack).len(), 361);
    assert!(
        topics::shipments(&stack, &topics::read(&stack, SHIPMENT))
            .iter()
            .any(|shipment| shipment.tracking_number == "BEHIND1")
    );
}
