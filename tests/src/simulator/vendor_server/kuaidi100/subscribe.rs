//! A subscription at Kuaidi100, and whether it can be taken. What the vendor knows about the number before is not asked here.

use serde_json::Value;

use super::codes::{Row, subscribe};
use crate::simulator::vendor_server::form::text;
use crate::simulator::vendor_server::parcels::{carrier_by_number, code, is_listed};
use crate::simulator::vendor_server::place::is_place;
use crate::simulator::vendor_server::watch::Sold;
use crate::simulator::vendors::kuaidi100::Product;
use courierflow_schemas::records::Vendor;

/// Companies whose parcels are told only to who knows a telephone number (marketplace and enterprise).
const WANT_PHONE: [&str; 2] = ["shunfeng", "shunfengkuaiyun"];
/// The same for the map.
const WANT_PHONE_ON_MAP: [&str; 3] = ["shunfeng", "shunfengkuaiyun", "zhongtong"];

/// The word that the firewall in front of the vendor refuses.
const SENSITIVE: &str = "敏感";

/// `param` of a call, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) company: String,
    pub(crate) number: String,
    pub(crate) key: String,
    from: String,
    to: String,
    callback: String,
    salt: String,
    result_v2: String,
    auto_com: bool,
    inter_com: bool,
    phone: String,
}

/// A subscription that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The vendor's code.
    pub(crate) carrier: String,
    pub(crate) sold: Sold,
    pub(crate) callback: String,
    pub(crate) salt: Option<String>,
}

impl Request {
    /// Reads `param`; one that is no JSON is empty.
    pub(crate) fn read(param: &str) -> Self {
        let param: Value = serde_json::from_str(param).unwrap_or_default();
        let parameter = |name: &str| text(&param, &format!("/parameters/{name}"));
        Self {
            company: text(&param, "/company"),
            number: text(&param, "/number"),
            key: text(&param, "/key"),
            from: text(&param, "/from"),
            to: text(&param, "/to"),
            callback: parameter("callbackurl"),
            salt: parameter("salt"),
            result_v2: parameter("resultv2"),
            auto_com: parameter("autoCom") == "1",
            inter_com: parameter("interCom") == "1",
            phone: parameter("phone"),
        }
    }

    /// Checks everything that does not depend on what the vendor knows about the number.
    pub(crate) fn check(&self, is_map: bool) -> Result<Wanted, Row> {
        if decoded(&self.callback).contains(SENSITIVE) {
            return Err(subscribe::SENSITIVE);
        }
        if !is_number(&self.number) || !is_callback(&self.callback) || !is_result_v2(&self.result_v2, is_map) {
            return Err(subscribe::BAD_DATA);
        }
        let carrier = self.carrier()?;
        let wants_phone: &[&str] = if is_map { &WANT_PHONE_ON_MAP } else { &WANT_PHONE };
        if wants_phone.contains(&carrier.as_str()) && !is_phone(&self.phone) {
            return Err(subscribe::BAD_DATA);
        }
        if is_map && !(is_place(&self.from) && is_place(&self.to)) {
            return Err(subscribe::BAD_PLACE);
        }
        // A forecast needs to know where the parcel goes.
        if self.result_v2 == "8" && self.to.is_empty() {
            return Err(subscribe::BAD_DATA);
        }
        Ok(Wanted {
            carrier,
            sold: Sold::Kuaidi100 {
                product: product(&self.result_v2),
                is_map,
            },
            callback: self.callback.clone(),
            salt: Some(self.salt.clone()).filter(|salt| !salt.is_empty()),
        })
    }

    /// Whether the histories of two countries are wanted.
    pub(crate) const fn is_international(&self) -> bool {
        self.inter_com
    }

    fn carrier(&self) -> Result<String, Row> {
        match (self.auto_com, self.company.as_str()) {
            (true, "") => {
                let found = carrier_by_number(&self.number).map(|carrier| code(Vendor::Kuaidi100, carrier.code));
                let found = found.filter(|code| !code.is_empty());
                found.ok_or(subscribe::NOT_RECOGNISED)
            }
            (true, _) | (false, "") => Err(subscribe::BAD_DATA),
            (false, company) if is_listed(Vendor::Kuaidi100, company) => Ok(company.to_owned()),
            (false, _) => Err(subscribe::UNKNOWN_CARRIER),
        }
    }
}

/// What `resultv2` asks for; its values for the map are odd numbers.
pub(crate) fn product(result_v2: &str) -> Product {
    match result_v2 {
        "1" | "3" => Product::Named,
        "4" | "6" => Product::Advanced,
        "5" => Product::Map,
        "7" => Product::MapForecast,
        "8" => Product::Forecast,
        _ => Product::Plain,
    }
}

fn is_result_v2(value: &str, is_map: bool) -> bool {
    let allowed: &[&str] = if is_map {
        &["", "3", "5", "7"]
    } else {
        &["", "1", "4", "6", "8"]
    };
    allowed.contains(&value)
}

/// 6 to 32 characters.
pub(crate) fn is_number(number: &str) -> bool {
    (6..=32).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Four digits do.
pub(crate) fn is_phone(phone: &str) -> bool {
    phone.len() >= 4
        && phone
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+- ".contains(&byte))
}

/// An address that can be called.
fn is_callback(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A URL without its percent signs.
fn decoded(url: &str) -> String {
    let pairs = form_urlencoded::parse(url.as_bytes());
    pairs.flat_map(|(name, value)| [name, value]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request() -> Value {
        json!({
            "company": "yuantong", "number": "YT0000000000001", "from": "广东省深圳市南山区", "to": "北京市朝阳区",
            "parameters": {"callbackurl": "http://127.0.0.1:8080/v1/push/kuaidi100/demo?s=1", "salt": "S"},
        })
    }

    fn check(change: &Value, is_map: bool) -> Result<Wanted, Row> {
        let mut request = request();
        for (name, value) in change.as_object().unwrap() {
            match name.strip_prefix('+') {
                Some(parameter) => request["parameters"][parameter] = value.clone(),
                None => request[name] = value.clone(),
            }
        }
        Request::read(&request.to_string()).check(is_map)
    }

    #[test]
    fn every_row_of_the_table_of_refusals() {
        for (case, change, is_map, expected) in [
            ("as it should be", json!({}), false, "200"),
            ("another product", json!({"+resultv2": 4}), false, "200"),
            ("carrier not in the list", json!({"company": "nobody"}), false, "700"),
            (
                "a carrier is written small",
                json!({"company": "YuanTong"}),
                false,
                "700",
            ),
            ("5 characters", json!({"number": "12345"}), false, "701"),
            ("33 characters", json!({"number": "1".repeat(33)}), false, "701"),
            ("no number", json!({"number": ""}), false, "701"),
            ("no callback", json!({"+callbackurl": ""}), false, "701"),
            ("no address", json!({"+callbackurl": "127.0.0.1:8080/v1"}), false, "701"),
            ("no company", json!({"company": ""}), false, "701"),
            ("company and autoCom", json!({"+autoCom": "1"}), false, "701"),
            ("autoCom", json!({"company": "", "+autoCom": "1"}), false, "200"),
            (
                "autoCom without a match",
                json!({"company": "", "number": "QQ12345678", "+autoCom": "1"}),
                false,
                "702",
            ),
            (
                "forecast without destination",
                json!({"to": "", "+resultv2": "8"}),
                false,
                "701",
            ),
            ("sf without phone", json!({"company": "shunfeng"}), false, "701"),
            (
                "sf with four digits",
                json!({"company": "shunfeng", "+phone": "8888"}),
                false,
                "200",
            ),
            ("zto without phone", json!({"company": "zhongtong"}), false, "200"),
            ("zto without phone, map", json!({"company": "zhongtong"}), true, "701"),
            ("the product of another address", json!({"+resultv2": "4"}), true, "701"),
            ("map", json!({"+resultv2": "5"}), true, "200"),
            ("map from nowhere", json!({"from": ""}), true, "400"),
            ("map to a city", json!({"to": "广东深圳"}), true, "400"),
            ("no map to a city", json!({"to": "广东深圳"}), false, "200"),
            ("sensitive", json!({"+callbackurl": "http://a/敏感"}), false, "502"),
            (
                "sensitive, encoded",
                json!({"+callbackurl": "http://a/%E6%95%8F%E6%84%9F"}),
                false,
                "502",
            ),
        ] {
            let code = check(&change, is_map).map_or_else(|code| code.code, |_| "200");
            assert_eq!(code, expected, "{case}");
        }
    }

    #[test]
    fn auto_com_finds_the_carrier_by_the_number() {
        for (number, carrier) in [
            ("YT0000000000001", "yuantong"),
            ("SF0000000000001", "701"),
            ("712345678901", "zhongtong"),
            ("771234567890123", "shentong"),
            ("EX123456789CN", "ems"),
            ("6A12345678901", "702"),
        ] {
            let change = json!({"company": "", "number": number, "+autoCom": "1"});
            let found = check(&change, false).map_or_else(|code| code.code.to_owned(), |wanted| wanted.carrier);
            assert_eq!(found, carrier, "{number}");
        }
    }
}
