//! Flags that say how far to trust a shipment's figures (rule 10.7): a closed list, recomputed with every accepted
//! snapshot that has items.

use courierflow_vendors::snapshot::Snapshot;

use super::lane::Lane;
use super::milestones::Found;
use crate::life::history::History;

/// Names of the flags that are set, sorted.
pub(crate) fn names(
    snapshot: &Snapshot<'_>,
    history: &History<'_>,
    found: &Found,
    lane: &Lane,
    has_post_terminal_scan: bool,
) -> Vec<String> {
    let is_return_signed = history.events.iter().any(|event| event.return_signed);
    [
        (snapshot.bad_times > 0, "bad_time"),
        (history.is_abroad, "cross_border"),
        (found.delivery_revoked, "delivery_revoked"),
        (!history.future().is_empty(), "future_time"),
        (lane.inferred, "lane_inferred"),
        (found.pickup_imputed, "pickup_imputed"),
        (has_post_terminal_scan, "post_terminal_scan"),
        (is_return_signed, "return_signed"),
        (snapshot.route_loop, "route_loop"),
        (history.status_inferred, "status_inferred"),
        (snapshot.left_out > 0, "truncated"),
        (history.zone_assumed, "tz_assumed"),
        (history.unknown_codes > 0, "unknown_code"),
    ]
    .into_iter()
    .filter(|(is_set, _)| *is_set)
    .map(|(_, name)| name.to_owned())
    .collect()
}
