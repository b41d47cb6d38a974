//! Liveness, readiness and metrics of the processor over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use courierflow_service::process_metrics::ProcessMetrics;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Serialize;

/// The readiness of each part of the process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<String, Part>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Part {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why the part was restarted; kept until it is ready again.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<String>,
    /// What of the part does not work, though the part is as ready as a restart could make it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    degraded: BTreeMap<String, String>,
    /// Why the part waits where it is. While it does, it is not ready, whatever else is true of it.
    #[serde(skip)]
    interrupted: Option<String>,
}

impl Part {
    /// The part as it is told.
    fn shown(&self) -> Self {
        let mut shown = self.clone();
        if shown.interrupted.is_some() {
            shown.ready = false;
            shown.reason = shown.interrupted.take();
        }
        shown
    }
}

impl Health {
    /// Marks a part as ready.
    pub fn ready(&self, part: &str) {
        let mut parts = self.lock();
        let state = Part {
            ready: true,
            reason: None,
            last_failure: None,
            degraded: degraded_of(&parts, part),
            interrupted: None,
        };
        parts.insert(part.to_owned(), state);
    }

    /// Says what of a part does not work, though it is ready: what is outside and no restart would mend.
    pub fn degraded(&self, part: &str, what: BTreeMap<String, String>) {
        if let Some(state) = self.lock().get_mut(part) {
            state.degraded = what;
        }
    }

    /// Marks a part as not ready (yet), with the reason.
    pub fn not_ready(&self, part: &str, reason: impl Into<String>) {
        let mut parts = self.lock();
        let last_failure = parts.get(part).and_then(|before| before.last_failure.clone());
        let state = Part {
            ready: false,
            reason: Some(reason.into()),
            last_failure,
            degraded: degraded_of(&parts, part),
            interrupted: None,
        };
        parts.insert(part.to_owned(), state);
    }

    /// Marks a part as failed and restarting. The reason is reported until the part is ready again.
    pub fn failed(&self, part: &str, reason: &str) {
        let state = Part {
            ready: false,
            reason: Some(reason.to_owned()),
            last_failure: Some(reason.to_owned()),
            degraded: BTreeMap::new(),
            interrupted: None,
        };
        self.lock().insert(part.to_owned(), state);
    }

    /// Says that a part waits for something and cannot do anything else meanwhile.
    pub(crate) fn interrupted(&self, part: &str, reason: String) {
        if let Some(state) = self.lock().get_mut(part) {
            state.interrupted = Some(reason);
        }
    }

    /// The part goes on, as ready or not as it was before.
    pub(crate) fn goes_on(&self, part: &str) {
        if let Some(state) = self.lock().get_mut(part) {
            state.interrupted = None;
        }
    }

    /// Whether the process is ready, and what each part says.
    pub(crate) fn readiness(&self) -> Readiness {
        let parts = self.shown();
        // While no part has reported yet, the process is still starting.
        let ready = !parts.is_empty() && parts.values().all(|part| part.ready);
        Readiness { ready, parts }
    }

    /// All parts as they are told.
    fn shown(&self) -> BTreeMap<String, Part> {
        let parts = self.lock();
        parts.iter().map(|(name, part)| (name.clone(), part.shown())).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Part>> {
        // A poisoned lock does no harm: each change is a single insert, so the map is always consistent.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn degraded_of(parts: &BTreeMap<String, Part>, part: &str) -> BTreeMap<String, String> {
    parts
        .get(part)
        .map(|before| before.degraded.clone())
        .unwrap_or_default()
}

#[derive(Clone)]
struct App {
    health: Health,
    metrics: PrometheusHandle,
    process: Arc<ProcessMetrics>,
}

/// What `/readyz` answers.
#[derive(Serialize)]
pub(crate) struct Readiness {
    ready: bool,
    parts: BTreeMap<String, Part>,
}

/// Installs the recorder behind the `metrics` macros; once per process.
pub fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    // In seconds: from an insert over loopback to a hung server, a long restore, and records delayed by an outage.
    const LATENCY_BUCKETS: &[f64] = &[
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0,
        7_200.0,
    ];
    Ok(PrometheusBuilder::new()
        .set_buckets(LATENCY_BUCKETS)?
        .install_recorder()?)
}

/// Age in seconds of a record's timestamp, which is given in milliseconds since 1970; on our topics it is the receipt of
/// the push. Only for metrics: nothing that is derived or stored depends on the clock.
pub(crate) fn seconds_since(timestamp_millis: i64) -> f64 {
    let then = UNIX_EPOCH + Duration::from_millis(u64::try_from(timestamp_millis).unwrap_or(0));
    let age = SystemTime::now().duration_since(then);
    age.map_or(0.0, |age| age.as_secs_f64())
}

/// `/livez`, `/readyz`, `/metrics`. Call it when the recorder is installed.
pub fn router(health: Health, metrics: PrometheusHandle) -> Router {
    let process = Arc::new(ProcessMetrics::register());
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render_metrics))
        .with_state(App {
            health,
            metrics,
            process,
        })
}

async fn readyz(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let readiness = app.health.readiness();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

async fn render_metrics(State(app): State<App>) -> String {
    // These are set whenever metrics are scraped.
    for (part, state) in app.health.shown() {
        metrics::gauge!("courierflow_processor_ready", "part" => part).set(if state.ready { 1.0 } else { 0.0 });
    }
    app.process.update();
    app.metrics.run_upkeep();
    app.metrics.render()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn part(health: &Health) -> Value {
        json!(health.shown().get("derive-0"))
    }

    #[test]
    fn why_a_part_begins_again_is_told_until_it_works() {
        let health = Health::default();
        health.failed("derive-0", "a record cannot be read");
        health.not_ready("derive-0", "starting");
        health.not_ready("derive-0", "restoring partitions [5]");
        assert_eq!(
            part(&health),
            json!({"ready": false, "reason": "restoring partitions [5]", "last_failure": "a record cannot be read"})
        );
        health.ready("derive-0");
        assert_eq!(part(&health), json!({"ready": true}));
        health.not_ready("derive-0", "shut down");
        assert_eq!(part(&health), json!({"ready": false, "reason": "shut down"}));
    }

    #[test]
    fn after_an_interruption_a_part_is_what_it_was() {
        let health = Health::default();
        let repeated = "commit_transaction is repeated: timed out";
        let interrupt = || health.interrupted("derive-0", repeated.to_owned());
        interrupt();
        assert_eq!(part(&health), Value::Null, "there is no such part yet");

        health.ready("derive-0");
        health.degraded("derive-0", BTreeMap::from([("demo".to_owned(), "601".to_owned())]));
        let before = part(&health);
        interrupt();
        assert_eq!(
            part(&health),
            json!({"ready": false, "reason": repeated, "degraded": {"demo": "601"}})
        );
        health.goes_on("derive-0");
        assert_eq!(part(&health), before);

        health.failed("derive-0", "fenced");
        let before = part(&health);
        interrupt();
        assert_eq!(
            part(&health),
            json!({"ready": false, "reason": repeated, "last_failure": "fenced"})
        );
        health.goes_on("derive-0");
        assert_eq!(part(&health), before);

        interrupt();
        health.failed("derive-0", "hangs");
        assert_eq!(part(&health)["reason"], "hangs", "whoever says more is believed");
    }
}
