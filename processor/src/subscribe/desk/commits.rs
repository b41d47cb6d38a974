//! The ends of transactions and of assignments: what is committed, rolled back or forgotten.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::message::BorrowedMessage;

use super::Desk;
use crate::subscribe::answers::Internal;
use crate::subscribe::breakpoint::{self, Breakpoint};
use crate::subscribe::error::WorkerError;
use crate::subscribe::transaction::{Ended, OpenTransaction, Place, input};

/// A successor repeats the calls that have not ended by then.
const PATIENCE_WITH_CALLS: Duration = Duration::from_secs(6);

impl Desk {
    pub(in crate::subscribe) fn until_commit(&self, interval: Duration) -> Duration {
        self.transactions.until_commit(interval)
    }

    pub(in crate::subscribe) fn commit_is_due(&self, interval: Duration) -> bool {
        self.transactions.commit_is_due(interval)
    }

    /// Commits the open transaction and puts its calls in line, or rolls it back if committing fails and the producer can go on.
    pub(in crate::subscribe) fn commit(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
    ) -> Result<(), WorkerError> {
        match self.transactions.commit(consumer)? {
            Some(Ended::Committed(open)) => {
                open.counts.publish();
                for dead_letter in &open.dead_letters {
                    tracing::warn!("dead-lettered: {dead_letter}");
                }
                if !open.calls.is_empty() {
                    breakpoint::reach(Breakpoint::AfterIntent);
                }
                for queued in open.calls {
                    self.calls.queue(queued);
                }
            }
            Some(Ended::Aborted(open)) => self.roll_back(open)?,
            None => {}
        }
        Ok(())
    }

    pub(super) fn abort(&mut self) -> Result<(), WorkerError> {
        if let Some(Ended::Aborted(open)) = self.transactions.abort()? {
            self.roll_back(open)?;
        }
        Ok(())
    }

    fn roll_back(&mut self, open: OpenTransaction) -> Result<(), WorkerError> {
        let accounts = &self.accounts;
        self.state.undo(open.undo, |owner| accounts.is_running(owner))?;
        self.rewind.extend(open.first_offsets);
        for internal in open.internal.into_iter().rev() {
            match internal {
                Internal::Restored { .. } => self.restored.push_front(internal),
                other => self.internal.push_front(other),
            }
        }
        metrics::counter!("courierflow_subscribe_aborts_total").increment(1);
        Ok(())
    }

    /// Arranges that a record which could not be processed is read again.
    pub(in crate::subscribe) fn read_again(&mut self, message: &BorrowedMessage<'_>) {
        if let Some(topic) = input(message.topic()) {
            let place = (topic, message.partition());
            self.rewind.entry(place).or_insert(message.offset());
        }
    }

    /// Takes the offsets from which places must be read again.
    pub(in crate::subscribe) fn take_rewind(&mut self) -> BTreeMap<Place, i64> {
        std::mem::take(&mut self.rewind)
    }

    /// After a failure of the worker: the open transaction must not be committed by a callback that runs while the consumer closes.
    pub(in crate::subscribe) fn abandon(&mut self) {
        self.transactions.abandon();
        self.forget_all();
    }

    /// Waits for the calls in flight, and commits what they became. No further call is made.
    pub(in crate::subscribe) fn finish(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
    ) -> Result<(), WorkerError> {
        const STEP: Duration = Duration::from_millis(100);
        self.commit(consumer)?;
        let begun = Instant::now();
        while self.calls.are_in_flight() && begun.elapsed() < PATIENCE_WITH_CALLS {
            self.wait_for_call(STEP);
            self.work_through(false)?;
            if self.commit_is_due(STEP) {
                self.commit(consumer)?;
            }
        }
        self.commit(consumer)
    }

    /// Handles revoked partitions: what is open is committed, or aborted if they are `lost` and it is too late to commit.
    pub(in crate::subscribe) fn revoke(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        lost: bool,
    ) -> Result<(), WorkerError> {
        let ended = if lost { self.abort() } else { self.finish(consumer) };
        self.forget_all();
        ended
    }

    fn forget_all(&mut self) {
        self.state.clear();
        self.calls.clear();
        self.internal.clear();
        self.restored.clear();
        self.unread_pushes.clear();
        self.rewind.clear();
        self.transactions.assigned(BTreeMap::new());
    }
}
