//! One attempt to insert a batch. Records are turned into rows while they are sent.

use std::error::Error as _;
use std::ops::Range;
use std::time::Duration;

use clickhouse::RowOwned;
use clickhouse::error::{Error, Result};
use clickhouse::insert::Insert;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::wire::{DecodeError, Decoder, Record};

use super::batch::{Batch, SourceRecord};
use super::insert_error::{Class, classify};
use super::rows::{Details, Table, Unrepresentable};
use super::stored::{self, StoredRange};

/// Characters of an error's first line that are kept for the log and `/readyz`.
const MAX_ERROR_CHARS: usize = 400;

/// Inserts into one table, and into its table of details if it has one.
pub(super) struct Inserter<T: Table> {
    client: clickhouse::Client,
    decoder: Decoder<T::Record>,
    carriers: &'static Carriers,
    /// For each step: asking for the table's columns, sending a piece, waiting for the end.
    timeout: Duration,
}

/// What happened to the records of a successful insert.
#[derive(Debug, Default)]
pub(super) struct Inserted {
    /// Number of rows stored.
    pub(super) rows: usize,
    /// Number of rows stored in the table of details.
    pub(super) details: usize,
    /// Number of details that could not be read.
    pub(super) left_out: usize,
    /// Number of tombstones, which make no row.
    pub(super) tombstones: usize,
    /// Records without a row, by position in the batch, ascending.
    pub(super) refused: Vec<(usize, Refusal)>,
}

/// Why a record has no row.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    #[error("the record has no value")]
    NoValue,
    #[error(transparent)]
    Unrepresentable(#[from] Unrepresentable),
    /// The server refuses the row.
    #[error("{0}")]
    RefusedByServer(String),
}

impl Refusal {
    /// Its stable name in metrics and dead letters.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Undecodable(error) => error.class(),
            Self::NoValue => "no_value",
            Self::Unrepresentable(_) => Unrepresentable::CLASS,
            Self::RefusedByServer(_) => "refused_by_clickhouse",
        }
    }
}

/// A failed insert; as far as we know, nothing was stored.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) class: Class,
    pub(super) error: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // The server's message without the client's "bad response" prefix. For a network error its causes are added,
        // which its own message leaves out.
        let mut text = match &error {
            Error::BadResponse(answer) => answer.clone(),
            other => other.to_string(),
        };
        let mut cause = error.source().and_then(|source| source.source());
        while let Some(deeper) = cause {
            text = format!("{text}: {deeper}");
            cause = deeper.source();
        }
        Self {
            class: classify(&error),
            error: text
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(MAX_ERROR_CHARS)
                .collect(),
        }
    }
}

enum Outcome<T: Table> {
    /// A row, possibly one that deletes another row, and details.
    Row(T::Row, Option<T::Row>, Details<T::Detail>),
    Tombstone,
    Refused(Refusal),
}

impl<T: Table> Inserter<T> {
    pub(super) fn new(
        client: clickhouse::Client,
        decoder: Decoder<T::Record>,
        carriers: &'static Carriers,
        timeout: Duration,
    ) -> Self {
        Self {
            client,
            decoder,
            carriers,
            timeout,
        }
    }

    /// Asks for the columns of the tables and compares them with the rows, so that a wrong password or an unexpected table
    /// is found before the first record.
    pub(super) async fn probe(&mut self) -> Result<(), Failure> {
        // The inserts are dropped without being ended, so nothing is sent.
        drop(self.begin::<T::Row>(T::NAME).await?);
        if let Some(table) = T::DETAILS {
            drop(self.begin::<T::Detail>(table).await?);
        }
        Ok(())
    }

    /// Sends the records of `part` in one insert, and their details in another. The rows are a function of the records and the mapping of
    /// carriers: a second attempt sends the same, so it does not matter which of the two has failed.
    pub(super) async fn attempt(&mut self, batch: &Batch, part: Range<usize>) -> Result<Inserted, Failure> {
        let mut inserted = Inserted::default();
        let mut insert = self.begin::<T::Row>(T::NAME).await?;
        let mut details: Option<Insert<T::Detail>> = None;
        for position in part {
            let Some(record) = batch.get(position) else { break };
            match self.row(record)? {
                Outcome::Row(row, retired, of_record) => {
                    insert.write(&row).await?;
                    if let Some(retired) = retired {
                        insert.write(&retired).await?;
                    }
                    inserted.rows += 1;
                    inserted.details += of_record.rows.len();
                    inserted.left_out += of_record.left_out;
                    self.write_details(&mut details, &of_record.rows).await?;
                }
                Outcome::Tombstone => inserted.tombstones += 1,
                Outcome::Refused(refusal) => inserted.refused.push((position, refusal)),
            }
        }
        insert.end().await?;
        if let Some(details) = details {
            details.end().await?;
        }
        Ok(inserted)
    }

    /// Most batches have no details, so the insert begins with the first one.
    async fn write_details(&self, insert: &mut Option<Insert<T::Detail>>, rows: &[T::Detail]) -> Result<()> {
        let Some(table) = T::DETAILS.filter(|_| !rows.is_empty()) else {
            return Ok(());
        };
        let insert = match insert {
            Some(insert) => insert,
            None => insert.insert(self.begin(table).await?),
        };
        for row in rows {
            insert.write(row).await?;
        }
        Ok(())
    }

    /// Notes what is stored.
    pub(super) async fn note(&self, ranges: &[StoredRange]) -> Result<(), Failure> {
        let insert = tokio::time::timeout(self.timeout, self.client.insert::<StoredRange>(stored::TABLE))
            .await
            .map_err(|_| Error::TimedOut)??;
        let mut insert = insert.with_timeouts(Some(self.timeout), Some(self.timeout));
        for range in ranges {
            insert.write(range).await?;
        }
        insert.end().await?;
        Ok(())
    }

    /// Drops the cached columns of the table, which may have been altered.
    pub(super) async fn forget_columns(&mut self) {
        self.client.clear_cached_metadata().await;
    }

    async fn begin<R: RowOwned>(&self, table: &str) -> Result<Insert<R>> {
        // The client asks the server for the columns (once), without a time-out of its own.
        let insert = tokio::time::timeout(self.timeout, self.client.insert::<R>(table))
            .await
            .map_err(|_| Error::TimedOut)??;
        Ok(insert.with_timeouts(Some(self.timeout), Some(self.timeout)))
    }

    fn row(&mut self, record: SourceRecord<'_>) -> Result<Outcome<T>, Failure> {
        let Some(value) = record.value else {
            return Ok(if T::HAS_TOMBSTONES {
                Outcome::Tombstone
            } else {
                Outcome::Refused(Refusal::NoValue)
            });
        };
        let decoded = match self.decoder.decode(value) {
            Ok(decoded) => decoded,
            Err(error) if error.is_transient() => {
                return Err(Failure {
                    class: Class::Transient,
                    error: error.to_string(),
                });
            }
            Err(error) => return Ok(Outcome::Refused(error.into())),
        };
        let retired = T::retired_row(&decoded);
        let row = T::row_with_details(decoded, &record.coordinates(T::Record::topic()), self.carriers);
        Ok(match row {
            Ok((row, details)) => Outcome::Row(row, retired, details),
            Err(error) => Outcome::Refused(error.into()),
        })
    }
}
