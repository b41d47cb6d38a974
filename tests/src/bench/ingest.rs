//! `./dev bench ingest`: signed Kuaidi100 pushes per second, beside two floors of the same run: a handler that produces the
//! body as it came and waits for the broker (a), and the same work as ingest's done with the usual crates (b). Servers,
//! load generator and broker share the machine.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use courierflow_ingest::accounts::Accounts;
use courierflow_ingest::app::{self, App};
use courierflow_ingest::config::{Config, IngestSettings};
use courierflow_ingest::metrics::Metrics;
use courierflow_ingest::publisher::kafka::producer_properties;
use courierflow_ingest::publisher::{Batch, PublishError, Publisher};
use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::Secret;
use courierflow_schemas::topics;
use courierflow_schemas::wire::Encoder;
use courierflow_service::http_server;
use courierflow_vendors::account;
use courierflow_vendors::push::{self, PushRequest};
use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::connection::Connection;
use super::cpu;
use crate::stack::{LocalStack, Server, Stack, repository};

const PARTITIONS: i32 = 8;
const ITEMS: usize = 20;
/// Different parcels; each connection goes through all of them.
const PARCELS: usize = 500;
/// Of the account.
pub(super) const SALT: &str = "courierflow-demo-salt";
/// An account of the local configuration.
pub(super) const ACCOUNT: &str = "demo";

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often each variant is measured; the median counts.
    pub rounds: usize,
    /// Length of a measurement.
    pub time: Duration,
}

/// Not measured, at the start of each measurement.
const WARM_UP: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Bare,
    Plain,
    Ingest,
}

impl Variant {
    const ALL: [Self; 3] = [Self::Bare, Self::Plain, Self::Ingest];

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "floor (a): body as it came, acks=all",
            Self::Plain => "floor (b): the work with the usual crates",
            Self::Ingest => "ingest",
        }
    }
}

/// Runs it and prints its tables.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start_only("bench-ingest", &[Server::Kafka, Server::Registry])?;
    let mut config = Config::load(&repository().join("deploy/local/courierflow.toml"))?;
    config.kafka.brokers = stack.brokers();
    config.registry.url = stack.registry_url();
    config.registry.id_cache = stack.dir().join("schema-ids.json");
    prepare(&config)?;

    let requests = Arc::new(requests());
    let bodies: Vec<&[u8]> = requests.iter().map(|request| body_of(request)).collect();
    let bytes = bodies.iter().map(|body| body.len()).sum::<usize>() / bodies.len();
    println!(
        "signed Kuaidi100 form of {bytes} bytes with {ITEMS} items; servers, load generator and broker on {} cores",
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
    );
    println!("{} rounds of {} s each, medians\n", plan.rounds, plan.time.as_secs());
    print_steps(&bodies)?;

    println!(
        "{:<44} {:>11} {:>10} {:>9} {:>9} {:>8} {:>8} {:>8}",
        "", "connections", "requests/s", "p50 ms", "p99 ms", "of (a)", "of (b)", "CPU µs"
    );
    for connections in [64, 256] {
        let mut results: HashMap<&str, Vec<Measured>> = HashMap::new();
        for _ in 0..plan.rounds {
            for variant in Variant::ALL {
                let measured = measure(variant, &config, &requests, connections, plan.time)?;
                results.entry(variant.name()).or_default().push(measured);
            }
        }
        let mut median = |variant: Variant| -> anyhow::Result<Measured> {
            let measured = results.get_mut(variant.name()).context("was measured")?;
            measured.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            measured.get(measured.len() / 2).copied().context("at least one round")
        };
        let (bare_rate, plain_rate) = (median(Variant::Bare)?.rate, median(Variant::Plain)?.rate);
        for variant in Variant::ALL {
            let Measured { rate, cpu, p50, p99 } = median(variant)?;
            println!(
                "{:<44} {connections:>11} {rate:>10.0} {p50:>9.1} {p99:>9.1} {:>8.2} {:>8.2} {cpu:>8.1}",
                variant.name(),
                rate / bare_rate,
                rate / plain_rate
            );
        }
    }
    Ok(())
}

/// Topics and schemas as the migration makes them.
fn prepare(config: &Config) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &config.kafka.brokers)
        .create()?;
    let max_bytes = topics::MAX_RECORD_BYTES.to_string();
    let new = |name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)).set("max.message.bytes", &max_bytes);
    let topics = [topics::PUSH, topics::PUSH_DEAD, topics::SHIPMENT, topics::TRANSITION].map(new);
    let created = runtime(1)?.block_on(admin.create_topics(&topics, &AdminOptions::new()))?;
    for result in created {
        result.map_err(|(topic, error)| anyhow::anyhow!("{topic}: {error}"))?;
    }
    Registry::new(&config.registry).migrate()?;
    Ok(())
}

// --- What is sent ----------------------------------------------------------------------------------------------------

fn payload(parcel: usize) -> String {
    let texts = [
        "【深圳市】深圳福永营业部 已收取快件，快递员：王五，电话：13800138000",
        "【深圳市】您的快件由【深圳福永分拣中心】准备发往【深圳燕罗分拣中心】",
        "【东莞市】快件已发往 长沙转运中心（物流问题请联系电话 95311）",
        "【长沙市】快件已到达 长沙东岸网点",
    ];
    let pickup = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_780_000_000 + 5 * parcel as i64);
    let mut data = String::new();
    for item in (0..ITEMS).rev() {
        let time = pickup + SignedDuration::from_mins(97 * item as i64);
        let time = time
            .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
            .strftime("%F %T");
        let context = texts.get(item % texts.len()).copied().unwrap_or_default();
        let separator = if data.is_empty() { "" } else { "," };
        let _ = write!(
            data,
            r#"{separator}{{"time":"{time}","context":"{context}","ftime":"{time}","areaCode":"CN440306020000","areaName":"广东,深圳市,宝安区,福永","location":"","status":"干线","statusCode":"1002"}}"#
        );
    }
    format!(
        r#"{{"status":"polling","billstatus":"got","message":"","autoCheck":"0","comOld":"","comNew":"","lastResult":{{"message":"ok","nu":"BN{parcel:012}","ischeck":"0","com":"zhongtong","status":"200","data":[{data}],"state":"0","condition":"00","isLoop":false}}}}"#
    )
}

fn requests() -> Vec<Vec<u8>> {
    (0..PARCELS)
        .map(|parcel| {
            let param = payload(parcel);
            let sign = hex(&Md5::digest([param.as_bytes(), SALT.as_bytes()].concat())).to_uppercase();
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair("sign", &sign)
                .append_pair("param", &param)
                .finish();
            let length = body.len();
            format!(
                "POST /v1/push/kuaidi100/{ACCOUNT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \
                 application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes()
        })
        .collect()
}

fn body_of(request: &[u8]) -> &[u8] {
    let head = request
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_default();
    request.get(head + 4..).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

// --- The work alone --------------------------------------------------------------------------------------------------

/// What each step costs without HTTP and Kafka, on one core.
fn print_steps(bodies: &[&[u8]]) -> anyhow::Result<()> {
    let account = account::Account {
        name: ACCOUNT.to_owned(),
        vendor: Vendor::Kuaidi100,
        contract_id: String::new(),
        unsigned_end: false,
        secrets: vec![Secret::new(SALT)],
        unsigned: account::Unsigned::Reject,
    };
    let unsigned = account::Account {
        secrets: Vec::new(),
        unsigned: account::Unsigned::Accept,
        ..account.clone()
    };
    let pushes = Handler::new(account.clone())?;
    let read = |account| move |body: &[u8]| push::read(PushRequest { body, signature: None }, account).is_ok();
    ensure!(
        bodies.iter().all(|body| read(&account)(body)),
        "a push of the benchmark is refused"
    );
    println!("{:<60} {:>6}", "the work without HTTP and Kafka, one core", "µs");
    for (name, micros) in [
        ("ingest: decode, verify, find the parcel", time(bodies, read(&account))),
        ("ingest: the same without a signature", time(bodies, read(&unsigned))),
        (
            "ingest: the whole handler, to the encoded record",
            time(bodies, |body| pushes.take(body)),
        ),
        (
            "plain: form_urlencoded, md-5, serde_json",
            time(bodies, |body| plain_read(body).is_some()),
        ),
    ] {
        println!("{name:<60} {micros:>6.1}");
    }
    println!();
    Ok(())
}

/// The handler of ingest with a publisher that only encodes.
struct Handler {
    router: Router,
    runtime: Runtime,
}

struct Encode(Encoder<PushEvent>);

impl Publisher for Encode {
    async fn publish(&self, batch: Batch) -> Result<(), PublishError> {
        for event in &batch.events {
            let mut value = Vec::with_capacity(event.payload.len() + 512);
            if self.0.encode(event, &mut value).is_err() {
                return Err(PublishError::NotReady);
            }
            std::hint::black_box(value);
        }
        Ok(())
    }
}

impl Handler {
    fn new(account: account::Account) -> anyhow::Result<Self> {
        let mut accounts = Accounts::default();
        accounts.insert(account, None, None);
        let settings = IngestSettings::default();
        let metrics = Metrics::new(&accounts)?;
        let app = App::new(&settings, accounts, metrics, Arc::default(), Encode(Encoder::new(1)));
        Ok(Self {
            router: app::router(Arc::new(app)),
            runtime: Builder::new_current_thread().enable_all().build()?,
        })
    }

    fn take(&self, body: &[u8]) -> bool {
        let request = axum::http::Request::post(format!("/v1/push/kuaidi100/{ACCOUNT}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(Bytes::copy_from_slice(body)));
        let Ok(request) = request else { return false };
        let answer = self.runtime.block_on(self.router.clone().oneshot(request));
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }
}

/// Microseconds for a body: the least of twenty tries, averaged over all bodies, so that other programs do not count.
fn time(bodies: &[&[u8]], work: impl Fn(&[u8]) -> bool) -> f64 {
    let best = |body: &[u8]| {
        let tries = (0..20).map(|_| {
            let start = Instant::now();
            std::hint::black_box(work(std::hint::black_box(body)));
            start.elapsed()
        });
        tries.min().unwrap_or_default()
    };
    bodies.iter().map(|body| best(body).as_secs_f64() * 1e6).sum::<f64>() / bodies.len() as f64
}

// --- The servers -----------------------------------------------------------------------------------------------------

struct Context;

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<oneshot::Sender<bool>>;

    fn delivery(&self, result: &DeliveryResult<'_>, acknowledgement: Self::DeliveryOpaque) {
        let _ = acknowledgement.send(result.is_ok());
    }
}

/// What the floors share.
struct Floor {
    producer: ThreadedProducer<Context>,
    encoder: Encoder<PushEvent>,
}

impl Floor {
    /// With the producer's properties of ingest.
    fn new(config: &Config) -> anyhow::Result<Arc<Self>> {
        let mut client = ClientConfig::new();
        client.extend(producer_properties(&config.kafka, &config.ingest));
        Ok(Arc::new(Self {
            producer: ThreadedProducer::from_config_and_context(&client, Context)?,
            encoder: Encoder::new(Registry::new(&config.registry).schema_ids()?.push),
        }))
    }

    async fn produce(&self, key: &str, value: &[u8]) -> StatusCode {
        let (sender, acknowledged) = oneshot::channel();
        let record = BaseRecord::with_opaque_to(topics::PUSH, Box::new(sender))
            .key(key)
            .payload(value);
        if self.producer.send(record).is_err() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        match acknowledged.await {
            Ok(true) => StatusCode::OK,
            Ok(false) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

const SUCCESS: &str = r#"{"result":true,"returnCode":"200","message":"成功"}"#;

async fn bare(State(floor): State<Arc<Floor>>, body: Bytes) -> (StatusCode, &'static str) {
    // The end of the sign differs from parcel to parcel: records go to all partitions.
    let key = body
        .get(5..37)
        .and_then(|sign| std::str::from_utf8(sign).ok())
        .unwrap_or_default();
    (floor.produce(key, &body).await, SUCCESS)
}

#[derive(serde::Deserialize)]
struct Push {
    #[serde(rename = "lastResult")]
    last_result: LastResult,
}

#[derive(serde::Deserialize)]
struct LastResult {
    nu: String,
    com: String,
}

fn plain_read(body: &[u8]) -> Option<(String, LastResult)> {
    let mut form: HashMap<_, _> = form_urlencoded::parse(body).collect();
    let (param, sign) = (form.remove("param")?, form.remove("sign")?);
    let expected = hex(&Md5::new().chain_update(param.as_bytes()).chain_update(SALT).finalize()).to_uppercase();
    if sign != expected {
        return None;
    }
    let push: Push = serde_json::from_str(&param).ok()?;
    Some((param.into_owned(), push.last_result))
}

async fn plain(State(floor): State<Arc<Floor>>, body: Bytes) -> (StatusCode, &'static str) {
    let Some((payload, result)) = plain_read(&body) else {
        return (StatusCode::UNAUTHORIZED, "");
    };
    let event = PushEvent {
        push_id: PushId(xxhash_rust::xxh3::xxh3_128(&body).to_be_bytes()),
        part: 0,
        parts: 1,
        vendor: Vendor::Kuaidi100,
        account: ACCOUNT.to_owned(),
        received_at: TimestampMicros(Timestamp::now().as_microsecond()),
        signature: Signature::Verified,
        vendor_carrier: result.com,
        tracking_number: result.nu.trim().to_uppercase(),
        request_type: None,
        query: String::new(),
        content_type: "application/x-www-form-urlencoded".to_owned(),
        push_time: None,
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    };
    let mut value = Vec::new();
    if floor.encoder.encode(&event, &mut value).is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "");
    }
    (floor.produce(&event.tracking_number, &value).await, SUCCESS)
}

async fn serve(
    variant: Variant,
    config: &Config,
    listener: TcpListener,
    stop: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let stopped = async { drop(stop.await) };
    let path = format!("/v1/push/kuaidi100/{ACCOUNT}");
    let router = match variant {
        Variant::Ingest => return Ok(courierflow_ingest::run(config, listener, stopped).await?),
        Variant::Bare => Router::new().route(&path, post(bare)),
        Variant::Plain => Router::new().route(&path, post(plain)),
    };
    let limits = config.ingest.connection_limits();
    let router = router.with_state(Floor::new(config)?);
    http_server::serve(listener, router, limits, http_server::Metrics::none(), stopped).await;
    Ok(())
}

fn runtime(threads: usize) -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?)
}

// --- The load --------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
struct Measured {
    rate: f64,
    /// Processor time of service and load generator for a request, microseconds: hardly touched by what else runs.
    cpu: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
}

fn measure(
    variant: Variant,
    config: &Config,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Measured> {
    let cores = std::thread::available_parallelism()?.get();
    let servers = runtime(cores)?;
    let listener = servers.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    std::thread::scope(|scope| {
        let served = scope.spawn(|| servers.block_on(serve(variant, config, listener, stopped)));
        // One thread sends for all connections: it is there to be cheap, not to be fair.
        let generator = Builder::new_current_thread().enable_all().build()?;
        let measured = generator.block_on(load(address, requests, connections, time));
        drop(stop);
        match served.join() {
            Ok(result) => result?,
            Err(_) => bail!("the server panicked"),
        }
        measured
    })
}

async fn load(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Measured> {
    wait_for_success(address, requests).await?;
    let start = Instant::now() + WARM_UP;
    let end = start + time;
    let cpu_before = cpu::of_this_process()?;
    let mut senders = tokio::task::JoinSet::new();
    for connection in 0..connections {
        let requests = Arc::clone(requests);
        senders.spawn(async move {
            let mut client = Connection::open(address).await?;
            let mut latencies = Vec::new();
            let first = connection * requests.len() / connections;
            for count in 0.. {
                let request = requests
                    .get((first + count) % requests.len())
                    .context("there are requests")?;
                let sent = Instant::now();
                let status = client.send(request).await?;
                let now = Instant::now();
                ensure!(status == *b"200", "answered {}", String::from_utf8_lossy(&status));
                if now >= end {
                    return anyhow::Ok((latencies, count + 1));
                }
                if sent >= start {
                    latencies.push(now - sent);
                }
            }
            bail!("no end")
        });
    }
    let mut latencies = Vec::new();
    let mut total = 0;
    while let Some(sender) = senders.join_next().await {
        let (measured, count) = sender??;
        latencies.extend(measured);
        total += count;
    }
    let cpu = cpu::of_this_process()?.saturating_sub(cpu_before).as_secs_f64() * 1e6 / total as f64;
    latencies.sort_unstable();
    let percentile = |percent: usize| {
        let latency = latencies
            .get(latencies.len() * percent / 100)
            .copied()
            .unwrap_or_default();
        latency.as_secs_f64() * 1000.0
    };
    Ok(Measured {
        rate: latencies.len() as f64 / time.as_secs_f64(),
        cpu,
        p50: percentile(50),
        p99: percentile(99),
    })
}

/// The first pushes are refused until the producer has found the broker.
async fn wait_for_success(address: SocketAddr, requests: &[Vec<u8>]) -> anyhow::Result<()> {
    let request = requests.first().context("there are requests")?;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let status = Connection::open(address).await?.send(request).await?;
        if status == *b"200" {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "answered {}",
            String::from_utf8_lossy(&status)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
