//! Traces of pushes, by OpenTelemetry: which way a push went, from its request through the headers of Kafka records to the rows, and how
//! long each step took.
//!
//! ```text
//! vendor ──▶ push ──▶ courier.push.v1 ──▶ derive ──▶ courier.shipment.v1, courier.transition.v1 ──▶ insert
//!                                   └──▶ insert
//! ```
//!
//! Each arrow behind the first is the header `traceparent` of W3C's Trace Context. Only builds with the feature `otel` have this, and only
//! where an exporter is configured; in all others a [`Step`] is nothing and takes no time.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(not(feature = "otel"))]
pub use off::{Exporter, Step, layer, with_header};
#[cfg(feature = "otel")]
pub use on::{Exporter, Step, layer, with_header};

/// The header of requests and of records, in the form of W3C's Trace Context.
pub const HEADER: &str = "traceparent";

/// Does something as a part of a step, if there is one.
pub fn run<T>(step: Option<&Step>, work: impl FnOnce() -> T) -> T {
    match step {
        Some(step) => step.run(work),
        None => work(),
    }
}
