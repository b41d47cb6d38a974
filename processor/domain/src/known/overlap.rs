//! What a snapshot and the current epoch of its shipment have in common, event by event.

use courierflow_schemas::records::{Origin, TimestampMillis};
use courierflow_vendors::snapshot::Snapshot;

use crate::known::memory::{Memory, mark};
use crate::untold::event_id::event_ids;
use crate::untold::id_key::IdKey;

/// The comparison.
pub(crate) struct Overlap {
    /// Ids that the snapshot's items have as events of the current epoch.
    pub(crate) event_ids: Vec<i64>,
    /// Who told each of these events first (rule 7.6); `None` if all of them came by pushes, as with nearly all parcels.
    pub(crate) origins: Option<Vec<Origin>>,
    /// Whether at least one event is in both.
    pub(crate) shares: bool,
    /// Number of known events that are missing in the snapshot.
    pub(crate) lacking: u32,
    /// Time of the newest event that is not known yet; `None` if all are.
    pub(crate) newest_news: Option<TimestampMillis>,
}

impl Overlap {
    /// Compares a snapshot with items.
    pub(crate) fn of(previous: &Memory, snapshot: &Snapshot<'_>, key: IdKey) -> Self {
        let event_ids = event_ids(snapshot, previous.epoch, key);
        let known = previous.event_marks();
        let mut told: Vec<_> = event_ids.iter().map(|id| mark(*id)).collect();
        let is_known = |mark: &[u8; 4]| known.binary_search(mark).is_ok();
        let news = snapshot.items.iter().zip(&told).filter(|(_, mark)| !is_known(mark));
        let newest_news = news.map(|(item, _)| item.occurred_at).max();
        let shares = told.iter().any(is_known);
        let origins = (snapshot.origin == Origin::Query || !previous.queried_events.is_empty()).then(|| {
            let first_told = |mark: &[u8; 4]| {
                if is_known(mark) {
                    previous.origin_of(*mark)
                } else {
                    snapshot.origin
                }
            };
            told.iter().map(first_told).collect()
        });
        told.sort_unstable();
        let lacking = known.iter().filter(|mark| told.binary_search(mark).is_err()).count();
        Self {
            event_ids,
            origins,
            shares,
            lacking: u32::try_from(lacking).unwrap_or(u32::MAX),
            newest_news,
        }
    }
}
