//! The numbered files of `deploy/clickhouse/tables/`, each applied once, in order, and recorded in `schema_migration`.
//!
//! The first makes the database, unless an operator has made it; only then it is known of which kind it is.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::clickhouse::{Change, Database, MigrateError};
use super::ddl;
use super::definitions::TableFile;
use super::kind::{self, DatabaseKind};
use super::views::{checksum, in_database};

#[derive(Row, Deserialize)]
struct Remembered {
    number: u32,
    name: String,
    checksum: String,
}

/// Applies the files that are not applied yet.
pub(super) async fn apply(database: &Database<'_>, files: &'static [TableFile]) -> Result<Vec<Change>, MigrateError> {
    let [first, ..] = files else { return Ok(vec![]) };
    let kind = if database.may_change() {
        create_database(database, first).await?;
        let kind = kind::look(database).await?;
        execute(database, first, kind).await?;
        kind
    } else {
        kind::look(database).await?
    };
    let remembered = if database.may_change() || database.has("schema_migration").await? {
        remembered(database).await?
    } else {
        BTreeMap::new()
    };

    let mut applied = Vec::new();
    for file in files {
        let checksum = checksum_of(file)?;
        match remembered.get(&file.number) {
            Some(known) if known.name == file.name && known.checksum == checksum => {}
            Some(known) => {
                return Err(MigrateError::Changed {
                    database: database.name.to_owned(),
                    number: file.number,
                    name: file.name,
                    checksum,
                    applied_name: known.name.clone(),
                    applied_checksum: known.checksum.clone(),
                });
            }
            None => {
                if database.may_change() {
                    execute(database, file, kind).await?;
                    remember(database, file, &checksum).await?;
                }
                applied.push(Change::Applied { file: file.name });
            }
        }
    }
    kind::check_tables(database, kind).await?;
    Ok(applied)
}

/// The first statement of all.
async fn create_database(database: &Database<'_>, first: &TableFile) -> Result<(), MigrateError> {
    let Some(statement) = statements(first.text).into_iter().next() else {
        return Ok(());
    };
    execute_one(database, first, 1, &in_database(&statement, database.name)).await
}

async fn execute(database: &Database<'_>, file: &TableFile, kind: DatabaseKind) -> Result<(), MigrateError> {
    let statements = ddl::of_file(file, kind, database.name).map_err(|source| MigrateError::Splice {
        name: file.name,
        source,
    })?;
    for (position, statement) in statements.iter().enumerate() {
        execute_one(database, file, position + 1, statement).await?;
    }
    Ok(())
}

async fn execute_one(
    database: &Database<'_>,
    file: &TableFile,
    position: usize,
    statement: &str,
) -> Result<(), MigrateError> {
    let executed = database.execute(statement).await;
    executed.map_err(|source| MigrateError::Statement {
        name: file.name,
        statement: position,
        source,
    })
}

/// Of what the file says for a plain database, whatever it says for this one: a backup may be restored into a database of another
/// kind.
fn checksum_of(file: &TableFile) -> Result<String, MigrateError> {
    match DatabaseKind::Plain.splices().expand(file.text) {
        Ok(text) => Ok(checksum(&text)),
        Err(source) => Err(MigrateError::Splice {
            name: file.name,
            source,
        }),
    }
}

async fn remembered(database: &Database<'_>) -> Result<BTreeMap<u32, Remembered>, MigrateError> {
    let query = format!(
        "SELECT number, name, checksum FROM {}.schema_migration FINAL",
        database.name
    );
    let rows: Vec<Remembered> = database.rows(&query).await?;
    Ok(rows.into_iter().map(|row| (row.number, row)).collect())
}

async fn remember(database: &Database<'_>, file: &TableFile, checksum: &str) -> Result<(), MigrateError> {
    let statement = format!(
        "INSERT INTO {}.schema_migration SETTINGS async_insert = 0 \
         SELECT {{number:UInt32}}, {{name:String}}, {{checksum:String}}, now64(3, 'UTC')",
        database.name
    );
    let number = file.number.to_string();
    let values = [("number", number.as_str()), ("name", file.name), ("checksum", checksum)];
    database.execute_with(&statement, values).await
}

/// Splits a file into statements. A semicolon at the end of a line ends a statement; no string in our files has one
/// there.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    for line in text.lines() {
        statement.push_str(line);
        statement.push('\n');
        if !line.trim_start().starts_with("--") && line.trim_end().ends_with(';') {
            statements.push(std::mem::take(&mut statement));
        }
    }
    statements
        .iter()
        .map(|statement| statement.trim().trim_end_matches(';').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::definitions::TABLES;
    use super::*;

    #[test]
    fn every_statement_bears_being_run_twice() {
        for file in TABLES {
            let statements = statements(file.text);
            assert!(!statements.is_empty(), "{}", file.name);
            let last = file.text.trim_end();
            assert!(last.ends_with(';'), "{} ends in the middle of a statement", file.name);
            for statement in statements {
                let statement = in_database(&statement, "courier");
                let code: Vec<&str> = statement
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("--"))
                    .collect();
                let code = code.join("\n");
                let code = code.trim();
                assert!(!code.contains("{database}"), "{}", file.name);
                assert!(
                    code.contains("IF NOT EXISTS courier")
                        || code.contains("IF EXISTS courier")
                        // These have no such clause, and change nothing the second time.
                        || code.contains(" ADD COLUMN IF NOT EXISTS ")
                        || code.contains(" ADD INDEX IF NOT EXISTS ")
                        || code.contains(" COMMENT COLUMN ")
                        || code.contains(" {durable:M"),
                    "{}: {code}",
                    file.name
                );
            }
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_text_for_a_plain_database() {
        let file = |text| TableFile {
            number: 1,
            name: "001_x.sql",
            text,
        };
        assert_eq!(
            checksum_of(&file("ENGINE = {engine:MergeTree}")).unwrap(),
            checksum("ENGINE = MergeTree")
        );
    }

    #[test]
    fn statements_end_at_semicolons_that_end_a_line() {
        let text = "-- a; b;\nCREATE {database}.a -- why; so\n;\n\n-- c?\nCREATE {database}.b;\n";
        assert_eq!(
            statements(text),
            [
                "-- a; b;\nCREATE {database}.a -- why; so\n",
                "-- c?\nCREATE {database}.b"
            ]
        );
    }
}
