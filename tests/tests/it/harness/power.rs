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

/// What is inserted from now on is not merged until the server starts again.
pub(crate) fn stop_merges(stack: &dyn Stack) {
    tables::execute(stack, "SYSTEM STOP MERGES");
}

/// The directories, as the server names them, of all parts that were inserted since then. Parts that were merged are flushed whatever the inserts are, because what
/// they replace is removed.
pub(crate) fn parts_since(stack: &dyn Stack, second: u64, tables: &[&str]) -> Vec<PathBuf> {
    let tables = tables.join("', '");
    let sql = format!(
        "SELECT path FROM system.parts WHERE database = 'courier' AND table IN ('{tables}')
            AND min_block_number = max_block_number AND toUnixTimestamp(modification_time) >= {second}"
    );
    let rows = tables::rows(stack, &sql);
    rows.iter().map(|row| row["path"].as_str().unwrap().into()).collect()
}

/// Kills the server and removes these parts. One that was merged may be gone by itself.
pub(crate) fn cut_off(stack: &dyn Stack, lost: &[PathBuf]) {
    stack.kill(Server::ClickHouse).unwrap();
    stack.lose(Server::ClickHouse, lost).unwrap();
}
