//! Error answers of the API.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error answer: a status and a JSON object.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// Stable name of the error, for programs.
    pub(super) code: &'static str,
    /// Explanation for people. It reveals nothing about our SQL statements.
    pub(super) message: String,
    /// The parameter at fault.
    pub(super) field: Option<String>,
}

impl Refusal {
    /// A parameter with an unusable value. `reason` completes a sentence that begins with the parameter's name.
    pub(super) fn bad_parameter(field: &str, code: &'static str, reason: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: format!("{field} {reason}"),
            field: Some(field.to_owned()),
        }
    }

    /// The request is valid, but cannot be answered, or not now.
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
