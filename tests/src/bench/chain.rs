//! `./dev bench chain`: the simulator's parcels through everything: signed pushes of all vendors, as fast as they are answered, until the
//! last row is in `ClickHouse`. It prints what an event costs each process, and how much of the cores was used: where they were idle, the
//! parts waited for each other.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};

use super::{cpu, metrics};
use crate::simulator::push::{Simulation, SimulationConfig};
use crate::simulator::sender::{Progress, SenderConfig, send};
use crate::stack::{Launch, LocalStack, Server, Service};

/// For a service to be ready.
const READY: Duration = Duration::from_secs(30);
/// Pushes in flight, as the simulator has them.
const CONCURRENCY: usize = 64;
/// How long a push is tried again.
const GIVE_UP: Duration = Duration::from_mins(1);
/// After the last answer, for everything to be in the tables.
const DRAIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);
/// Those whose processor time is told.
const PROCESSES: [&str; 6] = ["Kafka", "ClickHouse", "ingest", "processor", "registry", "simulator"];

/// Sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Parcels of a round, about nine pushes each.
    pub parcels: u32,
    /// How often, each time with other parcels.
    pub rounds: u8,
}

/// What a round did.
struct Round {
    pushes: u64,
    /// Parcels in those pushes: records of the push topic.
    events: f64,
    answered: Duration,
    /// From the first request to the last row.
    all: Duration,
    /// Microseconds an event, by process.
    micros: [f64; PROCESSES.len()],
}

/// Runs it and prints its table.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-chain")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let mut chain = Chain {
        ingest: Launch::ingest().start("ingest", &stack)?,
        processor: Launch::processor("run").start("processor", &stack)?,
        stack,
        events: 0.0,
    };
    chain.ingest.wait_ready(READY)?;
    chain.processor.wait_ready(READY)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!(
        "{} parcels of the simulator a round, {CONCURRENCY} pushes in flight; services, servers and simulator on the same {cores} cores",
        plan.parcels
    );
    print!(
        "{:<6} {:>9} {:>9} {:>10} {:>10} {:>7}",
        "round", "pushes", "events", "pushes/s", "events/s", "cores"
    );
    for process in PROCESSES {
        print!(" {process:>10}");
    }
    println!(" {:>10}", "all");
    for number in 1..=plan.rounds {
        let round = chain.round(plan.parcels, number.into())?;
        let seconds = round.all.as_secs_f64();
        let micros: f64 = round.micros.iter().sum();
        print!(
            "{number:<6} {:>9} {:>9} {:>10.0} {:>10.0} {:>7.2}",
            round.pushes,
            round.events,
            round.pushes as f64 / seconds,
            round.events / seconds,
            micros * round.events / 1e6 / seconds
        );
        for micros in round.micros {
            print!(" {micros:>10.1}");
        }
        println!(" {micros:>10.1}");
        println!(
            "       answered after {:.1} s, all rows after {seconds:.1} s; {:.0} events/s if every core had been busy all the time",
            round.answered.as_secs_f64(),
            cores as f64 * 1e6 / micros
        );
    }
    println!(
        "by process: microseconds of processor time an event, with ClickHouse's merges and refreshes in that time"
    );
    Ok(())
}

struct Chain {
    ingest: Service,
    processor: Service,
    /// Events so far.
    events: f64,
    // The last field, so that services end before their servers.
    stack: LocalStack,
}

impl Chain {
    fn round(&mut self, parcels: u32, seed: u64) -> anyhow::Result<Round> {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let simulation = Simulation::new(SimulationConfig::local(seed, parcels, now));
        let before = self.processor_times()?;
        let begun = Instant::now();
        let sent = self.send(simulation)?;
        let answered = begun.elapsed();
        ensure!(
            sent.failed == 0,
            "{} pushes failed, the last one: {}",
            sent.failed,
            sent.last_failure.unwrap_or_default()
        );
        let events = metrics::sum(&self.ingest, "courierflow_ingest_parcels_total")? - self.events;
        self.events += events;
        self.wait_for_rows()?;
        let all = begun.elapsed();
        let after = self.processor_times()?;
        let mut micros = [0.0; PROCESSES.len()];
        for (micros, (after, before)) in micros.iter_mut().zip(after.into_iter().zip(before)) {
            *micros = after.saturating_sub(before).as_secs_f64() * 1e6 / events;
        }
        Ok(Round {
            pushes: sent.acked,
            events,
            answered,
            all,
            micros,
        })
    }

    fn send(&self, simulation: Simulation) -> anyhow::Result<Progress> {
        let config = SenderConfig {
            ingest_url: self.ingest.url(),
            rate: 0.0,
            concurrency: CONCURRENCY,
            give_up_after: GIVE_UP,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let sent = runtime.block_on(send(simulation, &config, Arc::new(AtomicBool::new(false)), |_| ()))?;
        Ok(sent)
    }

    /// Until every push, every version of a shipment and every transition is a row.
    fn wait_for_rows(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + DRAIN;
        loop {
            // A counter is there when something was counted.
            let count = |name: &str, label: &str| metrics::sum_where(&self.processor, name, label).unwrap_or_default();
            let rows = |table: &str| count("courierflow_sink_rows_total", &format!("table=\"{table}\""));
            let derived = count("courierflow_derive_push_events_total", "");
            let shipments = count("courierflow_derive_push_events_total", "outcome=\"accepted\"");
            let transitions = count("courierflow_derive_transitions_total", "");
            if derived >= self.events
                && rows("push") >= self.events
                && rows("shipment") >= shipments
                && rows("transition") >= transitions
            {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{DRAIN:?} after the last answer {derived} of {} events are derived, and there are {} rows of push, {} of {shipments} of \
                 shipment and {} of {transitions} of transition:\n{}",
                self.events,
                rows("push"),
                rows("shipment"),
                rows("transition"),
                self.processor.log_end()
            );
            sleep(POLL);
        }
    }

    /// In the order of [`PROCESSES`].
    fn processor_times(&self) -> anyhow::Result<[Duration; PROCESSES.len()]> {
        let server = |server| cpu::of_server(&self.stack, server).with_context(|| format!("{server}"));
        Ok([
            server(Server::Kafka)?,
            server(Server::ClickHouse)?,
            cpu::of(self.ingest.pid())?,
            cpu::of(self.processor.pid())?,
            server(Server::Registry)?,
            cpu::of_this_process()?,
        ])
    }
}
