//! The description of the dashboard's API, `openapi.json`: what it says of a column of a view is what the view says.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::metrics_page;
use crate::stack::repository;

/// The description.
pub fn path() -> PathBuf {
    repository().join("processor/src/dashboard/openapi.json")
}

/// The description with the words of the DDL: a schema with `x-columns-of` shows columns of that view or table, and all members that are
/// columns there, or whose `x-column` is one, have the comments of these, but for the members in `x-own-words`, which are something else.
///
/// Lines are replaced, so that the order of the file stays.
pub fn with_comments(description: &str) -> anyhow::Result<String> {
    let relations = metrics_page::relations()?;
    let parsed: Value = serde_json::from_str(description)?;
    let mut written = String::new();
    // Where we are: at the fourth level schemas, at the sixth their members.
    let mut schema = &Value::Null;
    let mut member = "";
    for line in description.lines() {
        let level = line.len() - line.trim_start().len();
        let name = || line.trim().strip_prefix('"')?.strip_suffix("\": {");
        match (level, name()) {
            (6, Some(name)) => schema = &parsed["components"]["schemas"][name],
            (10, Some(name)) => member = name,
            _ => {}
        }
        let is_description = level == 12 && line.trim().starts_with("\"description\": ");
        let comment = match schema["x-columns-of"].as_str() {
            Some(relation) if is_description && !has(&schema["x-own-words"], member) => {
                let relation = relations.get(relation).with_context(|| format!("no {relation}"))?;
                let column = column_of(schema, member);
                relation.columns.iter().find(|[name, ..]| name == column)
            }
            _ => None,
        };
        match comment {
            Some([_, _, comment]) => {
                let comma = if line.ends_with(',') { "," } else { "" };
                written.push_str(&format!(
                    "{:12}\"description\": {}{comma}",
                    "",
                    serde_json::to_string(comment)?
                ));
            }
            None => written.push_str(line),
        }
        written.push('\n');
    }
    Ok(written)
}

/// Every member of a schema with `x-columns-of` is a column there or has words of its own; all that are missing.
pub fn unknown_members(description: &str) -> anyhow::Result<Vec<String>> {
    let relations = metrics_page::relations()?;
    let parsed: Value = serde_json::from_str(description)?;
    let schemas = parsed["components"]["schemas"].as_object().context("no schemas")?;
    let mut unknown = Vec::new();
    for (name, schema) in schemas {
        let Some(relation) = schema["x-columns-of"].as_str() else {
            continue;
        };
        let relation = relations.get(relation).with_context(|| format!("no {relation}"))?;
        let columns: HashSet<&str> = relation.columns.iter().map(|[column, ..]| column.as_str()).collect();
        let members = schema["properties"].as_object().context("no properties")?;
        let of_schema = members
            .keys()
            .filter(|member| !columns.contains(column_of(schema, member)) && !has(&schema["x-own-words"], member));
        unknown.extend(of_schema.map(|member| format!("{name}.{member}")));
    }
    Ok(unknown)
}

/// What a member is called in the view.
fn column_of<'a>(schema: &'a Value, member: &'a str) -> &'a str {
    schema["properties"][member]["x-column"].as_str().unwrap_or(member)
}

fn has(list: &Value, member: &str) -> bool {
    list.as_array()
        .is_some_and(|list| list.iter().any(|element| element == member))
}
