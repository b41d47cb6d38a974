//! The history of a shipment: items in order (rules 7.1, 7.2, 7.5), with identity, status (rules 6.6, 8.3) and leg
//! (rules 6.5, 8.1), what is passed over behind a delivery (rules 6.5, 8.4), and the status of the shipment (rule 8.2).

use courierflow_schemas::records::{Leg, Origin, Segment, Status, Vendor};

use super::codes::{self, Evidence, Saying};
use super::read::{Item, Snapshot, Word, in_list_order};
use super::time;

/// An item that took its place in the history.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Design 5, rule 9.1: all that the hash is made of, readable, without vendor, carrier, number and epoch.
    pub(super) id: String,
    pub(super) segment: Segment,
    pub(super) occurred_at: i64,
    pub(super) local_time: String,
    /// Rule 4.5: what the id has.
    pub(super) time_in_zone: String,
    /// Folded, unmasked.
    pub(super) text: String,
    /// After rules 6.6, 8.1 and 8.3.
    pub(super) status: Status,
    pub(super) sub_status: Option<&'static str>,
    pub(super) leg: Leg,
    pub(super) raw_code: Option<String>,
    pub(super) is_exception: bool,
    pub(super) return_signed: bool,
    pub(super) future: bool,
    pub(super) unknown_code: bool,
    /// Rule 8.3.
    pub(super) status_inferred: bool,
    /// Rule 8.4: a scan or a clock's code behind the delivery.
    pub(super) is_late_scan: bool,
    /// Rules 6.5 and 8.4: not the shipment's status.
    pub(super) passed_over: bool,
    pub(super) area_code: Option<String>,
    pub(super) area_name: Option<String>,
    pub(super) location: Option<String>,
    /// Rule 7.6: PUSH until the shipment says otherwise.
    pub(super) origin: Origin,
}

/// A usable item with its place in its list.
struct Placed<'a> {
    item: &'a Item,
    own: Saying,
    evidence: Evidence,
    /// Rule 8.3: the top-level state that this event took for its code.
    inferred: Option<String>,
    utc: i64,
    time_in_zone: String,
    /// From the oldest end of the list.
    position: usize,
    occurrence: usize,
}

impl Placed<'_> {
    /// Rule 6.5.
    fn tells_return_by_text_alone(&self) -> bool {
        self.evidence == Evidence::Text && self.inferred.is_none() && tells_return(self.own)
    }
}

fn tells_return(saying: Saying) -> bool {
    matches!(saying.status, Status::Returning | Status::Returned)
}

/// The events of a snapshot, oldest first. `received_at` in µs.
pub(super) fn history(snapshot: &Snapshot, received_at: i64) -> Vec<Event> {
    let mut placed = place(snapshot, &snapshot.origin.items);
    placed.extend(place(snapshot, &snapshot.destination.items));
    // Rule 7.1.
    placed.sort_by_key(|item| {
        let segment = match item.item.segment {
            Segment::Origin => 0,
            Segment::Destination => 1,
        };
        (item.utc, codes::rank(item.own), segment, item.position)
    });
    // Rule 6.6.
    let newest = placed.len().saturating_sub(1);
    for (index, placed) in placed.iter_mut().enumerate() {
        placed.own = own_status(snapshot, placed.own, placed.item.segment, index == newest);
    }
    infer_newest(snapshot, &mut placed, received_at);

    let mut leg = Leg::Forward;
    let mut events = Vec::new();
    for index in 0..placed.len() {
        let mut status = placed[index].own;
        if turns_back(&placed, index) {
            leg = Leg::Return;
        }
        let return_signed = sign_off_of_sender(&mut status, leg);
        events.push(event(snapshot, &placed[index], status, leg, return_signed, received_at));
    }
    pass_over(&mut events);
    events
}

/// Rules 6.5 and 8.1.
fn turns_back(placed: &[Placed<'_>], index: usize) -> bool {
    tells_return(placed[index].own) && !(placed[index].tells_return_by_text_alone() && is_refuted(&placed[index + 1..]))
}

/// Rule 6.5: a return that a text alone told is none if the parcel goes on to its recipient and nobody tells it again.
fn is_refuted(later: &[Placed<'_>]) -> bool {
    let told_again = later.iter().any(|later| tells_return(later.own));
    let goes_on = later.iter().any(|later| {
        matches!(
            later.own.status,
            Status::OutForDelivery | Status::AvailableForPickup | Status::Delivered
        )
    });
    goes_on && !told_again
}

fn event(
    snapshot: &Snapshot,
    placed: &Placed<'_>,
    status: Saying,
    leg: Leg,
    return_signed: bool,
    received_at: i64,
) -> Event {
    let item = placed.item;
    // Rule 8.3: the state as if it were the code.
    let code = placed.inferred.as_ref().or(item.code.as_ref());
    let is_unknown = |code: Option<&String>| code.is_some_and(|code| codes::is_unknown(snapshot.vendor, code));
    Event {
        id: format!(
            "{}|{}|{}|{}",
            item.segment, placed.time_in_zone, item.text, placed.occurrence
        ),
        segment: item.segment,
        occurred_at: placed.utc,
        local_time: time::normalised(item.time.unwrap().local),
        time_in_zone: placed.time_in_zone.clone(),
        text: item.text.clone(),
        status: status.status,
        sub_status: status.sub_status,
        leg,
        // Rule 13.1.
        raw_code: code.filter(|code| codes::is_plain(code)).cloned(),
        // Rules 6.6 and 10.6.
        is_exception: status.status == Status::Exception || status.is_code_14 || status.is_code_404,
        return_signed,
        future: time::is_future(placed.utc, received_at),
        unknown_code: is_unknown(item.code.as_ref()) || is_unknown(placed.inferred.as_ref()),
        status_inferred: placed.inferred.is_some(),
        is_late_scan: false,
        passed_over: false,
        area_code: item.area_code.clone(),
        area_name: item.area_name.clone(),
        location: item.place.clone(),
        origin: Origin::Push,
    }
}

/// Rule 8.3: what the top-level state says of the last event that is not in the future.
fn infer_newest(snapshot: &Snapshot, placed: &mut [Placed<'_>], received_at: i64) {
    let is_present = |placed: &&Placed<'_>| !time::is_future(placed.utc, received_at);
    let is_last = placed.last().as_ref().is_some_and(is_present);
    let Some(index) = placed.iter().rposition(|placed| is_present(&placed)) else {
        return;
    };
    let newest = &placed[index];
    let list = snapshot.list(newest.item.segment);
    let Some(state) = list.state.clone() else { return };
    let Some(own) = codes::by_code(snapshot.vendor, snapshot.cross_border, &state, &newest.item.text) else {
        return;
    };
    let said = own_status(snapshot, own, newest.item.segment, is_last);

    // What the record shows, after rule 8.1.
    let last_known = (0..index)
        .rfind(|index| placed[*index].own.status != Status::Unknown)
        .map(|index| {
            let mut status = placed[index].own;
            let is_back = (0..=index).any(|index| turns_back(placed, index));
            sign_off_of_sender(&mut status, if is_back { Leg::Return } else { Leg::Forward });
            status.status
        });
    let is_mute = newest.own.status == Status::Unknown;
    let says_news = !matches!(said.status, Status::Unknown | Status::Exception) && Some(said.status) != last_known;
    let is_open_text = newest.evidence == Evidence::Text
        && !is_mute
        && !matches!(
            newest.own.status,
            Status::Delivered | Status::Returned | Status::Cancelled
        );

    let newest = &mut placed[index];
    if is_mute && says_news {
        newest.own = said;
    } else if is_open_text && signs_off(snapshot, newest.item.segment, &state) {
        newest.own = if tells_return(newest.own) {
            codes::RETURN_SIGNED
        } else {
            said
        };
    } else {
        return;
    }
    newest.inferred = Some(state);
}

/// Rule 8.3b.
fn signs_off(snapshot: &Snapshot, segment: Segment, state: &str) -> bool {
    match snapshot.vendor {
        Vendor::Kuaidi100 => {
            snapshot.list(segment).is_check && matches!(state, "3" | "301" | "302" | "303" | "304" | "4" | "14")
        }
        Vendor::Kdniao => matches!(state, "3" | "301" | "302" | "304" | "311" | "406"),
        // Its verdict lags its events: it is believed only where the newest event says nothing (rule 8.2).
        Vendor::SeventeenTrack => false,
    }
}

/// Rule 8.4, and what rule 6.5 says of a return behind the delivery that is none.
fn pass_over(events: &mut [Event]) {
    let Some(sign_off) = sign_off(events) else { return };
    for event in &mut events[sign_off + 1..] {
        if event.leg != Leg::Forward {
            continue;
        }
        let is_clock_code = event.status == Status::Exception
            && matches!(
                event.sub_status,
                Some("DELIVERY_OVERDUE" | "NO_UPDATE" | "PICKUP_OVERDUE")
            );
        let is_scan = matches!(
            event.status,
            Status::InfoReceived
                | Status::PickedUp
                | Status::InTransit
                | Status::Customs
                | Status::OutForDelivery
                | Status::AvailableForPickup
        );
        event.is_late_scan = is_scan || is_clock_code;
        event.is_exception &= !(event.is_late_scan && is_clock_code);
        let is_refuted_return = matches!(event.status, Status::Returning | Status::Returned);
        event.passed_over = event.is_late_scan || is_refuted_return;
    }
}

/// Rule 10.2: the first DELIVERED that no OUT_FOR_DELIVERY with a DELIVERED of its own follows, all of them FORWARD and
/// none in the future. Its index.
pub(super) fn sign_off(events: &[Event]) -> Option<usize> {
    let is = |index: usize, status: Status| {
        let event = &events[index];
        event.status == status && event.leg == Leg::Forward && !event.future
    };
    (0..events.len())
        .filter(|sign_off| is(*sign_off, Status::Delivered))
        .find(|sign_off| {
            !(sign_off + 1..events.len()).any(|round| {
                is(round, Status::OutForDelivery) && (round + 1..events.len()).any(|later| is(later, Status::Delivered))
            })
        })
}

/// Rules 7.1 and 7.5: the usable items of one list, oldest first, numbered among equals.
fn place<'a>(snapshot: &Snapshot, items: &'a [Item]) -> Vec<Placed<'a>> {
    let usable = in_list_order(items.iter().filter(|item| item.time.is_some()).collect());
    // Rule 4.12.
    let usable = usable.into_iter().filter(|item: &&Item| !item.left_out);
    let mut placed: Vec<Placed<'a>> = Vec::new();
    for (position, item) in usable.enumerate() {
        let time_in_zone = time::normalised(item.time.unwrap().in_zone);
        let occurrence = placed
            .iter()
            .filter(|earlier| earlier.time_in_zone == time_in_zone && earlier.item.text == item.text)
            .count();
        let (own, evidence) = codes::of_item(
            snapshot.vendor,
            snapshot.cross_border,
            item.code.as_deref(),
            item.name.as_deref(),
            &item.text,
        );
        placed.push(Placed {
            item,
            own,
            evidence,
            inferred: None,
            utc: item.time.unwrap().utc,
            time_in_zone,
            position,
            occurrence,
        });
    }
    placed
}

/// Rule 6.6: a code 14 is a return only at the very end of a history that is over.
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

/// Rule 8.1: on the way back it is the sender who signs. True when it was so.
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

/// Rule 8.2, without its top-level state (rule 8.3).
pub(super) fn shipment_status(events: &[Event]) -> ShipmentStatus {
    events
        .iter()
        .rev()
        .find(|event| event.status != Status::Unknown && !event.passed_over)
        .map_or(ShipmentStatus::UNKNOWN, ShipmentStatus::of)
}
