//! The faults: who is hit, how, and what ends it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use courierflow_schemas::topics::PUSH;
use courierflow_tests::attack::Attack;
use courierflow_tests::stack::{Broker, ClusterStack, Launch, Server, Service, Stack};

use super::Plan;
use super::queries::asking_about_parcels;
use super::subscriptions::taking_requests;
use super::vendors::Vendors;
use crate::harness::power::{cut_off, parts_since, server_time};
use crate::harness::topics::{self, Record};
use crate::harness::{DERIVE_GROUP, PATIENCE, SINK_GROUPS, SUBSCRIBE_GROUP, eventually, migrated, processor, ready};
use crate::subscribe::vendors::Configuration;

/// Longer than the session time-out of every consumer (6 s): so the group reassigns the frozen member's partitions.
const FREEZE: Duration = Duration::from_secs(9);
/// Parts that are younger may not be on the disk when the power fails.
const UNFLUSHED_SECONDS: u64 = 3;
/// The vendors' half hour, and when a parcel is done, at the speed of their clock; repetitions that outlast every outage.
const DURATIONS: [(&str, &str); 4] = [
    ("RESUBSCRIBE_AFTER_MS", "1600"),
    ("RESUBSCRIBE_JITTER_MS", "200"),
    ("END_AFTER_MS", "504000"),
    ("RETRY_MS", "[200, 1000, 3000, 6000, 12000, 24000]"),
];
/// The account may be asked about silent parcels, too, and about half of all others.
const ASKED: &str = "daily_queries = 100000\naudit_per_10000 = 5000";
/// A push that is older is not lost in a power cut of ClickHouse: the sink reads again what is younger than `reread_ms` and a minute.
const STORED_SAFELY_MS: i64 = 300_000;
const SINK_OF_PUSHES: &str = SINK_GROUPS[0].0;
/// As many half-sent requests as once took a service down.
const BESIEGERS: usize = 1_045;

/// The victim of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Victim {
    Ingest,
    /// One of the processes that only derive.
    Derive(usize),
    Sink,
    Subscribe,
    Reconcile,
    /// An additional process that derives and inserts for a while.
    Visitor,
    /// Somebody who runs `processor migrate` with another number of partitions.
    Operator,
    Server(Server),
    /// One of three brokers.
    Broker(Broker),
    /// Those who are asked to follow parcels.
    Vendors,
}

/// What happens to the victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Blow {
    /// SIGKILL; later it is started again.
    Kill,
    /// SIGKILL, and what it had stored last is not on its disk.
    CutPower,
    /// SIGKILL, and its disk is empty.
    LoseDisk,
    /// SIGSTOP for longer than its session lasts. Vendors take calls and answer none.
    Freeze,
    /// Errors, slow answers, pages of HTML, calls that are taken and not answered.
    Err,
    /// Strangers hold connections with half-sent requests.
    Besiege,
    /// It joins the groups, and later leaves them in an orderly way.
    Join,
    /// What it asks for must be refused.
    Refuse,
    /// It deletes the pushes that everybody has read.
    Expire,
}

/// What happens to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault(Blow, Victim);

/// A round injects each of these once.
pub(super) const ROUND: [Fault; 22] = [
    Fault(Blow::Kill, Victim::Ingest),
    Fault(Blow::Kill, Victim::Derive(0)),
    Fault(Blow::Kill, Victim::Derive(1)),
    Fault(Blow::Kill, Victim::Sink),
    Fault(Blow::Kill, Victim::Subscribe),
    Fault(Blow::Kill, Victim::Reconcile),
    Fault(Blow::Kill, Victim::Vendors),
    Fault(Blow::Kill, Victim::Server(Server::Kafka)),
    Fault(Blow::Kill, Victim::Server(Server::Registry)),
    Fault(Blow::Kill, Victim::Server(Server::ClickHouse)),
    Fault(Blow::CutPower, Victim::Server(Server::ClickHouse)),
    Fault(Blow::Freeze, Victim::Derive(0)),
    Fault(Blow::Freeze, Victim::Derive(1)),
    Fault(Blow::Freeze, Victim::Sink),
    Fault(Blow::Freeze, Victim::Subscribe),
    Fault(Blow::Freeze, Victim::Reconcile),
    Fault(Blow::Freeze, Victim::Vendors),
    Fault(Blow::Err, Victim::Vendors),
    Fault(Blow::Besiege, Victim::Ingest),
    Fault(Blow::Besiege, Victim::Sink),
    Fault(Blow::Join, Victim::Visitor),
    Fault(Blow::Refuse, Victim::Operator),
];

/// What a round has in addition where there are three brokers. Such runs are long, so some pushes are old enough to expire.
pub(super) const ROUND_OF_THREE: [Fault; 4] = [
    Fault(Blow::Expire, Victim::Server(Server::Kafka)),
    Fault(Blow::Kill, Victim::Broker(Broker::Second)),
    Fault(Blow::Kill, Victim::Broker(Broker::Third)),
    Fault(Blow::LoseDisk, Victim::Broker(Broker::Second)),
];

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(blow, victim) = *self;
        match victim {
            Victim::Ingest => write!(out, "ingest"),
            Victim::Derive(index) => write!(out, "derive {}", index + 1),
            Victim::Sink => write!(out, "sink"),
            Victim::Subscribe => write!(out, "subscribe"),
            Victim::Reconcile => write!(out, "reconcile"),
            Victim::Vendors => write!(out, "the vendors"),
            Victim::Visitor => write!(out, "a third processor"),
            Victim::Operator => write!(out, "another number of partitions"),
            Victim::Server(server) => write!(out, "{server}"),
            Victim::Broker(broker) => write!(out, "broker {broker:?}"),
        }?;
        write!(
            out,
            ": {}",
            match blow {
                Blow::Kill => "kill -9",
                Blow::CutPower => "power cut, the newest parts are gone",
                Blow::LoseDisk => "kill -9, its disk is empty",
                Blow::Freeze => "frozen and thawed",
                Blow::Err => "errors, slow and lost answers",
                Blow::Besiege => "half-sent requests on 1,045 connections",
                Blow::Join => "joined and left",
                Blow::Refuse => "refused",
                Blow::Expire => "retention, close behind those who read",
            }
        )
    }
}

/// The servers of a run.
#[derive(Debug)]
pub(super) enum Servers {
    One(Box<dyn Stack>),
    Three(ClusterStack),
}

impl Servers {
    pub(super) fn stack(&self) -> &dyn Stack {
        match self {
            Self::One(stack) => stack,
            Self::Three(cluster) => cluster,
        }
    }

    fn cluster(&self) -> &ClusterStack {
        match self {
            Self::One(_) => unreachable!("there is one broker"),
            Self::Three(cluster) => cluster,
        }
    }

    fn open(name: &str, brokers: Brokers) -> Self {
        match brokers {
            Brokers::One => Self::One(migrated(name)),
            Brokers::Three => {
                let cluster = ClusterStack::start(name).unwrap();
                processor("migrate", &cluster)
                    .env("COURIERFLOW__TOPICS__REPLICATION_FACTOR", "3")
                    .run_to_end("migrate", &cluster)
                    .unwrap();
                Self::Three(cluster)
            }
        }
    }
}

/// How many brokers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brokers {
    One,
    Three,
}

/// All processes of a run.
pub(super) struct Scene {
    pub(super) ingest: Service,
    pub(super) derive: [Service; 2],
    pub(super) sink: Service,
    pub(super) subscribe: Service,
    pub(super) reconcile: Service,
    pub(super) vendors: Vendors,
    pub(super) subscriptions_url: String,
    /// Those that have been there; a run has more visits than a stack has ports.
    visitor: Option<Service>,
    operator: Option<Service>,
    /// Pushes that were deleted, by partition and offset. A broker that was killed may show some of them again.
    pub(super) expired: BTreeMap<(i32, i64), Record>,
    // The last field, so that services end before their servers.
    pub(super) servers: Servers,
}

impl Scene {
    pub(super) fn open(name: &str, plan: Plan) -> Self {
        let servers = Servers::open(name, plan.brokers);
        let stack = servers.stack();
        let vendors = Vendors::start(stack, plan.until.at_most(), plan.seed);
        // ingest reads no callback; only when it has started is its address known.
        let configuration = |callback_base: String| {
            let configuration = Configuration::new().callback_base(callback_base).more(ASKED);
            configuration.write(stack, &vendors.url())
        };
        let port = stack.reserve_port().unwrap();
        let ingest = taking_requests(
            Launch::ingest().config(configuration("http://127.0.0.1:9".to_owned())),
            stack,
            port,
        );
        let ingest = ready(&ingest, "ingest", stack);
        let mut subscribe = processor("subscribe", stack).config(configuration(ingest.url()));
        for (key, value) in DURATIONS {
            subscribe = subscribe.env(&format!("COURIERFLOW__SUBSCRIBE__{key}"), value);
        }
        let reconcile = processor("reconcile", stack).config(configuration(ingest.url()));
        let reconcile = asking_about_parcels(reconcile, stack);
        let derive = |name| ready(&processor("derive", stack), name, stack);
        Self {
            ingest,
            derive: [derive("derive-1"), derive("derive-2")],
            sink: ready(&processor("sink", stack), "sink", stack),
            subscribe: ready(&subscribe, "subscribe", stack),
            reconcile: ready(&reconcile, "reconcile", stack),
            vendors,
            subscriptions_url: format!("http://127.0.0.1:{port}"),
            visitor: None,
            operator: None,
            expired: BTreeMap::new(),
            servers,
        }
    }

    fn service(&mut self, victim: Victim) -> &mut Service {
        match victim {
            Victim::Ingest => &mut self.ingest,
            Victim::Derive(index) => &mut self.derive[index],
            Victim::Sink => &mut self.sink,
            Victim::Subscribe => &mut self.subscribe,
            Victim::Reconcile => &mut self.reconcile,
            _ => unreachable!("{victim:?} is no service that is always there"),
        }
    }

    fn begin(&mut self, fault: Fault) -> Wound {
        match fault {
            Fault(Blow::Kill, Victim::Server(server)) => self.servers.stack().kill(server).unwrap(),
            Fault(Blow::Kill, Victim::Broker(broker)) => self.servers.cluster().kill_broker(broker).unwrap(),
            Fault(Blow::LoseDisk, Victim::Broker(broker)) => {
                let cluster = self.servers.cluster();
                // The brokers that were killed before have everything again.
                cluster.wait_until_in_sync().unwrap();
                cluster.lose_broker(broker).unwrap();
            }
            Fault(Blow::CutPower, _) => {
                let stack = self.servers.stack();
                let lost = parts_since(
                    stack,
                    server_time(stack) - UNFLUSHED_SECONDS,
                    &[
                        "push",
                        "route_node",
                        "shipment",
                        "transition",
                        "subscription",
                        "vendor_call",
                        "annotation",
                    ],
                );
                cut_off(stack, &lost);
            }
            Fault(Blow::Besiege, victim) => {
                let sent = "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ";
                return Wound::Siege(Attack::begin(self.service(victim), BESIEGERS, sent).unwrap());
            }
            Fault(Blow::Join, _) => {
                // Whether it becomes ready depends on who else is down.
                let stack = self.servers.stack();
                started(&mut self.visitor, &processor("run", stack), "visitor", stack);
            }
            Fault(Blow::Refuse, _) => {
                let stack = self.servers.stack();
                let migrate = processor("migrate", stack).env("COURIERFLOW__TOPICS__PARTITIONS", "24");
                // It is refused by Kafka's answer, or fails because Kafka is away.
                let operator = started(&mut self.operator, &migrate, "other-partitions", stack);
                let status = operator.wait(PATIENCE).unwrap();
                assert!(!status.success(), "more partitions without --grow");
            }
            Fault(Blow::Expire, _) => {
                let expired = expire(self.servers.stack());
                let place = |record: &Record| (record.partition, record.offset);
                self.expired
                    .extend(expired.into_iter().map(|record| (place(&record), record)));
            }
            Fault(Blow::Kill, Victim::Vendors) => self.vendors.kill(),
            Fault(Blow::Freeze, Victim::Vendors) => self.vendors.freeze(),
            Fault(Blow::Err, _) => self.vendors.err(),
            Fault(blow, victim) => {
                let service = self.service(victim);
                let status = service.try_wait().unwrap();
                assert!(
                    status.is_none(),
                    "{victim:?} ended by itself: {status:?}\n{}",
                    service.log_end()
                );
                match blow {
                    Blow::Freeze => service.freeze().unwrap(),
                    _ => service.kill().unwrap(),
                }
            }
        }
        Wound::Open
    }

    fn end(&mut self, fault: Fault) {
        match fault {
            Fault(Blow::Kill | Blow::CutPower, Victim::Server(server)) => {
                self.servers.stack().start_server(server).unwrap();
            }
            Fault(Blow::Kill | Blow::LoseDisk, Victim::Broker(broker)) => {
                self.servers.cluster().start_broker(broker).unwrap();
            }
            Fault(Blow::Kill, Victim::Vendors) => self.vendors.restart(),
            Fault(Blow::Freeze, Victim::Vendors) => self.vendors.thaw(),
            Fault(Blow::Err, _) => self.vendors.recover(),
            Fault(Blow::Kill, victim) => self.service(victim).restart().unwrap(),
            Fault(Blow::Freeze, victim) => self.service(victim).thaw().unwrap(),
            Fault(Blow::Join, _) => {
                // Any exit status is fine: work that it could not finish while others were down is done again by the
                // remaining processes.
                self.visitor
                    .as_mut()
                    .expect("it has joined")
                    .terminate(PATIENCE)
                    .unwrap();
            }
            // It ends when the attack is dropped, or has ended already.
            _ => {}
        }
    }
}

/// Deletes the old pushes that all groups have read, and returns them. Nothing is deleted while somebody is down whose transaction is
/// pending on the offsets of a group, or while a broker that came back does not lead yet.
fn expire(stack: &dyn Stack) -> Vec<Record> {
    let old = jiff::Timestamp::now().as_millisecond() - STORED_SAFELY_MS;
    let Ok(before) = read_by_all(stack, old) else {
        return Vec::new();
    };
    let mut expired = topics::read(stack, PUSH);
    expired.retain(|record| before.get(&record.partition).is_some_and(|end| record.offset < *end));
    eventually("they are deleted", || topics::delete_before(stack, PUSH, &before));
    expired
}

/// By partition, up to where all groups have read the pushes that are older.
fn read_by_all(stack: &dyn Stack, old: i64) -> Result<BTreeMap<i32, i64>, String> {
    let mut before = topics::first_since(stack, PUSH, old)?;
    for group in [DERIVE_GROUP, SINK_OF_PUSHES, SUBSCRIBE_GROUP] {
        let committed = topics::committed(stack, group, PUSH, before.keys().copied())?;
        for (partition, offset) in &mut before {
            *offset = (*offset).min(committed.get(partition).copied().unwrap_or(0));
        }
    }
    Ok(before)
}

/// A new process, on the port of the one before it if there was one.
fn started<'a>(service: &'a mut Option<Service>, launch: &Launch, name: &str, stack: &dyn Stack) -> &'a mut Service {
    match service {
        Some(service) => {
            service.restart().unwrap();
            service
        }
        None => service.insert(launch.start(name, stack).unwrap()),
    }
}

/// What a fault leaves behind until it is ended.
enum Wound {
    Open,
    Siege(#[expect(dead_code, reason = "dropping it ends it")] Attack),
}

/// The faults that have begun and not ended; outages may overlap.
#[derive(Default)]
pub(super) struct Wounds(Vec<(Fault, Instant, Wound)>);

impl Wounds {
    /// Begins a fault, after those have ended whose time is over and those that would be in its way.
    pub(super) fn inflict(&mut self, scene: &mut Scene, fault: Fault, random: &mut fastrand::Rng) {
        let now = Instant::now();
        let is_over = |(other, until, _): &mut (Fault, Instant, Wound)| *until <= now || are_in_the_way(*other, fault);
        for (fault, _, wound) in self.0.extract_if(.., is_over) {
            drop(wound);
            scene.end(fault);
        }
        let wound = scene.begin(fault);
        let lasts = match fault.0 {
            Blow::Kill | Blow::CutPower | Blow::LoseDisk => Duration::from_millis(random.u64(0..2_000)),
            Blow::Freeze => FREEZE,
            Blow::Join | Blow::Besiege | Blow::Err => Duration::from_millis(random.u64(1_000..8_000)),
            Blow::Refuse | Blow::Expire => Duration::ZERO,
        };
        self.0.push((fault, Instant::now() + lasts, wound));
    }

    pub(super) fn heal_all(&mut self, scene: &mut Scene) {
        while let Some((fault, until, wound)) = self.0.pop() {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
            drop(wound);
            scene.end(fault);
        }
    }
}

/// True if a fault cannot begin before the other one has ended: both have the same victim, or two brokers would be away, and
/// with a lost disk that would be more than three replicas bear.
fn are_in_the_way(Fault(_, one): Fault, Fault(_, other): Fault) -> bool {
    let is_kafka = |victim| matches!(victim, Victim::Broker(_) | Victim::Server(Server::Kafka));
    one == other || is_kafka(one) && is_kafka(other)
}
