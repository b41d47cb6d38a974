//! Whether a push brings anything new: the same again, older than what is known, or fresh (rules 1, 21, 23).

use courierflow_schemas::records::TimestampMicros;

use super::memory::Memory;
use courierflow_vendors::snapshot::Snapshot;

/// How long vendors retry a push: within it, older content may arrive after newer.
const RETRY_HORIZON_MICROS: i64 = 6 * 3600 * 1_000_000;

/// Judgement of a push against the last accepted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The same content as a push accepted before.
    Duplicate,
    /// Older than the accepted snapshot.
    Stale,
    /// To be accepted.
    Fresh,
}

pub(crate) fn judge(previous: &Memory, snapshot: &Snapshot<'_>) -> Freshness {
    if is_duplicate(previous, snapshot) {
        return Freshness::Duplicate;
    }
    if snapshot.full_repush {
        return Freshness::Fresh;
    }
    let is_older = match (snapshot.push_time, previous.push_time) {
        (Some(push_time), Some(accepted)) => push_time < accepted,
        _ => is_within_horizon(previous.received_at, snapshot) && newest_item_is_older(previous, snapshot),
    };
    if is_older { Freshness::Stale } else { Freshness::Fresh }
}

/// The last accepted content is a duplicate however old it is, the others only within the horizon: a parcel may return
/// to an earlier state of its history.
fn is_duplicate(previous: &Memory, snapshot: &Snapshot<'_>) -> bool {
    let mut newest_first = previous.recent_pushes.iter().rev();
    let is_last = newest_first
        .next()
        .is_some_and(|push| push.content_hash == snapshot.content_hash);
    is_last
        || newest_first.any(|push| {
            push.content_hash == snapshot.content_hash && is_within_horizon(previous.received(push), snapshot)
        })
}

fn is_within_horizon(earlier: TimestampMicros, snapshot: &Snapshot<'_>) -> bool {
    snapshot.received_at.0.saturating_sub(earlier.0) <= RETRY_HORIZON_MICROS
}

fn newest_item_is_older(previous: &Memory, snapshot: &Snapshot<'_>) -> bool {
    let newest_item = snapshot.items.iter().map(|item| item.occurred_at).max();
    match (newest_item, previous.last_event_at) {
        (Some(item), Some(event)) => item < event,
        _ => false,
    }
}
