//! What a 17TRACK payload says without its history being read: for the push log, for the subscription, and for a call's record.

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, Status, Vendor};

use super::codes::CODES;
use super::event::EventWord;
use super::payload::carrier_code;
use crate::parse::lenient_json::{ElementCount, Object, Objects, Text, lenient_object, parse_object};
use crate::reading::{PushFacts, PushWord, carrier_of, item_count};
use crate::snapshot::TrackingWord;

lenient_object! {
    /// Only what the push log shows.
    Summary {
        "event" => event: Text<'a>,
        "data" => data: Object<DataSummary<'a>>,
    }
}

/// A text that the subscriber has given with the number.
pub(super) const REFERENCE_MEMBERS: [&str; 1] = ["tag"];

lenient_object! {
    /// Only that text.
    Tagged {
        "data" => data: Object<TaggedData<'a>>,
    }
}

lenient_object! {
    TaggedData {
        "tag" => tag: Text<'a>,
    }
}

pub(super) fn tag(payload: &str) -> Option<Cow<'_, str>> {
    let payload: Tagged<'_> = parse_object(payload).ok()?;
    payload.data.0?.tag.trimmed()
}

lenient_object! {
    DataSummary {
        "carrier" => carrier: Text<'a>,
        "track_info" => track_info: Object<TrackInfoSummary<'a>>,
    }
}

lenient_object! {
    TrackInfoSummary {
        "latest_status" => latest_status: Object<LatestStatus<'a>>,
        "tracking" => tracking: Object<TrackingSummary<'a>>,
    }
}

lenient_object! {
    LatestStatus {
        "sub_status" => sub_status: Text<'a>,
    }
}

lenient_object! {
    TrackingSummary {
        "providers" => providers: Objects<ProviderSummary<'a>>,
    }
}

lenient_object! {
    ProviderSummary {
        "events" => events: ElementCount,
    }
}

impl DataSummary<'_> {
    /// How the parcel has ended.
    fn end(&self) -> Option<Status> {
        let latest = self.track_info.0.as_ref()?.latest_status.0.as_ref()?;
        CODES.end(latest.sub_status.as_str()?.trim())
    }

    /// Lines of all lists.
    fn items(&self) -> usize {
        let tracking = self
            .track_info
            .0
            .as_ref()
            .and_then(|track_info| track_info.tracking.0.as_ref());
        let providers = tracking.map_or(&[][..], |tracking| &tracking.providers.0);
        let items = providers.iter().map(|provider| provider.events.0);
        items.fold(0, usize::saturating_add)
    }
}

/// The event word of a push and its parcel; the answer to a query is the parcel itself.
fn summary(origin: Origin, payload: &str) -> Option<(Option<Cow<'_, str>>, DataSummary<'_>)> {
    if origin == Origin::Query {
        return Some((None, parse_object(payload).ok()?));
    }
    let payload: Summary<'_> = parse_object(payload).ok()?;
    Some((payload.event.trimmed(), payload.data.0.unwrap_or_default()))
}

pub(super) fn push_facts<'a>(origin: Origin, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
    let (event, data) = summary(origin, payload)?;
    let items = item_count(data.items());
    Some(PushFacts {
        carrier: carrier_of(carriers, Vendor::SeventeenTrack, carrier_code(data.carrier)),
        tracking_status: event.unwrap_or_default(),
        items,
        total_hours: None,
    })
}

pub(super) fn push_word(origin: Origin, payload: &str) -> Option<PushWord<'_>> {
    let (event, data) = summary(origin, payload)?;
    let items = data.items();
    let end = data.end();
    let carrier = carrier_code(data.carrier);
    if origin == Origin::Query {
        return Some(PushWord {
            carrier,
            ..PushWord::of_query(items)
        });
    }
    let tracking = match EventWord::of(event.as_deref()) {
        EventWord::Updated => TrackingWord::Active,
        EventWord::Stopped => TrackingWord::Stopped,
        EventWord::Unknown => TrackingWord::Unchanged,
    };
    Some(PushWord {
        tracking,
        word: event,
        success: None,
        message: None,
        carrier,
        old_carrier: None,
        new_carrier: None,
        has_items: items > 0,
        end,
    })
}

/// Lines of an answer to a query.
pub(super) fn items_of_query(payload: &str) -> u32 {
    let items = parse_object::<DataSummary<'_>>(payload).map_or(0, |data| data.items());
    u32::try_from(items).unwrap_or(u32::MAX)
}
