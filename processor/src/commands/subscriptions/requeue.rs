//! `processor subscriptions requeue`

use clap::Args;
use courierflow_processor::config::Config;
use courierflow_processor::subscriptions::send::{Rate, send};
use courierflow_processor::subscriptions::table::{Selection, Tables};
use courierflow_processor::subscriptions::{accounts, asker, requester, requeue};
use courierflow_schemas::records::SubscriptionState;
use courierflow_service::exit;
use jiff::Timestamp;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Those in this state: ENDED, REJECTED, EXPIRED or CANCELLED.
    #[arg(long, value_parser = ended)]
    state: SubscriptionState,
    /// Only those with this code of the vendor.
    #[arg(long)]
    code: Option<String>,
    /// Only those of accounts with this name.
    #[arg(long)]
    account: Option<String>,
    /// How many at most; the newest.
    #[arg(long, default_value_t = 100_000)]
    limit: u64,
    /// Only report what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Requests a second.
    #[arg(long, default_value = "50")]
    rate: Rate,
    /// Who asks: the requester of the records.
    #[arg(long, default_value = "cli", value_parser = requester)]
    requester: String,
}

/// Prints how many were asked for again, and on standard error which could not be; fails if there are any of these.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let selection = Selection {
        state: Some(arguments.state),
        account: arguments.account,
        code: arguments.code,
    };
    let rows = Tables::new(&config.clickhouse)
        .subscriptions(&selection, arguments.limit)
        .await?;
    let accounts = accounts(config);
    let asker = asker(config, &accounts, &arguments.requester, Timestamp::now());
    let mut requests = Vec::with_capacity(rows.len());
    let mut refused = 0_usize;
    for row in &rows {
        match requeue::request(row, &asker) {
            Ok(request) => requests.push(request),
            Err(error) => {
                refused += 1;
                let (vendor, account, number) = (&row.vendor, &row.account, &row.tracking_number);
                let of = if vendor.is_empty() {
                    String::new()
                } else {
                    format!("{vendor}/{account} ")
                };
                exit::report(crate::PROGRAM, &format_args!("{of}{number} stays: {error}"));
            }
        }
    }
    let count = requests.len();
    if arguments.dry_run {
        println!("{count} would be asked for again");
    } else {
        send(config, &requests, arguments.rate).await?;
        println!("{count} asked for again");
    }
    anyhow::ensure!(
        refused == 0,
        "{refused} cannot be asked for again: load them from a file, with force"
    );
    Ok(())
}

fn ended(name: &str) -> Result<SubscriptionState, String> {
    let state = super::state(name)?;
    if state.is_terminal() {
        Ok(state)
    } else {
        Err("has not ended: only ENDED, REJECTED, EXPIRED and CANCELLED can be requeued".to_owned())
    }
}
