use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::simulator::carriers::CARRIERS;
use crate::simulator::clock::{DAY, HOUR, china_text};
use crate::simulator::steps::Step;
use crate::simulator::vendors::reading::Told;
use crate::simulator::world::Course;

/// 2026-08-09 12:00:00 in China.
const NOW: Seconds = 1_786_248_000;

fn config() -> SimulationConfig {
    SimulationConfig::local(7, 600, NOW)
}

fn clean() -> SimulationConfig {
    SimulationConfig {
        mischief: 0.0,
        ..config()
    }
}

/// What a push says.
fn told(push: &SimulatedPush) -> Told {
    service(push.vendor).read(push)
}

#[test]
fn the_same_seed_gives_the_same_pushes_and_another_one_does_not() {
    let pushes = |seed, now| Simulation::new(SimulationConfig::local(seed, 60, now)).collect::<Vec<_>>();
    assert_eq!(pushes(1, NOW), pushes(1, NOW));
    let numbers = |pushes: Vec<SimulatedPush>| -> BTreeSet<String> {
        pushes.into_iter().flat_map(|push| push.tracking_numbers).collect()
    };
    let first = numbers(pushes(1, NOW));
    assert!(first.is_disjoint(&numbers(pushes(2, NOW))));
    assert!(first.is_disjoint(&numbers(pushes(1, NOW + DAY))));
}

#[test]
fn every_signed_push_verifies() {
    let mut signed = BTreeMap::new();
    for push in Simulation::new(SimulationConfig {
        mischief: 0.3,
        ..config()
    }) {
        let signatures = told(&push).signatures;
        assert_eq!(push.account == "demo", signatures.is_some(), "account {}", push.account);
        if let Some((presented, expected)) = signatures {
            assert_eq!(presented, expected);
        }
        *signed.entry((push.vendor, push.account)).or_insert(0) += 1;
    }
    let accounts = config().accounts.len();
    assert_eq!(signed.len(), accounts, "not every account was used: {signed:?}");
}

#[test]
fn a_vendor_alone_follows_every_parcel() {
    for vendor in Vendor::ALL {
        let mut config = clean();
        config.accounts.retain(|account| account.vendor == vendor);
        let simulation = Simulation::new(config);
        assert_eq!(simulation.parcels().count(), 600, "{vendor}");
        assert!(simulation.len() > 600, "{vendor}");
        for push in simulation {
            assert_eq!(push.vendor, vendor);
        }
    }
    let nobody = SimulationConfig {
        accounts: Vec::new(),
        ..clean()
    };
    assert_eq!(Simulation::new(nobody).parcels().count(), 0);
}

#[test]
fn without_mischief_histories_only_grow_and_nothing_is_told_twice() {
    let mut known: HashMap<String, (Seconds, usize)> = HashMap::new();
    let mut bodies = BTreeSet::new();
    for push in Simulation::new(clean()) {
        assert!(bodies.insert(push.body.clone()), "told twice");
        let Told { parcels, gives_up, .. } = told(&push);
        for (number, times) in push.tracking_numbers.iter().zip(parcels) {
            let lines = times.len();
            let before = known.insert(number.clone(), (push.sent_at, lines));
            let (sent_at, had) = before.unwrap_or_default();
            assert!(push.sent_at >= sent_at, "{number} told out of order");
            assert!(lines >= had || gives_up, "{number} lost history");
        }
    }
    assert!(known.len() > 500, "{} parcels told of", known.len());
}

#[test]
fn nothing_is_told_before_it_happens_and_parcels_are_of_every_age() {
    let now = china_text(NOW);
    let oldest = china_text(NOW - 40 * DAY);
    let mut days: BTreeMap<String, u32> = BTreeMap::new();
    for push in Simulation::new(SimulationConfig {
        parcels: 1_000,
        ..clean()
    }) {
        let told = told(&push);
        for time in told.parcels.into_iter().flatten() {
            assert!(told.crosses_border || (oldest <= time && time <= now), "{time}");
            days.entry(time[..10].to_owned()).or_insert(0);
        }
    }
    assert!(days.len() >= 40, "{} days", days.len());
    let simulation = Simulation::new(clean());
    let young = simulation
        .parcels()
        .filter(|parcel| parcel.ordered_at > NOW - 2 * DAY)
        .count();
    assert!(young > 10, "{young} of 600 parcels are younger than two days");
}

#[test]
fn carriers_differ_as_their_table_says() {
    let mut hours: HashMap<&str, Vec<Seconds>> = HashMap::new();
    let mut with: HashMap<(&str, Step), f64> = HashMap::new();
    let mut parcels: HashMap<&str, f64> = HashMap::new();
    let simulation = Simulation::new(SimulationConfig {
        parcels: 6_000,
        ..clean()
    });
    for parcel in simulation.parcels().filter(|parcel| parcel.course == Course::Domestic) {
        let carrier = parcel.carrier.code;
        *parcels.entry(carrier).or_default() += 1.0;
        let at = |wanted: fn(Step) -> bool| {
            parcel
                .happenings
                .iter()
                .find(|happening| wanted(happening.step))
                .map(|h| h.at)
        };
        let picked_up = at(|step| step == Step::PickedUp);
        let delivered = at(|step| step.is_signed() && step != Step::Returned && step != Step::RefusedForGood);
        if let Some((picked_up, delivered)) = picked_up.zip(delivered) {
            hours.entry(carrier).or_default().push((delivered - picked_up) / HOUR);
        }
        let steps: std::collections::HashSet<_> = parcel.happenings.iter().map(|happening| happening.step).collect();
        for step in steps {
            *with.entry((carrier, step)).or_default() += 1.0;
        }
    }
    let median = |carrier: &str| {
        let mut hours = hours[carrier].clone();
        hours.sort_unstable();
        hours[hours.len() / 2]
    };
    let share =
        |carrier: &'static str, step| with.get(&(carrier, step)).copied().unwrap_or_default() / parcels[carrier];
    let medians: BTreeMap<_, _> = CARRIERS
        .iter()
        .map(|carrier| (carrier.code, median(carrier.code)))
        .collect();
    for ordinary in ["zto", "yto", "sto", "yunda", "jt"] {
        assert!(medians["sf"] + 10 < medians[ordinary], "{medians:?}");
        assert!(medians["chinapost"] > medians[ordinary] + 10, "{medians:?}");
    }
    assert!((30..80).contains(&medians["zto"]), "{medians:?}");
    assert!(medians["yunda"] > medians["zto"], "{medians:?}");
    assert!(share("yto", Step::InLocker) > 1.5 * share("zto", Step::InLocker));
    assert!(share("sto", Step::FailedAttempt) > 3.0 * share("zto", Step::FailedAttempt));
    assert!(share("jt", Step::Returning) > 4.0 * share("zto", Step::Returning));
    assert!(share("jt", Step::Returning) > 0.05);
}

#[test]
fn mischief_repeats() {
    let mut bodies: HashMap<Vec<u8>, u32> = HashMap::new();
    for push in Simulation::new(SimulationConfig {
        mischief: 0.2,
        ..config()
    }) {
        *bodies.entry(push.body).or_default() += 1;
    }
    let repeated = bodies.values().filter(|count| **count > 1).count();
    assert!(repeated > 200, "{repeated}");
}

#[test]
fn a_number_lives_again_only_when_asked_and_a_month_later() {
    let lives = |config: SimulationConfig| {
        let mut lives: HashMap<String, Vec<Parcel>> = HashMap::new();
        for parcel in Simulation::new(config).parcels() {
            lives
                .entry(parcel.tracking_number.clone())
                .or_default()
                .push(parcel.clone());
        }
        lives.into_values().filter(|lives| lives.len() > 1).collect::<Vec<_>>()
    };
    assert!(lives(config()).is_empty());
    let reused = lives(SimulationConfig {
        parcels: 1_000,
        reuse_numbers: true,
        ..config()
    });
    assert!(reused.len() > 3, "{}", reused.len());
    for lives in reused {
        let (first, second) = (&lives[0], &lives[1]);
        assert_eq!(first.carrier.code, second.carrier.code);
        assert!(second.ordered_at - first.happenings.last().unwrap().at > 30 * DAY);
    }
}
