//! Kafka deletes records before they were read, as retention does when a consumer is away for too long; or its log has become shorter.

use courierflow_schemas::records::SubscriptionState;
use courierflow_schemas::topics::{PUSH, SUBSCRIPTION_REQUEST};
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::{
    DERIVE_GROUP, PATIENCE, eventually, metric, migrate, migrated, post, processor, ready, readyz, tables, topics,
    wait_until_in_tables, wait_until_sink_has_read,
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
    eventually(&format!("derive and sink say: {what}"), || {
        let answer = readyz(service)?;
        let parts = answer["parts"].as_object().cloned().unwrap_or_default();
        let says = |part: &str| {
            parts.iter().any(|(name, state)| {
                let reason = state["reason"].as_str().unwrap_or_default();
                name.starts_with(part)
                    && reason.contains(PUSH)
                    && reason.contains(what)
                    && reason.contains("on_data_loss")
            })
        };
        if answer["ready"] == false && says("derive-") && says("sink-push") {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
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
}
