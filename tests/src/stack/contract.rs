//! What every implementation of [`Stack`] must do, for its tests.

use super::{Server, Stack};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::Duration;

/// A way to end a server.
type End = fn(&dyn Stack, Server) -> anyhow::Result<()>;

fn topics(stack: &dyn Stack) -> Vec<String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(None, Duration::from_secs(10)).unwrap();
    metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

fn create_topic(stack: &dyn Stack, name: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .create()
        .unwrap();
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let created = runtime
        .block_on(admin.create_topics([&topic], &AdminOptions::new()))
        .unwrap();
    assert_eq!(created, [Ok(name.to_owned())]);
}

fn register(stack: &dyn Stack) -> String {
    let url = format!("{}/subjects/kept-value/versions", stack.registry_url());
    let schema = serde_json::json!({ "schema": r#"{"type":"string"}"# });
    ureq::post(url)
        .send_json(schema)
        .unwrap()
        .into_body()
        .read_to_string()
        .unwrap()
}

fn subjects(stack: &dyn Stack) -> String {
    let url = format!("{}/subjects", stack.registry_url());
    ureq::get(url).call().unwrap().into_body().read_to_string().unwrap()
}

fn sql(stack: &dyn Stack, statement: &str) -> Result<String, ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .new_agent();
    agent
        .post(stack.clickhouse_url())
        .send(statement)?
        .into_body()
        .read_to_string()
}

/// A server comes back on its address with its data, however it ended; one that is frozen answers when it is thawed.
pub(super) fn assert_servers_come_back(stack: &dyn Stack) {
    create_topic(stack, "kept");
    register(stack);
    sql(
        stack,
        "CREATE TABLE kept (number UInt8) ENGINE = MergeTree ORDER BY number",
    )
    .unwrap();
    sql(stack, "INSERT INTO kept VALUES (7)").unwrap();

    let ends: [End; 2] = [|stack, server| stack.kill(server), |stack, server| stack.stop(server)];
    for end in ends {
        for server in Server::ALL {
            end(stack, server).unwrap();
        }
        assert!(sql(stack, "SELECT 1").is_err());
        for server in Server::ALL {
            stack.start_server(server).unwrap();
        }
        assert!(topics(stack).contains(&"kept".to_owned()));
        assert_eq!(subjects(stack), r#"["kept-value"]"#);
        assert_eq!(sql(stack, "SELECT number FROM kept").unwrap(), "7\n");
    }

    stack.freeze(Server::ClickHouse).unwrap();
    assert!(matches!(sql(stack, "SELECT 1"), Err(ureq::Error::Timeout(_))));
    stack.thaw(Server::ClickHouse).unwrap();
    assert_eq!(sql(stack, "SELECT 1").unwrap(), "1\n");
}
