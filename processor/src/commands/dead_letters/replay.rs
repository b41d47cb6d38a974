//! `processor dead-letters replay`

use std::io;

use clap::{ArgGroup, Args};
use courierflow_processor::config::Config;
use courierflow_processor::dead_letter::replay::replay;
use courierflow_processor::dead_letter::{Selection, Source};
use tokio::runtime::Handle;

#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true).args(["all", "partition"])))]
pub(crate) struct Arguments {
    /// Of which dead-letter topic.
    #[arg(long)]
    topic: Source,
    /// All of them.
    #[arg(long)]
    all: bool,
    /// Those with this reason (ingest) or error class (derive, sink) only.
    #[arg(long)]
    reason: Option<String>,
    /// One of them: its partition on the dead-letter topic ...
    #[arg(long, requires = "offset")]
    partition: Option<i32>,
    /// ... and its offset, as `list` shows them.
    #[arg(long, requires = "partition")]
    offset: Option<i64>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Prints what is replayed and what cannot be; fails if that is not everything.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run(config: &Config, arguments: Arguments, runtime: &Handle) -> anyhow::Result<()> {
    let place = arguments.partition.zip(arguments.offset);
    let selection = Selection {
        source: Some(arguments.topic),
        reason: arguments.reason,
        place,
    };
    let dry_run = arguments.dry_run;
    let done = replay(&config.kafka, &selection, dry_run, runtime, &mut io::stdout())?;
    if done.is_empty() && place.is_some() {
        anyhow::bail!("there is no such dead letter");
    }
    let verb = if dry_run { "would be replayed" } else { "replayed" };
    println!("{} {verb}", done.replayed);
    if done.repeated > 0 {
        println!("{} more have the same content", done.repeated);
    }
    for line in done.refusals() {
        println!("{line}");
    }
    anyhow::ensure!(done.is_complete(), "not everything can be replayed");
    Ok(())
}
