//! The HTTP server of both services: HTTP/1.1 with keep-alive, until told to stop. Beside axum's own `serve` it has what keeps
//! strangers from stopping a service through its port: limits of connections, deadlines for everything that a peer can be slow
//! with, and `TCP_NODELAY`.
//!
//! | module | what |
//! |---|---|
//! | [`connection`] | what one connection waits for, and since when |
//! | [`connections`] | all of them: who gets in, who gives way, who is late |
//! | [`watched`] | the socket and the bodies, which say what happens on them |

mod connection;
mod connections;
mod watched;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics::{Counter, Gauge, counter, gauge};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use self::connection::{Connection, Phase};
use self::connections::{Connections, Entered};
use self::watched::{AnswerBody, RequestBody, WatchedStream};

/// Head of a request, and what is read of a body at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Pause after the system refused a connection (no file descriptors), so that others can end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a listener with health and metrics only waits for its answers at the end.
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

/// Limits of connections. There is no deadline for bodies here: whoever reads one knows how to refuse it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open at a time. When there are as many, the next one takes the place of one that waits for its peer.
    pub connections: usize,
    /// Open at a time from one address (of IPv6, from one /64); 0 for no limit.
    pub connections_per_peer: usize,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Without a byte of a request, at first and between two.
    pub idle: Duration,
    /// Without the peer taking a byte of the answer.
    pub write: Duration,
    /// For requests in flight after the stop.
    pub drain: Duration,
}

impl Limits {
    /// Of a listener for health and metrics: a few connections, short patience.
    pub const ADMIN: Self = Self {
        connections: 64,
        connections_per_peer: 0,
        head: Duration::from_secs(5),
        idle: Duration::from_secs(75),
        write: Duration::from_secs(10),
        drain: ADMIN_DRAIN,
    };
}

/// Why the server closed a connection on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It waited for its peer, and another needed its place.
    Full,
    /// The same, among those of one address.
    PeerLimit,
    /// The head of a request did not arrive in time.
    SlowHead,
    /// No request for longer than connections are kept.
    Idle,
    /// The peer did not read its answer.
    NotReading,
}

impl Closed {
    /// In the order of their declaration.
    const ALL: [Self; 5] = [
        Self::Full,
        Self::PeerLimit,
        Self::SlowHead,
        Self::Idle,
        Self::NotReading,
    ];

    /// Label of the metric.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::PeerLimit => "peer_limit",
            Self::SlowHead => "slow_head",
            Self::Idle => "idle",
            Self::NotReading => "not_reading",
        }
    }
}

/// What a server counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    open: Gauge,
    /// In the order of [`Closed::ALL`].
    closed: [Counter; Closed::ALL.len()],
}

impl Metrics {
    /// Registers a gauge of open connections and a counter, by `reason`, of those that the server closed.
    pub fn new(open: &'static str, closed: &'static str) -> Self {
        Self {
            open: gauge!(open),
            closed: Closed::ALL.map(|reason| counter!(closed, "reason" => reason.as_str())),
        }
    }

    /// Counts nothing.
    pub fn none() -> Self {
        Self {
            open: Gauge::noop(),
            closed: Closed::ALL.map(|_| Counter::noop()),
        }
    }

    fn closed(&self, reason: Closed) {
        if let Some(counter) = self.closed.get(reason as usize) {
            counter.increment(1);
        }
    }
}

/// Serves until `stop`, then finishes the requests in flight; false if they did not end within the drain time. A request
/// carries the address of its peer as [`ConnectInfo`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) -> bool {
    let server = Server {
        http: http(),
        router: TowerToHyperService::new(router),
        graceful: GracefulShutdown::new(),
        connections: Arc::new(Connections::new(limits, metrics)),
    };
    tokio::select! {
        () = stop => {}
        () = server.accept_all(&listener) => {}
    }
    drop(listener);
    // Those that are late are still closed on the way down.
    let mut late = pin!(server.connections.close_late());
    let drained = timeout(limits.drain, server.graceful.shutdown());
    tokio::select! {
        drained = drained => drained.is_ok(),
        () = &mut late => false,
    }
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // One deadline for a head and for an idle connection; here they are two (`Connections::close_late`).
        .header_read_timeout(None)
        .max_buf_size(BUFFER_BYTES);
    http
}

struct Server {
    http: http1::Builder,
    router: TowerToHyperService<Router>,
    graceful: GracefulShutdown,
    connections: Arc<Connections>,
}

impl Server {
    /// Never ends.
    async fn accept_all(&self, listener: &TcpListener) {
        let accept = async {
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => self.take(stream, peer).await,
                    Err(error) => {
                        tracing::warn!(%error, "connection not accepted");
                        // The limit of file descriptors was reached before that of connections: others opened more of them.
                        self.connections.give_way();
                        sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            () = self.connections.close_late() => {}
        }
    }

    async fn take(&self, stream: TcpStream, peer: SocketAddr) {
        // An answer is one small packet: it must not wait for company.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let Some(entered) = self.connections.enter(peer.ip()).await else {
            return;
        };
        let connection = Arc::clone(entered.connection());
        let router = self.router.clone();
        let service = {
            let connection = Arc::clone(&connection);
            service_fn(move |request| answer(router.clone(), Arc::clone(&connection), peer, request))
        };
        let stream = TokioIo::new(WatchedStream::new(stream, Arc::clone(&connection)));
        let serving = self.graceful.watch(self.http.serve_connection(stream, service));
        tokio::spawn(async move {
            let _entered: Entered = entered;
            tokio::select! {
                // Broken connections are the sender's business; it tries again.
                ended = serving => if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                },
                () = connection.told_to_close() => {}
            }
        });
    }
}

async fn answer(
    router: TowerToHyperService<Router>,
    connection: Arc<Connection>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    connection.enters(Phase::Body);
    let mut request = request.map(|body| RequestBody::new(body, Arc::clone(&connection)));
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.call(request).await?;
    connection.enters(Phase::Answer);
    Ok(response.map(|body| Body::new(AnswerBody::new(body, connection))))
}
