//! `./dev bench pressure`: what is bounded stays bounded (I6). First `ClickHouse` is away under load: derive goes on, the
//! sink's memory stays flat, and it catches up. Then ingest gets three times as many requests as it lets in: it refuses
//! with 503, its memory stays flat, and it takes everything again when they end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use tokio::task::JoinSet;

use super::connection::Connection;
use super::metrics;
use super::pushes::SignedPushes;
use crate::stack::{Launch, LocalStack, Server, Service, Stack};

const READY: Duration = Duration::from_secs(30);
/// Between two lines of the table.
const LOOK: Duration = Duration::from_secs(10);
/// After the outage.
const CATCH_UP: Duration = Duration::from_mins(10);
/// Requests that ingest lets in at once during the second part.
const LET_IN: usize = 64;
const OVERLOAD: usize = 3;

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How long `ClickHouse` is away.
    pub away: Duration,
    /// Pushes per second meanwhile.
    pub rate: f64,
    /// How long ingest is overloaded.
    pub overload: Duration,
}

/// Runs both parts and prints what was seen.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        without_clickhouse(plan).await?;
        overloaded(plan).await
    })
}

// --- ClickHouse is away ----------------------------------------------------------------------------------------------

async fn without_clickhouse(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-pressure")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let mut ingest = Launch::ingest().start("ingest", &stack)?;
    let mut derive = Launch::processor("derive").start("derive", &stack)?;
    let mut sink = Launch::processor("sink").start("sink", &stack)?;
    for service in [&mut ingest, &mut derive, &mut sink] {
        service.wait_ready(READY)?;
    }
    let load = Load::start(&ingest, 16, Some(plan.rate)).await?;
    println!(
        "ClickHouse away for {:?}, {} pushes/s of 20 items",
        plan.away, plan.rate
    );
    println!(
        "{:>6} {:>10} {:>10} {:>10} {:>12} {:>8}",
        "s", "accepted", "derived", "rows", "sink MiB", "ready"
    );
    let begun = Instant::now();
    let look = || -> anyhow::Result<()> {
        println!(
            "{:>6.0} {:>10} {:>10.0} {:>10.0} {:>12.0} {:>8}",
            begun.elapsed().as_secs_f64(),
            load.accepted(),
            metrics::sum(&derive, "courierflow_derive_push_events_total")?,
            metrics::sum(&sink, "courierflow_sink_rows_total").unwrap_or_default(),
            metrics::mebibytes(&sink)?,
            if sink.is_ready() { "yes" } else { "no" }
        );
        Ok(())
    };
    tokio::time::sleep(LOOK).await;
    look()?;
    stack.kill(Server::ClickHouse)?;
    let killed = Instant::now();
    while killed.elapsed() < plan.away {
        tokio::time::sleep(LOOK.min(plan.away)).await;
        look()?;
    }
    stack.start_server(Server::ClickHouse)?;
    let back = Instant::now();
    // Shipment, push and its transitions: the sink has caught up when it holds nothing that is older than a moment.
    while metrics::sum(&sink, "courierflow_sink_rows_total{table=\"shipment\"")?
        < metrics::sum(&derive, "courierflow_derive_push_events_total")? - plan.rate
    {
        ensure!(
            back.elapsed() < CATCH_UP,
            "the sink has not caught up:\n{}",
            sink.log_end()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    look()?;
    println!(
        "caught up {:.1} s after ClickHouse was back, under the same load",
        back.elapsed().as_secs_f64()
    );
    load.end().await
}

// --- More requests than are let in -----------------------------------------------------------------------------------

async fn overloaded(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-pressure")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let limit = LET_IN.to_string();
    let mut ingest = Launch::ingest()
        .env("COURIERFLOW__INGEST__MAX_IN_FLIGHT_REQUESTS", limit)
        .start("ingest", &stack)?;
    ingest.wait_ready(READY)?;
    println!("\ningest lets in {LET_IN} requests at once");
    println!("{:<44} {:>10} {:>10} {:>10}", "", "200/s", "503/s", "MiB");
    let measure = async |name: &str, connections: usize| -> anyhow::Result<()> {
        let load = Load::start(&ingest, connections, None).await?;
        tokio::time::sleep(plan.overload).await;
        let seconds = plan.overload.as_secs_f64();
        println!(
            "{name:<44} {:>10.0} {:>10.0} {:>10.0}",
            load.accepted() as f64 / seconds,
            load.refused() as f64 / seconds,
            metrics::mebibytes(&ingest)?
        );
        load.end().await
    };
    measure("capacity: as many connections", LET_IN).await?;
    measure("three times as many", OVERLOAD * LET_IN).await?;
    let over = Instant::now();
    let load = Load::start(&ingest, 1, None).await?;
    while load.accepted() == 0 {
        ensure!(over.elapsed() < READY, "nothing is accepted any more");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!(
        "accepted again {:.0} ms after the overload ended",
        over.elapsed().as_secs_f64() * 1e3
    );
    load.end().await
}

// --- The load --------------------------------------------------------------------------------------------------------

/// Connections that send pushes of different parcels until they are ended.
struct Load {
    shared: Arc<Shared>,
    connections: JoinSet<anyhow::Result<()>>,
}

struct Shared {
    pushes: SignedPushes,
    rate: Option<f64>,
    begun: Instant,
    sent: AtomicUsize,
    accepted: AtomicUsize,
    refused: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    /// `rate`: pushes per second over all connections; as fast as they are answered when missing.
    async fn start(ingest: &Service, connections: usize, rate: Option<f64>) -> anyhow::Result<Self> {
        let address: SocketAddr = ingest.url().trim_start_matches("http://").parse()?;
        let shared = Arc::new(Shared {
            pushes: SignedPushes::new()?,
            rate,
            begun: Instant::now(),
            sent: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let mut set = JoinSet::new();
        for _ in 0..connections {
            let (shared, mut connection) = (shared.clone(), Connection::open(address).await?);
            set.spawn(async move { shared.send(&mut connection).await });
        }
        Ok(Self {
            shared,
            connections: set,
        })
    }

    fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    async fn end(mut self) -> anyhow::Result<()> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        while let Some(connection) = self.connections.join_next().await {
            connection??;
        }
        Ok(())
    }
}

impl Shared {
    async fn send(&self, connection: &mut Connection) -> anyhow::Result<()> {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            if let Some(rate) = self.rate {
                let due = Duration::from_secs_f64(number as f64 / rate);
                tokio::time::sleep_until((self.begun + due).into()).await;
            }
            match &connection.send(&self.pushes.request(number)?).await? {
                b"200" => self.accepted.fetch_add(1, Ordering::Relaxed),
                b"503" => self.refused.fetch_add(1, Ordering::Relaxed),
                other => bail!("answered {}", String::from_utf8_lossy(other)),
            };
        }
        Ok(())
    }
}
