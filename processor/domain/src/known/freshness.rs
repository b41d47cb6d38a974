//! Whether a push may change anything (rules 5.2–5.4, 5.6, 5.7 and 5.9). Checked in this order: is it less trusted than the
//! last one ([`is_outranked`]), a repetition ([`is_duplicate`]), older than the current state ([`is_stale`]).

use std::cmp::Ordering;

use courierflow_schemas::records::{Origin, Signature, TimestampMicros, TimestampMillis, TrackingState};
use courierflow_vendors::snapshot::{Snapshot, TrackingWord};

use crate::known::epoch::Span;
use crate::known::future::is_future;
use crate::known::memory::Memory;
use crate::known::overlap::Overlap;

/// How long vendors retry a push; within this time, older content may arrive after newer content.
const RETRY_HORIZON_MICROS: i64 = 6 * 3600 * 1_000_000;

/// True if the push is not signed, so that anybody could have sent it, while the last accepted one was verified (rule
/// 5.3). An answer to a query was not sent to us, so it needs no signature (rule 5.9).
pub(crate) fn is_outranked(previous: &Memory, snapshot: &Snapshot<'_>) -> bool {
    snapshot.origin == Origin::Push && previous.is_verified && snapshot.signature != Signature::Verified
}

/// A repetition of the last accepted content is always a duplicate; a repetition of earlier content only within the
/// horizon, because a parcel may return to an earlier state of its history.
pub(crate) fn is_duplicate(previous: &Memory, snapshot: &Snapshot<'_>, content_id: i64) -> bool {
    // The vendor corrects the carrier again, after the old carrier had become active again.
    if snapshot.tracking == TrackingWord::Corrected && previous.tracking_state != TrackingState::CarrierCorrected {
        return false;
    }
    let mut newest_first = previous.recent_pushes.iter().rev();
    let is_last = newest_first.next().is_some_and(|push| push.content_hash == content_id);
    if is_last {
        return !future_has_come(previous, snapshot);
    }
    newest_first.any(|push| push.content_hash == content_id && is_within_horizon(previous.received(push), snapshot))
}

/// True if an event that was in the future has happened by now: then the same lines mean more (rules 4.6 and 5.2e). The
/// push equals the accepted one, so their lines are the same.
fn future_has_come(previous: &Memory, snapshot: &Snapshot<'_>) -> bool {
    let mut times = snapshot.items.iter().map(|item| item.occurred_at);
    times.any(|time| is_future(time, previous.received_at) && !is_future(time, snapshot.received_at))
}

/// True if the push is older than the current state. `told` is the span of its items, `known` that of the current
/// epoch, `overlap` the events that both have in common, `None` for a push without items.
pub(crate) fn is_stale(
    previous: &Memory,
    snapshot: &Snapshot<'_>,
    overlap: Option<&Overlap>,
    told: Span,
    known: Span,
) -> bool {
    if is_of_an_earlier_life(overlap, told, known) {
        return true;
    }
    if snapshot.full_repush {
        return false;
    }
    let is_end = snapshot.tracking == TrackingWord::Ended;
    if previous.is_ended && !is_end && is_nothing_new_after_the_end(snapshot, overlap) {
        return true;
    }
    if let (Some(push_time), Some(accepted)) = (credible_push_time(snapshot), previous.push_time) {
        return push_time < accepted;
    }
    let is_older = matches!((told.last, known.last), (Some(told), Some(known)) if told < known);
    // The end of a subscription is reported only once, so ignoring it could not be repaired.
    is_older && !is_end && is_within_horizon(previous.received_at, snapshot)
}

/// What an answer to a query is good for (rule 5.9). Unlike a push it is not the vendor's news: it may come from a cache that is hours old,
/// so it must prove that it is fresher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerIs {
    /// It tells nothing that is not known.
    Confirmed,
    /// It does not prove that it is fresher.
    Stale,
    /// It is fresher, or says all that is known and more.
    Fresher,
}

/// Judges the answer to a query by its items. `knows_abroad` says whether the epoch has events of the destination, which a query, that
/// knows one country, cannot tell; it is called only if there is news.
pub(crate) fn judge_answer<E>(
    overlap: Option<&Overlap>,
    told: Span,
    known: Span,
    knows_abroad: impl FnOnce() -> Result<bool, E>,
) -> Result<AnswerIs, E> {
    let Some(overlap) = overlap.filter(|overlap| overlap.newest_news.is_some()) else {
        return Ok(AnswerIs::Confirmed);
    };
    if knows_abroad()? {
        return Ok(AnswerIs::Stale);
    }
    // No event at all is older than any.
    Ok(match told.last.cmp(&known.last) {
        Ordering::Greater => AnswerIs::Fresher,
        Ordering::Equal if overlap.lacking == 0 => AnswerIs::Fresher,
        Ordering::Equal | Ordering::Less => AnswerIs::Stale,
    })
}

/// Rule 5.2f: a push of an earlier life of the number, whenever it arrives.
fn is_of_an_earlier_life(overlap: Option<&Overlap>, told: Span, known: Span) -> bool {
    let shares = overlap.is_none_or(|overlap| overlap.shares);
    !shares && matches!((told.last, known.first), (Some(told), Some(known)) if told < known)
}

/// Rule 5.2d: after the end of a subscription vendors do not send less than before, but somebody who kept an old push
/// may replay it.
fn is_nothing_new_after_the_end(snapshot: &Snapshot<'_>, overlap: Option<&Overlap>) -> bool {
    match overlap {
        Some(overlap) => overlap.newest_news.is_none() && overlap.lacking > 0,
        None => snapshot.tracking != TrackingWord::Corrected,
    }
}

/// The vendor's own time of a push, unless it is more than 10 minutes after its receipt (rule 5.2a): with a time in the
/// next year, all later pushes of the parcel would count as stale for a year.
pub(crate) fn credible_push_time(snapshot: &Snapshot<'_>) -> Option<TimestampMillis> {
    snapshot.push_time.filter(|_| !has_future_push_time(snapshot))
}

/// True if a push claims to have been sent more than 10 minutes after it was received. Its time is then ignored.
pub(crate) fn has_future_push_time(snapshot: &Snapshot<'_>) -> bool {
    snapshot
        .push_time
        .is_some_and(|time| is_future(time, snapshot.received_at))
}

fn is_within_horizon(earlier: TimestampMicros, snapshot: &Snapshot<'_>) -> bool {
    snapshot.received_at.0.saturating_sub(earlier.0) <= RETRY_HORIZON_MICROS
}
