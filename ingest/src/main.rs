//! The ingest service, in numbered steps.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use courierflow_ingest::config::{Config, IngestSettings};
use courierflow_ingest::{Error, Listeners, check, run};
use courierflow_schemas::{settings, topics};
use courierflow_service::completions::Completions;
use courierflow_service::{build_info, exit, health_check, kafka_access, logging, signals};
use tokio::net::TcpListener;

/// As in the processor: bodies and their parts are allocated on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Prefix of the line that says why the program cannot run.
const PROGRAM: &str = "ingest";

/// Receives the pushes of courier-tracking vendors and stores them in Kafka.
#[derive(Parser)]
#[command(version = build_info::VERSION_AND_REVISION)]
struct Arguments {
    /// Configuration file; every key can be overridden by `COURIERFLOW__SECTION__KEY`
    #[arg(long, global = true, env = settings::FILE_VARIABLE, default_value_os_t = settings::default_file())]
    config: PathBuf,
    /// Without one it serves
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Configured(Configured),
    /// Print a script with which a shell completes subcommands and options, then end
    Completions(Completions),
}

/// What needs the configuration.
#[derive(Subcommand)]
enum Configured {
    /// Judge the configuration and the files that it names, then end; exit code 2 if ingest would not start with them
    CheckConfig,
    /// Ask the ingest of this host whether it is ready, then end; exit code 1 if it is not
    Health,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = match arguments.command {
        Some(Command::Completions(completions)) => return completions.print::<Arguments>(PROGRAM),
        Some(Command::Configured(command)) => Some(command),
        None => None,
    };

    // 1. The configuration. A wrong value ends the program here, with one line that names the key.
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => return exit::bad_configuration(PROGRAM, &error),
    };

    topics::belong_to(&config.topics.prefix);

    match command {
        None => serve(&config).await,
        Some(Configured::CheckConfig) => match check(&config) {
            Ok(()) => exit::good_configuration(PROGRAM),
            Err(error) => exit::bad_configuration(PROGRAM, &error),
        },
        Some(Configured::Health) => match health_check::ask(config.ingest.admin_listen.unwrap_or(config.ingest.listen))
        {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::failure(PROGRAM, &format_args!("not ready: {error}")),
        },
    }
}

async fn serve(config: &Config) -> ExitCode {
    // 2. The log.
    let _traces = logging::init(PROGRAM);
    logging::log_panics();

    // 3. Whether the brokers take our name, if they are there.
    if let Err(error) = kafka_access::look(&config.kafka) {
        return exit::bad_configuration(PROGRAM, &error);
    }

    // 4. The ports, before anything else is started.
    let listeners = match listen(&config.ingest).await {
        Ok(listeners) => listeners,
        Err(error) => return exit::failure(PROGRAM, &error),
    };

    // 5. The signals.
    let shutdown = match signals::termination() {
        Ok(shutdown) => shutdown,
        Err(error) => return exit::failure(PROGRAM, &format_args!("cannot wait for signals: {error}")),
    };

    // 6. The service, until a signal; then not ready, drained, flushed.
    match run(config, listeners, shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (Error::Settings(_) | Error::Kafka(_))) => exit::bad_configuration(PROGRAM, &error),
        Err(error) => exit::failure(PROGRAM, &error),
    }
}

async fn listen(settings: &IngestSettings) -> Result<Listeners, String> {
    let main = bind("ingest.listen", settings.listen).await?;
    let admin = match settings.admin_listen {
        Some(address) => Some(bind("ingest.admin_listen", address).await?),
        None => None,
    };
    let subscriptions = match settings.subscriptions.listen {
        Some(address) => Some(bind("ingest.subscriptions.listen", address).await?),
        None => None,
    };
    Ok(Listeners {
        main,
        admin,
        subscriptions,
    })
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, String> {
    (TcpListener::bind(address).await).map_err(|error| format!("cannot listen on {address} ({key}): {error}"))
}
