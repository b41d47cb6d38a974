//! `./dev bench latency`: from the answer to a push until its row is in the table `shipment`, with ingest, derive and sink
//! beside broker, ClickHouse and load generator; at a quarter of the rate that all of it sustains, which is measured first.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use clickhouse::Client;
use clickhouse::sql::Identifier;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until};

use super::connection::Connection;
use super::metrics;
use super::pushes::{self, SignedPushes};
use crate::stack::{Launch, LocalStack, Service, Stack};

/// At a given rate that is enough for answers of some ten milliseconds; as load it keeps ingest busy.
const CONNECTIONS: usize = 64;
/// How often the table is asked which parcels it has.
const POLL: Duration = Duration::from_millis(20);
/// For a service to be ready.
const READY: Duration = Duration::from_secs(30);
/// After the last push, for everything to be in the tables.
const DRAIN: Duration = Duration::from_mins(1);
/// Length of the warm-up at a given rate.
const WARM_UP: Duration = Duration::from_secs(2);

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Pushes per second; a quarter of the maximum, which is measured, when missing.
    pub rate: Option<f64>,
    /// How long pushes are sent as fast as they are taken, to measure the maximum.
    pub load: Duration,
    /// How long pushes are sent at the rate.
    pub time: Duration,
}

/// Runs it and prints its figures.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-latency")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let mut ingest = Launch::ingest().start("ingest", &stack)?;
    let mut processor = Launch::processor("run").start("processor", &stack)?;
    ingest.wait_ready(READY)?;
    processor.wait_ready(READY)?;

    println!(
        "signed Kuaidi100 pushes, each of another parcel with {} items; ingest, processor, servers and load generator on \
         {} cores",
        pushes::ITEMS,
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
    );
    let mut bench = Bench {
        address: ingest
            .url()
            .trim_start_matches("http://")
            .parse()
            .context("the address of ingest")?,
        tables: Client::default()
            .with_url(stack.clickhouse_url())
            .with_database("courier"),
        processor,
        pushes: Arc::new(SignedPushes::new()?),
        parcels: 0,
    };
    // One thread for load and questions: it is there to be cheap.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let rate = match plan.rate {
            Some(rate) => bench.warm_up(rate).await?,
            None => bench.maximum(plan.load).await? / 4.0,
        };
        bench.latency(rate, plan.time).await
    })
}

/// What both measurements need.
struct Bench {
    address: SocketAddr,
    tables: Client,
    processor: Service,
    pushes: Arc<SignedPushes>,
    /// Parcels so far; the next one is another.
    parcels: usize,
}

impl Bench {
    /// Pushes per second from the first request to the last row in any table, with more requests than ingest can take.
    async fn maximum(&mut self, time: Duration) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let accepted = self.burst(Pace::Unlimited, time).await?;
        let (sent_after, rows_after) = (time.as_secs_f64(), begun.elapsed().as_secs_f64());
        let maximum = accepted as f64 / rows_after;
        println!(
            "maximum: {accepted} pushes accepted in {sent_after:.1} s, all rows after {rows_after:.1} s: {maximum:.0} pushes/s"
        );
        Ok(maximum)
    }

    /// The first pushes find cold caches and empty tables.
    async fn warm_up(&mut self, rate: f64) -> anyhow::Result<f64> {
        ensure!(rate > 0.0, "--rate is not positive");
        self.burst(Pace::Rate(rate), WARM_UP).await?;
        Ok(rate)
    }

    /// Sends for a while, then waits until everything is in the tables.
    async fn burst(&mut self, pace: Pace, time: Duration) -> anyhow::Result<usize> {
        let (accepted, answers) = unbounded_channel();
        self.load(pace, time, accepted).start().join_all().await?;
        let count = answers.len();
        self.parcels += count;
        self.wait_for_rows().await?;
        Ok(count)
    }

    fn load(&self, pace: Pace, time: Duration, accepted: UnboundedSender<Accepted>) -> Load {
        Load {
            address: self.address,
            pushes: self.pushes.clone(),
            first_parcel: self.parcels,
            pace,
            time,
            accepted,
        }
    }

    /// Until all shipments and pushes, and all transitions that derive counted, are in their tables.
    async fn wait_for_rows(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + DRAIN;
        loop {
            let shipments = self.rows("shipment").await?;
            let pushes = self.rows("push").await?;
            let transitions = self.rows("transition").await?;
            let parcels = self.parcels as u64;
            if shipments >= parcels && pushes >= parcels {
                // All is committed, so this does not grow any more.
                let derived = metrics::sum(&self.processor, "courierflow_derive_transitions_total")?;
                if transitions as f64 >= derived {
                    return Ok(());
                }
            }
            ensure!(
                Instant::now() < deadline,
                "{DRAIN:?} after the last of {parcels} pushes there are {pushes} rows of push, {shipments} of shipment and \
                 {transitions} of transition:\n{}",
                self.processor.log_end()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn rows(&self, table: &str) -> anyhow::Result<u64> {
        let count = self.tables.query("SELECT count() FROM ?").bind(Identifier(table));
        Ok(count.fetch_one().await?)
    }

    /// Sends at a rate, and looks for each push's row at the same time.
    async fn latency(&mut self, rate: f64, time: Duration) -> anyhow::Result<()> {
        let (accepted, answers) = unbounded_channel();
        let sending = self.load(Pace::Rate(rate), time, accepted).start();
        let watch = tokio::spawn(Watch::new(self.tables.clone(), answers).run());
        let lateness = sending.join_all().await?;
        let seen = watch.await?.with_context(|| self.processor.log_end())?;

        let latencies = sorted(seen.latencies);
        let gaps = sorted(seen.gaps);
        println!(
            "{} pushes at {rate:.0}/s in {} s, sent {:.0} ms late at most",
            latencies.len(),
            time.as_secs(),
            millis(lateness)
        );
        println!(
            "from the answer 200 until the row is seen in shipment, ms: p50 {:.0}, p90 {:.0}, p99 {:.0}, max {:.0}",
            percentile(&latencies, 50),
            percentile(&latencies, 90),
            percentile(&latencies, 99),
            percentile(&latencies, 100)
        );
        println!(
            "resolution: {:.0} ms between looks at the table (p99 {:.0}, max {:.0}), by which a figure may be too large",
            percentile(&gaps, 50),
            percentile(&gaps, 99),
            percentile(&gaps, 100)
        );
        Ok(())
    }
}

fn sorted(mut durations: Vec<Duration>) -> Vec<Duration> {
    durations.sort_unstable();
    durations
}

/// Milliseconds.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let position = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(position).copied().map_or(0.0, millis)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

// --- The load --------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Each connection sends its next push when the last is answered.
    Unlimited,
    /// Pushes per second over all connections, whatever the answers do.
    Rate(f64),
}

/// A push that was answered 200.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    parcel: usize,
    /// Microseconds since 1970 before it was sent: not later than its `received_at`.
    sent_at: i64,
    answered: Instant,
}

struct Load {
    address: SocketAddr,
    pushes: Arc<SignedPushes>,
    first_parcel: usize,
    pace: Pace,
    time: Duration,
    accepted: UnboundedSender<Accepted>,
}

/// The connections under way.
struct Sending(JoinSet<anyhow::Result<Duration>>);

impl Load {
    fn start(self) -> Sending {
        let load = Arc::new(self);
        let sent = Arc::new(AtomicUsize::new(0));
        let begun = Instant::now();
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (load, sent) = (load.clone(), sent.clone());
            connections.spawn(async move { load.send(begun, &sent).await });
        }
        Sending(connections)
    }

    /// One connection; returns by how much it was late at most.
    async fn send(&self, begun: Instant, sent: &AtomicUsize) -> anyhow::Result<Duration> {
        let mut connection = Connection::open(self.address).await?;
        let mut lateness = Duration::ZERO;
        loop {
            // All connections are on one thread, and nothing waits between the number and the end: there are no gaps.
            let number = sent.fetch_add(1, Ordering::Relaxed);
            let due = match self.pace {
                Pace::Unlimited => begun.elapsed(),
                Pace::Rate(rate) => Duration::from_secs_f64(number as f64 / rate),
            };
            if due >= self.time {
                return Ok(lateness);
            }
            let parcel = self.first_parcel + number;
            let request = self.pushes.request(parcel)?;
            sleep_until((begun + due).into()).await;
            lateness = lateness.max(begun.elapsed().saturating_sub(due));

            let sent_at = micros_since_1970()?;
            let status = connection.send(&request).await?;
            ensure!(status == *b"200", "answered {}", String::from_utf8_lossy(&status));
            let push = Accepted {
                parcel,
                sent_at,
                answered: Instant::now(),
            };
            // Nobody listens after an error, which is told there.
            let _ = self.accepted.send(push);
        }
    }
}

impl Sending {
    /// Until the last answer; returns by how much a push was late at most.
    async fn join_all(mut self) -> anyhow::Result<Duration> {
        let mut lateness = Duration::ZERO;
        while let Some(connection) = self.0.join_next().await {
            lateness = lateness.max(connection??);
        }
        Ok(lateness)
    }
}

fn micros_since_1970() -> anyhow::Result<i64> {
    Ok(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros(),
    )?)
}

// --- The table -------------------------------------------------------------------------------------------------------

/// Looks for the rows of accepted pushes.
struct Watch {
    tables: Client,
    answers: UnboundedReceiver<Accepted>,
    /// Accepted, and not seen in the table, by tracking number.
    outstanding: HashMap<String, Accepted>,
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    /// Between one look at the table and the next.
    gaps: Vec<Duration>,
}

impl Watch {
    fn new(tables: Client, answers: UnboundedReceiver<Accepted>) -> Self {
        Self {
            tables,
            answers,
            outstanding: HashMap::new(),
            seen: Seen::default(),
        }
    }

    /// Until there are no more answers and all rows are seen.
    async fn run(mut self) -> anyhow::Result<Seen> {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_look = Instant::now();
        let mut deadline = None;
        loop {
            ticks.tick().await;
            let is_over = self.take_answers();
            if is_over && self.outstanding.is_empty() {
                return Ok(self.seen);
            }
            let rows = self.new_rows().await?;
            let now = Instant::now();
            self.seen.gaps.push(now - std::mem::replace(&mut last_look, now));
            for number in rows {
                if let Some(push) = self.outstanding.remove(&number) {
                    self.seen.latencies.push(now - push.answered);
                }
            }
            if is_over && now > *deadline.get_or_insert(now + DRAIN) {
                bail!("{} pushes have no row {DRAIN:?} after the last", self.outstanding.len());
            }
        }
    }

    /// True when there will be no more.
    fn take_answers(&mut self) -> bool {
        loop {
            match self.answers.try_recv() {
                Ok(push) => {
                    self.outstanding.insert(pushes::tracking_number(push.parcel), push);
                }
                Err(error) => return error == TryRecvError::Disconnected,
            }
        }
    }

    /// The tracking numbers of all rows that are as new as the oldest outstanding push, or newer. Most of the time there
    /// are none, and a part that holds older parcels alone is not read.
    async fn new_rows(&self) -> anyhow::Result<Vec<String>> {
        let Some(oldest) = self.outstanding.values().map(|push| push.sent_at).min() else {
            return Ok(Vec::new());
        };
        let query = "SELECT tracking_number FROM shipment WHERE first_received_at >= fromUnixTimestamp64Micro(?)";
        Ok(self.tables.query(query).bind(oldest).fetch_all::<String>().await?)
    }
}
