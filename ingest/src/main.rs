//! The ingest service, as a numbered story.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use courierflow_ingest::config::Config;
use courierflow_ingest::run;
use courierflow_schemas::logging;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// As in the processor: bodies and their parts are allocated on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Receives the pushes of Kuaidi100 and Kdniao and stores them in Kafka.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Configuration file; every key can be overridden by `COURIERFLOW__SECTION__KEY`
    #[arg(long, default_value = "deploy/local/courierflow.toml")]
    config: PathBuf,
}

/// Exit code for a configuration that cannot be used: starting again would not help.
const BAD_CONFIGURATION: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    // 1. What to run with. A wrong value ends it here, in one line that names the key.
    let arguments = Arguments::parse();
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => return fail(BAD_CONFIGURATION, &error.to_string()),
    };

    // 2. The log.
    logging::init();
    logging::log_panics();

    // 3. The port, before anything else is started.
    let listener = match TcpListener::bind(config.ingest.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return fail(
                1,
                &format!("cannot listen on {} (ingest.listen): {error}", config.ingest.listen),
            );
        }
    };

    // 4. The signals.
    let shutdown = match shutdown_signal() {
        Ok(shutdown) => shutdown,
        Err(error) => return fail(1, &format!("cannot wait for signals: {error}")),
    };

    // 5. The service, until a signal; then not ready, drained, flushed.
    match run(&config, listener, shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (courierflow_ingest::Error::Settings(_) | courierflow_ingest::Error::Kafka(_))) => {
            fail(BAD_CONFIGURATION, &error.to_string())
        }
        Err(error) => fail(1, &error.to_string()),
    }
}

/// Returns at SIGTERM or SIGINT.
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[expect(
    clippy::print_stderr,
    reason = "the log may not be there yet, and a user wants one plain line"
)]
fn fail(code: u8, line: &str) -> ExitCode {
    eprintln!("ingest: {line}");
    ExitCode::from(code)
}
