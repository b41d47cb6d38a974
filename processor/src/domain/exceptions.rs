//! What went wrong with a parcel, without repetition, in order of first sight (rule 27).

use courierflow_schemas::records::ShipmentEvent;

/// The vendor's codes, and our sub-statuses; the two lists are independent.
pub(super) fn lists(past: &[ShipmentEvent]) -> (Vec<String>, Vec<String>) {
    let mut codes = Vec::new();
    let mut reasons = Vec::new();
    for event in past.iter().filter(|event| event.is_exception) {
        add_once(&mut codes, event.raw_code.as_ref());
        add_once(&mut reasons, event.sub_status.as_ref());
    }
    (codes, reasons)
}

fn add_once(list: &mut Vec<String>, name: Option<&String>) {
    if let Some(name) = name
        && !list.contains(name)
    {
        list.push(name.clone());
    }
}
