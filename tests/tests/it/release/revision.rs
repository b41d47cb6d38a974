//! `build.rs` of `schemas/service` finds the commit that is built, and a build without git works.

use std::path::{Path, PathBuf};
use std::process::Command;

use courierflow_tests::stack::repository;

/// What a program prints, if it succeeds.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The compiled build script, in `dir`.
fn build_script(dir: &Path) -> PathBuf {
    let compiled = dir.join("build-script");
    let source = repository().join("schemas/service/build.rs");
    output(
        Command::new("rustc")
            .args(["--edition", "2024", "-o"])
            .arg(&compiled)
            .arg(source),
    );
    compiled
}

/// The revision that the script finds in `dir`.
fn found(script: &Path, dir: &Path, said: Option<&str>) -> String {
    let mut run = Command::new(script);
    run.current_dir(dir)
        .env_remove("COURIERFLOW_REVISION")
        .envs(said.map(|said| ("COURIERFLOW_REVISION", said)));
    // No repository above the test's own directories.
    run.env("GIT_CEILING_DIRECTORIES", dir.parent().unwrap());
    let printed = output(&mut run);
    let revision = printed
        .lines()
        .find_map(|line| line.strip_prefix("cargo::rustc-env=COURIERFLOW_REVISION="));
    revision.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    output(Command::new("git").current_dir(dir).args(author).args(arguments))
}

#[test]
fn the_revision_is_what_is_said_or_what_git_has_checked_out() {
    let temporary = tempfile::tempdir().unwrap();
    let script = build_script(temporary.path());
    let dir = temporary.path().join("source");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("build.rs"), "").unwrap();
    assert_eq!(found(&script, &dir, None), "unknown", "an archive");
    assert_eq!(found(&script, &dir, Some("v1.2-rc.1+5")), "v1.2-rc.1+5");
    assert_eq!(found(&script, &dir, Some("a\"b")), "unknown", "it would break a label");

    git(&dir, &["init", "--quiet"]);
    git(
        &dir,
        &["commit", "--quiet", "--allow-empty", "--message", "another project"],
    );
    assert_eq!(
        found(&script, &dir, None),
        "unknown",
        "an archive inside another repository"
    );

    git(&dir, &["add", "build.rs"]);
    git(&dir, &["commit", "--quiet", "--message", "this one"]);
    let head = git(&dir, &["rev-parse", "--short=12", "HEAD"]);
    assert_eq!(found(&script, &dir, None), head.trim());
    assert_eq!(found(&script, &dir, Some("said")), "said");
}
