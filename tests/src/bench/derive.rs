//! `./dev bench derive`: push events per second through the real worker, beside a floor that reads and writes records of
//! the same sizes with the same transactions and derives nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use courierflow_schemas::records::{PushEvent, TimestampMicros};
use courierflow_schemas::topics;
use courierflow_schemas::wire::Encoder;
use rdkafka::consumer::Consumer;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{kafka, metrics, pushes};
use crate::stack::{Launch, LocalStack, Service, Stack};

const PARTITIONS: i32 = 8;
const REQUEST: Duration = Duration::from_secs(10);
pub(super) const RECEIVED_AT: i64 = 1_785_000_000_000_000;

/// Parcels of the first seconds.
const WARM_UP: usize = 100_000;

/// Pushes without items, of as many parcels.
const WITHOUT_ITEMS: usize = 50_000;
/// Pushes without items about one parcel, which has as many items as a parcel keeps.
const OF_LONG: usize = 2_000;
const LONG: usize = 5_000;

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Parcels; each gets two pushes, of 19 and of 20 items.
    pub parcels: usize,
}

/// Runs it and prints its table.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-derive")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    println!(
        "two workers, broker on the same cores, a commit every 100 ms; {} parcels",
        plan.parcels
    );
    println!("{:<44} {:>10} {:>10} {:>8}", "", "events", "events/s", "floor");

    // The broker's compiler takes a third of the two cores until it has seen some load; other parcels, not measured.
    let warm_up = plan.parcels..plan.parcels + WARM_UP;
    preload(&stack, warm_up, pushes::ITEMS, RECEIVED_AT)?;
    let mut worker = start_worker(&stack)?;
    drain(&worker, WARM_UP)?;
    worker.kill()?;

    let first = preload(&stack, 0..plan.parcels, pushes::ITEMS - 1, RECEIVED_AT)?;
    worker.restart()?;
    let first_rate = drain(&worker, first)?;
    worker.kill()?;

    let second = preload(&stack, 0..plan.parcels, pushes::ITEMS, RECEIVED_AT + 3_600_000_000)?;
    worker.restart()?;
    let second_rate = drain(&worker, second)?;
    let bytes = metrics::sum(&worker, "courierflow_derive_state_bytes")?;
    worker.kill()?;

    let of_floor = ends(&stack)?;
    // Their subscriptions have not ended.
    let short = plan.parcels + WARM_UP..plan.parcels + WARM_UP + WITHOUT_ITEMS;
    let long = short.end;
    preload(&stack, short.clone(), pushes::ITEMS - 1, RECEIVED_AT)?;
    preload(&stack, long..long + 1, LONG, RECEIVED_AT)?;
    worker.restart()?;
    drain(&worker, WITHOUT_ITEMS + 1)?;
    worker.kill()?;
    let of_short = without_items(&stack, &mut worker, short)?;
    let of_long = without_items(&stack, &mut worker, std::iter::repeat_n(long, OF_LONG))?;
    drop(worker);

    let floor = copy_floor(&stack, &of_floor)?;
    println!(
        "{:<44} {second:>10} {floor:>10.0} {:>8}",
        "floor: read, copy 2.6 kB + 60 B, commit", 1
    );
    println!(
        "{:<44} {first:>10} {first_rate:>10.0} {:>8.2}",
        "first push of a parcel, 19 items",
        first_rate / floor
    );
    println!(
        "{:<44} {second:>10} {second_rate:>10.0} {:>8.2}",
        "second push, 20 items",
        second_rate / floor
    );
    for (items, events, WithoutItems { rate, bytes }) in
        [(pushes::ITEMS - 1, WITHOUT_ITEMS, of_short), (LONG, OF_LONG, of_long)]
    {
        let name = format!("push without items, parcels of {items} items");
        let kilobytes = bytes / 1_000.0;
        println!(
            "{name:<44} {events:>10} {rate:>10.0} {:>8.2}   {kilobytes:.1} kB written each",
            rate / floor
        );
    }
    let parcels = (plan.parcels + WARM_UP) as f64;
    println!("state: {:.0} bytes per parcel of 20 items", bytes / parcels);
    Ok(())
}

/// Produces one push event for each parcel as ingest would; returns how many.
pub(super) fn preload(
    stack: &dyn Stack,
    parcels: Range<usize>,
    items: usize,
    received_at: i64,
) -> anyhow::Result<usize> {
    produce(
        stack,
        parcels.map(|parcel| pushes::push_event(parcel, items, TimestampMicros(received_at + parcel as i64))),
    )
}

/// Produces push events as ingest would; returns how many.
fn produce(stack: &dyn Stack, events: impl Iterator<Item = PushEvent>) -> anyhow::Result<usize> {
    let encoder = Encoder::<PushEvent>::new(kafka::schema_ids(stack)?.push);
    let producer = kafka::filler(&stack.brokers())?;
    let mut value = Vec::new();
    let mut count = 0;
    for event in events {
        value.clear();
        encoder.encode(&event, &mut value)?;
        let record = BaseRecord::to(topics::PUSH).key(event.tracking_number.as_bytes());
        kafka::fill(&producer, record.payload(&value))?;
        count += 1;
    }
    producer.flush(Duration::from_mins(2))?;
    Ok(count)
}

/// What pushes without items cost.
struct WithoutItems {
    /// Events per second.
    rate: f64,
    /// Written for each of them.
    bytes: f64,
}

/// Sends a push without items for each of these parcels, later than all others.
fn without_items(
    stack: &LocalStack,
    worker: &mut Service,
    parcels: impl Iterator<Item = usize>,
) -> anyhow::Result<WithoutItems> {
    let pushes = parcels.enumerate().map(|(number, parcel)| {
        let received_at = RECEIVED_AT + 7_200_000_000 + number as i64;
        pushes::without_items(parcel, number, TimestampMicros(received_at))
    });
    let events = produce(stack, pushes)?;
    worker.restart()?;
    let rate = drain(worker, events)?;
    // Of repetitions and of old ones nothing is derived.
    let accepted = metrics::sum(worker, "courierflow_derive_push_events_total{outcome=\"accepted\"")?;
    ensure!(
        accepted >= events as f64,
        "accepted of {events} pushes without items: {accepted}"
    );
    let bytes = metrics::sum(worker, "courierflow_derive_output_bytes_total")?;
    worker.kill()?;
    Ok(WithoutItems {
        rate,
        bytes: bytes / events as f64,
    })
}

fn start_worker(stack: &LocalStack) -> anyhow::Result<Service> {
    Launch::processor("derive").start("derive", stack)
}

/// Events per second between the first commit seen and the last, by the worker's own counts.
pub(super) fn drain(worker: &Service, events: usize) -> anyhow::Result<f64> {
    let deadline = Instant::now() + Duration::from_mins(5);
    let mut first = None;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        let Ok(done) = metrics::sum(worker, "courierflow_derive_push_events_total") else {
            continue;
        };
        let now = Instant::now();
        let (done_at_first, begun) = *first.get_or_insert((done, now));
        if done >= events as f64 {
            return Ok((done - done_at_first) / (now - begun).as_secs_f64());
        }
    }
    bail!("the worker did not come to the end:\n{}", worker.log_end())
}

/// Where the partitions of the push topic end now.
fn ends(stack: &dyn Stack) -> anyhow::Result<BTreeMap<i32, i64>> {
    let consumer = kafka::reader(&stack.brokers(), "bench-ends")?;
    let end = |partition| {
        Ok((
            partition,
            consumer.fetch_watermarks(topics::PUSH, partition, REQUEST)?.1,
        ))
    };
    (0..PARTITIONS).map(end).collect()
}

/// The same traffic without any work, up to these offsets: two threads, each a consumer and a transactional producer on half the
/// partitions.
fn copy_floor(stack: &dyn Stack, ends: &BTreeMap<i32, i64>) -> anyhow::Result<f64> {
    let brokers = &stack.brokers();
    let begun = Instant::now();
    let per_thread: Vec<anyhow::Result<i64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|number| scope.spawn(move || copy_partitions(brokers, ends, number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("panicked")))
            .collect()
    });
    let events: i64 = per_thread.into_iter().sum::<anyhow::Result<i64>>()?;
    Ok(events as f64 / begun.elapsed().as_secs_f64())
}

/// Returns how many push events it has copied.
fn copy_partitions(brokers: &str, ends: &BTreeMap<i32, i64>, number: i32) -> anyhow::Result<i64> {
    let consumer = kafka::reader(brokers, &format!("bench-floor-{number}"))?;
    let producer: ThreadedProducer<_> = kafka::client(brokers)
        .set("transactional.id", format!("bench-floor-{number}"))
        .set("compression.type", "lz4")
        .set("linger.ms", "2")
        .set("queue.buffering.max.messages", "500000")
        .create()?;
    producer.init_transactions(REQUEST)?;
    let mut assignment = TopicPartitionList::new();
    let mut left = 0;
    for partition in (0..PARTITIONS).filter(|partition| partition % 2 == number) {
        let (low, _) = consumer.fetch_watermarks(topics::PUSH, partition, REQUEST)?;
        assignment.add_partition_offset(topics::PUSH, partition, Offset::Beginning)?;
        left += ends.get(&partition).map_or(0, |end| end - low);
    }
    let events = left;
    consumer.assign(&assignment)?;
    let group = consumer.group_metadata().context("no group metadata")?;
    producer.begin_transaction()?;
    let mut begun = Instant::now();
    let mut next = TopicPartitionList::new();
    while left > 0 {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message?;
            if ends
                .get(&message.partition())
                .is_none_or(|end| message.offset() >= *end)
            {
                continue;
            }
            let payload = message.payload().unwrap_or_default();
            for (topic, size) in [(topics::SHIPMENT, 2_600), (topics::TRANSITION, 60)] {
                let value = payload.get(..size.min(payload.len())).unwrap_or_default();
                let record = BaseRecord::<[u8], [u8]>::to(topic)
                    .partition(message.partition())
                    .key(b"floor");
                producer.send(record.payload(value)).map_err(|(error, _)| error)?;
            }
            next.set_partition_offset(topics::PUSH, message.partition(), Offset::Offset(message.offset() + 1))
                .or_else(|_| {
                    next.add_partition_offset(topics::PUSH, message.partition(), Offset::Offset(message.offset() + 1))
                })?;
            left -= 1;
        }
        if left == 0 || begun.elapsed() > Duration::from_millis(100) {
            while producer.in_flight_count() > 0 {
                std::thread::sleep(Duration::from_micros(500));
            }
            producer.send_offsets_to_transaction(&next, &group, REQUEST)?;
            producer.commit_transaction(REQUEST)?;
            if left > 0 {
                producer.begin_transaction()?;
                begun = Instant::now();
                next = TopicPartitionList::new();
            }
        }
    }
    Ok(events)
}
