//! How a program exits after an error: its exit code, and one line on standard error that says why.

use std::fmt::Display;
use std::process::ExitCode;

/// Exit code for an unusable configuration: a restart would not help.
pub const BAD_CONFIGURATION: u8 = 2;

/// Exit code of a check that found something to change.
pub const WOULD_CHANGE: u8 = 3;

/// Prints `PROGRAM: error` and returns the exit code [`BAD_CONFIGURATION`].
pub fn bad_configuration(program: &str, error: &dyn Display) -> ExitCode {
    report(program, error);
    ExitCode::from(BAD_CONFIGURATION)
}

/// Prints that a program would start with its configuration.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub fn good_configuration(program: &str) -> ExitCode {
    println!("{program}: nothing is wrong with the configuration");
    ExitCode::SUCCESS
}

/// Prints `PROGRAM: error` and returns the exit code 1.
pub fn failure(program: &str, error: &dyn Display) -> ExitCode {
    report(program, error);
    ExitCode::FAILURE
}

/// Prints `PROGRAM: line` on standard error.
#[expect(
    clippy::print_stderr,
    reason = "the log may not be there yet, and a user wants one plain line"
)]
pub fn report(program: &str, line: &dyn Display) {
    eprintln!("{program}: {line}");
}
