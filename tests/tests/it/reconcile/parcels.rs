//! Parcels: those that exist at the vendors, what is pushed about them, and requests to follow them.

use std::collections::BTreeMap;

use courierflow_schemas::records::{PushEvent, PushId, RequestAction, SubscriptionRequest, TimestampMicros, Vendor};
use courierflow_schemas::registry::SchemaIds;
use courierflow_schemas::topics::{PUSH, SUBSCRIPTION_REQUEST};
use courierflow_schemas::wire::{Encoder, Record};
use courierflow_tests::stack::Stack;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::harness::vendors::Vendors;
use crate::harness::{eventually, topics};

const PARTITIONS: usize = 8;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A push of Kuaidi100 about a parcel, as ingest would write it.
pub(super) fn push(number: &str, carrier: &str, result: &Value, received_at: i64) -> PushEvent {
    let payload = json!({
        "status": "polling", "message": "", "autoCheck": "0", "comOld": "", "comNew": "", "lastResult": result,
    });
    let micros = received_at * 1_000_000;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&micros.to_be_bytes());
    id[8..].copy_from_slice(&xxhash(number).to_be_bytes());
    PushEvent {
        push_id: PushId(id),
        received_at: TimestampMicros(micros),
        vendor_carrier: carrier.to_owned(),
        ..topics::push_event(number, payload.to_string())
    }
}

fn xxhash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A parcel that was picked up then, and no more.
pub(super) fn picked_up(number: &str, carrier: &str, at: i64) -> Value {
    let local = jiff::Timestamp::from_second(at)
        .unwrap()
        .to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
    let time = local.strftime("%Y-%m-%d %H:%M:%S").to_string();
    json!({
        "message": "ok", "state": "1", "status": "200", "ischeck": "0", "com": carrier, "nu": number,
        "data": [{"time": time, "ftime": time, "context": "快件已揽收", "status": "揽收", "statusCode": "1"}],
    })
}

/// A record with its key and its timestamp in milliseconds, if that is not now.
type Keyed<'a, R> = (&'a str, R, Option<i64>);

/// Writes records to the partitions of their numbers.
fn write<R: Record>(stack: &dyn Stack, topic: &str, id: impl Fn(SchemaIds) -> u32, records: &[Keyed<'_, R>]) {
    let ids = topics::registry(stack).schema_ids().unwrap();
    let encoder = Encoder::new(id(ids));
    let mut by_partition: BTreeMap<i32, Vec<Keyed<'_, Vec<u8>>>> = BTreeMap::new();
    for (number, record, at) in records {
        let mut value = Vec::new();
        encoder.encode(record, &mut value).unwrap();
        let partition = topics::murmur2_partition(number, PARTITIONS);
        by_partition.entry(partition).or_default().push((number, value, *at));
    }
    for (partition, records) in &by_partition {
        let records = records
            .iter()
            .map(|(key, value, at)| (*key, Some(value.as_slice()), *at));
        topics::produce_all_at(stack, topic, *partition, records);
    }
}

/// As ingest writes them: the timestamp of a record is the receipt of the push.
pub(super) fn tell(stack: &dyn Stack, pushes: &[PushEvent]) {
    let records: Vec<_> = pushes
        .iter()
        .map(|event| {
            let received = event.received_at.0.div_euclid(1_000);
            (event.tracking_number.as_str(), event.clone(), Some(received))
        })
        .collect();
    write(stack, PUSH, |ids| ids.push, &records);
}

/// Silent for days: the parcels of a list, picked up five days ago and heard of three days ago.
pub(super) fn tell_stalled(stack: &dyn Stack, numbers: &[(String, String)]) {
    let pushes: Vec<_> = numbers
        .iter()
        .map(|(number, carrier)| {
            let result = picked_up(number, carrier, now() - 5 * DAY);
            push(number, carrier, &result, now() - 3 * DAY)
        })
        .collect();
    tell(stack, &pushes);
}

/// Domestic parcels of Kuaidi100.
pub(super) fn domestic(vendors: &Vendors) -> Vec<Value> {
    let is_wanted = |parcel: &Value| parcel["course"] == "Domestic" && parcel["kuaidi100"] != "";
    vendors.parcels().into_iter().filter(is_wanted).collect()
}

/// Those of them whose carrier tells everything without a telephone number.
pub(super) fn domestic_without_phone(vendors: &Vendors) -> Vec<Value> {
    let needs_phone = ["shunfeng", "shunfengkuaiyun", "fengwang", "zhongtong"];
    let mut parcels = domestic(vendors);
    parcels.retain(|parcel| !needs_phone.contains(&text(parcel, "kuaidi100")));
    parcels
}

pub(super) fn text<'a>(parcel: &'a Value, name: &str) -> &'a str {
    parcel[name].as_str().unwrap()
}

/// Asks that each of these vendors follows a parcel of theirs.
pub(super) fn ask_to_follow(stack: &dyn Stack, parcels: &[(Vendor, Value)]) {
    let request = |vendor: Vendor, parcel: &Value| SubscriptionRequest {
        request_id: "r1".to_owned(),
        requester: "test".to_owned(),
        action: RequestAction::Subscribe,
        requested_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
        vendor: Some(vendor.as_str().to_owned()),
        account: None,
        carrier: Some(text(parcel, vendor.as_str()).to_owned()),
        tracking_number: text(parcel, "tracking_number").to_owned(),
        phone: Some("8888".to_owned()),
        from: None,
        to: None,
        product: None,
        international: None,
        reference: None,
        not_before: None,
        force: false,
    };
    let records: Vec<_> = parcels
        .iter()
        .map(|(vendor, parcel)| (text(parcel, "tracking_number"), request(*vendor, parcel), None))
        .collect();
    write(stack, SUBSCRIPTION_REQUEST, |ids| ids.subscription_request, &records);
}

/// Moves the vendors' clock, and waits until all pushes of that time are answered, as long as some are. Where one was answered too late it
/// goes on by an hour, because the vendors wait half an hour before they send a push again.
pub(super) fn let_pass(vendors: &Vendors, seconds: i64) {
    vendors.advance(seconds);
    let mut answered = 0;
    loop {
        let (is_idle, waiting, now) = eventually("the vendors tell everything", || {
            let totals = vendors.ledger("?totals");
            let count = |value: &Value| value.as_u64().unwrap();
            let (waiting, now) = (
                count(&totals["pushes_waiting"]),
                count(&totals["total"]["pushes_answered"]),
            );
            let is_idle = totals["idle"] == true;
            if is_idle || now > answered {
                Ok((is_idle, waiting, now))
            } else {
                Err(totals.to_string())
            }
        });
        match (is_idle, waiting) {
            (true, 0) => return,
            (true, _) => vendors.advance(HOUR),
            (false, _) => {}
        }
        answered = now;
    }
}
