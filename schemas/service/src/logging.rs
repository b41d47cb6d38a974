//! The log of both services: one line per incident on standard error, plain on a terminal, JSON otherwise. Traces are made beside it.

use std::any::Any;
use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::traces;

/// Starts the log of a program. `RUST_LOG` sets the levels; the default is `info`, and `warn` for the Kafka client. Traces are sent until
/// the result is dropped.
pub fn init(program: &'static str) -> traces::Exporter {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,librdkafka=warn,rdkafka=warn"));
    let (traces, exporter) = traces::layer(program);
    let registry = tracing_subscriber::registry().with(traces);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A second call (tests that start a service in-process) keeps the first log.
    let started = if std::io::stderr().is_terminal() {
        registry.with(lines.with_target(false).with_filter(filter)).try_init()
    } else {
        registry
            .with(
                lines
                    .json()
                    .flatten_event(true)
                    .with_current_span(true)
                    .with_span_list(false)
                    .with_filter(filter),
            )
            .try_init()
    };
    drop(started);
    exporter
}

/// Logs panics as one line each. Only for the programs themselves, not for tests.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, reason = fixed_reason(panic.payload()), "panicked");
    }));
}

/// The message of a panic if it is a constant. A formatted message might quote a vendor's text and is not logged.
fn fixed_reason(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().unwrap_or(&"not shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_nothing_of_what_was_being_worked_on() {
        let reason_of = |panic: fn()| fixed_reason(&*std::panic::catch_unwind(panic).unwrap_err());
        assert_eq!(reason_of(|| panic!("a fixed text")), "a fixed text");
        let quoting = || {
            let text = std::hint::black_box("派件员张三");
            std::hint::black_box(&text[1..]);
        };
        assert_eq!(reason_of(quoting), "not shown");
    }
}
