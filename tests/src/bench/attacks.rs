//! `./dev bench attacks`: what honest vendors and probes see while strangers hold connections to ingest. Each push comes on a new
//! connection, which is the hardest for a server whose places are taken. It fails if what they see misses the target.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Connection;
use super::latency::percentile;
use super::metrics;
use super::pushes::SignedPushes;
use crate::attack::Attack;
use crate::stack::{Launch, LocalStack, Service};

const READY: Duration = Duration::from_secs(30);
/// An orchestrator takes a probe without an answer for this long as failed.
const PROBE: Duration = Duration::from_secs(1);
/// A vendor waits 8 s or longer for an answer.
const PUSH: Duration = Duration::from_secs(10);
/// The target under every attack: at most so long is the p99 of honest pushes, none of which is refused or fails, and no probe fails.
const MOST_P99: Duration = Duration::from_secs(1);
/// Between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Honest pushes per second.
    pub rate: u32,
    /// How long each attack is watched.
    pub time: Duration,
}

/// A name, how many connections, and what is sent on each.
type Kind = (&'static str, usize, &'static str);

/// The first is no attack: the figures of the others are to be compared with its own, and it has no target.
const KINDS: [Kind; 5] = [
    ("no attack", 0, ""),
    (
        "1,030 slow bodies without a signature",
        1_030,
        "POST /v1/push/kuaidi100/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nparam=",
    ),
    ("4,110 silent connections", 4_110, ""),
    (
        "1,045 headers that do not end",
        1_045,
        "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ),
    (
        "1,030 bodies that are refused",
        1_030,
        "POST /v1/push/kuaidi100/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nparam={}",
    ),
];

/// Runs all attacks, one after the other, and prints what was seen. Fails after the last one if any of them missed the target.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-attacks")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    println!(
        "{} honest pushes/s of 20 items, each on a connection of its own, for {} s; attackers open again what is closed",
        plan.rate,
        plan.time.as_secs()
    );
    println!(
        "target under each attack: no honest push refused or failed, their p99 at most {} ms, every probe of /livez answered \
         within {} ms",
        MOST_P99.as_millis(),
        PROBE.as_millis()
    );
    println!(
        "{:<40} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>12} {:>6}",
        "", "200", "refused", "failed", "p50 ms", "p99 ms", "max ms", "/livez max", "MiB"
    );
    let mut missed: Vec<String> = Vec::new();
    for (name, connections, sent) in KINDS {
        // A service of its own for each, so that its memory is that of this attack.
        let mut ingest = Launch::ingest().start("ingest", &stack)?;
        ingest.wait_ready(READY)?;
        let _attack = Attack::begin(&ingest, connections, sent)?;
        let seen = runtime.block_on(watch(&ingest, plan))?;
        println!(
            "{name:<40} {:>6} {:>8} {:>8} {:>8.1} {:>8.1} {:>8.1} {:>12} {:>6.0}",
            seen.latencies.len(),
            seen.refused,
            seen.failed,
            percentile(&seen.latencies, 50),
            percentile(&seen.latencies, 99),
            percentile(&seen.latencies, 100),
            seen.probes(),
            metrics::mebibytes(&ingest)?
        );
        if connections > 0 {
            missed.extend(seen.missed().into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    ensure!(missed.is_empty(), "the target is missed: {}", missed.join("; "));
    println!("the target is met under each attack");
    Ok(())
}

/// What honest clients saw.
#[derive(Debug, Default)]
struct Seen {
    /// Of the accepted pushes, from opening the connection to the answer; ascending.
    latencies: Vec<Duration>,
    /// Pushes that were answered otherwise than 200.
    refused: usize,
    /// Pushes without an answer.
    failed: usize,
    slowest_probe: Duration,
    /// Probes that were not answered 200 within a second.
    failed_probes: usize,
}

impl Seen {
    fn probes(&self) -> String {
        let slowest = self.slowest_probe.as_secs_f64() * 1e3;
        match self.failed_probes {
            0 => format!("{slowest:.1}"),
            failed => format!("{failed} failed"),
        }
    }

    /// What of the target is missed.
    fn missed(&self) -> Vec<String> {
        let counts = [
            (self.refused, "honest pushes were refused"),
            (self.failed, "honest pushes failed"),
            (self.failed_probes, "probes failed"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let mut missed: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        let p99 = percentile(&self.latencies, 99);
        if p99 > MOST_P99.as_secs_f64() * 1e3 {
            missed.push(format!("the p99 of honest pushes was {p99:.1} ms"));
        }
        missed
    }
}

async fn watch(ingest: &Service, plan: Plan) -> anyhow::Result<Seen> {
    let address: SocketAddr = ingest.url().trim_start_matches("http://").parse()?;
    let pushes = SignedPushes::new()?;
    let probes = tokio::spawn(probe(address, Instant::now() + plan.time));
    let mut answers = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / plan.rate);
    for number in 0..usize::try_from(u64::from(plan.rate) * plan.time.as_secs())? {
        ticks.tick().await;
        let request = pushes.request(number)?;
        answers.spawn(async move {
            let sent = Instant::now();
            (timeout(PUSH, ask(address, &request)).await, sent.elapsed())
        });
    }
    let mut seen = Seen::default();
    while let Some(answer) = answers.join_next().await {
        match answer? {
            (Ok(Ok(status)), latency) if &status == b"200" => seen.latencies.push(latency),
            (Ok(Ok(_)), _) => seen.refused += 1,
            _ => seen.failed += 1,
        }
    }
    seen.latencies.sort_unstable();
    (seen.slowest_probe, seen.failed_probes) = probes.await?;
    Ok(seen)
}

/// The slowest answer to `/livez` until the end, and how many there were none or none in time.
async fn probe(address: SocketAddr, end: Instant) -> (Duration, usize) {
    let (mut slowest, mut failed) = (Duration::ZERO, 0);
    while Instant::now() < end {
        let sent = Instant::now();
        match timeout(PROBE, ask(address, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")).await {
            Ok(Ok(status)) if &status == b"200" => slowest = slowest.max(sent.elapsed()),
            _ => failed += 1,
        }
        tokio::time::sleep(PROBE_EVERY).await;
    }
    (slowest, failed)
}

async fn ask(address: SocketAddr, request: &[u8]) -> anyhow::Result<[u8; 3]> {
    Connection::open(address).await?.send(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_target_is_missed_by_itself() {
        let seen = |milliseconds: &[u64]| Seen {
            latencies: milliseconds.iter().copied().map(Duration::from_millis).collect(),
            ..Seen::default()
        };
        // The slowest of 200 is beyond the p99.
        let mut most = vec![5_u64; 199];
        most.push(9_000);
        for (seen, missed) in [
            (seen(&most), ""),
            (seen(&[5, 1_000]), ""),
            (seen(&[5, 1_001]), "the p99 of honest pushes was 1001.0 ms"),
            (
                Seen {
                    refused: 2,
                    ..seen(&[5])
                },
                "2 honest pushes were refused",
            ),
            (Seen { failed: 3, ..seen(&[]) }, "3 honest pushes failed"),
            (
                Seen {
                    failed_probes: 1,
                    ..seen(&[5])
                },
                "1 probes failed",
            ),
        ] {
            assert_eq!(seen.missed().join("; "), missed);
        }
    }
}
