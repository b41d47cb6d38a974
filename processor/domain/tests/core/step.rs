//! The step of one record: what is refused, what a new day ends, and that it is a function of its arguments.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::LazyLock;

use crate::pushes::OPTIONS;
use courierflow_domain::{
    DerivedEncoder, Effect, MAX_DERIVED_BYTES, Memory, NoChange, PushRecord, Refusal, RefusalClass, Step, StreamDay,
    step,
};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Shipment, Signature, TimestampMicros, Transition};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::settings::RegistrySettings;
use courierflow_schemas::wire::{DecodeError, Decoder, Encoder};
use courierflow_vendors::reading::ReadError;
use proptest::prelude::*;
use serde_json::json;

use crate::pushes::{codes, item, kuaidi100, micros};

const IDS: SchemaIds = SchemaIds {
    push: 1,
    shipment: 2,
    transition: 3,
    subscription_request: 4,
    subscription: 5,
    subscription_secret: 6,
    vendor_call: 7,
    annotation: 8,
};
const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;

/// One record of a stream.
#[derive(Clone, Debug)]
enum Sent {
    /// Under its own key, written when it was received.
    Event(PushEvent),
    /// Under another key.
    Mislaid(PushEvent),
    /// Written that many microseconds before it claims to have been received.
    Early(PushEvent, i64),
    Garbage,
}

/// Takes one step after the other, as derive and replay do.
#[derive(Clone, Debug, Default, PartialEq)]
struct Follower {
    shipments: BTreeMap<String, (Memory, Shipment)>,
    today: StreamDay,
}

/// What a step gives, with the bytes that belong to it.
#[derive(Debug, PartialEq)]
struct Taken {
    step: Step,
    records: Vec<Vec<u8>>,
}

impl Follower {
    fn step(&self, sent: &Sent, encoder: &mut DerivedEncoder) -> Step {
        let garbage = DecodeError::NotWireFormat("wrong magic byte");
        let (event, key, lead) = match sent {
            Sent::Event(event) => (Ok(event), event.tracking_number.as_str(), 0),
            Sent::Mislaid(event) => (Ok(event), "another", 0),
            Sent::Early(event, lead) => (Ok(event), event.tracking_number.as_str(), *lead),
            Sent::Garbage => (Err(&garbage), "YT1", 0),
        };
        let written_at = event.map_or(0, |event| event.received_at.0.saturating_sub(lead).div_euclid(1_000));
        let push = PushRecord {
            event,
            key: Some(key.as_bytes()),
            timestamp_millis: Some(written_at),
        };
        let memory = |key: &str| Ok::<_, Infallible>(self.shipments.get(key).map(|(memory, _)| memory));
        let recall = |key: &str| Ok(self.shipments[key].1.clone());
        let Ok(step) = step(push, self.today, memory, recall, Carriers::built_in(), OPTIONS, encoder);
        step
    }

    fn take(&mut self, sent: &Sent) -> Taken {
        let mut encoder = DerivedEncoder::new(IDS);
        let step = self.step(sent, &mut encoder);
        if let Some(new_day) = step.new_day {
            assert!(new_day.day > self.today);
            self.today = new_day.day;
            self.shipments
                .retain(|_, (memory, _)| memory.expires_on() > new_day.day);
        }
        let mut records = Vec::new();
        if let Effect::Accepted(accepted) = &step.effect {
            records.push(encoder.shipment().to_vec());
            records.extend(encoder.transitions().map(<[u8]>::to_vec));
            let derived = &accepted.derived;
            self.shipments
                .insert(accepted.key.clone(), (derived.memory.clone(), derived.shipment.clone()));
        }
        Taken { step, records }
    }

    fn effect(&mut self, sent: &Sent) -> Effect {
        self.take(sent).step.effect
    }
}

fn class(effect: &Effect) -> Option<RefusalClass> {
    match effect {
        Effect::Refused(refusal) => Some(refusal.class),
        _ => None,
    }
}

fn pushed(number: &str, list: &[&str], received_at: TimestampMicros) -> PushEvent {
    let mut event = kuaidi100(&codes(list)).set("lastResult.nu", number).event();
    number.clone_into(&mut event.tracking_number);
    event.received_at = received_at;
    event
}

fn received(days: i64) -> TimestampMicros {
    TimestampMicros(micros("2025-06-30T00:00:00Z").0 + days * DAY)
}

/// A push of megabytes that turns into twice as much: every line is a change, and its place stands in both records.
static ALTERNATING: LazyLock<PushEvent> = LazyLock::new(|| {
    let lines: Vec<_> = (0..1_000)
        .map(|minute| {
            let time = format!("2025-06-01 {:02}:{:02}:00", minute / 60, minute % 60);
            let mut line = item(&time, if minute % 2 == 0 { "0" } else { "5" }, "");
            line["location"] = "杭".repeat(1_500).into();
            line
        })
        .collect();
    kuaidi100(&lines).event()
});

#[test]
fn rule_3_3_a_carrier_that_is_not_mapped_is_told() {
    for (com, is_unmapped) in [("yuantong", false), ("newone", true), ("zto", true), (" ", false)] {
        let event = kuaidi100(&codes(&["1"])).set("lastResult.com", com).event();
        let Effect::Accepted(accepted) = Follower::default().effect(&Sent::Event(event)) else {
            panic!("{com} is accepted");
        };
        assert_eq!(accepted.is_unmapped_carrier, is_unmapped, "{com}");
    }
}

#[test]
fn a_users_own_mapping_names_the_carrier() {
    let own = "vendor,code,carrier,name,name_en\nkuaidi100,newone,own-fleet,自有,Own fleet\n";
    let carriers = Carriers::with_file(own.as_bytes()).unwrap();
    let event = kuaidi100(&codes(&["1"])).set("lastResult.com", "NewOne").event();
    let push = PushRecord {
        event: Ok(&event),
        key: Some(event.tracking_number.as_bytes()),
        timestamp_millis: Some(event.received_at.0.div_euclid(1_000)),
    };
    let memory = |_: &str| Ok::<Option<&Memory>, Infallible>(None);
    let recall = |_: &str| -> Result<Shipment, Infallible> { panic!("nothing to recall") };
    let mut encoder = DerivedEncoder::new(IDS);
    let Ok(step) = step(
        push,
        StreamDay::default(),
        memory,
        recall,
        &carriers,
        OPTIONS,
        &mut encoder,
    );
    let Effect::Accepted(accepted) = step.effect else {
        panic!("it is accepted");
    };
    assert_eq!(accepted.key, "kuaidi100:own-fleet:YT1");
    assert!(!accepted.is_unmapped_carrier);
}

#[test]
fn every_class_of_refusal_and_what_is_none() {
    let good = || pushed("YT1", &["1", "0"], received(0));
    let with_payload = |payload: &str| {
        let mut event = good();
        payload.clone_into(&mut event.payload);
        Sent::Event(event)
    };
    let no_parcel = json!({"status": "polling", "lastResult": {"com": "yunda", "data": []}}).to_string();
    for (name, sent, expected) in [
        ("fine", Sent::Event(good()), None),
        ("garbage", Sent::Garbage, Some(RefusalClass::Undecodable)),
        ("mislaid", Sent::Mislaid(good()), Some(RefusalClass::KeyMismatch)),
        ("an hour early", Sent::Early(good(), HOUR), None),
        (
            "over an hour early",
            Sent::Early(good(), HOUR + 1_000),
            Some(RefusalClass::ReceivedInFuture),
        ),
        (
            "before times",
            Sent::Event(pushed("YT1", &["1"], TimestampMicros(i64::MIN))),
            None,
        ),
        (
            "no JSON",
            with_payload("快递"),
            Some(RefusalClass::Unreadable(ReadError::NotJson)),
        ),
        (
            "a list",
            with_payload("[]"),
            Some(RefusalClass::Unreadable(ReadError::NotAnObject)),
        ),
        (
            "no parcel",
            with_payload(&no_parcel),
            Some(RefusalClass::Unreadable(ReadError::NoParcel)),
        ),
        (
            "too large",
            Sent::Event(ALTERNATING.clone()),
            Some(RefusalClass::TooLarge),
        ),
    ] {
        let mut follower = Follower::default();
        let Taken { step, records } = follower.take(&sent);
        assert_eq!(class(&step.effect), expected, "{name}: {:?}", step.new_day);
        assert_eq!(follower.shipments.is_empty(), expected.is_some(), "{name}");
        assert_eq!(records.is_empty(), expected.is_some(), "{name}");
        let admitted = !matches!(
            expected,
            Some(RefusalClass::Undecodable | RefusalClass::KeyMismatch | RefusalClass::ReceivedInFuture)
        );
        let moves = admitted && name != "before times";
        assert_eq!(step.new_day.is_some(), moves, "{name}: who moves the clock");
    }
}

#[test]
fn only_what_the_pushes_cannot_cause_alone_is_held_against_the_program() {
    let verified = pushed("YT1", &["1"], received(0));
    let unsigned = PushEvent {
        signature: Signature::Unsigned,
        ..verified.clone()
    };
    for (class, is_suspicious) in [
        (RefusalClass::Undecodable, true),
        (RefusalClass::KeyMismatch, true),
        (RefusalClass::ReceivedInFuture, true),
        (RefusalClass::Unreadable(ReadError::NotJson), true),
        (RefusalClass::Panic, true),
        (RefusalClass::Unencodable, true),
        (RefusalClass::TooLarge, false),
    ] {
        let refusal = Refusal {
            class,
            error: String::new(),
        };
        let name = class.as_str();
        assert_eq!(refusal.may_be_our_fault(Some(&verified)), is_suspicious, "{name}");
        assert_eq!(refusal.may_be_our_fault(None), is_suspicious, "{name}");
        assert!(!refusal.may_be_our_fault(Some(&unsigned)), "{name}");
    }
}

#[test]
fn a_panic_is_a_refusal() {
    let event = pushed("YT1", &["1"], received(0));
    let push = PushRecord {
        event: Ok(&event),
        key: Some(b"YT1"),
        timestamp_millis: None,
    };
    let memory = |_: &str| -> Result<Option<Memory>, Infallible> { panic!("a bug") };
    let recall = |_: &str| -> Result<Shipment, Infallible> { panic!("not asked for") };
    let mut encoder = DerivedEncoder::new(IDS);
    let Ok(step) = step(
        push,
        StreamDay::default(),
        memory,
        recall,
        Carriers::built_in(),
        OPTIONS,
        &mut encoder,
    );
    assert_eq!(class(&step.effect), Some(RefusalClass::Panic));
    assert!(step.new_day.is_some(), "the push moves the clock all the same");
}

#[test]
fn errors_of_the_look_ups_are_the_callers() {
    let event = pushed("YT1", &["1"], received(0));
    let push = PushRecord {
        event: Ok(&event),
        key: Some(b"YT1"),
        timestamp_millis: None,
    };
    let mut encoder = DerivedEncoder::new(IDS);
    let failed = step(
        push,
        StreamDay::default(),
        |_| Err::<Option<Memory>, _>("away"),
        |_| Err("away"),
        Carriers::built_in(),
        OPTIONS,
        &mut encoder,
    );
    assert_eq!(failed, Err("away"));
}

#[test]
fn rule_12_4_what_a_new_day_ends_is_unknown_to_the_push_that_begins_it() {
    let ended = &["1", "0", "3"][..];
    let open = &["1", "0"][..];
    for (name, list, days, is_known) in [
        ("delivered, 14 days", ended, 14, true),
        ("delivered, 15 days", ended, 15, false),
        ("under way, 60 days", open, 60, true),
        ("under way, 61 days", open, 61, false),
    ] {
        let mut follower = Follower::default();
        follower.take(&Sent::Event(pushed("YT1", list, received(0))));
        let again = Sent::Event(pushed("YT1", list, received(days)));
        let effect = follower.clone().effect(&again);
        assert_eq!(effect == Effect::NoChange(NoChange::Duplicate), is_known, "{name}");
        // Somebody else's push begins the day: the same.
        follower.take(&Sent::Event(pushed("YT2", open, received(days))));
        assert_eq!(follower.effect(&again), effect, "{name}");
    }
}

#[test]
fn an_old_push_does_not_end_what_its_stream_has_passed() {
    let mut follower = Follower::default();
    follower.take(&Sent::Event(pushed("YT1", &["1"], received(200))));
    let old = Sent::Event(pushed("YT2", &["1"], received(0)));
    assert!(matches!(follower.effect(&old), Effect::Accepted(_)));
    // It ends with the next day, not with the next push.
    assert_eq!(follower.effect(&old), Effect::NoChange(NoChange::Duplicate));
    follower.take(&Sent::Event(pushed("YT1", &["1", "0"], received(201))));
    assert!(matches!(follower.effect(&old), Effect::Accepted(_)));
}

#[test]
fn the_encoder_holds_the_records_and_the_memory() {
    let event = pushed("YT1", &["1", "0", "5"], received(0));
    let mut encoder = DerivedEncoder::new(IDS);
    let Effect::Accepted(accepted) = Follower::default().step(&Sent::Event(event), &mut encoder).effect else {
        panic!("not accepted");
    };
    let derived = accepted.derived;
    let mut shipment = Vec::new();
    let written = Encoder::<Shipment>::new(IDS.shipment);
    written.encode(&derived.shipment, &mut shipment).unwrap();
    assert_eq!(encoder.shipment(), shipment);
    let registry = Registry::new(&RegistrySettings::default());
    let mut decoder = Decoder::<Transition>::new(registry, IDS.transition);
    let transitions: Vec<_> = encoder
        .transitions()
        .map(|value| decoder.decode(value).unwrap())
        .collect();
    assert_eq!(transitions, derived.transitions);
    assert_eq!(encoder.memory(), derived.memory.to_bytes().unwrap());
    assert!(encoder.record_bytes() <= MAX_DERIVED_BYTES);
}

/// Codes of a parcel's lines.
const LISTS: &[&[&str]] = &[
    &["1"],
    &["1", "0"],
    &["1", "0", "5"],
    &["1", "0", "5", "3"],
    &["1", "0", "3"],
    &[],
    &["1", "4", "401"],
];

/// Pushes of three numbers over half a year, now and then something that is none.
fn sent() -> impl Strategy<Value = Sent> {
    let list = prop::sample::select(LISTS);
    let event = (0..3_u32, list, 0..180_i64)
        .prop_map(|(number, list, day)| pushed(&format!("YT{number}"), list, received(day)));
    prop_oneof![
        8 => event.clone().prop_map(Sent::Event),
        1 => event.clone().prop_map(Sent::Mislaid),
        1 => event.clone().prop_map(|event| Sent::Early(event, 2 * HOUR)),
        1 => Just(Sent::Garbage),
        1 => event.prop_map(|mut event| {
            "{".clone_into(&mut event.payload);
            Sent::Event(event)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_same_records_give_the_same_steps_and_bytes(records in prop::collection::vec(sent(), 1..12)) {
        let run = || {
            let mut follower = Follower::default();
            records.iter().map(|record| follower.take(record)).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn what_is_refused_leaves_no_trace_but_a_new_day(records in prop::collection::vec(sent(), 1..12)) {
        let mut follower = Follower::default();
        for record in &records {
            let before = follower.clone();
            let Taken { step, records } = follower.take(record);
            if class(&step.effect).is_none() {
                continue;
            }
            prop_assert!(records.is_empty());
            let mut expected = before;
            if let Some(new_day) = step.new_day {
                expected.today = new_day.day;
                expected.shipments.retain(|_, (memory, _)| memory.expires_on() > new_day.day);
            }
            prop_assert_eq!(&follower, &expected);
        }
    }

    #[test]
    fn records_that_are_not_admitted_change_nothing_for_the_others(records in prop::collection::vec(sent(), 1..12)) {
        let is_admitted = |record: &&Sent| matches!(record, Sent::Event(_));
        let (mut all, mut admitted) = (Follower::default(), Follower::default());
        let of_all: Vec<_> = records.iter().map(|record| (all.take(record), record)).collect();
        let of_admitted: Vec<_> = records.iter().filter(is_admitted).map(|record| admitted.take(record)).collect();
        let of_all: Vec<_> = of_all.into_iter().filter(|(_, record)| is_admitted(record)).map(|(taken, _)| taken).collect();
        prop_assert_eq!(of_all, of_admitted);
        prop_assert_eq!(all, admitted);
    }
}
