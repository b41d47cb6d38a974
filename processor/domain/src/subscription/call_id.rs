//! The id of an intent to call.

use courierflow_schemas::records::{CallId, CallKind, Subscription};
use xxhash_rust::xxh3::xxh3_128;

/// XXH3-128 of everything that tells one intent from another.
pub(super) fn call_id(kind: CallKind, of: &Subscription) -> CallId {
    let text = format!(
        "{kind}\n{}\n{}\n{}\n{}\n{}",
        of.vendor, of.account, of.tracking_number, of.round, of.attempt
    );
    CallId(xxh3_128(text.as_bytes()).to_be_bytes())
}
