//! The APIs of Kuaidi100: subscriptions of the enterprise contract (S2), of the cloud's marketplace (S1) and of the map track (S3),
//! and the real-time query (S0).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use courierflow_schemas::records::{CallClass, Product, Reason, Vendor};
use courierflow_schemas::settings::Secret;
use md5::{Digest, Md5};
use serde::Serialize;

use crate::api::answer::{self, Answer, Exchange, Found, QueryAnswer, Told};
use crate::api::order::{ApiAccount, OrderError, QueryOrder, SubscribeOrder, Transport, needed};
use crate::api::phone::PhoneDigits;
use crate::api::request::{CallRequest, text};
use crate::api::table::{AnswerRow, AnswerTable, Matching};
use crate::api::{Api, ApiKind, callback};
use crate::parse::lenient_json::{ElementCount, Text, lenient_object, parse_object};

/// The implementation of [`Api`] for Kuaidi100.
pub(super) struct Kuaidi100Api;

/// Two queries of a number within half an hour, or 48 a day, lock it; this is twice that.
const BETWEEN_QUERIES: Duration = Duration::from_hours(1);

/// Answers to a subscription. Two public integrations have 700 and 701 swapped, so nothing depends on which of them it is but the
/// reason for people.
static SUBSCRIBED: AnswerTable = AnswerTable {
    name: "Kuaidi100: subscription",
    matching: Matching::Code,
    rows: &[
        AnswerRow::new("200", CallClass::Done, "提交成功"),
        AnswerRow::rejected("400", Reason::BadPlace, "无法解析 (map track: the places)"),
        // Also sent for parameters that cannot be used.
        AnswerRow::new("500", CallClass::Retry, "服务器错误"),
        AnswerRow::new("501", CallClass::Duplicate, "重复订阅"),
        AnswerRow::rejected("502", Reason::Sensitive, "提交内容含有敏感关键字"),
        AnswerRow::account("600", "您不是合法的订阅者, also without units left"),
        AnswerRow::account("601", "KEY 已过期, also without units left"),
        AnswerRow::rejected("700", Reason::UnknownCarrier, "不支持的快递公司"),
        AnswerRow::rejected("701", Reason::BadData, "订阅数据错误或回调地址错误"),
        AnswerRow::rejected(
            "702",
            Reason::NotRecognised,
            "识别不到快递公司, also without units left",
        ),
    ],
};

/// Answers to a query. 500 to 502 mean something else than for a subscription.
static QUERIED: AnswerTable = AnswerTable {
    name: "Kuaidi100: query",
    matching: Matching::Code,
    rows: &[
        AnswerRow::new("200", CallClass::Done, "查询成功"),
        AnswerRow::rejected("400", Reason::BadData, "数据不完整"),
        AnswerRow::rejected("401", Reason::UnknownCarrier, "不支持此快递公司"),
        AnswerRow::rejected("408", Reason::Phone, "电话校验不通过"),
        AnswerRow::new("500", CallClass::NoResult, "查询无结果"),
        AnswerRow::new("501", CallClass::Retry, "服务器错误").after(BETWEEN_QUERIES),
        AnswerRow::new("502", CallClass::Retry, "服务器繁忙")
            .after(BETWEEN_QUERIES)
            .slowly(),
        AnswerRow::account("503", "签名错误"),
        AnswerRow::account("601", "无可用单量"),
    ],
};

lenient_object! {
    /// The answer to a subscription, or a query's error.
    Body {
        "returnCode" => return_code: Text<'a>,
        "message" => message: Text<'a>,
    }
}

/// "长度限制为 6-32" (S1).
const NUMBER_LENGTHS: RangeInclusive<usize> = 6..=32;

lenient_object! {
    /// The answer to a query; `status` is that of the transport, and there is a `returnCode` only if it failed.
    QueryBody {
        "returnCode" => return_code: Text<'a>,
        "status" => status: Text<'a>,
        "message" => message: Text<'a>,
        "data" => data: ElementCount,
    }
}

impl Api for Kuaidi100Api {
    fn number_lengths(&self) -> RangeInclusive<usize> {
        NUMBER_LENGTHS
    }

    fn subscribe(&self, account: &ApiAccount, order: &SubscribeOrder<'_>) -> Result<CallRequest, OrderError> {
        account.check()?;
        let param = Subscription::of(account, order)?;
        let app_code = || needed(account.app_code.as_ref(), "app_code_file");
        match (account.kind, account.transport) {
            // The table of S1 has the field `param`, its example the JSON text alone.
            (ApiKind::Kuaidi100Market, Transport::Form) => {
                let request = CallRequest::form(&account.subscribe_url, &[("param", &text(&param))]);
                Ok(request.with_header("X-Apig-AppCode", app_code()?))
            }
            (ApiKind::Kuaidi100Market | ApiKind::Kuaidi100Map, Transport::Json) => {
                let request = CallRequest::json(&account.subscribe_url, &param);
                Ok(request.with_header("X-Apig-AppCode", app_code()?))
            }
            _ => {
                let param = Subscription {
                    key: Some(needed(account.key.as_ref(), "key_file")?.expose()),
                    ..param
                };
                let fields = [("schema", "json"), ("param", &text(&param))];
                Ok(CallRequest::form(&account.subscribe_url, &fields))
            }
        }
    }

    fn query(&self, account: &ApiAccount, order: &QueryOrder<'_>) -> Result<CallRequest, OrderError> {
        account.check_query()?;
        order.waybill.check(&NUMBER_LENGTHS, order.phone)?;
        let param = text(&Query {
            com: order.waybill.vendor_carrier()?,
            num: order.waybill.tracking_number,
            phone: order.phone.map(PhoneDigits::expose),
            from: order.from,
            to: order.to,
            // As a subscription of the enterprise contract.
            resultv2: result_level(
                &account.query_result_levels,
                ApiKind::Kuaidi100Enterprise,
                order.product,
            ),
            show: "0",
            order: "desc",
        });
        let customer = needed(account.customer.as_ref(), "customer")?;
        let sign = signed(&param, needed(account.key.as_ref(), "key_file")?, customer);
        let fields = [("customer", customer.as_str()), ("sign", &sign), ("param", &param)];
        Ok(CallRequest::form(&account.query_url, &fields))
    }

    fn read_subscribed(&self, _: ApiKind, exchange: Exchange<'_>) -> Answer {
        answer::read(&SUBSCRIBED, exchange, |text| {
            let body: Body<'_> = parse_object(text).ok()?;
            told(body.return_code.trimmed(), body.message)
        })
    }

    fn read_queried<'a>(&self, _: ApiKind, exchange: Exchange<'a>) -> QueryAnswer<'a> {
        let mut found = None;
        let answer = answer::read(&QUERIED, exchange, |text| {
            let body: QueryBody<'_> = parse_object(text).ok()?;
            found = Some(Found {
                payload: text,
                items: u32::try_from(body.data.0).unwrap_or(u32::MAX),
            });
            told(
                body.return_code.trimmed().or_else(|| body.status.trimmed()),
                body.message,
            )
        });
        QueryAnswer::new(answer, found, None)
    }

    fn answer_tables(&self) -> &'static [&'static AnswerTable] {
        static TABLES: [&AnswerTable; 2] = [&SUBSCRIBED, &QUERIED];
        &TABLES
    }
}

fn told<'a>(code: Option<Cow<'a, str>>, message: Text<'a>) -> Option<Told<'a>> {
    Some(Told {
        code: answer::code(&code?)?,
        message: message.trimmed(),
    })
}

/// Upper-case hex of MD5(`param` ++ key ++ customer), over exactly the bytes that are sent.
fn signed(param: &str, key: &Secret, customer: &str) -> String {
    let text = Md5::new_with_prefix(param).chain_update(key.expose());
    let hex = crate::push::md5_hex(&text, customer.as_bytes());
    String::from_utf8_lossy(&hex).to_ascii_uppercase()
}

/// `resultv2`: how much is told. The documents say 4 and 6 for the same thing, so an account can have values of its own.
fn result_level(own: &BTreeMap<Product, String>, kind: ApiKind, product: Product) -> Option<&str> {
    if let Some(level) = own.get(&product) {
        return Some(level);
    }
    let level = match (kind, product) {
        (_, Product::Plain | Product::Other) => return None,
        (ApiKind::Kuaidi100Map, Product::Area) => "3",
        (ApiKind::Kuaidi100Map, Product::Advanced) => "5",
        (ApiKind::Kuaidi100Map, Product::Forecast) => "7",
        (_, Product::Area) => "1",
        (_, Product::Advanced) => "4",
        (_, Product::Forecast) => "8",
    };
    Some(level)
}

#[derive(Serialize)]
struct Subscription<'a> {
    company: &'a str,
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    parameters: Parameters<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    callbackurl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map_config_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resultv2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_com: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inter_com: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    departure_country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    departure_com: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_com: Option<&'a str>,
}

impl<'a> Subscription<'a> {
    /// Without the key, which is in a header where it is not here.
    fn of(account: &'a ApiAccount, order: &SubscribeOrder<'a>) -> Result<Self, OrderError> {
        order.waybill.check(&NUMBER_LENGTHS, order.phone)?;
        let is_map = account.kind == ApiKind::Kuaidi100Map;
        let needs_destination = is_map || order.product == Product::Forecast;
        if (is_map && order.from.is_none()) || (needs_destination && order.to.is_none()) {
            return Err(OrderError::PlacesNeeded);
        }
        // The map track does not detect carriers.
        let detect = order.waybill.vendor_carrier.is_none();
        if is_map && detect {
            return Err(OrderError::CarrierNeeded);
        }
        let ends = order.international.filter(|_| !is_map);
        Ok(Self {
            company: order.waybill.vendor_carrier.unwrap_or_default(),
            number: order.waybill.tracking_number,
            from: order.from,
            to: order.to,
            key: None,
            parameters: Parameters {
                callbackurl: callback::url(
                    &account.callback_base,
                    Vendor::Kuaidi100,
                    &account.name,
                    order.waybill.tracking_number,
                )?,
                salt: account.salt.as_ref().map(Secret::expose),
                phone: order.phone.map(PhoneDigits::expose),
                map_config_key: account.map_config_key.as_deref().filter(|_| is_map),
                resultv2: result_level(&account.result_levels, account.kind, order.product),
                auto_com: detect.then_some("1"),
                inter_com: ends.map(|_| "1"),
                departure_country: ends.and_then(|ends| ends.departure_country.as_deref()),
                departure_com: ends.and_then(|ends| ends.departure_carrier.as_deref()),
                destination_country: ends.and_then(|ends| ends.destination_country.as_deref()),
                destination_com: ends.and_then(|ends| ends.destination_carrier.as_deref()),
            },
        })
    }
}

#[derive(Serialize)]
struct Query<'a> {
    com: &'a str,
    num: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resultv2: Option<&'a str>,
    show: &'a str,
    order: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification, recomputed by hand.
    #[test]
    fn the_signature_of_a_query_is_pinned() {
        let param = r#"{"com":"yuantong","num":"YT0000000000001"}"#;
        assert_eq!(
            signed(param, &Secret::new("KEY"), "CUSTOMER"),
            "44D23543466635E993984157E23828A3"
        );
    }
}
