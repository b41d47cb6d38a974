//! Ids tell nothing (rule 7.4), with the attack as a test: masked phone numbers, pick-up codes and names were recovered
//! from `event.id` in under a second, because all else that it was made of stands in the row.

use std::collections::HashSet;

use courierflow_domain::{DeriveOptions, IdKey};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{Shipment, Transition};
use courierflow_vendors::fingerprint::Fingerprint;
use serde_json::Value;
use siphasher::sip128::SipHasher24;

use crate::pushes::*;

/// Who attacks knows the code and the row, and has to do without the key: no hash, or one under a key that he can think of.
fn guesses(row: &Shipment, event: usize, text: &str) -> [i64; 4] {
    let event = &row.events[event];
    let mut fields = Fingerprint::with_capacity(256);
    fields
        .text(row.vendor.as_str())
        .text(&row.carrier)
        .text(&row.tracking_number)
        .number(i64::from(row.epoch.0))
        .text(event.segment.as_str())
        .text(&event.local_time)
        .text(text);
    let first = |line: i64| Fingerprint::with_capacity(16).number(line).number(0).finish();
    let plain = fields.finish();
    let zeros = SipHasher24::new_with_key(&[0; 16]).hash(fields.as_bytes());
    #[allow(clippy::cast_possible_wrap)]
    let zeros = (zeros.h1 & (u64::MAX >> 1)) as i64;
    [plain, first(plain), zeros, first(zeros)]
}

/// Everything in the row and its transitions that is made of a text.
fn ids(row: &Shipment, transitions: &[Transition]) -> HashSet<i64> {
    let events = row.events.iter().map(|event| event.id);
    let transitions = transitions.iter().map(|transition| transition.transition_id);
    let contents = row.recent_pushes.iter().map(|push| push.content_hash);
    events.chain(transitions).chain(contents).collect()
}

fn attacked(text: &str) -> (Shipment, HashSet<i64>) {
    let lines: [Value; 1] = [item("2025-06-01 08:00:00", "5", text)];
    let derived = derived(&kuaidi100(&lines).event());
    let ids = ids(&derived.shipment, &derived.transitions);
    (derived.shipment, ids)
}

fn find(text: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let (row, ids) = attacked(text);
    assert!(row.events[0].context != text, "masked");
    let mut candidates = candidates;
    candidates.find(|candidate| guesses(&row, 0, candidate).iter().any(|guess| ids.contains(guess)))
}

#[test]
fn rule_7_4_no_completion_of_a_masked_number_leads_to_an_id() {
    let all = (0..1_000_000).map(|middle| format!("正在派件，电话139{middle:06}96"));
    assert_eq!(find("正在派件，电话13918739396", all), None);
}

#[test]
fn rule_7_4_no_pickup_code_leads_to_an_id() {
    let four = (0..10_000).map(|code| format!("请凭取件码：{code:04}取件"));
    let six = (0..1_000_000).map(|code| format!("请凭取件码：{code:06}取件"));
    assert_eq!(find("请凭取件码：5289取件", four), None);
    assert_eq!(find("请凭取件码：528901取件", six), None);
}

#[test]
fn rule_7_4_no_name_of_a_list_leads_to_an_id() {
    let surnames: Vec<char> = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐".chars().collect();
    let given: Vec<char> = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平".chars().collect();
    let names = surnames
        .iter()
        .flat_map(|surname| given.iter().map(move |given| format!("派件员：{surname}{given}")));
    assert_eq!(names.clone().count(), 500);
    assert_eq!(find("派件员：黄伟", names), None);
}

/// The attack is a good one: against ids without a secret it succeeds.
#[test]
fn rule_7_4_the_same_attack_finds_what_has_no_key() {
    let (mut row, _) = attacked("请凭取件码：5289取件");
    row.events[0].id = guesses(&row, 0, "请凭取件码：5289取件")[1];
    let found = (0..10_000)
        .map(|code| format!("请凭取件码：{code:04}取件"))
        .find(|text| guesses(&row, 0, text).contains(&row.events[0].id));
    assert_eq!(found.as_deref(), Some("请凭取件码：5289取件"));
}

#[test]
fn rule_7_4_another_key_makes_other_ids_and_nothing_else() {
    let push = kuaidi100(&codes(&["103", "5", "301"])).event();
    let courierflow_vendors::reading::Reading::Snapshot(snapshot) =
        courierflow_vendors::reading::read(&push, Carriers::built_in()).unwrap()
    else {
        panic!("a snapshot");
    };
    let with = |key: [u8; 16]| {
        let options = DeriveOptions {
            id_key: IdKey::from_bytes(key),
            ..OPTIONS
        };
        match derive(None, &snapshot, options) {
            courierflow_domain::Outcome::Accepted(derived) => *derived,
            other => panic!("{other:?}"),
        }
    };
    let (one, other) = (with([1; 16]), with([2; 16]));
    let of = |derived: &courierflow_domain::Derived| ids(&derived.shipment, &derived.transitions);
    assert!(of(&one).is_disjoint(&of(&other)));
    assert_eq!(
        (of(&one).len(), one.shipment.milestones),
        (7, other.shipment.milestones)
    );
    assert_eq!(with([1; 16]), with([1; 16]));
}
