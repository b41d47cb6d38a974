//! Collects rows for the fresh tables into batches.

use super::ReplayError;
use crate::sink::rows::{self, Table};

/// Rows per batch.
const BATCH: usize = 10_000;

/// One batch.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) shipments: Vec<<rows::Shipment as Table>::Row>,
    pub(super) transitions: Vec<<rows::Transition as Table>::Row>,
}

/// Inserts a batch.
pub(super) trait Insert: FnMut(Rows) -> Result<(), ReplayError> {}

impl<F: FnMut(Rows) -> Result<(), ReplayError>> Insert for F {}

/// Passes a batch to `insert` as soon as it is full.
pub(super) struct RowBuffer<F> {
    rows: Rows,
    insert: F,
}

impl<F: Insert> RowBuffer<F> {
    pub(super) fn new(insert: F) -> Self {
        Self {
            rows: Rows::default(),
            insert,
        }
    }

    pub(super) fn push_shipment(&mut self, row: <rows::Shipment as Table>::Row) -> Result<(), ReplayError> {
        self.rows.shipments.push(row);
        self.insert_if_full()
    }

    pub(super) fn push_transition(&mut self, row: <rows::Transition as Table>::Row) -> Result<(), ReplayError> {
        self.rows.transitions.push(row);
        self.insert_if_full()
    }

    /// Inserts the rest.
    pub(super) fn finish(mut self) -> Result<(), ReplayError> {
        (self.insert)(self.rows)
    }

    fn insert_if_full(&mut self) -> Result<(), ReplayError> {
        if self.rows.shipments.len() >= BATCH || self.rows.transitions.len() >= BATCH {
            (self.insert)(std::mem::take(&mut self.rows))?;
        }
        Ok(())
    }
}
