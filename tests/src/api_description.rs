//! The description of the dashboard's API, `openapi.json`: its descriptions of columns are those of the views.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::metrics_page;
use crate::stack::repository;

const SCHEMAS: &str = "/components/schemas";

/// The description.
pub fn path() -> PathBuf {
    repository().join("processor/src/dashboard/openapi.json")
}

/// The description with the comments of the DDL. A schema with `x-columns-of` has columns of that view or table: each member that
/// is a column there, or whose `x-column` is one, gets its comment, except the members in `x-own-words`, which have other
/// descriptions.
///
/// Lines are replaced, so that the order of the file stays.
pub fn with_comments(description: &str) -> anyhow::Result<String> {
    let relations = metrics_page::relations()?;
    let parsed: Value = serde_json::from_str(description)?;
    let mut written = String::new();
    // Where we are: at the fourth level schemas, at the sixth their members.
    let schemas = parsed.pointer(SCHEMAS).context("no schemas")?;
    let mut schema = None;
    let mut member = "";
    for line in description.lines() {
        let level = line.len() - line.trim_start().len();
        let name = || line.trim().strip_prefix('"')?.strip_suffix("\": {");
        match (level, name()) {
            (6, Some(name)) => schema = schemas.get(name),
            (10, Some(name)) => member = name,
            _ => {}
        }
        let is_description = level == 12 && line.trim().starts_with("\"description\": ");
        let comment = match schema.and_then(|schema| Some((schema, schema.get("x-columns-of")?.as_str()?))) {
            Some((schema, relation)) if is_description && !has_own_words(schema, member) => {
                let relation = relations.get(relation).with_context(|| format!("no {relation}"))?;
                let column = column_of(schema, member);
                relation.columns.iter().find(|[name, ..]| name == column)
            }
            _ => None,
        };
        match comment {
            Some([_, _, comment]) => {
                let comma = if line.ends_with(',') { "," } else { "" };
                let comment = serde_json::to_string(comment)?;
                write!(written, "{:12}\"description\": {comment}{comma}", "")?;
            }
            None => written.push_str(line),
        }
        written.push('\n');
    }
    Ok(written)
}

/// The members of schemas with `x-columns-of` that are neither columns there nor have a description of their own.
pub fn unknown_members(description: &str) -> anyhow::Result<Vec<String>> {
    let relations = metrics_page::relations()?;
    let parsed: Value = serde_json::from_str(description)?;
    let schemas = parsed
        .pointer(SCHEMAS)
        .and_then(Value::as_object)
        .context("no schemas")?;
    let mut unknown = Vec::new();
    for (name, schema) in schemas {
        let Some(relation) = schema.get("x-columns-of").and_then(Value::as_str) else {
            continue;
        };
        let relation = relations.get(relation).with_context(|| format!("no {relation}"))?;
        let columns: HashSet<&str> = relation.columns.iter().map(|[column, ..]| column.as_str()).collect();
        let members = schema
            .get("properties")
            .and_then(Value::as_object)
            .context("no properties")?;
        let of_schema = members
            .keys()
            .filter(|member| !columns.contains(column_of(schema, member)) && !has_own_words(schema, member));
        unknown.extend(of_schema.map(|member| format!("{name}.{member}")));
    }
    Ok(unknown)
}

/// What a member is called in the view.
fn column_of<'a>(schema: &'a Value, member: &'a str) -> &'a str {
    let column = schema
        .get("properties")
        .and_then(|members| members.get(member)?.get("x-column")?.as_str());
    column.unwrap_or(member)
}

fn has_own_words(schema: &Value, member: &str) -> bool {
    let own = schema.get("x-own-words").and_then(Value::as_array);
    own.is_some_and(|own| own.iter().any(|name| name == member))
}
