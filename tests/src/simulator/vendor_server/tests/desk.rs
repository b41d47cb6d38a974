//! The desk alone: whatever is asked and answered in whichever order, its books are right.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::json;

use super::{KEY, config};
use crate::simulator::clock::Seconds;
use crate::simulator::vendor_server::call::{Api, Call};
use crate::simulator::vendor_server::desk::{Desk, Outgoing};
use crate::simulator::vendor_server::ledger::Shown;
use crate::simulator::vendor_server::parcels::World;

/// What happens next.
#[derive(Clone, Debug)]
enum Action {
    /// A number is subscribed to, at Kuaidi100 or at Kdniao.
    Subscribe { number: usize, at_kdniao: bool },
    /// Time passes.
    Wait(Seconds),
    /// One of the pushes on the way is answered.
    Answer { which: usize, is_success: bool },
    /// The program ends, and goes on: nobody hears the answers to what was on the way.
    Restart,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        (0..20_usize, any::<bool>()).prop_map(|(number, at_kdniao)| Action::Subscribe { number, at_kdniao }),
        (60..200_000_i64).prop_map(Action::Wait),
        (any::<usize>(), any::<bool>()).prop_map(|(which, is_success)| Action::Answer { which, is_success }),
        Just(Action::Restart),
    ];
    proptest::collection::vec(action, 1..120)
}

fn world() -> World {
    World {
        seed: 7,
        parcels: 20,
        from: super::FROM,
        order_days: 1,
    }
}

fn call(api: Api, fields: &[(&str, &str)]) -> Call {
    Call {
        api,
        app_code: None,
        token: None,
        content_type: "application/x-www-form-urlencoded".to_owned(),
        body: form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish()
            .into_bytes(),
    }
}

/// A subscription to the number under the carrier that its look suggests.
fn subscription(number: &str, at_kdniao: bool) -> Call {
    if at_kdniao {
        let data = json!({"ShipperCode": "YTO", "LogisticCode": number, "CallbackUrl": "http://callback/"}).to_string();
        let sign = crate::simulator::vendors::kdniao::sign(&data, super::APP_KEY);
        let fields = [
            ("RequestData", data.as_str()),
            ("EBusinessID", "1000001"),
            ("RequestType", "7108"),
            ("DataSign", &sign),
        ];
        return call(Api::Packet, &fields);
    }
    let parameters = json!({"callbackurl": "http://callback/", "autoCom": "1", "phone": "8888"});
    let param = json!({"company": "", "number": number, "key": KEY, "parameters": parameters}).to_string();
    call(Api::Poll, &[("param", &param)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_push_is_taken_or_given_up_and_no_number_has_two_on_the_way(actions in actions()) {
        let mut desk = Desk::new(config().contracts, &world(), config().faults, None);
        let numbers: Vec<String> = desk.parcels.iter().map(|parcel| parcel.tracking_number.clone()).collect();
        let mut now = super::FROM;
        let mut in_flight: Vec<Outgoing> = Vec::new();
        for action in actions {
            match action {
                Action::Subscribe { number, at_kdniao } => {
                    desk.answer(&subscription(&numbers[number % numbers.len()], at_kdniao), None, now);
                }
                Action::Wait(seconds) => now += seconds,
                Action::Answer { which, is_success } if !in_flight.is_empty() => {
                    let push = in_flight.swap_remove(which % in_flight.len());
                    in_flight.extend(desk.answered(push.id, is_success, now));
                }
                Action::Answer { .. } => {}
                Action::Restart => {
                    in_flight.clear();
                    desk.resume(now);
                }
            }
            in_flight.extend(desk.work(now));
            let mut of_number: HashMap<String, u32> = HashMap::new();
            for push in &in_flight {
                let number = numbers.iter().find(|number| String::from_utf8_lossy(&push.body).contains(*number));
                *of_number.entry(number.expect("about one of them").clone()).or_default() += 1;
            }
            prop_assert!(of_number.values().all(|pushes| *pushes == 1), "{of_number:?}");
        }
        while let Some(push) = in_flight.pop() {
            in_flight.extend(desk.answered(push.id, false, now));
            // Enough for every repetition; nothing new is told that is not answered here as well.
            now += 60 * 60;
            in_flight.extend(desk.work(now));
        }
        let ledger = desk.ledger_json(Shown::All, now);
        let count = |name: &str| ledger["total"][name].as_u64().unwrap();
        let waiting = ledger["pushes_waiting"].as_u64().unwrap();
        prop_assert_eq!(count("pushes_sent"), count("pushes_answered") + count("pushes_given_up") + waiting);
        prop_assert_eq!(count("pushes_lost"), 0);
        for number in ledger["numbers"].as_array().unwrap() {
            for month in number["months"].as_object().unwrap().values() {
                let taken = month["codes"]["200"].as_u64().unwrap_or(0);
                prop_assert!(taken <= 4, "{}", number);
                prop_assert!(number["contract"] == "kdniao" || month["accepted"] == taken);
            }
        }
    }
}
