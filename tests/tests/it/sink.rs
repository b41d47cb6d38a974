//! The sink dies without warning, ClickHouse goes away, and everything is inserted a second time.

use courierflow_tests::stack::{Launch, Server, Stack};

use crate::harness::load::Load;
use crate::harness::{
    PATIENCE, SINK_GROUPS, assert_tables_are_right, eventually, migrated, processor, ready, tables, topics,
    wait_until_in_tables,
};

const KILLS: u32 = 4;

#[test]
fn i5_a_killed_sink_loses_no_row_and_i4_a_replay_changes_none() {
    let stack = migrated("sink-killed");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let _derive = ready(&processor("derive", &stack), "derive", &stack);
    let small_batches = |launch: Launch| launch.env("COURIERFLOW__SINK__MAX_BATCH_ROWS", "100");
    let mut sink = ready(&small_batches(processor("sink", &stack)), "sink", &stack);

    // Killed each time it has inserted some more, with batches so small that there are always some under way.
    let load = Load::start(ingest.url(), 4, 150, 0.0);
    let step = load.pushes() / u64::from(KILLS * 2);
    let mut kills = 0;
    let mut before = 0;
    eventually("killed often enough", || {
        let rows = tables::rows(&stack, "SELECT count() AS rows FROM courier.push")[0]["rows"]
            .as_u64()
            .unwrap();
        let sent = load.is_finished();
        if kills == KILLS || (sent && rows >= load.pushes()) {
            return Ok(());
        }
        if rows >= before + step {
            sink.kill().unwrap();
            kills += 1;
            before = rows;
            sink.restart().unwrap();
        }
        Err(format!("{kills} kills at {rows} rows"))
    });
    assert!(kills >= 2, "only {kills} kills before everything was inserted");

    // ClickHouse is killed too: derive goes on, the sink waits.
    stack.kill(Server::ClickHouse).unwrap();
    load.finish();
    crate::harness::wait_until_derived(&stack);
    stack.start_server(Server::ClickHouse).unwrap();

    wait_until_in_tables(&stack);
    let rows = assert_tables_are_right(&stack);

    // Everything once more, from the first record on.
    sink.terminate(PATIENCE).unwrap();
    let groups = SINK_GROUPS.map(|(group, _)| group);
    topics::delete(&stack, &[], &groups);
    sink.restart().unwrap();
    wait_until_in_tables(&stack);
    assert_eq!(tables::contents(&stack), rows);
}
