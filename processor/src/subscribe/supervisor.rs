//! Keeps the workers alive: one thread per slot. A worker that was fenced or failed is rebuilt from scratch.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::settings::SettingsError;
use tokio::runtime::Handle;

use super::accounts;
use super::error::caught;
use super::worker::{Shared, Worker};
use crate::config::Config;
use crate::exactly_once::rival::{self, Membership};
use crate::exactly_once::slot::{Slot, host_name};
use crate::health::Health;
use crate::shutdown::Shutdown;

/// Delays between rebuilds: short enough to resume soon after a failure, longer if it fails again and again.
const REBUILD_AFTER: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(LONGEST_DELAY)
    .with_jitter()
    .without_max_times();
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A worker that has run for so long has recovered: its next failure is a new one.
const RECOVERED: Duration = Duration::from_mins(1);

/// Reads the keys of all accounts, so that what is missing or wrong is told before anything is started.
pub fn check(config: &Config) -> Result<(), SettingsError> {
    accounts::load(config).map(drop)
}

/// Starts `subscribe.workers` workers. They end after [`Shutdown::begin`], each with its last transaction committed.
pub fn start(
    config: &Config,
    registry: &Registry,
    ids: SchemaIds,
    runtime: &Handle,
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let settings = &config.subscribe;
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
    let mut threads = Vec::new();
    for number in 0..settings.workers {
        let slot = Slot::acquire("subscribe.slot_dir", &settings.slot_dir, &settings.group, &host)?;
        let shared = shared.clone();
        let thread = std::thread::Builder::new().name(format!("subscribe-{number}"));
        threads.push(thread.spawn(move || {
            let part = format!("subscribe-{number}");
            let _worker = tracing::error_span!("worker", slot = slot.name()).entered();
            supervise(&shared, &slot, &part);
        })?);
    }
    Ok(threads)
}

fn supervise(shared: &Shared, slot: &Slot, part: &str) {
    let (health, shutdown) = (&shared.health, &shared.shutdown);
    let settings = &shared.config.subscribe;
    let membership = Membership {
        kafka: &shared.config.kafka,
        group: &settings.group,
        session_timeout: Duration::from_millis(settings.session_timeout_ms),
    };
    let mut delays = REBUILD_AFTER.build();
    while !shutdown.has_begun() {
        health.not_ready(part, "starting");
        let begun = Instant::now();
        // What is built before the worker runs may panic, too.
        match caught(|| Worker::run(shared, slot.name(), part)) {
            Ok(()) => return,
            Err(error) if error.is_for_an_operator() => {
                tracing::error!(slot = slot.name(), %error, "worker stopped: nobody is subscribed until it is restarted");
                health.not_ready(part, error.to_string());
                return;
            }
            Err(error) => {
                tracing::warn!(slot = slot.name(), %error, "worker is rebuilt");
                health.failed(part, &error.to_string());
                metrics::counter!("courierflow_subscribe_worker_rebuilds_total").increment(1);
                if begun.elapsed() > RECOVERED {
                    delays = REBUILD_AFTER.build();
                }
                shutdown.sleep(delays.next().unwrap_or(LONGEST_DELAY));
                if error.is_fenced() {
                    rival::wait_until_gone(membership, slot, part, health, shutdown);
                }
            }
        }
    }
}
