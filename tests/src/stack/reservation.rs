//! What a stack has to itself while it lives: a directory, a block of ports, and the lock that keeps another stack of the
//! same name away.

use super::ports::PortBlock;
use super::repository;
use anyhow::{Context, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

/// The places in the block of ports that the servers have; what follows is for the services of the test.
pub(super) const SERVER_PORTS: u16 = 7;

/// The directory `.local/test-<name>`, empty at first, and ports. What a killed run of the same name left is ended and
/// forgotten.
#[derive(Debug)]
pub(super) struct Reservation {
    dir: PathBuf,
    ports: PortBlock,
    next_port: AtomicU16,
    _lock: File,
}

impl Reservation {
    pub(super) fn new(name: &str) -> anyhow::Result<Self> {
        ensure!(is_directory_name(name), "'{name}' must be made of a-z, 0-9 and -");
        let parent = repository().join(".local");
        fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let lock = File::create(parent.join(format!("test-{name}.lock"))).context("cannot create a lock file")?;
        if lock.try_lock().is_err() {
            bail!("another test run is using the stack '{name}'");
        }
        let reservation = Self {
            dir: parent.join(format!("test-{name}")),
            ports: PortBlock::claim()?,
            next_port: AtomicU16::new(SERVER_PORTS),
            _lock: lock,
        };
        let dir = &reservation.dir;
        if dir.exists() {
            reservation.sweep()?;
            fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(reservation)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The places of the servers lie within every block.
    pub(super) fn port(&self, place: u16) -> u16 {
        self.ports.get(place).unwrap_or_default()
    }

    /// See [`super::Stack::reserve_port`].
    pub(super) fn reserve_port(&self) -> anyhow::Result<u16> {
        let place = self.next_port.fetch_add(1, Ordering::Relaxed);
        self.ports
            .get(place)
            .context("a test has too many services: enlarge the block of ports")
    }

    /// `stack.sh` on this directory, for what does not depend on the ports.
    pub(super) fn script(&self) -> Command {
        let mut script = Command::new(repository().join("deploy/local/stack.sh"));
        script.env("COURIERFLOW_LOCAL_DIR", &self.dir);
        script
    }

    /// Ends every process that was started in the directory, servers and services, or in one of a broker below it.
    pub(super) fn sweep(&self) -> anyhow::Result<()> {
        run(self.script().arg("sweep"))?;
        for entry in fs::read_dir(&self.dir).context("cannot list the directory of a stack")? {
            let below = entry?.path();
            if below.join("run").is_dir() {
                run(self.script().env("COURIERFLOW_LOCAL_DIR", below).arg("sweep"))?;
            }
        }
        Ok(())
    }

    /// Removes the directory, if nothing runs in it any more. The logs of a test that failed are kept.
    pub(super) fn forget(&self, failed: bool) {
        let leftover = if failed || thread::panicking() {
            self.dir.join("data")
        } else {
            self.dir.clone()
        };
        if leftover.exists()
            && let Err(error) = fs::remove_dir_all(&leftover)
        {
            tracing::warn!(%error, path = %leftover.display(), "files of a test were not removed");
        }
    }
}

/// Runs a script until it ends; the error carries what it said.
pub(super) fn run(script: &mut Command) -> anyhow::Result<()> {
    let output = script.output().context("cannot run deploy/local/stack.sh")?;
    if !output.status.success() {
        let arguments: Vec<_> = script.get_args().map(|argument| argument.to_string_lossy()).collect();
        bail!(
            "stack.sh {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(())
}

fn is_directory_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_directories() {
        for (name, valid) in [
            ("sink-2", true),
            ("", false),
            ("../x", false),
            ("A", false),
            ("a b", false),
        ] {
            assert_eq!(is_directory_name(name), valid, "{name:?}");
        }
    }
}
