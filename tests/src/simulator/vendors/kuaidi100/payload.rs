//! Snapshots as Kuaidi100 tells them: `param`.

use serde::Serialize;
use serde_json::Value;

use super::carriers;
use super::request::digest;
use super::schedule::Reason;
use super::steps::names;
use super::subscriptions::{Correction, Product};
use crate::simulator::clock::{HOUR, Seconds, at_offset, china_text, in_china, local_text, offset_in};
use crate::simulator::places::City;
use crate::simulator::snapshot::Snapshot;
use crate::simulator::steps::Step;
use crate::simulator::world::{Happening, Place, Precision};

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
pub(in crate::simulator) fn param(
    snapshot: &Snapshot<'_>,
    product: Product,
    reason: Reason,
    correction: Option<Correction>,
) -> String {
    let right = carriers::code(snapshot.parcel.carrier.code);
    let wrong = correction.map(|correction| carriers::code(correction.wrong.code));
    let (auto_check, com_old, com_new) = match (reason, wrong) {
        (Reason::AbortCorrected, Some(wrong)) => (Some("0"), Some(wrong), Some(right)),
        (_, Some(wrong)) => (Some("1"), Some(wrong), Some(right)),
        (_, None) if product.tells_correction() => (Some("0"), Some(""), Some("")),
        (_, None) => (None, None, None),
    };
    let keeps_old_company = correction.is_some_and(|correction| correction.keeps_old_company);
    let com = if reason == Reason::AbortCorrected || keeps_old_company {
        wrong.unwrap_or(right)
    } else {
        right
    };
    let param = Param {
        status: reason.status(),
        billstatus: billstatus(snapshot, reason),
        message: match reason {
            Reason::AbortNoRecord | Reason::AbortCorrected => "3天查询无记录",
            Reason::AbortStale => "60天无变化",
            Reason::Shutdown => "签收",
            Reason::UpdateAll => "",
            Reason::Polling => "变化",
        },
        auto_check,
        com_old,
        com_new,
        last_result: last_result(snapshot, product, reason, com),
        dest_result: dest_result(snapshot, product),
    };
    serde_json::to_string(&param).unwrap_or_default()
}

fn billstatus(snapshot: &Snapshot<'_>, reason: Reason) -> &'static str {
    match (reason, snapshot.newest().map(|newest| newest.step)) {
        (Reason::AbortNoRecord | Reason::AbortCorrected, _) | (_, None) => "",
        (_, Some(step)) if step.is_signed() => "check",
        (_, Some(Step::Ordered | Step::AwaitingPickup | Step::PickedUp)) => "got",
        _ => "sending",
    }
}

fn last_result<'life>(
    snapshot: &'life Snapshot<'_>,
    product: Product,
    reason: Reason,
    com: &'static str,
) -> QueryResult<'life> {
    let parcel = snapshot.parcel;
    let empty = snapshot.happenings.is_empty() || reason == Reason::AbortCorrected;
    let newest = snapshot.happenings.last().filter(|_| !empty);
    let names = newest.map(|newest| names(newest.step));
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
        com: carriers::code(carrier.code),
        status: "200",
        data: snapshot
            .abroad
            .iter()
            .rev()
            .map(|happening| item(happening, product))
            .collect(),
        state: names(newest.step).base.0,
        condition: "F00",
        route_info: None,
        is_loop: None,
        trail_url: None,
        forecast: None,
    })
}

fn item(happening: &Happening, product: Product) -> Item<'_> {
    let names = names(happening.step);
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

/// By how much a node is reached later than the way before it lets expect; the same in every push of the parcel.
fn own_delay(number: &str, node: usize) -> Seconds {
    let digit = digest(number).as_bytes().get(node).copied().unwrap_or(0);
    let hours = match digit % 8 {
        2 => 1,
        4 => -1,
        5 => 3,
        7 => 5,
        _ => 0,
    };
    hours * HOUR
}

/// Link to the map of a parcel.
pub(in crate::simulator) fn trail_url(number: &str) -> String {
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
    // Whoever has signed has passed all of them, whatever was predicted.
    let signed_at = snapshot.happenings.last().filter(|newest| newest.step.is_signed());
    let signed_at = signed_at.map(|newest| newest.at);
    let mut delay = 0;
    let predicted_route = nodes.into_iter().enumerate().map(|(index, (city, hub, share))| {
        let planned = begin + (hours as f64 * share) as Seconds * HOUR;
        let actual = planned + delay + own_delay(&parcel.tracking_number, index);
        let is_reached = signed_at.is_some() || actual <= snapshot.taken_at;
        // Until then the prediction knows only of the delays before.
        let at = if is_reached { actual } else { planned + delay };
        if is_reached {
            delay = actual - planned;
        }
        let (at, left) = match signed_at {
            Some(signed_at) => (at.min(signed_at), (at + 2 * HOUR).min(signed_at)),
            None => (at, at + 2 * HOUR),
        };
        let depot = index == 2;
        Node {
            arrive_time: china_text(at),
            leave_time: china_text(left),
            province: city.province,
            city: city.city,
            district: depot.then_some(city.district),
            name: if depot {
                format!("{}{}网点", city.city, city.district)
            } else {
                hub.to_owned()
            },
            state: match is_reached {
                true if left <= snapshot.taken_at => "已经过节点",
                true => "当前停留节点",
                false => "预估途径节点",
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
