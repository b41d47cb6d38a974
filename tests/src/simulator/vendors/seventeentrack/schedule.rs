//! When 17TRACK pushes what: an update whenever something has changed, and a stop when nothing has for long.

use crate::simulator::clock::{DAY, HOUR, Seconds};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::push::followed::{Followed, Known, next_look};
use crate::simulator::random::Random;
use crate::simulator::vendors::Call;

/// Why the vendor pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Reason {
    /// Something changed.
    Updated,
    /// Nothing has for long: fifteen days after the end, thirty days otherwise.
    Stopped,
}

/// A parcel as the vendor saw it at one moment, and why it tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) taken_at: Seconds,
    pub(super) reason: Reason,
}

/// Every look that leads to a push, oldest first.
pub(super) fn looks(config: &SimulationConfig, followed: &Followed, random: &mut Random) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut at = followed.subscribed_at + 15 * 60;
    let mut known = Known::default();
    let mut changed_at = followed.subscribed_at;
    while at <= config.now {
        let snapshot = followed.snapshot(at);
        let found = followed.known(&snapshot);
        let patience = if snapshot.is_over() { 15 * DAY } else { 30 * DAY };
        let reason = if found != known && found.lines > 0 {
            (known, changed_at) = (found, at);
            Some(Reason::Updated)
        } else if at - changed_at > patience {
            Some(Reason::Stopped)
        } else {
            None
        };
        looks.extend(reason.map(|reason| Look { taken_at: at, reason }));
        if reason == Some(Reason::Stopped) {
            break;
        }
        at = next_look(at, &snapshot, random);
    }
    looks
}

/// The calls of these looks, whose first push has the number `first`, with what goes wrong on the way.
pub(super) fn calls(config: &SimulationConfig, looks: &[Look], first: usize, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    for (look, push) in looks.iter().zip(first..) {
        if random.chance(config.mischief) {
            // Its first retry; then it is overtaken, or not.
            calls.push(Call {
                sent_at: look.taken_at + 10 * 60,
                push,
            });
        }
        let lateness = if random.chance(config.mischief * 0.5) {
            5 * HOUR
        } else {
            0
        };
        calls.push(Call {
            sent_at: look.taken_at + lateness,
            push,
        });
    }
    calls
}
