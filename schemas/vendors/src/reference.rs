//! The subscriber's own name of an order, which the vendor gives back with every push: in the callback URL's query string, or in a member
//! of the payload. An account says where it stands; without that nothing is looked for.
//!
//! What stands there is the subscriber's text, and may be anything. A reference is [1 to 64 of `A-Z a-z 0-9 . _ -`](identifier::is_name);
//! everything else is left out, so that no text about a person gets into topics and tables under the name of an order.

use std::borrow::Cow;

use courierflow_schemas::identifier;
use courierflow_schemas::records::Vendor;
use regex::Regex;

use crate::account::KeyError;
use crate::parse::{form, json, repair};
use crate::protocol;

/// Where an account's references stand, and what of it is the reference.
#[derive(Clone, Debug)]
pub struct References {
    vendor: Vendor,
    place: Place,
    pattern: Option<Regex>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Parameter of the callback URL's query string.
    Query(String),
    /// Member of the payload.
    Member(&'static str),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or only blanks.
    Nothing,
    /// This reference.
    Reference(String),
    /// A text that is no reference.
    Unfit,
}

impl Found {
    /// The reference.
    pub fn reference(self) -> Option<String> {
        match self {
            Self::Reference(reference) => Some(reference),
            Self::Nothing | Self::Unfit => None,
        }
    }
}

impl References {
    /// Of the keys of an account: `reference` is `query:` and the name of a parameter, or a member that the vendor
    /// [gives back](crate::Protocol::reference_members). `reference_pattern` is a regular expression that finds the reference in the text;
    /// of one with a group, what the first group has matched.
    pub fn new(vendor: Vendor, place: &str, pattern: Option<&str>) -> Result<Self, KeyError> {
        Ok(Self {
            vendor,
            place: Place::of(vendor, place)?,
            pattern: pattern.map(compiled).transpose()?,
        })
    }

    /// Looks for the reference of a push: `query` is the callback URL's query string, `payload` the vendor's text of the parcel.
    pub fn find(&self, query: &str, payload: &str) -> Found {
        let text = match &self.place {
            Place::Query(parameter) => in_query(query, parameter),
            Place::Member(member) => in_payload(self.vendor, payload, member),
        };
        match text.as_deref().map(str::trim) {
            None | Some("") => Found::Nothing,
            Some(text) => self.read(text).map_or(Found::Unfit, Found::Reference),
        }
    }

    fn read(&self, text: &str) -> Option<String> {
        let Some(pattern) = &self.pattern else {
            return Some(text)
                .filter(|text| identifier::is_name(text) && !holds_mobile_number(text))
                .map(str::to_owned);
        };
        let found = pattern.captures(text)?;
        let reference = found.get(1).or_else(|| found.get(0))?.as_str();
        // Whoever has written a pattern knows what it lets through, a number like that of a telephone included.
        identifier::is_name(reference).then(|| reference.to_owned())
    }
}

impl Place {
    fn of(vendor: Vendor, text: &str) -> Result<Self, KeyError> {
        let is_parameter =
            |name: &&str| !name.is_empty() && !name.contains(['=', '&']) && !name.contains(char::is_whitespace);
        if let Some(parameter) = text.strip_prefix("query:").filter(is_parameter) {
            return Ok(Self::Query(parameter.to_owned()));
        }
        let members = protocol(vendor).reference_members();
        let member = members.iter().find(|member| **member == text);
        member.map(|member| Self::Member(member)).ok_or_else(|| {
            let parameter = "query: and the name of a parameter of the callback URL";
            let places: Vec<&str> = [parameter].into_iter().chain(members.iter().copied()).collect();
            KeyError {
                key: "reference".to_owned(),
                reason: format!("must be {}", places.join(", or ")),
            }
        })
    }
}

fn compiled(pattern: &str) -> Result<Regex, KeyError> {
    // An empty one matches every text, at its beginning, and finds nothing there.
    if pattern.is_empty() {
        return Err(KeyError {
            key: "reference_pattern".to_owned(),
            reason: "must not be empty; without it the whole text is the reference".to_owned(),
        });
    }
    Regex::new(pattern).map_err(|error| {
        // Its text shows the place in several lines; the last one says what is wrong.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        KeyError {
            key: "reference_pattern".to_owned(),
            reason: format!("is no regular expression: {}", reason.trim_start_matches("error: ")),
        }
    })
}

/// The first value of the parameter that is not blank.
fn in_query<'q>(query: &'q str, parameter: &str) -> Option<Cow<'q, str>> {
    form::pairs(query.as_bytes())
        .filter(|(name, _)| form::is_key(name, parameter))
        .map(|(_, value)| match form::decode(value) {
            Cow::Borrowed(value) => String::from_utf8_lossy(value),
            Cow::Owned(value) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
        })
        .find(|value| !value.trim().is_empty())
}

/// Read like everything of a payload: repaired, and with its texts opened (rule 2.2).
fn in_payload<'p>(vendor: Vendor, payload: &'p str, member: &str) -> Option<Cow<'p, str>> {
    let read = |payload: &str| {
        let vendor = protocol(vendor);
        let payload = json::opened(payload, vendor.text_members());
        vendor.reference(&payload, member).map(Cow::into_owned)
    };
    let text = read(payload).or_else(|| match repair::repaired(payload) {
        Cow::Borrowed(_) => None,
        Cow::Owned(payload) => read(&payload),
    })?;
    Some(Cow::Owned(text))
}

/// True if between its letters there are digits that are a mobile number of China, with or without the country's code, zeros before it, and
/// dots, hyphens and underscores between them.
fn holds_mobile_number(text: &str) -> bool {
    let is_mobile = |digits: &str| {
        let digits = digits.trim_start_matches('0').as_bytes();
        matches!(digits, [b'1', b'3'..=b'9', rest @ ..] | [b'8', b'6', b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9)
    };
    text.split(|letter: char| letter.is_ascii_alphabetic()).any(|numbers| {
        let digits = numbers.replace(['.', '-', '_'], "");
        is_mobile(&digits) || numbers.split(['.', '-', '_']).any(is_mobile)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(vendor: Vendor, place: &str, pattern: Option<&str>, query: &str, payload: &str) -> Found {
        References::new(vendor, place, pattern).unwrap().find(query, payload)
    }

    fn reference(text: &str) -> Found {
        Found::Reference(text.to_owned())
    }

    #[test]
    fn in_the_query_string() {
        let look = |query: &str| found(Vendor::Kuaidi100, "query:orderId", None, query, "{}");
        for (query, expected) in [
            ("orderId=SO-17", reference("SO-17")),
            ("callbackid=9&orderId=SO-17&orderId=SO-18", reference("SO-17")),
            ("orderId=&orderId=+&orderId=SO-18", reference("SO-18")),
            ("order%49d=SO%2D17", reference("SO-17")),
            ("orderId=%20SO-17+", reference("SO-17")),
            ("", Found::Nothing),
            ("orderid=SO-17", Found::Nothing),
            ("orderId", Found::Nothing),
            ("orderId=SO 17", Found::Unfit),
            ("orderId=%E5%BC%A0%E4%B8%89", Found::Unfit),
            ("orderId=%FF", Found::Unfit),
            ("orderId=13812345678", Found::Unfit),
        ] {
            assert_eq!(look(query), expected, "{query:?}");
        }
        let long = "r".repeat(65);
        assert_eq!(look(&format!("orderId={long}")), Found::Unfit);
        assert_eq!(look(&format!("orderId={}", &long[1..])), reference(&long[1..]));
    }

    #[test]
    fn in_the_payload() {
        let kdniao = r#"{"LogisticCode":"YT1","OrderCode":"SO-17","Callback":"shop=4"}"#;
        let seventeentrack = r#"{"event":"TRACKING_UPDATED","data":{"number":"YT1","tag":"SO-17"}}"#;
        for (vendor, place, payload, expected) in [
            (Vendor::Kdniao, "OrderCode", kdniao, reference("SO-17")),
            (Vendor::Kdniao, "CallBack", kdniao, Found::Unfit),
            (Vendor::Kdniao, "OrderCode", r#"{"orderCode":17}"#, reference("17")),
            (
                Vendor::Kdniao,
                "CallBack",
                r#"{"callBack":"SO-17"}"#,
                reference("SO-17"),
            ),
            (Vendor::Kdniao, "OrderCode", r#"{"OrderCode":null}"#, Found::Nothing),
            (Vendor::Kdniao, "OrderCode", r#"{"OrderCode":["a"]}"#, Found::Nothing),
            (Vendor::Kdniao, "OrderCode", "no json", Found::Nothing),
            (Vendor::SeventeenTrack, "tag", seventeentrack, reference("SO-17")),
        ] {
            assert_eq!(found(vendor, place, None, "", payload), expected, "{place} {payload}");
        }
    }

    #[test]
    fn a_pattern_finds_the_reference_in_the_text() {
        let look = |pattern, text: &str| {
            let payload = serde_json::json!({ "CallBack": text }).to_string();
            found(Vendor::Kdniao, "CallBack", Some(pattern), "", &payload)
        };
        assert_eq!(look("order=([0-9]+)", "shop=4|order=1001|x"), reference("1001"));
        assert_eq!(look("^[A-Z]{2}-[0-9]+$", "SO-17"), reference("SO-17"));
        assert_eq!(look("^[A-Z]{2}-[0-9]+$", "SO-17 "), reference("SO-17"));
        assert_eq!(look("^[A-Z]{2}-[0-9]+$", "so-17"), Found::Unfit);
        assert_eq!(look(".+", "张三"), Found::Unfit);
        assert_eq!(look("^1[0-9]{10}$", "13812345678"), reference("13812345678"));
        assert_eq!(look("(a)?b", "b"), reference("b"));
    }

    #[test]
    fn numbers_of_telephones_are_no_references() {
        for (text, expected) in [
            ("13812345678", true),
            ("tel-13812345678", true),
            ("8613812345678", true),
            ("008613812345678", true),
            ("SO.19912345678.x", true),
            ("1001.13812345678", true),
            ("138-1234-5678", true),
            ("86_138.1234_5678", true),
            ("013812345678", true),
            ("2025-10-01-0001", false),
            ("12812345678", false),
            ("138123456789", false),
            ("1381234567", false),
            ("20251001138123456", false),
            ("SO-17", false),
        ] {
            assert_eq!(holds_mobile_number(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_place_is_named() {
        for (vendor, place, reason) in [
            (
                Vendor::Kuaidi100,
                "OrderCode",
                "must be query: and the name of a parameter of the callback URL",
            ),
            (
                Vendor::Kuaidi100,
                "query: orderId",
                "must be query: and the name of a parameter of the callback URL",
            ),
            (
                Vendor::Kuaidi100,
                "query:a=b",
                "must be query: and the name of a parameter of the callback URL",
            ),
            (
                Vendor::Kdniao,
                "query:",
                "must be query: and the name of a parameter of the callback URL, or OrderCode, or CallBack",
            ),
        ] {
            let error = References::new(vendor, place, None).unwrap_err();
            assert_eq!((error.key.as_str(), error.reason.as_str()), ("reference", reason));
        }
        let error = References::new(Vendor::Kdniao, "OrderCode", Some("(")).unwrap_err();
        assert_eq!(error.key, "reference_pattern");
        assert_eq!(error.reason, "is no regular expression: unclosed group");
        assert!(References::new(Vendor::Kdniao, "OrderCode", Some("")).is_err());
    }
}
