//! Receives the vendors' pushes and answers when the broker has acknowledged them.
//!
//! The way of a push, one module a step: [`http_server`] accepts the connection, [`app`] takes the push through its checks,
//! [`admission`] and [`body`] bound what is in memory, [`courierflow_vendors::push`] reads who signed and which parcels are in it,
//! [`publisher`] stores the events, [`answer`] says so in the vendor's words.

pub mod accounts;
pub mod admission;
pub mod answer;
pub mod app;
pub mod body;
pub mod config;
pub mod metrics;
pub mod publisher;
pub mod push_limit;
pub mod readiness;
pub mod refusal_log;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::SettingsError;
use courierflow_service::http_server::Limits;
use courierflow_service::{file_limit, http_server};
use courierflow_vendors::account::Unsigned;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::app::App;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::publisher::kafka::{KafkaPublisher, StartError};
use crate::readiness::Readiness;

/// File descriptors beside those of vendors' connections: the broker's and the registry's, those of the admin listener, the
/// runtime's own, files.
const OTHER_FILES: usize = 192;

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

/// Where the service is reached.
#[derive(Debug)]
pub struct Listeners {
    /// For vendors; for health and metrics too, if they have none of their own.
    pub main: TcpListener,
    /// For health and metrics.
    pub admin: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self { main, admin: None }
    }
}

/// Runs the service on `listeners` until `shutdown`. Neither broker nor registry need to be there: pushes are answered 503
/// until they are.
pub async fn run(
    config: &Config,
    listeners: impl Into<Listeners>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let Listeners { main: listener, admin } = listeners.into();
    let settings = &config.ingest;
    let drain = Duration::from_millis(settings.drain_timeout_ms);
    let mut limits = settings.connection_limits();
    limits.connections = file_limit::connections_within("ingest.max_connections", limits.connections, OTHER_FILES)?;
    let accounts = settings.accounts()?;
    let readiness = Arc::new(Readiness::default());
    let registry = Registry::new(&config.registry);
    let publisher = KafkaPublisher::start(&config.kafka, registry, settings, Arc::clone(&readiness))?;
    let metrics = Metrics::new(&accounts)?;
    let app = Arc::new(App::new(settings, accounts, metrics, Arc::clone(&readiness), publisher));
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
    let mut router = app::router(Arc::clone(&app));
    let health = app::admin_router(Arc::clone(&app));
    if let Some(admin) = admin {
        // Until the process ends: probes ask on the way down too.
        let counts = http_server::Metrics::none();
        tokio::spawn(http_server::serve(admin, health, Limits::ADMIN, counts, pending()));
    } else {
        router = router.merge(health);
    }
    let served = http_server::serve(listener, router, limits, app.metrics.connections.clone(), stop);
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
