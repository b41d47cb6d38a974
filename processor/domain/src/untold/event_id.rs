//! Ids of events, transitions and contents, all under the secret key of rule 7.4: the same line of the same parcel has
//! the same id in every push (rules 4.5, 4.9, 7.5), and nobody without the key can try what the line was.

use courierflow_schemas::records::EpochDay;

use crate::untold::id_key::IdKey;
use courierflow_vendors::fingerprint::Fingerprint;
use courierflow_vendors::snapshot::Snapshot;

/// Event ids within an epoch, one per item of the snapshot and in its order. They are made of the shipment, the segment,
/// the local time in the item's zone (rule 4.5), the folded but unmasked text, and which of its equals a line is. Not
/// of status and area: vendors enrich those later.
pub(crate) fn event_ids(snapshot: &Snapshot<'_>, epoch: EpochDay, key: IdKey) -> Vec<i64> {
    let mut fields = Fingerprint::with_capacity(512);
    fields
        .text("event")
        .text(snapshot.vendor.as_str())
        .text(&snapshot.carrier)
        .text(&snapshot.tracking_number)
        .number(i64::from(epoch.0));
    let shipment = fields.len();
    let mut zone_time = String::with_capacity(19);
    let mut ids: Vec<i64> = snapshot
        .items
        .iter()
        .map(|item| {
            zone_time.clear();
            item.zone_time.write_to(&mut zone_time);
            fields.truncate(shipment);
            fields.text(item.segment.as_str()).text(&zone_time).text(&item.text);
            key.id_of(&fields)
        })
        .collect();
    tell_equals_apart(&mut ids, key);
    ids
}

/// Numbers equal lines from 0 in list order (rule 7.5) and hashes the number in.
fn tell_equals_apart(ids: &mut [i64], key: IdKey) {
    let mut by_line: Vec<(i64, usize)> = ids.iter().copied().zip(0..).collect();
    by_line.sort_unstable();
    let mut fields = Fingerprint::with_capacity(64);
    for equals in by_line.chunk_by(|a, b| a.0 == b.0) {
        for ((line, position), occurrence) in equals.iter().zip(0..) {
            if let Some(id) = ids.get_mut(*position) {
                fields.clear();
                fields.text("occurrence").number(*line).number(occurrence);
                *id = key.id_of(&fields);
            }
        }
    }
}

/// Id of the transition that an event causes.
pub(crate) fn transition_id(event_id: i64, key: IdKey) -> i64 {
    tagged("transition", event_id, key)
}

/// Id of a push's content, to recognise a repetition (rule 5.5).
pub(crate) fn content_id(content_hash: i64, key: IdKey) -> i64 {
    tagged("content", content_hash, key)
}

fn tagged(tag: &str, number: i64, key: IdKey) -> i64 {
    key.id_of(Fingerprint::with_capacity(32).text(tag).number(number))
}
