//! `processor run | derive | sink | migrate`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use courierflow_processor::config::Config;
use courierflow_processor::health::{self, Health};
use courierflow_processor::shutdown::Shutdown;
use courierflow_processor::{derive, migrate, sink};
use courierflow_schemas::logging;
use courierflow_schemas::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Records become hundreds of short texts each, on several threads: a fifth of the time goes into the allocator of glibc,
/// half of that into this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code for a configuration that cannot be used.
const BAD_CONFIGURATION: u8 = 2;

/// Derives shipments and transitions from push events and writes them to ClickHouse.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file; every key can be overridden by `COURIERFLOW__SECTION__KEY`.
    #[arg(long, global = true, default_value = "deploy/local/courierflow.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Derive and sink in one process.
    Run,
    /// Push events to shipments and transitions only.
    Derive,
    /// Topics to tables only.
    Sink,
    /// Create or align topics, schemas and tables, then end.
    Migrate,
}

fn main() -> ExitCode {
    // 1. What to do, and with which configuration.
    let Arguments { config, command } = Arguments::parse();
    logging::init();
    let config = match Config::load(&config) {
        Ok(config) => config,
        Err(error) => {
            report(&error);
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    // 2. The runtime serves HTTP and the inserts; the workers are plain threads.
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| match command {
            Command::Migrate => runtime.block_on(migrate_and_report(&config)),
            Command::Run | Command::Derive | Command::Sink => runtime.block_on(serve(&config, command)),
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the one line a user reads when nothing runs")]
fn report(error: &dyn std::fmt::Display) {
    eprintln!("processor: {error}");
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
async fn migrate_and_report(config: &Config) -> anyhow::Result<()> {
    let changes = migrate::run(config).await?;
    if changes.is_empty() {
        println!("nothing to change");
    }
    for change in changes {
        println!("{change}");
    }
    Ok(())
}

async fn serve(config: &Config, command: Command) -> anyhow::Result<()> {
    // 3. The port first: a second processor on it should say so before it touches anything.
    let listen = config.processor.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("processor.listen {listen}"))?;
    let health = Health::default();
    let router = health::router(health.clone(), health::install_metrics()?);

    // 4. The ids of our schemas, from the registry or, while that is away, from disk.
    let registry = Registry::new(&config.registry);
    let asked = registry.clone();
    let ids = tokio::task::spawn_blocking(move || asked.schema_ids()).await??;

    // 5. The workers.
    let shutdown = Shutdown::default();
    let mut workers = Vec::new();
    if matches!(command, Command::Run | Command::Derive) {
        workers.extend(derive::start(config, &registry, ids, &health, &shutdown)?);
    }
    if matches!(command, Command::Run | Command::Sink) {
        let handle = tokio::runtime::Handle::current();
        workers.extend(sink::start(config, &registry, ids, &handle, &health, &shutdown)?);
    }

    // 6. Serve until a signal, then let every worker finish what is open.
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    wait_for_signal().await?;
    tracing::info!("shutting down");
    shutdown.begin();
    let ended = tokio::task::spawn_blocking(move || {
        workers
            .into_iter()
            .map(std::thread::JoinHandle::join)
            .all(|end| end.is_ok())
    });
    let all_well = ended.await?;
    server.abort();
    anyhow::ensure!(all_well, "a worker panicked");
    Ok(())
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
