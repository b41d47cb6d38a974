//! Calls per second, each with an intent that is committed before it and an answer that is committed after it, beside the same client
//! calling the same server with nothing around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use courierflow_processor::config::Config;
use courierflow_processor::vendor_calls::account::CallAccount;
use courierflow_processor::vendor_calls::client::Client;
use courierflow_schemas::records::{RequestAction, SubscriptionRequest, SubscriptionSecret, TimestampMicros};
use courierflow_schemas::topics;
use courierflow_schemas::wire::Encoder;
use rdkafka::producer::{BaseRecord, Producer};

use super::{Plan, live, median, vendors};
use crate::bench::{kafka, metrics};
use crate::stack::{Launch, LocalStack, Service, Stack};

const PATIENCE: Duration = Duration::from_mins(5);
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(plan: &Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-subscribe-calls")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let vendors = vendors::Vendors::start()?;
    let path = vendors::configuration(&stack, &vendors.url, plan.concurrency)?;
    let config = Config::load(&path)?;
    let account = config.subscribe.accounts.first().context("an account")?;
    let account = CallAccount::load(account, str::to_owned)?;
    println!(
        "{} calls, {} at the same time; the vendor, broker and program on the same cores",
        plan.calls, plan.concurrency
    );

    let (mut floors, mut rates) = (Vec::new(), Vec::new());
    let mut first = 0;
    let mut worker = None;
    for _ in 0..plan.rounds {
        floors.push(call_plainly(&account, plan, first)?);
        first += plan.calls;
        ask(&stack, first..first + plan.calls)?;
        rates.push(subscribe(&stack, &mut worker, &path, plan.calls)?);
        first += plan.calls;
    }
    let floor = median(floors.clone());
    println!("{:<52} {:>10} {:>8}", "", "calls/s", "floor");
    println!(
        "{:<52} {floor:>10.0} {:>8}",
        "floor: the same client and server, no Kafka", 1
    );
    let rate = median(rates.clone());
    println!(
        "{:<52} {rate:>10.0} {:>8.2}",
        "subscribe: intent committed, call, answer committed",
        rate / floor
    );
    println!("all runs: floor {floors:.0?}, subscribe {rates:.0?}");
    Ok(())
}

/// Calls of numbers that nobody has asked for, per second.
fn call_plainly(account: &CallAccount, plan: &Plan, first: usize) -> anyhow::Result<f64> {
    let secret = SubscriptionSecret {
        phone: Some("8888".to_owned()),
        ..SubscriptionSecret::default()
    };
    let requests = (first..first + plan.calls).map(|index| Ok(account.subscribe(&live::subscription(index), &secret)?));
    let requests = Arc::new(requests.collect::<anyhow::Result<Vec<_>>>()?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let client = Client::new(TIMEOUT)?;
    let begun = Instant::now();
    let done = runtime.block_on(async {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..plan.concurrency {
            let (client, requests, next) = (client.clone(), Arc::clone(&requests), Arc::clone(&next));
            tasks.spawn(async move {
                let mut done = 0;
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let exchanged = client.call(request).await;
                    done += usize::from(exchanged.ended.reply().is_some_and(|reply| reply.status == 200));
                }
                done
            });
        }
        tasks.join_all().await.into_iter().sum::<usize>()
    });
    ensure!(done == plan.calls, "the vendor accepted {done} of {} calls", plan.calls);
    Ok(plan.calls as f64 / begun.elapsed().as_secs_f64())
}

/// Somebody asks for these numbers.
fn ask(stack: &LocalStack, indices: std::ops::Range<usize>) -> anyhow::Result<()> {
    let encoder = Encoder::<SubscriptionRequest>::new(kafka::schema_ids(stack)?.subscription_request);
    let producer = kafka::filler(&stack.brokers())?;
    for index in indices {
        let number = live::number(index);
        let request = SubscriptionRequest {
            request_id: live::request_id(index),
            requester: "oms".to_owned(),
            action: RequestAction::Subscribe,
            requested_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
            vendor: None,
            account: None,
            carrier: Some("yto".to_owned()),
            tracking_number: number.clone(),
            phone: Some("8888".to_owned()),
            from: None,
            to: None,
            product: None,
            international: None,
            reference: Some(format!("order-{index}")),
            not_before: None,
            force: false,
        };
        let mut value = Vec::new();
        encoder.encode(&request, &mut value)?;
        let record = BaseRecord::to(topics::SUBSCRIPTION_REQUEST).key(number.as_bytes());
        kafka::fill(&producer, record.payload(&value))?;
    }
    Ok(producer.flush(Duration::from_mins(1))?)
}

/// Calls per second between the first that is seen in the worker's own counter and the last. The requests are there before it starts.
fn subscribe(
    stack: &LocalStack,
    worker: &mut Option<Service>,
    config: &std::path::Path,
    calls: usize,
) -> anyhow::Result<f64> {
    // A new process, whose counter begins with 0. The one before has to commit its last answers, or they are asked for again.
    if let Some(mut before) = worker.take() {
        before.terminate(PATIENCE)?;
    }
    let launch = Launch::processor("subscribe").config(config);
    let worker = worker.insert(launch.start("subscribe", stack)?);
    let deadline = Instant::now() + PATIENCE;
    let mut first = None;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        let Ok(done) = metrics::sum(worker, "courierflow_subscribe_calls_total") else {
            continue;
        };
        let now = Instant::now();
        let (done_at_first, begun) = *first.get_or_insert((done, now));
        if done >= calls as f64 {
            let accepted = metrics::sum_where(worker, "courierflow_subscribe_calls_total", r#"class="DONE""#)?;
            ensure!(
                accepted >= calls as f64,
                "the vendor accepted {accepted} of {calls} calls"
            );
            return Ok((done - done_at_first) / (now - begun).as_secs_f64());
        }
    }
    bail!("the worker did not come to the end:\n{}", worker.log_end())
}
