//! The ingest service, in numbered steps.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use courierflow_ingest::config::Config;
use courierflow_ingest::{Error, run};
use courierflow_service::{exit, logging, signals};
use tokio::net::TcpListener;

/// As in the processor: bodies and their parts are allocated on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Prefix of the line that says why the program cannot run.
const PROGRAM: &str = "ingest";

/// Receives the pushes of courier-tracking vendors and stores them in Kafka.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Configuration file; every key can be overridden by `COURIERFLOW__SECTION__KEY`
    #[arg(long, default_value = "deploy/local/courierflow.toml")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    // 1. The configuration. A wrong value ends the program here, with one line that names the key.
    let arguments = Arguments::parse();
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => return exit::bad_configuration(PROGRAM, &error),
    };

    // 2. The log.
    logging::init();
    logging::log_panics();

    // 3. The port, before anything else is started.
    let listen = config.ingest.listen;
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return exit::failure(
                PROGRAM,
                &format_args!("cannot listen on {listen} (ingest.listen): {error}"),
            );
        }
    };

    // 4. The signals.
    let shutdown = match signals::termination() {
        Ok(shutdown) => shutdown,
        Err(error) => return exit::failure(PROGRAM, &format_args!("cannot wait for signals: {error}")),
    };

    // 5. The service, until a signal; then not ready, drained, flushed.
    match run(&config, listener, shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (Error::Settings(_) | Error::Kafka(_))) => exit::bad_configuration(PROGRAM, &error),
        Err(error) => exit::failure(PROGRAM, &error),
    }
}
