#![allow(
    clippy::single_match_else,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::*;
use crate::simulator::clock::china_text;

/// 2026-08-09 12:00:00 in China.
const NOW: Seconds = 1_786_248_000;

fn config() -> SimulationConfig {
    SimulationConfig::local(7, 600, NOW)
}

fn clean() -> SimulationConfig {
    SimulationConfig {
        mischief: 0.0,
        ..config()
    }
}

/// The JSON text of a push and whether it is signed.
fn json(push: &SimulatedPush) -> (String, Option<String>) {
    if push.body.starts_with(b"{") {
        let sign = push.headers.iter().find(|(name, _)| *name == "sign");
        let text = String::from_utf8(push.body.clone()).unwrap();
        return (text, sign.map(|(_, sign)| sign.clone()));
    }
    let fields: HashMap<_, _> = form_urlencoded::parse(&push.body).into_owned().collect();
    match push.vendor {
        Vendor::Kuaidi100 => match fields.get("param") {
            Some(param) => (param.clone(), Some(fields["sign"].clone())),
            None => {
                let parse = |text: &String| serde_json::from_str(text).unwrap_or(Value::String(text.clone()));
                let object: serde_json::Map<_, _> =
                    fields.iter().map(|(name, text)| (name.clone(), parse(text))).collect();
                (Value::Object(object).to_string(), None)
            }
        },
        Vendor::Kdniao => {
            let text = fields["RequestData"].clone();
            let text = match text.strip_prefix("%7B") {
                Some(_) => form_urlencoded::parse(text.as_bytes()).into_owned().next().unwrap().0,
                None => text,
            };
            (text, Some(fields["DataSign"].clone()))
        }
        Vendor::SeventeenTrack => panic!("not JSON"),
    }
}

fn value(push: &SimulatedPush) -> Value {
    serde_json::from_str(&json(push).0).unwrap()
}

/// The local times of all items of a push, as the vendor wrote them.
fn times(value: &Value) -> Vec<String> {
    let list = |value: &Value, name: &str| -> Vec<String> {
        let items = value.as_array().cloned().unwrap_or_default();
        items
            .iter()
            .map(|item| item[name].as_str().unwrap().to_owned())
            .collect()
    };
    let mut times = list(&value["lastResult"]["data"], "ftime");
    times.extend(list(&value["destResult"]["data"], "ftime"));
    for parcel in value["Data"].as_array().into_iter().flatten() {
        times.extend(list(&parcel["Traces"], "AcceptTime"));
    }
    for provider in providers(value) {
        for event in provider["events"].as_array().unwrap() {
            let raw = |field: &str| event["time_raw"][field].as_str().unwrap_or_default().to_owned();
            times.push(format!("{} {}", raw("date"), raw("time")));
        }
    }
    times
}

fn providers(value: &Value) -> &[Value] {
    let providers = &value["data"]["track_info"]["tracking"]["providers"];
    providers.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn the_same_seed_gives_the_same_pushes_and_another_one_does_not() {
    let pushes = |seed, now| Simulation::new(SimulationConfig::local(seed, 60, now)).collect::<Vec<_>>();
    assert_eq!(pushes(1, NOW), pushes(1, NOW));
    let numbers = |pushes: Vec<SimulatedPush>| -> BTreeSet<String> {
        pushes.into_iter().flat_map(|push| push.tracking_numbers).collect()
    };
    let first = numbers(pushes(1, NOW));
    assert!(first.is_disjoint(&numbers(pushes(2, NOW))));
    assert!(first.is_disjoint(&numbers(pushes(1, NOW + DAY))));
}

#[test]
fn every_signed_push_verifies() {
    let mut signed = BTreeMap::new();
    for push in Simulation::new(SimulationConfig {
        mischief: 0.3,
        ..config()
    }) {
        let (text, sign) = json(&push);
        let expected = match push.vendor {
            Vendor::Kuaidi100 => kuaidi100::sign(&text, "courierflow-demo-salt"),
            Vendor::Kdniao => kdniao::sign(&text, "courierflow-demo-app-key"),
            Vendor::SeventeenTrack => seventeentrack::sign(&text, "17track-demo-key-0001"),
        };
        assert_eq!(push.account == "demo", sign.is_some(), "account {}", push.account);
        if let Some(sign) = sign {
            assert_eq!(sign, expected);
        }
        *signed.entry((push.vendor, push.account)).or_insert(0) += 1;
    }
    assert_eq!(signed.len(), 6, "not every account was used: {signed:?}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of shapes")]
fn every_product_and_shape_occurs() {
    let mut seen = BTreeSet::new();
    for push in Simulation::new(SimulationConfig {
        parcels: 1_500,
        mischief: 0.3,
        ..config()
    }) {
        let value = value(&push);
        let is_json = push.body.starts_with(b"{");
        match push.vendor {
            Vendor::Kuaidi100 => {
                let result = &value["lastResult"];
                let item = &result["data"][0];
                seen.insert(format!("kuaidi100 {}", value["status"].as_str().unwrap()));
                seen.insert(value["message"].as_str().unwrap().to_owned());
                for (name, is) in [
                    ("bare json", is_json),
                    (
                        "flat form",
                        !is_json && !push.body.windows(6).any(|bytes| bytes == b"param="),
                    ),
                    ("plain", item.is_object() && item.get("status").is_none()),
                    (
                        "bare area code",
                        item["areaCode"].as_str().is_some_and(|code| !code.starts_with("CN")),
                    ),
                    ("advanced", item.get("statusCode").is_some()),
                    ("forecast", result.get("arrivalTime").is_some()),
                    ("map", result.get("trailUrl").is_some()),
                    (
                        "no destination",
                        result["routeInfo"].get("to").is_some_and(Value::is_null),
                    ),
                    ("international", value.get("destResult").is_some()),
                    ("corrected", value["comNew"].as_str().is_some_and(|com| !com.is_empty())),
                    ("query", push.path.contains('?')),
                ] {
                    if is {
                        seen.insert(name.to_owned());
                    }
                }
            }
            Vendor::Kdniao => {
                let parcels = value["Data"].as_array().unwrap();
                assert_eq!(parcels.len(), push.tracking_numbers.len());
                assert!((1..=10).contains(&parcels.len()));
                seen.insert(format!("{} parcels", parcels.len()));
                seen.insert(parcels[0]["Reason"].as_str().unwrap().to_owned());
                for (name, is) in [
                    ("kdniao json", is_json),
                    (
                        "encoded twice",
                        push.body.windows(15).any(|bytes| bytes == b"RequestData=%25"),
                    ),
                    (
                        "basic",
                        parcels[0].get("StateEx").is_none() && parcels[0]["Success"] == true,
                    ),
                    ("value-added", parcels[0]["Traces"][0]["Action"].is_string()),
                    ("cross-border", parcels[0]["Traces"][0]["Timezone"].is_string()),
                ] {
                    if is {
                        seen.insert(name.to_owned());
                    }
                }
            }
            Vendor::SeventeenTrack => {
                seen.insert(value["event"].as_str().unwrap().to_owned());
                seen.insert(format!("{} providers", providers(&value).len()));
                for event in providers(&value)
                    .iter()
                    .flat_map(|provider| provider["events"].as_array().unwrap())
                {
                    seen.insert(event["sub_status"].as_str().unwrap().to_owned());
                }
            }
        }
    }
    let expected = [
        "kuaidi100 polling",
        "kuaidi100 shutdown",
        "kuaidi100 abort",
        "kuaidi100 updateall",
        "3天查询无记录",
        "60天无变化",
        "bare json",
        "flat form",
        "plain",
        "bare area code",
        "advanced",
        "forecast",
        "map",
        "no destination",
        "international",
        "corrected",
        "query",
        "1 parcels",
        "2 parcels",
        "kdniao json",
        "encoded twice",
        "basic",
        "value-added",
        "cross-border",
        "暂无轨迹信息",
        "三天无轨迹",
        "七天内无轨迹变化",
        "TRACKING_UPDATED",
        "TRACKING_STOPPED",
        "1 providers",
        "2 providers",
        "InTransit_Departure",
        "InTransit_Arrival",
        "Delivered_Other",
    ];
    let missing: Vec<_> = expected.iter().filter(|name| !seen.contains(**name)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}

#[test]
fn without_mischief_histories_only_grow_and_nothing_is_told_twice() {
    let mut told: HashMap<String, (Seconds, usize)> = HashMap::new();
    let mut bodies = BTreeSet::new();
    for push in Simulation::new(clean()) {
        assert!(bodies.insert(push.body.clone()), "told twice");
        let value = value(&push);
        let lengths: Vec<usize> = match push.vendor {
            Vendor::Kuaidi100 | Vendor::SeventeenTrack => vec![times(&value).len()],
            Vendor::Kdniao => value["Data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|parcel| parcel["Traces"].as_array().unwrap().len())
                .collect(),
        };
        let gave_up =
            value["event"] == "TRACKING_STOPPED" || value["status"] == "abort" || value["Data"][0]["Success"] == false;
        for (number, lines) in push.tracking_numbers.iter().zip(lengths) {
            let before = told.insert(number.clone(), (push.sent_at, lines));
            let (sent_at, had) = before.unwrap_or_default();
            assert!(push.sent_at >= sent_at, "{number} told out of order");
            assert!(lines >= had || gave_up, "{number} lost history");
        }
    }
    assert!(told.len() > 500, "{} parcels told of", told.len());
}

#[test]
fn nothing_is_told_before_it_happens_and_parcels_are_of_every_age() {
    let now = china_text(NOW);
    let oldest = china_text(NOW - 40 * DAY);
    let mut days: BTreeMap<String, u32> = BTreeMap::new();
    for push in Simulation::new(SimulationConfig {
        parcels: 1_000,
        ..clean()
    }) {
        let abroad = value(&push).get("destResult").is_some() || providers(&value(&push)).len() > 1;
        for time in times(&value(&push)) {
            assert!(abroad || (oldest <= time && time <= now), "{time}");
            days.entry(time[..10].to_owned()).or_insert(0);
        }
    }
    assert!(days.len() >= 40, "{} days", days.len());
    let simulation = Simulation::new(clean());
    let young = simulation
        .parcels()
        .filter(|parcel| parcel.ordered_at > NOW - 2 * DAY)
        .count();
    assert!(young > 10, "{young} of 600 parcels are younger than two days");
}

#[test]
fn carriers_differ_as_their_table_says() {
    let mut hours: HashMap<&str, Vec<Seconds>> = HashMap::new();
    let mut with: HashMap<(&str, Step), f64> = HashMap::new();
    let mut parcels: HashMap<&str, f64> = HashMap::new();
    let simulation = Simulation::new(SimulationConfig {
        parcels: 6_000,
        ..clean()
    });
    for parcel in simulation.parcels().filter(|parcel| parcel.course == Course::Domestic) {
        let carrier = parcel.carrier.code;
        *parcels.entry(carrier).or_default() += 1.0;
        let at = |wanted: fn(Step) -> bool| {
            parcel
                .happenings
                .iter()
                .find(|happening| wanted(happening.step))
                .map(|h| h.at)
        };
        let picked_up = at(|step| step == Step::PickedUp);
        let delivered = at(|step| step.is_signed() && step != Step::Returned && step != Step::RefusedForGood);
        if let Some((picked_up, delivered)) = picked_up.zip(delivered) {
            hours.entry(carrier).or_default().push((delivered - picked_up) / HOUR);
        }
        let steps: std::collections::HashSet<_> = parcel.happenings.iter().map(|happening| happening.step).collect();
        for step in steps {
            *with.entry((carrier, step)).or_default() += 1.0;
        }
    }
    let median = |carrier: &str| {
        let mut hours = hours[carrier].clone();
        hours.sort_unstable();
        hours[hours.len() / 2]
    };
    let share =
        |carrier: &'static str, step| with.get(&(carrier, step)).copied().unwrap_or_default() / parcels[carrier];
    let medians: BTreeMap<_, _> = CARRIERS
        .iter()
        .map(|carrier| (carrier.code, median(carrier.code)))
        .collect();
    for ordinary in ["zto", "yto", "sto", "yunda", "jt"] {
        assert!(medians["sf"] + 10 < medians[ordinary], "{medians:?}");
        assert!(medians["chinapost"] > medians[ordinary] + 10, "{medians:?}");
    }
    assert!((30..80).contains(&medians["zto"]), "{medians:?}");
    assert!(medians["yunda"] > medians["zto"], "{medians:?}");
    assert!(share("yto", Step::InLocker) > 1.5 * share("zto", Step::InLocker));
    assert!(share("sto", Step::FailedAttempt) > 3.0 * share("zto", Step::FailedAttempt));
    assert!(share("jt", Step::Returning) > 4.0 * share("zto", Step::Returning));
    assert!(share("jt", Step::Returning) > 0.05);
}

#[test]
fn mischief_repeats_overtakes_and_rewrites() {
    let mut bodies: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut overtaken = 0;
    let mut rewritten = 0;
    let mut last: HashMap<String, Vec<String>> = HashMap::new();
    for push in Simulation::new(SimulationConfig {
        mischief: 0.2,
        ..config()
    }) {
        let repeated = bodies.entry(push.body.clone()).or_default();
        *repeated += 1;
        if push.vendor == Vendor::Kuaidi100 && *repeated == 1 {
            let times = times(&value(&push));
            if let Some(before) = last.insert(push.tracking_numbers[0].clone(), times.clone()) {
                overtaken += usize::from(!times.is_empty() && times.len() < before.len() && times[0] < before[0]);
                rewritten +=
                    usize::from(before.iter().any(|time| !times.contains(time)) && times.first() > before.first());
            }
        }
    }
    let repeated = bodies.values().filter(|count| **count > 1).count();
    assert!(
        repeated > 200 && overtaken > 20 && rewritten > 5,
        "{repeated} {overtaken} {rewritten}"
    );
}

#[test]
fn a_number_lives_again_only_when_asked_and_a_month_later() {
    let lives = |config: SimulationConfig| {
        let mut lives: HashMap<String, Vec<Parcel>> = HashMap::new();
        for parcel in Simulation::new(config).parcels() {
            lives
                .entry(parcel.tracking_number.clone())
                .or_default()
                .push(parcel.clone());
        }
        lives.into_values().filter(|lives| lives.len() > 1).collect::<Vec<_>>()
    };
    assert!(lives(config()).is_empty());
    let reused = lives(SimulationConfig {
        parcels: 1_000,
        reuse_numbers: true,
        ..config()
    });
    assert!(reused.len() > 3, "{}", reused.len());
    for lives in reused {
        let (first, second) = (&lives[0], &lives[1]);
        assert_eq!(first.carrier.code, second.carrier.code);
        assert!(second.ordered_at - first.happenings.last().unwrap().at > 30 * DAY);
    }
}
