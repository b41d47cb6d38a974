//! The exceptions of a parcel, without repetition, in order of first occurrence (rule 10.6).

use courierflow_schemas::records::ShipmentEvent;
use hashbrown::HashSet;

/// Returns the vendor's codes and our sub-statuses; the two lists are independent.
pub(crate) fn lists(past: &[ShipmentEvent]) -> (Vec<String>, Vec<String>) {
    let exceptions = past.iter().filter(|event| event.is_exception);
    (
        distinct(exceptions.clone().filter_map(|event| event.raw_code.as_deref())),
        distinct(exceptions.filter_map(|event| event.sub_status.as_deref())),
    )
}

fn distinct<'e>(names: impl Iterator<Item = &'e str>) -> Vec<String> {
    // A set, because the number of different codes is not limited and searching the list for each would be slow.
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}
