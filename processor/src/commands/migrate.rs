//! `processor migrate`: brings topics, schemas and tables to the state that this version needs, or says what it would change.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use courierflow_processor::config::Config;
use courierflow_processor::migrate::definitions::Definitions;
use courierflow_processor::migrate::kind::DatabaseKind;
use courierflow_processor::migrate::{self, Part, Plan, Report, analysts, clickhouse, ddl};
use courierflow_service::exit;
use tokio::runtime::Runtime;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Give all topics `topics.partitions` partitions, if they have fewer, and move the state of every parcel and subscription to the
    /// partition that it belongs to then. Nothing may run meanwhile, and derive, subscribe and sink must have read everything.
    #[arg(long, conflicts_with_all = ["check", "only", "print_ddl"])]
    grow: bool,
    /// Change nothing, print what would be changed, and exit with 3 if that is anything.
    #[arg(long)]
    check: bool,
    /// Only these parts, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<Part>,
    /// Print the statements of a new database, and change nothing.
    #[arg(
        long,
        value_name = "KIND",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "configured",
        conflicts_with = "check"
    )]
    print_ddl: Option<Printed>,
    /// Print the statements that make a role for analysts, who may read what is documented and nothing else, and change nothing. An
    /// administrator runs them, and again after a release that adds tables or views.
    #[arg(
        long,
        value_name = "ROLE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "analyst",
        value_parser = role,
        conflicts_with_all = ["check", "grow", "print_ddl"]
    )]
    print_grants: Option<String>,
}

fn role(name: &str) -> Result<String, String> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name && name.starts_with(|first: char| !first.is_ascii_digit()) {
        Ok(name.to_owned())
    } else {
        Err("a role is [A-Za-z_][A-Za-z0-9_]*".to_owned())
    }
}

impl Arguments {
    /// Whether it looks at topics.
    pub(crate) fn use_kafka(&self) -> bool {
        self.print_ddl.is_none() && self.print_grants.is_none() && (self.grow || self.parts().contains(&Part::Topics))
    }

    fn parts(&self) -> Vec<Part> {
        let mut parts = Plan::all().parts;
        parts.retain(|part| self.only.is_empty() || self.only.contains(part));
        parts
    }
}

/// The kind of the database whose statements are printed.
#[derive(Clone, Copy, ValueEnum)]
enum Printed {
    /// That of the configured one, which is looked at.
    Configured,
    /// One server.
    Plain,
    /// A cluster of one's own.
    Replicated,
    /// `ClickHouse` Cloud.
    Shared,
}

/// Prints what was changed, one line each, and what an operator should look at.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run(config: &Config, arguments: &Arguments, runtime: &Runtime) -> anyhow::Result<ExitCode> {
    if let Some(printed) = arguments.print_ddl {
        print!("{}", statements(config, printed, runtime)?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(role) = &arguments.print_grants {
        let definitions = Definitions::embedded();
        print!(
            "{}",
            analysts::statements(role, &config.clickhouse.database, &definitions)?
        );
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan {
        parts: arguments.parts(),
        may_change: !arguments.check,
    };
    let mut changes = Vec::new();
    if arguments.grow {
        changes.extend(migrate::grow(config, runtime.handle())?);
    }
    let Report {
        changes: others,
        warnings,
    } = runtime.block_on(migrate::run(config, &plan))?;
    changes.extend(others);
    if changes.is_empty() {
        println!("nothing to change");
    } else if arguments.check {
        println!("without --check this would be done:");
    }
    for change in &changes {
        println!("{change}");
    }
    for warning in warnings {
        println!("warning: {warning}");
    }
    if arguments.check && !changes.is_empty() {
        return Ok(ExitCode::from(exit::WOULD_CHANGE));
    }
    Ok(ExitCode::SUCCESS)
}

fn statements(config: &Config, printed: Printed, runtime: &Runtime) -> anyhow::Result<String> {
    let settings = &config.clickhouse;
    let kind = match printed {
        Printed::Configured => runtime.block_on(clickhouse::kind_of_database(settings))?,
        Printed::Plain => DatabaseKind::Plain,
        Printed::Replicated => DatabaseKind::Replicated,
        Printed::Shared => DatabaseKind::Shared,
    };
    let definitions = Definitions::embedded().with_settings(&settings.views);
    Ok(ddl::all(kind, &settings.database, &definitions)?)
}
