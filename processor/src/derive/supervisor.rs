//! Starts the workers: one thread per slot, each with its supervisor.

use std::thread::JoinHandle;
use std::time::Duration;

use courierflow_schemas::registry::{Registry, SchemaIds};

use super::state_budget::StateBudget;
use super::worker::{Shared, Worker};
use crate::config::Config;
use crate::exactly_once::rival::Membership;
use crate::exactly_once::slot::{Slot, host_name};
use crate::exactly_once::supervisor::Supervised;
use crate::health::Health;
use crate::shutdown::Shutdown;

/// Starts `derive.workers` workers. They end after [`Shutdown::begin`], each with its last transaction committed.
pub fn start(
    config: &Config,
    registry: &Registry,
    ids: SchemaIds,
    health: &Health,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    // Fails at once if the id key is missing.
    config.derive.options()?;
    let host = config.derive.host.clone().unwrap_or_else(host_name);
    let shared = Shared {
        config: config.clone(),
        registry: registry.clone(),
        ids,
        budget: StateBudget::new(config.derive.max_state_bytes),
        health: health.clone(),
        shutdown: shutdown.clone(),
    };
    let mut threads = Vec::new();
    for number in 0..config.derive.workers {
        let slot = Slot::acquire("derive.slot_dir", &config.derive.slot_dir, &config.derive.group, &host)?;
        let shared = shared.clone();
        let thread = std::thread::Builder::new().name(format!("derive-{number}"));
        threads.push(thread.spawn(move || {
            let part = format!("derive-{number}");
            let _worker = tracing::error_span!("worker", slot = slot.name()).entered();
            supervise(&shared, &slot, &part);
        })?);
    }
    Ok(threads)
}

fn supervise(shared: &Shared, slot: &Slot, part: &str) {
    let settings = &shared.config.derive;
    let supervised = Supervised {
        slot,
        membership: Membership {
            kafka: &shared.config.kafka,
            group: &settings.group,
            session_timeout: Duration::from_millis(settings.session_timeout_ms),
        },
        part,
        stopped: "worker stopped: nothing is derived until it is restarted",
        rebuilds: metrics::counter!("courierflow_derive_worker_rebuilds_total"),
        health: &shared.health,
        shutdown: &shared.shutdown,
    };
    supervised.run(|| Worker::new(shared, slot.name(), part).and_then(Worker::run));
}
