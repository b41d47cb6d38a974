//! The tables and views as sources of dbt, `deploy/dbt/sources.yml`: their descriptions are the comments of the DDL.

use std::fmt::Write;
use std::path::PathBuf;

use crate::metrics_page::{self, Relation};
use crate::stack::repository;

/// What is the sink's and `migrate`'s own, and the halves of a table that refresh apart.
const INTERNAL: [&str; 4] = ["schema_migration", "sink_offset", "sink_start", "reconcile_gap"];

/// The head of the file. Texts are in JSON's quotes, which YAML reads too.
const HEAD: &str = r#"# The tables and views of courierflow, for dbt with dbt-clickhouse. Made of the comments of the DDL by the tests (UPDATE_GOLDEN=1):
# change deploy/clickhouse. Copy it into the models of your project.
version: 2
sources:
  - name: courierflow
    description: "What couriers' vendors pushed, the shipments and transitions derived from it, and the figures made of them. Newer versions of a row replace older ones in the background: read a table with FINAL."
    schema: "{{ var('courierflow_database', 'courier') }}"
    tables:
"#;

/// The file.
pub fn path() -> PathBuf {
    repository().join("deploy/dbt/sources.yml")
}

/// What it should say.
pub fn sources() -> anyhow::Result<String> {
    let mut written = HEAD.to_owned();
    for (name, relation) in metrics_page::relations()? {
        if !INTERNAL.contains(&name.as_str()) && !name.ends_with("_recent") {
            write_table(&mut written, &name, &relation)?;
        }
    }
    Ok(written)
}

fn write_table(written: &mut String, name: &str, relation: &Relation) -> anyhow::Result<()> {
    writeln!(written, "      - name: {name}")?;
    if !relation.comment.is_empty() {
        writeln!(written, "        description: {}", quoted(&relation.comment)?)?;
    }
    writeln!(written, "        columns:")?;
    for [column, kind, comment] in &relation.columns {
        writeln!(written, "          - name: {}", quoted(column)?)?;
        if !kind.is_empty() {
            writeln!(written, "            data_type: {}", quoted(kind)?)?;
        }
        writeln!(written, "            description: {}", quoted(comment)?)?;
    }
    Ok(())
}

fn quoted(text: &str) -> anyhow::Result<String> {
    Ok(serde_json::to_string(text)?)
}
