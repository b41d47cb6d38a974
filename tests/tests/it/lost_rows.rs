//! ClickHouse loses rows that were inserted and whose offsets are committed: a power cut, a backup that is restored, a new database.

use std::path::PathBuf;

use courierflow_schemas::topics::{PUSH, SHIPMENT};
use courierflow_tests::stack::{Launch, Server, Service, Stack};

use crate::harness::gate::Gate;
use crate::harness::power::{cut_off, parts_since, server_time, stop_merges};
use crate::harness::{
    PATIENCE, agent, assert_tables_are_right, eventually, metric, migrate, migrated, post, processor, ready, readyz,
    tables, topics, wait_until_in_tables,
};

/// Enough for some on every partition.
const PARCELS: usize = 30;
const TABLES: [&str; 3] = ["push", "shipment", "transition"];

fn push_wave(base: &str, wave: &str) {
    for number in 0..PARCELS {
        post::one_picked_up(base, &format!("{wave}{number}"));
    }
}

/// How many parcels of a wave a table has.
fn parcels_of(stack: &dyn Stack, table: &str, wave: &str) -> usize {
    let sql = format!(
        "SELECT DISTINCT tracking_number FROM courier.{table} FINAL WHERE startsWith(tracking_number, '{wave}')"
    );
    tables::try_rows(stack, &sql).map_or(0, |rows| rows.len())
}

/// The server's time, once it is later than everything that was inserted so far.
fn next_second(stack: &dyn Stack) -> u64 {
    let begun = server_time(stack);
    eventually("the next second", || match server_time(stack) {
        now if now > begun => Ok(now),
        now => Err(now.to_string()),
    })
}

/// A power cut takes what the server had not flushed.
fn cut_power(stack: &dyn Stack, lost: &[PathBuf]) {
    assert!(!lost.is_empty());
    cut_off(stack, lost);
    stack.start_server(Server::ClickHouse).unwrap();
}

fn wait_until_all_are_there(stack: &dyn Stack, sink: &Service, waves: &[&str]) {
    eventually(&format!("all parcels of {waves:?} are in all tables"), || {
        for wave in waves {
            for table in TABLES {
                let found = parcels_of(stack, table, wave);
                if found != PARCELS {
                    return Err(format!("{wave}: {found} of {PARCELS} in {table}; {}", readyz(sink)?));
                }
            }
        }
        Ok(())
    });
    eventually("nothing is left to be read again", || {
        match (
            sink.is_ready(),
            metric(sink, "courierflow_sink_reread_remaining_records")?,
        ) {
            (true, 0.0) => Ok(()),
            state => Err(format!("{state:?}")),
        }
    });
}

/// A statement about a backup in the server's memory, which belongs to a session.
fn backup(stack: &dyn Stack, statement: &str) {
    let url = format!("{}/?session_id=backup", stack.clickhouse_url());
    let mut answer = agent().post(url).send(statement).unwrap();
    let said = answer.body_mut().read_to_string().unwrap();
    assert_eq!(answer.status(), 200, "{statement}: {said}");
}

#[test]
fn i5_rows_that_clickhouse_has_lost_are_read_again_and_none_is_doubled() {
    let stack = migrated("lost-rows");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut running = ready(&processor("run", &stack), "processor", &stack);
    push_wave(&ingest.url(), "KEPT");
    wait_until_in_tables(&stack);

    // A power cut, and a disk that says it has what it has not: the rows are gone, what is noted about them is there.
    stop_merges(&stack);
    let second = next_second(&stack);
    push_wave(&ingest.url(), "CUT");
    wait_until_in_tables(&stack);
    cut_power(&stack, &parts_since(&stack, second, &TABLES));
    wait_until_all_are_there(&stack, &running, &["KEPT", "CUT"]);
    assert!(metric(&running, "courierflow_sink_reread_records_total").unwrap() > 0.0);
    assert!(running.log().unwrap().contains("their records are read again"));

    // The sink is away meanwhile, and everything that was written lately is gone.
    stop_merges(&stack);
    let second = next_second(&stack);
    push_wave(&ingest.url(), "ALONE");
    wait_until_in_tables(&stack);
    running.terminate(PATIENCE).unwrap();
    let all = ["push", "route_node", "shipment", "transition", "sink_offset"];
    cut_power(&stack, &parts_since(&stack, second, &all));
    running.restart().unwrap();
    wait_until_all_are_there(&stack, &running, &["KEPT", "CUT", "ALONE"]);

    // A backup is restored under a running sink.
    let tables = ["push", "shipment", "transition", "sink_offset"];
    let list = tables.map(|table| format!("TABLE courier.{table}")).join(", ");
    backup(&stack, &format!("BACKUP {list} TO Memory('older')"));
    push_wave(&ingest.url(), "LATER");
    wait_until_in_tables(&stack);
    for table in tables {
        backup(
            &stack,
            &format!("RESTORE TABLE courier.{table} AS courier.{table}_older FROM Memory('older')"),
        );
        tables::execute(
            &stack,
            &format!("EXCHANGE TABLES courier.{table}_older AND courier.{table}"),
        );
    }
    assert_eq!(parcels_of(&stack, "shipment", "LATER"), 0);
    wait_until_all_are_there(&stack, &running, &["KEPT", "CUT", "ALONE", "LATER"]);
    assert_tables_are_right(&stack);

    // A restart without any loss is read again once, and a start without a restart not at all.
    running.terminate(PATIENCE).unwrap();
    running.restart().unwrap();
    running.wait_ready(PATIENCE).unwrap();
    assert!(metric(&running, "courierflow_sink_reread_records_total").unwrap().abs() < f64::EPSILON);

    // The database is lost: the topics still have everything.
    running.terminate(PATIENCE).unwrap();
    tables::execute(&stack, "DROP DATABASE courier SYNC");
    migrate(&stack);
    running.restart().unwrap();
    wait_until_all_are_there(&stack, &running, &["KEPT", "CUT", "ALONE", "LATER"]);
    assert_tables_are_right(&stack);

    // What Kafka does not have any more either is told.
    let second = next_second(&stack);
    push_wave(&ingest.url(), "GONE");
    wait_until_in_tables(&stack);
    running.terminate(PATIENCE).unwrap();
    topics::delete_records(&stack, PUSH);
    cut_power(&stack, &parts_since(&stack, second, &["push", "sink_offset"]));
    running.restart().unwrap();
    eventually("the loss is told", || {
        match metric(&running, "courierflow_sink_records_lost_total")? {
            0.0 => Err(readyz(&running)?.to_string()),
            _ => Ok(()),
        }
    });
    running.wait_ready(PATIENCE).unwrap();
}

/// While rows are read again, Kafka's offset is ahead of the table, so only what is noted as stored tells where to go on.
#[test]
fn i5_a_batch_that_is_inserted_before_an_earlier_one_does_not_speak_for_it() {
    const FIRST: &str = "QZJXKWVH7391";
    const PARCELS: usize = 40;
    const BATCH: usize = 5;
    let stack = migrated("lost-order");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut before = ready(&processor("run", &stack), "processor", &stack);
    for (index, number) in topics::numbers_on(0, "ORDER").take(PARCELS).enumerate() {
        let line = if index == 0 { FIRST } else { "已揽收" };
        let payload = post::picked_up(&number).replace("已揽收", line);
        let answer = post::kuaidi100(&ingest.url(), &payload).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    wait_until_in_tables(&stack);
    before.terminate(PATIENCE).unwrap();
    tables::execute(&stack, "TRUNCATE TABLE courier.shipment");
    tables::execute(&stack, "TRUNCATE TABLE courier.sink_offset");

    let gate = Gate::before_clickhouse(&*stack, FIRST.as_bytes());
    let launch = processor("run", &stack)
        .env("COURIERFLOW__CLICKHOUSE__URL", gate.url.clone())
        .env("COURIERFLOW__SINK__MAX_BATCH_ROWS", BATCH.to_string());
    let mut after = launch.start("after", &*stack).unwrap();
    let wait_for_rows = |what: &str, rows: usize| {
        eventually(what, || match parcels_of(&*stack, "shipment", "ORDER") {
            found if found == rows => Ok(()),
            found => Err(format!("{found} rows")),
        });
    };
    wait_for_rows("the second batch is stored without the first", BATCH);
    // It would be noted as stored a moment later.
    std::thread::sleep(std::time::Duration::from_secs(1));
    after.kill().unwrap();
    gate.open();
    after.restart().unwrap();
    wait_for_rows("all are stored again", PARCELS);
    after.terminate(PATIENCE).unwrap();
    what_counts_as_stored(&*stack);
}

/// Notes on what is stored, and what the sink makes of them. Times are seconds before now; `START` is the server's present one.
fn what_counts_as_stored(stack: &dyn Stack) {
    const START: &str = "now() - uptime()";
    const EARLIER: &str = "now() - uptime() - 3600";
    const UNKNOWN: &str = "0";
    let present = ("toString(table.uuid)", "toString(own.uuid)");
    let (remade, restored, restored_later) = (("'t1'", present.1), ("'t1'", "'o1'"), ("'t2'", "'o1'"));
    // Partition, first and next offset, seconds after the server's start, tables, start of the server that the run had seen.
    let committed = || topics::committed(stack, "courierflow-sink-shipment", SHIPMENT, 0..1).unwrap()[&0];
    let end = committed();
    let cases = [
        ("this start", vec![(0, 0, end, 0, present, START)], end),
        ("nothing", vec![], 0),
        (
            "an earlier start, whose last minutes do not count",
            vec![
                (0, 0, 20, -1_800, present, EARLIER),
                (0, 0, end, -600, present, EARLIER),
            ],
            20,
        ),
        (
            "the same, and another partition was read since",
            vec![
                (0, 0, 20, -1_800, present, EARLIER),
                (0, 0, end, -600, present, EARLIER),
                (1, 0, 5, -100, present, "now() - uptime() - 300"),
            ],
            20,
        ),
        (
            "a run that had not seen the restart when it went on",
            vec![
                (0, 0, 20, -1_800, present, EARLIER),
                (0, 0, 30, -120, present, EARLIER),
                (0, 0, end, 0, present, EARLIER),
            ],
            20,
        ),
        (
            "notes of an earlier version",
            vec![
                (0, 0, 20, -1_800, present, UNKNOWN),
                (0, 0, end, -600, present, UNKNOWN),
            ],
            20,
        ),
        (
            "a backup",
            vec![
                (0, 0, 20, -1_800, restored, EARLIER),
                (0, 0, end, -600, restored, EARLIER),
            ],
            20,
        ),
        (
            "a backup, and what was noted since it was restored",
            vec![(0, 0, 30, -1_800, restored, EARLIER), (0, 20, end, 0, present, START)],
            end,
        ),
        (
            "a backup of a table that had been made anew",
            vec![
                (0, 0, end, -3_000, restored, EARLIER),
                (0, 0, 10, -1_800, restored_later, EARLIER),
                (0, 0, 15, -600, restored_later, EARLIER),
            ],
            10,
        ),
        (
            "a backup, and the table was made anew since",
            vec![(0, 0, end, -1_800, restored, EARLIER), (0, 20, end, -60, remade, START)],
            0,
        ),
    ];
    for (name, notes, held) in cases {
        tables::execute(stack, "TRUNCATE TABLE courier.sink_offset");
        for (partition, first, next, at, (table, own), server) in notes {
            tables::execute(
                stack,
                &format!(
                    "INSERT INTO courier.sink_offset
                        (topic, partition, run_at, first_offset, minute, next_offset, table_id, own_id, server_started_at)
                     SELECT '{SHIPMENT}', {partition}, {START} + {at}, {first}, toStartOfMinute({START} + {at}), {next}, {table}, {own}, {server}
                     FROM (SELECT uuid FROM system.tables WHERE database = 'courier' AND name = 'shipment') AS table,
                        (SELECT uuid FROM system.tables WHERE database = 'courier' AND name = 'sink_offset') AS own"
                ),
            );
        }
        // A sink that is idle also commits the marker behind the last record.
        let committed = committed();
        let mut sink = ready(&processor("sink", stack), "sink", stack);
        let again = metric(&sink, "courierflow_sink_reread_records_total{table=\"shipment\"}").unwrap();
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let expected = (committed - held) as f64;
        assert!(
            (again - expected).abs() < f64::EPSILON,
            "{name}: {again} read again, not {expected}"
        );
        sink.terminate(PATIENCE).unwrap();
    }
}
