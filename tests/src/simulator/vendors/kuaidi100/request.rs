//! How a push of Kuaidi100 travels, and its signature.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use serde_json::Value;

/// How the push travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A form with `param` and `sign`.
    SignedForm,
    /// A form whose fields are the payload's own; unsigned.
    FlatForm,
    /// A JSON body; unsigned.
    BareJson,
}

/// `MD5(text)` as upper-case hex, the vendor's way to sign: the text is `param` followed by the salt.
pub fn digest(text: &str) -> String {
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

/// The signature of `param`.
pub fn sign(param: &str, salt: &str) -> String {
    digest(&format!("{param}{salt}"))
}

/// Content type and body of a push. Unsigned shapes ignore the salt; without a salt a form carries no `sign`.
pub fn body(param: &str, shape: Shape, salt: Option<&str>) -> (&'static str, Vec<u8>) {
    const FORM: &str = "application/x-www-form-urlencoded;charset=UTF-8";
    let mut form = form_urlencoded::Serializer::new(String::new());
    match shape {
        Shape::BareJson => return ("application/json;charset=UTF-8", param.as_bytes().to_vec()),
        Shape::SignedForm => {
            // The vendor guarantees no order of the fields: half of the pushes have the signature first.
            let sign = salt.map(|salt| sign(param, salt));
            let sign_first = sign
                .as_ref()
                .is_some_and(|sign| sign.ends_with(|last: char| last < '8'));
            if let Some(sign) = sign.as_ref().filter(|_| sign_first) {
                form.append_pair("sign", sign);
            }
            form.append_pair("param", param);
            if let Some(sign) = sign.as_ref().filter(|_| !sign_first) {
                form.append_pair("sign", sign);
            }
        }
        Shape::FlatForm => {
            let fields: serde_json::Map<String, Value> = serde_json::from_str(param).unwrap_or_default();
            for (name, value) in fields {
                match value {
                    Value::String(text) => form.append_pair(&name, &text),
                    other => form.append_pair(&name, &other.to_string()),
                };
            }
        }
    }
    (FORM, form.finish().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_vendors() {
        let long = concat!(
            r#"{"status":"polling","message":"","lastResult":{"nu":"YT0000000000001","com":"yuantong","state":"0","#,
            r#""ischeck":"0","data":[{"context":"上海分拨中心/装件入车扫描 ","time":"2012-08-28 16:33:19","#,
            r#""ftime":"2012-08-28 16:33:19"}]}}"#
        );
        assert_eq!(long.len(), 235);
        for (param, salt, expected) in [
            (r#"{"status":"polling"}"#, "SALT", "9E1C45EE8E992780AB1C5976032B9F61"),
            (long, "S@lt+01", "EEC87026F12B5C2B4DA682A40A15BC67"),
            (long, "", "E6C984E244775E79C47A5E936233C7B2"),
        ] {
            assert_eq!(sign(param, salt), expected, "{param} with salt {salt:?}");
        }
    }

    #[test]
    fn a_form_decodes_to_the_signed_text() {
        let param = r#"{"context":"a+b & c=d %20 上海 "}"#;
        let (_, body) = body(param, Shape::SignedForm, Some("salt"));
        let fields: std::collections::HashMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
        assert_eq!(fields.get("param").map(String::as_str), Some(param));
        assert_eq!(fields.get("sign"), Some(&sign(param, "salt")));
    }
}
