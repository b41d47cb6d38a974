//! Brings the database to the state of `deploy/clickhouse/`: first the tables, then the views on them.

use std::fmt;
use std::time::Duration;

use clickhouse::error::Error as ClientError;
use clickhouse::{Client, RowOwned, RowRead};
use courierflow_schemas::carriers::Carriers;
use serde::Serialize;

use super::definitions::{Definitions, TABLES};
use super::kind::{self, DatabaseKind};
use super::views::ViewError;
use super::{carriers, replace, retention, tables};
use crate::config::ClickHouseSettings;
use crate::sink::client::client;
use crate::splices::SpliceError;

/// Creating a table on a busy replicated cluster takes a while; a hung server must not hang the command.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(2);

/// How long a statement waits for the other replicas; less than [`STATEMENT_TIMEOUT`].
const DDL_TIMEOUT_SECONDS: &str = "100";

/// Oldest release that the DDL and the settings of the inserts are written for.
const MIN_VERSION: (u32, u32) = (25, 8);

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A file of `tables/` was applied.
    Applied {
        /// File name.
        file: &'static str,
    },
    /// A table keeps its rows for another time.
    Retention {
        /// Its name.
        table: &'static str,
        /// Days; 0 for ever.
        days: u32,
    },
    /// The table of mapped carriers has other rows now.
    MappedCarriers {
        /// How many.
        codes: usize,
    },
    /// A view was not there.
    Created {
        /// Its name.
        view: String,
    },
    /// A view whose text had changed was replaced.
    Replaced {
        /// Its name.
        view: String,
        /// True if it fills a table; it was told to do so at once.
        is_refreshing: bool,
    },
    /// A view without a file was dropped.
    Dropped {
        /// Its name.
        view: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied { file } => write!(out, "applied {file}"),
            Self::Retention { table, days: 0 } => write!(out, "table {table} keeps its rows for ever"),
            Self::Retention { table, days } => write!(out, "table {table} keeps its rows for {days} days"),
            Self::MappedCarriers { codes } => write!(out, "replaced the mapping of carriers: {codes} codes"),
            Self::Created { view } => write!(out, "created view {view}"),
            Self::Replaced {
                view,
                is_refreshing: false,
            } => write!(out, "replaced view {view}"),
            Self::Replaced {
                view,
                is_refreshing: true,
            } => write!(out, "replaced view {view}, which refreshes its table now"),
            Self::Dropped { view } => write!(out, "dropped view {view}"),
        }
    }
}

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// `ClickHouse` cannot be reached or refuses the user.
    #[error("ClickHouse {url}: {source}")]
    Server {
        /// Its address.
        url: String,
        /// What the client says.
        source: ClientError,
    },
    /// The server is older than the tables need.
    #[error("ClickHouse {url} is version {version}, at least {}.{} is needed", MIN_VERSION.0, MIN_VERSION.1)]
    TooOld {
        /// Its address.
        url: String,
        /// The version that it reports.
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
        source: ClientError,
    },
    /// A file of `tables/` uses a splice that does not exist: a mistake in the file.
    #[error("tables/{name}: {source}")]
    Splice {
        /// The file.
        name: &'static str,
        /// What is missing.
        source: SpliceError,
    },
    /// Tables of a replicated database that are on one replica only.
    #[error(
        "database {database} is Replicated, but these tables are not, and their rows are on one replica only: {tables}. \
         \"Tables that are not replicated\" in the runbook says how to make them anew"
    )]
    NotReplicated {
        /// The database.
        database: String,
        /// The tables.
        tables: String,
    },
    /// A file differs from the one that was applied under its number.
    #[error(
        "tables/{name} is not what was applied to database {database} as number {number} ({applied_name}, checksum \
         {applied_checksum}, now {checksum}): an applied file must not change, add a new one. A database of before the first \
         release is made anew: ./dev down --wipe on a developer's machine, else DROP DATABASE and fill it from the topics"
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
        /// The checksum of the applied file.
        applied_checksum: String,
    },
    /// A file of `views/` cannot be used.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The server refuses a view. No view was changed.
    #[error("view {view} cannot be what its file says, no view was changed: {source}")]
    Refused {
        /// Its name.
        view: String,
        /// What the server says.
        source: ClientError,
    },
    /// A function uses a formula that does not exist: a mistake in the program.
    #[error("function {name}: {source}")]
    FunctionSplice {
        /// The function.
        name: &'static str,
        /// What is missing.
        source: SpliceError,
    },
    /// A function could not be made, although the user may make functions.
    #[error("function {name}: {source}")]
    Function {
        /// Its name.
        name: &'static str,
        /// What the server says.
        source: ClientError,
    },
    /// The columns of a refreshable view are not those of its table. No view was changed.
    #[error(
        "view {view} gives the columns {given}, its table {target} has {wanted}, no view was changed: a file in tables/ must \
         change the table first"
    )]
    Columns {
        /// Its name.
        view: String,
        /// Columns that only the view has.
        given: String,
        /// The table.
        target: String,
        /// Columns that only the table has.
        wanted: String,
    },
    /// By its file, a refreshable view fills another table than it does in the database.
    #[error("view {view} fills another table than {target}: give it another name, no view was changed")]
    Target {
        /// Its name.
        view: String,
        /// The table of its file.
        target: String,
    },
    /// A view that had passed the check could not be replaced. The views before it are replaced; run the command again.
    #[error("view {view}: {source}")]
    Replace {
        /// Its name.
        view: String,
        /// What the server says.
        source: ClientError,
    },
}

/// Applies what is not yet applied, replaces what is not as it should be, and says so. Two that run at the same time do no harm.
/// `carriers` is what the vendors' codes of carriers mean.
pub async fn migrate_clickhouse(
    settings: &ClickHouseSettings,
    carriers: &Carriers,
) -> Result<Vec<Change>, MigrateError> {
    migrate_views_of(settings, carriers, &Definitions::embedded()).await
}

/// What [`migrate_clickhouse`] would change. Nothing is written; whether the server takes the new views is not known before they are
/// there.
pub async fn check_clickhouse(settings: &ClickHouseSettings, carriers: &Carriers) -> Result<Vec<Change>, MigrateError> {
    bring_up_to_date(settings, carriers, &Definitions::embedded(), false).await
}

/// As [`migrate_clickhouse`], with other definitions of views than those embedded in this program.
pub async fn migrate_views_of(
    settings: &ClickHouseSettings,
    carriers: &Carriers,
    definitions: &Definitions,
) -> Result<Vec<Change>, MigrateError> {
    bring_up_to_date(settings, carriers, definitions, true).await
}

/// The kind of the configured database. One that is not there becomes plain.
pub async fn kind_of_database(settings: &ClickHouseSettings) -> Result<DatabaseKind, MigrateError> {
    kind::look(&Database::new(settings, false)).await
}

async fn bring_up_to_date(
    settings: &ClickHouseSettings,
    carriers: &Carriers,
    definitions: &Definitions,
    may_change: bool,
) -> Result<Vec<Change>, MigrateError> {
    let definitions = definitions.clone().with_settings(&settings.views);
    let database = Database::new(settings, may_change);
    database.check_version().await?;
    let mut changes = tables::apply(&database, TABLES).await?;
    changes.extend(retention::bring_up_to_date(&database, &settings.retention_days).await?);
    changes.extend(carriers::bring_up_to_date(&database, carriers).await?);
    changes.extend(replace::bring_up_to_date(&database, &definitions).await?);
    Ok(changes)
}

/// The database that is migrated.
pub(super) struct Database<'a> {
    client: Client,
    pub(super) name: &'a str,
    url: &'a str,
    may_change: bool,
}

impl<'a> Database<'a> {
    pub(super) fn new(settings: &'a ClickHouseSettings, may_change: bool) -> Self {
        Self {
            client: client(settings)
                // In a Replicated database a statement reaches all replicas. One that is away catches up when it is back; it is not
                // waited for. Elsewhere this means nothing.
                .with_setting("distributed_ddl_output_mode", "none_only_active")
                .with_setting("distributed_ddl_task_timeout", DDL_TIMEOUT_SECONDS),
            name: &settings.database,
            url: &settings.url,
            may_change,
        }
    }
}

impl Database<'_> {
    /// False if it is only looked at.
    pub(super) const fn may_change(&self) -> bool {
        self.may_change
    }

    /// Whether a table is there.
    pub(super) async fn has(&self, table: &str) -> Result<bool, MigrateError> {
        let query = format!(
            "SELECT name FROM system.tables WHERE database = '{}' AND name = '{table}'",
            self.name
        );
        let names: Vec<String> = self.rows(&query).await?;
        Ok(!names.is_empty())
    }

    async fn check_version(&self) -> Result<(), MigrateError> {
        let versions: Vec<String> = self.rows("SELECT version()").await?;
        let version = versions.into_iter().next().unwrap_or_default();
        if release(&version) < Some(MIN_VERSION) {
            return Err(MigrateError::TooOld {
                url: self.url.to_owned(),
                version,
            });
        }
        Ok(())
    }

    /// Runs a statement. Its text is sent as it is, so that a question mark in a comment is not a parameter.
    pub(super) async fn execute(&self, statement: &str) -> Result<(), ClientError> {
        in_time(self.client.query_raw(statement).execute()).await
    }

    /// The rows of a query.
    pub(super) async fn rows<R: RowOwned + RowRead>(&self, query: &str) -> Result<Vec<R>, MigrateError> {
        in_time(self.client.query_raw(query).fetch_all::<R>())
            .await
            .map_err(|source| self.server(source))
    }

    /// Runs a statement with values for `{file_number:UInt32}` and so on.
    pub(super) async fn execute_with(&self, statement: &str, values: [(&str, &str); 3]) -> Result<(), MigrateError> {
        let mut query = self.client.query_raw(statement);
        for (name, value) in values {
            query = query.param(name, value);
        }
        in_time(query.execute()).await.map_err(|source| self.server(source))
    }

    /// Whether the user has a right on everything of the server.
    pub(super) async fn may(&self, right: &str) -> Result<bool, MigrateError> {
        let granted: Vec<u8> = self.rows(&format!("CHECK GRANT {right} ON *.*")).await?;
        Ok(granted == [1])
    }

    /// Inserts rows into a table of the database.
    pub(super) async fn insert<'r, R: RowOwned + Serialize + 'r>(
        &self,
        table: &str,
        rows: impl IntoIterator<Item = &'r R>,
    ) -> Result<(), MigrateError> {
        let client = self.client.clone().with_database(self.name);
        let inserted = async {
            let mut insert = client.insert::<R>(table).await?;
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        };
        in_time(inserted).await.map_err(|source| self.server(source))
    }

    pub(super) fn server(&self, source: ClientError) -> MigrateError {
        MigrateError::Server {
            url: self.url.to_owned(),
            source,
        }
    }
}

async fn in_time<T>(request: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    tokio::time::timeout(STATEMENT_TIMEOUT, request)
        .await
        .unwrap_or(Err(ClientError::TimedOut))
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
    fn releases() {
        assert_eq!(release("26.7.2.1"), Some((26, 7)));
        assert_eq!(release("25.8.1.1-testing"), Some((25, 8)));
        assert_eq!(release("head"), None);
        assert!(release("25.7.9.9") < Some(MIN_VERSION));
        assert!(release("head") < Some(MIN_VERSION));
    }
}
