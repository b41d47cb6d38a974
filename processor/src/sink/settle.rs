//! Writes batches. A batch is settled when every record is inserted, or dead-lettered and acknowledged, or a
//! tombstone (I5). Only then may its offsets be committed.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use courierflow_schemas::wire::Record;
use metrics::{counter, histogram};
use tokio::runtime::Handle;

use super::batch::{Batch, SourceRecord};
use super::dead_letters::DeadLetters;
use super::insert::{Failure, Inserted, Inserter, Refusal};
use super::insert_error::Class;
use super::notes::{BatchNumber, Notes};
use super::rows::Table;
use super::table_health::TableHealth;
use crate::dead_letter::told;
use crate::health::seconds_since;
use crate::poison::{PoisonGuard, TooMuchPoison};
use crate::shutdown::Shutdown;

/// Delays between attempts: short enough to notice a server's restart soon, long enough not to hammer a broken one.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(Duration::from_secs(5))
    .with_jitter()
    .without_max_times();

/// Why a batch could not be settled. None of its offsets may be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsettled {
    /// The worker must stop, because the error does not pass by itself.
    #[error("{0}")]
    Fatal(String),
    /// The worker must stop, because the fault is more likely in our code than in the records.
    #[error("{reason}; last: {last}")]
    TooMuchPoison {
        reason: TooMuchPoison,
        /// The record that exceeded the limit: class, error and place.
        last: String,
    },
    /// The process is shutting down.
    #[error("given up, the process ends")]
    Abandoned,
}

/// What a settler gets.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) number: BatchNumber,
}

/// Settles batches of one worker, one after the other, on a thread of its own.
pub(super) struct Settler<T: Table> {
    pub(super) inserter: Inserter<T>,
    pub(super) dead_letters: DeadLetters,
    /// Shared with the worker's other settlers.
    pub(super) guard: Arc<Mutex<PoisonGuard>>,
    /// Shared with the worker and its other settlers.
    pub(super) notes: Notes,
    pub(super) health: TableHealth,
    /// Runs the clients' I/O.
    pub(super) runtime: Handle,
    /// Once it has begun, no further attempt is made.
    pub(super) shutdown: Shutdown,
    /// Cancels an attempt that is in progress.
    pub(super) abandon: tokio::sync::watch::Receiver<bool>,
}

impl<T: Table> Settler<T> {
    /// Waits until ClickHouse answers and the table is as expected.
    pub(super) fn probe(&mut self) -> Result<(), Unsettled> {
        match self.retry("reach ClickHouse", async |this| this.inserter.probe().await)? {
            Ok(()) => {
                self.health.table_is_as_expected();
                Ok(())
            }
            Err(failure) => Err(Unsettled::Fatal(failure.error)),
        }
    }

    /// Settles the batch, and then notes in ClickHouse what is stored.
    pub(super) fn settle(&mut self, Job { batch, number }: &Job) -> Result<(), Unsettled> {
        if !batch.is_empty() {
            self.settle_records(batch)?;
        }
        // After the rows: it must not be there without them.
        let ranges = self.notes.inserted(*number);
        if ranges.is_empty() {
            return Ok(());
        }
        let noted = self.retry("note what is stored", async |this| this.inserter.note(&ranges).await)?;
        noted.map_err(|failure| Unsettled::Fatal(failure.error))
    }

    /// Inserts the batch, with a single insert if no row is refused, and dead-letters the records without a row.
    fn settle_records(&mut self, batch: &Batch) -> Result<(), Unsettled> {
        let mut refused: Vec<(usize, Refusal)> = Vec::new();
        let mut rows = 0;
        let mut tombstones = 0;
        let (mut details, mut left_out) = (0, 0);

        // A part with a poison row is split in halves. The stack keeps the parts in the order of the records.
        let mut unsettled = Vec::from([(0, batch.len())]);
        while let Some((start, end)) = unsettled.pop() {
            match self.insert(batch, start..end)? {
                Ok(inserted) => {
                    rows += inserted.rows;
                    tombstones += inserted.tombstones;
                    details += inserted.details;
                    left_out += inserted.left_out;
                    self.watch(batch, start..end, &inserted.refused)?;
                    refused.extend(inserted.refused);
                }
                Err(error) if end - start == 1 => {
                    let one = [(start, Refusal::RefusedByServer(error))];
                    self.watch(batch, start..end, &one)?;
                    refused.extend(one);
                }
                Err(_) => {
                    let middle = start.midpoint(end);
                    unsettled.push((middle, end));
                    unsettled.push((start, middle));
                }
            }
        }
        self.put_aside(batch, &refused)?;

        counter!("courierflow_sink_batches_total", "table" => T::NAME).increment(1);
        counter!("courierflow_sink_rows_total", "table" => T::NAME).increment(rows as u64);
        counter!("courierflow_sink_bytes_total", "table" => T::NAME).increment(batch.bytes() as u64);
        counter!("courierflow_sink_tombstones_total", "table" => T::NAME).increment(tombstones as u64);
        if let Some(table) = T::DETAILS {
            counter!("courierflow_sink_rows_total", "table" => table).increment(details as u64);
            counter!("courierflow_sink_left_out_total", "table" => table).increment(left_out as u64);
        }
        if let Some(oldest) = batch.oldest_timestamp() {
            histogram!("courierflow_sink_record_age_seconds", "table" => T::NAME).record(seconds_since(oldest));
        }
        Ok(())
    }

    /// Inserts a part and retries until it succeeds. The inner error means that one of its rows is poison.
    fn insert(&mut self, batch: &Batch, part: Range<usize>) -> Result<Result<Inserted, String>, Unsettled> {
        let outcome = self.retry("insert", async |this| {
            let begin = Instant::now();
            let outcome = this.inserter.attempt(batch, part.clone()).await;
            let name = match &outcome {
                Ok(_) => "ok",
                Err(failure) => failure.class.as_str(),
            };
            histogram!("courierflow_sink_insert_seconds", "table" => T::NAME, "outcome" => name)
                .record(begin.elapsed().as_secs_f64());
            if outcome.as_ref().is_err_and(|failure| failure.class == Class::PoisonRow) {
                // The server also reports a column of an unexpected type as bad data. The next attempt compares the
                // columns again.
                this.inserter.forget_columns().await;
            }
            outcome
        })?;
        match outcome {
            Ok(inserted) => Ok(Ok(inserted)),
            Err(Failure {
                class: Class::PoisonRow,
                error,
            }) => Ok(Err(error)),
            Err(failure) => Err(Unsettled::Fatal(failure.error)),
        }
    }

    /// Sends the refused records to the dead-letter topic and waits for its acknowledgements.
    fn put_aside(&mut self, batch: &Batch, refused: &[(usize, Refusal)]) -> Result<(), Unsettled> {
        let letters: Vec<(SourceRecord<'_>, &Refusal)> = refused
            .iter()
            .filter_map(|(position, refusal)| Some((batch.get(*position)?, refusal)))
            .collect();
        let Some((first, refusal)) = letters.first() else {
            return Ok(());
        };
        let sent = self.retry("send dead letters", async |this| {
            this.dead_letters.send(&letters).await.map_err(|error| Failure {
                class: Class::Transient,
                error: error.to_string(),
            })
        })?;
        sent.map_err(|failure| Unsettled::Fatal(failure.error))?;

        tracing::warn!(
            table = T::NAME,
            records = letters.len(),
            first_partition = first.partition,
            first_offset = first.offset,
            first_reason = refusal.class(),
            "sink: records without a row were dead-lettered"
        );
        for (_, refusal) in letters {
            counter!("courierflow_sink_dead_letters_total", "table" => T::NAME, "reason" => refusal.class())
                .increment(1);
        }
        Ok(())
    }

    fn watch(&self, batch: &Batch, part: Range<usize>, refused: &[(usize, Refusal)]) -> Result<(), Unsettled> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        watch(&mut guard, T::Record::topic(), batch, part, refused)
    }

    /// Repeats an attempt with growing delays until it succeeds or fails in a way that does not pass.
    fn retry<O>(
        &mut self,
        action: &'static str,
        mut attempt: impl AsyncFnMut(&mut Self) -> Result<O, Failure>,
    ) -> Result<Result<O, Failure>, Unsettled> {
        let mut delays = BACKOFF.build();
        loop {
            match self.unless_abandoned(&mut attempt)? {
                Ok(done) => {
                    self.health.succeeded();
                    return Ok(Ok(done));
                }
                Err(failure) if failure.class == Class::Transient => {
                    self.health.failed(action, &failure.error);
                    counter!("courierflow_sink_retries_total", "table" => T::NAME).increment(1);
                }
                Err(failure) => return Ok(Err(failure)),
            }
            let delay = delays.next().unwrap_or(Duration::from_secs(5));
            if !self.shutdown.sleep(delay) {
                return Err(Unsettled::Abandoned);
            }
        }
    }

    fn unless_abandoned<O>(
        &mut self,
        attempt: &mut impl AsyncFnMut(&mut Self) -> Result<O, Failure>,
    ) -> Result<Result<O, Failure>, Unsettled> {
        let mut abandon = self.abandon.clone();
        let runtime = self.runtime.clone();
        runtime.block_on(async {
            tokio::select! {
                outcome = attempt(self) => Ok(outcome),
                _ = abandon.wait_for(|abandon| *abandon) => Err(Unsettled::Abandoned),
            }
        })
    }
}

/// Reports the records of `part` to the guard; the `refused` ones have no row.
fn watch(
    guard: &mut PoisonGuard,
    topic: &str,
    batch: &Batch,
    part: Range<usize>,
    refused: &[(usize, Refusal)],
) -> Result<(), Unsettled> {
    let mut next = part.start;
    for (position, refusal) in refused {
        guard.good(position - next);
        let record = batch.get(*position);
        let key = record.as_ref().and_then(|record| record.key);
        guard.poison(key).map_err(|reason| Unsettled::TooMuchPoison {
            reason,
            last: describe(topic, record, refusal),
        })?;
        next = position + 1;
    }
    guard.good(part.end - next);
    Ok(())
}

fn describe(topic: &str, record: Option<SourceRecord<'_>>, refusal: &Refusal) -> String {
    let class = refusal.class();
    match record {
        Some(record) => format!("{class}: {} ({})", told(refusal), record.coordinates(topic)),
        None => format!("{class}: {}", told(refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of records of partition 3 that begins at offset 1,000.
    fn batch(records: usize) -> Batch {
        let mut batch = Batch::default();
        for offset in (1_000..).take(records) {
            let record = SourceRecord {
                partition: 3,
                offset,
                timestamp: None,
                key: None,
                value: None,
            };
            batch.push(record, Instant::now());
        }
        batch
    }

    #[test]
    fn one_too_many_is_named() {
        let batch = batch(300);
        let refused: Vec<_> = (50..200).map(|position| (position, Refusal::NoValue)).collect();
        let mut guard = PoisonGuard::new(true);
        let stopped = watch(&mut guard, "courier.push.v1", &batch, 0..300, &refused).unwrap_err();
        assert_eq!(
            stopped.to_string(),
            "the records of more than 100 parcels in a row cannot be used; last: no_value: the record has no value \
             (courier.push.v1/3 at offset 1150)"
        );
    }

    #[test]
    fn what_lies_between_ends_the_row() {
        let batch = batch(200);
        let refused = |range: Range<usize>| range.map(|position| (position, Refusal::NoValue)).collect::<Vec<_>>();
        let mut guard = PoisonGuard::new(true);
        for part in [refused(0..100), refused(1..101)] {
            watch(&mut guard, "t", &batch, 0..200, &part).unwrap_or_else(|_| panic!("{part:?}"));
        }
    }
}
