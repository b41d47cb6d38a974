//! Real connections: chunked bodies, slow senders, keep-alive, shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use courierflow_ingest::config::{Config, IngestSettings};
use courierflow_ingest::run;
use courierflow_service::http_server::{Limits, Metrics, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::support::{Broker, INTERNATIONAL, Service, kuaidi100_form, settings};

const LIMITS: Limits = Limits {
    connections: 10,
    connections_per_peer: 0,
    head: Duration::from_millis(500),
    idle: Duration::from_millis(500),
    write: Duration::from_secs(5),
    drain: Duration::from_secs(5),
};

/// How long something is waited for that never comes if the service is wrong: a test fails, and does not hang.
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    service: Service,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<bool>,
}

async fn start(settings: &IngestSettings, broker: Broker, limits: Limits) -> Server {
    let service = Service::with(settings, broker);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let router = service.router.clone();
    let served = tokio::spawn(serve(listener, router, limits, Metrics::none(), async {
        drop(stopped.await);
    }));
    Server {
        service,
        address,
        stop,
        served,
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Reads one answer with a Content-Length: (head, body).
async fn answer(stream: &mut TcpStream) -> (String, String) {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() >= length.parse().unwrap() {
                return (head.to_owned(), body.to_owned());
            }
        }
        let mut buffer = [0; 4096];
        let read_on = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
        let count = read_on.unwrap_or_else(|_| panic!("no answer after {text:?}")).unwrap();
        assert!(count > 0, "closed after {text:?}");
        read.extend_from_slice(&buffer[..count]);
    }
}

fn request(body: &str) -> String {
    let length = body.len();
    format!("POST /v1/push/kuaidi100/demo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_connection_is_used_again_also_after_refusals() {
    let server = start(&settings(), Broker::default(), LIMITS).await;
    let mut stream = server.connect().await;
    let good = request(&kuaidi100_form(INTERNATIONAL));
    for (request, status) in [
        (good.as_str(), "HTTP/1.1 200"),
        (&request("a=b"), "HTTP/1.1 401"),
        (&good.replace("/demo", "/nobody"), "HTTP/1.1 404"),
        (&good.replace("POST", "PUT"), "HTTP/1.1 405"),
        (&good, "HTTP/1.1 200"),
    ] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let (head, _) = answer(&mut stream).await;
        assert!(head.starts_with(status), "{head}");
    }
    assert_eq!(server.service.published().len(), 2);
}

#[tokio::test]
async fn chunked_bodies_in_small_pieces() {
    let server = start(&settings(), Broker::default(), LIMITS).await;
    let mut stream = server.connect().await;
    let head = "POST /v1/push/kuaidi100/demo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in kuaidi100_form(INTERNATIONAL).as_bytes().chunks(100) {
        stream
            .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
            .await
            .unwrap();
        stream.write_all(piece).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.write_all(b"0\r\nTrailer: x\r\n\r\n").await.unwrap();
    let (head, _) = answer(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(server.service.events()[0].payload, INTERNATIONAL);
}

#[tokio::test]
async fn a_chunked_body_without_end_is_413() {
    let server = start(&settings(), Broker::default(), LIMITS).await;
    let (mut reading, mut writing) = server.connect().await.into_split();
    let writer = tokio::spawn(async move {
        let head = "POST /v1/push/kdniao/demo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        writing.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut written = 0;
        // Until the server stops reading.
        while written < 200 * 1024 * 1024 && writing.write_all(chunk.as_bytes()).await.is_ok() {
            written += chunk.len();
        }
        written
    });
    let mut head = vec![0; 12];
    reading.read_exact(&mut head).await.unwrap();
    assert_eq!(head, b"HTTP/1.1 413");
    let written = writer.await.unwrap();
    assert!(written < 40 * 1024 * 1024, "{written} bytes were taken");
}

#[tokio::test]
async fn a_large_announced_body_is_413_before_it_is_sent() {
    let server = start(&settings(), Broker::default(), LIMITS).await;
    let mut stream = server.connect().await;
    let head =
        "POST /v1/push/kdniao/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 2097153\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (head, _) = answer(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
    // A sender that sends everything before it reads gets the answer, not a reset.
    let mut stream = server.connect().await;
    let body = "x".repeat(3 * 1024 * 1024);
    stream.write_all(request(&body).as_bytes()).await.unwrap();
    let (head, _) = answer(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
}

#[tokio::test]
async fn slow_senders_give_their_place_back() {
    let settings = IngestSettings {
        body_timeout_ms: 200,
        max_in_flight_requests: 1,
        ..settings()
    };
    let server = start(&settings, Broker::default(), LIMITS).await;
    // A body that does not arrive.
    let mut slow = server.connect().await;
    let good = request(&kuaidi100_form(INTERNATIONAL));
    slow.write_all(&good.as_bytes()[..300]).await.unwrap();
    let (head, body) = answer(&mut slow).await;
    assert!(head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(
        body,
        r#"{"result":false,"returnCode":"408","message":"body did not arrive in time"}"#
    );
    let mut next = server.connect().await;
    next.write_all(good.as_bytes()).await.unwrap();
    assert!(answer(&mut next).await.0.starts_with("HTTP/1.1 200"));
    // A head that does not arrive, and an idle connection.
    for written in ["POST /v1/push", ""] {
        let mut slow = server.connect().await;
        slow.write_all(written.as_bytes()).await.unwrap();
        let started = Instant::now();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await;
        closed.unwrap_or_else(|_| panic!("{written:?} stays open")).unwrap();
        assert!(started.elapsed() < Duration::from_secs(3), "{written:?}");
    }
}

#[tokio::test]
async fn at_the_limit_of_connections_who_is_silent_gives_way() {
    let limits = Limits {
        connections: 1,
        ..LIMITS
    };
    let server = start(&settings(), Broker::default(), limits).await;
    for written in [
        "",
        "POST /v1/push",
        "POST /v1/push/kuaidi100/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na",
    ] {
        let mut slow = server.connect().await;
        slow.write_all(written.as_bytes()).await.unwrap();
        let mut next = server.connect().await;
        next.write_all(request(&kuaidi100_form(INTERNATIONAL)).as_bytes())
            .await
            .unwrap();
        assert!(answer(&mut next).await.0.starts_with("HTTP/1.1 200"), "{written:?}");
        assert_eq!(slow.read(&mut [0; 10]).await.unwrap_or(0), 0, "{written:?}");
    }
}

/// Sends a GET and returns the body of its answer.
async fn get(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (head, body) = answer(stream).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    body
}

/// The service itself, with a file: above, the limits are those of the test.
#[tokio::test]
async fn the_limit_of_one_address_is_that_of_the_configuration() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = r#"
        [kafka]
        brokers = "127.0.0.1:1"
        [registry]
        url = "http://127.0.0.1:1"
        [ingest]
        max_connections = 10
        max_connections_per_peer = 1
        accounts = [{name = "demo", vendor = "kuaidi100", salts = ["s"]}]
    "#;
    std::fs::write(file.path(), text).unwrap();
    let config = Config::load(file.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let running = run(&config, listener, async { drop(stopped.await) });
    let asking = async {
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut next = TcpStream::connect(address).await.unwrap();
        get(&mut next, "/livez").await;
        assert_eq!(silent.read(&mut [0; 10]).await.unwrap_or(0), 0);
        // Its own connection of before gives way, too.
        let mut last = TcpStream::connect(address).await.unwrap();
        let metrics = get(&mut last, "/metrics").await;
        let closed = r#"courierflow_ingest_connections_closed_total{reason="peer_limit"} 2"#;
        assert!(metrics.contains(closed), "{metrics}");
        stop.send(()).unwrap();
    };
    let (ended, ()) = tokio::join!(running, asking);
    ended.unwrap();
}

#[tokio::test]
async fn a_connection_whose_push_is_in_flight_does_not_give_way() {
    let gate = Arc::new(Semaphore::new(0));
    let limits = Limits {
        connections: 1,
        ..LIMITS
    };
    let server = start(&settings(), Broker::Waits(gate.clone()), limits).await;
    let good = request(&kuaidi100_form(INTERNATIONAL));
    let mut first = server.connect().await;
    first.write_all(good.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut second = server.connect().await;
    second.write_all(good.as_bytes()).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(300), second.readable()).await;
    assert!(waited.is_err(), "the first still has the place");
    gate.add_permits(1);
    assert!(answer(&mut first).await.0.starts_with("HTTP/1.1 200"));
    assert!(answer(&mut second).await.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_does_not_read_is_closed() {
    let limits = Limits {
        write: Duration::from_millis(300),
        // Otherwise it is closed as one that asks nothing.
        idle: Duration::from_hours(1),
        head: Duration::from_hours(1),
        ..LIMITS
    };
    let server = start(&settings(), Broker::default(), limits).await;
    let (mut reading, mut writing) = server.connect().await.into_split();
    // Answers until no more fit into the sockets; the server then waits for us.
    let writer = tokio::spawn(async move {
        let requests = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
        while writing.write_all(requests.as_bytes()).await.is_ok() {}
    });
    tokio::time::timeout(Duration::from_mins(1), writer)
        .await
        .unwrap()
        .unwrap();
    // What had been sent, and then the end.
    let mut answers = Vec::new();
    drop(reading.read_to_end(&mut answers).await);
    assert!(answers.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn on_the_way_down_pushes_in_flight_are_answered() {
    let gate = Arc::new(Semaphore::new(0));
    let server = start(&settings(), Broker::Waits(gate.clone()), LIMITS).await;
    let mut busy = server.connect().await;
    let mut idle = server.connect().await;
    busy.write_all(request(&kuaidi100_form(INTERNATIONAL)).as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).unwrap();
    // Idle connections end, new ones are refused.
    assert_eq!(idle.read(&mut [0; 10]).await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.served.is_finished());
    gate.add_permits(1);
    let (head, _) = answer(&mut busy).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(server.served.await.unwrap(), "drained");
}

#[tokio::test]
async fn on_the_way_down_nobody_waits_forever() {
    let gate = Arc::new(Semaphore::new(0));
    let limits = Limits {
        drain: Duration::from_millis(200),
        ..LIMITS
    };
    let server = start(&settings(), Broker::Waits(gate), limits).await;
    let mut busy = server.connect().await;
    busy.write_all(request(&kuaidi100_form(INTERNATIONAL)).as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(()).unwrap();
    assert!(!server.served.await.unwrap(), "cut off");
}
