//! `processor dead-letters`: lists dead letters and replays them.

mod list;
mod replay;

use clap::Subcommand;
use courierflow_processor::config::Config;
use tokio::runtime::Handle;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show dead letters with their reasons, oldest first.
    List(list::Arguments),
    /// Produce records to courier.push.v1 again, so that derive processes them again. Doing it twice does no harm.
    Replay(replay::Arguments),
}

impl Command {
    pub(crate) fn run(self, config: &Config, runtime: &Handle) -> anyhow::Result<()> {
        match self {
            Self::List(arguments) => list::run(config, arguments),
            Self::Replay(arguments) => replay::run(config, arguments, runtime),
        }
    }
}
