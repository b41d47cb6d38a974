//! The command line. Each subcommand is a file with its arguments and a `run` function. Those that serve until a signal
//! differ only in the roles they run and share [`mod@serve`].

mod annotate;
mod dead_letters;
mod load_calendar;
mod load_sla;
mod migrate;
mod reconcile;
mod replay;
mod serve;
mod subscriptions;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use courierflow_processor::config::Config;
use courierflow_schemas::settings::{self, require};
use courierflow_service::completions::Completions;
use courierflow_service::{build_info, exit, health_check, kafka_access};
use tokio::runtime::Runtime;

use crate::PROGRAM;

use self::serve::{Role, serve};

/// Derives shipments and transitions from push events and writes them to ClickHouse.
#[derive(Parser)]
#[command(version = build_info::VERSION_AND_REVISION)]
pub(crate) struct Arguments {
    /// The configuration file; every key can be overridden by `COURIERFLOW__SECTION__KEY`.
    #[arg(long, global = true, env = settings::FILE_VARIABLE, default_value_os_t = settings::default_file())]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Configured(Configured),
    /// Print a script with which a shell completes subcommands and options, then end.
    Completions(Completions),
}

/// What needs the configuration.
#[derive(Subcommand)]
pub(crate) enum Configured {
    /// Derive, sink and dashboard in one process; also subscribe and reconcile, if an account is configured for them.
    Run,
    /// Push events to shipments and transitions only.
    Derive,
    /// Topics to tables only.
    Sink,
    /// Requests for subscriptions to calls of the vendors only.
    Subscribe,
    /// Queries of the vendors about silent parcels only; with --gap, an order to ask about all open parcels, then end.
    Reconcile(reconcile::Arguments),
    /// The dashboard only; needs nothing but `ClickHouse`.
    Dashboard,
    /// Create or align topics, schemas and tables, then end.
    Migrate(migrate::Arguments),
    /// Replace the carriers' promises, which on-time rates are measured against, with those of a CSV file.
    LoadSla(load_sla::Arguments),
    /// Replace the calendar of working days with that of a CSV file.
    LoadCalendar(load_calendar::Arguments),
    /// Say of a parcel what its vendor does not: that it was delivered, is lost or destroyed, or is to count in no figure.
    Annotate(annotate::Arguments),
    /// Derive the push events of the last days again into fresh tables, and report what would change.
    Replay(replay::Arguments),
    /// List dead-lettered records and replay them.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Ask for subscriptions from a file, show them, and ask again for those that have ended.
    #[command(subcommand)]
    Subscriptions(subscriptions::Command),
    /// Judge the configuration and the files that it names, then end; exit code 2 if `run` would not start with them.
    CheckConfig,
    /// Ask the processor of this host whether it is ready, then end; exit code 1 if it is not.
    Health,
}

impl Configured {
    fn uses_kafka(&self) -> bool {
        match self {
            Self::Dashboard | Self::LoadSla(_) | Self::LoadCalendar(_) | Self::CheckConfig | Self::Health => false,
            Self::Migrate(arguments) => arguments.use_kafka(),
            _ => true,
        }
    }

    /// Runs the subcommand to its end. Only `migrate --check` has another exit code than 0 to tell.
    pub(crate) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        // The runtime serves HTTP and the inserts; the workers are plain threads.
        let runtime = start_runtime().context("cannot start")?;
        if self.uses_kafka() {
            kafka_access::look(&config.kafka)?;
        }
        match self {
            Self::Migrate(arguments) => return migrate::run(config, &arguments, &runtime),
            Self::CheckConfig => {
                serve::check(config, &serve::roles(config))?;
                return Ok(exit::good_configuration(PROGRAM));
            }
            Self::Health => {
                let address = config.processor.admin_listen.unwrap_or(config.processor.listen);
                health_check::ask(address).map_err(|error| anyhow!("not ready: {error}"))
            }
            Self::Run => runtime.block_on(serve(config, &serve::roles(config))),
            Self::Subscribe => {
                let reason = "is missing: there is nobody to ask";
                require(config.subscribe.is_on(), "subscribe.accounts[0].subscribe_url", reason)?;
                runtime.block_on(serve(config, &[Role::Subscribe]))
            }
            Self::Reconcile(arguments) => runtime.block_on(reconcile::run(config, &arguments)),
            Self::Derive => runtime.block_on(serve(config, &[Role::Derive])),
            Self::Sink => runtime.block_on(serve(config, &[Role::Sink])),
            Self::Dashboard => runtime.block_on(serve(config, &[Role::Dashboard])),
            Self::LoadSla(arguments) => runtime.block_on(load_sla::run(config, &arguments)),
            Self::LoadCalendar(arguments) => runtime.block_on(load_calendar::run(config, &arguments)),
            Self::Annotate(arguments) => runtime.block_on(annotate::run(config, arguments)),
            Self::Replay(arguments) => replay::run(config, &arguments, runtime.handle()),
            Self::DeadLetters(command) => command.run(config, runtime.handle()),
            Self::Subscriptions(command) => command.run(config, &runtime),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

fn start_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}
