//! `processor reconcile`: the role, or an order to it.

use anyhow::Context;
use courierflow_processor::config::Config;
use courierflow_processor::reconcile::{self, GapOrder};
use courierflow_schemas::settings::require;
use jiff::Timestamp;

use super::serve::{Role, serve};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Pushes between these two moments (2026-11-29T08:00:00Z) are lost: have every open parcel that was not heard of since asked about
    /// once, by the processes that run the role, and end
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"])]
    gap: Option<Vec<Timestamp>>,
    /// Only parcels of this account, vendor/name
    #[arg(long, requires = "gap")]
    account: Option<String>,
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let is_on = config.subscribe.queried().next().is_some();
    let reason = "is 0 or missing: there is nobody to ask";
    require(is_on, "subscribe.accounts[0].daily_queries", reason)?;
    let Some(gap) = &arguments.gap else {
        return serve(config, &[Role::Reconcile]).await;
    };
    let [begun, ended] = gap[..] else {
        anyhow::bail!("--gap needs FROM and TO");
    };
    let order = GapOrder {
        begun,
        ended,
        account: arguments.account.clone(),
    };
    let parcels = reconcile::order(config, &order).await.context("nothing is ordered")?;
    println!("ordered: {parcels} open parcels are asked about once, as far as limits and budgets allow");
    Ok(())
}
