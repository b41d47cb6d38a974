//! The pushes that a shipment remembers, to recognise duplicates (rule 5.4).

use courierflow_schemas::records::RecentPush;

use crate::known::memory::Memory;
use courierflow_vendors::snapshot::Snapshot;

/// How many accepted pushes are remembered.
const REMEMBERED: usize = 8;

/// The remembered pushes, oldest first, with the accepted push at the end.
pub(crate) fn with_accepted(previous: Option<&Memory>, snapshot: &Snapshot<'_>, content_id: i64) -> Vec<RecentPush> {
    let mut pushes = Vec::with_capacity(REMEMBERED);
    if let Some(previous) = previous {
        let before = &previous.recent_pushes;
        let forgotten = before.len().saturating_sub(REMEMBERED.saturating_sub(1));
        pushes.extend(before.iter().skip(forgotten).map(|push| RecentPush {
            content_hash: push.content_hash,
            received_at: previous.received(push),
        }));
    }
    pushes.push(RecentPush {
        content_hash: content_id,
        received_at: snapshot.received_at,
    });
    pushes
}
