//! When Kdniao pushes what: by the hour, so that a call carries several parcels.

use super::request::Shape;
use super::subscriptions::Product;
use crate::simulator::clock::{DAY, HOUR, Seconds};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::push::followed::{Followed, Known, next_look};
use crate::simulator::random::Random;
use crate::simulator::vendors::Call;

/// What the vendor says of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Reason {
    /// It is followed.
    Followed,
    /// Nothing yet; normal.
    NotYet,
    /// Given up: nothing for three days.
    NoRecord,
    /// Given up: no change for seven days.
    Stale,
}

/// A parcel as the vendor saw it at one moment, and what it says of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) parcel: usize,
    pub(super) taken_at: Seconds,
    pub(super) reason: Reason,
}

/// Every look at parcel number `parcel` that leads to a push, oldest first.
pub(super) fn looks(config: &SimulationConfig, parcel: usize, followed: &Followed, random: &mut Random) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut at = followed.subscribed_at + 15 * 60;
    let mut known = Known::default();
    let mut changed_at = followed.subscribed_at;
    let mut told_nothing_yet = !random.chance(0.1);
    loop {
        let taken_at = next_full_hour(at);
        if taken_at > config.now {
            break;
        }
        let snapshot = followed.snapshot(taken_at);
        let found = followed.known(&snapshot);
        let reason = if found != known && found.lines > 0 {
            (known, changed_at) = (found, taken_at);
            Some(Reason::Followed)
        } else if known.lines == 0 && taken_at - changed_at > 3 * DAY {
            Some(Reason::NoRecord)
        } else if known.lines > 0 && taken_at - changed_at > 7 * DAY {
            Some(Reason::Stale)
        } else if known.lines == 0 && !told_nothing_yet {
            told_nothing_yet = true;
            Some(Reason::NotYet)
        } else {
            None
        };
        looks.extend(reason.map(|reason| Look {
            parcel,
            taken_at,
            reason,
        }));
        let ends = match reason {
            Some(Reason::NoRecord | Reason::Stale) => true,
            Some(Reason::Followed) => snapshot.is_over(),
            Some(Reason::NotYet) | None => false,
        };
        if ends {
            break;
        }
        at = next_look(taken_at, &snapshot, random).max(taken_at + HOUR);
    }
    looks
}

/// The full hour at or after that moment.
pub(in crate::simulator) fn next_full_hour(at: Seconds) -> Seconds {
    at + (HOUR - at.rem_euclid(HOUR)) % HOUR
}

/// A push, which may carry several parcels.
#[derive(Clone, Debug)]
pub(super) struct Push {
    pub(super) product: Product,
    pub(super) shape: Shape,
    pub(super) pushed_at: Seconds,
    pub(super) looks: Vec<Look>,
}

/// Puts the looks of one hour into pushes of 1 to 10 parcels. The calls are numbered from 0, as the pushes are.
pub(super) fn batches(
    config: &SimulationConfig,
    mut looks: Vec<(Product, Shape, Look)>,
    random: &mut Random,
) -> (Vec<Push>, Vec<Call>) {
    let batch = |(product, shape, look): &(Product, Shape, Look)| (look.taken_at, *product, *shape);
    // Stable: the parcels of a push stay in the order of their numbers.
    looks.sort_by_key(batch);
    let mut pushes = Vec::new();
    let mut calls = Vec::new();
    for same_batch in looks.chunk_by(|one, other| batch(one) == batch(other)) {
        let mut rest = same_batch;
        while let Some((product, shape, Look { taken_at, .. })) = rest.first().copied() {
            let count = usize::try_from(random.whole(1, 10)).unwrap_or(1).min(rest.len());
            let (these, later) = rest.split_at(count);
            rest = later;
            let pushed_at = taken_at + random.whole(1, 240);
            let shape = match shape {
                Shape::SignedForm if random.chance(config.mischief) => Shape::DoublyEncodedForm,
                shape => shape,
            };
            // A late call: overtaken by what the next hours bring. Its push time tells.
            let lateness = if random.chance(config.mischief * 0.5) {
                random.whole(1, 5) * HOUR
            } else {
                0
            };
            let retry = random.chance(config.mischief).then_some(15 * 60);
            calls.extend(retry.into_iter().chain([lateness]).map(|later| Call {
                sent_at: pushed_at + later,
                push: pushes.len(),
            }));
            pushes.push(Push {
                product,
                shape,
                pushed_at,
                looks: these.iter().map(|(.., look)| *look).collect(),
            });
        }
    }
    (pushes, calls)
}
