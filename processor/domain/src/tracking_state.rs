//! What the vendor does with its subscription (rules 18 and 19).

use courierflow_schemas::records::TrackingState;

use courierflow_vendors::snapshot::TrackingWord;

/// The state after a push; `before` is that of the same epoch.
pub(crate) fn after(before: Option<TrackingState>, word: TrackingWord) -> TrackingState {
    // Final: late pushes of the wrong carrier still bring events, but the parcel goes on under the other one.
    if before == Some(TrackingState::CarrierCorrected) {
        return TrackingState::CarrierCorrected;
    }
    match word {
        TrackingWord::Active => TrackingState::Active,
        TrackingWord::Ended => TrackingState::Ended,
        TrackingWord::AbortedNoRecord => TrackingState::AbortedNoRecord,
        TrackingWord::AbortedStale => TrackingState::AbortedStale,
        TrackingWord::Corrected => TrackingState::CarrierCorrected,
        TrackingWord::Unchanged => before.unwrap_or(TrackingState::Active),
    }
}
