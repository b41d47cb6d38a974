//! `processor migrate`: brings topics, schemas and tables to the state that this version needs.

use courierflow_processor::config::Config;
use courierflow_processor::migrate;

/// Prints what was changed, one line each.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let changes = migrate::run(config).await?;
    if changes.is_empty() {
        println!("nothing to change");
    }
    for change in changes {
        println!("{change}");
    }
    Ok(())
}
