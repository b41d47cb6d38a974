//! Pid files in the form that `deploy/local/process.sh` reads, so that `stack.sh sweep` also ends the services that a
//! killed test run left behind.

use anyhow::Context;
use std::fs;
use std::path::Path;

/// The line of a pid file: the pid, and the birth of the process by which a reused pid is told apart.
pub(super) fn pid_line(pid: u32) -> anyhow::Result<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("cannot read the state of a new process")?;
    let birth = birth(&stat).with_context(|| format!("unexpected form of /proc/{pid}/stat"))?;
    Ok(format!("{pid} {birth}\n"))
}

/// The start time in `/proc/<pid>/stat`, field 22 of proc(5), in clock ticks since boot.
fn birth(stat: &str) -> Option<u64> {
    // The program's name, field 2, is in parentheses and may hold spaces and parentheses itself.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The end of a log, for an error message.
pub(super) fn last_lines(log: &Path, count: usize) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(count)..)
        .unwrap_or_default()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::repository;
    use std::io::Write;
    use std::process::Command;
    use std::thread;
    use std::time::{Duration, Instant};

    #[test]
    fn the_birth_is_found_whatever_the_program_is_called() {
        let fields = "S 1 2 2 0 -1 4194560 3 0 0 0 0 0 0 0 20 0 1 0 58291 0 0";
        for name in ["ingest", "a b", "a) S 9 (b", ""] {
            assert_eq!(birth(&format!("77 ({name}) {fields}")), Some(58291), "{name:?}");
        }
    }

    #[test]
    fn what_is_no_stat_line_has_no_birth() {
        for stat in [
            "",
            "77",
            "77 (ingest)",
            "77 (ingest) S 1 2",
            "77 (x) S 1 2 2 0 -1 4 3 0 0 0 0 0 0 0 20 0 1 0 x",
        ] {
            assert_eq!(birth(stat), None, "{stat:?}");
        }
    }

    #[test]
    fn the_own_process_has_a_line() {
        let line = pid_line(std::process::id()).unwrap();
        assert!(
            line.starts_with(&format!("{} ", std::process::id())) && line.ends_with('\n'),
            "{line:?}"
        );
    }

    /// As it is for a moment when a process is killed while one of its threads waits for a disk.
    #[test]
    fn a_process_lives_on_while_any_of_its_threads_does() {
        const ENDS_ITS_FIRST_THREAD: &str = "import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).pthread_exit(None)";
        let mut process = Command::new("python3")
            .args(["-c", ENDS_ITS_FIRST_THREAD])
            .spawn()
            .unwrap();
        let stat = format!("/proc/{}/stat", process.id());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !fs::read_to_string(&stat).unwrap().contains(") Z ") {
            assert!(Instant::now() < deadline, "the first thread goes on");
            thread::sleep(Duration::from_millis(10));
        }
        let birth_by_script = |pid: u32| {
            let script = repository().join("deploy/local/process.sh");
            let command = format!(
                "COURIERFLOW_LOCAL_DIR=/nowhere; . '{}'; process_birth {pid}",
                script.display()
            );
            let output = Command::new("bash").args(["-c", &command]).output().unwrap();
            output
                .status
                .success()
                .then(|| String::from_utf8(output.stdout).unwrap())
        };
        let line = pid_line(process.id()).unwrap();
        assert_eq!(
            birth_by_script(process.id()).as_deref(),
            line.trim_end().split(' ').nth(1)
        );
        // Nothing of it is left but what is to be waited for.
        process.kill().unwrap();
        let all_ended = || fs::read_dir(format!("/proc/{}/task", process.id())).unwrap().count() == 1;
        while !all_ended() {
            assert!(Instant::now() < deadline, "a thread goes on");
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(birth_by_script(process.id()), None);
        process.wait().unwrap();
    }

    #[test]
    fn only_the_end_of_a_log_is_shown() {
        let mut log = tempfile::NamedTempFile::new().unwrap();
        log.write_all(b"one\ntwo\n\xff three\n").unwrap();
        assert_eq!(last_lines(log.path(), 2), "two\n\u{fffd} three");
        assert_eq!(last_lines(log.path(), 9), "one\ntwo\n\u{fffd} three");
        assert_eq!(last_lines(Path::new("/does/not/exist"), 9), "");
    }
}
