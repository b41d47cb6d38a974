//! What the vendor does with its subscription (rules 5.2d, 5.3, 11.1 and 11.2).

use courierflow_schemas::records::{TimestampMicros, TimestampMillis, TrackingState};
use courierflow_vendors::snapshot::{Snapshot, TrackingWord};

use crate::known::memory::Memory;

/// The subscription after a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tracking {
    pub(crate) state: TrackingState,
    /// Receipt of the push that corrected the carrier, as long as the correction holds.
    pub(crate) corrected_at: Option<TimestampMicros>,
    /// Whether the vendor has ended it and reported nothing new since.
    pub(crate) is_ended: bool,
}

/// The subscription after a push. `known` is the memory of the same epoch, `newest_news` the time of the newest event of the
/// push that was not known before.
pub(crate) fn after(known: Option<&Memory>, snapshot: &Snapshot<'_>, newest_news: Option<TimestampMillis>) -> Tracking {
    let word = snapshot.tracking;
    let is_ended = word == TrackingWord::Ended || newest_news.is_none() && known.is_some_and(|known| known.is_ended);
    if word == TrackingWord::Corrected {
        return Tracking {
            state: TrackingState::CarrierCorrected,
            corrected_at: Some(snapshot.received_at),
            is_ended,
        };
    }
    let before = known.map(|known| known.tracking_state);
    let state = match (known, before) {
        (Some(known), Some(TrackingState::CarrierCorrected)) => {
            if !lives_on(known, newest_news) {
                // Late pushes of the wrong carrier still bring events, but the parcel continues under the other
                // carrier.
                return Tracking {
                    state: TrackingState::CarrierCorrected,
                    corrected_at: known.corrected_at,
                    is_ended,
                };
            }
            of_word(word, None, Some(known))
        }
        (Some(known), Some(before)) if known.is_ended && newest_news.is_none() && word != TrackingWord::Ended => before,
        _ => of_word(word, before, known),
    };
    Tracking {
        state,
        corrected_at: None,
        is_ended,
    }
}

/// True if the carrier that was reported as wrong has scanned the parcel since.
fn lives_on(known: &Memory, newest_news: Option<TimestampMillis>) -> bool {
    matches!((newest_news, known.corrected_at), (Some(news), Some(corrected)) if news.0.saturating_mul(1000) > corrected.0)
}

/// The state after a word of the vendor, from the state `before`; `parcel` is the memory of the parcel.
fn of_word(word: TrackingWord, before: Option<TrackingState>, parcel: Option<&Memory>) -> TrackingState {
    match word {
        TrackingWord::Active => TrackingState::Active,
        TrackingWord::Ended => TrackingState::Ended,
        TrackingWord::AbortedNoRecord => TrackingState::AbortedNoRecord,
        TrackingWord::AbortedStale => TrackingState::AbortedStale,
        TrackingWord::Stopped => stopped(parcel),
        TrackingWord::Corrected => TrackingState::CarrierCorrected,
        TrackingWord::Unchanged => before.unwrap_or(TrackingState::Active),
    }
}

/// The state when a vendor stops without giving a reason: either the parcel has arrived, or there was no news for too
/// long.
fn stopped(parcel: Option<&Memory>) -> TrackingState {
    match parcel {
        Some(parcel) if parcel.is_terminal => TrackingState::Ended,
        Some(parcel) if parcel.has_events() => TrackingState::AbortedStale,
        _ => TrackingState::AbortedNoRecord,
    }
}
