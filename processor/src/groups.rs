//! Consumer groups seen from outside: who is in one, and what it has committed. Nobody joins a group for that.

use std::collections::BTreeMap;
use std::time::Duration;

use courierflow_schemas::settings::KafkaSettings;
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::groups::GroupInfo;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// A member of a group. One with an instance id that has ended counts until its session is over.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) client_id: String,
    /// The address that it connects from.
    pub(crate) host: String,
}

/// A client that acts for a group. While the group has no members, it may commit offsets.
pub(crate) fn client(kafka: &KafkaSettings, group: &str) -> KafkaResult<Authenticated<BaseConsumer>> {
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, kafka);
    client
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        // Then the broker tells committed offsets only when no transaction is pending on them.
        .set("isolation.level", "read_committed");
    authenticated::create(&client)
}

/// Who is in a group; any client may ask.
pub(crate) fn members(client: &BaseConsumer, group: &str, timeout: Duration) -> KafkaResult<Vec<Member>> {
    let groups = client.fetch_group_list(Some(group), timeout)?;
    let found = groups.groups().iter().filter(|found| found.name() == group);
    let members = found.flat_map(GroupInfo::members).map(|member| Member {
        client_id: member.client_id().to_owned(),
        host: member.client_host().trim_start_matches('/').to_owned(),
    });
    Ok(members.collect())
}

/// The offsets that the group of `client` has committed on `partitions` partitions; those without a commit are missing.
pub(crate) fn committed(
    client: &BaseConsumer,
    topic: &str,
    partitions: i32,
    timeout: Duration,
) -> KafkaResult<BTreeMap<i32, i64>> {
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, partitions - 1);
    let offsets = client.committed_offsets(list, timeout)?;
    let mut found = BTreeMap::new();
    for element in offsets.elements() {
        // Otherwise a partition of which the broker does not tell would be one without a commit.
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            found.insert(element.partition(), offset);
        }
    }
    Ok(found)
}
