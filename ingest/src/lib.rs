//! Receives the vendors' pushes and answers when the broker has acknowledged them.
//!
//! The way of a push, one module a step: [`http_server`] accepts the connection, [`app`] takes the push through its checks,
//! [`admission`] and [`body`] bound what is in memory, [`courierflow_vendors::push`] reads who signed and which parcels are in it,
//! [`publisher`] stores the events, [`answer`] says so in the vendor's words.
//!
//! [`subscriptions`] is the other way in, on a port of its own: who may spend money asks there that a parcel be followed.

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
pub mod subscriptions;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::SettingsError;
use courierflow_service::http_server::Limits;
use courierflow_service::{file_limit, http_server, kafka_client};
use courierflow_vendors::account::Unsigned;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::app::App;
use crate::config::{Config, IngestSettings};
use crate::metrics::Metrics;
use crate::publisher::Publisher;
use crate::publisher::kafka::{KafkaPublisher, StartError};
use crate::readiness::Readiness;
use crate::subscriptions::Subscriptions;

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
    /// For those who ask for subscriptions.
    pub subscriptions: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self {
            main,
            admin: None,
            subscriptions: None,
        }
    }
}

/// What [`run`] would say of the configuration before it asks anybody.
pub fn check(config: &Config) -> Result<(), SettingsError> {
    config.ingest.accounts()?;
    config.ingest.subscriptions.tokens(&config.subscribe)?;
    kafka_client::check(&config.kafka)
}

/// Runs the service on `listeners` until `shutdown`. Neither broker nor registry need to be there: pushes are answered 503
/// until they are.
pub async fn run(
    config: &Config,
    listeners: impl Into<Listeners>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let listeners = listeners.into();
    let settings = &config.ingest;
    let drain = Duration::from_millis(settings.drain_timeout_ms);
    let accounts = settings.accounts()?;
    let tokens = settings.subscriptions.tokens(&config.subscribe)?;
    let limits = limits(settings, &listeners)?;
    let readiness = Arc::new(match listeners.subscriptions {
        Some(_) => Readiness::with_subscriptions(),
        None => Readiness::default(),
    });
    let registry = Registry::new(&config.registry);
    let publisher = KafkaPublisher::start(&config.kafka, registry, settings, Arc::clone(&readiness))?;
    let metrics = Metrics::with_requesters(&accounts, &tokens)?;
    let app = Arc::new(App::new(settings, accounts, metrics, Arc::clone(&readiness), publisher));
    tell_who_listens(&app, &listeners.main);
    let subscriptions = Subscriptions {
        app: Arc::clone(&app),
        tokens,
        accounts: config.subscribe.clone(),
        carriers: config.carriers,
    };

    let stop = async {
        shutdown.await;
        readiness.set_stopping();
        tracing::info!("stopping");
        sleep(Duration::from_millis(settings.shutdown_delay_ms)).await;
    };
    let drained = tokio::select! {
        drained = serve(&app, subscriptions, listeners, limits, stop) => drained,
        () = app.metrics.keep_small() => false,
    };
    if !drained {
        tracing::warn!("requests in flight were cut off");
    }
    let flushed = tokio::task::spawn_blocking(move || app.publisher.close(drain))
        .await
        .unwrap_or(false);
    tracing::info!(drained, flushed, "stopped");
    Ok(())
}

/// Limits of the connections of vendors, and of those who ask for subscriptions: all of them together must fit.
fn limits(settings: &IngestSettings, listeners: &Listeners) -> Result<(Limits, Limits), SettingsError> {
    let mut pushes = settings.connection_limits();
    let requests = Limits {
        connections: settings.subscriptions.max_connections,
        ..pushes
    };
    let others = OTHER_FILES + listeners.subscriptions.as_ref().map_or(0, |_| requests.connections);
    pushes.connections = file_limit::connections_within("ingest.max_connections", pushes.connections, others)?;
    Ok((pushes, requests))
}

/// Serves all listeners until `stop`; false if requests in flight did not end within the drain time.
async fn serve<P: Publisher>(
    app: &Arc<App<P>>,
    subscriptions: Subscriptions<P>,
    listeners: Listeners,
    (push_limits, request_limits): (Limits, Limits),
    stop: impl Future<Output = ()>,
) -> bool {
    let mut router = app::router(Arc::clone(app));
    let health = app::admin_router(Arc::clone(app));
    if let Some(admin) = listeners.admin {
        // Until the process ends: probes ask on the way down too.
        let counts = http_server::Metrics::none();
        tokio::spawn(http_server::serve(admin, health, Limits::ADMIN, counts, pending()));
    } else {
        router = router.merge(health);
    }
    // Closed when the sender is dropped.
    let (stopping, stopped) = watch::channel(());
    let stop = async move {
        stop.await;
        drop(stopping);
    };
    let until_stopped = |mut stopped: watch::Receiver<()>| async move { drop(stopped.changed().await) };
    let pushes = http_server::serve(
        listeners.main,
        router,
        push_limits,
        app.metrics.connections.clone(),
        until_stopped(stopped.clone()),
    );
    let requests = async {
        let Some(listener) = listeners.subscriptions else {
            return true;
        };
        let router = subscriptions::router(Arc::new(subscriptions));
        let counts = app.metrics.subscription_connections.clone();
        http_server::serve(listener, router, request_limits, counts, until_stopped(stopped)).await
    };
    let (pushes, requests, ()) = tokio::join!(pushes, requests, stop);
    pushes && requests
}

/// Says that the service is there, and which of its accounts anybody can push to.
fn tell_who_listens<P>(app: &App<P>, listener: &TcpListener) {
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
}
