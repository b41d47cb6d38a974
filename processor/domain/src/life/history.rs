//! The events of a shipment: the items of a snapshot in order of time, each with the status that its place in the history
//! gives it (rules 4.6, 6.6, 7.1, 8.3).

use courierflow_schemas::records::{Leg, Origin, Segment, ShipmentEvent, Status};

use crate::DeriveOptions;
use crate::known::future::is_future;
use crate::life::final_word;
use crate::life::leg;
use crate::masking::{Context, mask_remembered};
use crate::meaning::evidence::{self, Meaning};
use courierflow_vendors::snapshot::{Snapshot, TraceItem, TrackingWord};

/// Events, oldest first, with the data of their items that flags, lane and status need.
pub(crate) struct History<'s> {
    pub(crate) events: Vec<ShipmentEvent>,
    /// Area names, one per event; the record keeps only the place.
    pub(crate) area_names: Vec<Option<&'s str>>,
    pub(crate) unknown_codes: u32,
    pub(crate) zone_assumed: bool,
    pub(crate) is_abroad: bool,
    /// Whether the vendor's top-level state decided the newest event.
    pub(crate) status_inferred: bool,
}

impl History<'_> {
    /// The events that are not in the future; milestones, attempts and exceptions are made from these (rule 4.6).
    pub(crate) fn past(&self) -> &[ShipmentEvent] {
        self.events.get(..self.begin_of_future()).unwrap_or_default()
    }

    /// The events in the future.
    pub(crate) fn future(&self) -> &[ShipmentEvent] {
        self.events.get(self.begin_of_future()..).unwrap_or_default()
    }

    /// Position of the first event in the future; these come last.
    fn begin_of_future(&self) -> usize {
        let first = self.events.iter().position(|event| event.future);
        first.unwrap_or(self.events.len())
    }

    /// The events after the one that sets `delivered_at`, in the future or not.
    pub(crate) fn behind(&mut self, delivered: Option<usize>) -> Option<&mut [ShipmentEvent]> {
        self.events.get_mut(delivered?.saturating_add(1)..)
    }
}

/// An item that is being turned into an event.
struct Candidate<'s, 'a> {
    item: &'s TraceItem<'a>,
    meaning: Meaning,
    /// The vendor's top-level state, if that decided (rule 8.3).
    inferred_code: Option<String>,
    id: i64,
    /// Who told it first.
    origin: Origin,
}

/// Builds the events; `event_ids` are those of the snapshot's items, and `origins` says who told each of them first, if not all were
/// told by the origin of the snapshot.
pub(crate) fn build<'s>(
    snapshot: &'s Snapshot<'_>,
    event_ids: &[i64],
    origins: Option<&[Origin]>,
    options: DeriveOptions,
) -> History<'s> {
    let origin_of = |position: usize| origins.and_then(|origins| origins.get(position)).copied();
    let mut candidates: Vec<Candidate<'s, '_>> = snapshot
        .items
        .iter()
        .zip(event_ids)
        .enumerate()
        .map(|(position, (item, id))| Candidate {
            item,
            meaning: evidence::read_item(snapshot.codes, item.code.as_deref(), item.name.as_deref(), &item.text),
            inferred_code: None,
            id: *id,
            origin: origin_of(position).unwrap_or(snapshot.origin),
        })
        .collect();
    // The items are in list order, those of the origin's segment first, and the sort is stable: this implements the
    // rest of rule 7.1's key.
    candidates.sort_by_key(|candidate| (candidate.item.occurred_at, candidate.meaning.rank()));
    if let Some(newest) = candidates.last_mut() {
        newest.meaning = settle_refusal(newest.meaning, snapshot, newest.item.segment);
    }
    let status_inferred = hear_final_word(snapshot, &mut candidates);

    let mut history = History {
        events: Vec::with_capacity(candidates.len()),
        area_names: Vec::with_capacity(candidates.len()),
        unknown_codes: 0,
        zone_assumed: false,
        is_abroad: false,
        status_inferred,
    };
    let legs = leg::legs(candidates.iter().map(|candidate| candidate.meaning));
    for (candidate, leg) in candidates.iter().zip(legs) {
        let (meaning, return_signed) = leg::on_leg(candidate.meaning, leg);
        history.unknown_codes = history.unknown_codes.saturating_add(u32::from(meaning.unknown_code));
        history.zone_assumed |= candidate.item.zone_assumed;
        history.is_abroad |= candidate.item.is_abroad;
        history.area_names.push(candidate.item.area_name.as_deref());
        history
            .events
            .push(event(snapshot, candidate, meaning, leg, return_signed, options));
    }
    history
}

/// Lets the vendor's top-level state decide the newest event that is not in the future, if rule 8.3 says so. True if it
/// did. Order and ids are fixed before and do not change.
fn hear_final_word(snapshot: &Snapshot<'_>, candidates: &mut [Candidate<'_, '_>]) -> bool {
    let past = candidates.partition_point(|candidate| !is_future(candidate.item.occurred_at, snapshot.received_at));
    let Some((newest, before)) = candidates.get(..past).and_then(<[_]>::split_last) else {
        return false;
    };
    let is_last = past == candidates.len();
    let known_before = || {
        let legs = leg::legs(candidates.iter().map(|candidate| candidate.meaning));
        let mut known = before.iter().zip(&legs).rev();
        let known = known.find(|(candidate, _)| candidate.meaning.status != Status::Unknown);
        known.map(|(candidate, leg)| leg::on_leg(candidate.meaning, *leg).0.status)
    };
    let Some(word) = final_word::on(snapshot, newest.item, is_last, newest.meaning, known_before) else {
        return false;
    };
    let newest = before.len();
    if let Some(newest) = candidates.get_mut(newest) {
        newest.meaning = word.meaning;
        newest.inferred_code = Some(word.code);
    }
    true
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
    let masked = |text: Option<&str>| text.map(|text| mask_remembered(text, own_number));
    let mut local_time = String::with_capacity(19);
    item.local_time.write_to(&mut local_time);
    ShipmentEvent {
        id: candidate.id,
        segment: item.segment,
        occurred_at: item.occurred_at,
        local_time,
        status: meaning.status,
        sub_status: meaning.sub_status.map(|sub_status| sub_status.as_str().to_owned()),
        leg,
        raw_code: raw_code(candidate.inferred_code.as_deref().or(item.code.as_deref())),
        is_exception: meaning.is_exception,
        return_signed,
        future: is_future(item.occurred_at, snapshot.received_at),
        area_code: masked(item.area_code.as_deref()),
        location: masked(item.place.as_deref()),
        context: match options.context {
            Context::Keep => mask_remembered(&item.text, own_number),
            Context::Omit => String::new(),
        },
        origin: candidate.origin,
        area: masked(item.area_name.as_deref()),
    }
}

/// Longer than any vendor's code.
const LONGEST_CODE: usize = 40;

/// The vendor's code as records and tables show it; `None` if it is not a code but free text, which might contain
/// personal data (rule 13.1). Its meaning was decided before, as for any unknown code.
fn raw_code(code: Option<&str>) -> Option<String> {
    let code = code?.trim();
    let is_code = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-');
    ((1..=LONGEST_CODE).contains(&code.len()) && code.bytes().all(is_code)).then(|| code.to_owned())
}

/// Code 14 is 拒签: the recipient refused. If it is the newest event and the push as a whole says that this was the end,
/// the sender has signed, too (rule 6.6).
pub(crate) fn settle_refusal(newest: Meaning, snapshot: &Snapshot<'_>, segment: Segment) -> Meaning {
    let is_end = snapshot.tracking == TrackingWord::Ended || snapshot.state_of(segment).signed_off;
    if newest.ends_in_doubt && is_end {
        return Meaning {
            status: Status::Returned,
            ..newest
        };
    }
    newest
}
