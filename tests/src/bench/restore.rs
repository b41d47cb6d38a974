//! `./dev bench restore`: from kill -9 of derive to the first commit of its successor, with many live parcels, beside a
//! floor that reads the same records in two threads and does nothing with them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use courierflow_schemas::records::{PushEvent, TimestampMicros};
use courierflow_schemas::topics;
use courierflow_schemas::wire::Encoder;
use rdkafka::consumer::Consumer;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{kafka, metrics, pushes, sink};
use crate::stack::{Launch, LocalStack, Service, Stack};

const PARTITIONS: i32 = 8;
/// So many parcels have a history of their own.
const DERIVED: usize = 20_000;
const REQUEST: Duration = Duration::from_secs(10);
/// Between two pushes while the worker dies and comes back.
const TRICKLE: Duration = Duration::from_millis(20);
/// For a restore, of ten million parcels beside other work.
const PATIENCE: Duration = Duration::from_mins(15);

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Live parcels of 20 items.
    pub parcels: usize,
    /// How often the worker is killed.
    pub rounds: u8,
}

/// Runs it and prints its table.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-restore")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let begun = Instant::now();
    let bytes = sink::preload(&stack, plan.parcels, DERIVED)?;
    println!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    println!(
        "{} live parcels of {} items, {} bytes a record; two workers, broker on the same cores",
        plan.parcels,
        pushes::ITEMS,
        bytes / plan.parcels
    );
    let mut worker = Launch::processor("derive").start("derive", &stack)?;
    worker.wait_ready(PATIENCE)?;

    let done = AtomicBool::new(false);
    let restored: Vec<f64> = std::thread::scope(|scope| {
        let trickle = scope.spawn(|| trickle(&stack, plan.parcels, &done));
        let measured = (0..plan.rounds).map(|_| restart(&mut worker)).collect();
        done.store(true, Ordering::Relaxed);
        match trickle.join() {
            Ok(Ok(())) => measured,
            Ok(Err(error)) => Err(error),
            Err(_) => bail!("panicked"),
        }
    })?;
    let shipments = metrics::sum(&worker, "courierflow_derive_shipments")?;
    let state = metrics::sum(&worker, "courierflow_derive_state_bytes")?;
    let resident = metrics::mebibytes(&worker)?;
    drop(worker);

    let floor = read_all(&stack)?;
    println!("{:<52} {:>8} {:>8}", "", "seconds", "floor");
    println!(
        "{:<52} {floor:>8.2} {:>8}",
        "floor: the records read and dropped, two threads", 1
    );
    for seconds in restored {
        println!(
            "{:<52} {seconds:>8.2} {:>8.2}",
            "kill -9 to the first commit of the successor",
            seconds / floor
        );
    }
    println!(
        "state: {shipments:.0} parcels, {:.0} bytes per parcel; {resident:.0} MiB resident, {:.0} bytes per parcel",
        state / shipments,
        resident * 1024.0 * 1024.0 / shipments
    );
    Ok(())
}

/// Kills and restarts the worker; seconds until it has committed something.
fn restart(worker: &mut Service) -> anyhow::Result<f64> {
    // Not in the middle of nothing: it has work.
    std::thread::sleep(Duration::from_secs(2));
    worker.kill()?;
    let begun = Instant::now();
    worker.restart()?;
    while begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
        if metrics::sum(worker, "courierflow_derive_push_events_total").is_ok_and(|events| events > 0.0) {
            return Ok(begun.elapsed().as_secs_f64());
        }
    }
    bail!("nothing was committed:\n{}", worker.log_end())
}

/// New parcels, so that there is always something to commit.
fn trickle(stack: &LocalStack, first: usize, done: &AtomicBool) -> anyhow::Result<()> {
    let encoder = Encoder::<PushEvent>::new(kafka::schema_ids(stack)?.push);
    let producer = kafka::filler(&stack.brokers())?;
    for parcel in first.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let event = pushes::push_event(parcel, 1, TimestampMicros(sink::RECEIVED_AT + parcel as i64));
        let mut value = Vec::new();
        encoder.encode(&event, &mut value)?;
        let record = BaseRecord::to(topics::PUSH).key(event.tracking_number.as_bytes());
        kafka::fill(&producer, record.payload(&value))?;
        std::thread::sleep(TRICKLE);
    }
    Ok(producer.flush(REQUEST)?)
}

/// Seconds that two bare consumers take for the whole shipment topic.
fn read_all(stack: &LocalStack) -> anyhow::Result<f64> {
    let brokers = &stack.brokers();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|number| scope.spawn(move || read_partitions(brokers, number)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("panicked")))
    })?;
    Ok(begun.elapsed().as_secs_f64())
}

fn read_partitions(brokers: &str, number: i32) -> anyhow::Result<()> {
    let consumer = kafka::reader(brokers, &format!("bench-floor-{number}"))?;
    let mut assignment = TopicPartitionList::new();
    let mut left = std::collections::BTreeMap::new();
    for partition in (0..PARTITIONS).filter(|partition| partition % 2 == number) {
        let (low, high) = consumer.fetch_watermarks(topics::SHIPMENT, partition, REQUEST)?;
        assignment.add_partition_offset(topics::SHIPMENT, partition, Offset::Beginning)?;
        if low < high {
            left.insert(partition, high);
        }
    }
    consumer.assign(&assignment)?;
    while !left.is_empty() {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message?;
            std::hint::black_box(message.payload());
            let end = left.get(&message.partition()).copied().unwrap_or_default();
            if message.offset() + 1 >= end {
                left.remove(&message.partition());
            }
        } else {
            // The last offsets of a partition can be markers, which are never seen.
            let position = consumer.position()?;
            left.retain(|partition, end| {
                let element = position.find_partition(topics::SHIPMENT, *partition);
                !matches!(element.map(|element| element.offset()), Some(Offset::Offset(offset)) if offset >= *end)
            });
        }
    }
    Ok(())
}
