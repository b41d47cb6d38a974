//! Kuaidi100 as it is called: `/poll`, `/pollmap` and `/poll/query.do`.

mod codes;
mod query;
mod subscribe;

use courierflow_schemas::records::Vendor;

use self::codes::{Row, forced};
use self::query::Query;
use self::subscribe::{Request, Wanted, product};
use super::answer::Answer;
use super::call::Call;
use super::contract::Contract;
use super::desk::{Desk, Played, key};
use super::faults::Fault;
use super::form::fields;
use super::ledger::{Asked, Key, Repeated};
use super::parcels::{carrier_by_number, code, is_listed};
use super::push::kuaidi100_answer;
use super::watch::{Progress, Sold, Watch};
use crate::simulator::clock::{HOUR, Seconds};
use crate::simulator::snapshot::Snapshot;
use crate::simulator::vendors::kuaidi100::Product;
use crate::simulator::world::Course;

/// So many calls in a row without a carrier, or about a number without a result, change what the vendor does.
const IN_A_ROW: u32 = 5;

/// Takes a subscription, or says why not.
pub(crate) fn subscribe(desk: &mut Desk, call: &Call, is_map: bool, fault: Option<Fault>, now: Seconds) -> Answer {
    let contract = match call.app_code {
        Some(_) => Contract::Market,
        None => Contract::Enterprise,
    };
    let param = param(call);
    let request = Request::read(&param);
    let key = key(contract, &request.company, &request.number);
    let (key, code, answer) = match desk.played(fault, &key.tracking_number, &SUBSCRIBE) {
        Some((code, answer)) => (key, code, answer),
        None => match take(desk, call, contract, &request, is_map, now) {
            Ok(key) => (
                key,
                codes::subscribe::ACCEPTED.code.to_owned(),
                codes::subscribe::ACCEPTED.answer(),
            ),
            Err((carrier, code)) => {
                let carrier = carrier.unwrap_or(key.carrier);
                (Key { carrier, ..key }, code.code.to_owned(), code.answer())
            }
        },
    };
    desk.ledger.write_call(&key, Asked::ToSubscribe, &code, now);
    answer
}

/// How the faults of subscriptions and of queries are answered.
const SUBSCRIBE: Played = Played {
    server_error: || {
        (
            codes::subscribe::SERVER_ERROR.code,
            codes::subscribe::SERVER_ERROR.answer(),
        )
    },
    forced: |code| forced(&codes::subscribe::ALL, code),
};
const QUERY: Played = Played {
    server_error: || (codes::query::SERVER_ERROR.code, codes::query::SERVER_ERROR.answer()),
    forced: |code| forced(&codes::query::ALL, code),
};

/// A marketplace may send the JSON text itself instead of a field with it.
fn param(call: &Call) -> String {
    let param = fields(&call.content_type, &call.body).remove("param");
    param.unwrap_or_else(|| String::from_utf8_lossy(&call.body).into_owned())
}

/// A refusal: the carrier, if it is known by then, and the code.
type Refusal = (Option<String>, Row);

fn take(
    desk: &mut Desk,
    call: &Call,
    contract: Contract,
    request: &Request,
    is_map: bool,
    now: Seconds,
) -> Result<Key, Refusal> {
    let is_known = match &call.app_code {
        Some(app_code) => *app_code == desk.contracts.kuaidi100_app_code,
        None => request.key == desk.contracts.kuaidi100_key,
    };
    if !is_known {
        return Err((None, codes::subscribe::BAD_KEY));
    }
    let wanted = request.check(is_map).map_err(|code| (None, code))?;
    let key = key(contract, &wanted.carrier, &request.number);
    let refuse = |code| (Some(key.carrier.clone()), code);
    if let Err(repeated) = desk.ledger.may_begin(&key, now) {
        if repeated == Repeated::MonthIsFull {
            desk.ledger.counts(&key, now).beyond_quota += 1;
        }
        return Err(refuse(codes::subscribe::REPEATED));
    }
    if !desk.ledger.can_pay(&key, now) {
        return Err(refuse(codes::subscribe::NO_UNITS));
    }
    desk.ledger.begin(&key, now);
    let sold = sold(desk, request, &wanted, &key);
    desk.follow(Watch {
        key: key.clone(),
        sold,
        callback: wanted.callback,
        salt: wanted.salt,
        order_code: String::new(),
        correction: None,
        progress: Progress::new(now),
    });
    Ok(key)
}

/// `interCom` shows two countries only where the parcel goes abroad.
fn sold(desk: &Desk, request: &Request, wanted: &Wanted, key: &Key) -> Sold {
    let goes_abroad = desk
        .parcels
        .get(&key.tracking_number)
        .is_some_and(|parcel| parcel.course == Course::International);
    match wanted.sold {
        Sold::Kuaidi100 { is_map: false, .. } if request.is_international() && goes_abroad => Sold::Kuaidi100 {
            product: Product::International,
            is_map: false,
        },
        sold => sold,
    }
}

/// Answers a query.
pub(crate) fn query(desk: &mut Desk, call: &Call, fault: Option<Fault>, now: Seconds) -> Answer {
    let form = fields(&call.content_type, &call.body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let query = Query::read(field("param"));
    let mut key = key(Contract::Enterprise, &query.carrier, &query.number);
    let (code, answer) = match desk.played(fault, &key.tracking_number, &QUERY) {
        Some(played) => played,
        None if !desk
            .contracts
            .signed_query(field("param"), field("customer"), field("sign")) =>
        {
            failed(codes::query::BAD_SIGN)
        }
        None => match tell(desk, &query, &mut key, now) {
            Ok(answer) => ("200".to_owned(), answer),
            Err(code) => failed(code),
        },
    };
    desk.ledger.write_call(&key, Asked::ToQuery, &code, now);
    answer
}

fn failed(code: Row) -> (String, Answer) {
    (code.code.to_owned(), code.answer())
}

/// The history of a number. The carrier of `key` becomes the one that was found.
fn tell(desk: &mut Desk, query: &Query, key: &mut Key, now: Seconds) -> Result<Answer, Row> {
    if !subscribe::is_number(&query.number) {
        return Err(codes::query::INCOMPLETE);
    }
    key.carrier = carrier(desk, query)?;
    if query.lacks_phone(&key.carrier) {
        return Err(codes::query::PHONE);
    }
    if !desk.ledger.can_pay(key, now) {
        return Err(codes::query::NO_UNITS);
    }
    let age = if desk.draws_stale(&key.tracking_number, now) {
        desk.faults.stale_hours * HOUR
    } else {
        0
    };
    let looked_at = desk.ledger.admit_query(key, now, age).looked_at;
    let product = product(&query.result_v2);
    let detail = Sold::Kuaidi100 { product, is_map: false }.detail();
    let answer = {
        let life = desk
            .parcels
            .seen(Vendor::Kuaidi100, &key.carrier, &key.tracking_number, detail);
        let snapshot = Snapshot::taken(&life, &[], looked_at);
        let has_lines = !snapshot.happenings.is_empty();
        has_lines.then(|| kuaidi100_answer(&snapshot, product, &key.carrier, query.is_ascending))
    };
    let Some(answer) = answer else {
        // The fifth time in a row the same wrong number is charged.
        if desk.misses_in_a_row(key) >= IN_A_ROW {
            desk.ledger.charge(key, now);
        }
        return Err(codes::query::NO_RESULT);
    };
    desk.found(key);
    desk.ledger.charge(key, now);
    Ok(Answer::json(200, &answer))
}

/// The carrier to ask. After five queries in a row without a usable one the vendor begins to guess.
fn carrier(desk: &mut Desk, query: &Query) -> Result<String, Row> {
    if is_listed(Vendor::Kuaidi100, &query.carrier) {
        desk.queries_without_carrier = 0;
        return Ok(query.carrier.clone());
    }
    desk.queries_without_carrier += 1;
    if desk.queries_without_carrier >= IN_A_ROW {
        let guess = carrier_by_number(&query.number).map(|carrier| code(Vendor::Kuaidi100, carrier.code));
        return guess.filter(|code| !code.is_empty()).ok_or(codes::query::NO_RESULT);
    }
    Err(if query.carrier.is_empty() {
        codes::query::INCOMPLETE
    } else {
        codes::query::UNKNOWN_CARRIER
    })
}
