//! The events of a shipment: the items of a snapshot in order of time, each with the status that its place in the history
//! gives it (rules 6, 13, 14, 28).

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::{Leg, Segment, ShipmentEvent, Status};

use super::DeriveOptions;
use super::evidence::{self, Meaning};
use super::masking::{Context, mask_owned};
use courierflow_vendors::snapshot::{Snapshot, TraceItem, TrackingWord};

/// An event may run ahead of our clock by this much before we doubt it.
const FUTURE_TOLERANCE_MICROS: i64 = 10 * 60 * 1_000_000;

/// Events oldest first, with what the flags, the lane and the status need of their items.
pub(crate) struct History<'s> {
    pub(crate) events: Vec<ShipmentEvent>,
    /// Area names, one per event: the record keeps the place only.
    pub(crate) area_names: Vec<Option<&'s str>>,
    /// Unmasked text of the newest event.
    pub(crate) newest_text: &'s str,
    pub(crate) unknown_codes: u32,
    pub(crate) zone_assumed: bool,
}

impl History<'_> {
    /// The events that milestones, attempts and exception lists are made of: those that do not lie in the future, which
    /// sort last (rule 28).
    pub(crate) fn past(&self) -> &[ShipmentEvent] {
        let past = self
            .events
            .iter()
            .position(|event| event.future)
            .unwrap_or(self.events.len());
        self.events.get(..past).unwrap_or_default()
    }
}

/// One item on its way to becoming an event.
struct Candidate<'s, 'a> {
    item: &'s TraceItem<'a>,
    meaning: Meaning,
    id: i64,
}

/// Builds the events; `event_ids` are those of the snapshot's items.
pub(crate) fn build<'s>(snapshot: &'s Snapshot<'_>, event_ids: &[i64], options: DeriveOptions) -> History<'s> {
    let mut candidates: Vec<Candidate<'s, '_>> = snapshot
        .items
        .iter()
        .zip(event_ids)
        .map(|(item, id)| {
            let meaning = evidence::read_item(snapshot.codes, item.code.as_deref(), item.name.as_deref(), &item.text);
            Candidate { item, meaning, id: *id }
        })
        .collect();
    // The items stand in list order, the origin's first, and the sort is stable: that is the rest of rule 6's key.
    candidates.sort_by_key(|candidate| (candidate.item.occurred_at, candidate.meaning.rank()));

    let mut history = History {
        events: Vec::with_capacity(candidates.len()),
        area_names: Vec::with_capacity(candidates.len()),
        newest_text: candidates.last().map_or("", |newest| newest.item.text.as_ref()),
        unknown_codes: 0,
        zone_assumed: false,
    };
    let mut leg = Leg::Forward;
    let newest = candidates.len().saturating_sub(1);
    for (position, candidate) in candidates.iter().enumerate() {
        let meaning = settle_refusal(candidate.meaning, position == newest, snapshot, candidate.item.segment);
        leg = leg_after(leg, meaning.status);
        let (meaning, return_signed) = on_leg(meaning, leg);
        history.unknown_codes = history.unknown_codes.saturating_add(u32::from(meaning.unknown_code));
        history.zone_assumed |= candidate.item.zone_assumed;
        history.area_names.push(candidate.item.area_name.as_deref());
        history
            .events
            .push(event(snapshot, candidate, meaning, leg, return_signed, options));
    }
    history
}

fn event(
    snapshot: &Snapshot<'_>,
    candidate: &Candidate<'_, '_>,
    meaning: Meaning,
    leg: Leg,
    return_signed: bool,
    options: DeriveOptions,
) -> ShipmentEvent {
    let item = candidate.item;
    let own_number = Some(snapshot.tracking_number.as_ref());
    let masked = |text: Option<&str>| text.map(|text| mask_owned(text, own_number));
    let mut local_time = String::with_capacity(19);
    item.local_time.write_to(&mut local_time);
    let occurred_at_micros = item.occurred_at.0.saturating_mul(1000);
    ShipmentEvent {
        id: candidate.id,
        segment: item.segment,
        occurred_at: item.occurred_at,
        local_time,
        status: meaning.status,
        sub_status: meaning.sub_status.map(|sub_status| sub_status.as_str().to_owned()),
        leg,
        raw_code: raw_code(item.code.as_deref()),
        is_exception: meaning.is_exception,
        return_signed,
        future: occurred_at_micros.saturating_sub(snapshot.received_at.0) > FUTURE_TOLERANCE_MICROS,
        area_code: masked(item.area_code.as_deref()),
        location: masked(item.place.as_deref()),
        context: match options.context {
            Context::Keep => mask_owned(&item.text, own_number),
            Context::Omit => String::new(),
        },
    }
}

/// Longer than any vendor's code.
const LONGEST_CODE: usize = 40;

/// The vendor's code as records and tables show it; none if it is no code but some text, which might tell of a person
/// (rule 68). What it means is decided before, as for any unknown code.
fn raw_code(code: Option<&str>) -> Option<String> {
    let code = code?.trim();
    let is_code = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-');
    ((1..=LONGEST_CODE).contains(&code.len()) && code.bytes().all(is_code)).then(|| code.to_owned())
}

/// Code 14 is 拒签: the recipient refused. Only where the whole push says that this was the end did the sender sign too
/// (rule 13).
pub(crate) fn settle_refusal(meaning: Meaning, is_newest: bool, snapshot: &Snapshot<'_>, segment: Segment) -> Meaning {
    let is_end = snapshot.tracking == TrackingWord::Ended || snapshot.state_of(segment).signed_off;
    if meaning.ends_in_doubt && is_newest && is_end {
        return Meaning {
            status: Status::Returned,
            ..meaning
        };
    }
    meaning
}

/// The leg of an event: back from the first return on, and never forward again (rule 14).
fn leg_after(leg: Leg, status: Status) -> Leg {
    match status {
        Status::Returning | Status::Returned => Leg::Return,
        _ => leg,
    }
}

/// On the way back a signature is the sender's (rule 14). True if the meaning was changed.
pub(crate) fn on_leg(meaning: Meaning, leg: Leg) -> (Meaning, bool) {
    if leg == Leg::Return && meaning.status == Status::Delivered {
        return (
            Meaning {
                status: Status::Returned,
                sub_status: Some(SubStatus::ReturnSigned),
                ..meaning
            },
            true,
        );
    }
    (meaning, false)
}
