//! A replay of the push topic into fresh tables: first it finds no differences, then it repairs tables that were
//! damaged.

use courierflow_schemas::topics::PUSH;
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::load::Load;
use crate::harness::{
    PATIENCE, SINK_GROUPS, assert_tables_are_right, eventually, migrated, post, processor, ready, tables, topics,
    wait_until_in_tables,
};

const SEED: u64 = 11;
const PARCELS: u32 = 60;

/// Runs `processor replay`, which must succeed; returns its output.
pub(crate) fn replay(stack: &dyn Stack, arguments: &[&str]) -> Result<String, String> {
    let log = stack.dir().join("log/replay.log");
    let before = std::fs::read_to_string(&log).unwrap_or_default().len();
    let command = arguments
        .iter()
        .fold(processor("replay", stack), |command, argument| command.arg(*argument));
    let done = command.run_to_end("replay", stack);
    let said = std::fs::read_to_string(&log).unwrap().split_off(before);
    done.map(|()| said.clone()).map_err(|_| said)
}

/// The server's time plus the given number of seconds.
fn now(stack: &dyn Stack, seconds: u32) -> String {
    let sql = format!("SELECT formatDateTime(now('UTC') + {seconds}, '%Y-%m-%dT%H:%i:%SZ') AS time");
    tables::rows(stack, &sql)[0]["time"].as_str().unwrap().to_owned()
}

#[test]
fn i4_a_replay_changes_nothing_that_is_right_and_repairs_what_is_not_for_good() {
    let stack = migrated("replay");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);
    Load::start(ingest.url(), SEED, PARCELS, 0.0).finish();
    // Derive dead-letters a push event from the future; a replay must leave it out, too.
    post::one_picked_up(&ingest.url(), "FUTURE1");
    let written = eventually("the push is on its topic", || {
        let mut records = topics::read(&stack, PUSH).into_iter();
        records
            .find(|record| record.key.as_deref() == Some("FUTURE1"))
            .ok_or_else(|| "nothing yet".to_owned())
    });
    let mut event = topics::pushes_of(&stack, "FUTURE1").remove(0);
    event.received_at.0 += 2 * 3_600_000_000;
    let value = topics::encoded(&stack, &event);
    topics::produce(&stack, PUSH, written.partition, "FUTURE1", &[Some(&value)]);
    wait_until_in_tables(&stack);

    let said = replay(&stack, &["--from", "earliest"]).unwrap();
    assert!(
        said.contains("rows that differ: 0 of shipment, 0 of transition"),
        "{said}"
    );
    assert!(said.contains("no figure of a carrier changes"), "{said}");
    assert!(said.contains("1 refused (received_in_future 1)"), "{said}");

    // Damage the tables, as a mistake of ours would.
    tables::execute(
        &stack,
        "ALTER TABLE courier.shipment UPDATE delivered_at = NULL, status = 'IN_TRANSIT' WHERE 1 SETTINGS mutations_sync = 2",
    );
    tables::execute(&stack, "TRUNCATE TABLE courier.transition");
    let refused = replay(&stack, &["--from", "earliest", "--exchange"]).unwrap_err();
    assert!(refused.contains("a sink is running"), "{refused}");
    running.terminate(PATIENCE).unwrap();
    let said = replay(&stack, &["--from", "earliest", "--exchange"]).unwrap();
    assert!(!said.contains("rows that differ: 0 of shipment"), "{said}");
    assert!(said.contains("0 -> "), "parcels are delivered again: {said}");
    assert_tables_are_right(&stack);
    assert!(!tables::rows(&stack, "SELECT 1 FROM courier.shipment_before_replay LIMIT 1").is_empty());

    // Another exchange must not destroy the tables of before the first.
    let refused = replay(&stack, &["--from", "earliest", "--exchange"]).unwrap_err();
    assert!(refused.contains("shipment_before_replay"), "{refused}");
    // The sink continues with the exchanged tables.
    let exchanged_at = now(&stack, 0);
    running.restart().unwrap();
    post::one_picked_up(&ingest.url(), "AFTER1");
    wait_until_in_tables(&stack);
    assert_tables_are_right(&stack);

    // Parcels that began before the replayed time keep their rows.
    let said = replay(&stack, &["--from", &exchanged_at]).unwrap();
    assert!(
        said.contains("1 push events") && said.contains("the others are unchanged"),
        "{said}"
    );
    assert!(
        said.contains("rows that differ: 0 of shipment, 0 of transition"),
        "{said}"
    );
    assert_eq!(count(&stack, "shipment_fresh"), count(&stack, "shipment"));
    assert_eq!(count(&stack, "transition_fresh"), count(&stack, "transition"));

    let refused = replay(&stack, &["--from", &now(&stack, 3_600)]).unwrap_err();
    assert!(refused.contains("no push events"), "{refused}");
    let refused = replay(&stack, &["--from", "yesterday"]).unwrap_err();
    assert!(refused.contains("--from"), "{refused}");

    // A carrier was mapped wrongly.
    running.terminate(PATIENCE).unwrap();
    let mistake = stack.dir().join("mistake.csv");
    std::fs::write(
        &mistake,
        "vendor,code,carrier,name,name_en\nkuaidi100,yunda,mistaken,韵达快递,Mistaken\n",
    )
    .unwrap();
    let mistaken = processor("run", &stack).env("COURIERFLOW__PROCESSOR__CARRIERS_FILE", mistake.display().to_string());
    let mut mistaken = ready(&mistaken, "mistaken", &stack);
    post::one_picked_up(&ingest.url(), "MAPPED1");
    wait_until_in_tables(&stack);
    assert_carrier(&stack, "mistaken");
    mistaken.terminate(PATIENCE).unwrap();
    for table in ["shipment", "transition"] {
        tables::execute(&stack, &format!("DROP TABLE courier.{table}_before_replay SYNC"));
    }
    refuse_without_notes(&stack);
    replay(&stack, &["--from", "earliest", "--exchange"]).unwrap();
    assert_carrier(&stack, "yunda");
    fill_again(&stack, &ingest);
}

/// Which carrier the tables have for the parcel whose carrier was mapped wrongly.
fn assert_carrier(stack: &dyn Stack, carrier: &str) {
    for table in ["shipment", "transition"] {
        let sql = format!("SELECT DISTINCT carrier FROM courier.{table} FINAL WHERE tracking_number = 'MAPPED1'");
        let expected = [serde_json::json!({ "carrier": carrier })];
        assert_eq!(tables::rows(stack, &sql), expected, "{table}");
    }
}

fn count(stack: &dyn Stack, table: &str) -> Vec<serde_json::Value> {
    tables::rows(stack, &format!("SELECT count() AS rows FROM courier.{table} FINAL"))
}

/// Without the notes of what is stored, the present tables may lack rows, and the fresh ones would lack them for good.
fn refuse_without_notes(stack: &dyn Stack) {
    tables::execute(stack, "RENAME TABLE courier.sink_offset TO courier.sink_offset_away");
    tables::execute(stack, "CREATE TABLE courier.sink_offset AS courier.sink_offset_away");
    let refused = replay(stack, &["--from", "earliest", "--exchange"]).unwrap_err();
    assert!(refused.contains("may lack rows of partition"), "{refused}");
    tables::execute(stack, "DROP TABLE courier.sink_offset SYNC");
    tables::execute(stack, "RENAME TABLE courier.sink_offset_away TO courier.sink_offset");
}

/// After an exchange, the tables are filled again from the topics.
fn fill_again(stack: &dyn Stack, ingest: &Service) {
    // It does not bring the mistake back: the records of before the exchange are no longer their source.
    topics::delete(stack, &[], &SINK_GROUPS.map(|(group, _)| group));
    let mut running = ready(&processor("run", stack), "filling-again", stack);
    wait_until_in_tables(stack);
    assert_carrier(stack, "yunda");
    assert!(running.log().unwrap().contains("earlier records are not read"));
    running.terminate(PATIENCE).unwrap();
    assert_tables_are_right(stack);

    // Nor does a backup that is restored and filled again.
    for table in ["shipment", "transition", "sink_offset", "sink_start"] {
        exchange_for(
            stack,
            table,
            &format!("INSERT INTO courier.other SELECT * FROM courier.{table}"),
        );
    }
    topics::delete(stack, &[], &SINK_GROUPS.map(|(group, _)| group));
    running.restart().unwrap();
    post::one_picked_up(&ingest.url(), "RESTORED1");
    wait_until_in_tables(stack);
    assert_carrier(stack, "yunda");
    running.terminate(PATIENCE).unwrap();
    assert_tables_are_right(stack);

    // A table that is made anew has none of these rows, and gets what the topic still tells.
    let before = count(stack, "transition");
    exchange_for(stack, "transition", "SELECT 1");
    running.restart().unwrap();
    eventually("the new table has all rows", || {
        let now = count(stack, "transition");
        if now == before {
            Ok(())
        } else {
            Err(format!("{now:?} of {before:?}"))
        }
    });
}

/// Puts another table in the place of one, as restoring a backup does.
fn exchange_for(stack: &dyn Stack, table: &str, filling: &str) {
    for statement in [
        &format!("CREATE TABLE courier.other AS courier.{table}"),
        filling,
        &format!("EXCHANGE TABLES courier.other AND courier.{table}"),
        "DROP TABLE courier.other SYNC",
    ] {
        tables::execute(stack, statement);
    }
}
