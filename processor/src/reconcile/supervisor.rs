//! Starts the worker, on a thread with its supervisor.

use std::thread::JoinHandle;
use std::time::Duration;

use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::settings::SettingsError;
use tokio::runtime::Handle;

use super::accounts;
use super::error::caught;
use super::worker::{Shared, Worker};
use crate::config::Config;
use crate::exactly_once::rival::Membership;
use crate::exactly_once::slot::{Slot, host_name};
use crate::exactly_once::supervisor::Supervised;
use crate::health::Health;
use crate::shutdown::Shutdown;

/// The worker's name in `/readyz`.
const PART: &str = "reconcile";

/// Reads the keys of all accounts, so that what is missing or wrong is told before anything is started.
pub fn check(config: &Config) -> Result<(), SettingsError> {
    accounts::load(config).map(drop)
}

/// Starts the worker. It ends after [`Shutdown::begin`], with its last transaction committed.
pub fn start(
    config: &Config,
    registry: &Registry,
    ids: SchemaIds,
    runtime: &Handle,
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<JoinHandle<()>> {
    let settings = &config.reconcile;
    let host = config.derive.host.clone().unwrap_or_else(host_name);
    let shared = Shared {
        config: config.clone(),
        // Fails at once if a key is missing.
        contracts: accounts::load(config)?,
        registry: registry.clone(),
        ids,
        runtime: runtime.clone(),
        health: health.clone(),
        shutdown: shutdown.clone(),
    };
    let slot = Slot::acquire("reconcile.slot_dir", &settings.slot_dir, &settings.group, &host)?;
    let thread = std::thread::Builder::new().name(PART.to_owned());
    Ok(thread.spawn(move || {
        let _worker = tracing::error_span!("worker", slot = slot.name()).entered();
        supervise(&shared, &slot);
    })?)
}

fn supervise(shared: &Shared, slot: &Slot) {
    let settings = &shared.config.reconcile;
    let supervised = Supervised {
        slot,
        membership: Membership {
            kafka: &shared.config.kafka,
            group: &settings.group,
            session_timeout: Duration::from_millis(settings.session_timeout_ms),
        },
        part: PART,
        stopped: "worker stopped: nobody is asked about silent parcels until it is restarted",
        rebuilds: metrics::counter!("courierflow_reconcile_worker_rebuilds_total"),
        health: &shared.health,
        shutdown: &shared.shutdown,
    };
    // What is built before the worker runs may panic, too.
    supervised.run(|| caught(|| Worker::run(shared, slot.name(), PART)));
}
