//! What the API answers when it does not answer the question: one row a kind of refusal.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why there are no figures.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// For programs.
    pub(super) code: &'static str,
    /// For people; says nothing of our statements.
    pub(super) message: String,
    /// The parameter at fault.
    pub(super) field: Option<String>,
}

impl Refusal {
    /// A value that cannot be used; `reason` continues the name of the field.
    pub(super) fn bad_parameter(field: &str, code: &'static str, reason: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: format!("{field} {reason}"),
            field: Some(field.to_owned()),
        }
    }

    /// The question is good, but cannot be answered, or not now.
    pub(super) fn because(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = match self.field {
            Some(field) => json!({ "code": self.code, "message": self.message, "field": field }),
            None => json!({ "code": self.code, "message": self.message }),
        };
        let mut response = (self.status, Json(json!({ "error": error }))).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
