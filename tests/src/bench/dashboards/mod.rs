//! `./dev bench dashboards`: how long the metric tables take to refresh and the queries of `docs/metrics.md` and the
//! dashboard to answer, with more and more shipments, which are made by ClickHouse itself.

mod pages;
mod shipments;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use courierflow_processor::config::Config;
use courierflow_processor::migrate::clickhouse::migrate_clickhouse;

use crate::measures::REFRESHED;
use crate::metrics_page;
use crate::stack::{Launch, LocalStack, Server, Stack, repository};

/// Rows that one INSERT makes.
const CHUNK: u64 = 500_000;

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Shipments in the table, ascending; the last is the most.
    pub shipments: Vec<u64>,
    /// How often each query is asked.
    pub rounds: usize,
}

/// Prints a table for each number of shipments.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start_only("bench-dashboards", &[Server::ClickHouse])?;
    let mut config = Config::load(&repository().join("deploy/local/courierflow.toml"))?;
    config.clickhouse.url = stack.clickhouse_url();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(migrate_clickhouse(&config.clickhouse, config.carriers))?;
    // Their own schedule would measure two at a time; a stopped view could not be refreshed at all.
    for view in REFRESHED.map(|table| format!("{table}_refresh")) {
        sql(
            &stack,
            &format!("ALTER TABLE courier.{view} MODIFY REFRESH EVERY 1 YEAR"),
        )?;
        wait_for(&stack, &view)?;
    }

    let mut dashboard = Launch::processor("dashboard").start("dashboard", &stack)?;
    dashboard.wait_ready(Duration::from_secs(30))?;
    let page = std::fs::read_to_string(metrics_page::path())?;
    let mut present = 0;
    for shipments in plan.shipments.iter().copied() {
        ensure!(shipments > present, "--shipments must ascend");
        let begun = Instant::now();
        fill(&stack, present, shipments)?;
        present = shipments;
        println!("{shipments} shipments, made in {:.0?}", begun.elapsed());
        measure_refreshes(&stack)?;
        measure_queries(&stack, &metrics_page::queries(&page), plan.rounds)?;
        pages::measure(&dashboard.url(), plan.rounds)?;
        println!();
    }
    Ok(())
}

fn fill(stack: &LocalStack, from: u64, to: u64) -> anyhow::Result<()> {
    let mut next = from;
    while next < to {
        let count = CHUNK.min(to - next);
        sql(stack, &shipments::insert(next, count))?;
        next += count;
    }
    // As many parts as a table has that was filled slowly.
    sql(stack, "OPTIMIZE TABLE courier.shipment")?;
    Ok(())
}

fn wait_for(stack: &LocalStack, view: &str) -> anyhow::Result<()> {
    sql(stack, &format!("SYSTEM WAIT VIEW courier.{view}")).map(|_| ())
}

fn measure_refreshes(stack: &LocalStack) -> anyhow::Result<()> {
    println!(
        "  {:<34} {:>9} {:>12} {:>12} {:>10}",
        "refresh", "seconds", "rows read", "rows written", "MiB"
    );
    for view in REFRESHED.map(|table| format!("{table}_refresh")) {
        wait_for(stack, &view)?;
        let is_done = AtomicBool::new(false);
        let peak = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| peak_memory(stack, &is_done));
            let refreshed =
                sql(stack, &format!("SYSTEM REFRESH VIEW courier.{view}")).and_then(|_| wait_for(stack, &view));
            is_done.store(true, Ordering::Relaxed);
            refreshed.map(|()| watcher.join().unwrap_or_default())
        })?;
        let figures = sql(
            stack,
            &format!(
                "SELECT last_success_duration_ms / 1000, read_rows, written_rows, exception FROM system.view_refreshes \
                 WHERE database = 'courier' AND view = '{view}'"
            ),
        )?;
        let mut figures = figures.trim_end_matches('\n').split('\t');
        let mut next = || figures.next().context("a figure");
        let (seconds, read, written, exception) = (next()?, next()?, next()?, next()?);
        ensure!(exception.is_empty(), "{view}: {exception}");
        println!(
            "  {view:<34} {seconds:>9} {read:>12} {written:>12} {:>10}",
            peak / 1024 / 1024
        );
    }
    Ok(())
}

/// The most memory that a refresh was seen to hold.
fn peak_memory(stack: &LocalStack, is_done: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !is_done.load(Ordering::Relaxed) {
        let query = "SELECT max(peak_memory_usage) FROM system.processes WHERE query_kind = 'Insert'";
        let now = sql(stack, query).ok().and_then(|text| text.trim().parse().ok());
        peak = peak.max(now.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(50));
    }
    peak
}

fn measure_queries(stack: &LocalStack, queries: &[(String, String)], rounds: usize) -> anyhow::Result<()> {
    println!("  {:<34} {:>9} {:>9}", "query of docs/metrics.md", "p50 ms", "p95 ms");
    for (heading, query) in queries {
        // The first one reads from disk.
        sql(stack, query).with_context(|| heading.clone())?;
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let begun = Instant::now();
            sql(stack, query)?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let at = |percent: usize| {
            let position = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(position).copied().unwrap_or_default().as_secs_f64() * 1000.0
        };
        println!("  {heading:<34} {:>9.1} {:>9.1}", at(50), at(95));
    }
    Ok(())
}

fn sql(stack: &LocalStack, statement: &str) -> anyhow::Result<String> {
    let mut answer = ureq::post(stack.clickhouse_url())
        .config()
        .http_status_as_error(false)
        .build()
        .send(statement)?;
    let text = answer.body_mut().with_config().limit(u64::MAX).read_to_string()?;
    ensure!(answer.status() == 200, "{text}");
    Ok(text)
}
