//! Lives of a tracking number (rules 12.1 and 12.2): carriers reuse numbers, and a new parcel must not become the old
//! one's history.

use courierflow_schemas::records::{EpochDay, Shipment, TimestampMicros, TimestampMillis};
use courierflow_vendors::snapshot::Snapshot;

use crate::known::future::is_future;
use crate::known::memory::Memory;
use crate::known::overlap::Overlap;

const DAY_MILLIS: i64 = 86_400_000;
/// A history without common events is another parcel's after this much silence …
const NEW_LIFE_AFTER_MILLIS: i64 = 30 * DAY_MILLIS;
/// … and after this much if the parcel had reached its end.
const NEW_LIFE_AFTER_END_MILLIS: i64 = DAY_MILLIS;

/// First and last time of a history, without events that are in the future at the receipt of the current push (rule
/// 5.2b); both are missing if there are no other events.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) first: Option<TimestampMillis>,
    pub(crate) last: Option<TimestampMillis>,
}

impl Span {
    /// The span of the items of a push.
    pub(crate) fn of_snapshot(snapshot: &Snapshot<'_>) -> Self {
        let times = snapshot.items.iter().map(|item| item.occurred_at);
        Self::of_times(times, snapshot.received_at)
    }

    /// The span of the current epoch. `recall` reads its record; it is called only if a receiver's clock went back.
    pub(crate) fn of_epoch<'r, E>(
        previous: &Memory,
        recall: impl FnOnce() -> Result<Option<&'r Shipment>, E>,
        now: TimestampMicros,
    ) -> Result<Self, E> {
        if previous.last_event_at.is_some_and(|last| is_future(last, now)) {
            let events = recall()?.into_iter().flat_map(|record| &record.events);
            return Ok(Self::of_times(events.map(|event| event.occurred_at), now));
        }
        let ends = [previous.first_event_at, previous.last_event_at];
        let times = ends
            .into_iter()
            .flatten()
            .chain(previous.future_events_at.iter().copied());
        Ok(Self::of_times(times, now))
    }

    fn of_times(times: impl Iterator<Item = TimestampMillis> + Clone, now: TimestampMicros) -> Self {
        let past = times.filter(|time| !is_future(*time, now));
        Self {
            first: past.clone().min(),
            last: past.max(),
        }
    }
}

/// The life of the number that a push belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Epoch<'p> {
    /// The life of the last record.
    Same(&'p Memory),
    /// The same life; its first event is known now and gives it another epoch.
    Moved(&'p Memory, EpochDay),
    /// A new life, or the first.
    New(EpochDay),
}

impl<'p> Epoch<'p> {
    pub(crate) fn day(self) -> EpochDay {
        match self {
            Self::Same(previous) => previous.epoch,
            Self::Moved(_, day) | Self::New(day) => day,
        }
    }

    /// The memory of this life.
    pub(crate) fn known(self) -> Option<&'p Memory> {
        match self {
            Self::Same(previous) | Self::Moved(previous, _) => Some(previous),
            Self::New(_) => None,
        }
    }

    /// The provisional epoch whose row is void. Every record of the life carries it, because the first one may be
    /// compacted away before it is read.
    pub(crate) fn retired(self) -> Option<EpochDay> {
        match self {
            Self::Same(previous) => previous.retired_epoch,
            Self::Moved(previous, _) => Some(previous.epoch),
            Self::New(_) => None,
        }
    }
}

/// Decides the epoch of a push. `told` is the span of its items, `known` that of the current epoch, `overlap` the events
/// that both have in common.
pub(crate) fn of_push<'p>(
    previous: Option<&'p Memory>,
    received_at: TimestampMicros,
    told: Span,
    known: Span,
    overlap: Option<&Overlap>,
) -> Epoch<'p> {
    match (previous, told.first) {
        (None, Some(begins)) => Epoch::New(day_of(begins)),
        (None, None) => Epoch::New(day_of(TimestampMillis(received_at.0.div_euclid(1000)))),
        (Some(previous), None) => Epoch::Same(previous),
        (Some(previous), Some(begins)) => {
            let shares = overlap.is_none_or(|overlap| overlap.shares);
            let day = day_of(begins);
            // Days in order, so that no life gets the name of an earlier one, whose rows it would take for its own.
            if !shares && day > previous.epoch && is_new_life(previous, known.last, begins) {
                Epoch::New(day)
            } else if previous.is_provisional && day != previous.epoch {
                Epoch::Moved(previous, day)
            } else {
                Epoch::Same(previous)
            }
        }
    }
}

fn is_new_life(previous: &Memory, last: Option<TimestampMillis>, begins: TimestampMillis) -> bool {
    last.is_some_and(|last| {
        let silence = begins.0.saturating_sub(last.0);
        silence > NEW_LIFE_AFTER_MILLIS || previous.is_terminal && silence >= NEW_LIFE_AFTER_END_MILLIS
    })
}

fn day_of(instant: TimestampMillis) -> EpochDay {
    EpochDay(i32::try_from(instant.0.div_euclid(DAY_MILLIS)).unwrap_or(0))
}
