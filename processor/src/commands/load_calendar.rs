//! `processor load-calendar`: replaces the calendar by that of a file.

use std::path::PathBuf;

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::load;
use courierflow_processor::load::calendar::Day;

#[derive(Args)]
pub(crate) struct Arguments {
    /// CSV with the columns `country,date,is_working,name`: the days that are not as the day of the week says, of all countries.
    file: PathBuf,
}

/// Prints the number of days that are in the table now.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let now = u32::try_from(jiff::Timestamp::now().as_second())?;
    let days = load::load::<Day>(&config.clickhouse, &arguments.file, now).await?;
    println!("{days} days; the figures follow with the next refresh");
    Ok(())
}
