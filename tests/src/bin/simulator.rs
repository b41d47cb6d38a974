//! Plays all vendors: lives parcels through weeks of simulated time, posts their signed pushes to ingest, and prints
//! what `ClickHouse` makes of them. To try a set-up of your own, name its URLs, accounts and secrets. With `serve` the vendors
//! are called instead: they take subscriptions and queries, and push to whoever has subscribed.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};
use courierflow_schemas::records::Vendor;
use courierflow_tests::simulator::follow::{FollowArguments, LoopReport};
use courierflow_tests::simulator::push::config::accounts;
use courierflow_tests::simulator::push::{Simulation, SimulationConfig};
use courierflow_tests::simulator::report::{
    CARRIERS_SQL, ClickHouse, ClickHouseArguments, Findings, wait_until_caught_up,
};
use courierflow_tests::simulator::sender::{Progress, SenderConfig, send};
use courierflow_tests::simulator::vendor_server::{ServeArguments, VendorServer};
use courierflow_tests::simulator::vendors::options::{Account, AccountOption};
use courierflow_tests::simulator::vendors::service;

/// Simulated pushes of all vendors, and a report of what came out.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    mode: Option<Mode>,
    /// Where ingest listens: scheme, host, port
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    ingest_url: String,
    #[command(flatten)]
    clickhouse: ClickHouseArguments,
    /// Pushes a second; 0: as fast as they are answered
    #[arg(long, default_value_t = 0.0, value_parser = |text: &str| number(text, 1e6))]
    rate: f64,
    /// How many parcels (about nine pushes each)
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..))]
    parcels: u32,
    /// Another seed, other parcels
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The simulated present, such as 2026-08-09T12:00:00Z; the real one if not given. The same seed at the same present sends the same bytes
    #[arg(long)]
    now: Option<jiff::Timestamp>,
    /// How many days ago the oldest parcels were ordered
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// How much goes wrong on the way, from 0 to 1: repeated, late and rewritten pushes, impossible times
    #[arg(long, default_value_t = 0.05, value_parser = |text: &str| number(text, 1.0))]
    mischief: f64,
    /// Let some tracking numbers live twice
    #[arg(long)]
    reuse_numbers: bool,
    /// Pushes in flight at most
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Seconds after which a push that keeps failing is given up
    #[arg(long, default_value_t = 60)]
    give_up_after: u64,
    #[command(flatten)]
    accounts: AccountArguments,
    /// Print a carrier table from ClickHouse afterwards (the default)
    #[arg(long, overrides_with = "no_report")]
    report: bool,
    /// Print no report
    #[arg(long, overrides_with = "report")]
    no_report: bool,
    /// Seconds to wait for the tables to catch up before the report
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Vendors that are called: subscriptions and queries come in, pushes go to the callback URLs
    Serve(Box<ServeArguments>),
    /// Wait until the world of those vendors is over, and compare their books with the tables
    Follow(FollowArguments),
}

/// A number from 0 to `most`; not NaN.
fn number(text: &str, most: f64) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=most).contains(&number) => Ok(number),
        Ok(_) => Err(format!("must be from 0 to {most}")),
        Err(error) => Err(error.to_string()),
    }
}

impl Arguments {
    fn simulation(&self, now: i64) -> SimulationConfig {
        SimulationConfig {
            seed: self.seed,
            parcels: self.parcels,
            now,
            days: self.days,
            mischief: self.mischief,
            reuse_numbers: self.reuse_numbers,
            accounts: self.accounts.0.clone(),
        }
    }
}

/// The accounts that the options of the vendors ask for.
#[derive(Debug)]
struct AccountArguments(Vec<Account>);

impl Args for AccountArguments {
    fn augment_args(command: Command) -> Command {
        let options = Vendor::ALL.map(|vendor| service(vendor).account_options().all());
        command.args(options.into_iter().flatten().map(|option| {
            let argument = Arg::new(option.name)
                .long(option.name)
                .value_name("TEXT")
                .help(option.help)
                .default_value(option.default);
            match option.env {
                Some(variable) => argument.env(variable).hide_env_values(true),
                None => argument,
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AccountArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |option: &AccountOption| matches.get_one(option.name).cloned().unwrap_or_default();
        Ok(Self(accounts(value)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match &arguments.mode {
        Some(Mode::Serve(arguments)) => serve(arguments).await,
        Some(Mode::Follow(arguments)) => follow(arguments).await,
        None => run(&arguments).await,
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            println!("simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays vendors that are called, until somebody presses Ctrl-C or ends the program.
async fn serve(arguments: &ServeArguments) -> anyhow::Result<ExitCode> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let server = VendorServer::bind(arguments.listen, arguments.config(now)).await?;
    println!("the vendors listen on http://{}", server.address());
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let stop = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    server.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what became of the parcels that the vendors were asked to follow; fails if the two sides do not agree.
async fn follow(arguments: &FollowArguments) -> anyhow::Result<ExitCode> {
    let mut ticker = Ticker::new(0);
    let report = LoopReport::gather(arguments, |text| ticker.line(text)).await?;
    ticker.clear();
    println!("{report}");
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let started_at = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    let now = arguments.now.map_or(started_at / 1_000_000, jiff::Timestamp::as_second);
    let config = arguments.simulation(now);
    let vendors: Vec<_> = config.vendors().map(Vendor::as_str).collect();
    let simulation = Simulation::new(config);
    let pushes = simulation.len() as u64;
    println!(
        "{} parcels, {pushes} pushes of {}, seed {}: to {}",
        arguments.parcels,
        vendors.join(", "),
        arguments.seed,
        arguments.ingest_url
    );

    let stop = Arc::new(AtomicBool::new(false));
    tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    let config = SenderConfig {
        ingest_url: arguments.ingest_url.clone(),
        rate: arguments.rate,
        concurrency: arguments.concurrency.max(1),
        give_up_after: Duration::from_secs(arguments.give_up_after),
    };
    let mut ticker = Ticker::new(pushes);
    let sent = send(simulation, &config, Arc::clone(&stop), |progress| ticker.show(progress)).await?;
    ticker.finish(&sent);
    if let Some(reason) = &sent.last_failure {
        println!("{} pushes failed, the last one: {reason}", sent.failed);
    }
    if stop.load(Ordering::Relaxed) {
        println!("stopped: {} of {pushes} pushes were sent", sent.sent);
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.no_report {
        report(arguments, started_at, sent.acked_parcels).await?;
    }
    Ok(if sent.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn report(arguments: &Arguments, started_at: i64, push_events: u64) -> anyhow::Result<()> {
    let clickhouse = ClickHouse::of(&arguments.clickhouse)?;
    let patience = Duration::from_secs(arguments.patience);
    let waiting_since = Instant::now();
    let mut ticker = Ticker::new(push_events);
    wait_until_caught_up(&clickhouse, started_at, push_events, patience, |arrived| {
        ticker.show_arrived(arrived);
    })
    .await?;
    ticker.clear();
    println!(
        "in ClickHouse {:.1} s after the last answer\n",
        waiting_since.elapsed().as_secs_f64()
    );
    if let Err(error) = clickhouse.refresh_metrics().await {
        // A user who may only read can still see the report.
        println!("the dashboard will show this within ten minutes, not at once: {error:#}\n");
    }
    println!("{}", Findings::gather(&clickhouse).await?.render());
    println!(
        "The table is this query; try it at {}/play\n",
        arguments.clickhouse.clickhouse_url.trim_end_matches('/')
    );
    for line in CARRIERS_SQL.lines() {
        println!("  {line}");
    }
    Ok(())
}

/// Progress on the terminal: one line that is written over, or a line every two seconds where nobody looks.
struct Ticker {
    of: u64,
    on_terminal: bool,
    shown_at: Option<Instant>,
}

impl Ticker {
    fn new(of: u64) -> Self {
        Self {
            of,
            on_terminal: std::io::stdout().is_terminal(),
            shown_at: None,
        }
    }

    fn show(&mut self, progress: &Progress) {
        self.line(&format!("sent {}", summary(progress, self.of)));
    }

    fn show_arrived(&mut self, arrived: u64) {
        self.line(&format!("waiting for ClickHouse: {arrived} of {} push events", self.of));
    }

    fn line(&mut self, text: &str) {
        if self.on_terminal {
            print!("\r\x1b[K{text}");
            // A terminal that has gone away is no reason to stop.
            let _ = std::io::stdout().flush();
        } else if self
            .shown_at
            .is_none_or(|shown| shown.elapsed() >= Duration::from_secs(2))
        {
            self.shown_at = Some(Instant::now());
            println!("{text}");
        }
    }

    fn clear(&self) {
        if self.on_terminal {
            print!("\r\x1b[K");
        }
    }

    fn finish(&self, progress: &Progress) {
        self.clear();
        println!(
            "sent {} in {:.1} s",
            summary(progress, self.of),
            progress.elapsed.as_secs_f64()
        );
    }
}

fn summary(progress: &Progress, of: u64) -> String {
    format!(
        "{} of {of} pushes, {} acknowledged ({} parcels), {} retried, {} failed, {:.0} pushes/s",
        progress.sent,
        progress.acked,
        progress.acked_parcels,
        progress.retried,
        progress.failed,
        progress.rate()
    )
}
