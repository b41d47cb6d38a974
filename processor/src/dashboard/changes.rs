//! Carriers and lanes that have become better or worse, as a metric, so that an alarm can tell of them.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

use super::database::{Database, Statement};
use super::parameters::Question;

/// They are tested every hour.
const LOOK: Duration = Duration::from_mins(5);

const GAUGES: Statement = Statement {
    name: "performance_change_gauges",
    sql: include_str!("sql/performance_change_gauges.sql"),
};

/// The labels of a gauge.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
struct Labels {
    level: String,
    carrier: String,
    measure: String,
    direction: String,
}

#[derive(Debug, Deserialize)]
struct Gauge {
    #[serde(flatten)]
    labels: Labels,
    changes: f64,
}

/// Publishes them for as long as the process runs. While the database does not answer, they stay as they were.
pub(super) async fn publish(database: Database, question: Question) {
    let mut told = HashMap::new();
    loop {
        if let Ok(rows) = database.rows_in_background(GAUGES, &question).await {
            tell(&mut told, rows.values().collect());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Sets the gauges; what was told before and is no change any more becomes 0.
fn tell(told: &mut HashMap<Labels, f64>, found: Vec<Gauge>) {
    for changes in told.values_mut() {
        *changes = 0.0;
    }
    told.extend(found.into_iter().map(|gauge| (gauge.labels, gauge.changes)));
    for (labels, changes) in &*told {
        let Labels {
            level,
            carrier,
            measure,
            direction,
        } = labels.clone();
        let gauge = metrics::gauge!(
            "courierflow_performance_changes",
            "level" => level, "carrier" => carrier, "measure" => measure, "direction" => direction
        );
        gauge.set(*changes);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_change_any_more_becomes_zero() {
        let gauge = |carrier: &str, changes: u32| -> Gauge {
            serde_json::from_value(json!({
                "level": "carrier", "carrier": carrier, "measure": "on_time_rate", "direction": "worse", "changes": changes,
            }))
            .unwrap()
        };
        let mut told = HashMap::new();
        tell(&mut told, vec![gauge("yto", 1), gauge("zto", 1)]);
        tell(&mut told, vec![gauge("zto", 1)]);
        let mut by_carrier: Vec<_> = told
            .iter()
            .map(|(labels, changes)| (labels.carrier.as_str(), *changes))
            .collect();
        by_carrier.sort_by_key(|(carrier, _)| *carrier);
        assert_eq!(by_carrier, [("yto", 0.0), ("zto", 1.0)]);
    }
}
