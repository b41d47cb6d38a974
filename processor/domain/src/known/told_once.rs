//! What one push may say and the next leave out, and what is true of this life of the parcel all the same: the subscriber's order, the
//! number of the carrier abroad, and the carrier that was right.

use courierflow_schemas::records::Shipment;

use courierflow_vendors::snapshot::Snapshot;

use crate::known::memory::Memory;

/// Which of these the record of a shipment has, in the order of [`Memory::has_told_once`].
pub(crate) const fn in_record(shipment: &Shipment) -> [bool; 4] {
    [
        shipment.reference.is_some(),
        shipment.dest_carrier.is_some(),
        shipment.dest_number.is_some(),
        shipment.corrected_to.is_some(),
    ]
}

/// `opened` with what the push says, else with what was said before. `known` is the memory of the same life; `record` reads its record,
/// and is called only if the push lacks something that the record has.
pub(crate) fn complete<'r, E>(
    opened: Shipment,
    known: Option<&Memory>,
    record: impl FnOnce() -> Result<Option<&'r Shipment>, E>,
    snapshot: &Snapshot<'_>,
) -> Result<Shipment, E> {
    let is_corrected = opened.corrected_at.is_some();
    let told = [
        &snapshot.reference,
        &snapshot.dest_carrier,
        &snapshot.dest_number,
        &snapshot.corrected_to,
    ];
    // The right carrier is of interest as long as the correction holds.
    let wanted = [true, true, true, is_corrected];
    let has = known.map_or([false; 4], |known| known.has_told_once);
    let lacks = (has.into_iter().zip(wanted).zip(told)).any(|((has, wanted), told)| has && wanted && told.is_none());
    let before = if lacks { record()? } else { None };
    let [reference, dest_carrier, dest_number, corrected_to] = told.map(|told| told.as_deref().map(str::to_owned));
    let or_before = |told: Option<String>, field: fn(&Shipment) -> &Option<String>| {
        told.or_else(|| before.and_then(|before| field(before).clone()))
    };
    Ok(Shipment {
        reference: or_before(reference, |before| &before.reference),
        dest_carrier: or_before(dest_carrier, |before| &before.dest_carrier),
        dest_number: or_before(dest_number, |before| &before.dest_number),
        corrected_to: or_before(corrected_to, |before| &before.corrected_to).filter(|_| is_corrected),
        ..opened
    })
}
