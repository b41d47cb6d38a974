//! How long tables keep their rows, where `[clickhouse.retention_days]` says so. A table without a number there is left as it is, so
//! that an operator may set its TTL by hand.

use clickhouse::Row;
use serde::Deserialize;

use super::clickhouse::{Change, Database, MigrateError};
use crate::config::RetentionDays;

/// A table and the time from which its days count. All versions of a row have the same time, so that none outlives a newer one by
/// more than the server needs to notice it. Not so in `route_node`: there what is newer has replaced what is older when that is old enough to go.
struct Rule {
    table: &'static str,
    since: &'static str,
    days: u32,
}

fn rules(days: &RetentionDays) -> Vec<Rule> {
    let rule = |table, since, days: Option<u32>| days.map(|days| Rule { table, since, days });
    [
        rule("push", "received_at", days.push),
        rule("shipment", "first_received_at", days.shipment),
        rule("transition", "first_received_at", days.transition),
        rule("vendor_call", "started_at", days.vendor_call),
        rule("route_node", "received_at", days.route_node),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Row, Deserialize)]
struct Present {
    name: String,
    engine: String,
}

/// Changes the TTL of tables that have another one.
pub(super) async fn bring_up_to_date(
    database: &Database<'_>,
    days: &RetentionDays,
) -> Result<Vec<Change>, MigrateError> {
    let rules = rules(days);
    if rules.is_empty() {
        return Ok(vec![]);
    }
    let query = format!(
        "SELECT name, engine_full AS engine FROM system.tables WHERE database = '{}'",
        database.name
    );
    let present: Vec<Present> = database.rows(&query).await?;
    let mut changes = Vec::new();
    for rule in rules {
        // Without --check all tables are there now.
        let Some(table) = present.iter().find(|table| table.name == rule.table) else {
            continue;
        };
        if rule.holds(&table.engine) {
            continue;
        }
        if database.may_change() {
            let statement = rule.statement(database.name);
            let altered = database.execute(&statement).await;
            altered.map_err(|source| database.server(source))?;
        }
        changes.push(Change::Retention {
            table: rule.table,
            days: rule.days,
        });
    }
    Ok(changes)
}

impl Rule {
    /// Whether a table with this engine, as the server writes it, keeps its rows so long.
    fn holds(&self, engine: &str) -> bool {
        match self.days {
            0 => !engine.contains(" TTL "),
            days => engine.contains(&format!(" TTL toDateTime({}) + toIntervalDay({days})", self.since)),
        }
    }

    fn statement(&self, database: &str) -> String {
        let Self { table, since, days } = self;
        match days {
            0 => format!("ALTER TABLE {database}.{table} REMOVE TTL"),
            days => {
                format!("ALTER TABLE {database}.{table} MODIFY TTL toDateTime({since}) + INTERVAL {days} DAY DELETE")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_altered_if_it_keeps_its_rows_for_another_time() {
        let engine = "ReplacingMergeTree PARTITION BY toYYYYMM(received_at) ORDER BY a TTL toDateTime(received_at) + toIntervalDay(90) SETTINGS x = 1";
        let forever = "ReplacingMergeTree(version) ORDER BY a SETTINGS x = 1";
        for (days, engine, holds, statement) in [
            (
                90,
                engine,
                true,
                "ALTER TABLE d.push MODIFY TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE",
            ),
            (
                9,
                engine,
                false,
                "ALTER TABLE d.push MODIFY TTL toDateTime(received_at) + INTERVAL 9 DAY DELETE",
            ),
            (0, engine, false, "ALTER TABLE d.push REMOVE TTL"),
            (0, forever, true, "ALTER TABLE d.push REMOVE TTL"),
            (
                90,
                forever,
                false,
                "ALTER TABLE d.push MODIFY TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE",
            ),
        ] {
            let rule = Rule {
                table: "push",
                since: "received_at",
                days,
            };
            assert_eq!(rule.holds(engine), holds, "{days} {engine}");
            assert_eq!(rule.statement("d"), statement);
        }
    }

    #[test]
    fn a_table_without_a_number_is_left_as_it_is() {
        let days = RetentionDays {
            vendor_call: Some(30),
            ..RetentionDays::default()
        };
        let tables: Vec<_> = rules(&days).into_iter().map(|rule| rule.table).collect();
        assert_eq!(tables, ["vendor_call"]);
    }
}
