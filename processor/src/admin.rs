//! Kafka's administrative client, and the settings of topics and brokers.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use courierflow_schemas::settings::KafkaSettings;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigEntry, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaResult;

pub(crate) type Admin = Authenticated<AdminClient<DefaultClientContext>>;

/// A client that may look for topics without creating them.
pub(crate) fn client(kafka: &KafkaSettings) -> KafkaResult<Admin> {
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, kafka);
    authenticated::create(client.set("allow.auto.create.topics", "false"))
}

/// The settings of a topic or a broker, by name.
pub(crate) async fn describe(
    admin: &Admin,
    what: ResourceSpecifier<'_>,
    timeout: Duration,
) -> anyhow::Result<HashMap<String, ConfigEntry>> {
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let described = admin.describe_configs([&what], &options).await?.pop();
    let described = described.context("no answer")?;
    let described = described.map_err(|code| anyhow::anyhow!("describing {what:?}: {code}"))?;
    let entries = described.entries.into_iter();
    Ok(entries.map(|entry| (entry.name.clone(), entry)).collect())
}

/// One of these settings.
pub(crate) async fn setting<V>(
    admin: &Admin,
    of: ResourceSpecifier<'_>,
    name: &str,
    timeout: Duration,
) -> anyhow::Result<V>
where
    V: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let described = describe(admin, of, timeout).await?;
    let value = described.get(name).and_then(|entry| entry.value.as_deref());
    Ok(value.with_context(|| format!("no setting {name}"))?.parse()?)
}
