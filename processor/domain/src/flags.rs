//! What to know before trusting a shipment's figures (rule 31): a closed list, recomputed with every accepted snapshot that
//! has items.

/// One flag each.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(crate) struct Flags {
    pub(crate) bad_time: bool,
    pub(crate) delivery_revoked: bool,
    pub(crate) future_time: bool,
    pub(crate) lane_inferred: bool,
    pub(crate) pickup_imputed: bool,
    pub(crate) post_terminal_scan: bool,
    pub(crate) return_signed: bool,
    pub(crate) route_loop: bool,
    pub(crate) status_inferred: bool,
    pub(crate) tz_assumed: bool,
    pub(crate) unknown_code: bool,
}

impl Flags {
    /// Names of those that are set, sorted.
    pub(crate) fn names(self) -> Vec<String> {
        [
            (self.bad_time, "bad_time"),
            (self.delivery_revoked, "delivery_revoked"),
            (self.future_time, "future_time"),
            (self.lane_inferred, "lane_inferred"),
            (self.pickup_imputed, "pickup_imputed"),
            (self.post_terminal_scan, "post_terminal_scan"),
            (self.return_signed, "return_signed"),
            (self.route_loop, "route_loop"),
            (self.status_inferred, "status_inferred"),
            (self.tz_assumed, "tz_assumed"),
            (self.unknown_code, "unknown_code"),
        ]
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, name)| name.to_owned())
        .collect()
    }
}
