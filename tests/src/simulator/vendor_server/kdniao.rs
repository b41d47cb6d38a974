//! Kdniao as it is called: one address for subscriptions (7108) and queries (7101), told apart by `RequestType`. The older
//! types of domestic products (1008, 8008 and 1002, 8001) are taken alike.

use courierflow_schemas::records::Vendor;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::contract::Contract;
use super::desk::{Desk, Played, key};
use super::faults::Fault;
use super::form::{fields, text};
use super::ledger::{Asked, Key};
use super::push::kdniao_answer;
use super::watch::{Progress, Sold, Watch};
use crate::simulator::clock::{Seconds, china_text};
use crate::simulator::snapshot::Snapshot;
use crate::simulator::vendors::kdniao::Product;

/// Longest `CallbackUrl`.
const CALLBACK_LENGTH: usize = 255;

/// What is written down about a success, which has no code.
const SUCCESS: &str = "Success";
/// What is written down about a query without a result.
const NO_TRACES: &str = "暂无轨迹信息";

/// How faults are answered; the texts are ours, the documents have none.
const PLAYED: Played = Played {
    server_error: || ("系统繁忙，请稍后再试", refused("系统繁忙，请稍后再试")),
    forced: |reason| refused(reason),
};

/// Answers a call.
pub(crate) fn answer(desk: &mut Desk, call: &Call, fault: Option<Fault>, now: Seconds) -> Answer {
    let form = fields(&call.content_type, &call.body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let request: Value = serde_json::from_str(field("RequestData")).unwrap_or_default();
    let key = key(
        Contract::Kdniao,
        &text(&request, "/ShipperCode"),
        &text(&request, "/LogisticCode"),
    );
    let asked = match field("RequestType") {
        "7101" | "1002" | "8001" => Asked::ToQuery,
        _ => Asked::ToSubscribe,
    };
    let product = product(field("RequestType"));
    let (code, mut answer) = match desk.played(fault, &key.tracking_number, &PLAYED) {
        Some(played) => played,
        None => match check(desk, &key, product, &field) {
            Err(reason) => (reason.to_owned(), refused(reason)),
            Ok(product) => match asked {
                Asked::ToQuery => tell(desk, &key, product, now),
                Asked::ToSubscribe => take(desk, &key, product, &request, now),
            },
        },
    };
    if answer.content_type.contains("json") {
        answer.body = signed_by(&answer.body, &desk.contracts.kdniao_business_id, asked, now);
    }
    desk.ledger.write_call(&key, asked, &code, now);
    answer
}

fn product(request_type: &str) -> Option<Product> {
    match request_type {
        "7101" | "7108" => Some(Product::CrossBorder),
        "1002" | "1008" => Some(Product::Basic),
        "8001" | "8008" => Some(Product::ValueAdded),
        _ => None,
    }
}

/// All that the vendor checks: who calls. It looks neither at the carrier nor at the number.
fn check<'form>(
    desk: &Desk,
    key: &Key,
    product: Option<Product>,
    field: &impl Fn(&str) -> &'form str,
) -> Result<Product, &'static str> {
    if field("EBusinessID") != desk.contracts.kdniao_business_id {
        return Err("EBusinessID 不存在");
    }
    if !desk.contracts.signed_request(field("RequestData"), field("DataSign")) {
        return Err("DataSign 数据签名验证失败");
    }
    let product = product.ok_or("RequestType 参数错误")?;
    if key.carrier.is_empty() || key.tracking_number.is_empty() {
        return Err("快递公司编码和快递单号参数不能为空");
    }
    Ok(product)
}

/// Takes a subscription. A number that is followed already is followed on, from now on to the new address.
fn take(desk: &mut Desk, key: &Key, product: Product, request: &Value, now: Seconds) -> (String, Answer) {
    if !desk.ledger.can_pay(key, now) {
        return (NO_UNITS.to_owned(), refused(NO_UNITS));
    }
    let given = text(request, "/CallbackUrl");
    let callback = if given.is_empty() {
        desk.contracts.kdniao_callback.clone()
    } else {
        given
    };
    if callback.is_empty() || callback.len() > CALLBACK_LENGTH {
        let reason = "CallbackUrl 参数错误";
        return (reason.to_owned(), refused(reason));
    }
    desk.ledger.begin(key, now);
    let order_code = text(request, "/OrderCode");
    match desk.watch(key) {
        Some(watch) => (watch.callback, watch.order_code) = (callback, order_code),
        None => desk.follow(Watch {
            key: key.clone(),
            sold: Sold::Kdniao(product),
            callback,
            salt: None,
            order_code,
            correction: None,
            progress: Progress::new(now),
        }),
    }
    let answer =
        json!({"ShipperCode": key.carrier, "LogisticCode": key.tracking_number, "Success": true, "Reason": ""});
    (SUCCESS.to_owned(), Answer::json(200, &answer).begun())
}

/// What the vendor says when nothing is left to spend.
const NO_UNITS: &str = "没有可用套餐";

/// Tells the history of a number; one without lines costs nothing.
fn tell(desk: &mut Desk, key: &Key, product: Product, now: Seconds) -> (String, Answer) {
    if !desk.ledger.can_pay(key, now) {
        return (NO_UNITS.to_owned(), refused(NO_UNITS));
    }
    let looked_at = if desk.draws_stale(&key.tracking_number, now) {
        now - desk.faults.stale_hours * crate::simulator::clock::HOUR
    } else {
        now
    };
    let is_empty = desk.draws_empty(&key.tracking_number, now);
    let (found, answer) = {
        let detail = Sold::Kdniao(product).detail();
        let life = desk
            .parcels
            .seen(Vendor::Kdniao, &key.carrier, &key.tracking_number, detail);
        let snapshot = Snapshot::taken(&life, &[], looked_at);
        let found = !snapshot.happenings.is_empty() && !is_empty;
        let business_id = &desk.contracts.kdniao_business_id;
        (
            found,
            kdniao_answer(&snapshot, product, business_id, &key.carrier, found),
        )
    };
    if found {
        desk.ledger.charge(key, now);
    }
    let code = if found { SUCCESS } else { NO_TRACES };
    (code.to_owned(), Answer::json(200, &answer))
}

/// A refusal. HTTP says 200 to everything.
fn refused(reason: &str) -> Answer {
    Answer::json(200, &json!({"Success": false, "Reason": reason}))
}

/// Every answer carries the contract's id, those to subscriptions the time as well.
fn signed_by(body: &str, business_id: &str, asked: Asked, now: Seconds) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(body) else {
        return body.to_owned();
    };
    members.insert("EBusinessID".to_owned(), business_id.into());
    if asked == Asked::ToSubscribe {
        members.insert("UpdateTime".to_owned(), china_text(now).into());
    }
    Value::Object(members).to_string()
}
