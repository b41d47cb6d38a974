//! Snapshots as pushes of Kdniao: 1 to 10 parcels a push, basic (`State` only), value-added (`StateEx`, `Action`) and
//! cross-border (`Timezone`), as a signed form or as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::clock::{HOUR, Seconds, at_offset, china_text, in_china, local_text, offset_in};
use super::kuaidi100::digest;
use super::snapshot::Snapshot;
use super::steps::Step;
use super::world::{Happening, Place};

/// What the subscriber bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// 1008: `State` and texts.
    Basic,
    /// 8008: `StateEx`, `Action`, places, forecast.
    ValueAdded,
    /// 7108: foreign carriers, with time zones.
    CrossBorder,
}

impl Product {
    /// `RequestType` of its pushes.
    pub const fn request_type(self) -> &'static str {
        match self {
            Self::Basic => "101",
            Self::ValueAdded | Self::CrossBorder => "102",
        }
    }
}

/// How the push travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// A form with `RequestData`, `DataSign` and `RequestType`.
    SignedForm,
    /// The same with `RequestData` encoded twice, as some of the vendor's documents ask for.
    DoublyEncodedForm,
    /// A JSON body; unsigned.
    BareJson,
}

/// What the vendor says of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It is followed.
    Followed,
    /// Nothing yet; normal.
    NotYet,
    /// Given up: nothing for three days.
    NoRecord,
    /// Given up: no change for seven days.
    Stale,
}

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
pub fn request_data(
    parcels: &[(Snapshot<'_>, Word)],
    product: Product,
    business_id: &str,
    pushed_at: Seconds,
) -> String {
    let data: Vec<_> = parcels
        .iter()
        .map(|(snapshot, word)| parcel(snapshot, *word, product, business_id))
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
    word: Word,
    product: Product,
    business_id: &'life str,
) -> Parcel<'life> {
    let told = matches!(word, Word::Followed);
    let newest = snapshot
        .happenings
        .last()
        .filter(|_| told)
        .map(|newest| newest.step.names());
    // Once there was a problem, the basic state says so until the parcel is signed for.
    let state = match newest {
        None => "0",
        Some(names) if names.state == "3" => "3",
        Some(_) if snapshot.has(|step| step.names().state == "4") => "4",
        Some(names) => names.state,
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
        shipper_code: snapshot.parcel.carrier.kdniao,
        logistic_code: &snapshot.parcel.tracking_number,
        order_code: format!(
            "SO|{}={}",
            snapshot.parcel.ordered_at,
            snapshot.parcel.tracking_number.len()
        ),
        call_back: "shop:7|lang=zh",
        success: matches!(word, Word::Followed),
        reason: match word {
            Word::Followed => "",
            Word::NotYet => "暂无轨迹信息",
            Word::NoRecord => "三天无轨迹",
            Word::Stale => "七天内无轨迹变化",
        },
        state,
        state_ex: newest.map(|names| names.state_ex).filter(|_| rich),
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
            (Product::CrossBorder, Step::Ordered) => Step::PickedUp.names().state_ex,
            (_, step) => step.names().state_ex,
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

/// The vendor's signature: Base64 of the lower-case hex text of the MD5, not of its bytes.
pub fn sign(request_data: &str, app_key: &str) -> String {
    STANDARD.encode(digest(&format!("{request_data}{app_key}")).to_lowercase())
}

/// Content type and body of a push. Without an app key a form carries no `DataSign`.
pub fn body(request_data: &str, product: Product, shape: Shape, app_key: Option<&str>) -> (&'static str, Vec<u8>) {
    if shape == Shape::BareJson {
        return ("application/json;charset=utf-8", request_data.as_bytes().to_vec());
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    if shape == Shape::DoublyEncodedForm {
        let encoded: String = form_urlencoded::byte_serialize(request_data.as_bytes()).collect();
        form.append_pair("RequestData", &encoded);
    } else {
        form.append_pair("RequestData", request_data);
    }
    if let Some(app_key) = app_key {
        form.append_pair("DataSign", &sign(request_data, app_key));
    }
    form.append_pair("RequestType", product.request_type());
    form.append_pair("DataType", "2");
    (
        "application/x-www-form-urlencoded;charset=utf-8",
        form.finish().into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_vendors() {
        let request_data = r#"{"PushTime":"2024-06-27 21:07:00","EBusinessID":"100001","Count":"1","Data":[]}"#;
        assert_eq!(
            sign(request_data, "test-app-key"),
            "YTQ3ZjRmMjEzYzllYjQxYzNkYTNkZjA3YTZhNGY4MzU="
        );
    }
}
