//! Blocks of TCP ports that belong to one stack, across all test runs of this machine.
//!
//! Asking the kernel for any free port (port 0) is not enough here: it comes from the range of outgoing connections.
//! While a killed server is down its clients go on connecting, and sooner or later the kernel gives one of them, or of
//! anybody else, that very port as its own: the server can then not come back. So the ports lie below that range, and a
//! lock file says which blocks are taken even while nobody listens.

use anyhow::{Context, bail};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Ports in a block: five for the servers, the rest for services.
pub(super) const BLOCK: u16 = 32;
/// Above the ports that people choose for their own servers.
const FIRST: u16 = 12_000;
/// Linux takes outgoing ports from 32768 on.
const LAST: u16 = 32_000;

/// A block of ports; free for others when it is dropped.
#[derive(Debug)]
pub(super) struct PortBlock {
    first: u16,
    _lock: File,
}

impl PortBlock {
    /// Takes a block of which nobody holds the lock and on whose ports nobody listens.
    pub(super) fn claim() -> anyhow::Result<Self> {
        let locks = std::env::temp_dir().join("courierflow-ports");
        if fs::create_dir(&locks).is_ok() {
            // Shared by all users of the machine, as the ports are.
            fs::set_permissions(&locks, fs::Permissions::from_mode(0o777))
                .with_context(|| format!("cannot share {}", locks.display()))?;
        }
        let blocks = (LAST - FIRST) / BLOCK;
        let offset = fastrand::u16(0..blocks);
        for block in 0..blocks {
            let first = FIRST + (block + offset) % blocks * BLOCK;
            if let Some(lock) = lock_block(&locks, first)
                && all_free(first)
            {
                return Ok(Self { first, _lock: lock });
            }
        }
        bail!(
            "no {BLOCK} free ports in a row between {FIRST} and {LAST}, or {} cannot be written",
            locks.display()
        )
    }

    /// The port at this place of the block, if the block is that large.
    pub(super) fn get(&self, index: u16) -> Option<u16> {
        (index < BLOCK).then(|| self.first + index)
    }
}

/// A lock file that cannot be opened belongs to another user, and so does its block.
fn lock_block(locks: &Path, first: u16) -> Option<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(locks.join(first.to_string()))
        .ok()?;
    file.try_lock().ok()?;
    Some(file)
}

fn all_free(first: u16) -> bool {
    let listeners: io::Result<Vec<_>> = (first..first + BLOCK)
        .map(|port| TcpListener::bind(("127.0.0.1", port)))
        .collect();
    listeners.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn blocks_that_are_held_at_the_same_time_do_not_overlap() {
        let blocks: Vec<_> = (0..20).map(|_| PortBlock::claim().unwrap()).collect();
        let ports: HashSet<_> = blocks
            .iter()
            .flat_map(|block| (0..BLOCK).filter_map(|i| block.get(i)))
            .collect();
        assert_eq!(ports.len(), 20 * usize::from(BLOCK));
        assert!(ports.iter().all(|port| (FIRST..LAST).contains(port)));
    }

    #[test]
    fn a_block_ends() {
        let block = PortBlock::claim().unwrap();
        assert_eq!(block.get(BLOCK), None);
    }

    #[test]
    fn a_port_on_which_somebody_listens_spoils_its_block() {
        let block = PortBlock::claim().unwrap();
        let _listener = TcpListener::bind(("127.0.0.1", block.first + 7)).unwrap();
        assert!(!all_free(block.first));
    }
}
