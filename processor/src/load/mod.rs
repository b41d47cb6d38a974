//! `processor load-sla FILE.csv` and `processor load-calendar FILE.csv`: a table is made anew from a file of an operator.

pub mod calendar;
pub mod lines;
pub mod promises;

use std::path::{Path, PathBuf};

use clickhouse::error::Error as ClientError;
use clickhouse::{Client, RowOwned};
use serde::Serialize;

use crate::config::ClickHouseSettings;
use crate::sink::client::client;
use lines::FileError;

/// Why the rows could not be replaced. The old ones stay.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the number of its line.
        source: FileError,
    },
    /// An error of `ClickHouse`.
    #[error("ClickHouse {url}")]
    Server {
        /// Its address.
        url: String,
        /// What the client says.
        source: ClientError,
    },
}

/// What a line of a file becomes: a row of a table.
pub trait Loaded: Sized {
    /// The table that the rows are all of.
    const TABLE: &'static str;
    /// The row.
    type Row: RowOwned + Serialize;

    /// Reads the file; fails at the first mistake.
    fn parse(text: &[u8]) -> Result<Vec<Self>, FileError>;

    /// The row of one that was read. `loaded_at` in seconds since 1970.
    fn row(self, loaded_at: u32) -> Self::Row;
}

/// Replaces all rows of the table with those of the file and returns their number. `loaded_at` in seconds since 1970.
pub async fn load<L: Loaded>(settings: &ClickHouseSettings, path: &Path, loaded_at: u32) -> Result<usize, LoadError> {
    let text = std::fs::read(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    let loaded = L::parse(&text).map_err(|source| LoadError::File {
        path: path.to_owned(),
        source,
    })?;
    let count = loaded.len();
    let rows = loaded.into_iter().map(|one| one.row(loaded_at));
    replace::<L>(settings, rows).await.map_err(|source| LoadError::Server {
        url: settings.url.clone(),
        source,
    })?;
    Ok(count)
}

/// Readers see either all old rows or all new ones, even if this is interrupted.
async fn replace<L: Loaded>(
    settings: &ClickHouseSettings,
    rows: impl Iterator<Item = L::Row>,
) -> Result<(), ClientError> {
    let client = client(settings).with_database(&settings.database);
    let table = L::TABLE;
    let filled = format!("{table}_new");
    execute(&client, &format!("DROP TABLE IF EXISTS {filled} SYNC")).await?;
    execute(&client, &format!("CREATE TABLE {filled} AS {table}")).await?;
    let mut insert = client.insert::<L::Row>(&filled).await?;
    for row in rows {
        insert.write(&row).await?;
    }
    insert.end().await?;
    execute(&client, &format!("EXCHANGE TABLES {filled} AND {table}")).await?;
    execute(&client, &format!("DROP TABLE {filled} SYNC")).await
}

async fn execute(client: &Client, statement: &str) -> Result<(), ClientError> {
    client.query_raw(statement).execute().await
}
