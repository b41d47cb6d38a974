//! `processor migrate`: brings topics, schemas and tables to the state that this version needs.

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::migrate::{self, Report};
use tokio::runtime::Runtime;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Give all topics `topics.partitions` partitions, if they have fewer, and move the state of every parcel and subscription to the
    /// partition that it belongs to then. Nothing may run meanwhile, and derive, subscribe and sink must have read everything.
    #[arg(long)]
    grow: bool,
}

/// Prints what was changed, one line each, and what an operator should look at.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run(config: &Config, arguments: &Arguments, runtime: &Runtime) -> anyhow::Result<()> {
    let mut changes = Vec::new();
    if arguments.grow {
        changes.extend(migrate::grow(config, runtime.handle())?);
    }
    let Report {
        changes: others,
        warnings,
    } = runtime.block_on(migrate::run(config))?;
    changes.extend(others);
    if changes.is_empty() {
        println!("nothing to change");
    }
    for change in changes {
        println!("{change}");
    }
    for warning in warnings {
        println!("warning: {warning}");
    }
    Ok(())
}
