//! `processor run | derive | sink | dashboard | migrate | load-sla | replay | dead-letters`

mod cli;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use courierflow_processor::config::Config;
use courierflow_processor::dead_letter::list::{self, Format, ListError};
use courierflow_processor::dead_letter::{Selection, replay};
use courierflow_processor::health::{self, Health};
use courierflow_processor::replay as tables_replay;
use courierflow_processor::shutdown::Shutdown;
use courierflow_processor::{dashboard, derive, migrate, sink, sla};
use courierflow_schemas::logging;
use courierflow_schemas::registry::Registry;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Arguments, Command, DeadLetters, ListArguments, ReplayArguments, TableReplayArguments};

/// Records become hundreds of short texts each, on several threads: the allocator of glibc took a seventh of derive's
/// processor time, this one takes less than half of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longer than an orderly end takes: an aborted transaction, an insert, ten seconds of the sink.
const WORKERS_END: Duration = Duration::from_secs(30);

/// Exit code for a configuration that cannot be used.
const BAD_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    // 1. What to do, and with which configuration.
    let Arguments { config, command } = Arguments::parse();
    logging::init();
    logging::log_panics();
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
            Command::LoadSla { file } => runtime.block_on(load_sla_and_report(&config, &file)),
            Command::Run => runtime.block_on(serve(&config, &[Role::Derive, Role::Sink, Role::Dashboard])),
            Command::Derive => runtime.block_on(serve(&config, &[Role::Derive])),
            Command::Sink => runtime.block_on(serve(&config, &[Role::Sink])),
            Command::Dashboard => runtime.block_on(serve(&config, &[Role::Dashboard])),
            Command::Replay(arguments) => replay_tables(&config, &arguments, &runtime),
            Command::DeadLetters(DeadLetters::List(arguments)) => list_dead_letters(&config, arguments),
            Command::DeadLetters(DeadLetters::Replay(arguments)) => replay_dead_letters(&config, arguments, &runtime),
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

#[allow(clippy::print_stdout, reason = "the result of the command")]
async fn load_sla_and_report(config: &Config, file: &Path) -> anyhow::Result<()> {
    let now = u32::try_from(jiff::Timestamp::now().as_second())?;
    let promises = sla::load(&config.clickhouse, file, now).await?;
    println!("{promises} promises; the figures follow with the next refresh");
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
fn replay_tables(config: &Config, arguments: &TableReplayArguments, runtime: &Runtime) -> anyhow::Result<()> {
    let plan = tables_replay::Plan {
        from: arguments.from.0,
        exchange: arguments.exchange,
    };
    println!(
        "{}",
        tables_replay::run(config, plan, runtime.handle(), &mut io::stdout())?
    );
    if plan.exchange {
        println!("exchanged; the old rows are in shipment_before_replay and transition_before_replay");
    } else {
        println!("nothing was exchanged; the fresh rows are in shipment_fresh and transition_fresh");
    }
    Ok(())
}

fn list_dead_letters(config: &Config, arguments: ListArguments) -> anyhow::Result<()> {
    let selection = Selection {
        source: arguments.topic,
        reason: arguments.reason,
        place: None,
    };
    let format = Format {
        json: arguments.json,
        payload: arguments.payload,
    };
    let mut out = io::stdout().lock();
    match list::list(&config.kafka, &selection, arguments.limit, format, &mut out) {
        Ok(0) => {}
        Ok(left_out) => report(&format_args!(
            "{left_out} older ones are not shown: --limit, --topic, --reason"
        )),
        // Whoever reads has seen enough: `| head`.
        Err(ListError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
fn replay_dead_letters(config: &Config, arguments: ReplayArguments, runtime: &Runtime) -> anyhow::Result<()> {
    let place = arguments.partition.zip(arguments.offset);
    let selection = Selection {
        source: Some(arguments.topic),
        reason: arguments.reason,
        place,
    };
    let dry_run = arguments.dry_run;
    let done = replay::replay(&config.kafka, &selection, dry_run, runtime.handle(), &mut io::stdout())?;
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

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Derive,
    Sink,
    Dashboard,
}

async fn serve(config: &Config, roles: &[Role]) -> anyhow::Result<()> {
    // 3. The port first: a second processor on it should say so before it touches anything.
    let listen = config.processor.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("processor.listen {listen}"))?;
    let health = Health::default();
    let metrics = health::install_metrics()?;
    let mut router = health::router(health.clone(), metrics.clone());
    if roles.contains(&Role::Dashboard) {
        router = router.merge(dashboard::router(config, metrics));
    }

    // 4. The workers.
    let shutdown = Shutdown::default();
    let workers = if roles.contains(&Role::Derive) || roles.contains(&Role::Sink) {
        start_workers(config, roles, &health, &shutdown).await?
    } else {
        // A page that says that the database is away is worth more than none: it has no other way to be not ready. Beside
        // the workers it has no say at all.
        health.ready("dashboard");
        Vec::new()
    };

    // 5. Serve until a signal, then let every worker finish what is open.
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    wait_for_signal().await?;
    tracing::info!("shutting down");
    shutdown.begin();
    let ended = wait_for_workers(workers).await;
    server.abort();
    ended
}

async fn start_workers(
    config: &Config,
    roles: &[Role],
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    if roles.contains(&Role::Derive) {
        // A key that is missing is told at once.
        config.derive.options()?;
    }
    // The ids of our schemas, from the registry or, while that is away, from disk.
    let registry = Registry::new(&config.registry);
    let asked = registry.clone();
    let ids = tokio::task::spawn_blocking(move || asked.schema_ids()).await??;

    let mut workers = Vec::new();
    if roles.contains(&Role::Derive) {
        workers.extend(derive::start(config, &registry, ids, health, shutdown)?);
    }
    if roles.contains(&Role::Sink) {
        let handle = tokio::runtime::Handle::current();
        workers.extend(sink::start(config, &registry, ids, &handle, health, shutdown)?);
    }
    Ok(workers)
}

/// A client of a broker that went away in the wrong moment may wait for its answer without end; what it had open is done
/// again by the next owner, as after a kill.
async fn wait_for_workers(workers: Vec<JoinHandle<()>>) -> anyhow::Result<()> {
    let (sender, all_ended) = tokio::sync::oneshot::channel();
    // Not a task of the runtime, which would wait for it.
    std::thread::spawn(move || {
        let ends: Vec<_> = workers.into_iter().map(JoinHandle::join).collect();
        // Nobody listens any more when the time is over.
        let _ = sender.send(ends.iter().all(Result::is_ok));
    });
    let all_well = tokio::time::timeout(WORKERS_END, all_ended).await;
    let all_well = all_well.with_context(|| {
        let seconds = WORKERS_END.as_secs();
        format!("workers have not ended within {seconds} s; the next owner does again what they had open")
    })?;
    anyhow::ensure!(all_well.unwrap_or(false), "a worker panicked");
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
