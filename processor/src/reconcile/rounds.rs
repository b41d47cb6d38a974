//! When a round begins, and the rows that are on their way for it.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::behind::{NotCurrent, Sources};
use super::candidates::{Found, LoadError, Scope, Tables};
use super::shares::Shares;

/// Before the next attempt after a round that could not be made, unless rounds come more often.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// Between two looks at the shares that alarms watch, unless rounds come more seldom.
const SHARES: Duration = Duration::from_mins(10);

/// Why nobody is asked.
#[derive(Debug, thiserror::Error)]
enum Pause {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    NotCurrent(#[from] NotCurrent),
    #[error("reading from ClickHouse panicked")]
    Panicked,
}

/// The rounds of a worker, one after the other. The rows are read on a thread of their own, because the worker must poll meanwhile.
pub(super) struct Rounds {
    sources: Arc<Sources>,
    tables: Tables,
    runtime: Handle,
    every: Duration,
    due: Instant,
    loading: Option<Loading>,
    paused: Option<Pause>,
    /// The look at them that is under way holds it.
    shares: Arc<Mutex<Shares>>,
    shares_due: Instant,
}

struct Loading {
    scope: Scope,
    rows: Receiver<Result<Found, Pause>>,
}

impl Rounds {
    pub(super) fn new(sources: Sources, tables: Tables, runtime: Handle, every: Duration) -> Self {
        metrics::gauge!("courierflow_reconcile_paused").set(0.0);
        Self {
            sources: Arc::new(sources),
            tables,
            runtime,
            every,
            due: Instant::now(),
            loading: None,
            paused: None,
            shares: Arc::default(),
            shares_due: Instant::now(),
        }
    }

    /// Other partitions: what is on its way is of no use, and the next round is due.
    pub(super) fn restart(&mut self) {
        self.loading = None;
        self.due = Instant::now();
    }

    /// Begins a round if it is due; the rows of one that are there.
    pub(super) fn turn(&mut self, scope: impl FnOnce() -> Scope) -> Option<(Scope, Found)> {
        let Some(loading) = &self.loading else {
            if Instant::now() >= self.due {
                self.begin(scope());
            }
            return None;
        };
        let rows = match loading.rows.try_recv() {
            Ok(rows) => rows,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(Pause::Panicked),
        };
        let loading = self.loading.take()?;
        match rows {
            Ok(found) => {
                self.due = Instant::now() + self.every;
                self.set_paused(None);
                Some((loading.scope, found))
            }
            Err(pause) => {
                self.due = Instant::now() + self.every.min(TRY_AGAIN);
                self.set_paused(Some(pause));
                None
            }
        }
    }

    /// Why there was no round when the last one was due.
    pub(super) fn paused(&self) -> Option<String> {
        self.paused.as_ref().map(ToString::to_string)
    }

    fn begin(&mut self, scope: Scope) {
        let (sender, rows) = sync_channel(1);
        let (sources, tables, runtime, of) = (
            Arc::clone(&self.sources),
            self.tables.clone(),
            self.runtime.clone(),
            scope.clone(),
        );
        let shares = (Instant::now() >= self.shares_due).then(|| Arc::clone(&self.shares));
        if shares.is_some() {
            self.shares_due = Instant::now() + SHARES;
        }
        // A plain thread, because the runtime would wait for it at the end of the process, and it may wait for Kafka.
        thread::spawn(move || {
            // First, so that what is current then is also in the rows.
            let found = sources
                .check()
                .map_err(Pause::from)
                .and_then(|()| Ok(runtime.block_on(tables.load(&of))?));
            // Nobody receives it if the partitions are gone.
            let _ = sender.send(found);
            if let Some(shares) = shares {
                let mut shares = shares.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = runtime.block_on(shares.publish(&tables)) {
                    tracing::warn!(%error, "the shares of late first pushes and missed events are not known");
                }
            }
        });
        self.loading = Some(Loading { scope, rows });
    }

    fn set_paused(&mut self, pause: Option<Pause>) {
        match (&self.paused, &pause) {
            (None, Some(pause)) => tracing::warn!(reason = %pause, "paused: nobody is asked about silent parcels"),
            // The reason is another one. The same one may have another time in it.
            (Some(before), Some(now)) if std::mem::discriminant(before) != std::mem::discriminant(now) => {
                tracing::warn!(reason = %now, "still paused");
            }
            (Some(_), None) => tracing::info!("goes on: the tables can be read, and are current"),
            _ => {}
        }
        metrics::gauge!("courierflow_reconcile_paused").set(if pause.is_some() { 1.0 } else { 0.0 });
        self.paused = pause;
    }
}
