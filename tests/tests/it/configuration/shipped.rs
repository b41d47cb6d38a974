//! The configurations of the containers and of the chart: both services know all of their keys. No configuration but that of the local stack
//! has an account that takes pushes of anybody. Commands that judge one.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use courierflow_ingest::config::Config as IngestConfig;
use courierflow_processor::config::Config as ProcessorConfig;
use courierflow_schemas::settings::load;
use courierflow_tests::stack::{binary, repository};
use courierflow_vendors::account::Unsigned;
use tempfile::NamedTempFile;

/// Only the keys and their types: the files with secrets are elsewhere.
fn assert_known(path: &Path) {
    load::<IngestConfig>(path).unwrap();
    load::<ProcessorConfig>(path).unwrap();
}

#[test]
fn containers_have_a_configuration_that_both_services_know() {
    assert_known(&repository().join("deploy/docker/courierflow.toml"));
}

#[test]
fn the_chart_has_a_configuration_that_both_services_know() {
    assert_known(written(&chart()).path());
}

/// The configuration in the values of the chart.
fn chart() -> String {
    let values = std::fs::read_to_string(repository().join("deploy/helm/courierflow/values.yaml")).unwrap();
    let (_, rest) = values.split_once("\nconfig: |\n").unwrap();
    let block: Vec<_> = rest
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("  "))
        .collect();
    assert!(block.len() > 10, "{block:?}");
    block.join("\n")
}

fn written(config: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config).unwrap();
    file
}

/// Every configuration in `deploy/`, except for that of the local stack: where it is, and its text.
fn shipped() -> Vec<(String, String)> {
    let folders = std::fs::read_dir(repository().join("deploy")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let mut shipped: Vec<_> = folders
        .filter(|folder| !folder.ends_with("local"))
        .map(|folder| folder.join("courierflow.toml"))
        .filter(|file| file.exists())
        .map(|file| (file.display().to_string(), std::fs::read_to_string(&file).unwrap()))
        .collect();
    shipped.push(("the chart".to_owned(), chart()));
    shipped
}

#[test]
fn no_configuration_but_the_local_one_takes_unsigned_pushes() {
    let mut accounts = 0;
    for (place, config) in shipped() {
        let config: IngestConfig = load(written(&config).path()).unwrap();
        for account in config.ingest.accounts {
            let name = format!("{} of {} in {place}", account.name, account.vendor);
            assert_eq!(account.unsigned, Unsigned::Reject, "{name}");
            assert!(!account.keys.contains_key("unsigned_stopped"), "{name}");
            accounts += 1;
        }
    }
    // Those of the containers and that of the chart.
    assert!(accounts >= 4, "{accounts}");
}

fn run(program: &str, command: &str, config: &str) -> Output {
    let file = written(config);
    let mut program = Command::new(binary(program).unwrap());
    // By the variable, since all other tests give the option.
    program.arg(command).env("COURIERFLOW_CONFIG", file.path());
    program.output().unwrap()
}

#[test]
fn check_config_judges_without_starting_anything() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("id.key");
    let right = format!("{}\nderive.id_key_file = {key:?}", super::MINIMAL);
    for program in ["ingest", "processor"] {
        std::fs::write(&key, "00112233445566778899aabbccddeeff").unwrap();
        let output = run(program, "check-config", &right);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stdout.starts_with(program.as_bytes()), "{output:?}");
    }
    // What only the start would have told.
    std::fs::remove_file(&key).unwrap();
    for (program, config, named) in [
        ("ingest", r"ingest.accounts = []", "ingest.accounts"),
        ("processor", &right, "derive.id_key_file"),
    ] {
        let output = run(program, "check-config", config);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(named), "{output:?}");
    }
}

#[test]
fn health_fails_where_nobody_is_ready() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for program in ["ingest", "processor"] {
        let config = format!("{}\n{program}.admin_listen = \"{address}\"", super::MINIMAL);
        let output = run(program, "health", &config);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(&format!("not ready: {address}")), "{said}");
    }
}
