//! Whether what was acknowledged is on the push topic. Each push is looked for by itself: a count would not miss one where another one
//! lies twice, as it does after every answer that did not arrive.

use std::collections::HashMap;

use courierflow_schemas::records::{PushEvent, PushId, Vendor};
use courierflow_tests::simulator::push::SimulatedPush;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

/// Panics with the first of them if acknowledged pushes are missing.
pub(crate) fn assert_stored(acknowledged: impl IntoIterator<Item = SimulatedPush>, stored: &[PushEvent]) {
    let lost = lost(acknowledged, stored);
    let shown = &lost[..lost.len().min(5)];
    assert!(lost.is_empty(), "{} are lost:\n{}", lost.len(), shown.join("\n"));
}

/// The acknowledged pushes that are missing among the stored ones, one text for each of their parcels. A push that the vendor has
/// repeated, byte for byte, was acknowledged as often, and must be there as often.
pub(crate) fn lost(acknowledged: impl IntoIterator<Item = SimulatedPush>, stored: &[PushEvent]) -> Vec<String> {
    let mut found: HashMap<(PushId, u16), Vec<&PushEvent>> = HashMap::new();
    for event in stored {
        found.entry((event.push_id, event.part)).or_default().push(event);
    }
    let mut wanted: HashMap<(PushId, u16), usize> = HashMap::new();
    let mut lost = Vec::new();
    for push in acknowledged {
        let id = push_id(&push);
        let payloads = payloads(&push);
        assert_eq!(payloads.len(), push.tracking_numbers.len(), "parcels of a push");
        for (part, (number, payload)) in (0_u16..).zip(push.tracking_numbers.iter().zip(&payloads)) {
            let times = wanted.entry((id, part)).or_default();
            *times += 1;
            let events = found.get(&(id, part)).map(Vec::as_slice).unwrap_or_default();
            let whole = events.iter().filter(|event| tells(event, number, payload)).count();
            if whole < *times {
                lost.push(format!(
                    "{number}: {times} times acknowledged, {whole} times stored: {payload}"
                ));
            }
        }
    }
    lost
}

/// Whether an event tells this of this parcel. That texts are stored byte for byte is tested where ingest is; here they are read, because
/// what is stored of a push of several parcels is a piece of its text.
fn tells(event: &PushEvent, number: &str, payload: &Value) -> bool {
    let stored: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    event.tracking_number == number && stored == *payload
}

/// The id of a push: XXH3-128 of vendor, account and body, each after its length.
fn push_id(push: &SimulatedPush) -> PushId {
    let parts: [&[u8]; 3] = [push.vendor.as_str().as_bytes(), push.account.as_bytes(), &push.body];
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    PushId(xxh3_128(&bytes).to_be_bytes())
}

/// What a push tells, parcel by parcel.
fn payloads(push: &SimulatedPush) -> Vec<Value> {
    match push.vendor {
        Vendor::Kuaidi100 => vec![of_kuaidi100(&push.body)],
        Vendor::Kdniao => of_kdniao(&push.body),
        Vendor::SeventeenTrack => vec![json(&push.body)],
    }
}

fn of_kuaidi100(body: &[u8]) -> Value {
    if body.starts_with(b"{") {
        return json(body);
    }
    if let Some(param) = field(body, "param") {
        return json(param.as_bytes());
    }
    // The fields of the form are those of the payload: ingest makes an object of them.
    let mut payload = Map::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        let value = match name.as_str() {
            "lastResult" | "destResult" => json(value.as_bytes()),
            _ => Value::String(value),
        };
        payload.insert(name, value);
    }
    Value::Object(payload)
}

fn of_kdniao(body: &[u8]) -> Vec<Value> {
    let mut push = if body.starts_with(b"{") {
        json(body)
    } else {
        let text = field(body, "RequestData").expect("a form of Kdniao has RequestData");
        json(decoded(text).as_bytes())
    };
    match push["Data"].take() {
        Value::Array(parcels) => parcels,
        other => panic!("{other} is no list of parcels"),
    }
}

/// The text of a field that some products of Kdniao encode twice.
fn decoded(text: String) -> String {
    if text.starts_with('{') {
        return text;
    }
    // What is encoded has neither `=` nor `&`, so that it reads as the name of the only field of a form.
    let mut fields = form_urlencoded::parse(text.as_bytes()).into_owned();
    fields.next().expect("a text").0
}

fn field(form: &[u8], name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(form).into_owned();
    fields.find(|(key, _)| key == name).map(|(_, value)| value)
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("a vendor sends JSON")
}

#[cfg(test)]
mod tests {
    use courierflow_vendors::account::{Account, Unsigned};
    use courierflow_vendors::push::{PushRequest, read};

    use super::*;
    use crate::harness::load::simulation;
    use crate::harness::topics::push_event;

    /// The events of a push as ingest writes them.
    fn events(push: &SimulatedPush) -> Vec<PushEvent> {
        let account = Account {
            name: push.account.clone(),
            vendor: push.vendor,
            contract_id: String::new(),
            secrets: Vec::new(),
            unsigned: Unsigned::Accept,
            unsigned_end: false,
        };
        let request = PushRequest {
            body: &push.body,
            signature: None,
        };
        let parcels = read(request, &account).unwrap().parcels.into_iter();
        let event = |number: &str, part, payload| PushEvent {
            push_id: push_id(push),
            part,
            vendor: push.vendor,
            ..push_event(number, payload)
        };
        parcels
            .map(|parcel| event(&parcel.tracking_number, parcel.part, parcel.payload))
            .collect()
    }

    #[test]
    fn i1_copies_of_other_pushes_do_not_hide_that_one_is_missing() {
        let sent: Vec<SimulatedPush> = simulation(1, 100).collect();
        let stored: Vec<PushEvent> = sent.iter().flat_map(events).collect();
        assert_stored(sent.clone(), &stored);
        for vendor in Vendor::ALL {
            let missing = stored.iter().find(|event| event.vendor == vendor).unwrap();
            let is_missing = |event: &PushEvent| (event.push_id, event.part) == (missing.push_id, missing.part);
            let others = stored.iter().filter(|event| !is_missing(event)).cloned();
            let others: Vec<PushEvent> = others.collect();
            let lost = lost(sent.clone(), &[others.clone(), others].concat());
            let times = stored.iter().filter(|event| is_missing(event)).count();
            assert_eq!(lost.len(), times, "{vendor}: {lost:?}");
        }
    }

    #[test]
    fn i1_a_push_that_is_stored_with_the_payload_of_another_one_is_missing() {
        let sent: Vec<SimulatedPush> = simulation(1, 100).collect();
        let mut stored: Vec<PushEvent> = sent.iter().flat_map(events).collect();
        let other = stored[0].payload.clone();
        stored.last_mut().unwrap().payload = other;
        let lost = lost(sent, &stored);
        assert_eq!(lost.len(), 1, "{lost:?}");
    }
}
