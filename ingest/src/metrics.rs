//! The metrics of ingest. Names are `courierflow_ingest_<what>_<unit>`, labels are closed sets. The recorder belongs to
//! the service, not to the process, so that tests can run several services.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use courierflow_schemas::records::Vendor;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::accounts::{Accounts, Registered};
use crate::admission::Admission;
use crate::answer::Refusal;
use crate::subscriptions::metrics::RequestMetrics;
use crate::subscriptions::tokens::Tokens;
use courierflow_service::http_server;
use courierflow_service::process_metrics::ProcessMetrics;
use courierflow_vendors::push::Unusable;
use courierflow_vendors::reference::Found;

/// In seconds. No acknowledgement is faster than 1 ms, and none is waited for longer than 8 s by default.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 8.5];

/// All metrics of the service, and how they are rendered.
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    exporter: PrometheusHandle,
    process: ProcessMetrics,
    /// By vendor, in the order of [`Vendor::ALL`].
    vendors: [VendorMetrics; Vendor::ALL.len()],
    /// By account, in the order of the configuration.
    accounts: Vec<AccountMetrics>,
    /// Pushes to a path that names no vendor.
    pub unknown_paths: Counter,
    /// Of the server that vendors reach.
    pub connections: http_server::Metrics,
    /// Requests for subscriptions.
    pub subscriptions: RequestMetrics,
    /// Of the server that those reach who ask for subscriptions.
    pub subscription_connections: http_server::Metrics,
    bodies_arriving: Gauge,
    requests_in_flight: Gauge,
    bytes_in_flight: Gauge,
    ready: Gauge,
}

/// The pushes of a vendor or of an account, by what became of them.
pub struct Outcomes {
    /// Answered with success, every parcel stored.
    pub stored: Counter,
    /// Answered with success, a part of which was dead-lettered.
    pub dead_lettered: Counter,
    refused: BTreeMap<&'static str, Counter>,
}

impl Outcomes {
    /// `counter` registers the counter of an outcome.
    fn new(counter: impl Fn(&'static str) -> Counter) -> Self {
        Self {
            stored: counter("stored"),
            dead_lettered: counter("dead_lettered"),
            refused: Refusal::ALL
                .map(|refusal| refusal.row().name)
                .map(|name| (name, counter(name)))
                .into(),
        }
    }

    /// Counts a refusal.
    pub fn refused(&self, refusal: Refusal) {
        if let Some(counter) = self.refused.get(refusal.row().name) {
            counter.increment(1);
        }
    }
}

/// The metrics of one account.
pub struct AccountMetrics {
    /// Its pushes.
    pub outcomes: Outcomes,
    /// What was found where its references should stand; `None` if nobody looks.
    references: Option<ReferenceCounts>,
}

struct ReferenceCounts {
    found: Counter,
    nothing: Counter,
    unfit: Counter,
}

impl AccountMetrics {
    /// Counts what was found in a parcel's push.
    pub fn looked_for_reference(&self, found: &Found) {
        let Some(references) = &self.references else { return };
        let counter = match found {
            Found::Reference(_) => &references.found,
            Found::Nothing => &references.nothing,
            Found::Unfit => &references.unfit,
        };
        counter.increment(1);
    }
}

/// The metrics of one vendor.
pub struct VendorMetrics {
    /// Its pushes, those to unknown accounts included.
    pub outcomes: Outcomes,
    unusable: BTreeMap<&'static str, Counter>,
    /// Events acknowledged.
    pub parcels: Counter,
    /// Bytes of the bodies that were read.
    pub body_bytes: Counter,
    /// Pushes whose announced number of parcels was wrong.
    pub count_mismatches: Counter,
    /// Time from the request's head to the answer.
    pub duration: Histogram,
}

impl VendorMetrics {
    /// Counts unusable content, whether it was dead-lettered or refused.
    pub fn unusable(&self, reason: Unusable) {
        if let Some(counter) = self.unusable.get(reason.as_str()) {
            counter.increment(1);
        }
    }
}

impl Metrics {
    /// Registers all metrics, those of each account included, of a service where nobody can ask for subscriptions.
    pub fn new(accounts: &Accounts) -> Result<Self, BuildError> {
        Self::with_requesters(accounts, &Tokens::default())
    }

    /// The same, of a service where the holders of `tokens` can ask.
    pub fn with_requesters(accounts: &Accounts, tokens: &Tokens) -> Result<Self, BuildError> {
        let recorder = Arc::new(PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder());
        let exporter = recorder.handle();
        Ok(metrics::with_local_recorder(&*recorder, || {
            describe();
            Self {
                recorder: Arc::clone(&recorder),
                exporter,
                process: ProcessMetrics::register(),
                vendors: Vendor::ALL.map(vendor_metrics),
                accounts: accounts.registered().map(account_metrics).collect(),
                unknown_paths: counter!("courierflow_ingest_pushes_total", "vendor" => "unknown", "outcome" => "unknown_path"),
                connections: http_server::Metrics::new(
                    "courierflow_ingest_connections",
                    "courierflow_ingest_connections_closed_total",
                ),
                subscriptions: RequestMetrics::new(tokens),
                subscription_connections: if tokens.is_empty() {
                    http_server::Metrics::none()
                } else {
                    http_server::Metrics::new(
                        "courierflow_ingest_subscription_connections",
                        "courierflow_ingest_subscription_connections_closed_total",
                    )
                },
                bodies_arriving: gauge!("courierflow_ingest_bodies_arriving"),
                requests_in_flight: gauge!("courierflow_ingest_requests_in_flight"),
                bytes_in_flight: gauge!("courierflow_ingest_body_bytes_in_flight"),
                ready: gauge!("courierflow_ingest_ready"),
            }
        }))
    }

    /// The metrics of one vendor.
    pub fn of(&self, vendor: Vendor) -> &VendorMetrics {
        let [first, ..] = &self.vendors;
        self.vendors.get(vendor as usize).unwrap_or(first)
    }

    /// The metrics of one account.
    pub fn of_account(&self, registered: &Registered) -> Option<&AccountMetrics> {
        self.accounts.get(registered.index)
    }

    /// The text of `/metrics`.
    pub fn render(&self, admission: &Admission, ready: bool) -> String {
        // Gauges of what is counted elsewhere are set when somebody looks.
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts and bytes in memory are far below 2^52"
        )]
        {
            self.bodies_arriving.set(admission.arriving() as f64);
            self.requests_in_flight.set(admission.requests() as f64);
            self.bytes_in_flight.set(admission.bytes() as f64);
        }
        self.ready.set(if ready { 1.0 } else { 0.0 });
        metrics::with_local_recorder(&*self.recorder, || self.process.update());
        self.exporter.render()
    }

    /// Housekeeping: drains the samples of the histograms into their buckets as long as the service runs, because they would
    /// pile up between scrapes.
    pub async fn keep_small(&self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            self.exporter.run_upkeep();
        }
    }
}

fn describe() {
    describe_counter!(
        "courierflow_ingest_pushes_total",
        "Pushes by outcome: stored, dead_lettered, or the refusal."
    );
    describe_counter!(
        "courierflow_ingest_account_pushes_total",
        "Pushes to an account by outcome, as in courierflow_ingest_pushes_total."
    );
    describe_counter!(
        "courierflow_ingest_references_total",
        "Parcels of an account with the key reference, by what stood there: found, nothing, or unfit: a text that is no reference."
    );
    describe_counter!(
        "courierflow_ingest_unusable_total",
        "Pushes or parcels with unusable content, by reason."
    );
    describe_counter!(
        "courierflow_ingest_parcels_total",
        "Push events acknowledged by the broker."
    );
    describe_counter!("courierflow_ingest_body_bytes_total", "Bytes of push bodies read.");
    describe_counter!(
        "courierflow_ingest_count_mismatches_total",
        "Pushes that announced another number of parcels."
    );
    describe_histogram!(
        "courierflow_ingest_push_duration_seconds",
        "From the head of a push to its answer."
    );
    describe_gauge!(
        "courierflow_ingest_requests_in_flight",
        "Pushes whose body is there, waiting for acknowledgement."
    );
    describe_gauge!("courierflow_ingest_bodies_arriving", "Pushes whose body is being read.");
    describe_gauge!(
        "courierflow_ingest_body_bytes_in_flight",
        "Bytes of the bodies of both."
    );
    describe_gauge!("courierflow_ingest_connections", "Open connections.");
    describe_counter!(
        "courierflow_ingest_connections_closed_total",
        "Connections that the server closed on its own, by reason."
    );
    describe_gauge!(
        "courierflow_ingest_subscription_connections",
        "Open connections at ingest.subscriptions.listen."
    );
    describe_counter!(
        "courierflow_ingest_subscription_connections_closed_total",
        "Connections there that the server closed on its own, by reason."
    );
    describe_gauge!("courierflow_ingest_ready", "1 if pushes can be stored.");
}

fn account_metrics(registered: &Registered) -> AccountMetrics {
    let (vendor, name) = (registered.account.vendor.as_str(), registered.account.name.clone());
    let reference = |outcome: &'static str| counter!("courierflow_ingest_references_total", "vendor" => vendor, "account" => name.clone(), "outcome" => outcome);
    AccountMetrics {
        outcomes: Outcomes::new(
            |outcome| counter!("courierflow_ingest_account_pushes_total", "vendor" => vendor, "account" => name.clone(), "outcome" => outcome),
        ),
        references: registered.references.is_some().then(|| ReferenceCounts {
            found: reference("found"),
            nothing: reference("nothing"),
            unfit: reference("unfit"),
        }),
    }
}

fn vendor_metrics(vendor: Vendor) -> VendorMetrics {
    let name = vendor.as_str();
    let outcome =
        |outcome: &'static str| counter!("courierflow_ingest_pushes_total", "vendor" => name, "outcome" => outcome);
    let reason =
        |reason: &'static str| counter!("courierflow_ingest_unusable_total", "vendor" => name, "reason" => reason);
    VendorMetrics {
        outcomes: Outcomes::new(outcome),
        unusable: Unusable::ALL
            .map(|unusable| (unusable.as_str(), reason(unusable.as_str())))
            .into(),
        parcels: counter!("courierflow_ingest_parcels_total", "vendor" => name),
        body_bytes: counter!("courierflow_ingest_body_bytes_total", "vendor" => name),
        count_mismatches: counter!("courierflow_ingest_count_mismatches_total", "vendor" => name),
        duration: histogram!("courierflow_ingest_push_duration_seconds", "vendor" => name),
    }
}
