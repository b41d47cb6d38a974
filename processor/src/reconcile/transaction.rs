//! A worker's transactions. Each begins and ends in one go: calls that are about to begin, and calls that have ended.

use std::collections::BTreeMap;

use courierflow_schemas::partition;
use courierflow_schemas::records::{PushEvent, VendorCall};
use courierflow_schemas::registry::SchemaIds;
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::Encoder;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::error::WorkerError;
use super::intents::{Intent, Metadata};
use super::records::{Ended, millis};
use crate::exactly_once::producer::{Output, ProducerError, TransactionalProducer};
use crate::exactly_once::stable_offsets::stable_offsets;
use crate::shutdown::Shutdown;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    /// Nobody sees anything of it, and it may be tried again.
    Aborted,
}

/// What a transaction is about.
pub(super) struct Change<'a> {
    /// Calls that may be made once it is committed, with their partitions.
    pub(super) begins: &'a [(i32, &'a Intent)],
    pub(super) ended: &'a [Ended],
}

/// The transactions of a worker, one after the other.
pub(super) struct Transactions {
    producer: TransactionalProducer<()>,
    push: Encoder<PushEvent>,
    call: Encoder<VendorCall>,
    /// By partition, the offset of the next record of `courier.vendor.call.v1`.
    next: BTreeMap<i32, i64>,
    /// By partition, the calls whose intent is committed and whose end is not.
    under_way: BTreeMap<i32, Vec<Intent>>,
    /// Of all topics.
    partitions: i32,
    /// Begins the names of this worker's transactions.
    name: String,
    count: u64,
    shutdown: Shutdown,
}

impl Transactions {
    /// `name` must be of this incarnation of the worker alone.
    pub(super) fn new(
        producer: TransactionalProducer<()>,
        ids: SchemaIds,
        partitions: i32,
        name: String,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            producer,
            push: Encoder::new(ids.push),
            call: Encoder::new(ids.vendor_call),
            next: BTreeMap::new(),
            under_way: BTreeMap::new(),
            partitions,
            name,
            count: 0,
            shutdown,
        }
    }

    /// New partitions, each with the calls that its former owner has left.
    pub(super) fn assigned(&mut self, under_way: BTreeMap<i32, Vec<Intent>>) {
        self.next = under_way.keys().map(|partition| (*partition, 0)).collect();
        self.under_way = under_way;
    }

    /// A record of the topic was read.
    pub(super) fn read(&mut self, partition: i32, offset: i64) {
        if let Some(next) = self.next.get_mut(&partition) {
            *next = offset + 1;
        }
    }

    /// Whether a partition may have one more call under way, beside those that are about to begin.
    pub(super) fn has_room(&self, partition: i32, begins: &[&Intent], one_more: &Intent) -> bool {
        let under_way = self.under_way.get(&partition).into_iter().flatten();
        let calls = under_way
            .chain(begins.iter().copied())
            .chain([one_more])
            .cloned()
            .collect();
        Metadata {
            transaction: self.transaction_name(),
            calls,
        }
        .fits()
    }

    /// Commits a change, or aborts it if committing fails and the producer can go on.
    pub(super) fn commit(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        change: &Change<'_>,
    ) -> Result<Outcome, WorkerError> {
        self.count += 1;
        let under_way = self.after(change);
        let offsets = self.offsets(&under_way)?;
        let group = consumer.group_metadata().ok_or(KafkaError::Canceled)?;
        self.producer.begin()?;
        let committed = match self.produce(change) {
            Ok(()) => self.producer.commit(offsets.clone(), group),
            Err(WorkerError::Producer(error)) => Err(error),
            Err(error) => {
                self.producer.abort()?;
                return Err(error);
            }
        };
        let is_committed = match committed {
            Ok(()) => true,
            Err(ProducerError::Abort(error)) => {
                tracing::warn!(%error, "transaction aborted");
                self.producer.abort()?;
                false
            }
            Err(ProducerError::InDoubt(error)) => {
                tracing::warn!(%error, "transaction in doubt, the committed offsets decide");
                self.producer.abort()?;
                let found = stable_offsets(consumer, &offsets, &self.shutdown)?;
                let name = self.transaction_name();
                let elements = found.elements();
                // Any, not all: the new owner of a partition that is no longer ours may have committed since.
                elements
                    .iter()
                    .any(|element| Metadata::of(element.metadata()).transaction == name)
            }
            Err(error) => return Err(error.into()),
        };
        if !is_committed {
            metrics::counter!("courierflow_reconcile_aborts_total").increment(1);
            return Ok(Outcome::Aborted);
        }
        self.under_way.extend(under_way);
        Ok(Outcome::Committed)
    }

    /// The calls that are under way after a change, in the partitions that it touches.
    fn after(&self, change: &Change<'_>) -> BTreeMap<i32, Vec<Intent>> {
        let mut after: BTreeMap<i32, Vec<Intent>> = BTreeMap::new();
        let before = |partition: i32| self.under_way.get(&partition).cloned().unwrap_or_default();
        for (partition, intent) in change.begins {
            let calls = after.entry(*partition).or_insert_with(|| before(*partition));
            calls.push((*intent).clone());
        }
        for ended in change.ended {
            let calls = after.entry(ended.partition).or_insert_with(|| before(ended.partition));
            calls.retain(|intent| *intent != ended.intent);
        }
        after
    }

    fn offsets(&self, under_way: &BTreeMap<i32, Vec<Intent>>) -> Result<TopicPartitionList, KafkaError> {
        let mut offsets = TopicPartitionList::new();
        for (partition, calls) in under_way {
            let metadata = Metadata {
                transaction: self.transaction_name(),
                calls: calls.clone(),
            };
            let mut element = offsets.add_partition(on_broker(topics::VENDOR_CALL), *partition);
            element.set_offset(Offset::Offset(self.next.get(partition).copied().unwrap_or(0)))?;
            element.set_metadata(metadata.to_text());
        }
        Ok(offsets)
    }

    fn produce(&self, change: &Change<'_>) -> Result<(), WorkerError> {
        for ended in change.ended {
            let mut value = Vec::new();
            let key = ended.call.tracking_number.as_bytes();
            // Its own, which is another one than that of the intent if the topics have grown since.
            let partition = partition::of_key(key, self.partitions);
            if let Some(event) = &ended.event {
                self.push.encode(event, &mut value)?;
                let at = millis(event.received_at);
                self.send(topics::PUSH, partition, key, &value, at)?;
                value.clear();
            }
            self.call.encode(&ended.call, &mut value)?;
            let at = millis(ended.call.started_at);
            self.send(topics::VENDOR_CALL, partition, key, &value, at)?;
        }
        Ok(())
    }

    fn send(
        &self,
        topic: &'static str,
        partition: i32,
        key: &[u8],
        value: &[u8],
        timestamp_millis: i64,
    ) -> Result<(), ProducerError> {
        self.producer.produce(Output {
            topic,
            partition,
            key,
            value: Some(value),
            timestamp_millis,
            headers: None,
            told_back: None,
        })
    }

    fn transaction_name(&self) -> String {
        format!("{} {}", self.name, self.count)
    }
}
