//! Kafka deletes records before they were read, as retention does when a consumer is away for too long; or its log has become shorter.

use std::ops::Range;

use courierflow_schemas::records::{PushEvent, SubscriptionState, TimestampMicros};
use courierflow_schemas::topics::{PUSH, SHIPMENT, SUBSCRIPTION_REQUEST};
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::{
    DERIVE_GROUP, PATIENCE, eventually, metric, migrate, migrated, post, processor, ready, readyz, tables, told_metric,
    topics, wait_until_derived, wait_until_in_tables, wait_until_part_says, wait_until_sink_has_read,
};
use crate::subscribe::records::{ask, numbers, request, wait_for};
use crate::subscribe::vendors::{Vendors, subscribe};

/// Enough for some on every partition.
const PARCELS: usize = 40;

fn push_wave(base: &str, wave: &str) {
    for number in 0..PARCELS {
        post::one_picked_up(base, &format!("{wave}{number}"));
    }
}

/// Waits until derive and the sink of the pushes say what is gone.
fn wait_until_both_have_stopped(service: &Service) {
    wait_until_both_say(service, "records were deleted before they were read");
}

fn wait_until_both_say(service: &Service, what: &str) {
    for part in ["derive-", "sink-push"] {
        wait_until_part_says(service, part, &[what, PUSH, "on_data_loss"]);
    }
}

fn derived(stack: &dyn Stack, wave: &str) -> usize {
    let sql = format!("SELECT 1 AS one FROM courier.shipment FINAL WHERE startsWith(tracking_number, '{wave}')");
    tables::rows(stack, &sql).len()
}

#[test]
fn records_that_are_gone_before_they_were_read_stop_derive_and_sink_until_an_operator_has_looked() {
    let stack = migrated("data-loss");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);
    push_wave(&ingest.url(), "BEFORE");
    wait_until_in_tables(&stack);

    // Gone while nobody was there.
    running.terminate(PATIENCE).unwrap();
    push_wave(&ingest.url(), "LOST");
    let ends = topics::ends(&stack, PUSH);
    let lost = topics::lag(&stack, DERIVE_GROUP, PUSH, &ends).unwrap();
    assert_eq!(lost, i64::try_from(PARCELS).unwrap());
    topics::delete_records(&stack, PUSH);
    running.restart().unwrap();
    wait_until_both_have_stopped(&running);
    assert!(metric(&running, "courierflow_derive_records_lost_total").unwrap() >= 1.0);
    assert!(metric(&running, "courierflow_sink_records_lost_total").unwrap() >= 1.0);
    assert!(running.log().unwrap().contains("records lost: courier.push.v1/"));
    // Whoever takes over stops, too: the place is kept.
    post::one_picked_up(&ingest.url(), "WAITING");
    assert_eq!(topics::lag(&stack, DERIVE_GROUP, PUSH, &ends).unwrap(), lost);
    assert_eq!(derived(&stack, "WAITING"), 0);

    // An operator has looked.
    running.kill().unwrap();
    let go_on = processor("run", &stack).env("COURIERFLOW__PROCESSOR__ON_DATA_LOSS", "continue");
    let mut going_on = ready(&go_on, "going-on", &stack);
    wait_until_in_tables(&stack);
    assert_eq!((derived(&stack, "WAITING"), derived(&stack, "LOST")), (1, 0));
    let told = |what: &str| metric(&going_on, &format!("courierflow_{what}_records_lost_total")).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "40")]
    let lost = lost as f64;
    assert_eq!((told("derive"), told("sink")), (lost, lost));

    // The loss is told once: the next run finds its place.
    going_on.terminate(PATIENCE).unwrap();
    let mut running = ready(&processor("run", &stack), "processor", &stack);

    // Gone while the consumers were too slow: they run, and do not read.
    running.freeze().unwrap();
    for wave in 0..3 {
        push_wave(&ingest.url(), &format!("SLOW{wave}-"));
    }
    topics::delete_records(&stack, PUSH);
    running.thaw().unwrap();
    wait_until_both_have_stopped(&running);
}

/// Commits offsets that the topic does not reach, as it is after brokers have lost the end of their logs, or after a cluster was set
/// up from a copy. (A topic that is deleted takes its committed offsets with it.)
fn commit_behind_the_end(stack: &dyn Stack, group: &str) {
    eventually("the sessions have ended", || match topics::members(stack, group) {
        0 => Ok(()),
        members => Err(format!("{group} has {members} members")),
    });
    let ends = topics::ends(stack, PUSH);
    let behind = ends.into_iter().map(|(partition, end)| (partition, end + 1_000));
    topics::commit(stack, group, PUSH, &behind.collect());
}

#[test]
fn a_topic_that_ends_before_the_committed_offset_stops_derive_and_sink_until_an_operator_has_looked() {
    let stack = migrated("topic-too-short");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);
    push_wave(&ingest.url(), "BEFORE");
    wait_until_in_tables(&stack);

    running.terminate(PATIENCE).unwrap();
    for group in [DERIVE_GROUP, "courierflow-sink-push"] {
        commit_behind_the_end(&stack, group);
    }
    // Before every offset that is committed: read from there on, they would never be derived.
    push_wave(&ingest.url(), "AFTER");
    running.restart().unwrap();
    wait_until_both_say(&running, "was the topic deleted and made anew?");
    assert_eq!(derived(&stack, "AFTER"), 0);

    running.kill().unwrap();
    let go_on = processor("run", &stack).env("COURIERFLOW__PROCESSOR__ON_DATA_LOSS", "continue");
    let _going_on = ready(&go_on, "going-on", &stack);
    for wave in ["BEFORE", "AFTER"] {
        eventually("all are in the table", || match derived(&stack, wave) {
            PARCELS => Ok(()),
            found => Err(format!("{wave}: {found}")),
        });
    }
}

const PLACE_LOST: &str = "are known and no offset is committed";

/// Lines that say that nobody knows what was read of a topic.
fn places_lost(service: &Service, known: &str, topic: &str) -> usize {
    let log = service.log().unwrap();
    let says = |line: &&str| line.contains(&format!("{known} {PLACE_LOST}")) && line.contains(topic);
    log.lines().filter(says).count()
}

#[test]
fn a_push_topic_that_is_deleted_and_made_anew_is_read_from_its_beginning_and_derive_and_sink_say_so() {
    let stack = migrated("topic-made-anew");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut derive = ready(&processor("derive", &stack), "derive", &stack);
    let mut sink = ready(&processor("sink", &stack), "sink", &stack);
    push_wave(&ingest.url(), "BEFORE");
    wait_until_in_tables(&stack);
    let told =
        |derive: &Service, sink: &Service| (places_lost(derive, "parcels", PUSH), places_lost(sink, "rows", PUSH));
    assert_eq!(told(&derive, &sink), (0, 0));

    for service in [&mut derive, &mut sink, &mut ingest] {
        service.terminate(PATIENCE).unwrap();
    }
    topics::delete(&stack, &[PUSH], &[]);
    assert!(migrate(&stack).contains("created topic courier.push.v1"));
    ingest.restart().unwrap();
    ingest.wait_ready(PATIENCE).unwrap();
    post::one_picked_up(&ingest.url(), "ANEW");
    derive.restart().unwrap();
    sink.restart().unwrap();
    wait_until_in_tables(&stack);
    assert_eq!(derived(&stack, "ANEW"), 1);
    let (by_derive, by_sink) = told(&derive, &sink);
    assert!(by_derive > 0 && by_sink > 0, "{by_derive} {by_sink}");
    assert!(metric(&derive, "courierflow_derive_records_lost_total").unwrap() >= 1.0);
    #[expect(clippy::cast_precision_loss, reason = "as many as partitions")]
    let of_sink = by_sink as f64;
    assert_eq!(
        metric(&sink, "courierflow_sink_records_lost_total{table=\"push\"}"),
        Ok(of_sink)
    );

    // The sink tells it once; of the other topics it has nothing to tell.
    sink.terminate(PATIENCE).unwrap();
    sink.restart().unwrap();
    sink.wait_ready(PATIENCE).unwrap();
    post::one_picked_up(&ingest.url(), "LATER");
    wait_until_in_tables(&stack);
    assert_eq!(places_lost(&sink, "rows", ""), by_sink);
}

#[test]
fn a_push_topic_that_is_made_anew_under_a_running_sink_is_read_from_its_beginning() {
    let stack = migrated("topic-made-anew-running");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let sink = ready(&processor("sink", &stack), "sink", &stack);
    push_wave(&ingest.url(), "BEFORE");
    wait_until_sink_has_read(&stack);
    ingest.terminate(PATIENCE).unwrap();
    topics::delete(&stack, &[PUSH], &[]);
    assert!(migrate(&stack).contains("created topic courier.push.v1"));
    ingest.restart().unwrap();
    ingest.wait_ready(PATIENCE).unwrap();
    post::one_picked_up(&ingest.url(), "ANEW");
    eventually("it is in the table", || {
        let rows = tables::rows(
            &stack,
            "SELECT 1 AS one FROM courier.push FINAL WHERE tracking_number = 'ANEW'",
        );
        match rows.len() {
            1 => Ok(()),
            _ => Err(sink.log_end()),
        }
    });
    assert!(places_lost(&sink, "rows", PUSH) > 0, "{}", sink.log_end());
}

#[test]
fn a_request_topic_that_is_made_anew_is_read_from_its_beginning_and_subscribe_says_so() {
    let stack = migrated("requests-made-anew");
    let vendors = Vendors::start();
    let mut running = ready(&subscribe(&*stack, &vendors), "subscribe", &*stack);
    let asked = |prefix: &str| {
        let numbers = numbers(prefix, 20);
        let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
        ask(&*stack, &requests);
        wait_for(&*stack, &numbers, SubscriptionState::Active);
        numbers
    };
    let before = asked("YT61");
    assert_eq!(places_lost(&running, "subscriptions", SUBSCRIPTION_REQUEST), 0);
    running.terminate(PATIENCE).unwrap();
    topics::delete(&*stack, &[SUBSCRIPTION_REQUEST], &[]);
    assert!(migrate(&*stack).contains("created topic courier.subscription.request.v1"));
    running.restart().unwrap();
    asked("YT62");
    assert!(
        places_lost(&running, "subscriptions", SUBSCRIPTION_REQUEST) > 0,
        "{}",
        running.log_end()
    );
    assert_eq!(places_lost(&running, "subscriptions with pushes", PUSH), 0);
    assert!(metric(&running, "courierflow_subscribe_records_lost_total").unwrap() >= 1.0);
    for number in &before {
        assert_eq!(vendors.counted(number)["calls"], 1, "{number}");
    }

    // Requests that retention has deleted before they were read.
    running.terminate(PATIENCE).unwrap();
    let gone = numbers("YT63", 20);
    ask(
        &*stack,
        &gone.iter().map(|number| request(number, "r1")).collect::<Vec<_>>(),
    );
    topics::delete_records(&*stack, SUBSCRIPTION_REQUEST);
    running.restart().unwrap();
    eventually("subscribe has stopped", || {
        let state = readyz(&running)?;
        let told = running.log().map_err(|error| error.to_string())?;
        let is_told = told.contains("records lost: courier.subscription.request.v1/");
        if state["ready"] == false && is_told {
            Ok(())
        } else {
            Err(state.to_string())
        }
    });
    assert!(metric(&running, "courierflow_subscribe_records_lost_total").unwrap() >= 20.0);
    running.kill().unwrap();
    let go_on = subscribe(&*stack, &vendors).env("COURIERFLOW__PROCESSOR__ON_DATA_LOSS", "continue");
    running = ready(&go_on, "going-on", &*stack);
    asked("YT64");
    for number in &gone {
        assert_eq!(vendors.counted(number)["calls"], 0, "{number}");
    }
    running.terminate(PATIENCE).unwrap();
}

/// Why parts of derive are not ready.
fn reasons_of_derive(service: &Service) -> Result<Vec<String>, String> {
    let answer = readyz(service)?;
    let parts = answer["parts"].as_object().cloned().unwrap_or_default();
    let reasons = parts.iter().filter(|(name, _)| name.starts_with("derive-"));
    let reasons = reasons.filter_map(|(_, state)| state["reason"].as_str().map(str::to_owned));
    Ok(reasons.collect())
}

/// Posts the push of a parcel of each of these partitions; returns their numbers.
fn push_to(base: &str, partitions: Range<i32>, prefix: &str) -> Vec<String> {
    let numbers = partitions.filter_map(|partition| topics::numbers_on(partition, prefix).next());
    let numbers: Vec<_> = numbers.collect();
    for number in &numbers {
        post::one_picked_up(base, number);
    }
    numbers
}

#[test]
fn a_shipment_topic_that_is_deleted_and_made_anew_stops_derive_until_an_operator_has_looked() {
    let stack = migrated("state-made-anew");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut derive = ready(&processor("derive", &stack), "derive", &stack);
    let lost = |service: &Service| metric(service, "courierflow_derive_records_lost_total");
    // The first partition has no parcel: it has pushes and no shipment, and has lost nothing.
    topics::produce(&stack, PUSH, 0, "GARBAGE", &[Some(b"no record of ours")]);
    let before = push_to(&ingest.url(), 1..8, "BEFORE");
    wait_until_derived(&stack);
    derive.terminate(PATIENCE).unwrap();
    derive.restart().unwrap();
    derive.wait_ready(PATIENCE).unwrap();
    assert_eq!(lost(&derive), Ok(0.0));

    // With an empty state each parcel would begin a second life.
    for service in [&mut derive, &mut ingest] {
        service.terminate(PATIENCE).unwrap();
    }
    topics::delete(&stack, &[SHIPMENT], &[]);
    assert!(migrate(&stack).contains("created topic courier.shipment.v1"));
    ingest.restart().unwrap();
    ingest.wait_ready(PATIENCE).unwrap();
    let waiting = push_to(&ingest.url(), 1..6, "WAITING");
    derive.restart().unwrap();
    eventually("derive names the topic", || {
        let reasons = reasons_of_derive(&derive)?;
        let says = |reason: &String| {
            let words = [
                "courier.shipment.v1/",
                "was the topic deleted and made anew?",
                "on_data_loss",
            ];
            words.iter().all(|word| reason.contains(word))
        };
        if !reasons.is_empty() && reasons.iter().all(says) {
            Ok(())
        } else {
            Err(format!("{reasons:?}"))
        }
    });
    assert!(lost(&derive).unwrap() >= 1.0);
    let log = derive.log().unwrap();
    assert!(log.contains("records lost: courier.shipment.v1/"), "{log}");
    assert!(!log.contains("records lost: courier.shipment.v1/0 "), "{log}");
    assert_eq!(topics::read(&stack, SHIPMENT), [], "something was derived");

    // An operator has looked.
    derive.kill().unwrap();
    let go_on = processor("derive", &stack).env("COURIERFLOW__PROCESSOR__ON_DATA_LOSS", "continue");
    let mut going_on = ready(&go_on, "going-on", &stack);
    wait_until_derived(&stack);
    let derived = |numbers: &[String]| {
        let is_derived = |number: &&String| !topics::shipments_of(&stack, number).is_empty();
        numbers.iter().filter(is_derived).count()
    };
    assert_eq!((derived(&before), derived(&waiting)), (0, waiting.len()));
    assert!(lost(&going_on).unwrap() >= 1.0);

    // The loss is told once, also of partitions where nothing has come since.
    going_on.terminate(PATIENCE).unwrap();
    let next = ready(&processor("derive", &stack), "next", &stack);
    assert_eq!(lost(&next), Ok(0.0));
}

const TWO_DAYS_MILLIS: i64 = 172_800_000;
const TWO_DAYS_SECONDS: f64 = 172_800.0;
const FOURTEEN_DAYS_SECONDS: f64 = 1_209_600.0;

/// A push that was received two days ago, as ingest stored it then.
fn push_of_two_days_ago(stack: &dyn Stack, partition: i32) {
    let number = topics::numbers_on(partition, "OLD").next().unwrap();
    let received = jiff::Timestamp::now().as_millisecond() - TWO_DAYS_MILLIS;
    let event = PushEvent {
        received_at: TimestampMicros(received * 1_000),
        ..topics::push_event(&number, post::picked_up(&number))
    };
    let value = topics::encoded(stack, &event);
    let record = (number.as_str(), Some(value.as_slice()), Some(received));
    topics::produce_all_at(stack, PUSH, partition, [record]);
}

#[test]
fn how_long_records_have_been_waiting_for_a_role_that_is_stopped_is_told_by_another_one() {
    let stack = migrated("oldest-unread");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut derive = ready(&processor("derive", &stack), "derive", &stack);
    push_wave(&ingest.url(), "BEFORE");
    wait_until_derived(&stack);
    derive.terminate(PATIENCE).unwrap();

    // One of all partitions has waited for long.
    push_of_two_days_ago(&stack, 3);
    push_wave(&ingest.url(), "NEW");
    let sink = ready(&processor("sink", &stack), "sink", &stack);
    let age_for = |group: &str| {
        let name = format!("courierflow_oldest_unread_seconds{{group=\"{group}\",topic=\"{PUSH}\"}}");
        told_metric(&sink, &name)
    };
    eventually("the sink tells of derive", || match age_for(DERIVE_GROUP)? {
        age if age >= TWO_DAYS_SECONDS => Ok(()),
        age => Err(format!("{age} s")),
    });

    // The alarm compares it with how long the topic keeps its records.
    let kept = format!("courierflow_topic_retention_seconds{{topic=\"{PUSH}\"}}");
    eventually("the retention is told", || match told_metric(&sink, &kept)? {
        seconds if (seconds - FOURTEEN_DAYS_SECONDS).abs() < 0.5 => Ok(()),
        seconds => Err(format!("{seconds} s")),
    });

    derive.restart().unwrap();
    wait_until_in_tables(&stack);
    for group in [DERIVE_GROUP, "courierflow-sink-push"] {
        eventually(&format!("nothing waits for {group}"), || match age_for(group)? {
            age if age > 0.0 => Err(format!("{age} s")),
            _ => Ok(()),
        });
    }
}
