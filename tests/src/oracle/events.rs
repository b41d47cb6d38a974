//! The history of a shipment: items in order (rules 6, 7, 34), with identity, leg and status (rules 13, 14), and the
//! status of the shipment (rule 2).

use courierflow_schemas::records::{Leg, Segment, Status};

use super::codes::{self, Saying};
use super::masking;
use super::read::{Item, Snapshot, Word};
use super::time;

/// An item that took its place in the history.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Design 5, rule 3: all that the hash is made of, readable, without vendor, carrier, number and epoch.
    pub(super) id: String,
    pub(super) segment: Segment,
    pub(super) occurred_at: i64,
    pub(super) local_time: String,
    /// Folded, unmasked.
    pub(super) text: String,
    /// After rules 13 and 14.
    pub(super) status: Status,
    pub(super) sub_status: Option<&'static str>,
    pub(super) leg: Leg,
    pub(super) raw_code: Option<String>,
    pub(super) is_exception: bool,
    pub(super) return_signed: bool,
    pub(super) future: bool,
    pub(super) unknown_code: bool,
    pub(super) area_code: Option<String>,
    pub(super) area_name: Option<String>,
    pub(super) location: Option<String>,
}

/// A usable item with its place in its list.
struct Placed<'a> {
    item: &'a Item,
    own: Saying,
    utc: i64,
    local_time: String,
    /// From the oldest end of the list.
    position: usize,
    occurrence: usize,
}

/// The events of a snapshot, oldest first. `received_at` in µs.
pub(super) fn history(snapshot: &Snapshot, received_at: i64) -> Vec<Event> {
    let mut placed = place(snapshot, &snapshot.origin.items);
    placed.extend(place(snapshot, &snapshot.destination.items));
    // Rule 6.
    placed.sort_by_key(|item| {
        let segment = match item.item.segment {
            Segment::Origin => 0,
            Segment::Destination => 1,
        };
        (item.utc, codes::rank(item.own), segment, item.position)
    });

    let newest = placed.len().saturating_sub(1);
    let mut leg = Leg::Forward;
    let mut events = Vec::new();
    for (index, placed) in placed.iter().enumerate() {
        let item = placed.item;
        let mut status = own_status(snapshot, placed.own, item.segment, index == newest);
        // Rule 14.
        if matches!(status.status, Status::Returning | Status::Returned) {
            leg = Leg::Return;
        }
        let return_signed = sign_off_of_sender(&mut status, leg);
        events.push(Event {
            id: format!(
                "{}|{}|{}|{}",
                item.segment, placed.local_time, item.text, placed.occurrence
            ),
            segment: item.segment,
            occurred_at: placed.utc,
            local_time: placed.local_time.clone(),
            text: item.text.clone(),
            status: status.status,
            sub_status: status.sub_status,
            leg,
            // Rule 68.
            raw_code: item.code.as_deref().and_then(masking::shown_code),
            // Rules 13 and 27.
            is_exception: status.status == Status::Exception || status.is_code_14 || status.is_code_404,
            return_signed,
            // Rule 28: more than 10 minutes after the receipt of the push.
            future: placed.utc * 1_000_000 > received_at + 600 * 1_000_000,
            unknown_code: item
                .code
                .as_deref()
                .is_some_and(|code| codes::is_unknown(snapshot.vendor, code)),
            area_code: item.area_code.clone(),
            area_name: item.area_name.clone(),
            location: item.place.clone(),
        });
    }
    events
}

/// Rules 6 and 34: the usable items of one list, oldest first, numbered among equals.
fn place<'a>(snapshot: &Snapshot, items: &'a [Item]) -> Vec<Placed<'a>> {
    let mut usable: Vec<&Item> = items.iter().filter(|item| item.time.is_some()).collect();
    let utc = |item: &Item| item.time.unwrap().utc;
    let ascending = match (usable.first(), usable.last()) {
        (Some(first), Some(last)) => utc(first) < utc(last),
        _ => false,
    };
    if !ascending {
        usable.reverse();
    }
    let mut placed: Vec<Placed<'a>> = Vec::new();
    for (position, item) in usable.into_iter().enumerate() {
        let local_time = time::normalised(item.time.unwrap().local);
        let occurrence = placed
            .iter()
            .filter(|earlier| earlier.local_time == local_time && earlier.item.text == item.text)
            .count();
        let own = codes::of_item(
            snapshot.vendor,
            snapshot.cross_border,
            item.code.as_deref(),
            item.name.as_deref(),
            &item.text,
        );
        placed.push(Placed {
            item,
            own,
            utc: utc(item),
            local_time,
            position,
            occurrence,
        });
    }
    placed
}

/// Rule 13: a code 14 is a return only at the very end of a history that is over.
fn own_status(snapshot: &Snapshot, own: Saying, segment: Segment, is_newest: bool) -> Saying {
    let is_over = snapshot.word == Word::Ended || snapshot.list(segment).is_check;
    if own.is_code_14 && is_newest && is_over {
        return Saying {
            status: Status::Returned,
            ..own
        };
    }
    own
}

/// Rule 14: on the way back it is the sender who signs. True when it was so.
fn sign_off_of_sender(status: &mut Saying, leg: Leg) -> bool {
    let is_senders = leg == Leg::Return && status.status == Status::Delivered;
    if is_senders {
        status.status = Status::Returned;
        status.sub_status = Some("RETURN_SIGNED");
    }
    is_senders
}

/// Status, sub-status and raw code of a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShipmentStatus {
    pub(super) status: Status,
    pub(super) sub_status: Option<&'static str>,
    pub(super) raw_code: Option<String>,
}

impl ShipmentStatus {
    pub(super) const UNKNOWN: Self = Self {
        status: Status::Unknown,
        sub_status: None,
        raw_code: None,
    };

    fn of(event: &Event) -> Self {
        Self {
            status: event.status,
            sub_status: event.sub_status,
            raw_code: event.raw_code.clone(),
        }
    }
}

/// Rule 2.
pub(super) fn shipment_status(snapshot: &Snapshot, events: &[Event]) -> ShipmentStatus {
    let Some(newest) = events.last() else {
        return ShipmentStatus::UNKNOWN;
    };
    if newest.status != Status::Unknown {
        return ShipmentStatus::of(newest);
    }
    if let Some(status) = top_level_status(snapshot, newest) {
        return status;
    }
    events
        .iter()
        .rev()
        .find(|event| event.status != Status::Unknown)
        .map_or(ShipmentStatus::UNKNOWN, ShipmentStatus::of)
}

/// The top-level state, as if it were the code of the newest event.
fn top_level_status(snapshot: &Snapshot, newest: &Event) -> Option<ShipmentStatus> {
    let list = snapshot.list(newest.segment);
    let code = list.state.clone()?;
    let own = codes::by_code(snapshot.vendor, snapshot.cross_border, &code, &newest.text)?;
    let mut saying = own_status(snapshot, own, newest.segment, true);
    sign_off_of_sender(&mut saying, newest.leg);
    (saying.status != Status::Unknown).then_some(ShipmentStatus {
        status: saying.status,
        sub_status: saying.sub_status,
        raw_code: Some(code),
    })
}
