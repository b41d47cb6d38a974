//! Whether a push counts: who may say it (rule 5.3), same, stale or newer (rules 5.1, 5.2, 5.4–5.10), which version it
//! makes, and whether it opens an epoch (rules 12.1 and 12.2).

use courierflow_schemas::records::{Origin, Segment, Signature, Status, TrackingState};

use super::Shipment;
use super::events::{self, Event};
use super::read::{Item, List, Route, Snapshot, Word};
use super::time::{self, Time};

/// H = 6 h, the vendors' retry horizon, in µs.
const HORIZON: i64 = 6 * 3600 * 1_000_000;

/// Rule 5.5: what the content hash covers. Compared as it is: no hash, no collision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    word: Word,
    origin: List,
    destination: List,
    edd: Option<i64>,
    route: Route,
    is_loop: bool,
    also: String,
    /// The same push may belong to another order, too.
    reference: Option<String>,
}

impl Meaning {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        if snapshot.word == Word::Corrected {
            // Rule 11.2: nothing else of a correction is read.
            return Self {
                word: snapshot.word,
                origin: List::default(),
                destination: List::default(),
                edd: None,
                route: Route::default(),
                is_loop: false,
                also: String::new(),
                reference: snapshot.reference.clone(),
            };
        }
        Self {
            word: snapshot.word,
            origin: meaning_of(&snapshot.origin, snapshot.cross_border),
            destination: meaning_of(&snapshot.destination, snapshot.cross_border),
            edd: snapshot.edd,
            route: snapshot.route.clone(),
            is_loop: snapshot.is_loop,
            also: snapshot.also.clone(),
            reference: snapshot.reference.clone(),
        }
    }
}

/// Area names other than place are not covered; of a time only what the clock of the item's zone shows (rule 4.5), and
/// of the zone also whether it is doubtful, which a flag tells.
fn meaning_of(list: &List, cross_border: bool) -> List {
    let items = list
        .items
        .iter()
        .map(|item| Item {
            area_name: None,
            zone_unread: item.time.is_some() && (item.zone_unread || cross_border && item.zone.is_none()),
            time: item.time.map(|time| Time {
                local: time.in_zone,
                in_zone: time.in_zone,
                utc: 0,
                is_absolute: false,
            }),
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
    /// Push time of the last accepted push, UTC seconds; answers to queries leave it (rule 5.10).
    pub(super) push_time: Option<i64>,
    /// Rule 5.10: `received_at` of the last accepted push that is no answer, µs.
    pub(super) last_push_at: Option<i64>,
    /// Rule 5.3: whether the last accepted push that is no answer was verified.
    pub(super) is_verified: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Outranked,
    Duplicate,
    Stale,
    Confirmed,
    Accepted,
}

/// A push with what it is to be judged by.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) memory: &'a Memory,
    /// Of the current epoch.
    pub(super) shipment: Option<&'a Shipment>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) origin: Origin,
    pub(super) signature: Signature,
    /// µs.
    pub(super) received_at: i64,
}

impl Case<'_> {
    /// The order of rule 5.2.
    pub(super) fn judge(&self) -> Judgement {
        // Rule 5.9: of an answer nobody asks who sent it.
        if self.origin == Origin::Push && self.memory.is_verified && self.signature == Signature::Unsigned {
            return Judgement::Outranked;
        }
        if self.memory.accepted.is_empty() {
            // Rule 5.9a.
            return match self.origin {
                Origin::Query if !self.snapshot.has_items() => Judgement::Confirmed,
                _ => Judgement::Accepted,
            };
        }
        if self.is_duplicate() {
            return Judgement::Duplicate;
        }
        if self.origin == Origin::Query {
            return self.judge_answer();
        }
        let is_stale = if self.is_of_a_former_life() {
            true
        } else if self.snapshot.update_all {
            false
        } else if self.says_nothing_new_after_the_end() {
            true
        } else if let (Some(pushed), Some(accepted)) = (self.snapshot.push_time, self.memory.push_time) {
            pushed < accepted
        } else {
            self.has_an_older_newest_item()
        };
        if is_stale {
            Judgement::Stale
        } else {
            Judgement::Accepted
        }
    }

    /// Rule 5.9, letter by letter.
    fn judge_answer(&self) -> Judgement {
        let told = events::history(self.snapshot, self.received_at);
        let is_in = |event: &Event, list: &[Event]| list.iter().any(|other| other.id == event.id);
        if told.iter().all(|event| is_in(event, self.known())) {
            return Judgement::Confirmed;
        }
        if self.known().iter().any(|event| event.segment == Segment::Destination) {
            return Judgement::Stale;
        }
        let newest_item = self.snapshot.present_times(self.received_at).max();
        let newest_event = present(self.known(), self.received_at).max();
        let is_later = match (newest_item, newest_event) {
            (Some(item), Some(event)) => item > event,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_later {
            return Judgement::Accepted;
        }
        if newest_item == newest_event && self.known().iter().all(|event| is_in(event, &told)) {
            return Judgement::Accepted;
        }
        Judgement::Stale
    }

    fn within_horizon(&self, earlier: i64) -> bool {
        self.received_at - earlier <= HORIZON
    }

    fn known(&self) -> &[Event] {
        self.shipment.map_or(&[], |shipment| &shipment.events)
    }

    fn is_duplicate(&self) -> bool {
        let is_correction = self.snapshot.word == Word::Corrected;
        let is_corrected = self
            .shipment
            .is_some_and(|shipment| shipment.tracking_state == TrackingState::CarrierCorrected);
        if is_correction && !is_corrected {
            return false;
        }
        let meaning = Meaning::of(self.snapshot);
        let (accepted_meaning, accepted_at) = self.memory.accepted.last().unwrap();
        if meaning == *accepted_meaning {
            return !(self.came_to_pass(*accepted_at));
        }
        let remembered = &self.memory.accepted;
        remembered
            .iter()
            .any(|(seen, at)| *seen == meaning && self.within_horizon(*at))
    }

    /// Rule 5.2e: one of its events lay in the future when it was accepted and does not now.
    fn came_to_pass(&self, accepted_at: i64) -> bool {
        self.snapshot
            .present_times(self.received_at)
            .any(|utc| time::is_future(utc, accepted_at))
    }

    /// Rule 5.2f.
    fn is_of_a_former_life(&self) -> bool {
        let newest = self.snapshot.present_times(self.received_at).max();
        let first = present(self.known(), self.received_at).min();
        !shares_event(self.known(), self.snapshot)
            && matches!((newest, first), (Some(newest), Some(first)) if newest < first)
    }

    /// Rule 5.2d.
    fn says_nothing_new_after_the_end(&self) -> bool {
        let has_ended = self.shipment.is_some_and(|shipment| shipment.has_ended);
        if !has_ended || matches!(self.snapshot.word, Word::Ended | Word::Corrected) {
            return false;
        }
        if !self.snapshot.has_items() {
            return true;
        }
        let told = events::history(self.snapshot, self.received_at);
        let is_in = |event: &Event, list: &[Event]| list.iter().any(|other| other.id == event.id);
        let brings_new = told.iter().any(|event| !is_in(event, self.known()));
        let lacks_known = self.known().iter().any(|event| !is_in(event, &told));
        !brings_new && lacks_known
    }

    fn has_an_older_newest_item(&self) -> bool {
        if self.snapshot.word == Word::Ended {
            return false;
        }
        let (_, accepted_at) = self.memory.accepted.last().unwrap();
        let newest_item = self.snapshot.present_times(self.received_at).max();
        let newest_event = present(self.known(), self.received_at).max();
        self.within_horizon(*accepted_at)
            && matches!((newest_item, newest_event), (Some(item), Some(event)) if item < event)
    }
}

/// Rule 5.2b: UTC seconds of the events that are not in the future at `received_at` of the push in hand.
fn present(events: &[Event], received_at: i64) -> impl Iterator<Item = i64> {
    events
        .iter()
        .map(|event| event.occurred_at)
        .filter(move |utc| !time::is_future(*utc, received_at))
}

/// Rule 5.4: only accepted pushes are remembered, the last 8 of them.
pub(super) fn remember(
    memory: &mut Memory,
    snapshot: &Snapshot,
    origin: Origin,
    signature: Signature,
    received_at: i64,
) {
    memory.accepted.push((Meaning::of(snapshot), received_at));
    if memory.accepted.len() > 8 {
        memory.accepted.remove(0);
    }
    if origin == Origin::Push {
        memory.push_time = snapshot.push_time;
        memory.last_push_at = Some(received_at);
        memory.is_verified = signature == Signature::Verified;
    }
}

/// Design 5, rule 9.3.
pub(super) fn next_version(previous: Option<i64>, received_at: i64) -> i64 {
    match previous {
        Some(previous) if received_at <= previous => previous + 1,
        _ => received_at,
    }
}

/// Rules 12.1 and 12.2: shares no event with the epoch, and begins more than 30 days after its last one, or a day after
/// the last one of a life that is over; and on a later day than the one that the epoch is named after.
pub(super) fn opens_epoch(shipment: &Shipment, snapshot: &Snapshot, received_at: i64) -> bool {
    let ends = present(&shipment.events, received_at).max();
    let begins = snapshot.present_times(received_at).min();
    let (Some(ends), Some(begins)) = (ends, begins) else {
        return false;
    };
    let is_over = matches!(
        shipment.status.status,
        Status::Delivered | Status::Returned | Status::Cancelled
    );
    let gap = begins - ends;
    time::utc_day(begins) > shipment.epoch
        && !shares_event(&shipment.events, snapshot)
        && (gap > 30 * time::DAY || (is_over && gap >= time::DAY))
}

/// Rule 12.1: the same segment, time in the item's zone (rule 4.5) and folded text.
fn shares_event(events: &[Event], snapshot: &Snapshot) -> bool {
    snapshot.usable_items().any(|item| {
        events.iter().any(|event| {
            event.segment == item.segment
                && event.time_in_zone == time::normalised(item.time.unwrap().in_zone)
                && event.text == item.text
        })
    })
}

/// Rules 12.1 and 12.2: the day of the earliest event, if there is one that is not in the future.
pub(super) fn first_day(snapshot: &Snapshot, received_at: i64) -> Option<String> {
    snapshot.present_times(received_at).min().map(time::utc_day)
}
