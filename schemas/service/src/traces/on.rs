//! Builds with traces.

use std::future::Future;
use std::sync::OnceLock;

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{Status, TraceContextExt, TracerProvider};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rdkafka::Message;
use rdkafka::message::{self, Headers, OwnedHeaders};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use super::HEADER;

/// Where traces are sent; without one of them there are none. They, and all others of the specification (`OTEL_TRACES_SAMPLER`,
/// `OTEL_EXPORTER_OTLP_HEADERS` …), are read by the SDK.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Set while traces are made.
static IS_ON: OnceLock<()> = OnceLock::new();

/// Sends traces until it is dropped.
#[derive(Debug, Default)]
#[must_use]
pub struct Exporter(Option<SdkTracerProvider>);

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The layer of the log that makes traces, for a service of this name.
pub fn layer(service: &'static str) -> (impl Layer<Registry> + Send + Sync, Exporter) {
    let Some(provider) = provider(service) else {
        return (None, Exporter::default());
    };
    let _ = IS_ON.set(());
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(service))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Nothing but steps, whatever spans the libraries have and whatever the log shows.
        .with_filter(Targets::new().with_target(module_path!(), tracing::Level::INFO));
    (Some(layer), Exporter(Some(provider)))
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn provider(service: &'static str) -> Option<SdkTracerProvider> {
    ENDPOINTS.iter().find(|name| is_set(name))?;
    let exporter = match SpanExporter::builder().with_http().build() {
        Ok(exporter) => exporter,
        Err(error) => {
            crate::exit::report(service, &format_args!("no traces: {error}"));
            return None;
        }
    };
    let mut resource = Resource::builder();
    let attributes = std::env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named = is_set("OTEL_SERVICE_NAME") || attributes.contains("service.name=");
    if !is_named {
        resource = resource.with_service_name(format!("courierflow-{service}"));
    }
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.build())
        .with_batch_exporter(exporter);
    Some(provider.build())
}

/// The headers of a record that the present step produces. Without `traceparent` if the trace is not sampled.
pub fn with_header(headers: Option<OwnedHeaders>) -> Option<OwnedHeaders> {
    let Some(traceparent) = traceparent() else {
        return headers;
    };
    Some(headers.unwrap_or_default().insert(message::Header {
        key: HEADER,
        value: Some(&traceparent),
    }))
}

fn traceparent() -> Option<String> {
    IS_ON.get()?;
    let context = Span::current().context();
    if !context.span().span_context().is_sampled() {
        return None;
    }
    let mut header = Header(None);
    TraceContextPropagator::new().inject_context(&context, &mut header);
    header.0
}

/// A step on the way of a push. It ends when it is dropped.
#[derive(Debug)]
pub struct Step(Span);

impl Step {
    /// A push arrives, perhaps as part of a trace.
    pub fn of_request(headers: &HeaderMap, vendor: &'static str) -> Self {
        if IS_ON.get().is_none() {
            return Self(Span::none());
        }
        let span = tracing::info_span!(
            "push",
            trace_id = field::Empty,
            "otel.kind" = "server",
            "courierflow.vendor" = vendor
        );
        let traceparent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        Self(span).in_trace(traceparent)
    }

    /// A record is taken on, if it is part of a trace. `what` is done with it.
    pub fn of_record(what: &'static str, message: &impl Message) -> Option<Self> {
        IS_ON.get()?;
        let mut headers = message.headers()?.iter();
        let header = headers.find(|header| header.key == HEADER)?;
        let traceparent = std::str::from_utf8(header.value?).ok()?;
        let span = tracing::info_span!(
            "record",
            trace_id = field::Empty,
            "otel.name" = what,
            "otel.kind" = "consumer",
            "messaging.system" = "kafka",
            "messaging.destination.name" = message.topic(),
            "messaging.destination.partition.id" = message.partition(),
            "messaging.kafka.offset" = message.offset(),
        );
        Some(Self(span).in_trace(Some(traceparent)))
    }

    fn in_trace(self, traceparent: Option<&str>) -> Self {
        let Self(span) = &self;
        let parent = TraceContextPropagator::new().extract(&Header(traceparent.map(str::to_owned)));
        if parent.span().span_context().is_valid() {
            // It fails only where no layer makes traces.
            let _ = span.set_parent(parent);
        }
        // For the log.
        let trace_id = span.context().span().span_context().trace_id();
        span.record("trace_id", field::display(trace_id));
        self
    }

    /// The present one.
    pub fn current() -> Option<Self> {
        IS_ON.get()?;
        let span = Span::current();
        (!span.is_none()).then_some(Self(span))
    }

    /// Does something as a part of this step.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.in_scope(work)
    }

    /// The same for a future.
    pub fn follow<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.instrument(self.0.clone())
    }

    /// It did not come to a good end.
    pub fn failed(&self, why: &'static str) {
        self.0.set_status(Status::error(why));
    }
}

/// The one header of Trace Context that we pass on: nobody of us writes `tracestate`.
struct Header(Option<String>);

impl Extractor for Header {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == HEADER)
    }

    fn keys(&self) -> Vec<&str> {
        vec![HEADER]
    }
}

impl Injector for Header {
    fn set(&mut self, key: &str, value: String) {
        if key == HEADER {
            self.0 = Some(value);
        }
    }
}
