//! The page `docs/metrics.md`: its tables of columns, which must equal those of the DDL, and its queries.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use courierflow_processor::migrate::definitions::{Definitions, TABLES};

use crate::stack::repository;

/// A view or table of the DDL.
#[derive(Debug, Default)]
pub struct Relation {
    /// What its comment says.
    pub comment: String,
    /// Name, type and comment of each column.
    pub columns: Vec<[String; 3]>,
}

/// The page.
pub fn path() -> PathBuf {
    repository().join("docs/metrics.md")
}

/// The tables and views of the DDL, by name.
pub fn relations() -> anyhow::Result<BTreeMap<String, Relation>> {
    let definitions = Definitions::embedded();
    let splices = definitions.splices();
    let mut relations = BTreeMap::new();
    let tables = TABLES.iter().map(|file| Ok(file.text.to_owned()));
    for text in tables.chain(definitions.views.values().map(|text| splices.expand(text))) {
        for statement in text?.split(";\n") {
            if let Some((name, relation)) = relation(statement) {
                relations.insert(name, relation);
            } else if let Some((table, column, before)) = new_column(statement) {
                // A table that was made as a copy of another has no columns here.
                if let Some(Relation { columns, .. }) = relations.get_mut(&table) {
                    let place = columns.iter().position(|column| Some(&column[0]) == before.as_ref());
                    columns.insert(place.map_or(columns.len(), |place| place + 1), column);
                }
            } else if let Some((table, [name, comment])) = new_comment(statement) {
                let columns = relations.get_mut(&table).map(|relation| &mut relation.columns);
                let column = columns.and_then(|columns| columns.iter_mut().find(|column| column[0] == name));
                let column = column.ok_or_else(|| anyhow::anyhow!("{table} has no column {name} to comment on"))?;
                column[2] = comment;
            }
        }
    }
    Ok(relations)
}

/// A relation with columns; `None` for a statement that fills, copies or counts.
fn relation(statement: &str) -> Option<(String, Relation)> {
    let start = statement.lines().position(|line| line.starts_with("CREATE "))?;
    let mut lines = statement.lines().skip(start);
    let name = lines.next()?.split("{database}.").nth(1)?.split_whitespace().next()?;
    if lines.next()? != "(" {
        return None;
    }
    let mut relation = Relation::default();
    for line in lines.by_ref().take_while(|line| *line != ")") {
        if let Some(column) = column(line) {
            relation.columns.push(column);
        }
    }
    let comment = lines.filter_map(|line| line.strip_prefix("COMMENT '")).last()?;
    relation.comment = unquoted(comment.strip_suffix('\'')?);
    Some((name.to_owned(), relation))
}

/// "ALTER TABLE {database}.table ADD COLUMN IF NOT EXISTS `name` Type DEFAULT ... COMMENT '...' AFTER `other`": the table, the column, and
/// the one that it stands behind if not at the end.
fn new_column(statement: &str) -> Option<(String, [String; 3], Option<String>)> {
    let start = statement.lines().position(|line| line.starts_with("ALTER TABLE "))?;
    let statement = statement.lines().skip(start).collect::<Vec<_>>().join("\n");
    let (table, rest) = statement
        .split("{database}.")
        .nth(1)?
        .split_once(" ADD COLUMN IF NOT EXISTS ")?;
    let [name, kind, comment] = column(rest)?;
    let kind = kind.split(" DEFAULT ").next()?.to_owned();
    let before = rest
        .rsplit_once(" AFTER `")
        .map(|(_, name)| name.trim_end_matches([';', '\n', '`']));
    Some((table.to_owned(), [name, kind, comment], before.map(str::to_owned)))
}

/// "ALTER TABLE {database}.table COMMENT COLUMN `name` '...'": the table, the column and what is said of it now.
fn new_comment(statement: &str) -> Option<(String, [String; 2])> {
    let line = statement.lines().find(|line| line.starts_with("ALTER TABLE "))?;
    let (table, rest) = line.split("{database}.").nth(1)?.split_once(" COMMENT COLUMN ")?;
    let (name, comment) = rest.split_once(" '")?;
    let comment = unquoted(comment.trim_end_matches(';').strip_suffix('\'')?);
    Some((table.to_owned(), [name.trim_matches('`').to_owned(), comment]))
}

/// "    `name`  Type  COMMENT '...',"
fn column(line: &str) -> Option<[String; 3]> {
    let (name, rest) = line.trim().strip_prefix('`')?.split_once('`')?;
    let (kind, rest) = rest.split_once(" COMMENT '")?;
    // Up to the quote that is not doubled; a codec may stand behind it.
    let doubled = rest.replace("''", "\u{0}");
    let comment = doubled.split_once('\'')?.0.replace('\u{0}', "'");
    Some([name.to_owned(), kind.trim().to_owned(), comment])
}

fn unquoted(text: &str) -> String {
    text.replace("''", "'")
}

/// The relation whose columns stand below this line: `<!-- columns of NAME -->`, or `<!-- columns of NAME beside those of OTHER -->` if only
/// those are to be shown that OTHER does not have.
pub fn described(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("<!-- columns of ")?.strip_suffix(" -->")?;
    rest.split(' ').next()
}

fn others(line: &str) -> Option<&str> {
    line.strip_suffix(" -->")?
        .split_once(" beside those of ")
        .map(|(_, other)| other)
}

/// The page with its tables of columns replaced by those of the DDL. An error names what is missing in the page.
pub fn with_columns(page: &str) -> anyhow::Result<String> {
    let all = relations()?;
    let mut relations = relations()?;
    let mut written = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        let Some(name) = described(line) else {
            continue;
        };
        let relation = relations.remove(name);
        let relation = relation.ok_or_else(|| anyhow::anyhow!("the DDL has no {name}, or the page has it twice"))?;
        let others = others(line);
        let known = match others {
            None => &[],
            Some(other) => all
                .get(other)
                .ok_or_else(|| anyhow::anyhow!("the DDL has no {other}"))?
                .columns
                .as_slice(),
        };
        writeln!(
            written,
            "{}.\n\n| column | type | meaning |\n|---|---|---|",
            relation.comment
        )?;
        let is_known = |column: &&[String; 3]| known.contains(*column);
        for [name, kind, comment] in relation.columns.iter().filter(|column| !is_known(column)) {
            writeln!(written, "| `{name}` | {kind} | {} |", comment.replace('|', "\\|"))?;
        }
        if let Some(other) = others {
            let count = relation.columns.iter().filter(is_known).count();
            writeln!(written, "\nAnd {count} columns of [`{other}`](#{other}).")?;
        }
        // What stands there now.
        anyhow::ensure!(
            lines.any(|line| line == "<!-- end -->"),
            "the columns of {name} have no end"
        );
        written.push_str("<!-- end -->\n");
    }
    // The halves of a table are no business of a reader of figures; the tables of the sink and of orders are described elsewhere.
    let described_elsewhere = [
        "push",
        "shipment",
        "transition",
        "subscription",
        "vendor_call",
        "route_node",
        "annotation",
        "sink_offset",
        "sink_start",
        "reconcile_gap",
    ];
    relations.retain(|name, _| {
        !name.ends_with("_recent") && name != "schema_migration" && !described_elsewhere.contains(&name.as_str())
    });
    anyhow::ensure!(relations.is_empty(), "the page lacks {:?}", relations.keys());
    Ok(written)
}

/// The queries of the page, each with the heading above it.
pub fn queries(page: &str) -> Vec<(String, String)> {
    let mut queries = Vec::new();
    let mut heading = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("### ") {
            title.clone_into(&mut heading);
        } else if line == "```sql" {
            let query: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            queries.push((heading.clone(), query.join("\n")));
        }
    }
    queries
}
