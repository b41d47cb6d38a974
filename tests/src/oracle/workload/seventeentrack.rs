//! The spelling of 17TRACK: one push with the whole history of one or two carriers, or the word that it has stopped.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{DAY, Line, SECOND, Teller, chance, context, doubled_keys, odd, one, order};

/// The carriers that are asked, by the vendor's numbers; one is unknown to us, two are none.
pub(super) const CARRIERS: [&str; 8] = ["3011", "7041", "21051", "10021", "190455", "0", "999999", ""];

/// What most of its events say.
pub(super) const COMMON: &[&str] = &[
    "InfoReceived",
    "InTransit_PickedUp",
    "InTransit_Other",
    "InTransit_Departure",
    "InTransit_Arrival",
    "OutForDelivery_Other",
    "AvailableForPickup_Other",
    "Delivered_Other",
];

/// What no list of its codes has.
pub(super) const UNHEARD: &[&str] = &[
    "InTransit_Sorting",
    "Exception_Stolen",
    "Delivered",
    "Inbound",
    "InTransit",
    "_Other",
    "delivered_other",
    "DeliveryFailure_Weather_Snow",
];

/// Codes that belong together.
pub(super) const RUNS: &[&[&str]] = &[
    &[
        "OutForDelivery_Other",
        "DeliveryFailure_NoBody",
        "OutForDelivery_Other",
        "Delivered_Other",
    ],
    &["DeliveryFailure_Rejected", "Exception_Returning", "Exception_Returned"],
    &["Exception_Returning", "InTransit_Other", "Delivered_Other"],
    &[
        "InTransit_Departure",
        "InTransit_Arrival",
        "InTransit_CustomsProcessing",
        "InTransit_CustomsReleased",
    ],
    &[
        "InTransit_CustomsRequiringInformation",
        "Exception_Security",
        "Exception_Destroyed",
    ],
    &["AvailableForPickup_Other", "Delivered_Other"],
    &["Exception_Lost", "InTransit_Other", "Delivered_Other"],
    &["Exception_Cancel", "InTransit_PickedUp"],
    &["Delivered_Other", "OutForDelivery_Other", "Delivered_Other"],
];

impl Teller {
    pub(super) fn seventeentrack(
        &self,
        rng: &mut Rng,
        number: &str,
        received_at: i64,
    ) -> (String, Option<String>, Option<String>, String) {
        // What ingest makes of the vendor's number for none.
        let vendor_carrier = if self.carrier == "0" { "" } else { self.carrier };
        let told = |payload: String| (payload, None, None, vendor_carrier.to_owned());
        if chance(rng, 1) {
            let broken = [
                "",
                "{\"event\":",
                "[1]",
                "{\"event\":\"TRACKING_UPDATED\",\"data\":null}",
                "null",
            ];
            return told(one(rng, &broken).to_owned());
        }
        let event = match rng.u8(..100) {
            0..85 => "TRACKING_UPDATED",
            85..97 => "TRACKING_STOPPED",
            97 => " TRACKING_UPDATED ",
            _ => one(rng, &["tracking_updated", "TRACKING_NEW", ""]),
        };
        let mut data = Map::new();
        data.insert("number".to_owned(), json!(number));
        match (self.carrier.parse::<u32>(), rng.u8(..4)) {
            (Ok(carrier), 1..) => drop(data.insert("carrier".to_owned(), json!(carrier))),
            (Ok(_), 0) => drop(data.insert("carrier".to_owned(), json!(format!(" {} ", self.carrier)))),
            _ => drop(data.insert("carrier".to_owned(), Value::Null)),
        }
        if event != "TRACKING_STOPPED" || chance(rng, 10) {
            data.insert("track_info".to_owned(), self.track_info(rng, received_at));
        }
        told(doubled_keys(rng, json!({"event": event, "data": data}).to_string()))
    }

    fn track_info(&self, rng: &mut Rng, received_at: i64) -> Value {
        let asked_at = received_at.div_euclid(SECOND) - one(rng, &[0, 0, 1, 5, 600, 7 * 3600, 3 * DAY]);
        let mut providers = vec![provider(rng, self.carrier, &self.lines, asked_at)];
        if let Some((carrier, lines)) = &self.destination
            && !lines.is_empty()
        {
            // Sometimes two of them at the destination.
            let cut = if chance(rng, 15) {
                rng.usize(..=lines.len())
            } else {
                lines.len()
            };
            providers.push(provider(rng, carrier, &lines[..cut], asked_at));
            if cut < lines.len() {
                providers.push(provider(rng, "10021", &lines[cut..], asked_at));
            }
        }
        if chance(rng, 20) {
            providers.reverse();
        }
        let status = one(rng, &[COMMON, UNHEARD, &["Expired_Other", "NotFound_Other"]]);
        let mut track_info = Map::new();
        if chance(rng, 90) {
            let latest = json!({"status": one(rng, &["InTransit", "Delivered"]), "sub_status": one(rng, status)});
            track_info.insert("latest_status".to_owned(), latest);
        }
        if chance(rng, 40) {
            let country = |rng: &mut Rng| json!({"country": one(rng, &["CN", "us", "Germany", ""]), "city": "x"});
            let shipping = json!({"shipper_address": country(rng), "recipient_address": country(rng)});
            track_info.insert("shipping_info".to_owned(), shipping);
        }
        if chance(rng, 40) {
            track_info.insert("time_metrics".to_owned(), estimate(rng, asked_at));
        }
        let tracking = if chance(rng, 3) {
            one(rng, &["null", "{}", "{\"providers\":{}}", "\"x\""])
                .parse()
                .unwrap()
        } else {
            json!({"providers_hash": rng.i32(..), "providers": providers})
        };
        track_info.insert("tracking".to_owned(), tracking);
        Value::Object(track_info)
    }
}

fn estimate(rng: &mut Rng, asked_at: i64) -> Value {
    let mut end = || {
        let told = one(
            rng,
            &[
                "%Y-%m-%dT%H:%M:%S-04:00",
                "%Y-%m-%d",
                "%Y-%m-%dT%H:%M:%S",
                "soon",
                "",
                "0001-01-01T00:00:00Z",
            ],
        );
        clock(asked_at + rng.i64(1..5) * DAY, told)
    };
    let (from, to) = (end(), end());
    let source = one(rng, &["\"Official\"", "null", "\"17TRACK\""])
        .parse::<Value>()
        .unwrap();
    json!({"estimated_delivery_date": {"source": source, "from": from, "to": to}})
}

fn provider(rng: &mut Rng, carrier: &str, lines: &[Line], asked_at: i64) -> Value {
    let with_codes = chance(rng, 85);
    let mut events: Vec<Value> = lines.iter().map(|line| event(rng, line, with_codes)).collect();
    order(rng, &mut events, 85);
    let asked = match rng.u8(..10) {
        0 => Value::Null,
        1 => json!("never"),
        2 => json!(clock(asked_at + 8 * 3600, "%Y-%m-%dT%H:%M:%S+08:00")),
        3 if chance(rng, 20) => json!("9999-01-01T00:00:00Z"),
        _ => json!(clock(asked_at, "%Y-%m-%dT%H:%M:%SZ")),
    };
    let key = carrier.parse::<u32>().map_or(Value::Null, |key| json!(key));
    json!({"provider": {"key": key}, "latest_sync_time": asked, "events_hash": rng.i32(..), "events": events})
}

fn event(rng: &mut Rng, line: &Line, with_codes: bool) -> Value {
    let mut event = Map::new();
    let (date, time) = (clock(line.local, "%Y-%m-%d"), clock(line.local, "%H:%M:%S"));
    match (line.bad_time, line.zone) {
        (Some(bad), _) => drop(event.insert("time_iso".to_owned(), json!(bad))),
        (None, Some(zone @ ("+08:00" | "+02:00" | "-05:00" | "Z"))) => {
            event.insert("time_iso".to_owned(), json!(format!("{date}T{time}{zone}")));
            if chance(rng, 5) {
                event.insert("time_utc".to_owned(), json!(clock(line.local, "%Y-%m-%dT%H:%M:%SZ")));
            }
        }
        (None, Some(zone @ ("GMT+8" | "+9"))) => {
            let second = line.local - 8 * 3600;
            let told = match rng.u8(..8) {
                0 => json!(second),
                1 => json!(clock(second + 3600, "%Y-%m-%dT%H:%M:%S+01")),
                _ => json!(clock(second, "%Y-%m-%dT%H:%M:%SZ")),
            };
            event.insert("time_utc".to_owned(), told);
            if chance(rng, 20) {
                event.insert("time_iso".to_owned(), json!("0001-01-01T00:00:00Z"));
            }
            if zone == "+9" {
                event.insert(
                    "time_raw".to_owned(),
                    json!({"date": date, "time": time, "timezone": null}),
                );
            }
        }
        (None, Some("")) => drop(event.insert("time_raw".to_owned(), json!({"date": date, "time": null}))),
        (None, _) => drop(event.insert("time_raw".to_owned(), json!({"date": date, "time": time}))),
    }
    context(rng, &mut event, "description", &line.text);
    match &line.code {
        Some(code) if with_codes => drop(event.insert("sub_status".to_owned(), json!(code))),
        Some(code) => drop(event.insert("stage".to_owned(), json!(code))),
        None => drop(event.insert("sub_status".to_owned(), Value::Null)),
    }
    match line.place {
        Some(place) => drop(event.insert("location".to_owned(), json!(place))),
        None => drop(event.insert("location".to_owned(), Value::Null)),
    }
    if let Some((_, name)) = line.area {
        event.insert(
            "address".to_owned(),
            json!({"country": "CN", "state": null, "city": name}),
        );
    }
    odd(rng, event)
}

/// A clock that shows UTC, in a form.
fn clock(second: i64, form: &str) -> String {
    let civil = jiff::Timestamp::from_second(second)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .datetime();
    civil.strftime(form).to_string()
}
