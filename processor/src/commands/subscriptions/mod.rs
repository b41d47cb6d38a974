//! `processor subscriptions`: asks for subscriptions from a file, shows them, and asks again for those that have ended.

mod list;
mod load;
mod requeue;

use clap::Subcommand;
use courierflow_processor::config::Config;
use courierflow_schemas::records::SubscriptionState;
use tokio::runtime::Runtime;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask for every parcel of a CSV file. Loading a file twice asks once.
    Load(load::Arguments),
    /// Show subscriptions, newest first.
    List(list::Arguments),
    /// Ask again for subscriptions that have ended, by force. The same end is requeued once.
    Requeue(requeue::Arguments),
}

impl Command {
    pub(crate) fn run(self, config: &Config, runtime: &Runtime) -> anyhow::Result<()> {
        match self {
            Self::Load(arguments) => runtime.block_on(load::run(config, &arguments)),
            Self::List(arguments) => runtime.block_on(list::run(config, arguments)),
            Self::Requeue(arguments) => runtime.block_on(requeue::run(config, arguments)),
        }
    }
}

fn state(name: &str) -> Result<SubscriptionState, String> {
    let found = SubscriptionState::ALL
        .iter()
        .find(|state| state.as_str().eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = SubscriptionState::ALL.iter().map(|state| state.as_str()).collect();
        format!("is none of {}", names.join(", "))
    })
}
