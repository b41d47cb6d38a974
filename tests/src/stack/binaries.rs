//! Where the programs under test are.

use super::repository;
use anyhow::{Context, anyhow, bail, ensure};
use std::env;
use std::ffi::OsStr;
use std::path::{self, Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of one of our programs (`ingest`, `processor`, `simulator`), as new as the sources.
///
/// They are taken from `COURIERFLOW_BIN_DIR` if that is set. Otherwise they are built in the profile and the target
/// directory of the running test, once: `cargo test` alone would leave an old program, or none, in its place.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    static DIRECTORY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let directory = DIRECTORY
        .get_or_init(|| find_or_build().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))?;
    let path = directory.join(name);
    ensure!(
        path.is_file(),
        "there is no program {} in {}",
        name,
        directory.display()
    );
    Ok(path)
}

fn find_or_build() -> anyhow::Result<PathBuf> {
    if let Some(directory) = env::var_os("COURIERFLOW_BIN_DIR") {
        // The services are started in another directory than the tests.
        return path::absolute(directory).context("COURIERFLOW_BIN_DIR is not a path");
    }
    let executable = env::current_exe().context("cannot tell where this program is")?;
    let directory = profile_directory(&executable).with_context(|| {
        format!(
            "{} is not in a target directory: set COURIERFLOW_BIN_DIR",
            executable.display()
        )
    })?;
    let profile = directory.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let target = directory.parent().context("a profile directory has a parent")?;

    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--workspace",
            "--bins",
            "--locked",
            "--quiet",
            "--profile",
            profile_name(profile),
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(repository())
        .output()
        .context("cannot run cargo to build the programs under test; set COURIERFLOW_BIN_DIR to use built ones")?;
    if !output.status.success() {
        bail!(
            "the programs under test do not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(directory.to_path_buf())
}

/// `target/debug` for `target/debug/bench` and for `target/debug/deps/it-0123456789abcdef`.
fn profile_directory(executable: &Path) -> Option<&Path> {
    let directory = executable.parent()?;
    if directory.ends_with("deps") || directory.ends_with("examples") {
        directory.parent()
    } else {
        Some(directory)
    }
}

/// Cargo calls the profile of `target/debug` `dev`, and all others like their directories.
fn profile_name(directory: &str) -> &str {
    if directory == "debug" { "dev" } else { directory }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_directory_is_found_from_every_kind_of_program() {
        for (executable, directory) in [
            ("/t/debug/deps/it-0123", Some("/t/debug")),
            ("/t/release/bench", Some("/t/release")),
            ("/t/debug/examples/example", Some("/t/debug")),
            ("/", None),
        ] {
            assert_eq!(
                profile_directory(Path::new(executable)),
                directory.map(Path::new),
                "{executable}"
            );
        }
    }

    #[test]
    fn the_directory_names_the_profile() {
        assert_eq!(profile_name("debug"), "dev");
        assert_eq!(profile_name("release"), "release");
    }
}
