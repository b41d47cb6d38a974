//! `processor load-sla`: replaces the promises of carriers by those of a file.

use std::path::PathBuf;

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::load;
use courierflow_processor::load::promises::Promise;

#[derive(Args)]
pub(crate) struct Arguments {
    /// CSV with the columns carrier,origin,destination,hours: `*` stands for all, a place is an area code such as
    /// CN44 or CN4403. With the columns `working_days,cutoff` after them a line may promise working days instead of hours.
    file: PathBuf,
}

/// Prints the number of promises that are in the table now.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let now = u32::try_from(jiff::Timestamp::now().as_second())?;
    let promises = load::load::<Promise>(&config.clickhouse, &arguments.file, now).await?;
    println!("{promises} promises; the figures follow with the next refresh");
    Ok(())
}
