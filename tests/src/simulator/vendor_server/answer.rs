//! What a call is answered with.

use serde_json::{Value, json};

/// An answer of the vendor to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    /// Whether a subscription has begun.
    pub(crate) begun: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json;charset=UTF-8",
            body: body.to_string(),
            begun: false,
        }
    }

    /// The page of a gateway whose server has gone away.
    pub(crate) fn gateway_page() -> Self {
        Self {
            status: 502,
            content_type: "text/html",
            body: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
                .to_owned(),
            begun: false,
        }
    }

    /// What the gateway of the marketplace says to too many calls.
    pub(crate) fn rate_limited() -> Self {
        let text = "The throttling threshold has been reached: policy api over ratelimit,limit:10,time:1 second";
        Self::json(429, &json!({"error_code": "APIG.0308", "error_msg": text}))
    }

    pub(crate) fn begun(self) -> Self {
        Self { begun: true, ..self }
    }
}
