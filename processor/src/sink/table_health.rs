//! The health of a table's worker, for `/readyz` and the log: one line when trouble begins, one when it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::health::Health;

/// Shared by the threads of one worker. Cheap to clone.
#[derive(Clone)]
pub(super) struct TableHealth {
    table: &'static str,
    part: String,
    health: Health,
    degraded_after: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    table_is_as_expected: bool,
    joined: Option<Instant>,
    /// Records whose rows may be missing.
    to_read_again: u64,
    trouble: Option<Trouble>,
    /// A worker ended at a batch that it cannot read, and no later one has got past it.
    is_stuck: bool,
}

/// A worker that has gone on for so long is past a batch that nobody could read.
const GOES_ON: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Trouble {
    since: Instant,
    attempts: u64,
}

impl TableHealth {
    pub(super) fn new(table: &'static str, health: Health, degraded_after: Duration) -> Self {
        let part = format!("sink-{table}");
        health.not_ready(&part, "starting");
        Self {
            table,
            part,
            health,
            degraded_after,
            state: Arc::default(),
        }
    }

    /// ClickHouse answered, and its table fits our rows.
    pub(super) fn table_is_as_expected(&self) {
        let mut state = self.state();
        state.table_is_as_expected = true;
        self.show(&state);
    }

    /// The consumer is a member of its group.
    pub(super) fn has_joined_group(&self) {
        let mut state = self.state();
        state.joined = Some(Instant::now());
        self.show(&state);
    }

    /// The group reassigned the worker's partitions without revoking them first; the worker will join again.
    pub(super) fn has_lost_group(&self) {
        self.state().joined = None;
        self.health
            .not_ready(&self.part, "lost its partitions: no contact with the group");
    }

    /// So many records are still to be read again, because their rows may be missing.
    pub(super) fn reads_again(&self, remaining: u64) {
        let mut state = self.state();
        let before = std::mem::replace(&mut state.to_read_again, remaining);
        if remaining > 0 && state.trouble.is_none() {
            self.health.not_ready(
                &self.part,
                format!("reading again what ClickHouse may have lost: {remaining} records to go"),
            );
        } else if before > 0 && remaining == 0 {
            tracing::info!(table = self.table, "sink: what ClickHouse may have lost is there again");
            self.show(&state);
        }
    }

    /// The worker ends at a batch that it cannot read. So will the next one, unless the batch is mended.
    pub(super) fn cannot_read(&self, topic: &str, error: &str) {
        let mut state = self.state();
        state.is_stuck = true;
        state.joined = None;
        self.health
            .not_ready(&self.part, format!("cannot read a batch of {topic}: {error}"));
    }

    /// The worker is still there.
    pub(super) fn goes_on_reading(&self) {
        let mut state = self.state();
        let is_past_it = state.joined.is_some_and(|joined| joined.elapsed() >= GOES_ON);
        if is_past_it && std::mem::take(&mut state.is_stuck) {
            tracing::info!(table = self.table, "sink: reads on");
            self.show(&state);
        }
    }

    /// The worker ends, and the next one asks what is stored.
    pub(super) fn begins_again(&self) {
        self.state().joined = None;
        self.health.not_ready(
            &self.part,
            "asking ClickHouse what it holds, because it was restarted or has another table",
        );
    }

    /// An action failed and will be retried.
    pub(super) fn failed(&self, action: &'static str, error: &str) {
        let mut state = self.state();
        let trouble = state.trouble.get_or_insert_with(|| {
            tracing::warn!(table = self.table, action, error, "sink: failing, will be retried");
            Trouble {
                since: Instant::now(),
                attempts: 0,
            }
        });
        trouble.attempts += 1;
        let failing_for = trouble.since.elapsed();
        if failing_for >= self.degraded_after {
            self.health.not_ready(
                &self.part,
                format!("cannot {action} for {} s: {error}", failing_for.as_secs()),
            );
        }
    }

    /// The action succeeded.
    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        let Some(trouble) = state.trouble.take() else { return };
        tracing::info!(
            table = self.table,
            seconds = trouble.since.elapsed().as_secs_f64(),
            failed_attempts = trouble.attempts,
            "sink: works again"
        );
        self.show(&state);
    }

    /// The worker has stopped for good.
    pub(super) fn stopped(&self, reason: &str) {
        self.health.not_ready(&self.part, format!("stopped: {reason}"));
    }

    fn show(&self, state: &State) {
        let is_complete = state.joined.is_some() && !state.is_stuck && state.to_read_again == 0;
        if state.table_is_as_expected && is_complete && state.trouble.is_none() {
            self.health.ready(&self.part);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock does no harm: every change is a single assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
