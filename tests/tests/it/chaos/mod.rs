//! All services are killed, frozen or besieged at random moments under load; afterwards the records on all topics and the rows
//! must be complete.
//!
//! The short form injects every fault once. `./dev chaos` runs many rounds, with [`chaos_in_full`], on three brokers, and prints a
//! report.

mod faults;
mod queries;
mod report;
mod subscriptions;
mod vendors;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use courierflow_schemas::records::{PushEvent, Shipment, Transition};
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, SHIPMENT, SUBSCRIPTION_REQUEST, TRANSITION};
use courierflow_tests::oracle::{self, Difference};
use courierflow_tests::stack::Stack;

use self::faults::{Brokers, Fault, ROUND, ROUND_OF_THREE, Scene, Wounds};
use self::report::Report;
use self::subscriptions::Asking;
use crate::harness::acknowledged::lost;
use crate::harness::load::Load;
use crate::harness::topics::{self, read};
use crate::harness::{PATIENCE, SUBSCRIBE_GROUP, eventually, option, tables, wait_until_in_tables, wait_until_read};
use crate::reconcile::asked::two_rounds;

/// Parcels of one wave of load; a new one begins when all their pushes are acknowledged.
const WAVE: u32 = 60;
/// Pushes per second: enough that there is always work in flight, and few enough that two cores can also restart
/// servers.
const RATE: f64 = 60.0;

/// The parameters of a run.
#[derive(Clone, Copy, Debug)]
struct Plan {
    until: Until,
    brokers: Brokers,
    seed: u64,
}

/// What ends a run.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// So many faults have begun.
    Faults(usize),
    /// So much time has passed.
    Elapsed(Duration),
}

impl Until {
    /// More than it takes.
    fn at_most(self) -> Duration {
        match self {
            Self::Faults(faults) => Duration::from_secs(20) * u32::try_from(faults).unwrap_or(u32::MAX),
            Self::Elapsed(time) => 2 * time,
        }
    }

    fn is_reached(self, faults: usize, begun: Instant) -> bool {
        match self {
            Self::Faults(wanted) => faults >= wanted,
            Self::Elapsed(time) => begun.elapsed() >= time,
        }
    }
}

/// Panics, which keeps the logs, if anything is lost, duplicated or different.
fn play(name: &str, plan: Plan) -> Report {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut scene = Scene::open(name, plan);
    let begun = Instant::now();
    let asking = Asking::begin(scene.subscriptions_url.clone(), &scene.vendors);
    let mut waves = vec![Load::start(scene.ingest.url(), plan.seed, WAVE, RATE)];
    let mut wounds = Wounds::default();
    let mut faults = BTreeMap::new();
    let mut deck = Vec::new();
    while !plan.until.is_reached(faults.values().sum(), begun) {
        if deck.is_empty() {
            deck = round(plan.brokers, &mut random);
        }
        let Some(fault) = deck.pop() else { break };
        if waves.last().is_none_or(Load::is_finished) {
            let seed = plan.seed + waves.len() as u64;
            waves.push(Load::start(scene.ingest.url(), seed, WAVE, RATE));
        }
        std::thread::sleep(Duration::from_millis(random.u64(0..1_500)));
        wounds.inflict(&mut scene, fault, &mut random);
        *faults.entry(fault).or_default() += 1;
    }
    wounds.heal_all(&mut scene);
    let followed = asking.finish();
    let acknowledged: Vec<_> = waves.iter().map(Load::simulation).collect();
    let (mut pushes, mut acked, mut retried) = (0, 0, 0);
    for wave in waves {
        pushes += wave.pushes();
        let sent = wave.finish();
        acked += sent.acked;
        retried += sent.retried;
    }
    eventually("all services are ready", || {
        let services = [
            &scene.ingest,
            &scene.derive[0],
            &scene.derive[1],
            &scene.sink,
            &scene.subscribe,
            &scene.reconcile,
        ];
        let waiting = services.iter().filter(|service| !service.is_ready()).count();
        if waiting == 0 {
            Ok(())
        } else {
            Err(format!("{waiting} are not"))
        }
    });
    queries::wait_for_an_answer(scene.servers.stack());
    // A worker whose Kafka client does not return is ready and makes none, until it gives up and its successor records what it had begun.
    two_rounds(&scene.reconcile);
    // It would go on asking. What its dead predecessors have left is recorded by now.
    scene.reconcile.terminate(PATIENCE).unwrap();
    let stack = scene.servers.stack();
    scene.vendors.stop_the_clock();
    // A push changes the subscription that it belongs to, and a change may lead to a call: what is compared must stand still.
    wait_until_read(stack, SUBSCRIBE_GROUP, SUBSCRIPTION_REQUEST);
    wait_until_read(stack, SUBSCRIBE_GROUP, PUSH);
    subscriptions::wait_until_settled(stack, &followed);
    scene.subscribe.terminate(PATIENCE).unwrap();
    wait_until_in_tables(stack);
    let subscriptions = subscriptions::compare(stack, &scene.vendors, &followed);

    let on_topic = read(stack, PUSH);
    let mut pushes_stored = scene.expired.clone();
    pushes_stored.extend(
        on_topic
            .iter()
            .map(|record| ((record.partition, record.offset), record.clone())),
    );
    let expired = pushes_stored.len() - on_topic.len();
    let stored = topics::push_events(stack, &pushes_stored.into_values().collect::<Vec<_>>());
    let shipments = topics::shipments(stack, &read(stack, SHIPMENT));
    let transitions = topics::transitions(stack, &read(stack, TRANSITION));
    let report = Report {
        seed: plan.seed,
        elapsed: begun.elapsed(),
        faults,
        pushes,
        acked,
        retried,
        lost: lost(acknowledged.into_iter().flatten(), &stored),
        stored: stored.len(),
        expired,
        doubled: doubled(&shipments, &transitions),
        shipments: shipments.len(),
        transitions: transitions.len(),
        dead_letters: read(stack, DERIVE_DEAD).len(),
        differing: differing(stack, &stored),
        subscriptions,
        queries: queries::compare(stack, &scene.vendors, &stored),
    };
    assert!(report.is_clean(), "{report}");
    report
}

/// Rows that differ from the recomputation.
fn differing(stack: &dyn Stack, stored: &[PushEvent]) -> Vec<Difference> {
    let expected = oracle::expected_tables(stored);
    what_remains(|| oracle::differences(&expected, &tables::contents(stack)))
}

/// The differences that are still there after the time that the sink may take to read again what a power cut has taken: its group has
/// no lag meanwhile.
fn what_remains<D>(differences: impl Fn() -> Vec<D>) -> Vec<D> {
    let begun = Instant::now();
    loop {
        let differing = differences();
        if differing.is_empty() || begun.elapsed() > PATIENCE {
            return differing;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The faults of a round in a random order.
fn round(brokers: Brokers, random: &mut fastrand::Rng) -> Vec<Fault> {
    let mut round = ROUND.to_vec();
    if brokers == Brokers::Three {
        round.extend(ROUND_OF_THREE);
    }
    random.shuffle(&mut round);
    round
}

/// Records that a reader of committed records sees more than once.
fn doubled(shipments: &[Shipment], transitions: &[Transition]) -> Vec<String> {
    let mut seen = HashSet::new();
    let shipments = shipments.iter().map(|record| {
        let Shipment {
            vendor,
            carrier,
            tracking_number,
            version,
            ..
        } = record;
        format!("{vendor:?} {carrier} {tracking_number} version {version}")
    });
    let transitions = transitions.iter().map(|record| {
        let Transition {
            vendor,
            carrier,
            tracking_number,
            epoch,
            transition_id,
            version,
            op,
            ..
        } = record;
        format!("{vendor:?} {carrier} {tracking_number} {epoch:?} {op:?} {transition_id} version {version}")
    });
    shipments
        .chain(transitions)
        .filter(|record| !seen.insert(record.clone()))
        .collect()
}

#[test]
fn i1_to_i5_hold_when_everything_is_killed_or_frozen_once() {
    play(
        "chaos",
        Plan {
            until: Until::Faults(ROUND.len()),
            brokers: Brokers::One,
            seed: 1,
        },
    );
}

/// `./dev chaos`: the numbers come from its options.
#[test]
#[ignore = "long: ./dev chaos"]
#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn chaos_in_full() {
    let until = match option("COURIERFLOW_CHAOS_MINUTES", 0) {
        0 => Until::Faults(usize::try_from(option("COURIERFLOW_CHAOS_FAULTS", 200)).unwrap()),
        minutes => Until::Elapsed(Duration::from_secs(60 * minutes)),
    };
    let plan = Plan {
        until,
        brokers: Brokers::Three,
        seed: option("COURIERFLOW_CHAOS_SEED", 1),
    };
    println!("{}", play("chaos-in-full", plan));
}
