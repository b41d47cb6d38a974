//! Connections: HTTP/1.1 with keep-alive over `listener`, until told to stop. Unlike axum's `serve` it has a limit of
//! connections, a deadline for request heads, and `TCP_NODELAY`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Largest head of a request, and most bytes of a body read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Pause after the system could not accept a connection (no file descriptors), so that others can end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most open connections.
    pub connections: usize,
    /// Time-out of a request's head and of an idle connection.
    pub idle: Duration,
    /// Time for requests in flight after the stop.
    pub drain: Duration,
}

/// Serves until `stop`, then finishes the requests in flight; false if they did not end within the drain time.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) -> bool {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(BUFFER_BYTES);
    let service = TowerToHyperService::new(router);
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (accept(&listener).await, place)
        };
        let (stream, place) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A broken connection is not our error; the sender will retry.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    timeout(limits.drain, connections.shutdown()).await.is_ok()
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                // An answer is one small packet, which must be sent at once.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
