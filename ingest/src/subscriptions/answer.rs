//! The answers to those who ask for subscriptions: for every refusal its status, name and text, and the results of the items.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use courierflow_vendors::request::error::{Code, ItemError};
use serde::Serialize;

use super::MAX_ITEMS;
use crate::answer::{self, Row, whole_seconds};
use crate::publisher::PublishError;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// Why a whole request was refused. Nothing of it is stored, with the exceptions that [`answer::Refusal`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a POST.
    MethodNotAllowed,
    /// No token, or a wrong one.
    Unauthorized,
    /// The type of the body is not JSON.
    NotJsonType,
    /// The body is neither a JSON object nor an array.
    NotJson,
    /// No items.
    Empty,
    /// More items than a request, or the token's budget, can have.
    TooMany,
    /// The token has asked for as many items as it may.
    OverRate {
        /// Until there is room for the items.
        retry_after: Duration,
    },
    /// An item names an account that the token may not use.
    ForeignAccount,
    /// As with pushes: the body, or the way to Kafka.
    AsPush(answer::Refusal),
}

impl From<answer::Refusal> for Refusal {
    fn from(refusal: answer::Refusal) -> Self {
        Self::AsPush(refusal)
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        Self::AsPush(error.into())
    }
}

impl Refusal {
    /// Every refusal that an answer can have.
    pub const ALL: [Self; 16] = [
        Self::MethodNotAllowed,
        Self::Unauthorized,
        Self::NotJsonType,
        Self::NotJson,
        Self::Empty,
        Self::TooMany,
        Self::OverRate {
            retry_after: Duration::ZERO,
        },
        Self::ForeignAccount,
        Self::AsPush(answer::Refusal::Busy),
        Self::AsPush(answer::Refusal::TooLarge),
        Self::AsPush(answer::Refusal::TooSlow),
        Self::AsPush(answer::Refusal::BrokenBody),
        Self::AsPush(answer::Refusal::NotReady),
        Self::AsPush(answer::Refusal::QueueFull),
        Self::AsPush(answer::Refusal::AckTimeout),
        Self::AsPush(answer::Refusal::NotDelivered),
    ];

    /// Status, name and text.
    pub fn row(self) -> Row {
        let (status, name, text) = match self {
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "ask by POST"),
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "token missing or wrong: Authorization: Bearer TOKEN",
            ),
            Self::NotJsonType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json_type",
                "the Content-Type must be application/json",
            ),
            Self::NotJson => (
                StatusCode::BAD_REQUEST,
                "not_json",
                "body is neither a JSON object nor an array",
            ),
            Self::Empty => (StatusCode::BAD_REQUEST, "empty", "there is no item"),
            Self::TooMany => (
                StatusCode::BAD_REQUEST,
                "too_many",
                "more than 500 items, or more than the token may ask for in a minute",
            ),
            Self::OverRate { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "over_rate",
                "too many items of this token, try again later",
            ),
            Self::ForeignAccount => (
                StatusCode::FORBIDDEN,
                Code::ForeignAccount.as_str(),
                "the token may not use an account that an item names",
            ),
            Self::AsPush(refusal) => return refusal.row(),
        };
        Row { status, name, text }
    }

    fn retry_after(self) -> Option<HeaderValue> {
        match self {
            Self::OverRate { retry_after } => Some(whole_seconds(retry_after).into()),
            Self::AsPush(refusal) => refusal.retry_after(),
            _ => None,
        }
    }
}

/// What became of one item.
#[derive(Debug, Serialize)]
pub struct ItemResult {
    /// As it is stored; as it was sent if it was refused.
    pub tracking_number: Option<String>,
    /// The caller's id of the request.
    pub request_id: Option<String>,
    /// Whether it is stored.
    pub status: ItemStatus,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// Whether an item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemStatus {
    /// Its record is acknowledged.
    Accepted,
    /// It cannot be used.
    Refused,
}

/// An error, in JSON.
#[derive(Debug, Serialize)]
pub struct ErrorBody {
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
}

impl From<&ItemError> for ErrorBody {
    fn from(error: &ItemError) -> Self {
        Self {
            code: error.code.as_str(),
            message: error.message,
            field: error.field.to_string(),
        }
    }
}

/// The body of an answer with results, in the order of the items.
#[derive(Debug, Serialize)]
struct ItemsBody<'a> {
    accepted: usize,
    refused: usize,
    results: &'a [ItemResult],
}

#[derive(Debug, Serialize)]
struct RefusalBody {
    error: ErrorBody,
}

/// 202 if an item is stored, else 400.
pub fn results(results: &[ItemResult]) -> Response<Body> {
    debug_assert!(results.len() <= MAX_ITEMS);
    let is_accepted = |result: &&ItemResult| result.status == ItemStatus::Accepted;
    let accepted = results.iter().filter(is_accepted).count();
    let status = if accepted > 0 {
        StatusCode::ACCEPTED
    } else {
        StatusCode::BAD_REQUEST
    };
    let refused = results.len() - accepted;
    respond(
        status,
        &ItemsBody {
            accepted,
            refused,
            results,
        },
    )
}

/// The answer to a request that was refused as a whole.
pub fn refused(refusal: Refusal) -> Response<Body> {
    let Row { status, name, text } = refusal.row();
    let mut response = error(status, name, text);
    let headers = response.headers_mut();
    match status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(header::ALLOW, answer::ALLOW)),
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The rest of the body may still arrive, so the connection cannot be used for another request.
        StatusCode::REQUEST_TIMEOUT => drop(headers.insert(header::CONNECTION, HeaderValue::from_static("close"))),
        _ => {}
    }
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// There is no such path.
pub fn not_found() -> Response<Body> {
    error(StatusCode::NOT_FOUND, "not_found", "there is no such path")
}

fn error(status: StatusCode, code: &'static str, message: &'static str) -> Response<Body> {
    let error = ErrorBody {
        code,
        message,
        field: String::new(),
    };
    respond(status, &RefusalBody { error })
}

fn respond(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}
