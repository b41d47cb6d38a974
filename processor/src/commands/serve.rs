//! `processor run`, `derive`, `sink`, `subscribe`, `reconcile` and `dashboard`: a process that runs one or more roles until a signal.

use std::future::pending;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use courierflow_processor::config::Config;
use courierflow_processor::health::{self, Health};
use courierflow_processor::shutdown::Shutdown;
use courierflow_processor::{dashboard, derive, reconcile, retention, sink, subscribe, under_min_isr, unread};
use courierflow_schemas::registry::Registry;
use courierflow_service::http_server::{self, Limits};
use courierflow_service::{file_limit, signals};
use tokio::net::TcpListener;

/// Longer than an orderly shutdown takes: aborting a transaction, an insert, ten seconds for the sink.
const WORKERS_END: Duration = Duration::from_secs(30);

/// File descriptors beside those of connections to our port: the sink's consumers, the database's, the registry's, those of the
/// admin listener, the runtime's own, files.
const OTHER_FILES: usize = 256;

/// Of a worker of derive, subscribe or reconcile: its consumer and its producer, each with a few brokers, and the readers of its state.
const FILES_OF_A_WORKER: usize = 32;

/// The clients of [`unread`], as many as two workers have.
const WORKERS_WORTH_OF_WATCHING: usize = 2;

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Derive,
    Sink,
    Subscribe,
    Reconcile,
    Dashboard,
}

/// What `processor run` does: subscribe and reconcile only if an account is there for them.
pub(crate) fn roles(config: &Config) -> Vec<Role> {
    let mut roles = vec![Role::Derive, Role::Sink, Role::Dashboard];
    if config.subscribe.is_on() {
        roles.push(Role::Subscribe);
    }
    if config.subscribe.queried().next().is_some() {
        roles.push(Role::Reconcile);
    }
    roles
}

/// What the roles need of the configuration beside right values: files with keys, accounts that fit each other.
pub(crate) fn check(config: &Config, roles: &[Role]) -> anyhow::Result<()> {
    if roles.contains(&Role::Derive) {
        config.derive.options()?;
    }
    if roles.contains(&Role::Subscribe) {
        subscribe::check(config)?;
    }
    if roles.contains(&Role::Reconcile) {
        reconcile::check(config)?;
    }
    Ok(())
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(config: &Config, roles: &[Role]) -> anyhow::Result<()> {
    check(config, roles)?;
    // 1. The ports first: a second processor on them should say so before it touches anything.
    let mut limits = config.processor.connection_limits();
    let workers_of = |role: Role, workers: usize| if roles.contains(&role) { workers } else { 0 };
    let has_workers = roles.iter().any(|role| *role != Role::Dashboard);
    let workers = workers_of(Role::Derive, config.derive.workers)
        + workers_of(Role::Subscribe, config.subscribe.workers)
        // Its own clients, and those that ask how current the tables are.
        + workers_of(Role::Reconcile, 2)
        + if has_workers { WORKERS_WORTH_OF_WATCHING } else { 0 };
    let others = OTHER_FILES + FILES_OF_A_WORKER * workers;
    limits.connections = file_limit::connections_within("processor.max_connections", limits.connections, others)?;
    let listener = bind("processor.listen", config.processor.listen).await?;
    let admin = match config.processor.admin_listen {
        Some(address) => Some(bind("processor.admin_listen", address).await?),
        None => None,
    };
    let health = Health::default();
    let metrics = health::install_metrics()?;
    let counts = http_server::Metrics::new(
        "courierflow_processor_connections",
        "courierflow_processor_connections_closed_total",
    );
    let mut router = Router::new();
    let health_router = health::router(health.clone(), metrics.clone());
    if roles.contains(&Role::Dashboard) {
        router = router.merge(dashboard::router(config, metrics, health.clone()));
    }
    if let Some(admin) = admin {
        let counts = http_server::Metrics::none();
        tokio::spawn(http_server::serve(
            admin,
            health_router,
            Limits::ADMIN,
            counts,
            pending(),
        ));
    } else {
        router = router.merge(health_router);
    }

    // 2. The workers.
    let shutdown = Shutdown::default();
    let workers = if has_workers {
        start_workers(config, roles, &health, &shutdown).await?
    } else {
        // The dashboard is always ready: if the database is away, its page says so, which is better than no page.
        health.ready("dashboard");
        Vec::new()
    };

    // 3. Serve until a signal, then let every worker finish what is open.
    let server = tokio::spawn(http_server::serve(listener, router, limits, counts, pending()));
    signals::termination()?.await;
    tracing::info!("shutting down");
    shutdown.begin();
    let ended = wait_for_workers(workers).await;
    server.abort();
    ended
}

async fn bind(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{key} {address}"))
}

async fn start_workers(
    config: &Config,
    roles: &[Role],
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    // The ids of our schemas come from the registry or, while that is away, from disk.
    let registry = Registry::new(&config.registry);
    let asked = registry.clone();
    let ids = tokio::task::spawn_blocking(move || asked.schema_ids()).await??;

    tokio::spawn(retention::publish(config.clone()));
    tokio::spawn(under_min_isr::publish(config.clone()));
    unread::publish(config, shutdown)?;
    let mut workers = Vec::new();
    if roles.contains(&Role::Derive) {
        workers.extend(derive::start(config, &registry, ids, health, shutdown)?);
    }
    if roles.contains(&Role::Subscribe) {
        let handle = tokio::runtime::Handle::current();
        workers.extend(subscribe::start(config, &registry, ids, &handle, health, shutdown)?);
    }
    if roles.contains(&Role::Reconcile) {
        let handle = tokio::runtime::Handle::current();
        workers.push(reconcile::start(config, &registry, ids, &handle, health, shutdown)?);
    }
    if roles.contains(&Role::Sink) {
        let handle = tokio::runtime::Handle::current();
        workers.extend(sink::start(config, &registry, ids, &handle, health, shutdown)?);
    }
    Ok(workers)
}

/// Waits for the workers, but not forever: a Kafka client may wait without end for a broker that went away. Its
/// unfinished work is done again by the next owner, as after a kill.
async fn wait_for_workers(workers: Vec<JoinHandle<()>>) -> anyhow::Result<()> {
    let (sender, all_ended) = tokio::sync::oneshot::channel();
    // A plain thread, because the runtime would wait for a task of its own.
    std::thread::spawn(move || {
        let ends: Vec<_> = workers.into_iter().map(JoinHandle::join).collect();
        // After the time-out nobody receives this.
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
