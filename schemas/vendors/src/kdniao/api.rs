//! The APIs of Kdniao (S4): subscription 7108 and query 7101 of the cross-border product; the domestic products have other numbers
//! and the same shape.

use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use courierflow_schemas::records::{CallClass, Reason, Vendor};
use courierflow_schemas::settings::Secret;
use md5::{Digest, Md5};
use serde::Serialize;

use crate::api::answer::{self, Answer, Exchange, Found, QueryAnswer, Told};
use crate::api::order::{ApiAccount, OrderError, QueryOrder, SubscribeOrder, Waybill, needed};
use crate::api::phone::{self, PhoneDigits};
use crate::api::request::{CallRequest, text};
use crate::api::table::{AnswerRow, AnswerTable, Matching};
use crate::api::{Api, ApiKind, callback};
use crate::parse::lenient_json::{ElementCount, Flag, Text, lenient_object, parse_object};

/// The implementation of [`Api`] for Kdniao.
pub(super) struct KdniaoApi;

/// "因国际节点问题可能需要多次请求": the first query of a parcel may bring nothing because the carrier abroad is still being asked.
const UNTIL_ASKED_ABROAD: Duration = Duration::from_secs(30);

/// `LogisticCode` is documented as `String(30)`, without a shortest length.
const NUMBER_LENGTHS: RangeInclusive<usize> = 5..=30;

/// Longest `OrderCode`.
const LONGEST_REFERENCE: usize = 30;

/// What stands for `Success: true`.
const SUCCESS: &str = "true";

/// Answers to both calls. There are no codes, only a text; but for 没有可用套餐 the words are our expectation.
static ANSWERS: AnswerTable = AnswerTable {
    name: "Kdniao: subscription and query",
    matching: Matching::Words,
    rows: &[
        AnswerRow::new(SUCCESS, CallClass::Done, "Success: true"),
        AnswerRow::new("重复", CallClass::Duplicate, "subscribed already"),
        AnswerRow::new("已订阅", CallClass::Duplicate, "subscribed already"),
        AnswerRow::account("套餐", "没有可用套餐: nothing bought, or all used"),
        AnswerRow::account("余额", "no money left"),
        AnswerRow::account("签名", "wrong signature"),
        AnswerRow::account("DataSign", "wrong signature"),
        AnswerRow::account("EBusinessID", "wrong id of the contract"),
        AnswerRow::account("权限", "not allowed to call this"),
        AnswerRow::new("无轨迹", CallClass::NoResult, "nothing known of the parcel; free"),
        AnswerRow::rejected("编码", Reason::UnknownCarrier, "wrong code of the carrier"),
        AnswerRow::rejected("不支持", Reason::UnknownCarrier, "carrier not supported"),
        AnswerRow::rejected("单号", Reason::BadData, "wrong number"),
        AnswerRow::rejected("参数", Reason::BadData, "wrong parameter"),
        AnswerRow::rejected("格式", Reason::BadData, "wrong form"),
        AnswerRow::new("系统", CallClass::Retry, "the vendor failed"),
        AnswerRow::new("繁忙", CallClass::Retry, "the vendor is busy").slowly(),
        AnswerRow::new("超时", CallClass::Retry, "the vendor, or the carrier, was too slow"),
    ],
};

lenient_object! {
    Body {
        "Success" or "success" => success: Flag,
        "Reason" or "reason" => reason: Text<'a>,
        "State" or "state" => state: Text<'a>,
        "Traces" or "traces" => traces: ElementCount,
    }
}

impl Api for KdniaoApi {
    fn number_lengths(&self) -> RangeInclusive<usize> {
        NUMBER_LENGTHS
    }

    fn subscribe(&self, account: &ApiAccount, order: &SubscribeOrder<'_>) -> Result<CallRequest, OrderError> {
        account.check()?;
        let number = order.waybill.tracking_number;
        let callback_url = callback::url(&account.callback_base, Vendor::Kdniao, &account.name, number)?;
        let data = RequestData {
            // A part of it would name another order.
            order_code: order.reference.filter(|reference| reference.len() <= LONGEST_REFERENCE),
            callback_url: Some(&callback_url),
            ..RequestData::of(&order.waybill, order.phone)?
        };
        request(account, &account.subscribe_url, &account.request_types.subscribe, &data)
    }

    fn query(&self, account: &ApiAccount, order: &QueryOrder<'_>) -> Result<CallRequest, OrderError> {
        account.check_query()?;
        let data = RequestData::of(&order.waybill, order.phone)?;
        request(account, &account.query_url, &account.request_types.query, &data)
    }

    fn read_subscribed(&self, _: ApiKind, exchange: Exchange<'_>) -> Answer {
        let answer = answer::read(&ANSWERS, exchange, |text| told(&parse_object(text).ok()?));
        // A subscription of an unknown parcel is an ordinary one: it is no answer that can be expected here.
        if answer.class == CallClass::NoResult {
            return Answer {
                class: CallClass::Retry,
                is_unlisted: true,
                ..answer
            };
        }
        answer
    }

    fn read_queried<'a>(&self, kind: ApiKind, exchange: Exchange<'a>) -> QueryAnswer<'a> {
        let mut found = None;
        let mut is_known = true;
        let answer = answer::read(&ANSWERS, exchange, |text| {
            let body: Body<'_> = parse_object(text).ok()?;
            // State 0 is 暂无轨迹信息, whatever the list and the reason say.
            is_known = body.state.as_str().map(str::trim) != Some("0");
            found = Some(Found {
                payload: text,
                items: u32::try_from(body.traces.0).unwrap_or(u32::MAX),
            })
            .filter(|_| is_known);
            told(&body)
        });
        let again = (kind == ApiKind::KdniaoCrossBorder).then_some(UNTIL_ASKED_ABROAD);
        let answer = match answer.class {
            CallClass::Rejected | CallClass::Retry if !is_known => Answer {
                class: CallClass::NoResult,
                reason: None,
                is_unlisted: false,
                ..answer
            },
            _ => answer,
        };
        let queried = QueryAnswer::new(answer, found, again);
        // Also when it says so in words.
        if queried.answer.class == CallClass::NoResult && queried.answer.retry_after.is_none() {
            let answer = Answer {
                retry_after: again,
                ..queried.answer
            };
            return QueryAnswer { answer, found: None };
        }
        queried
    }

    fn answer_tables(&self) -> &'static [&'static AnswerTable] {
        static TABLES: [&AnswerTable; 1] = [&ANSWERS];
        &TABLES
    }
}

/// `Success` and the words; `None` if there is no readable `Success`. The words of a success are never looked at.
fn told<'a>(body: &Body<'a>) -> Option<Told<'a>> {
    let success = body.success.0?;
    let message = body.reason.as_str().map(str::trim).filter(|reason| !reason.is_empty());
    Some(Told {
        code: success.to_string(),
        message: message.filter(|_| !success).map(|reason| reason.to_owned().into()),
    })
}

/// Base64 of lower-case hex of MD5(`RequestData` ++ key): of the hex text, not of the 16 bytes.
fn signed(request_data: &str, app_key: &Secret) -> String {
    let text = Md5::new_with_prefix(request_data);
    STANDARD.encode(crate::push::md5_hex(&text, app_key.expose().as_bytes()))
}

fn request(
    account: &ApiAccount,
    url: &str,
    request_type: &str,
    data: &RequestData<'_>,
) -> Result<CallRequest, OrderError> {
    let data = text(data);
    let business_id = needed(account.business_id.as_ref(), "business_id")?;
    let sign = signed(&data, needed(account.app_key.as_ref(), "app_key_file")?);
    let fields = [
        ("RequestData", data.as_str()),
        ("EBusinessID", business_id),
        ("RequestType", request_type),
        ("DataSign", &sign),
        // JSON.
        ("DataType", "2"),
    ];
    Ok(CallRequest::form(url, &fields))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequestData<'a> {
    shipper_code: &'a str,
    logistic_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_code: Option<&'a str>,
    /// The last four digits of the telephone number, where the carrier needs them.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
}

impl<'a> RequestData<'a> {
    fn of(waybill: &Waybill<'a>, phone: Option<PhoneDigits<'a>>) -> Result<Self, OrderError> {
        waybill.check(&NUMBER_LENGTHS, phone)?;
        let phone = phone.filter(|_| phone::is_needed(waybill.carrier));
        Ok(Self {
            shipper_code: waybill.vendor_carrier()?,
            logistic_code: waybill.tracking_number,
            order_code: None,
            customer_name: phone.map(|phone| phone.tail().expose()),
            callback_url: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the table in the order of its search: the one of a success is the first.
    #[test]
    fn no_words_make_a_success_of_a_refusal() {
        let body = br#"{"Success":false,"Reason":"IsSubscribe=True, isHandleInfo=true: \u7cfb\u7edf\u7e41\u5fd9"}"#;
        let response = answer::Response {
            status: 200,
            retry_after: None,
            body,
        };
        let answer = KdniaoApi.read_subscribed(ApiKind::KdniaoDomestic, Exchange::Answered(response));
        assert_eq!(
            (answer.class, answer.code.as_deref()),
            (CallClass::Retry, Some("false"))
        );
    }

    /// The vector of the specification, recomputed by hand.
    #[test]
    fn the_signature_is_pinned() {
        let data = r#"{"ShipperCode":"COE","LogisticCode":"EL796371469MO"}"#;
        assert_eq!(
            signed(data, &Secret::new("test-app-key")),
            "Y2JlZDZmZmMyNDliNWMxZGVlOTdiZTRmZTRkM2RiMDQ="
        );
    }
}
