//! How a push of Kdniao travels, and its signature.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::subscriptions::Product;

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

/// The vendor's signature: Base64 of the lower-case hex text of the MD5, not of its bytes.
pub fn sign(request_data: &str, app_key: &str) -> String {
    let digest = Md5::digest(format!("{request_data}{app_key}"));
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    STANDARD.encode(hex)
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
