//! `processor subscriptions list`

use std::io::{self, Write};

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::subscriptions::table::{Selection, SubscriptionRow, Tables};
use courierflow_schemas::records::SubscriptionState;

use super::state;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only those in this state: REQUESTED, CALLING, WAITING, ACTIVE, FALLBACK, QUOTA, ENDED, REJECTED, EXPIRED or CANCELLED.
    #[arg(long, value_parser = state)]
    state: Option<SubscriptionState>,
    /// Only those of accounts with this name.
    #[arg(long)]
    account: Option<String>,
    /// Only those with this code of the vendor.
    #[arg(long)]
    code: Option<String>,
    /// How many to show at most; the newest are shown.
    #[arg(long, default_value_t = 100)]
    limit: u64,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

/// Prints them on standard output, one a line.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let selection = Selection {
        state: arguments.state,
        account: arguments.account,
        code: arguments.code,
    };
    let rows = Tables::new(&config.clickhouse)
        .subscriptions(&selection, arguments.limit)
        .await?;
    let mut out = io::stdout().lock();
    for row in &rows {
        match write_row(row, arguments.json, &mut out) {
            // The reader closed the pipe, as `| head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written?,
        }
    }
    Ok(())
}

fn write_row(row: &SubscriptionRow, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, row)?;
        return writeln!(out);
    }
    let SubscriptionRow {
        since,
        vendor,
        account,
        tracking_number,
        carrier,
        state,
        reason,
        code,
        ..
    } = row;
    let why: Vec<&str> = [reason.as_str(), code.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    writeln!(
        out,
        "{since}  {vendor}/{account}  {carrier}  {tracking_number}  {state}  {}",
        why.join(" ")
    )
}
