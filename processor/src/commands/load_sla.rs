//! `processor load-sla`: replaces the promised hours of carriers by those of a file.

use std::path::PathBuf;

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::sla;

#[derive(Args)]
pub(crate) struct Arguments {
    /// CSV with the columns carrier,origin,destination,hours: `*` stands for all, a place is an area code such as
    /// CN44 or CN4403.
    file: PathBuf,
}

/// Prints the number of promises that are in the table now.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let now = u32::try_from(jiff::Timestamp::now().as_second())?;
    let promises = sla::load(&config.clickhouse, &arguments.file, now).await?;
    println!("{promises} promises; the figures follow with the next refresh");
    Ok(())
}
