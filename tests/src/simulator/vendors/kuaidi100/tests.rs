use std::collections::{BTreeSet, HashMap};

use courierflow_schemas::records::Vendor;
use serde_json::Value;

use super::sign;
use crate::simulator::push::{SimulatedPush, Simulation, SimulationConfig};
use crate::simulator::vendors::reading::{Told, missing, pushes, texts_of};

/// Reads a push back, whatever its shape.
pub(super) fn read(push: &SimulatedPush) -> Told {
    let fields: HashMap<_, _> = form_urlencoded::parse(&push.body).into_owned().collect();
    let (text, signatures) = match fields.get("param") {
        _ if push.body.starts_with(b"{") => (String::from_utf8(push.body.clone()).unwrap(), None),
        Some(param) => {
            let expected = sign(param, "courierflow-demo-salt");
            (param.clone(), Some((fields["sign"].clone(), expected)))
        }
        None => {
            let parse = |text: &String| serde_json::from_str(text).unwrap_or(Value::String(text.clone()));
            let object: serde_json::Map<_, _> = fields.iter().map(|(name, text)| (name.clone(), parse(text))).collect();
            (Value::Object(object).to_string(), None)
        }
    };
    let body: Value = serde_json::from_str(&text).unwrap();
    let mut times = texts_of(&body["lastResult"]["data"], "ftime");
    times.extend(texts_of(&body["destResult"]["data"], "ftime"));
    Told {
        signatures,
        parcels: vec![times],
        crosses_border: body.get("destResult").is_some(),
        gives_up: body["status"] == "abort",
        body,
    }
}

#[test]
fn every_product_and_shape_occurs() {
    let mut seen = BTreeSet::new();
    for (push, told) in pushes(Vendor::Kuaidi100) {
        let is_json = push.body.starts_with(b"{");
        let is_flat = !is_json && !push.body.windows(6).any(|bytes| bytes == b"param=");
        let value = told.body;
        let result = &value["lastResult"];
        let item = &result["data"][0];
        let area_code = item["areaCode"].as_str();
        seen.insert(value["status"].as_str().unwrap().to_owned());
        seen.insert(value["message"].as_str().unwrap().to_owned());
        let kinds = [
            ("bare json", is_json),
            ("flat form", is_flat),
            ("plain", item.is_object() && item.get("status").is_none()),
            ("bare area code", area_code.is_some_and(|code| !code.starts_with("CN"))),
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
        ];
        seen.extend(kinds.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()));
    }
    let expected = "polling, shutdown, abort, updateall, 3天查询无记录, 60天无变化, bare json, flat form, plain, \
                    bare area code, advanced, forecast, map, no destination, international, corrected, query";
    assert_eq!(missing(expected, &seen), Vec::<&str>::new());
}

#[test]
fn mischief_overtakes_and_rewrites() {
    let mut overtaken = 0;
    let mut rewritten = 0;
    let mut bodies = BTreeSet::new();
    let mut last: HashMap<String, Vec<String>> = HashMap::new();
    let config = SimulationConfig {
        mischief: 0.2,
        ..SimulationConfig::local(7, 600, 1_786_248_000)
    };
    for push in Simulation::new(config) {
        if push.vendor != Vendor::Kuaidi100 || !bodies.insert(push.body.clone()) {
            continue;
        }
        let times = read(&push).parcels.remove(0);
        if let Some(before) = last.insert(push.tracking_numbers[0].clone(), times.clone()) {
            overtaken += usize::from(!times.is_empty() && times.len() < before.len() && times[0] < before[0]);
            rewritten += usize::from(before.iter().any(|time| !times.contains(time)) && times.first() > before.first());
        }
    }
    assert!(overtaken > 20 && rewritten > 5, "{overtaken} {rewritten}");
}

/// What is predicted is not always what comes, and what has come stays as it is.
#[test]
fn routes_have_plans_and_facts() {
    const REACHED: [&str; 2] = ["已经过节点", "当前停留节点"];
    let mut planned: HashMap<(String, usize), String> = HashMap::new();
    let mut reached: HashMap<(String, usize), BTreeSet<String>> = HashMap::new();
    for push in Simulation::new(SimulationConfig::local(7, 600, 1_786_248_000)) {
        if push.vendor != Vendor::Kuaidi100 {
            continue;
        }
        let body = read(&push).body;
        let is_signed = body["lastResult"]["ischeck"] == "1";
        let nodes = body["lastResult"]["predictedRoute"].as_array().into_iter().flatten();
        for (place, node) in nodes.enumerate() {
            let node_of_parcel = (push.tracking_numbers[0].clone(), place);
            let arrival = node["arriveTime"].as_str().unwrap().to_owned();
            let is_reached = REACHED.contains(&node["state"].as_str().unwrap());
            assert!(is_reached || !is_signed, "signed for on the way: {node}");
            if !is_reached {
                planned.entry(node_of_parcel).or_insert(arrival);
            } else if !is_signed {
                reached.entry(node_of_parcel).or_default().insert(arrival);
            }
        }
    }
    assert!(reached.values().all(|arrivals| arrivals.len() == 1));
    let as_planned =
        |(node, arrivals): (&(String, usize), &BTreeSet<String>)| Some(arrivals.contains(planned.get(node)?));
    let (kept, missed): (Vec<bool>, Vec<bool>) = reached.iter().filter_map(as_planned).partition(|kept| *kept);
    assert!(kept.len() > 20 && missed.len() > 20, "{} {}", kept.len(), missed.len());
}
