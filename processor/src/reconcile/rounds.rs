//! When a round begins, and the rows that are on their way for it.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::candidates::{Found, LoadError, Scope, Tables};

/// Before the next attempt while `ClickHouse` is away, unless rounds come more often.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// The rounds of a worker, one after the other. The rows are read on the runtime, because the worker must poll meanwhile.
pub(super) struct Rounds {
    tables: Tables,
    runtime: Handle,
    every: Duration,
    due: Instant,
    loading: Option<Loading>,
    is_paused: bool,
}

struct Loading {
    scope: Scope,
    rows: Receiver<Result<Found, LoadError>>,
}

impl Rounds {
    pub(super) fn new(tables: Tables, runtime: Handle, every: Duration) -> Self {
        metrics::gauge!("courierflow_reconcile_paused").set(0.0);
        Self {
            tables,
            runtime,
            every,
            due: Instant::now(),
            loading: None,
            is_paused: false,
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
            Ok(rows) => rows.map_err(|error| error.to_string()),
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err("reading from ClickHouse panicked".to_owned()),
        };
        let loading = self.loading.take()?;
        match rows {
            Ok(found) => {
                self.due = Instant::now() + self.every;
                self.set_paused(None);
                Some((loading.scope, found))
            }
            Err(error) => {
                self.due = Instant::now() + self.every.min(TRY_AGAIN);
                self.set_paused(Some(&error));
                None
            }
        }
    }

    fn begin(&mut self, scope: Scope) {
        let (sender, rows) = sync_channel(1);
        let (tables, of) = (self.tables.clone(), scope.clone());
        self.runtime.spawn(async move {
            // Nobody receives it if the partitions are gone.
            let _ = sender.send(tables.load(&of).await);
        });
        self.loading = Some(Loading { scope, rows });
    }

    fn set_paused(&mut self, error: Option<&str>) {
        let was_paused = std::mem::replace(&mut self.is_paused, error.is_some());
        match error {
            Some(error) if !was_paused => tracing::warn!(error, "paused: nobody is asked until ClickHouse answers"),
            None if was_paused => tracing::info!("goes on: ClickHouse answers"),
            _ => {}
        }
        metrics::gauge!("courierflow_reconcile_paused").set(if error.is_some() { 1.0 } else { 0.0 });
    }
}
