//! The API of 17TRACK, version 2.4: `register`, `retrack` (once a number) and `gettrackinfo` (free). Each takes a list; one parcel is
//! asked for at a time, so that every call has an answer of its own.

use std::ops::RangeInclusive;

use courierflow_schemas::records::{CallClass, Reason};
use serde::Serialize;

use crate::api::answer::{self, Answer, Exchange, Found, QueryAnswer, Told};
use crate::api::order::{ApiAccount, OrderError, QueryOrder, SubscribeOrder, Waybill, needed};
use crate::api::request::CallRequest;
use crate::api::table::{AnswerRow, AnswerTable, Matching};
use crate::api::{Api, ApiKind};
use crate::parse::json::{Cursor, NotJson};
use crate::parse::lenient_json::{Object, Objects, Text, lenient_object, parse_object};

/// The implementation of [`Api`] for 17TRACK.
pub(super) struct SeventeenTrackApi;

/// Answers to all calls: a code of the whole call, or of the parcel that it refused.
static ANSWERS: AnswerTable = AnswerTable {
    name: "17TRACK: register, retrack, gettrackinfo",
    matching: Matching::Code,
    rows: &[
        AnswerRow::new("0", CallClass::Done, "accepted"),
        AnswerRow::new("-18019901", CallClass::Duplicate, "registered already"),
        AnswerRow::new(
            "-18019904",
            CallClass::Duplicate,
            "only stopped numbers can be retracked: it is tracked",
        ),
        AnswerRow::rejected("-18019905", Reason::Quota, "retracked once already"),
        AnswerRow::rejected("-18019902", Reason::BadData, "not registered"),
        AnswerRow::rejected("-18019903", Reason::NotRecognised, "the carrier cannot be detected"),
        AnswerRow::new("-18019909", CallClass::NoResult, "no information yet"),
        AnswerRow::rejected("-18019910", Reason::UnknownCarrier, "wrong code of the carrier"),
        AnswerRow::rejected("-18019911", Reason::UnknownCarrier, "the carrier is not available"),
        AnswerRow::account("-18019907", "daily limit"),
        AnswerRow::account("-18019908", "quota used up"),
        AnswerRow::account("-18010001", "address not on the white list"),
        AnswerRow::account("-18010002", "wrong key"),
        AnswerRow::account("-18010004", "account disabled"),
        AnswerRow::account("-18010005", "not authorised"),
        AnswerRow::account("-18010201", "no address for pushes"),
        AnswerRow::account("-18010202", "address for pushes cannot be used"),
        AnswerRow::account("-18010203", "address for pushes cannot be used"),
        AnswerRow::account("-18010204", "address for pushes cannot be used"),
        AnswerRow::account("-18010205", "address for pushes cannot be used"),
        AnswerRow::account("-18010206", "address for pushes cannot be used"),
        AnswerRow::new("-18010003", CallClass::Retry, "internal error"),
        AnswerRow::new("-18019815", CallClass::Retry, "the carrier was too slow"),
        AnswerRow::new("-18019816", CallClass::Retry, "the carrier failed"),
        AnswerRow::new("-18019817", CallClass::Retry, "charging failed"),
        AnswerRow::rejected("-18010010", Reason::BadData, "a value is missing"),
        AnswerRow::rejected("-18010011", Reason::BadData, "a value cannot be used"),
        AnswerRow::rejected("-18010012", Reason::BadData, "wrong form"),
        AnswerRow::rejected("-18010013", Reason::BadData, "wrong data"),
        AnswerRow::rejected("-18010014", Reason::BadData, "more than 40 numbers"),
        AnswerRow::rejected("-18010015", Reason::BadData, "a value cannot be used"),
        AnswerRow::rejected("-18010016", Reason::BadData, "the carrier needs more than the number"),
        AnswerRow::rejected("-18010018", Reason::BadData, "the carrier needs more than the number"),
        AnswerRow::rejected("-18010019", Reason::BadData, "the carrier needs more than the number"),
        AnswerRow::rejected("-18010020", Reason::BadData, "the carrier needs more than the number"),
        AnswerRow::rejected("-18010021", Reason::BadData, "the carrier needs more than the number"),
        AnswerRow::rejected("-18010022", Reason::BadData, "the carrier needs more than the number"),
    ],
};

lenient_object! {
    Body {
        "code" => code: Text<'a>,
        "data" => data: Object<Data<'a>>,
    }
}

lenient_object! {
    Data {
        "rejected" => rejected: Objects<Refused<'a>>,
        "errors" => errors: Objects<Error<'a>>,
    }
}

lenient_object! {
    Refused {
        "error" => error: Object<Error<'a>>,
    }
}

lenient_object! {
    Error {
        "code" => code: Text<'a>,
        "message" => message: Text<'a>,
    }
}

impl Api for SeventeenTrackApi {
    fn number_lengths(&self) -> RangeInclusive<usize> {
        5..=50
    }

    fn subscribe(&self, account: &ApiAccount, order: &SubscribeOrder<'_>) -> Result<CallRequest, OrderError> {
        account.check()?;
        order.waybill.check(&self.number_lengths(), order.phone)?;
        let number = order.waybill.tracking_number;
        let carrier = carrier(&order.waybill)?;
        if order.round > 1 {
            return request(account, &account.subscribe_url, "retrack", &[Asked { number, carrier }]);
        }
        let ends = order.international;
        let registration = Registration {
            number,
            carrier,
            final_carrier: ends
                .and_then(|ends| ends.destination_carrier.as_deref())
                .map(carrier_key)
                .transpose()?,
            auto_detection: carrier.is_none(),
            tag: order.reference,
            origin_country: ends.and_then(|ends| ends.departure_country.as_deref()),
            destination_country: ends.and_then(|ends| ends.destination_country.as_deref()),
            phone_number_last_4: order.phone.map(|phone| phone.tail().expose()),
        };
        request(account, &account.subscribe_url, "register", &[registration])
    }

    fn query(&self, account: &ApiAccount, order: &QueryOrder<'_>) -> Result<CallRequest, OrderError> {
        account.check_query()?;
        order.waybill.check(&self.number_lengths(), order.phone)?;
        let asked = Asked {
            number: order.waybill.tracking_number,
            carrier: carrier(&order.waybill)?,
        };
        request(account, &account.query_url, "gettrackinfo", &[asked])
    }

    fn read_subscribed(&self, _: ApiKind, exchange: Exchange<'_>) -> Answer {
        answer::read(&ANSWERS, exchange, told)
    }

    fn read_queried<'a>(&self, _: ApiKind, exchange: Exchange<'a>) -> QueryAnswer<'a> {
        let mut found = None;
        let answer = answer::read(&ANSWERS, exchange, |text| {
            found = accepted(text).ok().flatten().map(|payload| Found {
                payload,
                items: super::summary::items_of_query(payload),
            });
            told(text)
        });
        QueryAnswer::new(answer, found, None)
    }

    fn answer_tables(&self) -> &'static [&'static AnswerTable] {
        static TABLES: [&AnswerTable; 1] = [&ANSWERS];
        &TABLES
    }
}

/// Of a call with one parcel: the code of its refusal, else that of the first error of the whole call, else that of the call.
fn told(text: &str) -> Option<Told<'_>> {
    let body: Body<'_> = parse_object(text).ok()?;
    let data = body.data.0.unwrap_or_default();
    let refused = data.rejected.0.into_iter().find_map(|refused| refused.error.0);
    let error = refused.or_else(|| data.errors.0.into_iter().next());
    let (code, message) = error
        .map(|error| (error.code.trimmed(), error.message.trimmed()))
        .unwrap_or_default();
    Some(Told {
        code: answer::code(&code.or_else(|| body.code.trimmed())?)?,
        message,
    })
}

/// The text of the first element of `data.accepted`.
fn accepted(text: &str) -> Result<Option<&str>, NotJson> {
    let mut accepted = None;
    let mut cursor = Cursor::new(text);
    cursor.object(|key, cursor| {
        if key != "data" || cursor.peek() != Some(b'{') {
            return cursor.value().map(drop);
        }
        cursor.object(|key, cursor| {
            if key != "accepted" || cursor.peek() != Some(b'[') {
                return cursor.value().map(drop);
            }
            cursor.array(|cursor| {
                let element = cursor.value()?;
                accepted = accepted.or(Some(element));
                Ok(())
            })
        })
    })?;
    cursor.end()?;
    Ok(accepted)
}

fn carrier(waybill: &Waybill<'_>) -> Result<Option<u32>, OrderError> {
    waybill.vendor_carrier.map(carrier_key).transpose()
}

/// The vendor's codes are numbers, 0 is none.
fn carrier_key(code: &str) -> Result<u32, OrderError> {
    match code.parse() {
        Ok(0) | Err(_) => Err(OrderError::BadCarrier),
        Ok(key) => Ok(key),
    }
}

fn request(account: &ApiAccount, url: &str, call: &str, body: &impl Serialize) -> Result<CallRequest, OrderError> {
    let url = format!("{}/{call}", url.trim_end_matches('/'));
    let key = needed(account.key.as_ref(), "key_file")?;
    Ok(CallRequest::json(&url, body).with_header("17token", key))
}

#[derive(Serialize)]
struct Registration<'a> {
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    final_carrier: Option<u32>,
    auto_detection: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_last_4: Option<&'a str>,
}

#[derive(Serialize)]
struct Asked<'a> {
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<u32>,
}
