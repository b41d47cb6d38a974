//! What one push says about one parcel, in the vendor's own words but in one shape: texts folded, times understood,
//! nothing judged yet. `reading::read` makes it, derivation reads it.

use std::borrow::Cow;
use std::fmt;

use courierflow_schemas::records::{Origin, PushId, Segment, Signature, TimestampMicros, TimestampMillis, Vendor};

use crate::codes::CodeTable;
use crate::fingerprint::Fingerprint;
use crate::local_time::LocalTime;

/// Identity of a shipment without its epoch. Displays as `vendor:carrier:tracking_number`, the key of the shipment topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShipmentKey {
    /// Who tells.
    pub vendor: Vendor,
    /// Canonical carrier code.
    pub carrier: String,
    /// The carrier's parcel number.
    pub tracking_number: String,
}

impl fmt::Display for ShipmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.vendor, self.carrier, self.tracking_number)
    }
}

/// What a push says about the vendor's subscription (rule 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackingWord {
    /// Still followed.
    Active,
    /// Ended by the vendor, usually after the sign-off.
    Ended,
    /// Given up: no record of the number.
    AbortedNoRecord,
    /// Given up: nothing changed for long.
    AbortedStale,
    /// Not followed any longer, for a reason that the vendor does not tell: what is known of the parcel decides.
    Stopped,
    /// The vendor follows another carrier from now on.
    Corrected,
    /// Says nothing about the subscription.
    Unchanged,
}

impl TrackingWord {
    /// Stable name, part of the content hash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Ended => "ENDED",
            Self::AbortedNoRecord => "ABORTED_NO_RECORD",
            Self::AbortedStale => "ABORTED_STALE",
            Self::Stopped => "STOPPED",
            Self::Corrected => "CORRECTED",
            Self::Unchanged => "UNCHANGED",
        }
    }
}

/// One usable line of the vendor's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceItem<'a> {
    /// Which list it stands in.
    pub segment: Segment,
    /// The wall clock as written, normalised; of a Unix time, that of the item's zone.
    pub local_time: LocalTime,
    /// The wall clock of the item's zone, whatever the time was written in: ids are made of this (rule 4.5).
    pub zone_time: LocalTime,
    /// The same instant in UTC.
    pub occurred_at: TimestampMillis,
    /// The moment hangs on a zone that was not told, or not in words that can be read: China's was taken.
    pub zone_assumed: bool,
    /// It comes from another country, or nobody knows from which (rule 10.7).
    pub is_abroad: bool,
    /// White space folded (rule 4.9), not masked: ids are made of this.
    pub text: Cow<'a, str>,
    /// The vendor's code, trimmed; never empty.
    pub code: Option<Cow<'a, str>>,
    /// The vendor's status name, trimmed; never empty.
    pub name: Option<Cow<'a, str>>,
    /// Area code, `CN` added (rule 4.10).
    pub area_code: Option<Cow<'a, str>>,
    /// Name of that area.
    pub area_name: Option<Cow<'a, str>>,
    /// Place name (rule 4.10).
    pub place: Option<Cow<'a, str>>,
}

/// Top level of one result list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultState<'a> {
    /// Code of the parcel's state, trimmed; never empty.
    pub code: Option<Cow<'a, str>>,
    /// Signed for, by whomever: Kuaidi100's `ischeck`; where the vendor has no such mark, the state's own word.
    pub signed_off: bool,
}

/// Most items of a snapshot (rule 4.12); a parcel has a few dozen.
pub const MAX_ITEMS: usize = 5_000;
/// If a push has more, so many are the earliest, from which the milestones of the first days come; the others are the newest.
const EARLIEST: usize = 100;

/// One end of the vendor's route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteEnd<'a> {
    /// Area code, `CN` added; never empty.
    pub code: Option<Cow<'a, str>>,
    /// Area name; never empty.
    pub name: Option<Cow<'a, str>>,
}

/// The content of one push, as addressed to one shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// Who tells.
    pub vendor: Vendor,
    /// Canonical carrier of the addressed shipment; for a carrier correction the old one (rule 11.2).
    pub carrier: Cow<'a, str>,
    /// The carrier's parcel number.
    pub tracking_number: Cow<'a, str>,
    /// The vendor contract.
    pub account: Cow<'a, str>,
    /// Which push.
    pub push_id: PushId,
    /// Whether the vendor told it by itself or was asked.
    pub origin: Origin,
    /// How it was authenticated.
    pub signature: Signature,
    /// "Now" for everything derived from this push.
    pub received_at: TimestampMicros,
    /// The vendor's own time of the push.
    pub push_time: Option<TimestampMillis>,
    /// What it says about the subscription.
    pub tracking: TrackingWord,
    /// Kuaidi100's `updateall`: replaces what was told before, however old it looks.
    pub full_repush: bool,
    /// How the codes of its items are read.
    pub codes: &'static CodeTable,
    /// Hash of everything that derivation reads (rule 5.5).
    pub content_hash: i64,
    /// Usable lines in list order, oldest first (rule 7.1): the origin's list, then the destination's.
    pub items: Vec<TraceItem<'a>>,
    /// Usable lines that are left out because there are more than [`MAX_ITEMS`].
    pub left_out: u32,
    /// Lines dropped because of their time (rule 4.6).
    pub bad_times: u32,
    /// Top level of the origin's result.
    pub origin_state: ResultState<'a>,
    /// Top level of the destination's result.
    pub destination_state: ResultState<'a>,
    /// Estimated delivery.
    pub edd: Option<TimestampMillis>,
    /// Where the vendor's route begins.
    pub route_from: RouteEnd<'a>,
    /// Where it ends.
    pub route_to: RouteEnd<'a>,
    /// The vendor saw the parcel run in a circle.
    pub route_loop: bool,
    /// The subscriber's own name of the order.
    pub reference: Option<Cow<'a, str>>,
    /// Canonical carrier of the destination country.
    pub dest_carrier: Option<Cow<'a, str>>,
    /// That carrier's number of the parcel, written as `tracking_number`.
    pub dest_number: Option<Cow<'a, str>>,
    /// Canonical carrier under which the vendor goes on; only of a carrier correction.
    pub corrected_to: Option<Cow<'a, str>>,
}

impl<'a> Snapshot<'a> {
    /// Identity of the addressed shipment.
    pub fn key(&self) -> ShipmentKey {
        ShipmentKey {
            vendor: self.vendor,
            carrier: self.carrier.clone().into_owned(),
            tracking_number: self.tracking_number.clone().into_owned(),
        }
    }

    /// Top level of the list that a segment's events come from.
    pub fn state_of(&self, segment: Segment) -> &ResultState<'_> {
        match segment {
            Segment::Origin => &self.origin_state,
            Segment::Destination => &self.destination_state,
        }
    }

    /// Leaves out the items between the earliest and the newest if there are too many (rule 4.12). Of items with one time, those that
    /// are later in the list are newer.
    pub(crate) fn limit_items(&mut self) {
        let too_many = self.items.len().saturating_sub(MAX_ITEMS);
        if too_many == 0 {
            return;
        }
        let mut by_time: Vec<_> = self.items.iter().map(|item| item.occurred_at).zip(0_usize..).collect();
        by_time.sort_unstable();
        let mut is_left_out = vec![false; self.items.len()];
        for (_, position) in by_time.into_iter().skip(EARLIEST).take(too_many) {
            if let Some(is_left_out) = is_left_out.get_mut(position) {
                *is_left_out = true;
            }
        }
        let mut is_left_out = is_left_out.into_iter();
        self.items.retain(|_| !is_left_out.next().unwrap_or_default());
        self.left_out = u32::try_from(too_many).unwrap_or(u32::MAX);
    }

    /// Ties it to the subscriber's order. A repetition of a push under another reference tells something new: that the parcel belongs to
    /// that order, too. So the reference is a part of the content's hash, but only where there is one: most accounts have none.
    pub(crate) fn refer_to(&mut self, reference: Option<&'a str>) {
        let Some(reference) = reference else { return };
        self.content_hash = Fingerprint::default()
            .number(self.content_hash)
            .text(reference)
            .finish();
        self.reference = Some(Cow::Borrowed(reference));
    }

    /// The same snapshot without borrows.
    pub fn into_owned(self) -> Snapshot<'static> {
        Snapshot {
            vendor: self.vendor,
            carrier: owned(self.carrier),
            tracking_number: owned(self.tracking_number),
            account: owned(self.account),
            push_id: self.push_id,
            origin: self.origin,
            signature: self.signature,
            received_at: self.received_at,
            push_time: self.push_time,
            tracking: self.tracking,
            full_repush: self.full_repush,
            codes: self.codes,
            content_hash: self.content_hash,
            items: self.items.into_iter().map(TraceItem::into_owned).collect(),
            left_out: self.left_out,
            bad_times: self.bad_times,
            origin_state: self.origin_state.into_owned(),
            destination_state: self.destination_state.into_owned(),
            edd: self.edd,
            route_from: self.route_from.into_owned(),
            route_to: self.route_to.into_owned(),
            route_loop: self.route_loop,
            reference: self.reference.map(owned),
            dest_carrier: self.dest_carrier.map(owned),
            dest_number: self.dest_number.map(owned),
            corrected_to: self.corrected_to.map(owned),
        }
    }
}

impl TraceItem<'_> {
    fn into_owned(self) -> TraceItem<'static> {
        TraceItem {
            segment: self.segment,
            local_time: self.local_time,
            zone_time: self.zone_time,
            occurred_at: self.occurred_at,
            zone_assumed: self.zone_assumed,
            is_abroad: self.is_abroad,
            text: owned(self.text),
            code: self.code.map(owned),
            name: self.name.map(owned),
            area_code: self.area_code.map(owned),
            area_name: self.area_name.map(owned),
            place: self.place.map(owned),
        }
    }
}

impl ResultState<'_> {
    fn into_owned(self) -> ResultState<'static> {
        ResultState {
            code: self.code.map(owned),
            signed_off: self.signed_off,
        }
    }
}

impl RouteEnd<'_> {
    fn into_owned(self) -> RouteEnd<'static> {
        RouteEnd {
            code: self.code.map(owned),
            name: self.name.map(owned),
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
