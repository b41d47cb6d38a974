//! Whether a push counts: same, stale or newer (rules A, 1, 20, 21, 23, 54), which version it makes, and
//! whether it opens an epoch (rule 22).

use super::events::Event;
use super::read::{Item, List, Route, Snapshot, Word};
use super::time;

/// H = 6 h, the vendors' retry horizon, in µs.
const HORIZON: i64 = 6 * 3600 * 1_000_000;

/// Rule 20: what the content hash covers. Compared as it is: no hash, no collision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    word: Word,
    origin: List,
    destination: List,
    edd: Option<i64>,
    route: Route,
    is_loop: bool,
}

impl Meaning {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        if snapshot.word == Word::Corrected {
            // Rule 18: nothing else of a correction is read.
            return Self {
                word: snapshot.word,
                origin: List::default(),
                destination: List::default(),
                edd: None,
                route: Route::default(),
                is_loop: false,
            };
        }
        Self {
            word: snapshot.word,
            origin: without_area_names(&snapshot.origin),
            destination: without_area_names(&snapshot.destination),
            edd: snapshot.edd,
            route: snapshot.route.clone(),
            is_loop: snapshot.is_loop,
        }
    }
}

/// Area names other than place are not covered.
fn without_area_names(list: &List) -> List {
    let items = list
        .items
        .iter()
        .map(|item| Item {
            area_name: None,
            ..item.clone()
        })
        .collect();
    List { items, ..list.clone() }
}

/// What the shipments of a (vendor, carrier, number) remember of the accepted pushes.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Content and `received_at` in µs of the last 8 accepted pushes, oldest first; the last is the accepted snapshot's.
    pub(super) accepted: Vec<(Meaning, i64)>,
    /// Push time of the last accepted push, UTC seconds.
    pub(super) push_time: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Duplicate,
    Stale,
    Accepted,
}

/// The order of rule A. `newest_event` is that of the current epoch, UTC seconds.
pub(super) fn judge(memory: &Memory, newest_event: Option<i64>, snapshot: &Snapshot, received_at: i64) -> Judgement {
    let Some((accepted_meaning, accepted_at)) = memory.accepted.last() else {
        return Judgement::Accepted;
    };
    let within_horizon = |earlier: i64| received_at - earlier <= HORIZON;

    let meaning = Meaning::of(snapshot);
    let remembered = memory
        .accepted
        .iter()
        .any(|(seen, at)| *seen == meaning && within_horizon(*at));
    if meaning == *accepted_meaning || remembered {
        return Judgement::Duplicate;
    }
    if snapshot.update_all {
        return Judgement::Accepted;
    }
    if let (Some(pushed), Some(accepted)) = (snapshot.push_time, memory.push_time) {
        return if pushed < accepted {
            Judgement::Stale
        } else {
            Judgement::Accepted
        };
    }
    let newest_item = snapshot
        .usable_items()
        .filter_map(|item| item.time)
        .map(|time| time.utc)
        .max();
    if let (Some(newest_item), Some(newest_event)) = (newest_item, newest_event)
        && within_horizon(*accepted_at)
        && newest_item < newest_event
    {
        return Judgement::Stale;
    }
    Judgement::Accepted
}

/// Rule 1: only accepted pushes are remembered, the last 8 of them.
pub(super) fn remember(memory: &mut Memory, snapshot: &Snapshot, received_at: i64) {
    memory.accepted.push((Meaning::of(snapshot), received_at));
    if memory.accepted.len() > 8 {
        memory.accepted.remove(0);
    }
    memory.push_time = snapshot.push_time;
}

/// Design 5, rule 5.
pub(super) fn next_version(previous: Option<i64>, received_at: i64) -> i64 {
    match previous {
        Some(previous) if received_at <= previous => previous + 1,
        _ => received_at,
    }
}

/// Rule 22: shares no event with the epoch and begins more than 30 days after its last one.
pub(super) fn opens_epoch(events: &[Event], snapshot: &Snapshot) -> bool {
    let Some(last_event) = events.iter().map(|event| event.occurred_at).max() else {
        return false;
    };
    let Some(begins) = earliest(snapshot) else { return false };
    let shares = snapshot.usable_items().any(|item| {
        events.iter().any(|event| {
            event.segment == item.segment
                && event.local_time == time::normalised(item.time.unwrap().local)
                && event.text == item.text
        })
    });
    !shares && begins - last_event > 30 * time::DAY
}

/// Rule 22: the name of an epoch that this snapshot opens.
pub(super) fn epoch_name(snapshot: &Snapshot) -> String {
    time::utc_day(earliest(snapshot).unwrap_or(0))
}

fn earliest(snapshot: &Snapshot) -> Option<i64> {
    snapshot
        .usable_items()
        .filter_map(|item| item.time)
        .map(|time| time.utc)
        .min()
}
