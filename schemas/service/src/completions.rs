//! `PROGRAM completions SHELL`: prints a script with which a shell completes the program's subcommands and options.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::exit;

/// The arguments of the subcommand.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that will read the script
    shell: Shell,
}

impl Completions {
    /// Prints the script for the command line `C` of `program`.
    pub fn print<C: CommandFactory>(&self, program: &str) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut C::command(), program, &mut script);
        // Not written by `generate`, which panics when its reader has gone.
        match std::io::stdout().write_all(&script) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::failure(program, &format_args!("cannot print: {error}")),
        }
    }
}
