//! The loop of a worker: poll, step, commit, call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tokio::runtime::Handle;

use super::accounts::{Accounts, Contract};
use super::calls::Calls;
use super::counts::records_lost;
use super::desk::{Codecs, Desk, Parts, Report};
use super::error::{WorkerError, caught};
use super::member::Member;
use super::restore::{Restore, Restorer};
use super::state::{Partition, State, Unpacked};
use super::transaction::{Place, Transactions, input, inputs};
use crate::config::Config;
use crate::exactly_once::assignment::AssignmentChange;
use crate::exactly_once::last_poll::LastPoll;
use crate::exactly_once::member::{MemberSettings, client_id, consumer_config, judge_poll_error};
use crate::exactly_once::producer::{Owner, TransactionalProducer};
use crate::exactly_once::stable_offsets::stable_offsets;
use crate::health::Health;
use crate::partition_counts;
use crate::shutdown::Shutdown;
use crate::start_offsets::report_lost_place;
use crate::vendor_calls::client::Client;

/// Short, because calls wait for the commit of what is intended.
const LINGER: Duration = Duration::from_millis(2);
const SEEK: Duration = Duration::from_secs(10);
/// A restore reads for so long between two polls.
const RESTORE_SLICE: Duration = Duration::from_millis(200);
/// Wait before asking the registry again for a schema that it could not give.
const NOT_NOW: Duration = Duration::from_secs(1);
/// Between two looks at what is no record, while records come without a pause.
const LOOK: Duration = Duration::from_millis(5);
/// A poll waits no longer while calls are in flight or in line …
const BUSY: Duration = Duration::from_millis(10);
/// … and no longer than this while there are none.
const IDLE: Duration = Duration::from_millis(100);

/// One consumer, one transactional producer, one map of subscriptions.
pub(super) struct Worker {
    consumer: Authenticated<BaseConsumer<Member>>,
    shutdown: Shutdown,
    health: Health,
    part: String,
    commit_interval: Duration,
    last_poll: LastPoll,
    /// The number of partitions that the topics must have.
    partitions: i32,
}

/// What all workers of the process have in common. Cheap to clone, but for the configuration.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) contracts: Vec<Contract>,
    pub(super) registry: Registry,
    pub(super) ids: SchemaIds,
    pub(super) runtime: Handle,
    pub(super) health: Health,
    pub(super) shutdown: Shutdown,
}

/// Where partitions are read from.
struct Starts {
    next: BTreeMap<Place, i64>,
    /// Those of which the group has committed nothing.
    uncommitted: BTreeSet<Place>,
    /// The push topic's partitions of which something is unread, and where they end.
    unread_pushes: BTreeMap<i32, i64>,
}

impl Starts {
    /// Says of which partitions it was forgotten what was read, though the state shows that something was: Kafka has dropped the
    /// offset. That of the requests is committed with every change of a subscription.
    fn report_lost_places(&self, restored: &BTreeMap<i32, Partition>) -> Unpacked<()> {
        for (topic, partition) in &self.uncommitted {
            let Some(state) = restored.get(partition).filter(|state| state.len() > 0) else {
                continue;
            };
            let known = match topics::known(topic) {
                Some(topics::SUBSCRIPTION_REQUEST) => "subscriptions",
                Some(topics::PUSH) if state.has_had_pushes()? => "subscriptions with pushes",
                _ => continue,
            };
            report_lost_place(topic, *partition, known, &records_lost());
        }
        Ok(())
    }
}

/// What keeps partitions paused.
struct Paused {
    restorer: Restorer,
    /// The restore that is under way, and where the partitions are to be read from afterwards.
    restore: Option<(Restore, Starts)>,
    /// There are calls enough.
    is_full: bool,
    /// By place, the offset of a record that was handed out and not processed.
    unread: BTreeMap<Place, i64>,
    looked: Instant,
}

impl Paused {
    /// Remembers a record that was fetched before the partitions were paused.
    fn set_aside(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        polled: Option<Result<BorrowedMessage<'_>, KafkaError>>,
    ) -> Result<(), WorkerError> {
        match polled {
            Some(Ok(message)) => {
                if let Some(topic) = input(message.topic()) {
                    let place = (topic, message.partition());
                    self.unread.entry(place).or_insert(message.offset());
                }
                Ok(())
            }
            Some(Err(error)) => Ok(judge_poll_error(consumer, error)?),
            None => Ok(()),
        }
    }
}

impl Worker {
    /// Fences the previous worker of the slot, then joins the group.
    pub(super) fn run(shared: &Shared, slot: &str, part: &str) -> Result<(), WorkerError> {
        let (config, settings) = (&shared.config, &shared.config.subscribe);
        let mut client = ClientConfig::new();
        kafka_client::configure(&mut client, &config.kafka);
        client.set("client.id", client_id(slot));
        let timeout = Duration::from_millis(settings.transaction_timeout_ms);
        let owner = Owner::new(part, &shared.health, &shared.shutdown);
        let producer = TransactionalProducer::new(&client, timeout, LINGER, slot, owner)?;
        let names = shared.contracts.iter().map(Contract::names).collect();
        let restorer = Restorer::new(&client, &shared.registry, shared.ids, config.topics.partitions, names)?;
        let desk = desk(shared, producer, slot, part)?;
        let last_poll = desk.calls.last_poll().clone();
        let member = Member::new(desk, config.processor.on_data_loss);
        let membership = MemberSettings {
            group: &settings.group,
            session_timeout_ms: settings.session_timeout_ms,
            max_poll_interval_ms: settings.max_poll_interval_ms,
        };
        let worker = Self {
            consumer: authenticated::create_with_context(&consumer_config(client, membership, slot), member)?,
            shutdown: shared.shutdown.clone(),
            health: shared.health.clone(),
            part: part.to_owned(),
            commit_interval: Duration::from_millis(settings.commit_interval_ms),
            last_poll,
            partitions: config.topics.partitions,
        };
        worker.consumer.subscribe(&inputs())?;
        let result = caught(|| worker.run_until_shutdown(restorer));
        if result.is_err() {
            // Leaving the group revokes all partitions, which would commit the open transaction; it may hold only a part.
            worker.desk().abandon();
        }
        result
    }

    fn run_until_shutdown(&self, restorer: Restorer) -> Result<(), WorkerError> {
        let mut paused = Paused {
            restorer,
            restore: None,
            is_full: false,
            unread: BTreeMap::new(),
            looked: Instant::now(),
        };
        while !self.shutdown.has_begun() {
            partition_counts::OF_SUBSCRIPTIONS.check(self.consumer.client(), self.partitions)?;
            let polled = self.consumer.poll(self.wait(&paused));
            self.last_poll.is_now();
            self.handle_group_events(&mut paused)?;
            if paused.restore.is_some() {
                paused.set_aside(&self.consumer, polled)?;
                self.restore(&mut paused)?;
                continue;
            }
            self.rewind(&mut self.desk())?;
            let is_idle = polled.is_none();
            if paused.is_full {
                paused.set_aside(&self.consumer, polled)?;
            } else {
                match polled {
                    Some(Ok(message)) => self.process(&message)?,
                    Some(Err(error)) => judge_poll_error(&self.consumer, error)?,
                    None => {}
                }
            }
            if is_idle || paused.looked.elapsed() >= LOOK {
                paused.looked = Instant::now();
                self.work()?;
                self.hold_or_go_on(&mut paused)?;
            }
        }
        self.desk().finish(&self.consumer)?;
        self.health.not_ready(&self.part, "shut down");
        Ok(())
    }

    fn wait(&self, paused: &Paused) -> Duration {
        if paused.restore.is_some() {
            return Duration::ZERO;
        }
        let desk = self.desk();
        let longest = if desk.calls.len() > 0 { BUSY } else { IDLE };
        desk.until_commit(self.commit_interval).min(longest)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.consumer.context().desk()
    }

    fn process(&self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let mut desk = self.desk();
        match desk.process(message) {
            Err(WorkerError::NotNow(error)) => {
                tracing::warn!(%error, "waiting for the registry");
                self.health.not_ready(&self.part, error.to_string());
                // What was taken before it is committed, or answers would wait for the registry as well.
                desk.commit(&self.consumer)?;
                desk.read_again(message);
                self.rewind(&mut desk)?;
                drop(desk);
                self.shutdown.sleep(NOT_NOW);
                // If the next attempt fails too, it reports that again.
                self.health.ready(&self.part);
                Ok(())
            }
            other => other,
        }
    }

    /// Everything that is no record, the commit, and the calls that are committed.
    fn work(&self) -> Result<(), WorkerError> {
        let mut desk = self.desk();
        if desk.is_behind() {
            desk.has_read(&self.consumer.position()?);
        }
        desk.work_through(true)?;
        if desk.commit_is_due(self.commit_interval) {
            desk.commit(&self.consumer)?;
            self.rewind(&mut desk)?;
        }
        desk.start_calls()?;
        desk.publish();
        Ok(())
    }

    /// Stops reading while there are calls enough, and goes on when there is room again.
    fn hold_or_go_on(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let is_full = self.desk().is_full();
        if is_full == paused.is_full {
            return Ok(());
        }
        paused.is_full = is_full;
        if is_full {
            let assigned = self.consumer.assignment()?;
            return Ok(self.consumer.pause(&assigned)?);
        }
        self.resume(paused)
    }

    /// Lets the partitions go on, each with the record that was not processed.
    fn resume(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let assigned = self.consumer.assignment()?;
        self.consumer.resume(&assigned)?;
        for ((topic, partition), offset) in std::mem::take(&mut paused.unread) {
            self.consumer.seek(topic, partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }

    /// Goes back to where reading has to start again after an abort.
    fn rewind(&self, desk: &mut Desk) -> Result<(), WorkerError> {
        for ((topic, partition), offset) in desk.take_rewind() {
            self.consumer.seek(topic, partition, Offset::Offset(offset), SEEK)?;
        }
        Ok(())
    }

    /// Handles the events of the last poll before any message of the partitions is processed.
    fn handle_group_events(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let events = self.consumer.context().take_events();
        if events.is_empty() {
            return Ok(());
        }
        let change = AssignmentChange::of(events)?;
        if change.revoked {
            paused.unread.clear();
            paused.restore = None;
            paused.is_full = false;
        }
        if change.lost {
            self.health
                .not_ready(&self.part, "lost its partitions: no contact with the group");
        }
        let Some(assigned) = change.assigned else {
            return Ok(());
        };
        let assigned: Vec<i32> = assigned.into_iter().collect();
        if assigned.is_empty() {
            // There may be more workers than partitions, and then this one stands by.
            self.health.ready(&self.part);
            return Ok(());
        }
        self.health
            .not_ready(&self.part, format!("restoring partitions {assigned:?}"));
        self.consumer.pause(&places(&assigned))?;
        let starts = self.starts(&assigned, &paused.restorer)?;
        paused.restore = Some((paused.restorer.begin(&assigned)?, starts));
        Ok(())
    }

    /// Where each place is read from, once no transaction is pending on the group's offsets.
    fn starts(&self, assigned: &[i32], restorer: &Restorer) -> Result<Starts, WorkerError> {
        let committed = stable_offsets(&self.consumer, &places(assigned), &self.shutdown)?;
        let mut starts = Starts {
            next: BTreeMap::new(),
            uncommitted: BTreeSet::new(),
            unread_pushes: BTreeMap::new(),
        };
        for element in committed.elements() {
            let Some(topic) = input(element.topic()) else {
                continue;
            };
            let place = (topic, element.partition());
            // A request to the broker, so it is asked only where it is needed.
            let extent = || restorer.extent(topic, element.partition());
            let offset = if let Offset::Offset(offset) = element.offset() {
                offset
            } else {
                starts.uncommitted.insert(place);
                extent()?.low
            };
            if topic == on_broker(topics::PUSH) {
                let end = extent()?.high;
                if offset < end {
                    starts.unread_pushes.insert(element.partition(), end);
                }
            }
            starts.next.insert(place, offset);
        }
        Ok(starts)
    }

    /// Reads a slice of the restore that is under way.
    fn restore(&self, paused: &mut Paused) -> Result<(), WorkerError> {
        let Some((mut restore, starts)) = paused.restore.take() else {
            return Ok(());
        };
        paused.restorer.go_on(&mut restore, RESTORE_SLICE)?;
        if !restore.is_done() {
            paused.restore = Some((restore, starts));
            return Ok(());
        }
        let seconds = restore.seconds();
        let restored = restore.finish()?;
        let subscriptions: usize = restored.values().map(Partition::len).sum();
        tracing::info!(subscriptions, seconds, partitions = ?restored.keys(), "restored");
        metrics::histogram!("courierflow_subscribe_restore_seconds").record(seconds);
        starts.report_lost_places(&restored)?;
        self.desk().assigned(starts.next, starts.unread_pushes, restored)?;
        self.health.ready(&self.part);
        self.resume(paused)
    }
}

/// These partitions of all topics that are read.
fn places(partitions: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for topic in inputs() {
        for partition in partitions {
            list.add_partition(topic, *partition);
        }
    }
    list
}

fn desk(shared: &Shared, producer: TransactionalProducer<()>, slot: &str, part: &str) -> Result<Desk, WorkerError> {
    let (config, settings) = (&shared.config, &shared.config.subscribe);
    let delays = settings.delays();
    // No other incarnation of the worker has it.
    let name = format!("{slot} {}", jiff::Timestamp::now().as_nanosecond());
    let client = Client::new(delays.call_timeout)?;
    Ok(Desk::new(Parts {
        state: State::new(delays.forget),
        calls: Calls::new(shared.contracts.len(), client, shared.runtime.clone()),
        accounts: Accounts::new(&shared.contracts, settings.called_common(), config.carriers),
        transactions: Transactions::new(producer, name, shared.shutdown.clone()),
        codecs: Codecs::new(&shared.registry, shared.ids),
        report: Report::new(shared.health.clone(), part),
        partitions: config.topics.partitions,
        clock_offset_micros: settings.clock_offset_ms.saturating_mul(1_000),
    }))
}
