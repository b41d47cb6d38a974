//! The description of the topics, `schemas/asyncapi.json` (AsyncAPI 3), made of the table of topics and the Avro schemas.
#![expect(
    clippy::indexing_slicing,
    reason = "of JSON objects that are made here, where it adds a member or finds null"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use courierflow_schemas::records::{
    Annotation, PushEvent, Shipment, Subscription, SubscriptionRequest, SubscriptionSecret, Transition, VendorCall,
};
use courierflow_schemas::settings::{KafkaSettings, RegistrySettings};
use courierflow_schemas::topics::{self, Key, Policy, Readers, Topic};
use courierflow_schemas::wire::Record;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::stack::repository;

/// Versions of the bindings and of Avro's own text that AsyncAPI has names for.
const KAFKA_BINDING: &str = "0.5.0";
const AVRO: &str = "application/vnd.apache.avro+json;version=1.9.0";

/// The members of the document, in the order in which people read them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    asyncapi: &'static str,
    info: Value,
    default_content_type: &'static str,
    servers: Value,
    channels: BTreeMap<String, Value>,
    operations: BTreeMap<String, Value>,
    components: Value,
}

/// The file.
pub fn path() -> PathBuf {
    repository().join("schemas/asyncapi.json")
}

/// What it should say.
pub fn document() -> anyhow::Result<String> {
    let schemas = schemas()?;
    let mut messages = BTreeMap::new();
    let mut channels = BTreeMap::new();
    let mut operations = BTreeMap::new();
    for topic in &topics::ALL {
        let of_topic = messages_of(topic, schemas.get(topic.name));
        let names: Vec<String> = of_topic.iter().map(|(name, _)| name.clone()).collect();
        let id = id(topic);
        operations.extend(operations_of(topic, &id, &names));
        channels.insert(id, channel(topic, &names));
        messages.extend(of_topic);
    }
    let document = Document {
        asyncapi: "3.0.0",
        info: info(),
        default_content_type: "application/vnd.apache.avro+binary",
        servers: servers(),
        channels,
        operations,
        components: json!({ "messages": messages }),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn info() -> Value {
    json!({
        "title": "courierflow",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "The Kafka topics of courierflow: what couriers' vendors push, and the shipments, transitions and subscriptions that \
            are derived from it. Values are Avro in the Confluent wire format: one zero byte, the schema id as four big-endian bytes, the \
            datum. Subjects are <topic>-value, and their compatibility is FULL_TRANSITIVE: a new field has a default. docs/contracts.md says \
            how to read the topics, docs/rules.md what the values mean.",
        "license": { "name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
    })
}

fn servers() -> Value {
    json!({
        "local": {
            "host": KafkaSettings::default().brokers,
            "protocol": "kafka",
            "description": "The broker and the registry of the local stack",
            "bindings": { "kafka": {
                "schemaRegistryUrl": RegistrySettings::default().url,
                "schemaRegistryVendor": "apicurio",
                "bindingVersion": KAFKA_BINDING,
            } },
        }
    })
}

/// The schema of each topic whose values have one.
fn schemas() -> anyhow::Result<BTreeMap<&'static str, Value>> {
    fn of<R: Record>() -> anyhow::Result<(&'static str, Value)> {
        let schema = serde_json::from_str(R::SCHEMA_TEXT).with_context(|| format!("the schema of {}", R::TOPIC))?;
        Ok((R::TOPIC, schema))
    }
    [
        of::<PushEvent>(),
        of::<Shipment>(),
        of::<Transition>(),
        of::<SubscriptionRequest>(),
        of::<Subscription>(),
        of::<SubscriptionSecret>(),
        of::<VendorCall>(),
        of::<Annotation>(),
    ]
    .into_iter()
    .collect()
}

/// `courier.push.dead.v1` is `push.dead`.
fn id(topic: &Topic) -> String {
    let name = topic.name.trim_start_matches("courier.");
    name.trim_end_matches(".v1").to_owned()
}

/// `push.dead` is `PushDead`.
fn camel(id: &str) -> String {
    let words = id.split('.').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// The records of a topic: those with a value, and the tombstones.
fn messages_of(topic: &Topic, schema: Option<&Value>) -> Vec<(String, Value)> {
    let name = schema.and_then(|schema| schema.get("name")?.as_str().map(str::to_owned));
    let name = name.unwrap_or_else(|| camel(&id(topic)));
    let mut message = message(topic, &name);
    if let Some(schema) = schema {
        message.insert("description".to_owned(), schema["doc"].clone());
        message.insert("payload".to_owned(), json!({ "schemaFormat": AVRO, "schema": schema }));
    } else {
        // Bytes: of a dead letter nobody promises anything.
        message.insert("contentType".to_owned(), json!("application/octet-stream"));
        message.insert("payload".to_owned(), json!({ "type": "string", "format": "binary" }));
    }
    let mut messages = vec![(name.clone(), Value::Object(message))];
    if topic.policy == Policy::Compact {
        let name = format!("{name}Tombstone");
        let mut tombstone = self::message(topic, &name);
        tombstone.insert(
            "summary".to_owned(),
            json!("A record without a value: the key has ended"),
        );
        tombstone.insert("payload".to_owned(), json!({ "type": "null" }));
        tombstone.remove("headers");
        messages.push((name, Value::Object(tombstone)));
    }
    messages
}

/// What all records of a topic have.
fn message(topic: &Topic, name: &str) -> Map<String, Value> {
    let mut binding = json!({ "bindingVersion": KAFKA_BINDING });
    if let Some(key) = key(topic.key) {
        binding["key"] = key;
    }
    let mut message = Map::new();
    message.insert("name".to_owned(), json!(name));
    message.insert("summary".to_owned(), json!(topic.summary));
    if !topic.headers.is_empty() {
        message.insert("headers".to_owned(), headers(topic));
    }
    if !matches!(topic.name, topics::PUSH_DEAD | topics::DERIVE_DEAD) {
        binding["schemaIdLocation"] = json!("payload");
        binding["schemaIdPayloadEncoding"] = json!("confluent");
        binding["schemaLookupStrategy"] = json!("TopicNameStrategy");
    }
    message.insert("bindings".to_owned(), json!({ "kafka": binding }));
    message
}

fn headers(topic: &Topic) -> Value {
    let properties = topic.headers.iter().map(|header| {
        let schema = json!({ "type": "string", "description": header.meaning });
        (header.name.to_owned(), schema)
    });
    json!({ "type": "object", "properties": properties.collect::<Map<_, _>>() })
}

fn key(key: Key) -> Option<Value> {
    let description = match key {
        Key::TrackingNumber => "The tracking number",
        Key::Shipment => "vendor:carrier:tracking number",
        Key::Subscription => "vendor:account:tracking number",
        Key::OfSource => "That of the record that could not be processed",
        Key::None => return None,
    };
    Some(json!({ "type": "string", "description": description }))
}

fn channel(topic: &Topic, messages: &[String]) -> Value {
    let references = messages.iter().map(|name| {
        let reference = json!({ "$ref": format!("#/components/messages/{name}") });
        (name.clone(), reference)
    });
    json!({
        "address": topic.name,
        "summary": topic.summary,
        "description": rules(topic).join(" "),
        "messages": references.collect::<Map<_, _>>(),
        "bindings": { "kafka": {
            "topic": topic.name,
            "topicConfiguration": configuration(topic),
            "bindingVersion": KAFKA_BINDING,
        } },
    })
}

/// What a reader or a writer must know, in sentences.
fn rules(topic: &Topic) -> Vec<&'static str> {
    let mut rules = Vec::new();
    rules.push(match topic.readers {
        Readers::All => "Every team may read it.",
        Readers::Restricted => "Restricted: personal data inside.",
        Readers::Processor => "Nobody but the processor reads or writes it.",
    });
    if topic.transactional {
        rules.push("It is written in transactions: read it with isolation.level=read_committed.");
    }
    rules.push(match topic.key {
        Key::TrackingNumber => "The partition is murmur2 of the key, as Java clients compute it.",
        Key::Shipment | Key::Subscription => {
            "The partition is murmur2 of the tracking number, as Java clients compute it, and not of the key."
        }
        Key::OfSource => "The partition is that of the record that could not be processed.",
        Key::None => "Records are on any partition.",
    });
    if topic.policy == Policy::Compact {
        rules.push("The newest record of a key counts.");
    }
    rules
}

/// What `migrate` gives a new topic.
fn configuration(topic: &Topic) -> Value {
    let mut configuration = json!({ "max.message.bytes": topics::MAX_RECORD_BYTES });
    match topic.policy {
        Policy::Compact => configuration["cleanup.policy"] = json!(["compact"]),
        Policy::Delete(retention) => {
            configuration["cleanup.policy"] = json!(["delete"]);
            configuration["retention.ms"] = json!(retention.as_millis());
        }
        Policy::Keep => {
            configuration["cleanup.policy"] = json!(["delete"]);
            configuration["retention.ms"] = json!(-1);
            configuration["retention.bytes"] = json!(-1);
        }
    }
    for (name, value) in topic.settings {
        // All of them are numbers; the binding takes a text for none that it knows.
        configuration[*name] = value.parse().unwrap_or_else(|_| json!(value));
    }
    configuration
}

/// What courierflow does with a topic.
fn operations_of(topic: &Topic, id: &str, messages: &[String]) -> Vec<(String, Value)> {
    let channel = format!("#/channels/{id}");
    let references: Vec<Value> = messages
        .iter()
        .map(|name| json!({ "$ref": format!("{channel}/messages/{name}") }))
        .collect();
    let operation = |action: &str, summary: String| json!({ "action": action, "channel": { "$ref": channel }, "summary": summary, "messages": references });
    let mut operations = vec![(
        format!("send{}", camel(id)),
        operation("send", format!("courierflow writes {}", topic.name)),
    )];
    if topic.open_to_writers {
        operations.push((
            format!("receive{}", camel(id)),
            operation("receive", format!("Other programs may write {}, too", topic.name)),
        ));
    }
    operations
}
