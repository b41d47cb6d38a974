//! The sink is killed, ClickHouse goes away, and everything is inserted a second time.

use courierflow_schemas::partition;
use courierflow_schemas::records::{
    CallClass, CallId, CallKind, CallReason, Product, Subscription, SubscriptionState, TimestampMicros, Vendor,
    VendorCall,
};
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, SUBSCRIPTION, VENDOR_CALL};
use courierflow_tests::stack::{Launch, Server, Stack};
use serde_json::json;

use crate::harness::load::Load;
use crate::harness::power::{cut_off, parts_since, server_time};
use crate::harness::{
    PATIENCE, SINK_GROUPS, assert_tables_are_right, eventually, metric, migrated, post, processor, ready, readyz,
    tables, topics, wait_until_in_tables, wait_until_part_says, wait_until_sink_has_read,
};

const KILLS: u64 = 4;
const PARCELS_OF_A_WAVE: u32 = 40;

#[test]
fn i5_a_killed_sink_loses_no_row_and_i4_a_replay_changes_none() {
    let stack = migrated("sink-killed");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let _derive = ready(&processor("derive", &stack), "derive", &stack);
    let small_batches = |launch: Launch| launch.env("COURIERFLOW__SINK__MAX_BATCH_ROWS", "100");
    let mut sink = ready(&small_batches(processor("sink", &stack)), "sink", &stack);

    // It is killed each time it has inserted a part of a new wave of pushes, with batches so small that some are
    // always in flight.
    let rows = || {
        let rows = tables::rows(&stack, "SELECT count() AS rows FROM courier.push");
        rows[0]["rows"].as_u64().unwrap()
    };
    let mut waves = Vec::new();
    for wave in 0..KILLS {
        let before = rows();
        waves.push(Load::start(ingest.url(), 4 + wave, PARCELS_OF_A_WAVE, 0.0));
        eventually("the sink has inserted some more", || match rows() {
            now if now > before => Ok(()),
            now => Err(format!("{now} rows")),
        });
        sink.kill().unwrap();
        sink.restart().unwrap();
    }

    // ClickHouse is killed, too: derive goes on, the sink waits.
    stack.kill(Server::ClickHouse).unwrap();
    for wave in waves {
        wave.finish();
    }
    crate::harness::wait_until_derived(&stack);
    stack.start_server(Server::ClickHouse).unwrap();

    wait_until_in_tables(&stack);
    let rows = assert_tables_are_right(&stack);

    // Everything again, from the first record.
    sink.terminate(PATIENCE).unwrap();
    let groups = SINK_GROUPS.map(|(group, _)| group);
    topics::delete(&stack, &[], &groups);
    sink.restart().unwrap();
    wait_until_in_tables(&stack);
    assert_eq!(tables::contents(&stack), rows);
}

fn rows_of(stack: &dyn Stack, table: &str, number: &str) -> usize {
    let sql = format!("SELECT 1 AS one FROM courier.{table} FINAL WHERE tracking_number = '{number}'");
    tables::try_rows(stack, &sql).map_or(0, |rows| rows.len())
}

fn wait_for_row(stack: &dyn Stack, table: &str, number: &str) {
    eventually(&format!("{number} is in {table}"), || {
        match rows_of(stack, table, number) {
            1 => Ok(()),
            rows => Err(format!("{rows} rows")),
        }
    });
}

/// The three classes of errors, as returned by the real server.
#[test]
fn i5_whatever_clickhouse_says_no_offset_passes_a_row_that_is_not_stored() {
    let stack = migrated("sink-errors");
    let sql = |statement: &str| tables::execute(&stack, statement);
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let _derive = ready(&processor("derive", &stack), "derive", &stack);
    let impatient = |launch: Launch| {
        launch
            .env("COURIERFLOW__SINK__INSERT_TIMEOUT_MS", "2000")
            .env("COURIERFLOW__SINK__DEGRADED_AFTER_MS", "500")
    };

    // Fatal: the user lacks a right.
    let wrong = impatient(processor("sink", &stack)).env("COURIERFLOW__CLICKHOUSE__PASSWORD", "wrong");
    let mut sink = wrong.start("sink-with-wrong-password", &stack).unwrap();
    post::one_picked_up(&ingest.url(), "FIRST1");
    wait_until_part_says(&sink, "sink-shipment", &["stopped", "Authentication failed"]);
    sink.kill().unwrap();
    let mut sink = ready(&impatient(processor("sink", &stack)), "sink", &stack);
    wait_for_row(&stack, "shipment", "FIRST1");

    // Transient: the server refuses for a while. The other tables do not wait.
    sql("SYSTEM STOP MERGES courier.shipment");
    sql("ALTER TABLE courier.shipment MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1");
    post::one_picked_up(&ingest.url(), "PARTS1");
    wait_until_part_says(&sink, "sink-shipment", &["cannot insert", "252"]);
    wait_for_row(&stack, "transition", "PARTS1");
    assert_eq!(rows_of(&stack, "shipment", "PARTS1"), 0);
    sql("ALTER TABLE courier.shipment RESET SETTING parts_to_delay_insert, parts_to_throw_insert");
    sql("SYSTEM START MERGES courier.shipment");
    wait_for_row(&stack, "shipment", "PARTS1");
    sink.wait_ready(PATIENCE).unwrap();

    // Transient: connected, but without an answer.
    stack.freeze(Server::ClickHouse).unwrap();
    post::one_picked_up(&ingest.url(), "FROZEN1");
    wait_until_part_says(&sink, "sink-push", &["cannot insert", "time"]);
    stack.thaw(Server::ClickHouse).unwrap();
    for table in ["push", "shipment", "transition"] {
        wait_for_row(&stack, table, "FROZEN1");
    }
    sink.wait_ready(PATIENCE).unwrap();

    // A row that cannot be stored is dead-lettered; its neighbours are stored.
    sql("ALTER TABLE courier.push ADD CONSTRAINT no_poison CHECK tracking_number != 'POISON1'");
    stack.freeze(Server::ClickHouse).unwrap();
    for number in ["BESIDE1", "POISON1", "BESIDE2"] {
        post::one_picked_up(&ingest.url(), number);
    }
    stack.thaw(Server::ClickHouse).unwrap();
    wait_for_row(&stack, "push", "BESIDE1");
    wait_for_row(&stack, "push", "BESIDE2");
    wait_until_in_tables(&stack);
    assert_eq!(rows_of(&stack, "push", "POISON1"), 0);
    assert_eq!(rows_of(&stack, "shipment", "POISON1"), 1);
    let dead = topics::read(&stack, DERIVE_DEAD);
    let reasons: Vec<_> = dead
        .iter()
        .map(|record| record.headers["error_class"].as_str())
        .collect();
    assert_eq!(reasons, ["refused_by_clickhouse"]);
    assert_eq!(dead[0].headers["topic"], PUSH);
    sql("ALTER TABLE courier.push DROP CONSTRAINT no_poison");

    // Fatal: a column is missing. Nothing is skipped; after the repair and a restart everything is stored.
    sql("ALTER TABLE courier.transition DROP COLUMN verdict");
    post::one_picked_up(&ingest.url(), "COLUMN1");
    wait_until_part_says(&sink, "sink-transition", &["stopped", "verdict"]);
    wait_for_row(&stack, "shipment", "COLUMN1");
    sink.terminate(PATIENCE).unwrap();
    sql("ALTER TABLE courier.transition ADD COLUMN verdict LowCardinality(String)");
    sink.restart().unwrap();
    sink.wait_ready(PATIENCE).unwrap();
    wait_for_row(&stack, "transition", "COLUMN1");
}

/// A subscription as it was at this version.
fn subscription(number: &str, state: SubscriptionState, version: i64) -> Subscription {
    Subscription {
        vendor: Vendor::Kuaidi100.to_string(),
        account: "demo".to_owned(),
        tracking_number: number.to_owned(),
        carrier: "yto".to_owned(),
        vendor_carrier: "yuantong".to_owned(),
        former_carriers: Vec::new(),
        version,
        state,
        reason: None,
        code: Some("200".to_owned()),
        since: TimestampMicros(version),
        requested_at: TimestampMicros(version),
        requester: "oms".to_owned(),
        request_ids: vec!["r1".to_owned()],
        reference: None,
        api: "kuaidi100_enterprise".to_owned(),
        product: Product::Advanced,
        international: false,
        round: 1,
        attempt: 1,
        call_id: None,
        not_before: None,
        calls: Vec::new(),
        duplicate: false,
        first_push_at: None,
        ended_word: None,
        ended_at: None,
        in_doubt: false,
        failed: 0,
        too_early: 0,
        unexplained: 0,
        not_recognised: 0,
        unsent: 0,
    }
}

fn vendor_call(number: &str, started_at: i64) -> VendorCall {
    VendorCall {
        call_id: CallId([7; 16]),
        kind: CallKind::Subscribe,
        api: "kuaidi100_enterprise".to_owned(),
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        vendor_carrier: "yuantong".to_owned(),
        carrier: "yto".to_owned(),
        tracking_number: number.to_owned(),
        reason: CallReason::New,
        started_at: TimestampMicros(started_at),
        duration_ms: 120,
        http_status: Some(200),
        code: Some("200".to_owned()),
        class: CallClass::Done,
        message: None,
        month: 202_611,
        bytes: 60,
        items: None,
        push_id: None,
    }
}

#[test]
fn i5_subscriptions_and_calls_come_into_their_tables_and_again_after_a_power_cut() {
    let stack = migrated("sink-subscriptions");
    // Nothing is on their topics: the sink is ready nevertheless.
    let sink = ready(&processor("sink", &stack), "sink", &stack);
    let partitions = i32::try_from(topics::partitions(&stack, SUBSCRIPTION)).unwrap();
    let at = i64::try_from(server_time(&stack)).unwrap() * 1_000_000;
    let tell = |number: &str, version: i64, state: SubscriptionState| {
        let partition = partition::of_key(number.as_bytes(), partitions);
        let record = subscription(number, state, version);
        let value = topics::encoded_as(&stack, |ids| ids.subscription, &record);
        let key = Subscription::key(&record.vendor, &record.account, number);
        topics::produce(&stack, SUBSCRIPTION, partition, &key, &[Some(&value)]);
        let value = topics::encoded_as(&stack, |ids| ids.vendor_call, &vendor_call(number, version));
        topics::produce(&stack, VENDOR_CALL, partition, number, &[Some(&value)]);
    };
    let shown = || {
        (
            tables::rows(
                &stack,
                "SELECT tracking_number, state FROM courier.subscription FINAL ORDER BY tracking_number",
            ),
            tables::rows(
                &stack,
                "SELECT tracking_number, class, call_id FROM courier.vendor_call FINAL ORDER BY tracking_number, started_at",
            ),
        )
    };
    tell("YT1", at, SubscriptionState::Calling);
    tell("YT1", at + 1, SubscriptionState::Active);
    tell("YT2", at + 2, SubscriptionState::Rejected);
    wait_until_sink_has_read(&stack);
    let call = |number: &str| json!({"tracking_number": number, "class": "DONE", "call_id": "07".repeat(16)});
    let expected = (
        vec![
            json!({"tracking_number": "YT1", "state": "ACTIVE"}),
            json!({"tracking_number": "YT2", "state": "REJECTED"}),
        ],
        vec![call("YT1"), call("YT1"), call("YT2")],
    );
    assert_eq!(shown(), expected);

    // The topic forgets a subscription, the table does not.
    let partition = partition::of_key(b"YT2", partitions);
    topics::produce(&stack, SUBSCRIPTION, partition, "kuaidi100:demo:YT2", &[None]);
    wait_until_sink_has_read(&stack);
    assert_eq!(shown(), expected);

    // The rows are gone, and the offsets are committed.
    cut_off(&stack, &parts_since(&stack, 0, &["subscription", "vendor_call"]));
    stack.start_server(Server::ClickHouse).unwrap();
    eventually("the rows are there again", || match shown() {
        rows if rows == expected => Ok(()),
        rows => Err(format!("{rows:?}; {}", readyz(&sink)?)),
    });
    assert!(metric(&sink, "courierflow_sink_reread_records_total").unwrap() > 0.0);
}
