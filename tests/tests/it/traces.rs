//! A push's trace, from its request through the headers of records to the rows, in a real Jaeger.
//!
//! It needs builds of the services with the feature `otel`, and Jaeger: `./dev traces` has both.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use courierflow_schemas::topics::{PUSH, SHIPMENT, TRANSITION};
use courierflow_tests::simulator::vendors::kuaidi100;
use courierflow_tests::stack::{Launch, Stack};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;

use crate::harness::{PATIENCE, agent, eventually, migrated, post, processor, ready, wait_until_in_tables};

/// Of a proxy before ingest, which has begun the trace.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PROXY: &str = "b7ad6b7169203331";

/// The trace of a record that cannot be derived.
const REFUSED: &str = "5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c";

fn produce_nonsense(stack: &dyn Stack) {
    let mut client = ClientConfig::new();
    let producer: BaseProducer = client.set("bootstrap.servers", stack.brokers()).create().unwrap();
    let traceparent = format!("00-{REFUSED}-{PROXY}-01");
    let headers = OwnedHeaders::new().insert(Header {
        key: "traceparent",
        value: Some(&traceparent),
    });
    let record = BaseRecord::to(PUSH)
        .key("NONSENSE1")
        .payload("nonsense")
        .headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
}

struct Jaeger {
    process: Child,
    otlp: u16,
    query: u16,
}

impl Drop for Jaeger {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Jaeger {
    fn start(stack: &dyn Stack) -> Self {
        let program =
            std::env::var("COURIERFLOW_JAEGER").expect("COURIERFLOW_JAEGER names the program: use ./dev traces");
        let [otlp, query, grpc] = [(); 3].map(|()| stack.reserve_port().unwrap());
        let config = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("jaeger.yaml");
        let log = std::fs::File::create(stack.dir().join("log/jaeger.log")).unwrap();
        let process = Command::new(program)
            .arg("--config")
            .arg(config)
            .env("JAEGER_OTLP_PORT", otlp.to_string())
            .env("JAEGER_QUERY_PORT", query.to_string())
            .env("JAEGER_GRPC_PORT", grpc.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let this = Self { process, otlp, query };
        eventually("Jaeger answers", || this.ask("/api/services").map(drop));
        this
    }

    fn ask(&self, path: &str) -> Result<Value, String> {
        let url = format!("http://127.0.0.1:{}{path}", self.query);
        let mut answer = agent().get(url).call().map_err(|error| error.to_string())?;
        answer.body_mut().read_json().map_err(|error| error.to_string())
    }

    /// The service sends its traces here.
    fn traced(&self, launch: &Launch) -> Launch {
        let endpoint = format!("http://127.0.0.1:{}", self.otlp);
        launch.clone().env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    }

    /// The spans of a trace.
    fn spans(&self, trace: &str) -> Result<Vec<Span>, String> {
        let answer = self.ask(&format!("/api/traces/{trace}"))?;
        let of_trace = &answer["data"][0];
        let spans = of_trace["spans"].as_array().ok_or("no such trace")?;
        Ok(spans
            .iter()
            .map(|span| Span::of(span, &of_trace["processes"]))
            .collect())
    }
}

#[derive(Clone, Debug)]
struct Span {
    id: String,
    parent: String,
    service: String,
    name: String,
    topic: String,
}

impl Span {
    fn of(span: &Value, processes: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let tags = span["tags"].as_array().unwrap();
        let topic = tags.iter().find(|tag| tag["key"] == "messaging.destination.name");
        Self {
            id: text(&span["spanID"]),
            parent: text(&span["references"][0]["spanID"]),
            service: text(&processes[text(&span["processID"])]["serviceName"]),
            name: text(&span["operationName"]),
            topic: topic.map_or_else(String::new, |tag| text(&tag["value"])),
        }
    }
}

#[test]
#[ignore = "needs other builds of the services, and Jaeger: ./dev traces"]
fn a_push_is_followed_from_its_request_to_its_rows() {
    let stack = migrated("traces");
    let jaeger = Jaeger::start(&*stack);
    let mut ingest = ready(&jaeger.traced(&Launch::ingest()), "ingest", &stack);
    let mut running = ready(&jaeger.traced(&processor("run", &stack)), "processor", &stack);

    let push = |number: &str, headers: &[(&str, &str)]| {
        let (content_type, body) =
            kuaidi100::body(&post::picked_up(number), kuaidi100::Shape::SignedForm, Some(post::SALT));
        let headers: Vec<_> = [("content-type", content_type)]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        let answer = post::post_with(&ingest.url(), "/v1/push/kuaidi100/demo", &headers, &body).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    push("TRACE1", &[("traceparent", &format!("00-{TRACE}-{PROXY}-01"))]);
    // A proxy that does not keep its own trace.
    push(
        "TRACE2",
        &[("traceparent", "00-11111111111111111111111111111111-2222222222222222-00")],
    );
    push("TRACE3", &[]);
    produce_nonsense(&*stack);
    wait_until_in_tables(&stack);
    // What is not sent yet is sent at the end.
    running.terminate(PATIENCE).unwrap();
    ingest.terminate(PATIENCE).unwrap();

    let log = running.log().unwrap();
    let line = log
        .lines()
        .find(|line| line.contains("dead-lettered"))
        .expect("the nonsense is told");
    assert!(line.contains(REFUSED), "{line}");

    // By name and topic: the span that it is part of.
    let mut spans = Vec::new();
    eventually("the trace is complete", || {
        spans = jaeger.spans(TRACE)?;
        if spans.len() == 5 {
            Ok(())
        } else {
            Err(format!("{spans:#?}"))
        }
    });
    let by_name: BTreeMap<_, _> = spans
        .iter()
        .map(|span| ((span.name.as_str(), span.topic.as_str()), span))
        .collect();
    let parent = |name: &str, topic: &'static str| by_name[&(name, topic)].parent.as_str();
    let (arrived, derived) = (&by_name[&("push", "")].id, &by_name[&("derive", PUSH)].id);
    assert_eq!(parent("push", ""), PROXY);
    assert_eq!(parent("derive", PUSH), arrived);
    assert_eq!(parent("insert", PUSH), arrived);
    assert_eq!(parent("insert", SHIPMENT), derived);
    assert_eq!(parent("insert", TRANSITION), derived);
    for span in &spans {
        let service = if span.name == "push" { "ingest" } else { "processor" };
        assert_eq!(span.service, format!("courierflow-{service}"), "{span:?}");
    }

    assert!(jaeger.spans(&"1".repeat(32)).is_err(), "nobody keeps that trace");
    eventually("the push without a header has a trace of its own", || {
        let all = jaeger.ask("/api/traces?service=courierflow-processor&limit=100")?;
        let traces = all["data"].as_array().into_iter().flatten();
        let ids: Vec<_> = traces.map(|trace| trace["traceID"].to_string()).collect();
        if ids.len() == 3 {
            Ok(())
        } else {
            Err(format!("{ids:?}"))
        }
    });
}
