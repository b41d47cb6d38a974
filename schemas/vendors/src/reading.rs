//! Reads the payload of a push into a [`Snapshot`]. Pure and lenient: the result is always a reading or an error
//! value, never a panic.

use std::borrow::Cow;

use courierflow_schemas::carriers::{Carriers, UNKNOWN_CARRIER};
use courierflow_schemas::identifier;
use courierflow_schemas::records::{PushEvent, Status, TimestampMillis, Vendor};

use crate::parse::lenient_json::NoObject;
use crate::parse::time_grammar::parse_push_time;
use crate::parse::{json, repair};
use crate::protocol;
use crate::snapshot::{Snapshot, TrackingWord};

/// The result of reading a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// A snapshot to derive from.
    Snapshot(Box<Snapshot<'a>>),
    /// Nothing to derive; to be counted.
    Nothing(NoOp),
}

impl Reading<'_> {
    /// The same reading without borrows.
    pub(crate) fn into_owned(self) -> Reading<'static> {
        match self {
            Self::Snapshot(snapshot) => Reading::Snapshot(Box::new(snapshot.into_owned())),
            Self::Nothing(no_op) => Reading::Nothing(no_op),
        }
    }
}

/// Why a valid push has nothing to derive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoOp {
    /// Kdniao's cash-on-delivery status, `RequestType` 107 (rule 3.5).
    Payment,
    /// A carrier correction that does not name the old carrier (rule 11.2).
    CorrectionWithoutOldCarrier,
    /// A carrier correction from a carrier to itself (rule 11.2).
    CorrectionToSameCarrier,
    /// An unknown event of 17TRACK.
    UnknownEvent,
}

impl NoOp {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::Payment,
        Self::CorrectionWithoutOldCarrier,
        Self::CorrectionToSameCarrier,
        Self::UnknownEvent,
    ];

    /// Stable label for metrics.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::CorrectionWithoutOldCarrier => "correction_without_old_carrier",
            Self::CorrectionToSameCarrier => "correction_to_same_carrier",
            Self::UnknownEvent => "unknown_event",
        }
    }
}

/// A payload without a parcel. It is poison, because ingest does not accept such a payload. The error contains nothing of
/// the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReadError {
    /// Not JSON.
    #[error("payload is not json")]
    NotJson,
    /// JSON of another type.
    #[error("payload is not a json object")]
    NotAnObject,
    /// No result object or no tracking number in it (rule 3.1).
    #[error("payload has no parcel")]
    NoParcel,
}

impl ReadError {
    /// Every error.
    pub const ALL: [Self; 3] = [Self::NotJson, Self::NotAnObject, Self::NoParcel];

    /// Stable label for metrics and dead letters.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::NotJson => "payload_not_json",
            Self::NotAnObject => "payload_not_an_object",
            Self::NoParcel => "payload_without_parcel",
        }
    }
}

impl From<NoObject> for ReadError {
    fn from(error: NoObject) -> Self {
        match error {
            NoObject::NotJson => Self::NotJson,
            NoObject::OtherType => Self::NotAnObject,
        }
    }
}

/// Columns of the push log that come from the payload (rule 14.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushFacts<'a> {
    /// Canonical code of the carrier that the push names: the corrected one if there is one.
    pub carrier: Cow<'a, str>,
    /// The vendor's own word for the state of the subscription, trimmed: Kuaidi100's `status`, 17TRACK's `event`; empty
    /// for Kdniao.
    pub tracking_status: Cow<'a, str>,
    /// Lines of all lists, usable or not; 65,535 at most.
    pub items: u16,
    /// How long the whole way takes on average, by the vendor's own count: Kuaidi100's `totalTime`; whole hours.
    pub total_hours: Option<u16>,
}

impl PushFacts<'_> {
    /// The same facts without borrows.
    fn into_owned(self) -> PushFacts<'static> {
        PushFacts {
            carrier: Cow::Owned(self.carrier.into_owned()),
            tracking_status: Cow::Owned(self.tracking_status.into_owned()),
            items: self.items,
            total_hours: self.total_hours,
        }
    }
}

/// What a push says of the vendor's subscription. The role `subscribe` lives on it: a second abort in the same words changes nothing
/// of a shipment, but it does of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushWord<'a> {
    /// What it says, as derivation reads it. An unknown word of Kuaidi100 counts as `polling`.
    pub tracking: TrackingWord,
    /// The vendor's own word, trimmed: Kuaidi100's `status`, 17TRACK's `event`.
    pub word: Option<Cow<'a, str>>,
    /// Kdniao's `Success`.
    pub success: Option<bool>,
    /// Kuaidi100's `message`, Kdniao's `Reason`; trimmed.
    pub message: Option<Cow<'a, str>>,
    /// The vendor's code of the carrier that the history is of: Kuaidi100's `lastResult.com`, Kdniao's `ShipperCode`.
    pub carrier: Option<Cow<'a, str>>,
    /// Kuaidi100's `comOld`.
    pub old_carrier: Option<Cow<'a, str>>,
    /// Kuaidi100's `comNew`.
    pub new_carrier: Option<Cow<'a, str>>,
    /// Whether any list has lines.
    pub has_items: bool,
    /// How the parcel has ended by the state that the vendor gives it: Kdniao's `StateEx` or `State`, 17TRACK's `latest_status`. Of
    /// Kuaidi100 `tracking` says enough.
    pub end: Option<Status>,
}

impl PushWord<'_> {
    /// An answer to a query says nothing of the subscription.
    pub(crate) fn of_query(items: usize) -> Self {
        Self {
            tracking: TrackingWord::Unchanged,
            word: None,
            success: None,
            message: None,
            carrier: None,
            old_carrier: None,
            new_carrier: None,
            has_items: items > 0,
            end: None,
        }
    }

    /// The same word without borrows.
    fn into_owned(self) -> PushWord<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        PushWord {
            tracking: self.tracking,
            word: self.word.map(owned),
            success: self.success,
            message: self.message.map(owned),
            carrier: self.carrier.map(owned),
            old_carrier: self.old_carrier.map(owned),
            new_carrier: self.new_carrier.map(owned),
            has_items: self.has_items,
            end: self.end,
        }
    }
}

/// Reads a push event. `carriers` says what the vendors' codes of carriers mean.
pub fn read<'a>(event: &'a PushEvent, carriers: &'a Carriers) -> Result<Reading<'a>, ReadError> {
    let reading = match read_payload(event, &event.payload, carriers) {
        Err(ReadError::NotJson) => read_repaired(event, carriers)?,
        reading => reading?,
    };
    Ok(match reading {
        Reading::Snapshot(mut snapshot) => {
            snapshot.limit_items();
            snapshot.refer_to(reference(event));
            Reading::Snapshot(snapshot)
        }
        nothing @ Reading::Nothing(_) => nothing,
    })
}

fn read_repaired<'a>(event: &'a PushEvent, carriers: &'a Carriers) -> Result<Reading<'a>, ReadError> {
    match repair::repaired(&event.payload) {
        Cow::Borrowed(_) => Err(ReadError::NotJson),
        Cow::Owned(payload) => read_payload(event, &payload, carriers).map(Reading::into_owned),
    }
}

/// Reads a payload in the envelope of an event.
fn read_payload<'a>(event: &'a PushEvent, payload: &'a str, carriers: &'a Carriers) -> Result<Reading<'a>, ReadError> {
    let vendor = protocol(event.vendor);
    match json::opened(payload, vendor.text_members()) {
        Cow::Borrowed(payload) => vendor.read_payload(event, payload, carriers),
        Cow::Owned(payload) => vendor.read_payload(event, &payload, carriers).map(Reading::into_owned),
    }
}

/// The subscriber's name of the order. The event may be somebody else's, and what is no reference may be a person's name.
pub fn reference(event: &PushEvent) -> Option<&str> {
    event.reference.as_deref().filter(|text| identifier::is_name(text))
}

/// The vendor's own time of a push, where the envelope has one: Kdniao's `PushTime`.
pub fn push_time(event: &PushEvent) -> Option<TimestampMillis> {
    parse_push_time(event.push_time.as_deref()?)
}

/// Reads what the push log shows. Of an unreadable payload only the envelope's carrier remains.
pub fn push_facts<'a>(event: &'a PushEvent, carriers: &'a Carriers) -> PushFacts<'a> {
    facts_of_payload(event, &event.payload, carriers)
        .or_else(|| match repair::repaired(&event.payload) {
            Cow::Borrowed(_) => None,
            Cow::Owned(payload) => facts_of_payload(event, &payload, carriers).map(PushFacts::into_owned),
        })
        .unwrap_or_else(|| PushFacts {
            carrier: carriers.canonical(event.vendor, &event.vendor_carrier),
            tracking_status: Cow::Borrowed(""),
            items: 0,
            total_hours: None,
        })
}

fn facts_of_payload<'a>(event: &PushEvent, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
    let vendor = protocol(event.vendor);
    match json::opened(payload, vendor.text_members()) {
        Cow::Borrowed(payload) => vendor.push_facts(event.origin, payload, carriers),
        Cow::Owned(payload) => vendor
            .push_facts(event.origin, &payload, carriers)
            .map(PushFacts::into_owned),
    }
}

/// Reads what a push says of its subscription; `None` if the payload cannot be read.
pub fn push_word(event: &PushEvent) -> Option<PushWord<'_>> {
    word_of_payload(event, &event.payload).or_else(|| match repair::repaired(&event.payload) {
        Cow::Borrowed(_) => None,
        Cow::Owned(payload) => word_of_payload(event, &payload).map(PushWord::into_owned),
    })
}

fn word_of_payload<'a>(event: &PushEvent, payload: &'a str) -> Option<PushWord<'a>> {
    let vendor = protocol(event.vendor);
    match json::opened(payload, vendor.text_members()) {
        Cow::Borrowed(payload) => vendor.push_word(event.origin, payload),
        Cow::Owned(payload) => vendor.push_word(event.origin, &payload).map(PushWord::into_owned),
    }
}

pub(crate) fn item_count(elements: usize) -> u16 {
    u16::try_from(elements).unwrap_or(u16::MAX)
}

/// Canonical carrier of a code that may be missing, free of the code's own borrow.
pub(crate) fn carrier_of<'a>(carriers: &'a Carriers, vendor: Vendor, code: Option<Cow<'a, str>>) -> Cow<'a, str> {
    match code {
        None => Cow::Borrowed(UNKNOWN_CARRIER),
        Some(Cow::Borrowed(code)) => carriers.canonical(vendor, code),
        Some(Cow::Owned(code)) => Cow::Owned(carriers.canonical(vendor, &code).into_owned()),
    }
}

/// The number that the record is keyed by. The payload's number is used only if the envelope has none.
pub(crate) fn tracking_number<'a>(event: &'a PushEvent, in_payload: Option<&str>) -> Result<Cow<'a, str>, ReadError> {
    match identifier::normalised(in_payload.unwrap_or_default()) {
        number if number.is_empty() => Err(ReadError::NoParcel),
        number if event.tracking_number.is_empty() => Ok(Cow::Owned(number.to_ascii_uppercase())),
        _ => Ok(Cow::Borrowed(&event.tracking_number)),
    }
}

/// Ignores white space, which varies in the vendors' messages ("60 天无变化").
pub(crate) fn contains_ignoring_blanks(text: &str, words: &str) -> bool {
    if text.contains(words) {
        return true;
    }
    let without: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    without.contains(words)
}
