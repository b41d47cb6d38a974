//! The signals that ask a service to end.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// A future that is ready at SIGTERM or SIGINT, even if the signal came before the future was first polled. Call it inside a
/// tokio runtime; an error means that the handler could not be installed.
pub fn termination() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
