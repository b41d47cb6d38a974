//! From a subscription to its end, with the pushes that the vendors send by themselves: their clock runs a day in about a second.

use courierflow_schemas::records::{Reason, Subscription, SubscriptionSecret, SubscriptionState, TrackingState};
use courierflow_schemas::topics::SUBSCRIPTION_SECRET;
use courierflow_tests::stack::{Launch, Stack};
use serde_json::{Value, json};

use super::records::{ask, partition_of, request, secrets_of, versions, wait_for};
use super::vendors::{Configuration, Vendors};
use crate::harness::{eventually, migrated, ready, topics};

/// Seconds of the vendors in a second; half an hour, which they want between two subscriptions, is over in 25 ms.
const SPEED: u32 = 72_000;
const UNKNOWN: &str = "YT9999999999915";

#[test]
fn a15_a16_a19_a_vendor_that_gives_up_corrects_and_ends_is_followed_to_the_end() {
    let stack = migrated("subscribe-life");
    let vendors = Vendors::since(40, 40, 1);
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let configuration = Configuration::new()
        .set("resubscribe_after_ms", &1_000)
        .set("resubscribe_jitter_ms", &0)
        .callback_base(ingest.url());
    let _processor = ready(&configuration.launch("run", &stack, &vendors), "processor", &stack);

    // One number that nobody knows, and one that another carrier has.
    let corrected = parcel_of_another_carrier(&vendors);
    let number = corrected["tracking_number"].as_str().unwrap();
    ask(&stack, &[request(UNKNOWN, "r1"), request(number, "r1")]);
    let both = [UNKNOWN.to_owned(), number.to_owned()];
    wait_for(&stack, &both, SubscriptionState::Active);
    vendors.clock(&json!({"speed": SPEED}));
    a15(&stack, &vendors);
    a16(&stack, &vendors, &corrected);
    a19(&stack, number);
}

/// A domestic parcel that is not of the carrier for which the tests ask.
fn parcel_of_another_carrier(vendors: &Vendors) -> Value {
    let is_one = |parcel: &Value| {
        let carrier = parcel["carrier"].as_str().unwrap();
        parcel["course"] == "Domestic" && carrier != "yto" && parcel["kuaidi100"] != ""
    };
    let found = vendors.parcels().into_iter().find(is_one);
    found.expect("one of them")
}

fn of(stack: &dyn Stack, number: &str) -> Vec<Subscription> {
    let versions = versions(stack).into_iter();
    versions.filter(|version| version.tracking_number == number).collect()
}

/// Nobody knows the number: the vendor says so after three days, twice with the same words.
fn a15(stack: &dyn Stack, vendors: &Vendors) {
    let fallen = wait_for(stack, &[UNKNOWN.to_owned()], SubscriptionState::Fallback);
    let fallen = &fallen[UNKNOWN];
    assert_eq!((fallen.reason, fallen.round), (Some(Reason::NoRecord), 2));
    let counted = vendors.counted(UNKNOWN);
    assert_eq!(
        (&counted["calls"], &counted["accepted"]),
        (&json!(2), &json!(2)),
        "{counted}"
    );
    let waited = of(stack, UNKNOWN);
    let waited = waited
        .iter()
        .filter(|version| version.state == SubscriptionState::Waiting);
    let waited: Vec<_> = waited.map(|version| (version.reason, version.round)).collect();
    assert_eq!(waited, [(Some(Reason::NoRecord), 2)], "exactly once");
    // For derive the second one is a repetition, and tells nothing.
    let aborts = topics::pushes_of(stack, UNKNOWN);
    assert_eq!(aborts.len(), 2);
    assert_eq!(aborts[0].payload, aborts[1].payload);
    assert_eq!(topics::shipments_of(stack, UNKNOWN).len(), 1);
}

/// Another carrier has it: the vendor goes on with that one by itself.
fn a16(stack: &dyn Stack, vendors: &Vendors, parcel: &Value) {
    let number = parcel["tracking_number"].as_str().unwrap();
    let carrier = parcel["kuaidi100"].as_str().unwrap();
    let ended = wait_for(stack, &[number.to_owned()], SubscriptionState::Ended);
    let ended = &ended[number];
    assert_eq!(ended.ended_word.as_deref(), Some("shutdown"));
    assert_eq!(
        (ended.vendor_carrier.as_str(), ended.former_carriers.clone()),
        (carrier, vec!["yuantong".to_owned()])
    );
    let counted = vendors.counted(number);
    assert_eq!(
        (&counted["calls"], &counted["corrected"]),
        (&json!(1), &json!(1)),
        "{counted}"
    );
    let corrected = of(stack, number);
    let mut corrected = corrected
        .iter()
        .filter(|version| version.reason == Some(Reason::Corrected));
    assert!(corrected.all(|version| version.state == SubscriptionState::Active && version.vendor_carrier == carrier));
    // The old carrier's shipment says so, the new one's goes on.
    eventually("both shipments are derived", || {
        let shipments = topics::shipments_of(stack, number);
        let old = shipments.iter().rfind(|shipment| shipment.carrier == "yto");
        let new = shipments.iter().rfind(|shipment| shipment.carrier != "yto");
        let states = (old.map(|old| old.tracking_state), new.map(|new| new.tracking_state));
        if states == (Some(TrackingState::CarrierCorrected), Some(TrackingState::Ended)) {
            Ok(())
        } else {
            Err(format!("{states:?}"))
        }
    });
}

/// Of an ended subscription Kafka keeps no secret.
fn a19(stack: &dyn Stack, number: &str) {
    assert_eq!(secrets_of(stack, number), [true, false]);
    topics::compact_soon(stack, SUBSCRIPTION_SECRET);
    let filler = topics::encoded_as(stack, |ids| ids.subscription_secret, &SubscriptionSecret::default());
    eventually("the secret is gone", || {
        // Only what lies before the newest segment is cleaned.
        topics::produce(
            stack,
            SUBSCRIPTION_SECRET,
            partition_of(number),
            "kuaidi100:demo:FILLER",
            &[Some(&filler)],
        );
        if secrets_of(stack, number).contains(&true) {
            Err("it is still there".to_owned())
        } else {
            Ok(())
        }
    });
    // Of one that has not ended it is still there.
    assert!(secrets_of(stack, UNKNOWN).contains(&true));
}
