//! What the database is decides how its tables keep their rows. It is an operator's choice: whoever has several replicas creates
//! the database beforehand. One text of DDL serves all kinds; what differs between them stands in it as `{engine:…}` and
//! `{durable:…}`.
//!
//! | kind | tables | written to the disk before an insert is answered |
//! |---|---|---|
//! | plain: one server, or a database that replicates nothing | `MergeTree` | by `fsync_after_insert` |
//! | replicated: `ENGINE = Replicated` on servers of one's own | `ReplicatedMergeTree`, path and replica from the server's defaults | by `fsync_after_insert`, on each replica |
//! | shared: ClickHouse Cloud | `MergeTree`, which the server makes `SharedMergeTree` | always: parts are in an object storage |
//!
//! A refreshable view that replaces its table, its table, and the database must all be replicated or none of them:
//! `StorageMaterializedView.cpp` refuses the other combinations with code 36, because a refresh would replace the table on one
//! replica only. A database of engine `Replicated` accepts no other path than the default one (`registerStorageMergeTree.cpp`).

use super::clickhouse::{Database, MigrateError};
use crate::splices::Splices;

/// Flushes files and directories before an insert is answered.
const FLUSH: &str = "fsync_after_insert = 1, fsync_part_directory = 1";
/// Flushes a part that was merged before the parts that it replaces are removed.
const FLUSH_MERGES: &str = "min_rows_to_fsync_after_merge = 1";

/// The engines that the files of `tables/` name.
const ENGINES: [&str; 2] = ["MergeTree", "ReplacingMergeTree"];

/// How the database keeps its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// On one server.
    Plain,
    /// On each replica of a cluster of one's own.
    Replicated,
    /// In the object storage of `ClickHouse` Cloud.
    Shared,
}

impl DatabaseKind {
    /// From the engine of the database, and from whether the server is one of `ClickHouse` Cloud, where databases may be
    /// `Replicated`, too.
    pub fn of(engine: &str, is_cloud: bool) -> Self {
        match engine {
            "Shared" => Self::Shared,
            _ if is_cloud => Self::Shared,
            "Replicated" => Self::Replicated,
            _ => Self::Plain,
        }
    }

    /// What the files of `tables/` contain for this kind.
    pub fn splices(self) -> Splices {
        let mut splices = Splices::default();
        for engine in ENGINES {
            let prefix = if self == Self::Replicated { "Replicated" } else { "" };
            splices = splices.with_text("engine", engine, format!("{prefix}{engine}"));
        }
        for (place, text) in [
            ("SETTINGS", format!("SETTINGS {FLUSH}")),
            ("MODIFY SETTING", format!("MODIFY SETTING {FLUSH}")),
            ("MERGES", format!("MODIFY SETTING {FLUSH_MERGES}")),
        ] {
            let text = if self == Self::Shared { String::new() } else { text };
            splices = splices.with_text("durable", place, text);
        }
        splices
    }
}

/// Asks the server. The database must exist.
pub(super) async fn look(database: &Database<'_>) -> Result<DatabaseKind, MigrateError> {
    let query = format!("SELECT engine FROM system.databases WHERE name = '{}'", database.name);
    let engines: Vec<String> = database.rows(&query).await?;
    let query = "SELECT value FROM system.settings WHERE name = 'cloud_mode' AND value IN ('1', 'true')";
    let cloud: Vec<String> = database.rows(query).await?;
    let engine = engines.first().map_or("", String::as_str);
    Ok(DatabaseKind::of(engine, !cloud.is_empty()))
}

/// Fails if a table of a replicated database keeps its rows to itself: an earlier version of this program made such tables. On
/// another replica they would be empty, and no refreshable view could fill them.
pub(super) async fn check_tables(database: &Database<'_>, kind: DatabaseKind) -> Result<(), MigrateError> {
    if kind != DatabaseKind::Replicated {
        return Ok(());
    }
    let query = format!(
        "SELECT name FROM system.tables WHERE database = '{}' AND endsWith(engine, 'MergeTree')
            AND NOT startsWith(engine, 'Replicated') AND NOT startsWith(engine, 'Shared') AND NOT startsWith(name, '.')
        ORDER BY name",
        database.name
    );
    let tables: Vec<String> = database.rows(&query).await?;
    if tables.is_empty() {
        return Ok(());
    }
    Err(MigrateError::NotReplicated {
        database: database.name.to_owned(),
        tables: tables.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_from_the_engine_of_the_database() {
        for (engine, is_cloud, kind) in [
            ("Atomic", false, DatabaseKind::Plain),
            ("Ordinary", false, DatabaseKind::Plain),
            ("Overlay", false, DatabaseKind::Plain),
            ("Replicated", false, DatabaseKind::Replicated),
            ("Replicated", true, DatabaseKind::Shared),
            ("Shared", false, DatabaseKind::Shared),
            ("Shared", true, DatabaseKind::Shared),
        ] {
            assert_eq!(DatabaseKind::of(engine, is_cloud), kind, "{engine} {is_cloud}");
        }
    }

    #[test]
    fn the_same_text_for_each_kind() {
        let text = "ENGINE = {engine:ReplacingMergeTree}(version)\n{durable:SETTINGS}";
        let expand = |kind: DatabaseKind| kind.splices().expand(text).unwrap();
        assert_eq!(
            expand(DatabaseKind::Plain),
            "ENGINE = ReplacingMergeTree(version)\nSETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        );
        assert_eq!(
            expand(DatabaseKind::Replicated),
            "ENGINE = ReplicatedReplacingMergeTree(version)\nSETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        );
        assert_eq!(expand(DatabaseKind::Shared), "ENGINE = ReplacingMergeTree(version)\n");
    }
}
