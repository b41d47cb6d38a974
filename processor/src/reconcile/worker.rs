//! The loop of a worker: poll, restore, plan, commit, call.

use std::collections::BTreeMap;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::{self, Authenticated};
use courierflow_service::kafka_client;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tokio::runtime::Handle;

use super::accounts::Contract;
use super::behind::Sources;
use super::calls::Calls;
use super::candidates::Tables;
use super::desk::{Decoders, Desk, Fixed, inputs};
use super::error::{WorkerError, caught};
use super::intents::Metadata;
use super::member::Member;
use super::rounds::Rounds;
use super::transaction::Transactions;
use crate::bounded_read::watermarks;
use crate::config::Config;
use crate::exactly_once::assignment::AssignmentChange;
use crate::exactly_once::last_poll::LastPoll;
use crate::exactly_once::member::{MemberSettings, client_id, consumer_config, judge_poll_error};
use crate::exactly_once::producer::{Owner, TransactionalProducer};
use crate::exactly_once::stable_offsets::stable_offsets;
use crate::health::Health;
use crate::partition_counts;
use crate::shutdown::Shutdown;
use crate::vendor_calls::client::Client;

/// Short, because calls wait for the commit of what is intended.
const LINGER: Duration = Duration::from_millis(2);
const SEEK: Duration = Duration::from_secs(10);
/// Wait before asking the registry again for a schema that it could not give.
const NOT_NOW: Duration = Duration::from_secs(1);
/// Between two looks at what is no record, while records come without a pause.
const LOOK: Duration = Duration::from_millis(20);
/// A poll waits no longer while there are calls or something is to be restored …
const BUSY: Duration = Duration::from_millis(10);
/// … and no longer than this while there are none.
const IDLE: Duration = Duration::from_millis(100);

/// What the worker is made of.
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

/// One consumer, one transactional producer, one desk.
pub(super) struct Worker {
    consumer: Authenticated<BaseConsumer<Member>>,
    /// A `read_uncommitted` client: `fetch_watermarks` of a `read_committed` one returns the last stable offset, and records of a
    /// transaction that is decided, but not yet marked, are beyond it.
    watermarks: Authenticated<BaseConsumer>,
    shutdown: Shutdown,
    health: Health,
    part: String,
    last_poll: LastPoll,
    /// The number of partitions that the topics must have.
    partitions: i32,
}

/// What changes while the worker runs, beside the desk.
struct Course {
    rounds: Rounds,
    /// By place, up to where it must be read before anybody is asked.
    goals: Option<BTreeMap<(String, i32), i64>>,
    looked: Instant,
}

impl Worker {
    /// Fences the previous worker of the slot, then joins the group.
    pub(super) fn run(shared: &Shared, slot: &str, part: &str) -> Result<(), WorkerError> {
        let (config, settings) = (&shared.config, &shared.config.reconcile);
        let mut client = ClientConfig::new();
        kafka_client::configure(&mut client, &config.kafka);
        client.set("client.id", client_id(slot));
        let timeout = Duration::from_millis(settings.transaction_timeout_ms);
        let owner = Owner::new(part, &shared.health, &shared.shutdown);
        let producer = TransactionalProducer::new(&client, timeout, LINGER, slot, owner)?;
        let desk = desk(shared, producer, slot, part)?;
        let last_poll = desk.calls.last_poll().clone();
        let membership = MemberSettings {
            group: &settings.group,
            session_timeout_ms: settings.session_timeout_ms,
            max_poll_interval_ms: settings.max_poll_interval_ms,
        };
        let mut watermarks = client.clone();
        watermarks.set("isolation.level", "read_uncommitted");
        let worker = Self {
            consumer: authenticated::create_with_context(
                &consumer_config(client, membership, slot),
                Member::new(desk),
            )?,
            watermarks: authenticated::create(&watermarks)?,
            shutdown: shared.shutdown.clone(),
            health: shared.health.clone(),
            part: part.to_owned(),
            last_poll,
            partitions: config.topics.partitions,
        };
        worker.consumer.subscribe(&inputs())?;
        let tables = Tables::new(&config.clickhouse, settings);
        let every = Duration::from_millis(settings.every_ms);
        let course = Course {
            rounds: Rounds::new(Sources::new(config)?, tables, shared.runtime.clone(), every),
            goals: None,
            looked: Instant::now(),
        };
        caught(|| worker.run_until_shutdown(course))
    }

    fn run_until_shutdown(&self, mut course: Course) -> Result<(), WorkerError> {
        while !self.shutdown.has_begun() {
            partition_counts::OF_SUBSCRIPTIONS.check(self.consumer.client(), self.partitions)?;
            let polled = self.consumer.poll(self.wait(&course));
            self.last_poll.is_now();
            self.handle_group_events(&mut course)?;
            let is_idle = polled.is_none();
            match polled {
                Some(Ok(message)) => self.read(&message)?,
                Some(Err(error)) => judge_poll_error(&self.consumer, error)?,
                None => {}
            }
            if is_idle || course.looked.elapsed() >= LOOK {
                course.looked = Instant::now();
                self.work(&mut course)?;
            }
        }
        self.desk().finish(&self.consumer)?;
        self.health.not_ready(&self.part, "shut down");
        Ok(())
    }

    fn wait(&self, course: &Course) -> Duration {
        let is_busy = course.goals.is_some() || self.desk().calls.is_busy();
        if is_busy { BUSY } else { IDLE }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.consumer.context().desk()
    }

    fn read(&self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let read = self.desk().read(message);
        match read {
            Err(WorkerError::NotNow(error)) => {
                tracing::warn!(%error, "waiting for the registry");
                let offset = Offset::Offset(message.offset());
                self.consumer.seek(message.topic(), message.partition(), offset, SEEK)?;
                self.shutdown.sleep(NOT_NOW);
                Ok(())
            }
            other => other,
        }
    }

    /// Everything that is no record.
    fn work(&self, course: &mut Course) -> Result<(), WorkerError> {
        if course.goals.is_some() && !self.is_restored(course)? {
            return Ok(());
        }
        let mut desk = self.desk();
        if desk.has_partitions()
            && let Some((scope, found)) = course.rounds.turn(|| desk.scope())
        {
            desk.plan(&scope, &found);
        }
        desk.paused(course.rounds.paused());
        desk.step(&self.consumer)?;
        desk.publish();
        Ok(())
    }

    /// Whether everything is read that was there when the partitions were assigned. The position also moves past markers and aborted
    /// records.
    fn is_restored(&self, course: &mut Course) -> Result<bool, WorkerError> {
        let position = self.consumer.position()?;
        let Some(goals) = &mut course.goals else {
            return Ok(true);
        };
        goals.retain(|(topic, partition), goal| {
            let element = position.find_partition(topic, *partition);
            let at = element.map(|element| element.offset());
            !matches!(at, Some(Offset::Offset(offset)) if offset >= *goal)
        });
        if !goals.is_empty() {
            return Ok(false);
        }
        self.desk().restored()?;
        course.goals = None;
        course.rounds.restart();
        self.health.ready(&self.part);
        Ok(true)
    }

    /// Handles the events of the last poll before any message of the partitions is read.
    fn handle_group_events(&self, course: &mut Course) -> Result<(), WorkerError> {
        let events = self.consumer.context().take_events();
        if events.is_empty() {
            return Ok(());
        }
        let change = AssignmentChange::of(events)?;
        if change.revoked {
            course.goals = None;
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
            .not_ready(&self.part, format!("reading what was asked in partitions {assigned:?}"));
        // First, because then no transaction of a former owner is pending, and all that it produced is below the watermarks.
        let left = self.left_under_way(&assigned)?;
        course.goals = Some(self.goals(&assigned)?);
        self.desk().assigned(left);
        Ok(())
    }

    /// The calls that former owners of the partitions have begun and not ended.
    fn left_under_way(&self, assigned: &[i32]) -> Result<BTreeMap<i32, Vec<super::intents::Intent>>, WorkerError> {
        let mut places = TopicPartitionList::new();
        for partition in assigned {
            places.add_partition(on_broker(topics::VENDOR_CALL), *partition);
        }
        let committed = stable_offsets(&self.consumer, &places, &self.shutdown)?;
        let elements = committed.elements();
        let left = elements.iter().map(|element| {
            let Metadata { calls, .. } = Metadata::of(element.metadata());
            (element.partition(), calls)
        });
        Ok(left.collect())
    }

    fn goals(&self, assigned: &[i32]) -> Result<BTreeMap<(String, i32), i64>, WorkerError> {
        let mut goals = BTreeMap::new();
        for topic in inputs() {
            for partition in assigned {
                let (low, high) = watermarks(&self.watermarks, topic, *partition)?;
                if low < high {
                    goals.insert((topic.to_owned(), *partition), high);
                }
            }
        }
        Ok(goals)
    }
}

fn desk(shared: &Shared, producer: TransactionalProducer<()>, slot: &str, part: &str) -> Result<Desk, WorkerError> {
    let (config, settings) = (&shared.config, &shared.config.reconcile);
    // No other incarnation of the worker has it.
    let name = format!("{slot} {}", jiff::Timestamp::now().as_nanosecond());
    let client = Client::new(Duration::from_millis(settings.call_timeout_ms))?;
    let fixed = Fixed {
        settings: settings.clone(),
        terms: settings.terms(),
        delays: settings.account_delays(),
        carriers: config.carriers,
        all: u32::try_from(config.topics.partitions).unwrap_or(1),
        health: shared.health.clone(),
        part: part.to_owned(),
    };
    Ok(Desk::new(
        fixed,
        &shared.contracts,
        Calls::new(shared.contracts.len(), client, shared.runtime.clone()),
        Transactions::new(
            producer,
            shared.ids,
            config.topics.partitions,
            name,
            shared.shutdown.clone(),
        ),
        Decoders::new(&shared.registry, shared.ids),
    ))
}
