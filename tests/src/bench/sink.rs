//! `./dev bench sink`: rows of `shipment` per second from Kafka into ClickHouse, beside a floor that inserts such rows with
//! the same client, in batches of the same size and as many at a time, from memory. The floor is measured again without
//! waiting for the disk, and both once more with small inserts: the difference is what it costs that rows survive a power cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use courierflow_domain as domain;
use courierflow_domain::{Memory, Outcome, memory};
use courierflow_processor::config::Config;
use courierflow_processor::dead_letter::Coordinates;
use courierflow_processor::sink::client::insert_client;
use courierflow_processor::sink::rows::{self, ShipmentRow, Table};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Shipment, TimestampMicros};
use courierflow_schemas::wire::Encoder;
use courierflow_schemas::{partition, topics};
use courierflow_vendors::reading::{self, Reading};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};

use super::{cpu, kafka, metrics, pushes};
use crate::differential::OPTIONS;
use crate::stack::{Launch, LocalStack, Server, Service, Stack, repository};

const PARTITIONS: i32 = 8;
pub(super) const RECEIVED_AT: i64 = 1_785_000_000_000_000;
/// The sink has this many inserts under way.
const INSERTS: usize = 2;
/// Of two threads each: shipments that others are made of.
const TEMPLATES: usize = 10_000;
/// Of the floor: so many rows as objects take some hundred MB.
const FLOOR_BATCHES: usize = 4;
/// Rows in an insert, and inserts, of a sink that has caught up.
const SMALL_BATCH: usize = 500;
const SMALL_INSERTS: usize = 200;
/// For the sink to come to the end.
const DRAIN: Duration = Duration::from_mins(2);

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Shipments of 20 events; each is a record and a row.
    pub shipments: usize,
}

/// What the sink or the floor did.
struct Measured {
    rows_per_second: f64,
    cpu: CpuTimes,
    /// Rows in an insert, on average.
    batch: usize,
}

/// Processor times so far, or microseconds a row.
#[derive(Clone, Copy)]
struct CpuTimes {
    /// Of the process that inserts.
    client: f64,
    clickhouse: f64,
    kafka: f64,
}

impl CpuTimes {
    /// `client`: the process that inserts. In microseconds.
    fn now(stack: &dyn Stack, client: u32) -> anyhow::Result<Self> {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        Ok(Self {
            client: micros(cpu::of(client)?),
            clickhouse: micros(cpu::of_server(stack, Server::ClickHouse)?),
            kafka: micros(cpu::of_server(stack, Server::Kafka)?),
        })
    }

    /// Since then, for each of so many rows.
    fn since(self, then: Self, rows: f64) -> Self {
        Self {
            client: (self.client - then.client) / rows,
            clickhouse: (self.clickhouse - then.clickhouse) / rows,
            kafka: (self.kafka - then.kafka) / rows,
        }
    }
}

/// Runs it and prints its table.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    ensure!(plan.shipments > 0, "no shipments");
    let stack = LocalStack::start("bench-sink")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let bytes = preload(&stack, plan.shipments, usize::MAX)?;
    println!(
        "{} shipments of {} events, {} bytes a record; broker and ClickHouse on the same {} cores",
        plan.shipments,
        pushes::ITEMS,
        bytes / plan.shipments,
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
    );
    let sink = measure_sink(&stack, plan.shipments)?;
    let floor = measure_floor(&stack, plan.shipments, sink.batch)?;
    let floor_small = measure_floor(&stack, SMALL_INSERTS * SMALL_BATCH, SMALL_BATCH)?;
    sql(
        &stack,
        "ALTER TABLE courier.shipment MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0",
    )?;
    let unsafe_floor = measure_floor(&stack, plan.shipments, sink.batch)?;
    let unsafe_small = measure_floor(&stack, SMALL_INSERTS * SMALL_BATCH, SMALL_BATCH)?;
    println!(
        "{:<34} {:>10} {:>10} {:>8} {:>11} {:>11} {:>8}",
        "", "rows/batch", "rows/s", "floor", "process µs", "server µs", "Kafka µs"
    );
    for (name, measured) in [
        ("floor: the same rows from memory", &floor),
        ("sink: from Kafka", &sink),
        ("floor without fsync", &unsafe_floor),
        ("small inserts", &floor_small),
        ("small inserts without fsync", &unsafe_small),
    ] {
        println!(
            "{name:<34} {:>10} {:>10.0} {:>8.2} {:>11.1} {:>11.1} {:>8.1}",
            measured.batch,
            measured.rows_per_second,
            measured.rows_per_second / floor.rows_per_second,
            measured.cpu.client,
            measured.cpu.clickhouse,
            measured.cpu.kafka
        );
    }
    println!("µs: processor time for a row, of the process that inserts, of ClickHouse with its merges, and of Kafka");
    Ok(())
}

// --- What is inserted ------------------------------------------------------------------------------------------------

/// The shipment that derive makes of a parcel's push with all its items.
fn shipment(parcel: usize) -> anyhow::Result<Shipment> {
    let received_at = TimestampMicros(RECEIVED_AT + i64::try_from(parcel)?);
    let event = pushes::push_event(parcel, pushes::ITEMS, received_at);
    let Reading::Snapshot(snapshot) = reading::read(&event, Carriers::built_in())? else {
        bail!("a push of the benchmark says nothing");
    };
    let recall = || bail!("the first push of a parcel has no record before it");
    match domain::derive(None, recall, &snapshot, OPTIONS)? {
        Outcome::Accepted(derived) => Ok(derived.shipment),
        Outcome::Duplicate | Outcome::Stale | Outcome::Confirmed | Outcome::Outranked => {
            bail!("the first push of a parcel is not accepted")
        }
    }
}

/// Produces the shipments; returns the bytes of all records. The first of them are `derived`; the others have the history of
/// one of these, because deriving millions of them takes longer than what is measured.
pub(super) fn preload(stack: &dyn Stack, shipments: usize, derived: usize) -> anyhow::Result<usize> {
    let id = kafka::schema_ids(stack)?.shipment;
    let brokers = &stack.brokers();
    // Making them takes longer than storing them.
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|number| scope.spawn(move || produce(brokers, id, (number..shipments).step_by(2), derived)))
            .collect();
        let sizes = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("panicked")));
        sizes.sum()
    })
}

fn produce(
    brokers: &str,
    schema_id: u32,
    parcels: impl Iterator<Item = usize>,
    derived: usize,
) -> anyhow::Result<usize> {
    let encoder = Encoder::<Shipment>::new(schema_id);
    let producer = kafka::filler(brokers)?;
    let mut templates = Vec::new();
    let mut value = Vec::new();
    let mut bytes = 0;
    for parcel in parcels {
        let (shipment, memory) = if parcel < derived {
            let shipment = shipment(parcel)?;
            let memory = Memory::of(&shipment).to_bytes()?;
            if templates.len() < TEMPLATES {
                templates.push((shipment.clone(), memory.clone()));
            }
            (shipment, memory)
        } else {
            let template = templates.get(parcel % templates.len().max(1));
            let (mut shipment, memory) = template.context("the first are derived")?.clone();
            shipment.tracking_number = pushes::tracking_number(parcel);
            (shipment, memory)
        };
        value.clear();
        encoder.encode(&shipment, &mut value)?;
        bytes += value.len();
        let key = format!(
            "{}:{}:{}",
            shipment.vendor.as_str(),
            shipment.carrier,
            shipment.tracking_number
        );
        let record = BaseRecord::to(topics::SHIPMENT)
            .partition(partition::of_key(shipment.tracking_number.as_bytes(), PARTITIONS))
            .key(key.as_bytes())
            .headers(OwnedHeaders::new_with_capacity(1).insert(Header {
                key: memory::HEADER,
                value: Some(&memory),
            }));
        kafka::fill(&producer, record.payload(&value))?;
    }
    producer.flush(Duration::from_mins(1))?;
    Ok(bytes)
}

// --- The sink --------------------------------------------------------------------------------------------------------

fn measure_sink(stack: &LocalStack, shipments: usize) -> anyhow::Result<Measured> {
    let mut sink = Launch::processor("sink").start("sink", stack)?;
    let (rows_per_second, cpu) = drain(stack, &sink, shipments)?;
    let batches = metrics::sum(&sink, r#"courierflow_sink_batches_total{table="shipment""#)?;
    sink.terminate(Duration::from_secs(20))?;

    let stored = sql(stack, "SELECT count() FROM courier.shipment FINAL")?;
    ensure!(
        stored.trim() == shipments.to_string(),
        "{shipments} shipments were produced, and {} are in the table",
        stored.trim()
    );
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows of a batch")]
    let batch = (shipments as f64 / batches) as usize;
    Ok(Measured {
        rows_per_second,
        cpu,
        batch,
    })
}

/// Rows per second between the first batch seen in the sink's own counter and the last, and the processor times for a row.
fn drain(stack: &dyn Stack, sink: &Service, shipments: usize) -> anyhow::Result<(f64, CpuTimes)> {
    let deadline = Instant::now() + DRAIN;
    let mut first = None;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        let Ok(rows) = metrics::sum(sink, r#"courierflow_sink_rows_total{table="shipment""#) else {
            continue;
        };
        let (now, cpu) = (Instant::now(), CpuTimes::now(stack, sink.pid())?);
        let (rows_at_first, begun, cpu_at_first) = *first.get_or_insert((rows, now, cpu));
        if rows >= shipments as f64 {
            let counted = rows - rows_at_first;
            ensure!(counted > 0.0, "all shipments went into one batch: more are needed");
            return Ok((counted / (now - begun).as_secs_f64(), cpu.since(cpu_at_first, counted)));
        }
    }
    bail!("the sink did not come to the end in {DRAIN:?}:\n{}", sink.log_end())
}

fn sql(stack: &dyn Stack, statement: &str) -> anyhow::Result<String> {
    Ok(ureq::post(stack.clickhouse_url())
        .send(statement)?
        .body_mut()
        .read_to_string()?)
}

// --- The floor -------------------------------------------------------------------------------------------------------

/// Inserts a few batches again and again: to the server they are as good as new ones.
fn measure_floor(stack: &LocalStack, rows: usize, batch: usize) -> anyhow::Result<Measured> {
    // An empty table again, whose parts nobody merges.
    sql(stack, "TRUNCATE TABLE courier.shipment")?;
    let mut config = Config::load(&repository().join("deploy/local/courierflow.toml"))?;
    config.clickhouse.url = stack.clickhouse_url();
    let client = insert_client(&config.clickhouse, Duration::from_millis(config.sink.insert_timeout_ms));
    let batches = Arc::new(floor_batches(batch)?);
    let inserts = rows.div_ceil(batch);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(INSERTS)
        .enable_all()
        .build()?;
    let (begun, cpu_before) = (Instant::now(), CpuTimes::now(stack, std::process::id())?);
    runtime.block_on(async {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..INSERTS {
            tasks.spawn(insert_batches(client.clone(), batches.clone(), next.clone(), inserts));
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        anyhow::Ok(())
    })?;
    let inserted = (inserts * batch) as f64;
    Ok(Measured {
        rows_per_second: inserted / begun.elapsed().as_secs_f64(),
        cpu: CpuTimes::now(stack, std::process::id())?.since(cpu_before, inserted),
        batch,
    })
}

fn floor_batches(batch: usize) -> anyhow::Result<Vec<Vec<ShipmentRow>>> {
    let anywhere = Coordinates {
        topic: topics::SHIPMENT,
        partition: 0,
        offset: 0,
        timestamp: None,
    };
    let row = |parcel| Ok(rows::Shipment::row(shipment(parcel)?, &anywhere, Carriers::built_in())?);
    (0..FLOOR_BATCHES)
        .map(|number| (number * batch..(number + 1) * batch).map(row).collect())
        .collect()
}

async fn insert_batches(
    client: clickhouse::Client,
    batches: Arc<Vec<Vec<ShipmentRow>>>,
    next: Arc<AtomicUsize>,
    inserts: usize,
) -> anyhow::Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= inserts {
            return Ok(());
        }
        let batch = batches.get(number % batches.len()).context("there are batches")?;
        let mut insert = client.insert::<ShipmentRow>(rows::Shipment::NAME).await?;
        for row in batch {
            insert.write(row).await?;
        }
        insert.end().await?;
    }
}
