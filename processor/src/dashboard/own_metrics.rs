//! Metrics of derive and sink, if they run in the same process: figures of the pipeline that are in no table. They are
//! read from the text of `/metrics`, which is the only place that has all of them.

use serde_json::{Map, Value, json};

/// The metrics that the pipeline page shows.
const SHOWN: &[&str] = &[
    "courierflow_derive_lag_records",
    "courierflow_derive_shipments",
    "courierflow_derive_push_events_total",
    "courierflow_derive_dead_letters_total",
    "courierflow_derive_restore_remaining_records",
    "courierflow_sink_rows_total",
    "courierflow_sink_lag_records",
    "courierflow_sink_dead_letters_total",
    "courierflow_sink_oldest_unflushed_seconds",
];

/// The samples of these metrics in a text in the Prometheus format: name, labels, value.
pub(super) fn read(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let value: f64 = value.parse().ok()?;
            let (name, labels) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}')?),
                None => (series, ""),
            };
            let name = SHOWN.iter().find(|shown| **shown == name)?;
            Some(json!({ "name": name, "labels": pairs(labels), "value": value }))
        })
        .collect()
}

/// Parses `a="b",c="d"`; our label values contain no quotes.
fn pairs(labels: &str) -> Map<String, Value> {
    labels
        .split("\",")
        .filter_map(|pair| pair.split_once("=\""))
        .map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_are_shown_are_found() {
        let text = "# TYPE courierflow_derive_lag_records gauge\n\
                    courierflow_derive_lag_records{worker=\"0\"} 12\n\
                    courierflow_sink_dead_letters_total{table=\"push\",reason=\"a, b\"} 1\n\
                    courierflow_derive_commit_seconds_bucket{le=\"0.1\"} 3\n\
                    something else\n";
        assert_eq!(
            read(text),
            [
                json!({ "name": "courierflow_derive_lag_records", "labels": { "worker": "0" }, "value": 12.0 }),
                json!({
                    "name": "courierflow_sink_dead_letters_total",
                    "labels": { "table": "push", "reason": "a, b" },
                    "value": 1.0
                }),
            ]
        );
        assert!(read("").is_empty());
    }
}
