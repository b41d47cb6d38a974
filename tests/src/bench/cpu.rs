//! Processor time: what else runs on the machine moves it less than what a clock measures, but it does (caches, merges).

use std::time::Duration;

use anyhow::Context;

use crate::stack::{Server, Stack};

/// Processor time of this process so far, that of all its threads.
pub(super) fn of_this_process() -> anyhow::Result<Duration> {
    of(std::process::id())
}

/// Processor time of a server so far.
pub(super) fn of_server(stack: &dyn Stack, server: Server) -> anyhow::Result<Duration> {
    let path = stack.dir().join("run").join(format!("{server}.pid"));
    let line = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let pid = line
        .split_whitespace()
        .next()
        .context("a pid file begins with the pid")?;
    of(pid.parse()?)
}

/// Processor time of a running process so far.
pub(super) fn of(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // After the name, which may have blanks: user and system time are the 12th and 13th field, in hundredths of a second.
    let fields = stat
        .rsplit_once(')')
        .context("a stat line has a name")?
        .1
        .split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(10 * ticks))
}
