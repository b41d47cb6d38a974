//! `processor subscriptions load`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::subscriptions::file::{self, FileError};
use courierflow_processor::subscriptions::send::{Rate, send};
use courierflow_processor::subscriptions::table::Tables;
use courierflow_processor::subscriptions::{accounts, asker, requester};
use courierflow_schemas::records::SubscriptionRequest;
use courierflow_service::exit;
use jiff::Timestamp;

#[derive(Args)]
pub(crate) struct Arguments {
    /// CSV with some of the columns `tracking_number,carrier,auto_carrier,vendor,account,phone,from,to,product,reference,not_before`,
    /// `force,request_id,departure_country,departure_carrier,destination_country,destination_carrier`.
    file: PathBuf,
    /// Only check the file.
    #[arg(long)]
    dry_run: bool,
    /// Requests a second.
    #[arg(long, default_value = "50")]
    rate: Rate,
    /// Who asks: the requester of the records.
    #[arg(long, default_value = "cli", value_parser = requester)]
    requester: String,
    /// Leave out numbers whose parcel is delivered, returned or cancelled.
    #[arg(long)]
    only_open: bool,
}

/// Prints every bad line on standard error, or how many parcels were asked for. If one line is bad, nothing is asked.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let path = arguments.file.display();
    let text = std::fs::read(&arguments.file).with_context(|| path.to_string())?;
    let accounts = accounts(config);
    let read = file::read(&text, &asker(config, &accounts, &arguments.requester, Timestamp::now()));
    if let Err(FileError::Lines(lines)) = &read {
        for line in lines {
            exit::report(crate::PROGRAM, line);
        }
    }
    let requests = read.with_context(|| path.to_string())?;
    let (requests, ended) = if arguments.only_open {
        only_open(config, requests).await?
    } else {
        (requests, 0)
    };
    let count = requests.len();
    if arguments.dry_run {
        println!("{count} would be asked for");
    } else {
        send(config, &requests, arguments.rate).await?;
        println!("{count} asked for");
    }
    if arguments.only_open {
        println!("{ended} left out: they have come to their end");
    }
    Ok(())
}

async fn only_open(
    config: &Config,
    requests: Vec<SubscriptionRequest>,
) -> anyhow::Result<(Vec<SubscriptionRequest>, usize)> {
    let numbers = requests.iter().map(|request| request.tracking_number.as_str());
    let terminal = Tables::new(&config.clickhouse).terminal(numbers).await?;
    let all = requests.len();
    let open: Vec<SubscriptionRequest> = (requests.into_iter())
        .filter(|request| !terminal.contains(&request.tracking_number))
        .collect();
    let ended = all - open.len();
    Ok((open, ended))
}
