//! The numbered files of `deploy/clickhouse/tables/`, each applied once, in order, and recorded in `schema_migration`.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::clickhouse::{Change, Database, MigrateError};
use super::definitions::TableFile;
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
    execute(database, first).await?;
    let remembered = remembered(database).await?;

    let mut applied = Vec::new();
    for file in files {
        let checksum = checksum(file.text);
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
                execute(database, file).await?;
                remember(database, file, &checksum).await?;
                applied.push(Change::Applied { file: file.name });
            }
        }
    }
    Ok(applied)
}

async fn execute(database: &Database<'_>, file: &TableFile) -> Result<(), MigrateError> {
    for (position, statement) in statements(file.text).iter().enumerate() {
        let statement = in_database(statement, database.name);
        database
            .execute(&statement)
            .await
            .map_err(|source| MigrateError::Statement {
                name: file.name,
                statement: position + 1,
                source,
            })?;
    }
    Ok(())
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
fn statements(text: &str) -> Vec<String> {
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
                        || code.contains(" COMMENT COLUMN ")
                        || code.contains(" MODIFY SETTING "),
                    "{}: {code}",
                    file.name
                );
            }
        }
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
