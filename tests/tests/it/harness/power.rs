//! A power cut of ClickHouse: what it had not flushed is gone.

use std::path::PathBuf;

use courierflow_tests::stack::{Server, Stack};

use super::tables;

/// The server's time, in seconds since 1970.
pub(crate) fn server_time(stack: &dyn Stack) -> u64 {
    tables::rows(stack, "SELECT toUnixTimestamp(now()) AS now")[0]["now"]
        .as_u64()
        .unwrap()
}

/// The directories of all parts that were written since then, merged ones included.
pub(crate) fn parts_since(stack: &dyn Stack, second: u64, tables: &[&str]) -> Vec<PathBuf> {
    let tables = tables.join("', '");
    let sql = format!(
        "SELECT path FROM system.parts WHERE database = 'courier' AND table IN ('{tables}')
            AND toUnixTimestamp(modification_time) >= {second}"
    );
    let rows = tables::rows(stack, &sql);
    rows.iter().map(|row| row["path"].as_str().unwrap().into()).collect()
}

/// Kills the server and removes these parts.
pub(crate) fn cut_off(stack: &dyn Stack, lost: &[PathBuf]) {
    stack.kill(Server::ClickHouse).unwrap();
    for part in lost {
        // One that was merged may be gone by itself.
        if part.exists() {
            std::fs::remove_dir_all(part).unwrap();
        }
    }
}
