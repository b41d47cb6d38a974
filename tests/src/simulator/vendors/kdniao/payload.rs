//! Snapshots as Kdniao tells them: `RequestData`.

use serde::Serialize;

use super::carriers;
use super::schedule::Reason;
use super::steps::codes;
use super::subscriptions::Product;
use crate::simulator::clock::{HOUR, Seconds, at_offset, china_text, in_china, local_text, offset_in};
use crate::simulator::snapshot::Snapshot;
use crate::simulator::steps::Step;
use crate::simulator::world::{Happening, Place};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestData<'life> {
    push_time: String,
    #[serde(rename = "EBusinessID")]
    business_id: &'life str,
    count: String,
    data: Vec<Parcel<'life>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parcel<'life> {
    #[serde(rename = "EBusinessID")]
    business_id: &'life str,
    shipper_code: &'static str,
    logistic_code: &'life str,
    order_code: String,
    call_back: &'static str,
    success: bool,
    reason: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_ex: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_delivery_time: Option<String>,
    traces: Vec<Trace<'life>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Trace<'life> {
    accept_time: String,
    accept_station: &'life str,
    remark: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
}

/// The JSON text of a push about some parcels.
pub(in crate::simulator) fn request_data(
    parcels: &[(Snapshot<'_>, Reason)],
    product: Product,
    business_id: &str,
    pushed_at: Seconds,
) -> String {
    let data: Vec<_> = parcels
        .iter()
        .map(|(snapshot, reason)| parcel(snapshot, *reason, product, business_id))
        .collect();
    let request = RequestData {
        push_time: china_text(pushed_at),
        business_id,
        count: data.len().to_string(),
        data,
    };
    serde_json::to_string(&request).unwrap_or_default()
}

fn parcel<'life>(
    snapshot: &'life Snapshot<'_>,
    reason: Reason,
    product: Product,
    business_id: &'life str,
) -> Parcel<'life> {
    let told = matches!(reason, Reason::Followed);
    let newest = snapshot
        .happenings
        .last()
        .filter(|_| told)
        .map(|newest| codes(newest.step));
    // Once there was a problem, the basic state says so until the parcel is signed for.
    let state = match newest {
        None => "0",
        Some(codes) if codes.state == "3" => "3",
        Some(_) if snapshot.has(|step| codes(step).state == "4") => "4",
        Some(codes) => codes.state,
    };
    let mut traces: Vec<_> = if told {
        snapshot
            .happenings
            .iter()
            .map(|happening| trace(happening, product))
            .collect()
    } else {
        Vec::new()
    };
    if product == Product::CrossBorder {
        // Ascending for domestic parcels, descending in the vendor's cross-border example.
        traces.reverse();
    }
    let rich = product != Product::Basic;
    Parcel {
        business_id,
        shipper_code: carriers::code(snapshot.parcel.carrier.code),
        logistic_code: &snapshot.parcel.tracking_number,
        order_code: format!(
            "SO|{}={}",
            snapshot.parcel.ordered_at,
            snapshot.parcel.tracking_number.len()
        ),
        call_back: "shop:7|lang=zh",
        success: matches!(reason, Reason::Followed),
        reason: match reason {
            Reason::Followed => "",
            Reason::NotYet => "暂无轨迹信息",
            Reason::NoRecord => "三天无轨迹",
            Reason::Stale => "七天内无轨迹变化",
        },
        state,
        state_ex: newest.map(|codes| codes.state_ex).filter(|_| rich),
        location: rich.then(|| snapshot.happenings.last().map_or("", |newest| city(newest))),
        estimated_delivery_time: (product == Product::ValueAdded && told)
            .then(|| estimate(snapshot))
            .flatten(),
        traces,
    }
}

fn trace(happening: &Happening, product: Product) -> Trace<'_> {
    let (offset, timezone) = match happening.place {
        Place::China(..) => (None, None),
        Place::Abroad(_, zone) => {
            let offset = offset_in(zone, happening.at);
            let hours = offset.seconds() / 3_600;
            (Some(offset), Some(format!("{hours:+03}:00")))
        }
    };
    let rich = product != Product::Basic;
    Trace {
        accept_time: match (happening.written_time, offset) {
            (Some(time), _) => time.to_owned(),
            (None, Some(offset)) => local_text(at_offset(happening.at, offset)),
            (None, None) => china_text(happening.at),
        },
        accept_station: &happening.text,
        remark: "",
        location: rich.then(|| city(happening)),
        action: rich.then(|| match (product, happening.step) {
            // A pre-advice under the code of a pick-up, as in the vendor's own example.
            (Product::CrossBorder, Step::Ordered) => codes(Step::PickedUp).state_ex,
            (_, step) => codes(step).state_ex,
        }),
        timezone: timezone.filter(|_| product == Product::CrossBorder),
    }
}

fn city(happening: &Happening) -> &'static str {
    match happening.place {
        Place::China(city, ..) => city.city,
        Place::Abroad(town, _) => town,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "hours of a parcel's life")]
fn estimate(snapshot: &Snapshot<'_>) -> Option<String> {
    let picked_up = snapshot
        .happenings
        .iter()
        .find(|happening| happening.step == Step::PickedUp)?;
    let arrival = picked_up.at + snapshot.parcel.promised_hours() as Seconds * HOUR;
    Some(in_china(arrival).strftime("%Y-%m-%d").to_string())
}
