//! `./dev bench NAME`: the benchmarks.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use courierflow_tests::bench::{
    attacks, chain, dashboards, derive, ingest, latency, pipeline, pressure, restore, rules, sink, subscribe,
};

/// That of the services: floors and rules that run in this process are to have the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the services on a stack of their own and prints figures beside floors of the same run.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    name: Name,
}

#[derive(Subcommand)]
enum Name {
    /// Pushes per second through ingest, beside a bare handler and the same work done plainly
    Ingest {
        /// How often each variant is measured
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
        /// Length of a measurement
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
    },
    /// What follows ingest: derive, sink and latency, one after the other
    Pipeline {
        #[command(flatten)]
        derive: Derive,
        #[command(flatten)]
        sink: Sink,
        #[command(flatten)]
        latency: Latency,
    },
    /// Push events per second through derive, beside a copying floor
    Derive(Derive),
    /// Processor time of derive's rules alone, beside a plain reading of the payloads
    Rules {
        /// Parcels; each gets two pushes
        #[arg(long, default_value_t = 50_000, value_parser = at_least_one)]
        parcels: usize,
        /// How often
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
    },
    /// Rows of shipment per second through the sink, beside inserts from memory
    Sink(Sink),
    /// `ClickHouse` away under load, then ingest overloaded: what memory and rates do
    Pressure {
        /// How long `ClickHouse` is away, in seconds
        #[arg(long = "away-seconds", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=3_600))]
        away: u64,
        /// Pushes per second meanwhile
        #[arg(long, default_value_t = 300)]
        rate: u32,
        /// How long ingest is overloaded, in seconds
        #[arg(long = "overload-seconds", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
        overload: u64,
    },
    /// The simulator's pushes through everything, as fast as they are answered: events per second, and what an event costs each process
    Chain {
        /// Parcels of a round, about nine pushes each
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
        parcels: u32,
        /// How often, each time with other parcels
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
    },
    /// What honest vendors and probes see while strangers hold connections to ingest; fails if that misses the target
    Attacks {
        /// Honest pushes per second
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        rate: u32,
        /// How long each attack is watched, in seconds
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
    },
    /// From kill -9 of derive to the first commit of its successor, beside a bare reading of the topic
    Restore {
        /// Live parcels of 20 items
        #[arg(long, default_value_t = 1_000_000, value_parser = at_least_one)]
        parcels: usize,
        /// How often the worker is killed
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
    },
    /// Subscribing: calls per second, memory and restore of live subscriptions, and what derive loses by it
    Subscribe {
        /// Calls of a measurement; 0 leaves this part out
        #[arg(long, default_value_t = 20_000)]
        calls: usize,
        /// Calls at the same time
        #[arg(long, default_value_t = 32, value_parser = concurrency)]
        concurrency: usize,
        /// Live subscriptions; 0 leaves this part out
        #[arg(long, default_value_t = 1_000_000)]
        subscriptions: usize,
        /// Parcels of a measurement beside derive, a push each; 0 leaves this part out
        #[arg(long, default_value_t = 200_000)]
        parcels: usize,
        /// How often each variant is measured
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
        rounds: u8,
    },
    /// From a push's answer until its row is seen, at a quarter of the maximum load
    Latency(Latency),
    /// Refreshes of the metric tables and the queries of docs/metrics.md, with more and more shipments
    Dashboards {
        /// How many shipments, ascending; ten million take 8 GB of disk
        #[arg(long, value_delimiter = ',', default_value = "1000000,3000000,10000000", value_parser = clap::value_parser!(u64).range(1..))]
        shipments: Vec<u64>,
        /// How often each query is asked
        #[arg(long, default_value_t = 20, value_parser = at_least_one)]
        rounds: usize,
    },
}

#[derive(Args)]
struct Derive {
    /// derive: parcels; each gets two pushes
    #[arg(long, default_value_t = 100_000, value_parser = at_least_one)]
    parcels: usize,
}

#[derive(Args)]
struct Sink {
    /// sink: shipments of 20 events
    #[arg(long, default_value_t = 200_000, value_parser = at_least_one)]
    shipments: usize,
}

#[derive(Args)]
struct Latency {
    /// latency: pushes per second, instead of a quarter of the measured maximum
    #[arg(long)]
    rate: Option<f64>,
    /// latency: how long pushes are sent as fast as they are taken, to measure the maximum
    #[arg(long = "load-seconds", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=60))]
    load: u64,
    /// latency: how long pushes are sent at the rate
    #[arg(long = "latency-seconds", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    time: u64,
}

/// As many as an account may have at most.
fn concurrency(text: &str) -> Result<usize, String> {
    match at_least_one(text)? {
        number @ ..=1_000 => Ok(number),
        _ => Err("is more than 1000".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("is less than 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

impl From<Derive> for derive::Plan {
    fn from(Derive { parcels }: Derive) -> Self {
        Self { parcels }
    }
}

impl From<Sink> for sink::Plan {
    fn from(Sink { shipments }: Sink) -> Self {
        Self { shipments }
    }
}

impl From<Latency> for latency::Plan {
    fn from(sizes: Latency) -> Self {
        Self {
            rate: sizes.rate,
            load: Duration::from_secs(sizes.load),
            time: Duration::from_secs(sizes.time),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let _traces = courierflow_service::logging::init("bench");
    match Arguments::parse().name {
        Name::Ingest { rounds, seconds } => ingest::run(ingest::Plan {
            rounds: rounds.into(),
            time: Duration::from_secs(seconds),
        }),
        Name::Pipeline { derive, sink, latency } => pipeline::run(pipeline::Plan {
            derive: derive.into(),
            sink: sink.into(),
            latency: latency.into(),
        }),
        Name::Derive(sizes) => derive::run(sizes.into()),
        Name::Pressure { away, rate, overload } => pressure::run(pressure::Plan {
            away: Duration::from_secs(away),
            rate: f64::from(rate.max(1)),
            overload: Duration::from_secs(overload),
        }),
        Name::Attacks { rate, seconds } => attacks::run(attacks::Plan {
            rate,
            time: Duration::from_secs(seconds),
        }),
        Name::Chain { parcels, rounds } => chain::run(chain::Plan { parcels, rounds }),
        Name::Rules { parcels, rounds } => rules::run(parcels, rounds),
        Name::Restore { parcels, rounds } => restore::run(restore::Plan { parcels, rounds }),
        Name::Sink(sizes) => sink::run(sizes.into()),
        Name::Subscribe {
            calls,
            concurrency,
            subscriptions,
            parcels,
            rounds,
        } => subscribe::run(subscribe::Plan {
            calls,
            concurrency,
            subscriptions,
            parcels,
            rounds,
        }),
        Name::Latency(sizes) => latency::run(sizes.into()),
        Name::Dashboards { shipments, rounds } => dashboards::run(&dashboards::Plan { shipments, rounds }),
    }
}
