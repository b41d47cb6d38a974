//! Standard clients of Kafka and ClickHouse in another language.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use courierflow_tests::stack::{Stack, repository};
use serde_json::Value;

/// All records of some topics, as read by the Python client and its Avro deserializer.
pub(crate) fn read(stack: &dyn Stack, topics: &[&str]) -> Vec<Value> {
    let script = repository().join("tests/python/read_topics.py");
    let output = run(
        &interpreter(),
        [
            script.into_os_string(),
            stack.brokers().into(),
            stack.registry_url().into(),
        ]
        .into_iter()
        .chain(topics.iter().map(Into::into)),
    );
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
        .collect()
}

/// Writes requests with the Python client and its Avro serializer, and returns their partitions.
pub(crate) fn ask(stack: &dyn Stack, requests: &[Value]) -> Vec<i64> {
    let script = repository().join("tests/python/ask.py");
    let output = run(
        &interpreter(),
        [
            script.into_os_string(),
            stack.brokers().into(),
            stack.registry_url().into(),
        ]
        .into_iter()
        .chain(requests.iter().map(|request| request.to_string().into())),
    );
    let partitions = output.lines().map(|line| line.parse().expect("a partition"));
    partitions.collect()
}

/// What a user finds in the database: columns by SQLAlchemy's reflection, and the first value that the Python client of ClickHouse gets for
/// each query, or the words of the error.
pub(crate) fn look_at_tables(stack: &dyn Stack, user: &str, queries: &[String]) -> Value {
    let directory = repository().join("tests/python");
    let url = stack.clickhouse_url();
    let address = url.trim_start_matches("http://");
    let (host, port) = address.split_once(':').expect("an address with a port");
    let script = directory.join("read_tables.py");
    let fixed = [host, port, user, "courier"].map(String::from);
    let output = run(
        &environment(&directory).join("bin/python"),
        [script.display().to_string()].iter().chain(&fixed).chain(queries),
    );
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error} in {output}"))
}

/// Python with the packages of the stock clients.
pub(crate) fn interpreter() -> PathBuf {
    environment(&repository().join("tests/python")).join("bin/python")
}

/// A virtual environment with the pinned packages, made once and kept beside the other downloads.
fn environment(directory: &Path) -> PathBuf {
    let requirements = directory.join("requirements.txt");
    let pins = fs::read(&requirements).expect("requirements.txt");
    let version = run(
        Path::new("python3"),
        ["-c", "import sys; print(*sys.version_info[:2], sep='.')"],
    );
    let digest = courierflow_tests::simulator::vendors::kuaidi100::digest(&String::from_utf8_lossy(&pins));
    let name = format!("python-client-{}-{}", version.trim(), &digest[..8].to_lowercase());
    let environment = cache().join(name);
    // Two test runs may do this at the same time; a venv cannot be renamed, so a marker file says that it is
    // complete.
    fs::create_dir_all(&environment).expect("the cache can be written");
    let lock = File::create(environment.join("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let complete = environment.join("complete");
    if !complete.exists() {
        run(
            Path::new("python3"),
            [OsStr::new("-m"), OsStr::new("venv"), environment.as_os_str()],
        );
        let pip = environment.join("bin/pip");
        let install = ["install", "-q", "--disable-pip-version-check", "--require-hashes", "-r"];
        run(
            &pip,
            install.map(OsStr::new).into_iter().chain([requirements.as_os_str()]),
        );
        File::create(complete).expect("a mark");
    }
    environment
}

/// The download directory of `deploy/local`.
fn cache() -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("COURIERFLOW_CACHE_DIR").unwrap_or_else(|| {
        let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        caches.unwrap_or_else(|| "/var/tmp/.cache".into()).join("courierflow")
    })
}

fn run(program: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    assert!(
        output.status.success(),
        "{} failed: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}
