use std::collections::{BTreeSet, HashMap};

use courierflow_schemas::records::Vendor;
use serde_json::Value;

use super::sign;
use crate::simulator::push::SimulatedPush;
use crate::simulator::vendors::reading::{Told, missing, pushes, texts_of};

/// Reads a push back, whatever its shape.
pub(super) fn read(push: &SimulatedPush) -> Told {
    let (text, signatures) = if push.body.starts_with(b"{") {
        (String::from_utf8(push.body.clone()).unwrap(), None)
    } else {
        let fields: HashMap<_, _> = form_urlencoded::parse(&push.body).into_owned().collect();
        let text = fields["RequestData"].clone();
        let text = match text.strip_prefix("%7B") {
            Some(_) => form_urlencoded::parse(text.as_bytes()).into_owned().next().unwrap().0,
            None => text,
        };
        let expected = sign(&text, "courierflow-demo-app-key");
        (text, Some((fields["DataSign"].clone(), expected)))
    };
    let body: Value = serde_json::from_str(&text).unwrap();
    let parcels = body["Data"].as_array().unwrap();
    Told {
        signatures,
        parcels: parcels
            .iter()
            .map(|parcel| texts_of(&parcel["Traces"], "AcceptTime"))
            .collect(),
        crosses_border: false,
        gives_up: parcels[0]["Success"] == false,
        body,
    }
}

#[test]
fn every_product_and_shape_occurs() {
    let mut seen = BTreeSet::new();
    for (push, told) in pushes(Vendor::Kdniao) {
        let is_encoded_twice = push.body.windows(15).any(|bytes| bytes == b"RequestData=%25");
        let parcels = told.body["Data"].as_array().unwrap();
        assert_eq!(parcels.len(), push.tracking_numbers.len());
        assert!((1..=10).contains(&parcels.len()));
        seen.insert(format!("{} parcels", parcels.len()));
        let first = &parcels[0];
        seen.insert(first["Reason"].as_str().unwrap().to_owned());
        let kinds = [
            ("json", push.body.starts_with(b"{")),
            ("encoded twice", is_encoded_twice),
            ("basic", first.get("StateEx").is_none() && first["Success"] == true),
            ("value-added", first["Traces"][0]["Action"].is_string()),
            ("cross-border", first["Traces"][0]["Timezone"].is_string()),
        ];
        seen.extend(kinds.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()));
    }
    let expected = "1 parcels, 2 parcels, json, encoded twice, basic, value-added, cross-border, 暂无轨迹信息, \
                    三天无轨迹, 七天内无轨迹变化";
    assert_eq!(missing(expected, &seen), Vec::<&str>::new());
}
