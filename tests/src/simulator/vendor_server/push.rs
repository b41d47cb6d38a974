//! Pushes as the vendors write them: to the callback URL of the subscription, signed with what was agreed there.

use serde_json::{Map, Value, json};

use super::contract::{Contract, Contracts};
use super::ledger::Key;
use super::watch::{Correction, Reason, Sold, Watch};
use crate::simulator::clock::Seconds;
use crate::simulator::snapshot::Snapshot;
use crate::simulator::vendors::kdniao::{self, request_data};
use crate::simulator::vendors::kuaidi100::{self, Product, Shape, trail_url};
use crate::simulator::vendors::seventeentrack;

/// A push, as it is sent until it is taken or given up.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) key: Key,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// When the vendor looked.
    pub(crate) made_at: Seconds,
    /// The times of all lines that it tells.
    pub(crate) lines: Vec<Seconds>,
    /// Calls so far that were not answered with success.
    pub(crate) failures: usize,
}

/// Writes what a look has led to. `None` if there is nowhere to push to.
pub(crate) fn write(
    watch: &Watch,
    contracts: &Contracts,
    snapshot: &Snapshot<'_>,
    reason: Reason,
    corrected_to: Option<&str>,
) -> Option<Push> {
    let (headers, body) = match (watch.sold, reason) {
        (Sold::Kuaidi100 { product, is_map }, Reason::Kuaidi100(reason)) => {
            let param = kuaidi100_param(&KuaidiPush {
                watch,
                snapshot,
                product,
                is_map,
                reason,
                corrected_to,
            });
            let salt = watch.salt.as_deref();
            // The marketplace documents the fields themselves, the other contracts a form with `param`.
            let shape = match (watch.key.contract, salt) {
                (Contract::Market, None) => Shape::FlatForm,
                _ => Shape::SignedForm,
            };
            let (content_type, body) = kuaidi100::body(&param, shape, salt);
            (vec![("content-type", content_type.to_owned())], body)
        }
        (Sold::Kdniao(product), Reason::Kdniao(reason)) => {
            let request_data = kdniao_request_data(watch, contracts, snapshot, product, reason);
            let app_key = Some(contracts.kdniao_app_key.as_str());
            let (content_type, body) = kdniao::body(&request_data, product, kdniao::Shape::SignedForm, app_key);
            (vec![("content-type", content_type.to_owned())], body)
        }
        (Sold::SeventeenTrack, Reason::SeventeenTrack(reason)) => {
            let body = seventeentrack::body(snapshot, reason);
            let headers = vec![
                ("content-type", "application/json".to_owned()),
                ("sign", seventeentrack::sign(&body, &contracts.seventeentrack_key)),
            ];
            (headers, body.into_bytes())
        }
        _ => return None,
    };
    let push = Push {
        key: watch.key.clone(),
        url: watch.callback.clone(),
        headers,
        body,
        made_at: snapshot.taken_at,
        lines: watch.sold.lines(snapshot).collect(),
        failures: 0,
    };
    Some(push).filter(|push| !push.url.is_empty())
}

struct KuaidiPush<'push> {
    watch: &'push Watch,
    snapshot: &'push Snapshot<'push>,
    product: Product,
    is_map: bool,
    reason: kuaidi100::Reason,
    corrected_to: Option<&'push str>,
}

/// `param`, with the carriers that this subscription is about.
fn kuaidi100_param(push: &KuaidiPush<'_>) -> String {
    let text = kuaidi100::param(push.snapshot, push.product, push.reason, None);
    let mut param: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let Key { carrier, contract, .. } = &push.watch.key;
    if push.product != Product::International {
        let (auto_check, com_old, com_new) = match (push.corrected_to, &push.watch.correction) {
            // The enterprise document leaves `comOld` of this push empty, the others name the carrier.
            (Some(new), _) if *contract == Contract::Enterprise && !push.is_map => ("0", "", new),
            (Some(new), _) => ("0", carrier.as_str(), new),
            (None, Some(correction)) => ("1", correction.old.as_str(), carrier.as_str()),
            (None, None) => ("0", "", ""),
        };
        param.insert("autoCheck".to_owned(), auto_check.into());
        param.insert("comOld".to_owned(), com_old.into());
        param.insert("comNew".to_owned(), com_new.into());
    }
    if let Some(result) = param.get_mut("lastResult").and_then(Value::as_object_mut) {
        let told = match &push.watch.correction {
            Some(Correction {
                old,
                keeps_old_company: true,
            }) => old,
            _ => carrier,
        };
        result.insert("com".to_owned(), told.as_str().into());
        let has_items = result
            .get("data")
            .and_then(Value::as_array)
            .is_some_and(|data| !data.is_empty());
        if push.is_map && has_items {
            let url = trail_url(&push.watch.key.tracking_number);
            result.insert("trailUrl".to_owned(), url.into());
        }
    }
    Value::Object(param).to_string()
}

/// `RequestData`, with the subscriber's own order number. (One parcel a push: the callback URLs differ.)
fn kdniao_request_data(
    watch: &Watch,
    contracts: &Contracts,
    snapshot: &Snapshot<'_>,
    product: kdniao::Product,
    reason: kdniao::Reason,
) -> String {
    let told = [(snapshot.clone(), reason)];
    let text = request_data(&told, product, &contracts.kdniao_business_id, snapshot.taken_at);
    let mut request: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(parcel) = request.pointer_mut("/Data/0").and_then(Value::as_object_mut) {
        parcel.insert("OrderCode".to_owned(), watch.order_code.as_str().into());
        parcel.insert("ShipperCode".to_owned(), watch.key.carrier.as_str().into());
        parcel.insert("CallBack".to_owned(), "".into());
    }
    request.to_string()
}

/// The answer to a query of Kuaidi100 (`channelquery.do`): the result of a push without what surrounds it there.
pub(crate) fn kuaidi100_answer(snapshot: &Snapshot<'_>, product: Product, carrier: &str, ascending: bool) -> Value {
    let text = kuaidi100::param(snapshot, product, kuaidi100::Reason::Polling, None);
    let mut param: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut result = param.get_mut("lastResult").map(Value::take).unwrap_or_default();
    if let Some(result) = result.as_object_mut() {
        result.insert("com".to_owned(), carrier.into());
        let newest_code = result
            .get("data")
            .and_then(|data| data.pointer("/0/statusCode"))
            .cloned();
        if let Some(code) = newest_code {
            result.insert("state".to_owned(), code);
        }
        if let Some(data) = result
            .get_mut("data")
            .and_then(Value::as_array_mut)
            .filter(|_| ascending)
        {
            data.reverse();
        }
    }
    result
}

/// The answer to a query of Kdniao (7101), oldest line first. `found` is false where the vendor has nothing to tell.
pub(crate) fn kdniao_answer(
    snapshot: &Snapshot<'_>,
    product: kdniao::Product,
    business_id: &str,
    carrier: &str,
    found: bool,
) -> Value {
    if !found {
        return json!({
            "EBusinessID": business_id, "ShipperCode": carrier, "LogisticCode": snapshot.parcel.tracking_number,
            "Success": true, "Reason": "暂无轨迹信息", "State": "0", "StateEx": "0", "Location": "", "Traces": [],
        });
    }
    let told = [(snapshot.clone(), kdniao::Reason::Followed)];
    let text = request_data(&told, product, business_id, snapshot.taken_at);
    let mut request: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut answer = request.pointer_mut("/Data/0").map(Value::take).unwrap_or_default();
    if let Some(members) = answer.as_object_mut() {
        members.insert("ShipperCode".to_owned(), carrier.into());
        for pushes_only in ["OrderCode", "CallBack"] {
            members.remove(pushes_only);
        }
        if let Some(traces) = members.get_mut("Traces").and_then(Value::as_array_mut) {
            // A push across borders is written newest first.
            if product == kdniao::Product::CrossBorder {
                traces.reverse();
            }
            for trace in traces.iter_mut().filter_map(Value::as_object_mut) {
                trace.remove("Remark");
            }
        }
    }
    answer
}
