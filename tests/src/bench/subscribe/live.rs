//! Many live subscriptions: what each takes of memory, and how long a worker restores them, beside a consumer that reads the same records
//! and drops them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::bail;
use courierflow_schemas::partition;
use courierflow_schemas::records::{
    MonthOfCalls, Product, Subscription, SubscriptionSecret, SubscriptionState, TimestampMicros, TimestampMillis,
};
use courierflow_schemas::topics::{SUBSCRIPTION, SUBSCRIPTION_SECRET};
use courierflow_schemas::wire::Encoder;
use rdkafka::consumer::Consumer;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{Plan, median, vendors};
use crate::bench::{kafka, metrics};
use crate::stack::{Launch, LocalStack, Service, Stack};

const PARTITIONS: i32 = 8;
const REQUEST: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(10);
const MIB: f64 = 1_048_576.0;

pub(super) fn run(plan: &Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-subscribe-live")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    // Nobody is called: all are followed.
    let path = vendors::configuration(&stack, "http://127.0.0.1:9", 8)?;
    let launch = Launch::processor("subscribe").config(path);

    let mut worker = launch.start("subscribe", &stack)?;
    worker.wait_ready(PATIENCE)?;
    let empty = settled(&worker)?;
    worker.kill()?;

    let begun = Instant::now();
    let bytes = fill(&stack, plan.subscriptions)?;
    println!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    println!(
        "{} live subscriptions with a secret each, {} bytes in both records; one worker, broker on the same cores",
        plan.subscriptions,
        bytes / plan.subscriptions
    );
    let (mut floors, mut restores, mut states, mut residents) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        floors.push(read_all(&stack)?);
        worker.restart()?;
        worker.wait_ready(PATIENCE)?;
        let resident = settled(&worker)?;
        let held = metrics::sum(&worker, "courierflow_subscribe_subscriptions")?;
        if held < plan.subscriptions as f64 {
            bail!("{held} of {} subscriptions were restored", plan.subscriptions);
        }
        restores.push(metrics::sum(&worker, "courierflow_subscribe_restore_seconds_sum")?);
        states.push(metrics::sum(&worker, "courierflow_subscribe_state_bytes")? / held);
        residents.push((resident - empty) * MIB / held);
        worker.kill()?;
    }
    let floor = median(floors.clone());
    println!("{:<52} {:>8} {:>8}", "", "seconds", "floor");
    println!(
        "{:<52} {floor:>8.2} {:>8}",
        "floor: the records read and dropped, one thread", 1
    );
    let restore = median(restores.clone());
    println!("{:<52} {restore:>8.2} {:>8.2}", "restore", restore / floor);
    println!("all runs: floor {floors:.2?}, restore {restores:.2?}");
    println!(
        "bytes each: {:.0} by its own account, {:.0} of resident memory beyond the {empty:.0} MiB of an empty worker",
        median(states),
        median(residents)
    );
    Ok(())
}

/// Resident memory once it does not change any more.
fn settled(worker: &Service) -> anyhow::Result<f64> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut before = metrics::mebibytes(worker)?;
    while Instant::now() < deadline {
        // Longer than the time after which the gauges are set anew.
        std::thread::sleep(Duration::from_secs(3));
        let now = metrics::mebibytes(worker)?;
        if (now - before).abs() < 1.0 {
            return Ok(now);
        }
        before = now;
    }
    Ok(before)
}

/// The number of a parcel.
pub(super) fn number(index: usize) -> String {
    format!("YT{index:013}")
}

/// As long as those that callers make of a UUID.
pub(super) fn request_id(index: usize) -> String {
    format!(
        "{:032x}",
        (index as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    )
}

/// A subscription that a vendor has accepted and told of.
pub(super) fn subscription(index: usize) -> Subscription {
    let micros = jiff::Timestamp::now().as_microsecond();
    let in_days = |days: i64| TimestampMillis(micros / 1_000 + days * 86_400_000 + index as i64);
    Subscription {
        vendor: "kuaidi100".to_owned(),
        account: "demo".to_owned(),
        tracking_number: number(index),
        carrier: "yto".to_owned(),
        vendor_carrier: "yuantong".to_owned(),
        former_carriers: Vec::new(),
        version: micros,
        state: SubscriptionState::Active,
        reason: None,
        code: Some("200".to_owned()),
        since: TimestampMicros(micros),
        requested_at: TimestampMicros(micros - 1_000_000),
        requester: "oms".to_owned(),
        request_ids: vec![request_id(index)],
        reference: Some(format!("order-{index}")),
        api: "kuaidi100_enterprise".to_owned(),
        product: Product::Advanced,
        international: false,
        round: 1,
        attempt: 1,
        call_id: None,
        not_before: Some(in_days(30)),
        calls: vec![MonthOfCalls {
            month: 202_611,
            vendor_carrier: "yuantong".to_owned(),
            accepted: 1,
            last_at: in_days(0),
        }],
        duplicate: false,
        first_push_at: Some(TimestampMicros(micros)),
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

/// Returns how many bytes the records have.
fn fill(stack: &LocalStack, subscriptions: usize) -> anyhow::Result<usize> {
    let ids = kafka::schema_ids(stack)?;
    let encoder = Encoder::<Subscription>::new(ids.subscription);
    let of_secrets = Encoder::<SubscriptionSecret>::new(ids.subscription_secret);
    let producer = kafka::filler(&stack.brokers())?;
    let secret = SubscriptionSecret {
        phone: Some("8888".to_owned()),
        ..SubscriptionSecret::default()
    };
    let mut secret_value = Vec::new();
    of_secrets.encode(&secret, &mut secret_value)?;
    let mut value = Vec::new();
    let mut bytes = 0;
    for index in 0..subscriptions {
        let subscription = subscription(index);
        value.clear();
        encoder.encode(&subscription, &mut value)?;
        let number = &subscription.tracking_number;
        let key = Subscription::key(&subscription.vendor, &subscription.account, number);
        let partition = partition::of_key(number.as_bytes(), PARTITIONS);
        for (topic, value) in [(SUBSCRIPTION, &value), (SUBSCRIPTION_SECRET, &secret_value)] {
            bytes += value.len();
            let record = BaseRecord::to(topic).partition(partition).key(key.as_bytes());
            kafka::fill(&producer, record.payload(value))?;
        }
    }
    producer.flush(Duration::from_mins(2))?;
    Ok(bytes)
}

/// Seconds that a bare consumer takes for both topics, as one worker reads them.
fn read_all(stack: &LocalStack) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let consumer = kafka::reader(&stack.brokers(), "bench-floor")?;
    let mut assignment = TopicPartitionList::new();
    let mut left = BTreeMap::new();
    for topic in [SUBSCRIPTION, SUBSCRIPTION_SECRET] {
        for partition in 0..PARTITIONS {
            let (low, high) = consumer.fetch_watermarks(topic, partition, REQUEST)?;
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
            if low < high {
                left.insert((topic, partition), high);
            }
        }
    }
    consumer.assign(&assignment)?;
    while !left.is_empty() {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message?;
        std::hint::black_box(message.payload());
        let topic = if message.topic() == SUBSCRIPTION {
            SUBSCRIPTION
        } else {
            SUBSCRIPTION_SECRET
        };
        let place = (topic, message.partition());
        if left.get(&place).is_some_and(|end| message.offset() + 1 >= *end) {
            left.remove(&place);
        }
    }
    Ok(begun.elapsed().as_secs_f64())
}
