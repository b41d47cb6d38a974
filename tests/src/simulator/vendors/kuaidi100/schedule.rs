//! When Kuaidi100 pushes what: the whole history whenever it has changed, until the parcel is signed for or given up.

use super::subscriptions::Correction;
use crate::simulator::clock::{DAY, HOUR, Seconds};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::push::followed::{Followed, Known, next_look};
use crate::simulator::random::Random;
use crate::simulator::vendors::Call;

/// Why the vendor pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Reason {
    /// Something changed.
    Polling,
    /// The end of a life.
    Shutdown,
    /// Told anew from the beginning.
    UpdateAll,
    /// Given up: the number was found nowhere for three days.
    AbortNoRecord,
    /// Given up: no change for sixty days.
    AbortStale,
    /// Goes on under another carrier.
    AbortCorrected,
}

impl Reason {
    pub(super) const fn status(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::Shutdown => "shutdown",
            Self::UpdateAll => "updateall",
            Self::AbortNoRecord | Self::AbortStale | Self::AbortCorrected => "abort",
        }
    }
}

/// A parcel as the vendor saw it at one moment, and why it tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) taken_at: Seconds,
    pub(super) reason: Reason,
    /// How much history is told: more than in the look before, as a rule.
    lines: usize,
}

/// Every look that leads to a push, oldest first.
pub(super) fn looks(
    config: &SimulationConfig,
    followed: &Followed,
    correction: Option<Correction>,
    random: &mut Random,
) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut at = followed.subscribed_at;
    if correction.is_some() {
        at += 3 * DAY + random.whole(0, 2 * HOUR);
        looks.extend((at <= config.now).then_some(Look {
            taken_at: at,
            reason: Reason::AbortCorrected,
            lines: 0,
        }));
    }
    at += 15 * 60;
    let mut known = Known::default();
    let mut changed_at = followed.subscribed_at;
    while at <= config.now {
        let snapshot = followed.snapshot(at);
        let found = followed.known(&snapshot);
        let reason = if found != known && found.lines > 0 {
            // Some sign-offs come first with an ordinary push, and the end of the subscription later.
            let ends = snapshot.is_over() && (found.lines == known.lines || random.chance(0.8));
            (known, changed_at) = (found, at);
            Some(if ends { Reason::Shutdown } else { Reason::Polling })
        } else if snapshot.is_over() {
            Some(Reason::Shutdown)
        } else if known.lines == 0 && at - changed_at > 3 * DAY {
            Some(Reason::AbortNoRecord)
        } else if known.lines > 0 && at - changed_at > 60 * DAY {
            Some(Reason::AbortStale)
        } else {
            None
        };
        looks.extend(reason.map(|reason| Look {
            taken_at: at,
            reason,
            lines: found.lines,
        }));
        if reason.is_some_and(|reason| reason != Reason::Polling) {
            break;
        }
        at = next_look(at, &snapshot, random);
    }
    if looks.last().is_some_and(|last| last.reason == Reason::Shutdown) && random.chance(config.mischief * 0.5) {
        let again = at + DAY;
        looks.extend((again <= config.now).then_some(Look {
            taken_at: again,
            reason: Reason::UpdateAll,
            lines: usize::MAX,
        }));
    }
    looks
}

/// The calls of these looks, whose first push has the number `first`, with what goes wrong on the way.
pub(super) fn calls(config: &SimulationConfig, looks: &[Look], first: usize, random: &mut Random) -> Vec<Call> {
    let looks_and_pushes = looks.iter().zip(first..);
    let mut calls: Vec<_> = looks_and_pushes
        .map(|(look, push)| Call {
            sent_at: look.taken_at,
            push,
        })
        .collect();
    // An older snapshot after a newer one, as when a retry of a failed call is overtaken.
    if random.chance(config.mischief)
        && let Some(late) = looks
            .iter()
            .zip(looks.iter().skip(1))
            .position(|(one, next)| 0 < one.lines && one.lines < next.lines)
        && let Some(newer) = calls.get(late + 1).map(|newer| newer.sent_at)
        && let Some(late) = calls.get_mut(late)
    {
        late.sent_at = newer + 60;
    }
    let retries: Vec<_> = calls
        .iter()
        .filter(|_| random.chance(config.mischief))
        .map(|call| Call {
            sent_at: call.sent_at + 30 * 60,
            ..*call
        })
        .collect();
    calls.extend(retries);
    calls
}
