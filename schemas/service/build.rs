//! Finds the commit that is built: `COURIERFLOW_REVISION` where somebody says it (images and packages are built without `.git`), else
//! git's HEAD, else "unknown". A build from an archive of the source must work.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const VARIABLE: &str = "COURIERFLOW_REVISION";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let said = env::var(VARIABLE).ok().filter(|revision| is_plain(revision));
    let revision = said.or_else(checked_out).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env={VARIABLE}={revision}");
}

/// It becomes a label of a metric and a part of `--version`.
fn is_plain(revision: &str) -> bool {
    !revision.is_empty()
        && revision
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
}

/// The commit that git has checked out here.
fn checked_out() -> Option<String> {
    // An archive that was unpacked inside another repository is not at that one's commit.
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    // The first changes with every checkout of another branch, the second with every commit. Cargo would build anew each time if it
    // was told of a file that is not there.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if fs::exists(Path::new(&path)).unwrap_or(false) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// What git prints, if there is a git and it agrees.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.trim().to_owned())
}
