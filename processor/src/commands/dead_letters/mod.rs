//! `processor dead-letters`: what was put aside is looked at and put back.

mod list;
mod replay;

use clap::Subcommand;
use courierflow_processor::config::Config;
use tokio::runtime::Handle;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what was put aside and why, oldest first.
    List(list::Arguments),
    /// Produce records to courier.push.v1 again, for derive to see them once more. Doing it twice does no harm.
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
