//! Brokers that refuse settings of topics, as managed services do. A policy on the broker (`tests/java`) refuses them by name.

use courierflow_schemas::topics::{PUSH, SHIPMENT};
use courierflow_tests::stack::{BrokerSettings, LocalStack, Server, Stack};

use crate::harness::{PATIENCE, processor, topics};

fn start(name: &str, refused: &str) -> LocalStack {
    // Containers have brokers of one kind.
    let stack = LocalStack::start_with(name, &[Server::Kafka], |stack| {
        let policies = ["create.topic", "alter.config"].map(|what| {
            let class = if what == "create.topic" { "Create" } else { "Alter" };
            format!("{what}.policy.class.name=ManagedKafka${class}\n")
        });
        Ok(BrokerSettings {
            // A default that topics must not have.
            properties: format!(
                "{}test.refused={refused}\nlog.message.timestamp.type=LogAppendTime\n",
                policies.concat()
            ),
            classes: Some(stack.compile("ManagedKafka.java")?),
            ..BrokerSettings::default()
        })
    });
    stack.unwrap()
}

/// Exit code and what is said.
fn migrate(stack: &dyn Stack, name: &str) -> (Option<i32>, String) {
    let launch = processor("migrate", stack).arg("--only").arg("topics");
    let mut service = launch.start(name, stack).unwrap();
    let status = service.wait(PATIENCE).unwrap();
    (status.code(), service.log().unwrap())
}

#[test]
fn what_the_brokers_refuse_is_left_out_and_said_with_what_is_weaker_without_it() {
    let stack = start("managed", "min.insync.replicas,message.timestamp.type");
    let (code, said) = migrate(&stack, "create");
    assert_eq!(code, Some(0), "{said}");
    for line in [
        "created topic courier.push.v1",
        "warning: topic courier.push.v1: the brokers refuse min.insync.replicas = 1",
        "a record may be acknowledged that one broker alone has",
        "warning: topic courier.shipment.v1: the brokers refuse message.timestamp.type = CreateTime",
        "records have the time of the broker, not that of their push",
    ] {
        assert!(said.contains(line), "{line} is missing in {said}");
    }
    // The others are all there.
    let own = topics::own_settings(&stack, SHIPMENT);
    assert_eq!(own["cleanup.policy"], "compact");
    assert_eq!(own["max.message.bytes"], "8388608");
    assert!(!own.contains_key("min.insync.replicas"), "{own:?}");

    // Topics that are there stay as they are, and it is said again.
    let (code, said) = migrate(&stack, "align");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("warning: topic courier.push.v1: the brokers refuse message.timestamp.type = CreateTime"),
        "{said}"
    );
}

#[test]
fn without_what_the_promises_need_there_is_no_topic() {
    for (name, refused) in [
        ("managed-compact", "cleanup.policy"),
        ("managed-size", "max.message.bytes"),
    ] {
        let stack = start(name, refused);
        let (code, said) = migrate(&stack, "create");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("{refused} = ")), "{said}");
        assert_eq!(topics::partitions(&stack, PUSH), 0, "nothing was created");
    }
}
