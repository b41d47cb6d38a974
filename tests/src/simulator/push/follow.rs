//! Lives parcels, and subscribes to each of them at one vendor.

use courierflow_schemas::records::Vendor;

use super::super::clock::{DAY, HOUR, Seconds, working_hour};
use super::super::random::Random;
use super::super::texts;
use super::super::vendors::{Detail, Life, service};
use super::super::world::{Course, Parcel, is_over, live};
use super::SubscriptionsByVendor;
use super::config::SimulationConfig;
use super::followed::Followed;
use super::revise::revise;

/// First of the streams of second lives, one for each first life.
const SECOND_LIVES: u64 = 1 << 32;

/// The parcels of a simulation, as far as they are followed.
struct Register<'simulation> {
    config: &'simulation SimulationConfig,
    subscriptions: &'simulation mut SubscriptionsByVendor,
    followed: Vec<Followed>,
}

/// All parcels of a simulation; the number of a parcel is its place here. None if there are no accounts.
pub(super) fn follow_all(config: &SimulationConfig, subscriptions: &mut SubscriptionsByVendor) -> Vec<Followed> {
    let mut register = Register {
        config,
        subscriptions,
        followed: Vec::new(),
    };
    for index in 0..u64::from(config.parcels) {
        let mut random = config.stream(index);
        let Some(vendor) = vendor(config, index, &mut random) else {
            break;
        };
        let course = course(config, vendor, &mut random);
        let parcel = live(course, order_time(config, course, &mut random), &mut random);
        register.subscribe(vendor, parcel, Life::First, &mut random);
    }
    if config.reuse_numbers {
        let first_lives = register.followed.len();
        for (number, index) in (0..first_lives).zip(0..) {
            let mut random = config.stream(SECOND_LIVES + index);
            let first = register.followed.get(number);
            let second = first.and_then(|first| Some((first.vendor, live_again(config, first, &mut random)?)));
            if let Some((vendor, parcel)) = second {
                register.subscribe(vendor, parcel, Life::Second, &mut random);
            }
        }
    }
    register.followed
}

impl Register<'_> {
    fn subscribe(&mut self, vendor: Vendor, mut parcel: Parcel, life: Life, random: &mut Random) {
        let Some(subscriptions) = self.subscriptions.get_mut(&vendor) else {
            return;
        };
        let number = self.followed.len();
        let detail = subscriptions.subscribe(self.config, number, &parcel, life, random);
        let late = if random.chance(0.1) { 20 } else { 2 };
        let subscribed_at = parcel.ordered_at + random.whole(0, late * HOUR);
        if detail == Detail::TextsOnly {
            for happening in &mut parcel.happenings {
                texts::telling(happening.step, random).clone_into(&mut happening.text);
            }
        }
        let revisions = revise(self.config, &mut parcel, detail, random);
        self.followed.push(Followed {
            vendor,
            parcel,
            revisions,
            subscribed_at,
        });
    }
}

/// Who follows parcel number `index`: the last vendor that wants it, and the first one whatever is left.
fn vendor(config: &SimulationConfig, index: u64, random: &mut Random) -> Option<Vendor> {
    let mut vendors = config.vendors();
    let first = vendors.next()?;
    let wanting = vendors
        .rev()
        .find(|vendor| service(*vendor).follows(config, index, random));
    Some(wanting.unwrap_or(first))
}

fn course(config: &SimulationConfig, vendor: Vendor, random: &mut Random) -> Course {
    let crossing = service(vendor).crossing(config);
    match random.between(0.0, 1.0) {
        draw if draw < 0.03 => Course::NeverFound,
        draw if draw < 0.03 + crossing.share => crossing.course,
        draw if draw < 0.03 + crossing.share + config.mischief * 0.1 => Course::Stale,
        _ => Course::Domestic,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "days of a simulation")]
fn order_time(config: &SimulationConfig, course: Course, random: &mut Random) -> Seconds {
    let days = match course {
        Course::Stale => random.between(62.0, 75.0),
        _ => random.between(0.05, f64::from(config.days) - 0.3),
    };
    let ordered_at = config.now - (days * DAY as f64) as Seconds;
    let awake = working_hour(ordered_at, 7, 24);
    if awake < config.now {
        awake + random.whole(0, 60)
    } else {
        ordered_at
    }
}

/// A second life of the same number for some parcels of the first days.
fn live_again(config: &SimulationConfig, first: &Followed, random: &mut Random) -> Option<Parcel> {
    if !service(first.vendor).reuses_numbers() {
        return None;
    }
    let happenings = &first.parcel.happenings;
    let ended_at = happenings.last().filter(|_| is_over(happenings))?.at;
    let ordered_at = ended_at + 31 * DAY + random.whole(0, HOUR);
    if first.parcel.course != Course::Domestic || ordered_at + DAY > config.now || !random.chance(0.5) {
        return None;
    }
    Some(Parcel {
        tracking_number: first.parcel.tracking_number.clone(),
        carrier: first.parcel.carrier,
        ..live(Course::Domestic, ordered_at, random)
    })
}
