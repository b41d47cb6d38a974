//! `processor load-sla FILE.csv`: loads the carriers' promises from a file into the table `sla_promise`.

pub mod file;

use std::path::{Path, PathBuf};

use clickhouse::error::Error as ClientError;
use clickhouse::{Client, Row};
use serde::Serialize;

use crate::config::ClickHouseSettings;
use crate::sink::client::client;
use file::{Promise, SlaFileError};

/// Why the promises could not be replaced. The old ones stay.
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
        source: SlaFileError,
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

#[derive(Row, Serialize)]
struct PromiseRow {
    carrier: String,
    origin: String,
    dest: String,
    hours: u16,
    loaded_at: u32,
}

/// Replaces all promises with those of the file and returns their number. `loaded_at` in seconds since 1970.
pub async fn load(settings: &ClickHouseSettings, path: &Path, loaded_at: u32) -> Result<usize, LoadError> {
    let text = std::fs::read(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    let promises = file::parse(&text).map_err(|source| LoadError::File {
        path: path.to_owned(),
        source,
    })?;
    let count = promises.len();
    replace(settings, promises, loaded_at)
        .await
        .map_err(|source| LoadError::Server {
            url: settings.url.clone(),
            source,
        })?;
    Ok(count)
}

/// Readers see either all old promises or all new ones, even if this is interrupted.
async fn replace(settings: &ClickHouseSettings, promises: Vec<Promise>, loaded_at: u32) -> Result<(), ClientError> {
    let client = client(settings).with_database(&settings.database);
    execute(&client, "DROP TABLE IF EXISTS sla_promise_new SYNC").await?;
    execute(&client, "CREATE TABLE sla_promise_new AS sla_promise").await?;
    let mut insert = client.insert::<PromiseRow>("sla_promise_new").await?;
    for promise in promises {
        let row = PromiseRow {
            carrier: promise.carrier,
            origin: promise.origin,
            dest: promise.dest,
            hours: promise.hours,
            loaded_at,
        };
        insert.write(&row).await?;
    }
    insert.end().await?;
    execute(&client, "EXCHANGE TABLES sla_promise_new AND sla_promise").await?;
    execute(&client, "DROP TABLE sla_promise_new SYNC").await
}

async fn execute(client: &Client, statement: &str) -> Result<(), ClientError> {
    client.query_raw(statement).execute().await
}
