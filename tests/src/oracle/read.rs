//! From the vendor's JSON text to a snapshot: what a push says, before it meets the history of its shipment
//! (rules 2.2, 3.1, 3.4, 3.5, 4.1–4.13, 5.5, 6.2, 6.3, 8.3c, 11.1, 11.2).

use std::borrow::Borrow;

use courierflow_schemas::records::{Origin, PushEvent, Segment, Vendor};
use serde_json::{Value, json};

use super::time::{Time, Zone};
use super::{carriers, codes, masking, seventeentrack, time};

/// What one push event is to derive.
pub(super) enum Reading {
    /// Nothing in it can be read, or it is a counted no-op: no shipment changes.
    Nothing,
    /// It addresses the shipment of this canonical carrier.
    Parcel { carrier: String, snapshot: Box<Snapshot> },
}

/// Rule 5.5: the tracking word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Active,
    Ended,
    AbortedNoRecord,
    AbortedStale,
    Corrected,
    Unchanged,
    /// 17TRACK's stop: what is known of the parcel says why.
    Stopped,
}

/// The normalised content of one push event.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) vendor: Vendor,
    pub(super) word: Word,
    /// Kuaidi100 `updateall`: accepted unless it is a duplicate.
    pub(super) update_all: bool,
    /// Kdniao `PushTime` or 17TRACK's last question to a carrier, UTC seconds; none if it lies in the future (rule
    /// 5.2a).
    pub(super) push_time: Option<i64>,
    /// `lastResult`, or the whole Kdniao parcel.
    pub(super) origin: List,
    /// `destResult`.
    pub(super) destination: List,
    /// UTC seconds.
    pub(super) edd: Option<i64>,
    pub(super) route: Route,
    pub(super) is_loop: bool,
    /// Rule 4.7.
    pub(super) cross_border: bool,
    /// A usable item was read as +08:00 for want of a zone.
    pub(super) tz_assumed: bool,
    /// What else makes it another push, as sent.
    pub(super) also: String,
    /// The order.
    pub(super) reference: Option<String>,
    /// Kuaidi100 `destResult`: canonical carrier and number.
    pub(super) dest_carrier: Option<String>,
    pub(super) dest_number: Option<String>,
    /// Canonical carrier of a correction.
    pub(super) corrected_to: Option<String>,
}

/// One list of items with what its result says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// Kuaidi100 `state`; Kdniao `StateEx`, else `State`.
    pub(super) state: Option<String>,
    /// Rule 4.2.
    pub(super) is_check: bool,
    /// In the vendor's order, unusable ones included.
    pub(super) items: Vec<Item>,
}

/// One trace item. Unusable without a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) segment: Segment,
    pub(super) time: Option<Time>,
    /// Rule 4.9; unmasked.
    pub(super) text: String,
    pub(super) code: Option<String>,
    pub(super) name: Option<String>,
    pub(super) area_code: Option<String>,
    pub(super) area_name: Option<String>,
    /// Rule 4.10.
    pub(super) place: Option<String>,
    /// The zone that the vendor gave or the carrier has.
    pub(super) zone: Option<Zone>,
    /// The vendor gave a zone that cannot be read.
    pub(super) zone_unread: bool,
    /// Which of the lists of its segment it stands in: 17TRACK's destination may have several.
    pub(super) list: usize,
    /// What else makes it another item, as sent.
    pub(super) also: String,
    /// Rule 4.12: one too many.
    pub(super) left_out: bool,
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
        self.all_items().filter(|item| item.time.is_some() && !item.left_out)
    }

    /// Rule 4.12.
    pub(super) fn is_truncated(&self) -> bool {
        self.all_items().any(|item| item.left_out)
    }

    /// Rule 4.12.
    fn leave_out(&mut self) {
        const EARLIEST: usize = 100;
        const NEWEST: usize = 4_900;
        let [mut usable, of_destination] = [&mut self.origin, &mut self.destination]
            .map(|list| in_list_order(list.items.iter_mut().filter(|item| item.time.is_some()).collect()));
        usable.extend(of_destination);
        if usable.len() <= EARLIEST + NEWEST {
            return;
        }
        usable.sort_by_key(|item| item.time.unwrap().utc);
        let end = usable.len() - NEWEST;
        for item in &mut usable[EARLIEST..end] {
            item.left_out = true;
        }
    }

    /// A push with items has at least one that can be used.
    pub(super) fn has_items(&self) -> bool {
        self.usable_items().next().is_some()
    }

    /// UTC seconds of the items that are not in the future at `received_at`, in µs.
    pub(super) fn present_times(&self, received_at: i64) -> impl Iterator<Item = i64> {
        self.usable_items()
            .filter_map(|item| item.time)
            .map(|time| time.utc)
            .filter(move |utc| !time::is_future(*utc, received_at))
    }

    /// Rule 4.6: an item was dropped for its time.
    pub(super) fn bad_time(&self) -> bool {
        self.all_items().any(|item| item.time.is_none())
    }

    /// Rule 10.7: an item of the other country, or of a zone that is not China's or not known.
    pub(super) fn is_abroad(&self) -> bool {
        let is_elsewhere = |item: &Item| {
            let is_on_chinas_clock = |time: Time| time.in_zone == time::CHINA.local(time.utc);
            item.zone.is_none() || item.zone_unread || !item.time.is_some_and(is_on_chinas_clock)
        };
        self.usable_items().any(|item| match self.vendor {
            // The first list is China's.
            Vendor::Kuaidi100 => item.segment == Segment::Destination,
            Vendor::Kdniao => self.cross_border && is_elsewhere(item),
            Vendor::SeventeenTrack => item.segment == Segment::Destination || is_elsewhere(item),
        })
    }

    pub(super) fn list(&self, segment: Segment) -> &List {
        match segment {
            Segment::Origin => &self.origin,
            Segment::Destination => &self.destination,
        }
    }
}

/// Rule 7.1: usable items oldest first. A segment may have several lists, each with a direction of its own.
pub(super) fn in_list_order<T: Borrow<Item>>(usable: Vec<T>) -> Vec<T> {
    let utc = |item: &T| item.borrow().time.unwrap().utc;
    let mut ordered = Vec::new();
    let mut usable = usable.into_iter().peekable();
    while let Some(first) = usable.next() {
        let number = first.borrow().list;
        let mut list = vec![first];
        while let Some(next) = usable.next_if(|item| item.borrow().list == number) {
            list.push(next);
        }
        let ascending = utc(&list[0]) < utc(&list[list.len() - 1]);
        if !ascending {
            list.reverse();
        }
        ordered.extend(list);
    }
    ordered
}

/// Reads a push event. Number and carrier are those that ingest read (rules 3.1 and 4.8).
pub(super) fn read(push: &PushEvent) -> Reading {
    let Ok(Value::Object(_)) = serde_json::from_str(&push.payload) else {
        return Reading::Nothing;
    };
    let payload: Value = serde_json::from_str(&push.payload).unwrap();
    if push.tracking_number.is_empty() {
        return Reading::Nothing;
    }
    let mut reading = match push.vendor {
        Vendor::Kuaidi100 if push.origin == Origin::Query => read_kuaidi100(push, &as_pushed(&payload)),
        Vendor::Kuaidi100 => read_kuaidi100(push, &payload),
        Vendor::Kdniao => read_kdniao(push, &payload),
        Vendor::SeventeenTrack if push.origin == Origin::Query => {
            // Rule 4.13: the answer is what an update has in `data`.
            seventeentrack::read(push, &json!({"event": "TRACKING_UPDATED", "data": payload}))
        }
        Vendor::SeventeenTrack => seventeentrack::read(push, &payload),
    };
    if let Reading::Parcel { snapshot, .. } = &mut reading {
        snapshot.leave_out();
        snapshot.reference = told_reference(push);
        if push.origin == Origin::Query {
            // Rule 4.13.
            snapshot.word = Word::Unchanged;
            snapshot.push_time = None;
        }
    }
    reading
}

/// Rule 4.13: the answer is what a push has in `lastResult`, and all that it has.
fn as_pushed(answer: &Value) -> Value {
    json!({"lastResult": answer})
}

fn read_kuaidi100(push: &PushEvent, payload: &Value) -> Reading {
    let last = &opened(&payload["lastResult"]);
    if !last.is_object() {
        return Reading::Nothing;
    }
    let status = word_of(&payload["status"]).to_lowercase();
    let new_carrier = carriers::identifier(&word_of(&payload["comNew"]));
    let old_carrier = carriers::identifier(&word_of(&payload["comOld"]));
    let is_correction = status == "abort" && !new_carrier.is_empty();

    // Rule 11.2: a correction addresses the old shipment, everything else the new carrier's, if there is one.
    let addressed = match (is_correction, old_carrier.is_empty(), new_carrier.is_empty()) {
        (true, false, _) => old_carrier,
        (false, _, false) => new_carrier.clone(),
        (true, true, _) | (false, _, true) => carriers::identifier(&push.vendor_carrier),
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
    let dest = &opened(&payload["destResult"]);
    let zone = carriers::zone(&word_of(&dest["com"]));
    let mut destination = kuaidi100_list(dest, Segment::Destination, zone);
    let mut origin = origin;
    if is_correction {
        // Rule 11.2: items of such a push are ignored.
        origin.items.clear();
        destination.items.clear();
    }
    if !destination.items.iter().any(|item| item.time.is_some()) {
        // Rule 4.8: destResult without items is absent. Items without a usable time still count as bad.
        destination.state = None;
        destination.is_check = false;
    }
    let tz_assumed = destination
        .items
        .iter()
        .any(|item| item.time.is_some_and(|time| !time.is_absolute) && item.zone.is_none());
    let (mut dest_carrier, mut dest_number) = (None, None);
    if !is_correction {
        let code = carriers::identifier(&word_of(&dest["com"]));
        dest_carrier = (!code.is_empty()).then(|| carriers::canonical(Vendor::Kuaidi100, &code));
        let number = carriers::identifier(&word_of(&dest["nu"])).replace(char::is_whitespace, "");
        let is_number = !number.is_empty()
            && number
                .chars()
                .all(|letter| letter == '-' || letter.is_ascii_alphanumeric());
        dest_number = is_number.then(|| number.to_ascii_uppercase());
    }
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
        also: String::new(),
        origin,
        destination,
        reference: None,
        dest_carrier,
        dest_number,
        corrected_to: is_correction.then(|| carriers::canonical(Vendor::Kuaidi100, &new_carrier)),
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
            .iter()
            .map(|item| kuaidi100_item(item, segment, zone))
            .filter(|item| !is_placeholder(Vendor::Kuaidi100, item))
            .collect(),
    }
}

fn kuaidi100_item(item: &Value, segment: Segment, zone: Option<&'static str>) -> Item {
    let zone = zone.map(|name| Zone::Named(name.to_owned()));
    let clock = zone.clone().unwrap_or(time::CHINA);
    Item {
        segment,
        // Rule 4.4: ftime, and time if ftime is missing or unparseable; rule 4.5: or outside the range of rule 4.6.
        time: time_of(&item["ftime"], &clock).or_else(|| time_of(&item["time"], &clock)),
        text: masking::folded(&text_of(&item["context"]).unwrap_or_default()),
        code: code_of(&item["statusCode"]),
        name: Some(word_of(&item["status"])).filter(|name| !name.is_empty()),
        area_code: area_code(&item["areaCode"]),
        area_name: non_blank(&item["areaName"]),
        place: non_blank(&item["location"]).or_else(|| non_blank(&item["areaName"])),
        zone,
        zone_unread: false,
        list: 0,
        also: String::new(),
        left_out: false,
    }
}

fn time_of(value: &Value, zone: &Zone) -> Option<Time> {
    time::placed(time::parse(&text_of(value)?)?, zone)
}

/// Rule 8.3c: a line without a usable code or name that only says that nothing was found.
pub(super) fn is_placeholder(vendor: Vendor, item: &Item) -> bool {
    let says = codes::by_code_or_name(vendor, false, item.code.as_deref(), item.name.as_deref(), &item.text);
    says.is_none() && codes::says_nothing_was_found(&item.text)
}

fn read_kdniao(push: &PushEvent, payload: &Value) -> Reading {
    // Rule 3.5.
    if push.request_type.as_deref().is_some_and(|kind| kind.trim() == "107") {
        return Reading::Nothing;
    }
    let carrier = carriers::canonical(Vendor::Kdniao, &push.vendor_carrier);
    let field = |name: &str| kdniao_field(payload, name);

    // Rule 11.1.
    let succeeded = match field("Success") {
        Value::Bool(succeeded) => *succeeded,
        Value::String(text) => !text.trim().eq_ignore_ascii_case("false"),
        _ => true,
    };
    let reason = without_white_space(&text_of(field("Reason")).unwrap_or_default());
    let word = if succeeded {
        Word::Active
    } else if reason.contains("无轨迹变化") {
        Word::AbortedStale
    } else if reason.contains("天无轨迹") {
        Word::AbortedNoRecord
    } else {
        Word::Unchanged
    };

    let items_in = |own_zone: Option<&time::Zone>| -> Vec<Item> {
        objects(field("Traces"))
            .iter()
            .map(|trace| kdniao_item(trace, own_zone))
            .filter(|item| !is_placeholder(Vendor::Kdniao, item))
            .collect()
    };
    let mut items = items_in(None);
    // Rule 4.7. Rule 4.5: a zone that cannot be read leaves a domestic parcel domestic.
    let cross_border = carriers::is_international(&carrier) || items.iter().any(|item| item.zone.is_some());
    // Rule 3.3.
    let own_zone = carriers::zone_of_kdniao(&carrier).map(|name| time::Zone::Named(name.to_owned()));
    if cross_border && own_zone.is_some() {
        items = items_in(own_zone.as_ref());
    }
    let is_assumed = |item: &Item| {
        let is_doubtful = item.zone_unread || cross_border && item.zone.is_none();
        item.time.is_some_and(|time| !time.is_absolute) && is_doubtful
    };
    let tz_assumed = items.iter().any(is_assumed);
    let snapshot = Snapshot {
        vendor: Vendor::Kdniao,
        word,
        update_all: false,
        push_time: told_push_time(push),
        edd: text_of(field("EstimatedDeliveryTime")).and_then(|text| time::parse_estimate(&text)),
        route: Route::default(),
        is_loop: false,
        cross_border,
        tz_assumed,
        also: String::new(),
        origin: List {
            state: code_of(field("StateEx")).or_else(|| code_of(field("State"))),
            is_check: false,
            items,
        },
        destination: List::default(),
        reference: None,
        dest_carrier: None,
        dest_number: None,
        corrected_to: None,
    };
    Reading::Parcel {
        carrier,
        snapshot: Box::new(snapshot),
    }
}

/// Rule 5.11: what is no reference is none.
pub(super) fn told_reference(push: &PushEvent) -> Option<String> {
    let is_reference = |text: &&String| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        !text.is_empty() && text.len() <= 64 && text.chars().all(allowed)
    };
    push.reference.as_ref().filter(is_reference).cloned()
}

/// Kdniao's `PushTime`, UTC seconds.
pub(super) fn told_push_time(push: &PushEvent) -> Option<i64> {
    // Rule 5.7: one push of the year 9999 would make all others look older for ever.
    let placed = time::placed(time::parse(push.push_time.as_deref()?)?, &time::CHINA)?;
    Some(placed.utc).filter(|utc| !time::is_future(*utc, push.received_at.0))
}

fn kdniao_item(trace: &Value, of_carrier: Option<&time::Zone>) -> Item {
    let field = |name: &str| kdniao_field(trace, name);
    let told = text_of(field("Timezone")).filter(|text| !text.trim().is_empty());
    let told_zone = told.as_deref().and_then(time::parse_zone);
    let zone_unread = told.is_some() && told_zone.is_none();
    let zone = told_zone.or_else(|| of_carrier.cloned());
    Item {
        segment: Segment::Origin,
        time: time_of(field("AcceptTime"), zone.as_ref().unwrap_or(&time::CHINA)),
        text: masking::folded(&text_of(field("AcceptStation")).unwrap_or_default()),
        code: code_of(field("Action")),
        name: None,
        area_code: None,
        area_name: None,
        place: non_blank(field("Location")),
        zone_unread,
        zone,
        list: 0,
        also: String::new(),
        left_out: false,
    }
}

/// Rule 2.2: Kdniao's keys, also with a first letter in lower case; the documented spelling wins.
fn kdniao_field<'a>(object: &'a Value, name: &str) -> &'a Value {
    match object.get(name) {
        Some(value) => value,
        None => &object[name[..1].to_lowercase() + &name[1..]],
    }
}

/// Rule 14.4: the columns of `push` that come from the payload: carrier, tracking status, items.
pub(super) fn push_columns(push: &PushEvent) -> (String, String, u16) {
    let payload: Value = serde_json::from_str(&push.payload).unwrap_or(Value::Null);
    let payload = match push.vendor {
        Vendor::Kuaidi100 if push.origin == Origin::Query => as_pushed(&payload),
        Vendor::SeventeenTrack if push.origin == Origin::Query => json!({"data": payload}),
        _ => payload,
    };
    let (vendor_carrier, tracking_status, items) = match push.vendor {
        Vendor::Kuaidi100 => {
            let new_carrier = carriers::identifier(&word_of(&payload["comNew"]));
            let carrier = if new_carrier.is_empty() {
                push.vendor_carrier.clone()
            } else {
                new_carrier
            };
            let count = |result: &str| elements(&opened(&payload[result])["data"]).len();
            let items = count("lastResult") + count("destResult");
            (carrier, word_of(&payload["status"]), items)
        }
        Vendor::Kdniao => {
            let items = elements(kdniao_field(&payload, "Traces")).len();
            (push.vendor_carrier.clone(), String::new(), items)
        }
        Vendor::SeventeenTrack => seventeentrack::push_columns(&payload),
    };
    (
        carriers::canonical(push.vendor, &vendor_carrier),
        tracking_status,
        u16::try_from(items).unwrap_or(u16::MAX),
    )
}

/// Rule 2.2: what may be a JSON text is opened, once.
fn opened(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    }
}

/// Rule 2.2: an array, an object whose keys are all numbers, or one object in its place. Nothing else has elements.
fn elements(list: &Value) -> Vec<Value> {
    match opened(list) {
        Value::Array(elements) => elements,
        Value::Object(object) if object.keys().all(|key| key.parse::<u64>().is_ok()) => {
            let mut numbered: Vec<(u64, Value)> = object
                .into_iter()
                .map(|(key, value)| (key.parse().unwrap(), value))
                .collect();
            numbered.sort_by_key(|(number, _)| *number);
            numbered.into_iter().map(|(_, value)| value).collect()
        }
        Value::Object(object) => vec![Value::Object(object)],
        _ => Vec::new(),
    }
}

/// Rule 4.1: elements that are not objects are skipped.
fn objects(list: &Value) -> Vec<Value> {
    elements(list).into_iter().filter(Value::is_object).collect()
}

/// A text, or a number as its text.
pub(super) fn text_of(value: &Value) -> Option<String> {
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

/// Rules 4.3 and 6.3: a code is a string or an integer, trimmed; "" and null are no code.
pub(super) fn code_of(value: &Value) -> Option<String> {
    let code = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!code.is_empty()).then_some(code)
}

/// Rule 4.10: CN and 12 digits, or 12 bare digits, which get their CN.
fn area_code(value: &Value) -> Option<String> {
    let code = code_of(value)?;
    let digits = code.strip_prefix("CN").unwrap_or(&code);
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("CN{digits}"))
}

/// Rule 10.5: as the vendor's route says it, with the CN that 12 bare digits lack.
fn route_code(value: &Value) -> Option<String> {
    area_code(value).or_else(|| code_of(value))
}

/// The text as the vendor gave it, unless it is blank.
pub(super) fn non_blank(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// Rule 4.2: 1, "1" or true.
fn is_one(value: &Value) -> bool {
    code_of(value).as_deref() == Some("1") || *value == Value::Bool(true)
}

fn without_white_space(text: &str) -> String {
    text.chars().filter(|glyph| !glyph.is_whitespace()).collect()
}
