//! What is asked, and what is on the topics of subscriptions.

use std::collections::BTreeMap;

use courierflow_schemas::records::{
    PushEvent, RequestAction, Subscription, SubscriptionRequest, SubscriptionState, TimestampMicros, VendorCall,
};
use courierflow_schemas::topics::{PUSH, SUBSCRIPTION, SUBSCRIPTION_REQUEST, SUBSCRIPTION_SECRET, VENDOR_CALL};
use courierflow_schemas::wire::{Decoder, Encoder};
use courierflow_tests::stack::Stack;
use serde_json::{Value, json};

use crate::harness::{eventually, topics};

pub(crate) const PARTITIONS: usize = 8;

pub(crate) fn request(number: &str, id: &str) -> SubscriptionRequest {
    SubscriptionRequest {
        request_id: id.to_owned(),
        requester: "test".to_owned(),
        action: RequestAction::Subscribe,
        requested_at: TimestampMicros(jiff::Timestamp::now().as_microsecond()),
        vendor: None,
        account: None,
        carrier: Some("yto".to_owned()),
        tracking_number: number.to_owned(),
        phone: Some("8888".to_owned()),
        from: None,
        to: None,
        product: None,
        international: None,
        reference: None,
        not_before: None,
        force: false,
    }
}

pub(crate) fn ask(stack: &dyn Stack, requests: &[SubscriptionRequest]) {
    ask_on(stack, requests, PARTITIONS);
}

/// The same where the topic has so many partitions.
pub(crate) fn ask_on(stack: &dyn Stack, requests: &[SubscriptionRequest], partitions: usize) {
    let ids = topics::registry(stack).schema_ids().unwrap();
    let encoder = Encoder::new(ids.subscription_request);
    let mut by_partition: BTreeMap<i32, Vec<(&str, Vec<u8>)>> = BTreeMap::new();
    for request in requests {
        let mut value = Vec::new();
        encoder.encode(request, &mut value).unwrap();
        let partition = topics::murmur2_partition(&request.tracking_number, partitions);
        by_partition
            .entry(partition)
            .or_default()
            .push((&request.tracking_number, value));
    }
    for (partition, records) in &by_partition {
        let records = records.iter().map(|(key, value)| (*key, Some(value.as_slice())));
        topics::produce_all(stack, SUBSCRIPTION_REQUEST, *partition, records);
    }
}

/// Every version of every subscription, in order.
pub(crate) fn versions(stack: &dyn Stack) -> Vec<Subscription> {
    let registry = topics::registry(stack);
    let ids = registry.schema_ids().unwrap();
    let mut decoder = Decoder::<Subscription>::new(registry, ids.subscription);
    let records = topics::read(stack, SUBSCRIPTION);
    let values = records.iter().filter_map(|record| record.value.as_deref());
    values.map(|value| decoder.decode(value).unwrap()).collect()
}

/// The newest version of each number.
pub(crate) fn newest(stack: &dyn Stack) -> BTreeMap<String, Subscription> {
    let versions = versions(stack).into_iter();
    versions
        .map(|subscription| (subscription.tracking_number.clone(), subscription))
        .collect()
}

pub(crate) fn wait_for(
    stack: &dyn Stack,
    numbers: &[String],
    state: SubscriptionState,
) -> BTreeMap<String, Subscription> {
    eventually(&format!("all are {state}"), || {
        let newest = newest(stack);
        let is_there = |number: &&String| newest.get(*number).is_some_and(|found| found.state == state);
        match numbers.iter().find(|number| !is_there(number)) {
            None => Ok(newest),
            Some(number) => Err(format!("{number}: {:?}", newest.get(number))),
        }
    })
}

/// The same of many, as long as they become more.
pub(crate) fn wait_for_many(
    stack: &dyn Stack,
    numbers: &[String],
    state: SubscriptionState,
) -> BTreeMap<String, Subscription> {
    let mut before = 0;
    loop {
        let (now, newest) = eventually(&format!("more are {state}"), || {
            let newest = newest(stack);
            let is_there = |number: &&String| newest.get(*number).is_some_and(|found| found.state == state);
            match numbers.iter().filter(is_there).count() {
                now if now == numbers.len() || now > before => Ok((now, newest)),
                now => Err(format!("{now} of {}", numbers.len())),
            }
        });
        if now == numbers.len() {
            return newest;
        }
        before = now;
    }
}

pub(crate) fn calls(stack: &dyn Stack) -> Vec<VendorCall> {
    let registry = topics::registry(stack);
    let ids = registry.schema_ids().unwrap();
    let mut decoder = Decoder::<VendorCall>::new(registry, ids.vendor_call);
    let records = topics::read(stack, VENDOR_CALL);
    let values = records.iter().filter_map(|record| record.value.as_deref());
    values.map(|value| decoder.decode(value).unwrap()).collect()
}

pub(crate) fn force(number: &str, code: &str, times: Option<u32>) -> Value {
    json!({"tracking_number": number, "code": code, "times": times})
}

pub(crate) fn numbers(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:010}")).collect()
}

/// A push of the vendor to the account `demo`, as ingest stores it.
pub(crate) fn push(stack: &dyn Stack, number: &str, payload: &Value) {
    let value = topics::encoded(stack, &topics::push_event(number, payload.to_string()));
    topics::produce(stack, PUSH, partition_of(number), number, &[Some(&value)]);
}

/// A push whose tracking has this status. What is said of the parcel is its sign-off, or nothing if the vendor gave up.
pub(crate) fn pushed(number: &str, status: &str, message: &str) -> PushEvent {
    let signed_off = json!({
        "time": "2026-01-02 10:00:00", "ftime": "2026-01-02 10:00:00", "context": "已签收", "statusCode": "3",
    });
    let items = if status == "abort" { vec![] } else { vec![signed_off] };
    let payload = json!({
        "status": status, "message": message, "autoCheck": "0", "comOld": "", "comNew": "",
        "lastResult": {"message": "ok", "state": "3", "ischeck": "1", "com": "yuantong", "nu": number, "data": items},
    });
    topics::push_event(number, payload.to_string())
}

pub(crate) fn partition_of(number: &str) -> i32 {
    topics::murmur2_partition(number, PARTITIONS)
}

/// The secrets of a number, oldest first: true is a value, false a tombstone.
pub(crate) fn secrets_of(stack: &dyn Stack, number: &str) -> Vec<bool> {
    let secrets = topics::read(stack, SUBSCRIPTION_SECRET).into_iter();
    let of_it = secrets.filter(|record| record.key.as_deref().unwrap().ends_with(&format!(":{number}")));
    of_it.map(|record| record.value.is_some()).collect()
}
