//! What the push log shows of a payload (rule 14.4), and texts left out altogether (design: `context`).

use courierflow_domain::{Context, DeriveOptions, Outcome};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Vendor};
use courierflow_vendors::reading::{PushFacts, Reading, push_facts, read};
use serde_json::{Value, json};

use crate::pushes::*;

fn facts(event: &PushEvent) -> (String, String, u16) {
    let PushFacts {
        carrier,
        tracking_status,
        items,
        total_hours: _,
    } = push_facts(event, Carriers::built_in());
    (carrier.into_owned(), tracking_status.into_owned(), items)
}

fn expected(carrier: &str, status: &str, items: u16) -> (String, String, u16) {
    (carrier.to_owned(), status.to_owned(), items)
}

#[test]
fn rule_14_4_facts_of_kuaidi100() {
    let push = kuaidi100(&codes(&["1", "0"]));
    assert_eq!(facts(&push.event()), expected("yto", "polling", 2));
    let data = json!([1, null, {}, item("0001-01-01 00:00:00", "0", "x")]);
    let odd = push
        .clone()
        .set("lastResult.data", data)
        .set("destResult", json!({"data": [1]}))
        .set("status", " PolLing ");
    assert_eq!(facts(&odd.event()), expected("yto", "PolLing", 5));
    let corrected = push
        .clone()
        .set("comNew", "EMS")
        .set("status", "abort")
        .set("comOld", "yuantong");
    assert_eq!(
        facts(&corrected.event()),
        expected("ems", "abort", 2),
        "the new carrier, also for an abort"
    );
    let as_text = push.clone().set("lastResult", push.payload["lastResult"].to_string());
    assert_eq!(facts(&as_text.event()), expected("yto", "polling", 2));
    let many: Vec<Value> = vec![json!(0); 70_000];
    assert_eq!(facts(&push.set("lastResult.data", many).event()).2, u16::MAX);
}

#[test]
fn rule_14_4_facts_of_kdniao() {
    let push = kdniao(&[trace("2025-06-01 08:00:00", "2", "x")]);
    assert_eq!(facts(&push.event()), expected("yto", "", 1));
    assert_eq!(
        facts(&push.set("Traces", Value::Null).set("ShipperCode", "").event()),
        expected("unknown", "", 0)
    );
}

#[test]
fn rule_14_4_an_unreadable_payload_gives_neutral_values() {
    for payload in ["", "[]", "{", "nul"] {
        let mut event = event(Vendor::Kuaidi100, payload.to_owned());
        assert_eq!(facts(&event), expected("unknown", "", 0));
        event.vendor_carrier = "yuantong".to_owned();
        assert_eq!(facts(&event), expected("yto", "", 0), "the envelope knows the carrier");
    }
    assert_eq!(
        facts(&event(Vendor::Kuaidi100, "{}".to_owned())),
        expected("unknown", "", 0)
    );
}

#[test]
fn context_omit_leaves_the_texts_out_and_changes_nothing_else() {
    let event = kuaidi100(&codes(&["1", "5"])).event();
    let Ok(Reading::Snapshot(snapshot)) = read(&event, Carriers::built_in()) else {
        panic!("a snapshot")
    };
    let with = |context| match derive(None, &snapshot, DeriveOptions { context, ..OPTIONS }) {
        Outcome::Accepted(derived) => *derived,
        other => panic!("{other:?}"),
    };
    let (keep, mut omit) = (with(Context::Keep), with(Context::Omit));
    for (kept, omitted) in keep.shipment.events.iter().zip(&mut omit.shipment.events) {
        assert!(!kept.context.is_empty());
        assert_eq!(omitted.context, "");
        omitted.context.clone_from(&kept.context);
    }
    assert_eq!(keep, omit);
}
