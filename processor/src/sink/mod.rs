//! Topics → tables. One worker per table reads its topic, makes rows of the records and inserts them in batches. The worker of `push`
//! fills `route_node`, too, so that the topic is read once.
//!
//! * [`worker`] is the Kafka side: poll, batch, commit, back-pressure, rebalance.
//! * [`settle`] is the ClickHouse side: it makes sure that every record of a batch is inserted or dead-lettered,
//!   however long that takes.
//! * [`rows`] is pure: it turns a record into the row of its table. [`insert`] sends rows, [`insert_error`] classifies
//!   failures.
//! * [`stored`] asks ClickHouse what it holds, [`runs`] begins where something may be missing, [`reread`] says how much of
//!   that is still to be read. [`notes`] keeps the order of what is noted as stored.
//!
//! A row depends on its record alone, which also gives its key and version, so reading a topic again changes nothing (I4).
//! An offset is committed only when everything before it is settled (I5). A worker holds at most one batch being filled
//! and one per settler (I6).

mod batch;
pub mod client;
mod consumer;
mod dead_letters;
mod insert;
pub(crate) mod insert_error;
mod notes;
mod reread;
pub mod rows;
mod runs;
mod settle;
mod stored;
mod table_health;
mod worker;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::wire::{Decoder, Record};
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::batch::Limits;
use self::dead_letters::DeadLetters;
use self::insert::Inserter;
use self::notes::Notes;
use self::rows::Table;
use self::settle::{Job, Settler, Unsettled};
pub(crate) use self::stored::NotKnown;
use self::stored::{Outdated, Stored};
use self::table_health::TableHealth;
use self::worker::{Outcome, State, Worker, WorkerError};
use crate::config::Config;
use crate::health::Health;
use crate::poison::PoisonGuard;
use crate::poll_error::is_of_unreadable_batch;
use crate::shutdown::Shutdown;

/// Inserts in flight per table: while the server finishes one, the rows of the next are made and sent.
const SETTLERS: usize = 2;

/// Delays between restarts of a worker whose Kafka client failed.
const RESTART: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(30))
    .with_jitter()
    .without_max_times();

/// What all workers share.
#[derive(Clone)]
struct Surroundings {
    config: Config,
    registry: Registry,
    ids: SchemaIds,
    runtime: Handle,
    shutdown: Shutdown,
}

/// Starts the workers, one for each table and each on its own thread. They show in `health` as `sink-push`, `sink-shipment`,
/// `sink-transition`, `sink-subscription`, `sink-vendor_call` and `sink-annotation`, and end after `shutdown` has begun, within about ten seconds.
/// `runtime` drives their connections to ClickHouse and must outlive them.
pub fn start(
    config: &Config,
    registry: &Registry,
    ids: SchemaIds,
    runtime: &Handle,
    health: &Health,
    shutdown: &Shutdown,
) -> io::Result<Vec<JoinHandle<()>>> {
    let surroundings = Surroundings {
        config: config.clone(),
        registry: registry.clone(),
        ids,
        runtime: runtime.clone(),
        shutdown: shutdown.clone(),
    };
    Ok(vec![
        start_worker::<rows::Push>(surroundings.clone(), health)?,
        start_worker::<rows::Shipment>(surroundings.clone(), health)?,
        start_worker::<rows::Transition>(surroundings.clone(), health)?,
        start_worker::<rows::Subscription>(surroundings.clone(), health)?,
        start_worker::<rows::VendorCall>(surroundings.clone(), health)?,
        start_worker::<rows::Annotation>(surroundings, health)?,
    ])
}

/// Where a sink would go on, by partition that its group has committed an offset of: there, or earlier where rows may be missing.
pub(crate) fn goes_on_at<T: Table>(
    config: &Config,
    committed: &BTreeMap<i32, i64>,
    runtime: &Handle,
) -> Result<BTreeMap<i32, i64>, NotKnown> {
    let held = Stored::new::<T>(config, runtime.clone()).held()?;
    let first = |(partition, committed): (&i32, &i64)| {
        let start = held.start.get(partition).copied().unwrap_or(0);
        let first = stored::first_to_read(Some(*committed), held.up_to.get(partition).copied(), start);
        (*partition, first)
    };
    Ok(committed.iter().map(first).collect())
}

fn start_worker<T: Table>(surroundings: Surroundings, health: &Health) -> io::Result<JoinHandle<()>> {
    let degraded_after = Duration::from_millis(surroundings.config.sink.degraded_after_ms);
    let health = TableHealth::new(T::NAME, health.clone(), degraded_after);
    thread::Builder::new()
        .name(format!("sink-{}", T::NAME))
        .spawn(move || supervise::<T>(&surroundings, &health))
}

/// Runs the worker, and restarts it if its Kafka client fails; not after an error that needs a human.
fn supervise<T: Table>(surroundings: &Surroundings, health: &TableHealth) {
    let mut delays = RESTART.build();
    let stored = Stored::new::<T>(&surroundings.config, surroundings.runtime.clone());
    loop {
        // AssertUnwindSafe is sound, because nothing of a worker that panicked is used again.
        let ended = catch_unwind(AssertUnwindSafe(|| run_worker::<T>(surroundings, health, &stored)));
        match ended {
            Ok(Ok(()) | Err(WorkerError::Unsettled(Unsettled::Abandoned))) => return,
            Ok(Err(WorkerError::Unsettled(reason))) => {
                tracing::error!(table = T::NAME, %reason, "sink: stopped, no offset was committed for what is not stored");
                health.stopped(&reason.to_string());
                return;
            }
            Ok(Err(error @ WorkerError::DataLoss(_))) => {
                tracing::error!(table = T::NAME, %error, "sink: stopped, nothing is stored until it is restarted");
                health.stopped(&error.to_string());
                return;
            }
            Ok(Err(WorkerError::Outdated)) => {
                tracing::info!(table = T::NAME, "sink: ClickHouse was restarted, or has another table");
                health.begins_again();
                continue;
            }
            Ok(Err(WorkerError::Kafka(KafkaError::MessageConsumption(error)))) if is_of_unreadable_batch(error) => {
                health.cannot_read(T::Record::topic(), &error.to_string());
            }
            Ok(Err(error)) => health.failed("run", &error.to_string()),
            Err(_) => health.failed("run", "the worker panicked"),
        }
        let delay = delays.next().unwrap_or(Duration::from_secs(30));
        if !surroundings.shutdown.sleep(delay) {
            return;
        }
    }
}

fn run_worker<T: Table>(surroundings: &Surroundings, health: &TableHealth, stored: &Stored) -> Result<(), WorkerError> {
    let config = &surroundings.config;
    let consumer = consumer::subscribe(config, T::NAME, T::Record::topic(), stored.clone())?;
    let guard = Arc::new(Mutex::new(PoisonGuard::new(config.processor.poison_guard)));
    let notes = Notes::default();
    let (outcome_sender, outcomes) = mpsc::channel();
    let (abandon, abandoned) = watch::channel(false);
    let outdated = Arc::<Outdated>::default();
    stored.watch(outdated.clone(), abandoned.clone());

    thread::scope(|scope| {
        let mut settlers = Vec::with_capacity(SETTLERS);
        for number in 0..SETTLERS {
            let timeout = Duration::from_millis(config.sink.insert_timeout_ms);
            let client = client::insert_client(&config.clickhouse, timeout);
            let decoder = Decoder::new(surroundings.registry.clone(), T::schema_id(&surroundings.ids));
            let settler = Settler::<T> {
                inserter: Inserter::new(client, decoder, config.carriers, timeout),
                dead_letters: DeadLetters::new(config, T::NAME, T::Record::topic()),
                guard: guard.clone(),
                notes: notes.clone(),
                health: health.clone(),
                runtime: surroundings.runtime.clone(),
                shutdown: surroundings.shutdown.clone(),
                abandon: abandoned.clone(),
            };
            let (job_sender, jobs) = mpsc::channel();
            settlers.push(job_sender);
            let outcomes = outcome_sender.clone();
            thread::Builder::new()
                .name(format!("sink-{}-{number}", T::NAME))
                .spawn_scoped(scope, move || settle_all(settler, number, &jobs, &outcomes))
                .map_err(|_| WorkerError::SettlerDied)?;
        }
        drop(outcome_sender);
        let worker = Worker::<T> {
            consumer,
            settlers,
            outcomes,
            notes,
            limits: Limits::from(&config.sink),
            health: health.clone(),
            outdated,
            shutdown: surroundings.shutdown.clone(),
            state: State::default(),
            table: std::marker::PhantomData,
        };
        let ended = worker.run();
        // Stop the settlers: what they are still doing will not be committed.
        abandon.send_replace(true);
        ended
    })
}

/// The thread of a settler. It ends when the worker has dropped its ends of the channels, or after the first failure.
fn settle_all<T: Table>(mut settler: Settler<T>, number: usize, jobs: &Receiver<Job>, outcomes: &Sender<Outcome>) {
    if let Err(reason) = settler.probe() {
        // The worker may have ended already.
        let _ = outcomes.send(Outcome {
            settler: number,
            result: Err(reason),
        });
        return;
    }
    while let Ok(job) = jobs.recv() {
        let result = settler.settle(&job);
        let failed = result.is_err();
        let outcome = Outcome {
            settler: number,
            result,
        };
        if outcomes.send(outcome).is_err() || failed {
            return;
        }
    }
}
