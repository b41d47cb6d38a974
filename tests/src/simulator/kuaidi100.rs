//! Snapshots as pushes of Kuaidi100: every product (enterprise, marketplace, map-track, international) and every shape
//! (signed form, flat form, bare JSON).

use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::Value;

use super::carriers::Carrier;
use super::clock::{HOUR, Seconds, at_offset, china_text, in_china, local_text, offset_in};
use super::places::City;
use super::snapshot::Snapshot;
use super::steps::Step;
use super::world::{Happening, Place, Precision};

/// What the subscriber bought. `resultv2` settles which fields an item has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Enterprise subscription without `resultv2`: texts and times only.
    Plain,
    /// Enterprise subscription, `resultv2` = 1: base names and bare area codes.
    Named,
    /// `resultv2` = 4: advanced names and codes, places.
    Advanced,
    /// `resultv2` = 8: the same with a forecast.
    Forecast,
    /// Map-track subscription, `resultv2` = 5.
    Map,
    /// Map-track subscription, `resultv2` = 7: with a forecast.
    MapForecast,
    /// `interCom` = 1: origin and destination country.
    International,
}

impl Product {
    const fn has_codes(self) -> bool {
        matches!(self, Self::Advanced | Self::Forecast | Self::Map | Self::MapForecast)
    }

    const fn has_forecast(self) -> bool {
        matches!(self, Self::Forecast | Self::MapForecast)
    }

    const fn is_map(self) -> bool {
        matches!(self, Self::Map | Self::MapForecast)
    }

    /// The products whose pushes carry `autoCheck`, `comOld` and `comNew`.
    const fn tells_correction(self) -> bool {
        matches!(self, Self::Plain | Self::Named)
    }
}

/// How the push travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A form with `param` and `sign`.
    SignedForm,
    /// A form whose fields are the payload's own; unsigned.
    FlatForm,
    /// A JSON body; unsigned.
    BareJson,
}

/// Why the vendor pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Something changed.
    Polling,
    /// The end of a life.
    Shutdown,
    /// Told anew from the beginning.
    UpdateAll,
    /// Given up: the number was found nowhere for three days.
    AbortNoRecord,
    /// Given up: no change for sixty days.
    AbortStale,
    /// Goes on under another carrier.
    AbortCorrected,
}

impl Word {
    const fn status(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::Shutdown => "shutdown",
            Self::UpdateAll => "updateall",
            Self::AbortNoRecord | Self::AbortStale | Self::AbortCorrected => "abort",
        }
    }
}

/// A subscription under the wrong carrier, and who it was.
#[derive(Clone, Copy, Debug)]
pub struct Correction {
    /// The company that the subscriber named.
    pub wrong: &'static Carrier,
    /// Whether the vendor still writes it into `lastResult.com` afterwards, as one of its documents shows.
    pub keeps_old_company: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Param<'life> {
    status: &'static str,
    billstatus: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_check: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    com_old: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    com_new: Option<&'static str>,
    last_result: QueryResult<'life>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_result: Option<QueryResult<'life>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueryResult<'life> {
    message: &'static str,
    nu: &'life str,
    ischeck: &'static str,
    com: &'static str,
    status: &'static str,
    data: Vec<Item<'life>>,
    state: &'static str,
    condition: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route_info: Option<Route>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_loop: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trail_url: Option<String>,
    #[serde(flatten)]
    forecast: Option<Forecast>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'life> {
    time: String,
    context: &'life str,
    ftime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_code: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_name: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'life str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_center: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_pin_yin: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<&'static str>,
}

#[derive(Serialize)]
struct Route {
    from: Area,
    cur: Area,
    to: Option<Area>,
}

#[derive(Serialize)]
struct Area {
    number: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Forecast {
    arrival_time: String,
    total_time: String,
    remain_time: String,
    predicted_route: Vec<Node>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    arrive_time: String,
    leave_time: String,
    province: &'static str,
    city: &'static str,
    district: Option<&'static str>,
    name: String,
    state: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// The JSON text of a push.
pub fn param(snapshot: &Snapshot<'_>, product: Product, word: Word, correction: Option<Correction>) -> String {
    let right = snapshot.parcel.carrier;
    let corrected_earlier = correction.filter(|_| word != Word::AbortCorrected);
    let (auto_check, com_old, com_new) = match (word, correction) {
        (Word::AbortCorrected, Some(correction)) => {
            (Some("0"), Some(correction.wrong.kuaidi100), Some(right.kuaidi100))
        }
        (_, Some(correction)) => (Some("1"), Some(correction.wrong.kuaidi100), Some(right.kuaidi100)),
        (_, None) if product.tells_correction() => (Some("0"), Some(""), Some("")),
        (_, None) => (None, None, None),
    };
    let com = match (word, corrected_earlier) {
        (Word::AbortCorrected, _) => correction.map_or(right, |correction| correction.wrong).kuaidi100,
        (
            _,
            Some(Correction {
                wrong,
                keeps_old_company: true,
            }),
        ) => wrong.kuaidi100,
        _ => right.kuaidi100,
    };
    let param = Param {
        status: word.status(),
        billstatus: billstatus(snapshot, word),
        message: match word {
            Word::AbortNoRecord | Word::AbortCorrected => "3天查询无记录",
            Word::AbortStale => "60天无变化",
            Word::Shutdown => "签收",
            Word::UpdateAll => "",
            Word::Polling => "变化",
        },
        auto_check,
        com_old,
        com_new,
        last_result: last_result(snapshot, product, word, com),
        dest_result: dest_result(snapshot, product),
    };
    serde_json::to_string(&param).unwrap_or_default()
}

fn billstatus(snapshot: &Snapshot<'_>, word: Word) -> &'static str {
    match (word, snapshot.newest().map(|newest| newest.step)) {
        (Word::AbortNoRecord | Word::AbortCorrected, _) | (_, None) => "",
        (_, Some(step)) if step.is_signed() => "check",
        (_, Some(Step::Ordered | Step::AwaitingPickup | Step::PickedUp)) => "got",
        _ => "sending",
    }
}

fn last_result<'life>(
    snapshot: &'life Snapshot<'_>,
    product: Product,
    word: Word,
    com: &'static str,
) -> QueryResult<'life> {
    let parcel = snapshot.parcel;
    let empty = snapshot.happenings.is_empty() || word == Word::AbortCorrected;
    let newest = snapshot.happenings.last().filter(|_| !empty);
    let names = newest.map(|newest| newest.step.names());
    let state = names.map_or("0", |names| {
        if product.is_map() {
            names.advanced.0
        } else {
            names.base.0
        }
    });
    let signed = newest.is_some_and(|newest| newest.step.is_signed());
    let rich = product.has_codes() && !empty;
    QueryResult {
        message: "ok",
        nu: &parcel.tracking_number,
        ischeck: if signed { "1" } else { "0" },
        com,
        status: if empty { "201" } else { "200" },
        data: if empty {
            Vec::new()
        } else {
            snapshot
                .happenings
                .iter()
                .rev()
                .map(|happening| item(happening, product))
                .collect()
        },
        state,
        condition: if signed { "F00" } else { "00" },
        route_info: rich.then(|| route(snapshot)).flatten(),
        is_loop: rich.then_some(false),
        trail_url: (product.is_map() && !empty).then(|| trail_url(&parcel.tracking_number)),
        forecast: (product.has_forecast() && !empty)
            .then(|| forecast(snapshot, product))
            .flatten(),
    }
}

fn dest_result<'life>(snapshot: &'life Snapshot<'_>, product: Product) -> Option<QueryResult<'life>> {
    let carrier = snapshot
        .parcel
        .destination
        .as_ref()
        .filter(|_| product == Product::International)?;
    let newest = snapshot.abroad.last()?;
    Some(QueryResult {
        message: "ok",
        nu: &carrier.tracking_number,
        ischeck: if newest.step.is_signed() { "1" } else { "0" },
        com: carrier.kuaidi100,
        status: "200",
        data: snapshot
            .abroad
            .iter()
            .rev()
            .map(|happening| item(happening, product))
            .collect(),
        state: newest.step.names().base.0,
        condition: "F00",
        route_info: None,
        is_loop: None,
        trail_url: None,
        forecast: None,
    })
}

fn item(happening: &Happening, product: Product) -> Item<'_> {
    let names = happening.step.names();
    let time = match (happening.written_time, &happening.place) {
        (Some(time), _) => time.to_owned(),
        (None, Place::China(..)) => china_text(happening.at),
        (None, Place::Abroad(_, zone)) => local_text(at_offset(happening.at, offset_in(zone, happening.at))),
    };
    let mut item = Item {
        ftime: time.clone(),
        time,
        context: &happening.text,
        area_code: None,
        area_name: None,
        status: None,
        location: None,
        area_center: None,
        area_pin_yin: None,
        status_code: None,
    };
    match (product, &happening.place) {
        (Product::Plain, _) => {}
        (Product::Named | Product::International, Place::China(city, precision, _)) => {
            item.status = Some(names.base.1);
            let (code, name) = area(city, *precision);
            item.area_code = Some(code.into());
            item.area_name = Some(name.into());
        }
        (_, Place::China(city, precision, site)) => {
            item.status = Some(names.advanced.1);
            item.status_code = Some(names.advanced.0);
            let (code, name) = area(city, *precision);
            item.area_code = Some(format!("CN{code}").into());
            item.area_name = Some(name.into());
            item.location = Some(site);
            item.area_center = Some(city.centre());
            item.area_pin_yin = Some(city.pinyin);
        }
        (_, Place::Abroad(..)) => {
            item.status = Some(names.base.1);
            item.area_code = Some(Value::Null);
            item.area_name = Some(Value::Null);
        }
    }
    item
}

fn area(city: &City, precision: Precision) -> (String, String) {
    match precision {
        Precision::City => (city.city_code(), city.city_name()),
        Precision::District => (city.district_code(), city.district_name()),
    }
}

fn route(snapshot: &Snapshot<'_>) -> Option<Route> {
    let parcel = snapshot.parcel;
    let district = |city: &City| Area {
        number: format!("CN{}", city.district_code()),
        name: city.district_name(),
    };
    let cur = snapshot
        .happenings
        .iter()
        .rev()
        .find_map(|happening| match &happening.place {
            Place::China(city, precision, _) => {
                let (number, name) = area(city, *precision);
                Some(Area {
                    number: format!("CN{number}"),
                    name,
                })
            }
            Place::Abroad(..) => None,
        })?;
    // Where nobody told the destination at the subscription, the vendor learns it only on arrival.
    let knows_destination = !digest(&parcel.tracking_number).ends_with('7')
        || snapshot.has(|step| matches!(step, Step::ArrivedDestCity | Step::ArrivedDeliveryDepot));
    Some(Route {
        from: district(parcel.from),
        cur,
        to: knows_destination.then(|| district(parcel.to)),
    })
}

fn trail_url(number: &str) -> String {
    format!("https://trail.example.com/tools/map/{}", digest(number).to_lowercase())
}

#[expect(clippy::cast_possible_truncation, reason = "hours of a parcel's life")]
fn forecast(snapshot: &Snapshot<'_>, product: Product) -> Option<Forecast> {
    let parcel = snapshot.parcel;
    let begin = snapshot
        .happenings
        .iter()
        .find(|happening| happening.step == Step::PickedUp)?
        .at;
    let hours = parcel.promised_hours() as Seconds;
    let arrival = begin + hours * HOUR;
    let left = ((arrival - snapshot.taken_at) / HOUR).max(0);
    let nodes = [
        (parcel.from, parcel.from.hub, 0.15),
        (parcel.to, parcel.to.hub, 0.7),
        (parcel.to, parcel.to.hub, 0.9),
    ];
    let predicted_route = nodes.into_iter().enumerate().map(|(index, (city, hub, share))| {
        let at = begin + (hours as f64 * share) as Seconds * HOUR;
        let depot = index == 2;
        Node {
            arrive_time: china_text(at),
            leave_time: china_text(at + 2 * HOUR),
            province: city.province,
            city: city.city,
            district: depot.then_some(city.district),
            name: if depot {
                format!("{}{}网点", city.city, city.district)
            } else {
                hub.to_owned()
            },
            state: if at + 2 * HOUR < snapshot.taken_at {
                "已经过节点"
            } else {
                "预估途径节点"
            },
            kind: if depot { "网点" } else { "转运中心" },
            location: product.is_map().then(|| city.centre()),
        }
    });
    Some(Forecast {
        arrival_time: in_china(arrival).strftime("%Y-%m-%d %H").to_string(),
        total_time: format!("{}天 {}小时", hours / 24, hours % 24),
        remain_time: format!("{} 天 {} 小时", left / 24, left % 24),
        predicted_route: predicted_route.collect(),
    })
}

/// `MD5(text)` as upper-case hex, the vendor's way to sign: the text is `param` followed by the salt.
pub fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

/// The signature of `param`.
pub fn sign(param: &str, salt: &str) -> String {
    digest(&format!("{param}{salt}"))
}

/// Content type and body of a push. Unsigned shapes ignore the salt; without a salt a form carries no `sign`.
pub fn body(param: &str, shape: Shape, salt: Option<&str>) -> (&'static str, Vec<u8>) {
    const FORM: &str = "application/x-www-form-urlencoded;charset=UTF-8";
    let mut form = form_urlencoded::Serializer::new(String::new());
    match shape {
        Shape::BareJson => return ("application/json;charset=UTF-8", param.as_bytes().to_vec()),
        Shape::SignedForm => {
            // The vendor guarantees no order of the fields: half of the pushes have the signature first.
            let sign = salt.map(|salt| sign(param, salt));
            let sign_first = sign
                .as_ref()
                .is_some_and(|sign| sign.ends_with(|last: char| last < '8'));
            if let Some(sign) = sign.as_ref().filter(|_| sign_first) {
                form.append_pair("sign", sign);
            }
            form.append_pair("param", param);
            if let Some(sign) = sign.as_ref().filter(|_| !sign_first) {
                form.append_pair("sign", sign);
            }
        }
        Shape::FlatForm => {
            let fields: serde_json::Map<String, Value> = serde_json::from_str(param).unwrap_or_default();
            for (name, value) in fields {
                match value {
                    Value::String(text) => form.append_pair(&name, &text),
                    other => form.append_pair(&name, &other.to_string()),
                };
            }
        }
    }
    (FORM, form.finish().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_vendors() {
        let long = concat!(
            r#"{"status":"polling","message":"","lastResult":{"nu":"YT0000000000001","com":"yuantong","state":"0","#,
            r#""ischeck":"0","data":[{"context":"上海分拨中心/装件入车扫描 ","time":"2012-08-28 16:33:19","#,
            r#""ftime":"2012-08-28 16:33:19"}]}}"#
        );
        assert_eq!(long.len(), 235);
        for (param, salt, expected) in [
            (r#"{"status":"polling"}"#, "SALT", "9E1C45EE8E992780AB1C5976032B9F61"),
            (long, "S@lt+01", "EEC87026F12B5C2B4DA682A40A15BC67"),
            (long, "", "E6C984E244775E79C47A5E936233C7B2"),
        ] {
            assert_eq!(sign(param, salt), expected, "{param} with salt {salt:?}");
        }
    }

    #[test]
    fn a_form_decodes_to_the_signed_text() {
        let param = r#"{"context":"a+b & c=d %20 上海 "}"#;
        let (_, body) = body(param, Shape::SignedForm, Some("salt"));
        let fields: std::collections::HashMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
        assert_eq!(fields.get("param").map(String::as_str), Some(param));
        assert_eq!(fields.get("sign"), Some(&sign(param, "salt")));
    }
}
