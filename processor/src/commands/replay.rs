//! `processor replay`: derives push events again into fresh tables.

use std::io;

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::replay::{self, Plan};
use tokio::runtime::Handle;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Where to begin: `earliest`, or a time such as 2026-08-09T12:00:00Z.
    #[arg(long, value_parser = replay_start)]
    from: ReplayStart,
    /// Exchange the fresh tables for the present ones, which are kept as `…_before_replay`. No sink may run meanwhile.
    #[arg(long)]
    exchange: bool,
}

/// Where a replay begins; `None` means the oldest push event on the topic.
#[derive(Clone, Copy, Debug)]
struct ReplayStart(Option<jiff::Timestamp>);

fn replay_start(text: &str) -> Result<ReplayStart, jiff::Error> {
    match text {
        "earliest" => Ok(ReplayStart(None)),
        time => time.parse().map(|time| ReplayStart(Some(time))),
    }
}

/// Prints the differences between the fresh tables and the present ones, and the names of both.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run(config: &Config, arguments: &Arguments, runtime: &Handle) -> anyhow::Result<()> {
    let plan = Plan {
        from: arguments.from.0,
        exchange: arguments.exchange,
    };
    println!("{}", replay::run(config, plan, runtime, &mut io::stdout())?);
    if plan.exchange {
        println!("exchanged; the old rows are in shipment_before_replay and transition_before_replay");
    } else {
        println!("nothing was exchanged; the fresh rows are in shipment_fresh and transition_fresh");
    }
    Ok(())
}
