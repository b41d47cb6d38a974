//! `processor dead-letters list`

use std::io;

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::dead_letter::list::{Format, ListError, list};
use courierflow_processor::dead_letter::{Selection, Source};
use courierflow_service::exit;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only those of courier.push.dead.v1 (push) or courier.derive.dead.v1 (derive).
    #[arg(long)]
    topic: Option<Source>,
    /// Only those with this reason (ingest) or error class (derive, sink).
    #[arg(long)]
    reason: Option<String>,
    /// How many to show at most; the newest are shown.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Show the records' values, too. They are personal data.
    #[arg(long)]
    payload: bool,
}

/// Prints the dead letters on standard output, and on standard error how many older ones are not shown.
pub(crate) fn run(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let selection = Selection {
        source: arguments.topic,
        reason: arguments.reason,
        place: None,
    };
    let format = Format {
        json: arguments.json,
        payload: arguments.payload,
    };
    let mut out = io::stdout().lock();
    match list(&config.kafka, &selection, arguments.limit, format, &mut out) {
        Ok(0) => {}
        Ok(left_out) => exit::report(
            crate::PROGRAM,
            &format_args!("{left_out} older ones are not shown: --limit, --topic, --reason"),
        ),
        // The reader closed the pipe, as `| head` does.
        Err(ListError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
