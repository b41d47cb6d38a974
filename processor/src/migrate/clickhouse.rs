//! The tables: the numbered files of `deploy/clickhouse/`, each applied once, in order, and remembered in
//! `schema_migration`.

use std::collections::BTreeMap;
use std::time::Duration;

use clickhouse::{Client, Row};
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::config::ClickHouseSettings;
use crate::sink::client::client;

/// Creating a table on a busy replicated cluster takes a while; a hung server must not hang the command.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(2);

/// Oldest release that the DDL and the settings of the inserts are written for.
const MIN_VERSION: (u32, u32) = (25, 8);

/// A file of `deploy/clickhouse/`.
struct File {
    number: u32,
    name: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($number:literal $name:literal),+ $(,)?) => {
        &[$(File {
            number: $number,
            name: $name,
            text: include_str!(concat!("../../../deploy/clickhouse/", $name)),
        }),+]
    };
}

/// All files, in order. The first creates the database and the table in which the others are remembered.
const FILES: &[File] = files![
    1 "001_database.sql",
    2 "002_push.sql",
    3 "003_shipment.sql",
    4 "004_transition.sql",
    5 "005_sla_promise.sql",
    6 "006_parcel.sql",
    7 "007_carrier_daily.sql",
    8 "008_exception.sql",
    9 "009_exception_daily.sql",
    10 "010_carrier_scorecard.sql",
    11 "011_lane_transit.sql",
    12 "012_exception_rate.sql",
    13 "013_open_parcel.sql",
    14 "014_shipment_timeline.sql",
    15 "015_data_quality.sql",
];

/// A file that was applied just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
}

/// Why the tables are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// `ClickHouse` cannot be reached or refuses us.
    #[error("ClickHouse {url}: {source}")]
    Server {
        /// Its address.
        url: String,
        /// What the client says.
        source: clickhouse::error::Error,
    },
    /// The server is older than what the tables are written for.
    #[error("ClickHouse {url} is version {version}, at least {}.{} is needed", MIN_VERSION.0, MIN_VERSION.1)]
    TooOld {
        /// Its address.
        url: String,
        /// What it says of itself.
        version: String,
    },
    /// A statement failed. Those before it are done; the file can be applied again.
    #[error("{name}, statement {statement}: {source}")]
    Statement {
        /// The file.
        name: &'static str,
        /// Position of the statement in it, from 1.
        statement: usize,
        /// What the server says.
        source: clickhouse::error::Error,
    },
    /// A file is not the one that was applied under its number.
    #[error(
        "{name} is not what was applied to database {database} as number {number} ({applied_name}, checksum \
         {applied_checksum}, now {checksum}): an applied file must not change, add a new one"
    )]
    Changed {
        /// The database.
        database: String,
        /// The number.
        number: u32,
        /// The file of this program.
        name: &'static str,
        /// Its checksum.
        checksum: String,
        /// The file that was applied.
        applied_name: String,
        /// The checksum of that.
        applied_checksum: String,
    },
}

#[derive(Row, Deserialize)]
struct Remembered {
    number: u32,
    name: String,
    checksum: String,
}

/// Applies what is not yet applied and returns it. Two that run at the same time do no harm.
pub async fn migrate_clickhouse(settings: &ClickHouseSettings) -> Result<Vec<Applied>, MigrateError> {
    let database = Database {
        client: client(settings),
        name: &settings.database,
        url: &settings.url,
    };
    database.check_version().await?;
    let [first, ..] = FILES else { return Ok(vec![]) };
    database.execute(first).await?;
    let remembered = database.remembered().await?;

    let mut applied = Vec::new();
    for file in FILES {
        match remembered.get(&file.number) {
            Some(known) if known.name == file.name && known.checksum == file.checksum() => {}
            Some(known) => {
                return Err(MigrateError::Changed {
                    database: settings.database.clone(),
                    number: file.number,
                    name: file.name,
                    checksum: file.checksum(),
                    applied_name: known.name.clone(),
                    applied_checksum: known.checksum.clone(),
                });
            }
            None => {
                database.execute(file).await?;
                database.remember(file).await?;
                applied.push(Applied {
                    number: file.number,
                    name: file.name,
                });
            }
        }
    }
    Ok(applied)
}

impl File {
    fn checksum(&self) -> String {
        format!("{:016x}", xxh3_64(self.text.as_bytes()))
    }

    /// The statements for a database of this name. A statement ends with a line that ends with a semicolon; none of our
    /// texts has one there.
    fn statements(&self, database: &str) -> Vec<String> {
        let mut statements = Vec::new();
        let mut statement = String::new();
        for line in self.text.lines() {
            statement.push_str(line);
            statement.push('\n');
            if !line.trim_start().starts_with("--") && line.trim_end().ends_with(';') {
                statements.push(std::mem::take(&mut statement));
            }
        }
        statements
            .iter()
            .map(|statement| statement.trim().trim_end_matches(';').replace("{database}", database))
            .collect()
    }
}

struct Database<'a> {
    client: Client,
    name: &'a str,
    url: &'a str,
}

impl Database<'_> {
    async fn check_version(&self) -> Result<(), MigrateError> {
        let version = in_time(self.client.query_raw("SELECT version()").fetch_one::<String>())
            .await
            .map_err(|source| self.server(source))?;
        if release(&version) < Some(MIN_VERSION) {
            return Err(MigrateError::TooOld {
                url: self.url.to_owned(),
                version,
            });
        }
        Ok(())
    }

    async fn execute(&self, file: &File) -> Result<(), MigrateError> {
        for (position, statement) in file.statements(self.name).iter().enumerate() {
            // query_raw: a question mark in a comment is no parameter.
            in_time(self.client.query_raw(statement).execute())
                .await
                .map_err(|source| MigrateError::Statement {
                    name: file.name,
                    statement: position + 1,
                    source,
                })?;
        }
        Ok(())
    }

    async fn remembered(&self) -> Result<BTreeMap<u32, Remembered>, MigrateError> {
        let query = format!(
            "SELECT number, name, checksum FROM {}.schema_migration FINAL",
            self.name
        );
        let rows = in_time(self.client.query_raw(&query).fetch_all::<Remembered>())
            .await
            .map_err(|source| self.server(source))?;
        Ok(rows.into_iter().map(|row| (row.number, row)).collect())
    }

    async fn remember(&self, file: &File) -> Result<(), MigrateError> {
        let statement = format!(
            "INSERT INTO {}.schema_migration SETTINGS async_insert = 0 \
             SELECT {{number:UInt32}}, {{name:String}}, {{checksum:String}}, now64(3, 'UTC')",
            self.name
        );
        let insert = self
            .client
            .query_raw(&statement)
            .param("number", file.number)
            .param("name", file.name)
            .param("checksum", file.checksum());
        in_time(insert.execute()).await.map_err(|source| self.server(source))
    }

    fn server(&self, source: clickhouse::error::Error) -> MigrateError {
        MigrateError::Server {
            url: self.url.to_owned(),
            source,
        }
    }
}

async fn in_time<T>(
    request: impl Future<Output = Result<T, clickhouse::error::Error>>,
) -> Result<T, clickhouse::error::Error> {
    tokio::time::timeout(STATEMENT_TIMEOUT, request)
        .await
        .unwrap_or(Err(clickhouse::error::Error::TimedOut))
}

/// Year and month of "26.7.2.1".
fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_directory_is_there_once_and_in_order() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/clickhouse");
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(FILES.iter().map(|file| file.name).collect::<Vec<_>>(), names);
        for (file, number) in FILES.iter().zip(1..) {
            assert_eq!(file.number, number);
            assert!(file.name.starts_with(&format!("{number:03}_")), "{}", file.name);
        }
    }

    #[test]
    fn every_statement_bears_being_run_twice() {
        for file in FILES {
            let statements = file.statements("courier");
            assert!(!statements.is_empty(), "{}", file.name);
            let last = file.text.trim_end();
            assert!(last.ends_with(';'), "{} ends in the middle of a statement", file.name);
            for statement in statements {
                let code: Vec<&str> = statement
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("--"))
                    .collect();
                let code = code.join("\n");
                let code = code.trim();
                assert!(!code.contains("{database}"), "{}", file.name);
                assert!(
                    code.contains("IF NOT EXISTS courier") || code.contains("IF EXISTS courier"),
                    "{}: {code}",
                    file.name
                );
            }
        }
    }

    #[test]
    fn statements_end_at_semicolons_that_end_a_line() {
        let file = File {
            number: 1,
            name: "001_x.sql",
            text: "-- a; b;\nCREATE {database}.a -- why; so\n;\n\n-- c?\nCREATE {database}.b;\n",
        };
        assert_eq!(
            file.statements("d"),
            ["-- a; b;\nCREATE d.a -- why; so\n", "-- c?\nCREATE d.b"]
        );
    }

    #[test]
    fn releases() {
        assert_eq!(release("26.7.2.1"), Some((26, 7)));
        assert_eq!(release("25.8.1.1-testing"), Some((25, 8)));
        assert_eq!(release("head"), None);
        assert!(release("25.7.9.9") < Some(MIN_VERSION));
        assert!(release("head") < Some(MIN_VERSION));
    }
}
