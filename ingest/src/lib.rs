//! Receives the vendors' pushes and answers when the broker has acknowledged them.
//!
//! The path of a push, one module per step: [`server`] accepts the connection, [`app`] runs the checks, [`admission`] and [`body`]
//! limit the memory, [`courierflow_vendors::push`] checks the signature and finds the parcels, [`publisher`] stores the events,
//! [`answer`] answers in the vendor's format.

pub mod accounts;
pub mod admission;
pub mod answer;
pub mod app;
pub mod body;
pub mod config;
pub mod metrics;
pub mod publisher;
pub mod readiness;
pub mod refusal_log;
pub mod server;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::SettingsError;
use courierflow_vendors::account::Unsigned;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::app::App;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::publisher::kafka::{KafkaPublisher, StartError};
use crate::readiness::Readiness;
use crate::server::Limits;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A wrong value in the configuration.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A wrong property of the Kafka client.
    #[error(transparent)]
    Kafka(#[from] StartError),
    /// The metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Runs the service on `listener` until `shutdown`. Neither broker nor registry need to be available: pushes are answered
/// 503 until they are.
pub async fn run(config: &Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let settings = &config.ingest;
    let drain = Duration::from_millis(settings.drain_timeout_ms);
    let accounts = settings.accounts()?;
    let readiness = Arc::new(Readiness::default());
    let registry = Registry::new(&config.registry);
    let publisher = KafkaPublisher::start(&config.kafka, registry, settings, Arc::clone(&readiness))?;
    let app = Arc::new(App::new(
        settings,
        accounts,
        Metrics::new()?,
        Arc::clone(&readiness),
        publisher,
    ));
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, accounts = app.accounts.len(), "ingest listens");
    }
    for account in app
        .accounts
        .iter()
        .filter(|account| account.unsigned == Unsigned::Accept)
    {
        tracing::warn!(
            vendor = account.vendor.as_str(),
            account = account.name,
            "takes unsigned pushes: whoever knows the address can tell of any parcel that no signed push has told of"
        );
    }

    let stop = async {
        shutdown.await;
        readiness.set_stopping();
        tracing::info!("stopping");
        sleep(Duration::from_millis(settings.shutdown_delay_ms)).await;
    };
    let limits = Limits {
        connections: settings.max_connections,
        idle: Duration::from_millis(settings.idle_timeout_ms),
        drain,
    };
    let served = server::serve(listener, app::router(Arc::clone(&app)), limits, stop);
    let drained = tokio::select! {
        drained = served => drained,
        () = app.metrics.keep_small() => false,
    };
    if !drained {
        tracing::warn!("pushes in flight were cut off");
    }
    let flushed = tokio::task::spawn_blocking(move || app.publisher.close(drain))
        .await
        .unwrap_or(false);
    tracing::info!(drained, flushed, "stopped");
    Ok(())
}
