//! Lives of a tracking number (rule 22): carriers reuse numbers, and a new parcel must not become the old one's history.

use courierflow_schemas::records::{EpochDay, TimestampMillis};

use super::memory::Memory;
use courierflow_vendors::snapshot::Snapshot;

const DAY_MILLIS: i64 = 86_400_000;
/// Silence after which a history without anything in common is another parcel's.
const NEW_LIFE_AFTER_MILLIS: i64 = 30 * DAY_MILLIS;

/// The epoch of a shipment that opens without events.
pub(crate) const WITHOUT_EVENTS: EpochDay = EpochDay(0);

/// Which life of the number a snapshot with items belongs to.
pub(crate) enum Epoch<'p> {
    /// The one of the last record.
    Same(&'p Memory),
    /// A new one, or the first.
    New(EpochDay),
}

/// Decides the epoch of a snapshot with items.
pub(crate) fn of_items<'p>(previous: Option<&'p Memory>, snapshot: &Snapshot<'_>) -> Epoch<'p> {
    let begins = snapshot
        .items
        .iter()
        .map(|item| item.occurred_at)
        .min()
        .unwrap_or_default();
    match previous {
        Some(previous) if !is_new_life(previous, begins) => Epoch::Same(previous),
        _ => Epoch::New(day_of(begins)),
    }
}

/// A new life also shares no event with the old one. That needs no look: equal events have equal local times, and no two
/// zones are 30 days apart.
fn is_new_life(previous: &Memory, begins: TimestampMillis) -> bool {
    previous
        .last_event_at
        .is_some_and(|last| begins.0.saturating_sub(last.0) > NEW_LIFE_AFTER_MILLIS)
}

fn day_of(instant: TimestampMillis) -> EpochDay {
    EpochDay(i32::try_from(instant.0.div_euclid(DAY_MILLIS)).unwrap_or(0))
}
