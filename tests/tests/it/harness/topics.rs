//! Topics as seen by a consumer that reads only committed records.

use std::collections::BTreeMap;
use std::time::Duration;

use courierflow_schemas::records::{
    Origin, PushEvent, PushId, Shipment, Signature, TimestampMicros, Transition, Vendor,
};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::settings::RegistrySettings;
use courierflow_schemas::topics;
use courierflow_schemas::wire::{self, Decoder, Encoder, Record as _};
use courierflow_tests::stack::Stack;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, TopicPartitionList};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A record as stored by the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: BTreeMap<String, String>,
}

fn consumer(stack: &dyn Stack, isolation: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .set("group.id", "end-to-end-tests")
        .set("enable.auto.commit", "false")
        .set("isolation.level", isolation)
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "50")
        .create()
        .expect("a consumer")
}

/// The partitions of a topic.
pub(crate) fn partitions(stack: &dyn Stack, topic: &str) -> usize {
    let consumer = consumer(stack, "read_committed");
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).expect("metadata");
    metadata.topics()[0].partitions().len()
}

/// All records that are committed in a topic at present, ordered by partition and offset.
pub(crate) fn read(stack: &dyn Stack, topic: &str) -> Vec<Record> {
    let consumer = consumer(stack, "read_committed");
    let mut unread = TopicPartitionList::new();
    for partition in 0..partitions(stack, topic) {
        let partition = i32::try_from(partition).expect("few partitions");
        unread
            .add_partition_offset(topic, partition, Offset::Beginning)
            .expect("a valid offset");
    }
    let mut open = unread.count();
    consumer.assign(&unread).expect("assigned");
    let mut records = Vec::new();
    while open > 0 {
        match consumer.poll(TIMEOUT).expect("an event before the time-out") {
            // With read_committed the end is the last stable offset, so this does not wait for an open transaction.
            Err(KafkaError::PartitionEOF(_)) => open -= 1,
            // One of three brokers is away, or comes back.
            Err(KafkaError::MessageConsumption(RDKafkaErrorCode::BrokerTransportFailure)) => {}
            Err(error) => panic!("{topic}: {error}"),
            Ok(message) => records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                key: message
                    .key()
                    .map(|key| String::from_utf8(key.to_vec()).expect("a text key")),
                value: message.payload().map(<[u8]>::to_vec),
                headers: message.headers().map_or_else(BTreeMap::new, |headers| {
                    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
                    headers
                        .iter()
                        .map(|header| (header.key.to_owned(), text(header.value)))
                        .collect()
                }),
            }),
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// The sum of the high watermarks of a topic, which grows with every record, even before it is committed.
pub(crate) fn written(stack: &dyn Stack, topic: &str) -> i64 {
    let consumer = consumer(stack, "read_uncommitted");
    (0..partitions(stack, topic))
        .map(|partition| {
            let partition = i32::try_from(partition).expect("few partitions");
            consumer
                .fetch_watermarks(topic, partition, TIMEOUT)
                .expect("watermarks")
                .1
        })
        .sum()
}

/// The offset after the last record of each partition. The high watermark may be higher, because the marker at the end of
/// a transaction takes an offset that no consumer commits.
pub(crate) fn ends(stack: &dyn Stack, topic: &str) -> BTreeMap<i32, i64> {
    let records = read(stack, topic);
    // The last record of a partition counts.
    records
        .into_iter()
        .map(|record| (record.partition, record.offset + 1))
        .collect()
}

/// How many records before these ends are not committed by a consumer group yet. Unknown while a transaction of a
/// dead worker is pending on its offsets.
pub(crate) fn lag(stack: &dyn Stack, group: &str, topic: &str, ends: &BTreeMap<i32, i64>) -> Result<i64, String> {
    let committed = committed(stack, group, topic, ends.keys().copied())?;
    let behind = |(partition, end): (&i32, &i64)| (end - committed.get(partition).unwrap_or(&0)).max(0);
    Ok(ends.iter().map(behind).sum())
}

/// What a group has committed of these partitions; no entry where it has committed nothing.
pub(crate) fn committed(
    stack: &dyn Stack,
    group: &str,
    topic: &str,
    partitions: impl Iterator<Item = i32>,
) -> Result<BTreeMap<i32, i64>, String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .set("group.id", group)
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, partition);
    }
    let committed = consumer.committed_offsets(list, TIMEOUT);
    let committed = committed.map_err(|error| format!("committed offsets of {group}: {error}"))?;
    Ok(offsets_of(&committed))
}

/// By partition, the first offset of a record that is not older.
pub(crate) fn first_since(stack: &dyn Stack, topic: &str, millis: i64) -> Result<BTreeMap<i32, i64>, String> {
    let consumer = consumer(stack, "read_committed");
    let mut times = TopicPartitionList::new();
    for partition in 0..partitions(stack, topic) {
        let partition = i32::try_from(partition).expect("few partitions");
        times
            .add_partition_offset(topic, partition, Offset::Offset(millis))
            .expect("a valid time");
    }
    let found = consumer.offsets_for_times(times, TIMEOUT);
    Ok(offsets_of(&found.map_err(|error| error.to_string())?))
}

fn offsets_of(list: &TopicPartitionList) -> BTreeMap<i32, i64> {
    let of = |element: &TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => Some((element.partition(), offset)),
        _ => None,
    };
    list.elements().iter().filter_map(of).collect()
}

/// Commits offsets in the name of a group that has no members.
pub(crate) fn commit(stack: &dyn Stack, group: &str, topic: &str, offsets: &BTreeMap<i32, i64>) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .set("group.id", group)
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
            .expect("a valid offset");
    }
    consumer.commit(&list, CommitMode::Sync).expect("committed");
}

/// How many members a consumer group has. A static member that has ended counts until its session is over.
pub(crate) fn members(stack: &dyn Stack, group: &str) -> usize {
    let consumer = consumer(stack, "read_committed");
    let groups = consumer.fetch_group_list(Some(group), TIMEOUT).expect("the group");
    let found = groups.groups().iter().find(|found| found.name() == group);
    found.map_or(0, |found| found.members().len())
}

/// Writes records with this key, `None` as a tombstone, as a foreign program might.
pub(crate) fn produce(stack: &dyn Stack, topic: &str, partition: i32, key: &str, values: &[Option<&[u8]>]) {
    produce_all(stack, topic, partition, values.iter().map(|value| (key, *value)));
}

/// The same with a key for each record.
pub(crate) fn produce_all<'a>(
    stack: &dyn Stack,
    topic: &str,
    partition: i32,
    records: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
) {
    let now = records.into_iter().map(|(key, value)| (key, value, None));
    produce_all_at(stack, topic, partition, now);
}

/// The same with a timestamp for each record, in milliseconds since 1970; without one it is of now.
pub(crate) fn produce_all_at<'a>(
    stack: &dyn Stack,
    topic: &str,
    partition: i32,
    records: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>, Option<i64>)>,
) {
    let producer: ThreadedProducer<_> = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .set("message.max.bytes", topics::MAX_RECORD_BYTES.to_string())
        .create()
        .expect("a producer");
    for (key, value, timestamp) in records {
        let mut record = BaseRecord::<str, [u8]>::to(topic).partition(partition).key(key);
        record.payload = value;
        record.timestamp = timestamp;
        producer.send(record).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(TIMEOUT).expect("delivered");
}

/// A push event as ingest would write it.
pub(crate) fn encoded(stack: &dyn Stack, event: &PushEvent) -> Vec<u8> {
    encoded_as(stack, |ids| ids.push, event)
}

/// A record of ours, with the id of its schema.
pub(crate) fn encoded_as<R: wire::Record>(stack: &dyn Stack, id: impl Fn(SchemaIds) -> u32, record: &R) -> Vec<u8> {
    let ids = registry(stack).schema_ids().expect("the schemas are registered");
    let encoder = Encoder::new(id(ids));
    let mut value = Vec::new();
    encoder.encode(record, &mut value).expect("a valid record");
    value
}

/// Deletes all records of a topic, as retention does.
pub(crate) fn delete_records(stack: &dyn Stack, topic: &str) {
    let (admin, runtime) = admin(stack);
    let mut ends = TopicPartitionList::new();
    for partition in 0..partitions(stack, topic) {
        let partition = i32::try_from(partition).expect("few partitions");
        ends.add_partition_offset(topic, partition, Offset::End)
            .expect("a valid offset");
    }
    let deleted = runtime.block_on(admin.delete_records(&ends, &AdminOptions::new()));
    for element in deleted.expect("an answer").elements() {
        element.error().expect("the records are deleted");
    }
}

/// Deletes the records before these offsets.
pub(crate) fn delete_before(stack: &dyn Stack, topic: &str, offsets: &BTreeMap<i32, i64>) -> Result<(), String> {
    let (admin, runtime) = admin(stack);
    let mut before = TopicPartitionList::new();
    for (partition, offset) in offsets {
        before
            .add_partition_offset(topic, *partition, Offset::Offset(*offset))
            .expect("a valid offset");
    }
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let deleted = runtime.block_on(admin.delete_records(&before, &options));
    let deleted = deleted.map_err(|error| error.to_string())?;
    let failed = deleted.elements().iter().find_map(|element| element.error().err());
    failed.map_or(Ok(()), |error| Err(error.to_string()))
}

/// What a topic's setting is.
pub(crate) fn setting(stack: &dyn Stack, topic: &str, name: &str) -> String {
    let (admin, runtime) = admin(stack);
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let described = runtime.block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options));
    let described = described.expect("an answer").remove(0).expect("the topic's settings");
    let value = described.entry_map().get(name).and_then(|entry| entry.value.clone());
    value.expect("the setting has a value")
}

/// What a topic was given itself, whatever the defaults of the brokers are.
pub(crate) fn own_settings(stack: &dyn Stack, topic: &str) -> BTreeMap<String, String> {
    let (admin, runtime) = admin(stack);
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let described = runtime.block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options));
    let described = described.expect("an answer").remove(0).expect("the topic's settings");
    let own = described.entries.into_iter();
    own.filter(|entry| entry.source == ConfigSource::DynamicTopic)
        .filter_map(|entry| Some((entry.name, entry.value?)))
        .collect()
}

/// Changes a topic's settings to this one alone, as a careless operator might.
pub(crate) fn set(stack: &dyn Stack, topic: &str, name: &str, value: &str) {
    set_all(stack, topic, &[(name, value)]);
}

/// Gives a topic these settings and no others.
pub(crate) fn set_all(stack: &dyn Stack, topic: &str, settings: &[(&str, &str)]) {
    let (admin, runtime) = admin(stack);
    let mut alter = AlterConfig::new(ResourceSpecifier::Topic(topic));
    for (name, value) in settings {
        alter = alter.set(name, value);
    }
    let altered = runtime.block_on(admin.alter_configs([&alter], &AdminOptions::new()));
    altered.expect("an answer").remove(0).expect("the setting is changed");
}

/// Replaces all settings of a topic, so that what is superseded is soon gone: Kafka's cleaner looks every 15 s.
pub(crate) fn compact_soon(stack: &dyn Stack, topic: &str) {
    let (admin, runtime) = admin(stack);
    let alter = AlterConfig::new(ResourceSpecifier::Topic(topic))
        .set("cleanup.policy", "compact")
        .set("segment.ms", "500")
        .set("min.cleanable.dirty.ratio", "0.001")
        .set("max.compaction.lag.ms", "1000");
    let altered = runtime.block_on(admin.alter_configs([&alter], &AdminOptions::new()));
    altered.expect("an answer").remove(0).expect("the settings are changed");
}

fn admin(stack: &dyn Stack) -> (AdminClient<DefaultClientContext>, tokio::runtime::Runtime) {
    let admin = ClientConfig::new()
        .set("bootstrap.servers", stack.brokers())
        .create()
        .expect("an admin client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    (admin, runtime.expect("a runtime"))
}

/// Gives a topic more partitions.
pub(crate) fn grow(stack: &dyn Stack, topic: &str, partitions: usize) {
    let (admin, runtime) = admin(stack);
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let grown = runtime.block_on(admin.create_partitions(&[NewPartitions::new(topic, partitions)], &options));
    for result in grown.expect("an answer") {
        result.expect("more partitions");
    }
}

/// Deletes topics and consumer groups, and waits until they are gone.
pub(crate) fn delete(stack: &dyn Stack, topics: &[&str], groups: &[&str]) {
    let (admin, runtime) = admin(stack);
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    // A static member does not leave its group when it ends; the group is empty once its session has expired.
    for group in groups {
        super::eventually("the consumer group is gone", || {
            let deleted = runtime.block_on(admin.delete_groups(&[group], &options));
            let deleted = deleted.map_err(|error| error.to_string())?;
            deleted.into_iter().try_for_each(|result| match result {
                Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => Ok(()),
                Err((group, error)) => Err(format!("{group}: {error}")),
            })
        });
    }
    if topics.is_empty() {
        return;
    }
    for result in runtime
        .block_on(admin.delete_topics(topics, &options))
        .expect("an answer")
    {
        result.expect("the topic is deleted");
    }
    let consumer = consumer(stack, "read_committed");
    super::eventually("topics are gone", || {
        let metadata = consumer
            .fetch_metadata(None, TIMEOUT)
            .map_err(|error| error.to_string())?;
        match metadata.topics().iter().find(|topic| topics.contains(&topic.name())) {
            Some(topic) => Err(topic.name().to_owned()),
            None => Ok(()),
        }
    });
}

/// The registry as our services see it.
pub(crate) fn registry(stack: &dyn Stack) -> Registry {
    Registry::new(&RegistrySettings {
        url: stack.registry_url(),
        id_cache: stack.dir().join("schema-ids-of-the-tests.json"),
        ..RegistrySettings::default()
    })
}

macro_rules! decoded {
    ($(#[$meta:meta])* $function:ident, $type:ty, $id:ident) => {
        $(#[$meta])*
        pub(crate) fn $function(stack: &dyn Stack, records: &[Record]) -> Vec<$type> {
            let registry = registry(stack);
            let ids = registry.schema_ids().expect("the schemas are registered");
            let mut decoder = Decoder::<$type>::new(registry, ids.$id);
            let values = records.iter().filter_map(|record| record.value.as_deref());
            values.map(|value| decoder.decode(value).expect("a record of ours")).collect()
        }
    };
}

decoded!(
    /// Records of the push topic.
    push_events,
    PushEvent,
    push
);
decoded!(
    /// Records of the shipment topic, without tombstones.
    shipments,
    Shipment,
    shipment
);
decoded!(
    /// Records of the transition topic.
    transitions,
    Transition,
    transition
);

/// Push events of one tracking number.
pub(crate) fn pushes_of(stack: &dyn Stack, number: &str) -> Vec<PushEvent> {
    let mut events = push_events(stack, &read(stack, PushEvent::TOPIC));
    events.retain(|event| event.tracking_number == number);
    events
}

/// Shipment records of one tracking number.
pub(crate) fn shipments_of(stack: &dyn Stack, number: &str) -> Vec<Shipment> {
    let mut shipments = shipments(stack, &read(stack, Shipment::TOPIC));
    shipments.retain(|shipment| shipment.tracking_number == number);
    shipments
}

/// Transition records of one tracking number.
pub(crate) fn transitions_of(stack: &dyn Stack, number: &str) -> Vec<Transition> {
    let mut transitions = transitions(stack, &read(stack, Transition::TOPIC));
    transitions.retain(|transition| transition.tracking_number == number);
    transitions
}

/// Number of partitions of all topics, as the configuration has it by default.
const PARTITIONS: usize = 8;

/// Tracking numbers that belong to this partition: the prefix and a number.
pub(crate) fn numbers_on(partition: i32, prefix: &str) -> impl Iterator<Item = String> {
    let prefix = prefix.to_owned();
    let named = (0..).map(move |number: usize| format!("{prefix}{number}"));
    named.filter(move |number| murmur2_partition(number, PARTITIONS) == partition)
}

/// The partition of the Java client's default partitioner: murmur2 of the key.
pub(crate) fn murmur2_partition(key: &str, partitions: usize) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let bytes = key.as_bytes();
    let mut hash = 0x9747_b28c_u32 ^ u32::try_from(bytes.len()).expect("a short key");
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        let mut word = u32::from_le_bytes(chunk.try_into().expect("four bytes")).wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 15;
    let partitions = u32::try_from(partitions).expect("few partitions");
    i32::try_from((hash & 0x7fff_ffff) % partitions).expect("below the number of partitions")
}

/// The names, for tests that read all three.
pub(crate) const THREE: [&str; 3] = [topics::PUSH, topics::SHIPMENT, topics::TRANSITION];

/// A push of Kuaidi100 to the account `demo`, received now, as ingest stores it.
pub(crate) fn push_event(number: &str, payload: String) -> PushEvent {
    PushEvent {
        push_id: PushId::default(),
        part: 0,
        parts: 1,
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        received_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
        signature: Signature::Verified,
        vendor_carrier: "yuantong".to_owned(),
        tracking_number: number.to_owned(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}
