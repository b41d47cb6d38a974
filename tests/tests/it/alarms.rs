//! The Prometheus rules of `deploy/prometheus` and the Grafana panels use metrics that exist and link to sections of the
//! runbook that exist. Whether the alarms fire when they should is tested by `promtool test rules`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use courierflow_tests::stack::repository;
use regex::Regex;

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every name that a service gives to a metric.
fn metrics_of_the_services() -> BTreeSet<String> {
    let name = Regex::new(r#""(courierflow_[a-z_]+)""#).unwrap();
    let mut names = BTreeSet::new();
    for service in ["ingest/src", "processor/src"] {
        for file in rust_files(&repository().join(service)) {
            let text = fs::read_to_string(file).unwrap();
            names.extend(name.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
    names
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn alarms_and_panels_name_metrics_that_exist() {
    let known = metrics_of_the_services();
    assert!(known.len() > 30, "{known:?}");
    let used = Regex::new(r"courierflow_[a-z_]+").unwrap();
    for path in [
        "deploy/prometheus/alerts.yml",
        "deploy/grafana/dashboards/operations.json",
    ] {
        let text = read(path);
        let names: BTreeSet<&str> = used.find_iter(&text).map(|found| found.as_str()).collect();
        assert!(names.len() > 8, "{path}: {names:?}");
        for name in names {
            let plain = ["_bucket", "_count", "_sum"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix));
            assert!(
                known.contains(name) || plain.is_some_and(|plain| known.contains(plain)),
                "{path}: no service has a metric {name}"
            );
        }
    }
}

#[test]
fn every_alarm_has_its_section_in_the_runbook_and_the_other_way_round() {
    let rules = read("deploy/prometheus/alerts.yml");
    let runbook = read("docs/runbook.md");
    let anchor = Regex::new(r"docs/runbook\.md#([a-z0-9-]+)").unwrap();
    let led_to: BTreeSet<String> = anchor.captures_iter(&rules).map(|found| found[1].to_owned()).collect();
    // The table of alarms.
    let row = Regex::new(r"(?m)^\| \[[^\]]+\]\(#([a-z0-9-]+)\) \| (?:`|the same)").unwrap();
    let listed: BTreeSet<String> = row.captures_iter(&runbook).map(|found| found[1].to_owned()).collect();
    assert_eq!(led_to, listed);
    for section in &listed {
        let heading = format!("### {}", section.replace('-', " "));
        let is_there = runbook.lines().any(|line| line.to_lowercase() == heading);
        assert!(is_there, "{heading} is not in the runbook");
    }
}
