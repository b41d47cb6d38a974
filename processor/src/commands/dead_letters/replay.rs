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
    /// The dead-letter topic.
    #[arg(long)]
    topic: Source,
    /// Replay all of them.
    #[arg(long)]
    all: bool,
    /// Only those with this reason (ingest) or error class (derive, sink).
    #[arg(long)]
    reason: Option<String>,
    /// Only one: its partition on the dead-letter topic ...
    #[arg(long, requires = "offset")]
    partition: Option<i32>,
    /// ... and its offset, as shown by `list`.
    #[arg(long, requires = "partition")]
    offset: Option<i64>,
    /// Only report what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Prints what was replayed and what cannot be; fails if not everything could be replayed.
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
