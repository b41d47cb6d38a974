//! From the vendor's JSON text to a snapshot: what a push says, before it meets the history of its shipment
//! (rules 9–11, 18–20, 28–30, 33, 35–37, 42, 48–50).

use courierflow_schemas::records::{PushEvent, Segment, Vendor};
use jiff::civil::DateTime;
use serde_json::Value;

use super::{carriers, masking, time};

/// What one push event is to derive.
pub(super) enum Reading {
    /// Nothing in it can be read, or it is a counted no-op: no shipment changes.
    Nothing,
    /// It addresses the shipment of this canonical carrier.
    Parcel { carrier: String, snapshot: Box<Snapshot> },
}

/// Rule 20: the tracking word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Active,
    Ended,
    AbortedNoRecord,
    AbortedStale,
    Corrected,
    Unchanged,
}

/// The normalised content of one push event.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) vendor: Vendor,
    pub(super) word: Word,
    /// Kuaidi100 `updateall`: accepted unless it is a duplicate.
    pub(super) update_all: bool,
    /// Kdniao `PushTime`, UTC seconds.
    pub(super) push_time: Option<i64>,
    /// `lastResult`, or the whole Kdniao parcel.
    pub(super) origin: List,
    /// `destResult`.
    pub(super) destination: List,
    /// UTC seconds.
    pub(super) edd: Option<i64>,
    pub(super) route: Route,
    pub(super) is_loop: bool,
    /// Rule 11.
    pub(super) cross_border: bool,
    /// A usable item was read as +08:00 for want of a zone.
    pub(super) tz_assumed: bool,
}

/// One list of items with what its result says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// Kuaidi100 `state`; Kdniao `StateEx`, else `State`.
    pub(super) state: Option<String>,
    /// Rule 49.
    pub(super) is_check: bool,
    /// In the vendor's order, unusable ones included.
    pub(super) items: Vec<Item>,
}

/// One trace item. Unusable without a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) segment: Segment,
    pub(super) time: Option<Time>,
    /// Rule 33; unmasked.
    pub(super) text: String,
    pub(super) code: Option<String>,
    pub(super) name: Option<String>,
    pub(super) area_code: Option<String>,
    pub(super) area_name: Option<String>,
    /// Rule 35.
    pub(super) place: Option<String>,
    /// The zone that the vendor gave or the carrier has: an offset in seconds or an IANA name.
    pub(super) zone: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) local: DateTime,
    pub(super) utc: i64,
}

/// `routeInfo`: area codes and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) from_code: Option<String>,
    pub(super) from_name: Option<String>,
    pub(super) to_code: Option<String>,
    pub(super) to_name: Option<String>,
}

impl Snapshot {
    pub(super) fn all_items(&self) -> impl Iterator<Item = &Item> {
        self.origin.items.iter().chain(&self.destination.items)
    }

    pub(super) fn usable_items(&self) -> impl Iterator<Item = &Item> {
        self.all_items().filter(|item| item.time.is_some())
    }

    /// A push with items has at least one that can be used.
    pub(super) fn has_items(&self) -> bool {
        self.usable_items().next().is_some()
    }

    /// Rule 28: an item was dropped for its time.
    pub(super) fn bad_time(&self) -> bool {
        self.all_items().any(|item| item.time.is_none())
    }

    pub(super) fn list(&self, segment: Segment) -> &List {
        match segment {
            Segment::Origin => &self.origin,
            Segment::Destination => &self.destination,
        }
    }
}

/// Reads a push event. Number and carrier are those that ingest read (rules 36 and 37).
pub(super) fn read(push: &PushEvent) -> Reading {
    let Ok(Value::Object(_)) = serde_json::from_str(&push.payload) else {
        return Reading::Nothing;
    };
    let payload: Value = serde_json::from_str(&push.payload).unwrap();
    if push.tracking_number.is_empty() {
        return Reading::Nothing;
    }
    match push.vendor {
        Vendor::Kuaidi100 => read_kuaidi100(push, &payload),
        Vendor::Kdniao => read_kdniao(push, &payload),
    }
}

fn read_kuaidi100(push: &PushEvent, payload: &Value) -> Reading {
    let last = &payload["lastResult"];
    if !last.is_object() {
        return Reading::Nothing;
    }
    let status = word_of(&payload["status"]).to_lowercase();
    let new_carrier = word_of(&payload["comNew"]);
    let old_carrier = word_of(&payload["comOld"]);
    let is_correction = status == "abort" && !new_carrier.is_empty();

    // Rule 18: a correction addresses the old shipment, everything else the new carrier's, if there is one.
    let addressed = match (is_correction, old_carrier.is_empty(), new_carrier.is_empty()) {
        (true, false, _) => old_carrier,
        (false, _, false) => new_carrier.clone(),
        (true, true, _) | (false, _, true) => push.vendor_carrier.trim().to_owned(),
    };
    let carrier = carriers::canonical(Vendor::Kuaidi100, &addressed);
    if is_correction && (addressed.is_empty() || carrier == carriers::canonical(Vendor::Kuaidi100, &new_carrier)) {
        return Reading::Nothing;
    }

    let message = without_white_space(text_of(&payload["message"]).unwrap_or_default().as_str());
    let word = match status.as_str() {
        "shutdown" => Word::Ended,
        "abort" if is_correction => Word::Corrected,
        "abort" if message.contains("无变化") => Word::AbortedStale,
        "abort" => Word::AbortedNoRecord,
        "updateall" => Word::Unchanged,
        _ => Word::Active,
    };

    let origin = kuaidi100_list(last, Segment::Origin, None);
    let dest = &payload["destResult"];
    let zone = carriers::zone(&word_of(&dest["com"]));
    let mut destination = kuaidi100_list(dest, Segment::Destination, zone);
    let mut origin = origin;
    if is_correction {
        // Rule 18: items of such a push are ignored.
        origin.items.clear();
        destination.items.clear();
    }
    if !destination.items.iter().any(|item| item.time.is_some()) {
        // Rule 36: destResult without items is absent. Items without a usable time still count as bad.
        destination.state = None;
        destination.is_check = false;
    }
    let tz_assumed = destination
        .items
        .iter()
        .any(|item| item.time.is_some() && item.zone.is_none());
    let route = &last["routeInfo"];
    let snapshot = Snapshot {
        vendor: Vendor::Kuaidi100,
        word,
        update_all: status == "updateall",
        push_time: None,
        edd: text_of(&last["arrivalTime"]).and_then(|text| time::parse_estimate(&text)),
        route: Route {
            from_code: route_code(&route["from"]["number"]),
            from_name: non_blank(&route["from"]["name"]),
            to_code: route_code(&route["to"]["number"]),
            to_name: non_blank(&route["to"]["name"]),
        },
        is_loop: is_one(&last["isLoop"]) || last["isLoop"] == "true",
        cross_border: false,
        tz_assumed,
        origin,
        destination,
    };
    Reading::Parcel {
        carrier,
        snapshot: Box::new(snapshot),
    }
}

fn kuaidi100_list(result: &Value, segment: Segment, zone: Option<&'static str>) -> List {
    List {
        state: code_of(&result["state"]),
        is_check: is_one(&result["ischeck"]),
        items: objects(&result["data"])
            .map(|item| kuaidi100_item(item, segment, zone))
            .collect(),
    }
}

fn kuaidi100_item(item: &Value, segment: Segment, zone: Option<&'static str>) -> Item {
    let local_time = |field: &str| text_of(&item[field]).and_then(|text| time::parse_local(&text));
    let utc = |local: DateTime| match (segment, zone) {
        (Segment::Destination, Some(name)) => time::in_zone(local, name),
        _ => time::at_offset(local, time::CHINA),
    };
    Item {
        segment,
        // Rule 29: ftime, and time if ftime is missing or unparseable. Rule 28: the range.
        time: local_time("ftime")
            .or_else(|| local_time("time"))
            .filter(|local| time::is_possible(*local))
            .map(|local| Time { local, utc: utc(local) }),
        text: masking::folded(&text_of(&item["context"]).unwrap_or_default()),
        code: code_of(&item["statusCode"]),
        name: Some(word_of(&item["status"])).filter(|name| !name.is_empty()),
        area_code: area_code(&item["areaCode"]),
        area_name: non_blank(&item["areaName"]),
        place: non_blank(&item["location"]).or_else(|| non_blank(&item["areaName"])),
        zone: zone.map(str::to_owned),
    }
}

fn read_kdniao(push: &PushEvent, payload: &Value) -> Reading {
    // Rule 42.
    if push.request_type.as_deref().is_some_and(|kind| kind.trim() == "107") {
        return Reading::Nothing;
    }
    let carrier = carriers::canonical(Vendor::Kdniao, &push.vendor_carrier);

    // Rule 19.
    let succeeded = match &payload["Success"] {
        Value::Bool(succeeded) => *succeeded,
        Value::String(text) => !text.trim().eq_ignore_ascii_case("false"),
        _ => true,
    };
    let reason = without_white_space(&text_of(&payload["Reason"]).unwrap_or_default());
    let word = if succeeded {
        Word::Active
    } else if reason.contains("无轨迹变化") {
        Word::AbortedStale
    } else if reason.contains("天无轨迹") {
        Word::AbortedNoRecord
    } else {
        Word::Unchanged
    };

    // Rule 11.
    let offset_of = |trace: &Value| trace["Timezone"].as_str().and_then(time::parse_offset);
    let cross_border =
        carriers::is_international(&carrier) || objects(&payload["Traces"]).any(|trace| offset_of(trace).is_some());

    let items: Vec<Item> = objects(&payload["Traces"])
        .map(|trace| {
            let offset = offset_of(trace);
            Item {
                segment: Segment::Origin,
                time: text_of(&trace["AcceptTime"])
                    .and_then(|text| time::parse_local(&text))
                    .filter(|local| time::is_possible(*local))
                    .map(|local| Time {
                        local,
                        utc: time::at_offset(local, offset.unwrap_or(time::CHINA)),
                    }),
                text: masking::folded(&text_of(&trace["AcceptStation"]).unwrap_or_default()),
                code: code_of(&trace["Action"]),
                name: None,
                area_code: None,
                area_name: None,
                place: non_blank(&trace["Location"]),
                zone: offset.map(|seconds| seconds.to_string()),
            }
        })
        .collect();
    let snapshot = Snapshot {
        vendor: Vendor::Kdniao,
        word,
        update_all: false,
        push_time: push
            .push_time
            .as_deref()
            .and_then(time::parse_local)
            // Rule 23: one push of the year 9999 would make all others look older for ever.
            .filter(|local| time::is_possible(*local))
            .map(|local| time::at_offset(local, time::CHINA)),
        edd: text_of(&payload["EstimatedDeliveryTime"]).and_then(|text| time::parse_estimate(&text)),
        route: Route::default(),
        is_loop: false,
        cross_border,
        tz_assumed: cross_border && items.iter().any(|item| item.time.is_some() && item.zone.is_none()),
        origin: List {
            state: code_of(&payload["StateEx"]).or_else(|| code_of(&payload["State"])),
            is_check: false,
            items,
        },
        destination: List::default(),
    };
    Reading::Parcel {
        carrier,
        snapshot: Box::new(snapshot),
    }
}

/// Rule 56: the columns of `push` that come from the payload: carrier, tracking status, items.
pub(super) fn push_columns(push: &PushEvent) -> (String, String, u16) {
    let payload: Value = serde_json::from_str(&push.payload).unwrap_or(Value::Null);
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    let (vendor_carrier, tracking_status, items) = match push.vendor {
        Vendor::Kuaidi100 => {
            let new_carrier = word_of(&payload["comNew"]);
            let carrier = if new_carrier.is_empty() {
                push.vendor_carrier.clone()
            } else {
                new_carrier
            };
            let items = count(&payload["lastResult"]["data"]) + count(&payload["destResult"]["data"]);
            (carrier, word_of(&payload["status"]), items)
        }
        Vendor::Kdniao => (push.vendor_carrier.clone(), String::new(), count(&payload["Traces"])),
    };
    (
        carriers::canonical(push.vendor, &vendor_carrier),
        tracking_status,
        u16::try_from(items).unwrap_or(u16::MAX),
    )
}

/// Rule 48: elements that are not objects are skipped. No array, no elements.
fn objects(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter(|element| element.is_object())
}

/// A text, or a number as its text.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A word: trimmed; empty when there is none.
fn word_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim().to_owned()
}

/// Rules 10 and 50: a code is a string or an integer, trimmed; "" and null are no code.
fn code_of(value: &Value) -> Option<String> {
    let code = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!code.is_empty()).then_some(code)
}

/// Rule 35: CN and 12 digits, or 12 bare digits, which get their CN.
fn area_code(value: &Value) -> Option<String> {
    let code = code_of(value)?;
    let digits = code.strip_prefix("CN").unwrap_or(&code);
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("CN{digits}"))
}

/// Rule 17: as the vendor's route says it, with the CN that 12 bare digits lack.
fn route_code(value: &Value) -> Option<String> {
    area_code(value).or_else(|| code_of(value))
}

/// The text as the vendor gave it, unless it is blank.
fn non_blank(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// Rule 49: 1, "1" or true.
fn is_one(value: &Value) -> bool {
    code_of(value).as_deref() == Some("1") || *value == Value::Bool(true)
}

fn without_white_space(text: &str) -> String {
    text.chars().filter(|glyph| !glyph.is_whitespace()).collect()
}
