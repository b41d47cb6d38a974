//! The statements of `migrate` as they are sent: what `processor migrate --print-ddl` prints and the files of
//! `deploy/clickhouse/generated` hold. Pure.

use std::fmt::Write;

use super::clickhouse::MigrateError;
use super::definitions::{Definitions, TABLES, TableFile};
use super::functions::FUNCTIONS;
use super::kind::DatabaseKind;
use super::views::{self, in_database};
use crate::splices::SpliceError;

/// Name of the database in the golden files, and the default of `clickhouse.database`.
#[cfg(test)]
const DATABASE: &str = "courier";

/// The statements of a file of `tables/`, without those of which the kind leaves nothing.
pub fn of_file(file: &TableFile, kind: DatabaseKind, database: &str) -> Result<Vec<String>, SpliceError> {
    let text = kind.splices().expand(file.text)?;
    let statements = super::tables::statements(&text).into_iter();
    Ok(statements
        .filter(|statement| !is_empty_alter(statement))
        .map(|statement| in_database(&statement, database))
        .collect())
}

/// `ALTER TABLE name` and nothing to alter: a setting that the kind does not need.
fn is_empty_alter(statement: &str) -> bool {
    let code = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
    let words: Vec<&str> = code.flat_map(str::split_whitespace).collect();
    matches!(words.as_slice(), ["ALTER", "TABLE", _])
}

/// All statements of a new database, the tables first, each view after what it reads; then the functions of the server.
pub fn all(kind: DatabaseKind, database: &str, definitions: &Definitions) -> Result<String, MigrateError> {
    let (tables, views) = (tables(kind, database)?, views(database, definitions)?);
    Ok(format!("{tables}{views}{}", functions(definitions)?))
}

/// The statements of all files of `tables/`.
pub fn tables(kind: DatabaseKind, database: &str) -> Result<String, MigrateError> {
    let mut text = String::new();
    for file in TABLES {
        let statements = of_file(file, kind, database).map_err(|source| MigrateError::Splice {
            name: file.name,
            source,
        })?;
        write_all(&mut text, file.name, statements);
    }
    Ok(text)
}

/// The statements of all views. They are the same for every kind of database.
pub fn views(database: &str, definitions: &Definitions) -> Result<String, MigrateError> {
    let mut text = String::new();
    for view in views::in_order(&definitions.views, &definitions.splices())? {
        write_all(&mut text, &format!("{}.sql", view.name), [view.create(database)]);
    }
    Ok(text)
}

/// The statements of the functions, which belong to the server and not to the database.
pub fn functions(definitions: &Definitions) -> Result<String, MigrateError> {
    let splices = definitions.splices();
    let mut text = String::new();
    for function in FUNCTIONS {
        let statement = function.create(&splices)?;
        write_all(&mut text, &format!("{}, a function", function.name), [statement]);
    }
    Ok(text)
}

/// A heading for each file, its statements without comments, each ended by a semicolon.
fn write_all(text: &mut String, file: &str, statements: impl IntoIterator<Item = String>) {
    let mut heading = format!("-- {file}\n");
    for statement in statements {
        let lines = statement.lines().map(str::trim_end);
        let code: Vec<&str> = lines
            .filter(|line| !line.is_empty() && !line.trim_start().starts_with("--"))
            .collect();
        // A String takes everything.
        let _ = write!(text, "{}{};\n\n", std::mem::take(&mut heading), code.join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::super::analysts;
    use super::*;

    const KINDS: [(DatabaseKind, &str); 3] = [
        (DatabaseKind::Plain, "plain"),
        (DatabaseKind::Replicated, "replicated"),
        (DatabaseKind::Shared, "shared"),
    ];

    /// Compares a text with a file of `deploy/clickhouse/generated`; `UPDATE_GOLDEN=1` writes it.
    fn assert_golden(name: &str, text: &str) {
        let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/clickhouse/generated"));
        let path = directory.join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, text).unwrap();
            return;
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        for (number, (is, should_be)) in golden.lines().zip(text.lines()).enumerate() {
            assert_eq!(is, should_be, "{name}:{}: UPDATE_GOLDEN=1 writes it anew", number + 1);
        }
        assert!(
            golden == text,
            "{name} has another length: UPDATE_GOLDEN=1 writes it anew"
        );
    }

    #[test]
    fn the_statements_of_every_kind_are_those_of_the_files() {
        for (kind, name) in KINDS {
            assert_golden(&format!("tables-{name}.sql"), &tables(kind, DATABASE).unwrap());
        }
        let definitions = Definitions::embedded();
        assert_golden("views.sql", &views(DATABASE, &definitions).unwrap());
        let role = analysts::statements("analyst", DATABASE, &definitions).unwrap();
        assert_golden("analyst.sql", &role);
    }

    /// A function that exists is left alone, on whatever server. So a formula that changes is published under another name.
    #[test]
    fn a_function_never_changes_under_its_name() {
        assert_golden("functions.sql", &functions(&Definitions::embedded()).unwrap());
    }

    /// Engine of each table, by name.
    fn engines(kind: DatabaseKind) -> BTreeMap<String, String> {
        let mut engines = BTreeMap::new();
        for statement in tables(kind, DATABASE).unwrap().split(";\n\n") {
            let Some((_, rest)) = statement.split_once("CREATE TABLE IF NOT EXISTS courier.") else {
                continue;
            };
            let name = rest.split_whitespace().next().unwrap();
            let engine = rest.lines().find_map(|line| line.strip_prefix("ENGINE = "));
            engines.insert(name.to_owned(), engine.unwrap_or_default().to_owned());
        }
        engines
    }

    #[test]
    fn every_table_keeps_its_rows_as_the_database_does() {
        let plain = engines(DatabaseKind::Plain);
        let created = |file: &TableFile| file.text.matches("CREATE TABLE IF NOT EXISTS ").count();
        assert_eq!(plain.len(), TABLES.iter().map(created).sum::<usize>(), "{plain:?}");
        assert_eq!(engines(DatabaseKind::Shared), plain, "the server rewrites them");
        let replicated = engines(DatabaseKind::Replicated);
        for (table, engine) in &plain {
            // Path and replica are the server's defaults: the database refuses others.
            assert_eq!(replicated[table], format!("Replicated{engine}"), "{table}");
        }
    }

    /// The rule of the server: a refreshable view without APPEND, its target and its database are all replicated or none is.
    #[test]
    fn what_a_refreshable_view_fills_is_replicated_where_the_database_is() {
        let definitions = Definitions::embedded();
        let views = views::in_order(&definitions.views, &definitions.splices()).unwrap();
        let refreshes: Vec<_> = views.iter().filter_map(|view| view.refresh.as_ref()).collect();
        assert_eq!(refreshes.len(), 8);
        for refresh in refreshes {
            assert!(!refresh.schedule.contains("APPEND"));
            for (kind, name) in KINDS {
                let is_replicated = engines(kind)[&refresh.target].starts_with("Replicated");
                assert_eq!(
                    is_replicated,
                    kind == DatabaseKind::Replicated,
                    "{} {name}",
                    refresh.target
                );
            }
        }
    }

    #[test]
    fn a_setting_that_the_kind_does_not_need_leaves_no_statement() {
        let file = |text| TableFile {
            number: 1,
            name: "001_x.sql",
            text,
        };
        let text = "-- Why.\nALTER TABLE {database}.push {durable:MODIFY SETTING};\n";
        let of = |kind| of_file(&file(text), kind, "d").unwrap();
        assert_eq!(
            of(DatabaseKind::Replicated),
            ["-- Why.\nALTER TABLE d.push MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1"]
        );
        assert_eq!(of(DatabaseKind::Shared), Vec::<String>::new());
        assert!(of_file(&file("{engine:Log}"), DatabaseKind::Plain, "d").is_err());
    }
}
