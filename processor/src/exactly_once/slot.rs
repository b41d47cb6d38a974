//! A worker's stable identity on this host.
//!
//! `transactional.id` and `group.instance.id` must be the same after a crash: then `init_transactions` fences the dead
//! predecessor at once, and the group gives the restarted worker its partitions without a rebalance. Two live workers
//! must never share one. A file lock per slot ensures both: the kernel releases it whenever the process ends, however
//! it ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why a slot cannot be acquired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SlotError {
    #[error("{key}: cannot use {path}")]
    Io {
        key: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("all {0} slots of this host are taken")]
    Exhausted(usize),
}

/// More workers than this on one host are taken for a configuration mistake.
const MAX_SLOTS: usize = 1_024;

/// A slot, held as long as the worker thread lives, through all restarts of the worker.
pub(crate) struct Slot {
    name: String,
    /// Closing the file releases the lock.
    _lock: File,
}

impl Slot {
    /// Acquires the lowest free slot of `group` on this host. The lock files are in `dir`, which the setting `key` names.
    pub(crate) fn acquire(key: &'static str, dir: &Path, group: &str, host: &str) -> Result<Self, SlotError> {
        fs::create_dir_all(dir).map_err(|source| SlotError::Io {
            key,
            path: dir.to_owned(),
            source,
        })?;
        for number in 0..MAX_SLOTS {
            let path = dir.join(format!("{group}-{number}.lock"));
            let failed = |source| SlotError::Io {
                key,
                path: path.clone(),
                source,
            };
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        name: format!("{group}-{host}-{number}"),
                        _lock: file,
                    });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        Err(SlotError::Exhausted(MAX_SLOTS))
    }

    /// The worker's name: unique among live workers, the same after a crash.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// The host name, so that slots of several hosts do not collide.
pub(crate) fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let name = name.unwrap_or_default().trim().to_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_called_as_its_system_says() {
        let said = std::process::Command::new("uname").arg("-n").output().unwrap().stdout;
        assert_eq!(host_name(), String::from_utf8(said).unwrap().trim());
    }

    #[test]
    fn live_workers_have_different_slots_and_a_freed_slot_is_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let acquire = || Slot::acquire("derive.slot_dir", dir.path(), "derive", "host").unwrap();
        let (first, second) = (acquire(), acquire());
        assert_eq!([first.name(), second.name()], ["derive-host-0", "derive-host-1"]);
        drop(first);
        assert_eq!(acquire().name(), "derive-host-0");
    }
}
