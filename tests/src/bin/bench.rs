//! `./dev bench NAME`: the benchmarks.

use std::time::Duration;

use clap::{Parser, Subcommand};
use courierflow_tests::bench::{derive, ingest};

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
    /// Push events per second through derive, beside a copying floor
    Derive {
        /// Parcels; each gets two pushes
        #[arg(long, default_value_t = 100_000)]
        parcels: usize,
    },
}

fn main() -> anyhow::Result<()> {
    courierflow_schemas::logging::init();
    match Arguments::parse().name {
        Name::Ingest { rounds, seconds } => ingest::run(ingest::Plan {
            rounds: rounds.into(),
            time: Duration::from_secs(seconds),
        }),
        Name::Derive { parcels } => derive::run(derive::Plan { parcels }),
    }
}
