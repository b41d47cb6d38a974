//! What a service tells of its own process: which build it is, and what it takes from its host.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use courierflow_tests::stack::{binary, repository};
use regex::Regex;

use crate::harness::{agent, shared, told_metric};

#[test]
fn a_service_tells_which_build_it_is_and_what_it_takes_from_its_host() {
    let shared = shared();
    let build = Regex::new(r#"(?m)^courierflow_build_info\{version="([^"]+)",revision="([^"]+)"\} 1$"#).unwrap();
    for (program, service) in [("ingest", &shared.ingest), ("processor", &shared.processor)] {
        let metrics = agent().get(format!("{}/metrics", service.url())).call().unwrap();
        let metrics = metrics.into_body().read_to_string().unwrap();
        let found = build.captures(&metrics).unwrap_or_else(|| panic!("{metrics}"));
        let (version, revision) = (&found[1], &found[2]);
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        assert_commit(revision);
        let said = Command::new(binary(program).unwrap())
            .arg("--version")
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.ends_with(&format!(" {version} ({revision})\n")), "{said}");

        let value = |name: &str| told_metric(service, name).unwrap();
        let limits = fs::read_to_string(format!("/proc/{}/limits", service.pid())).unwrap();
        let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        assert!(files.contains(&format!(" {} ", value("process_max_fds"))), "{files}");
        let open = value("process_open_fds");
        assert!(open > 3.0 && open <= value("process_max_fds"), "{open}");
        let memory = value("process_resident_memory_bytes");
        assert!(
            memory > 1e6 && memory < value("process_virtual_memory_bytes"),
            "{memory}"
        );
        assert!(value("process_threads") > 1.0);
        assert!(value("process_cpu_seconds_total") >= 0.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - value("process_start_time_seconds");
        assert!((-2.0..86_400.0).contains(&age), "{age} s");
    }
}

/// In a checkout it is one of its commits; elsewhere nobody knows.
fn assert_commit(revision: &str) {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(repository()).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    if git(&["ls-files", "--error-unmatch", "Cargo.toml"]) {
        assert!(
            git(&["cat-file", "-e", &format!("{revision}^{{commit}}")]),
            "{revision}"
        );
    } else {
        assert_eq!(revision, "unknown");
    }
}
