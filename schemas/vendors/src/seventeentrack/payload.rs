//! The JSON of a 17TRACK push. Of its version 2 all minor versions are read: 2.0 has no sub-statuses on events, 2.2 and 2.4 do.

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Origin, PushEvent, Segment, TimestampMillis, Vendor};
use jiff::tz::{Offset, TimeZone};

use super::event::EventWord;
use super::times::{EventTimes, RawTime, parse_estimate, parse_sync_time, zone_of};
use crate::fingerprint::Fingerprint;
use crate::parse::event_time::Zone;
use crate::parse::folding::fold;
use crate::parse::lenient_json::{Object, Objects, Text, lenient_object, parse_object};
use crate::parse::trace_list::{Line, TraceList, Usable};
use crate::reading::{NoOp, ReadError, Reading, carrier_of, tracking_number};
use crate::snapshot::{ResultState, RouteEnd, Snapshot, TrackingWord};

lenient_object! {
    /// The whole push.
    Payload {
        "event" => event: Text<'a>,
        "data" => data: Object<Data<'a>>,
    }
}

lenient_object! {
    Data {
        "number" => number: Text<'a>,
        "carrier" => carrier: Text<'a>,
        "track_info" => track_info: Object<TrackInfo<'a>>,
    }
}

lenient_object! {
    /// `latest_event`, `milestone` and the sums of `time_metrics` repeat what the events say; they are not read.
    TrackInfo {
        "shipping_info" => shipping_info: Object<ShippingInfo<'a>>,
        "latest_status" => latest_status: Object<LatestStatus<'a>>,
        "time_metrics" => time_metrics: Object<TimeMetrics<'a>>,
        "tracking" => tracking: Object<Tracking<'a>>,
    }
}

lenient_object! {
    ShippingInfo {
        "shipper_address" => shipper: Object<PartyAddress<'a>>,
        "recipient_address" => recipient: Object<PartyAddress<'a>>,
    }
}

lenient_object! {
    /// Of a person: more than the country is not read.
    PartyAddress {
        "country" => country: Text<'a>,
    }
}

lenient_object! {
    LatestStatus {
        "status" => status: Text<'a>,
        "sub_status" => sub_status: Text<'a>,
    }
}

lenient_object! {
    TimeMetrics {
        "estimated_delivery_date" => estimate: Object<Estimate<'a>>,
    }
}

lenient_object! {
    Estimate {
        "source" => source: Text<'a>,
        "from" => from: Text<'a>,
        "to" => to: Text<'a>,
    }
}

lenient_object! {
    Tracking {
        "providers" => providers: Objects<Provider<'a>>,
    }
}

lenient_object! {
    /// What one carrier answered.
    Provider {
        "provider" => carrier: Object<ProviderCarrier<'a>>,
        "latest_sync_time" => latest_sync_time: Text<'a>,
        "events" => events: Objects<Event<'a>>,
    }
}

lenient_object! {
    ProviderCarrier {
        "key" => key: Text<'a>,
    }
}

lenient_object! {
    /// The translation of its description comes and goes, and is not read.
    Event {
        "time_iso" => time_iso: Text<'a>,
        "time_utc" => time_utc: Text<'a>,
        "time_raw" => time_raw: Object<RawTime<'a>>,
        "description" => description: Text<'a>,
        "location" => location: Text<'a>,
        "stage" => stage: Text<'a>,
        "sub_status" => sub_status: Text<'a>,
        "address" => address: Object<EventAddress<'a>>,
    }
}

lenient_object! {
    EventAddress {
        "city" => city: Text<'a>,
        "state" => state: Text<'a>,
        "country" => country: Text<'a>,
    }
}

pub(super) fn read<'a>(
    event: &'a PushEvent,
    payload: &'a str,
    carriers: &'a Carriers,
) -> Result<Reading<'a>, ReadError> {
    let (word, data) = match event.origin {
        Origin::Push => {
            let payload: Payload<'a> = parse_object(payload)?;
            let word = EventWord::of(payload.event.as_str());
            (Some(word), payload.data.0.ok_or(ReadError::NoParcel)?)
        }
        // An answer to a query is the parcel itself (rule 4.13).
        Origin::Query => (None, parse_object(payload)?),
    };
    let tracking_number = tracking_number(event, data.number.as_str())?;
    let told = data.track_info.0.unwrap_or_default();
    let (tracking, track_info) = match word {
        None => (TrackingWord::Unchanged, told),
        Some(EventWord::Updated) => (TrackingWord::Active, told),
        // May have come in without a signature: whatever else it says is not believed.
        Some(EventWord::Stopped) => (TrackingWord::Stopped, TrackInfo::default()),
        Some(EventWord::Unknown) => return Ok(Reading::Nothing(NoOp::UnknownEvent)),
    };
    let carrier = carrier_code(data.carrier);
    let providers = Providers::of(carriers, track_info.tracking, carrier.as_deref());

    let mut content = Fingerprint::with_capacity(providers.lines().saturating_mul(512).saturating_add(256));
    content.text(tracking.as_str()).optional_text(carrier.as_deref());
    let push_time = providers.latest_sync();
    let edd = track_info
        .time_metrics
        .0
        .and_then(|metrics| estimate(metrics, &providers));
    let lines = providers.read(&mut content);

    let latest_status = track_info.latest_status.0.unwrap_or_default();
    let state = ResultState {
        code: latest_status.sub_status.trimmed(),
        signed_off: false,
    };
    let shipping = track_info.shipping_info.0.unwrap_or_default();
    let (route_from, route_to) = (country(shipping.shipper), country(shipping.recipient));
    content
        .optional_text(latest_status.status.trimmed().as_deref())
        .optional_text(state.code.as_deref())
        .optional_number(edd.map(|edd| edd.0))
        .optional_text(route_from.name.as_deref())
        .optional_text(route_to.name.as_deref());

    Ok(Reading::Snapshot(Box::new(Snapshot {
        vendor: Vendor::SeventeenTrack,
        carrier: carrier_of(carriers, Vendor::SeventeenTrack, carrier),
        tracking_number,
        account: Cow::Borrowed(&event.account),
        push_id: event.push_id,
        origin: event.origin,
        received_at: event.received_at,
        signature: event.signature,
        push_time,
        tracking,
        full_repush: false,
        codes: &super::codes::CODES,
        content_hash: content.finish(),
        items: lines.items,
        bad_times: lines.bad_times,
        left_out: 0,
        // One verdict for both.
        origin_state: state.clone(),
        destination_state: state,
        edd,
        route_from,
        route_to,
        route_loop: false,
        reference: None,
        dest_carrier: None,
        dest_number: None,
        corrected_to: None,
    })))
}

/// A carrier's number as text; 0 is the vendor's number for none.
pub(super) fn carrier_code(carrier: Text<'_>) -> Option<Cow<'_, str>> {
    carrier.code().filter(|code| code != "0")
}

/// The carriers that were asked, the one that the parcel was registered with first: its list is the origin's.
struct Providers<'a> {
    list: Vec<AskedCarrier<'a>>,
}

struct AskedCarrier<'a> {
    code: Option<Cow<'a, str>>,
    zone: Option<TimeZone>,
    latest_sync_time: Text<'a>,
    events: Vec<Event<'a>>,
}

impl<'a> Providers<'a> {
    fn of(carriers: &Carriers, tracking: Object<Tracking<'a>>, registered: Option<&str>) -> Self {
        let providers = tracking.0.unwrap_or_default().providers.0;
        let asked = |provider| AskedCarrier::of(carriers, provider);
        let mut list: Vec<_> = providers.into_iter().map(asked).collect();
        let is_registered = |carrier: &AskedCarrier<'_>| registered.is_some() && carrier.code.as_deref() == registered;
        if let Some(position) = list.iter().position(is_registered) {
            let origin = list.remove(position);
            list.insert(0, origin);
        }
        Self { list }
    }

    fn lines(&self) -> usize {
        self.list.iter().map(|carrier| carrier.events.len()).sum()
    }

    /// The vendor tells no time of a push. Every one follows an answer of a carrier, so that the last answer orders them.
    fn latest_sync(&self) -> Option<TimestampMillis> {
        let times = self.list.iter().filter_map(|carrier| carrier.latest_sync_time.as_str());
        times.filter_map(parse_sync_time).max()
    }

    /// The zone of who will deliver.
    fn delivering_zone(&self) -> TimeZone {
        let zone = self.list.last().and_then(|carrier| carrier.zone.clone());
        zone.unwrap_or(TimeZone::UTC)
    }

    fn read(self, content: &mut Fingerprint) -> Usable<'a> {
        let mut all = Usable::default();
        let segments = std::iter::once(Segment::Origin).chain(std::iter::repeat(Segment::Destination));
        for (carrier, segment) in self.list.into_iter().zip(segments) {
            all.append(carrier.read(segment, content));
        }
        all
    }
}

impl<'a> AskedCarrier<'a> {
    fn of(carriers: &Carriers, provider: Provider<'a>) -> Self {
        let code = carrier_code(provider.carrier.0.unwrap_or_default().key);
        Self {
            zone: zone_of(carriers, code.as_ref()),
            code,
            latest_sync_time: provider.latest_sync_time,
            events: provider.events.0,
        }
    }

    fn read(self, segment: Segment, content: &mut Fingerprint) -> Usable<'a> {
        let mut list = TraceList::new(segment, self.events.len(), &super::codes::CODES);
        content
            .optional_text(self.code.as_deref())
            .number(i64::try_from(self.events.len()).unwrap_or(i64::MAX));
        let zone = self.zone.map_or(Zone::Assumed(Offset::UTC), Zone::Rules);
        for event in self.events {
            let times = EventTimes {
                iso: &event.time_iso,
                utc: &event.time_utc,
                raw: &event.time_raw,
            };
            let time = times.read(&zone);
            times.hash(content);
            content.optional_text(event.stage.as_str());
            let line = Line {
                time,
                text: fold(event.description.verbatim_or_empty()),
                code: event.sub_status.trimmed().or_else(|| event.stage.trimmed()),
                name: None,
                area_code: None,
                area_name: None,
                place: event.location.verbatim().or_else(|| place(event.address)),
            };
            list.push(line, content);
        }
        list.finish(content)
    }
}

/// City, state and country of an event without a location. A country alone is no place: it is the carrier's own.
fn place(address: Object<EventAddress<'_>>) -> Option<Cow<'_, str>> {
    let address = address.0?;
    let mut parts: Vec<_> = [address.city, address.state]
        .into_iter()
        .filter_map(Text::trimmed)
        .collect();
    if parts.is_empty() {
        return None;
    }
    parts.extend(address.country.trimmed());
    Some(Cow::Owned(parts.join(", ")))
}

/// `to`, which was there whenever `from` was. The vendor's own guess is no promise of the carrier.
fn estimate(metrics: TimeMetrics<'_>, providers: &Providers<'_>) -> Option<TimestampMillis> {
    let estimate = metrics.estimate.0?;
    let source = estimate.source.as_str().unwrap_or_default();
    if source.to_ascii_lowercase().contains("17track") {
        return None;
    }
    let zone = providers.delivering_zone();
    [estimate.to, estimate.from]
        .iter()
        .filter_map(Text::as_str)
        .find_map(|text| parse_estimate(text, &zone))
}

/// An end of the route: the country's two letters, and no area code.
fn country(address: Object<PartyAddress<'_>>) -> RouteEnd<'_> {
    let country = address.0.and_then(|address| address.country.trimmed());
    let is_code = |country: &Cow<'_, str>| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
    RouteEnd {
        code: None,
        name: country.filter(is_code).map(upper_case),
    }
}

fn upper_case(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Cow::Owned(text.to_ascii_uppercase());
    }
    text
}
