//! What the vendor does with its subscription (rules 18 and 19).

use courierflow_schemas::records::TrackingState;

use super::memory::Memory;
use courierflow_vendors::snapshot::TrackingWord;

/// The state after a push; `before` is what was remembered of the same epoch.
pub(crate) fn after(before: Option<&Memory>, word: TrackingWord) -> TrackingState {
    let parcel = before;
    let before = parcel.map(|parcel| parcel.tracking_state);
    // Final: late pushes of the wrong carrier still bring events, but the parcel goes on under the other one.
    if before == Some(TrackingState::CarrierCorrected) {
        return TrackingState::CarrierCorrected;
    }
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

/// A vendor that does not tell why it stopped does so because the parcel has arrived, or because nothing was heard of it.
fn stopped(parcel: Option<&Memory>) -> TrackingState {
    match parcel {
        Some(parcel) if parcel.is_terminal => TrackingState::Ended,
        Some(parcel) if parcel.last_event_at.is_some() => TrackingState::AbortedStale,
        _ => TrackingState::AbortedNoRecord,
    }
}
