//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use courierflow_processor::dead_letter::Source;

/// Derives shipments and transitions from push events and writes them to ClickHouse.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The configuration file; every key can be overridden by `COURIERFLOW__SECTION__KEY`.
    #[arg(long, global = true, default_value = "deploy/local/courierflow.toml")]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derive, sink and dashboard in one process.
    Run,
    /// Push events to shipments and transitions only.
    Derive,
    /// Topics to tables only.
    Sink,
    /// Carrier performance in the browser only; needs nothing but `ClickHouse`.
    Dashboard,
    /// Create or align topics, schemas and tables, then end.
    Migrate,
    /// Replace the promised hours of carriers, which on-time rates are measured against, by those of a CSV file.
    LoadSla {
        /// carrier,origin,destination,hours: `*` stands for all, a place is an area code such as CN44 or CN4403.
        file: PathBuf,
    },
    /// Derive the push events of the last days anew, into fresh tables, and tell what would change.
    Replay(TableReplayArguments),
    /// Look at the records that were put aside, and put them back.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
}

#[derive(Subcommand)]
pub(crate) enum DeadLetters {
    /// Show what was put aside and why, oldest first.
    List(ListArguments),
    /// Produce records to courier.push.v1 again, for derive to see them once more. Doing it twice does no harm.
    Replay(ReplayArguments),
}

#[derive(Args)]
pub(crate) struct TableReplayArguments {
    /// Push events from here on: `earliest`, or a time such as 2026-08-09T12:00:00Z.
    #[arg(long, value_parser = replay_start)]
    pub(crate) from: ReplayStart,
    /// Put the fresh tables in the place of the present ones, which are kept as `…_before_replay`. No sink may run meanwhile.
    #[arg(long)]
    pub(crate) exchange: bool,
}

/// Where a replay begins; `None` is the oldest push event that there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplayStart(pub(crate) Option<jiff::Timestamp>);

fn replay_start(text: &str) -> Result<ReplayStart, jiff::Error> {
    match text {
        "earliest" => Ok(ReplayStart(None)),
        time => time.parse().map(|time| ReplayStart(Some(time))),
    }
}

#[derive(Args)]
pub(crate) struct ListArguments {
    /// courier.push.dead.v1 or courier.derive.dead.v1 only.
    #[arg(long)]
    pub(crate) topic: Option<Source>,
    /// Those with this reason (ingest) or error class (derive, sink) only.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// At most so many, the newest.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
    /// One JSON object per line.
    #[arg(long)]
    pub(crate) json: bool,
    /// With the records' values. They are personal data.
    #[arg(long)]
    pub(crate) payload: bool,
}

#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true).args(["all", "partition"])))]
pub(crate) struct ReplayArguments {
    /// Of which dead-letter topic.
    #[arg(long)]
    pub(crate) topic: Source,
    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
    /// Those with this reason (ingest) or error class (derive, sink) only.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// One of them: its partition on the dead-letter topic ...
    #[arg(long, requires = "offset")]
    pub(crate) partition: Option<i32>,
    /// ... and its offset, as `list` shows them.
    #[arg(long, requires = "partition")]
    pub(crate) offset: Option<i64>,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
