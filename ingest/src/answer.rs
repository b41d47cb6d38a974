//! The answers to vendors: for every outcome its status, stable name and text. The form of the body is the vendor's:
//! [`courierflow_vendors::Protocol`].

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use courierflow_schemas::records::Vendor;
use courierflow_vendors::account::Account;
use courierflow_vendors::protocol;
use jiff::Timestamp;

use crate::publisher::PublishError;
use courierflow_vendors::push::{Rejection, Unusable};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// Seconds after which a push that got a 503 may be retried. Vendors have retry intervals of their own; this is for other
/// clients.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// `Allow` of an address that takes only POST.
pub(crate) const ALLOW: HeaderValue = HeaderValue::from_static("POST");

/// Why a push was refused. The vendor gets its failure body; whether it retries depends on its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such account of this vendor.
    UnknownAccount,
    /// Not a POST.
    MethodNotAllowed,
    /// The query string of the callback URL is too long.
    QueryTooLong,
    /// The limit of requests or bytes in flight is reached.
    Busy,
    /// The body is larger than allowed.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body is incomplete, or its framing is wrong.
    BrokenBody,
    /// Neither a form nor JSON.
    NotAForm,
    /// A `multipart/form-data` body.
    Multipart,
    /// No signature, or a wrong one, where one is required.
    Unauthorized,
    /// JSON nested too deep.
    TooDeep,
    /// Too many parcels.
    TooManyParcels,
    /// An unsigned push without a parcel that could be stored.
    Unusable(Unusable),
    /// The account has sent as many pushes as it may.
    OverLimit {
        /// Until it may send the next one.
        retry_after: Duration,
    },
    /// Kafka is known to be unavailable, or the schema id is unknown.
    NotReady,
    /// The queue to the broker is full.
    QueueFull,
    /// The broker did not acknowledge in time. The push may still be stored; derive recognises a repetition of it.
    AckTimeout,
    /// The broker refused the record, or the record could not be encoded.
    NotDelivered,
}

/// One row of the table of refusals.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// HTTP status.
    pub status: StatusCode,
    /// Name in metrics and logs.
    pub name: &'static str,
    /// Text for the vendor; it has no quotes and no content of the push.
    pub text: &'static str,
}

impl Refusal {
    /// Every refusal; [`Refusal::Unusable`] only once.
    pub const ALL: [Self; 18] = [
        Self::UnknownAccount,
        Self::MethodNotAllowed,
        Self::QueryTooLong,
        Self::Busy,
        Self::TooLarge,
        Self::TooSlow,
        Self::BrokenBody,
        Self::NotAForm,
        Self::Multipart,
        Self::Unauthorized,
        Self::TooDeep,
        Self::TooManyParcels,
        Self::Unusable(Unusable::NotJson),
        Self::OverLimit {
            retry_after: Duration::ZERO,
        },
        Self::NotReady,
        Self::QueueFull,
        Self::AckTimeout,
        Self::NotDelivered,
    ];

    /// Status, name and text.
    pub fn row(self) -> Row {
        let (status, name, text) = match self {
            Self::UnknownAccount => (StatusCode::NOT_FOUND, "unknown_account", "no such account"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "pushes are sent by POST",
            ),
            Self::QueryTooLong => (StatusCode::URI_TOO_LONG, "query_too_long", "query string too long"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "too many requests in flight"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "body too large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow", "body did not arrive in time"),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "broken_body", "body incomplete"),
            Self::NotAForm => (StatusCode::BAD_REQUEST, "not_a_form", "body is neither a form nor JSON"),
            Self::Multipart => (
                StatusCode::BAD_REQUEST,
                "multipart",
                "multipart/form-data is not understood: send application/x-www-form-urlencoded",
            ),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "signature missing or wrong"),
            Self::TooDeep => (StatusCode::BAD_REQUEST, "too_deep", "JSON nested too deep"),
            Self::TooManyParcels => (
                StatusCode::BAD_REQUEST,
                "too_many_parcels",
                "too many parcels in one push",
            ),
            Self::Unusable(_) => (StatusCode::BAD_REQUEST, "unusable", "no parcel in the push"),
            Self::OverLimit { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "over_limit",
                "too many pushes of this account, try again later",
            ),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready", "storage unavailable"),
            Self::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "queue_full", "storage too slow"),
            Self::AckTimeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                "ack_timeout",
                "storage did not confirm in time",
            ),
            Self::NotDelivered => (StatusCode::SERVICE_UNAVAILABLE, "not_delivered", "storage refused"),
        };
        Row { status, name, text }
    }

    /// When the push may be sent again, if that would help.
    pub(crate) fn retry_after(self) -> Option<HeaderValue> {
        match self {
            Self::OverLimit { retry_after } => Some(whole_seconds(retry_after).into()),
            _ if self.row().status == StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER),
            _ => None,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotAForm => Self::NotAForm,
            Rejection::Multipart => Self::Multipart,
            Rejection::Unauthorized => Self::Unauthorized,
            Rejection::TooDeep => Self::TooDeep,
            Rejection::TooManyParcels => Self::TooManyParcels,
            Rejection::Unusable(_, Unusable::TooLarge) => Self::TooLarge,
            Rejection::Unusable(_, reason) => Self::Unusable(reason),
        }
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::NotReady => Self::NotReady,
            PublishError::QueueFull => Self::QueueFull,
            PublishError::AckTimeout => Self::AckTimeout,
            PublishError::NotDelivered(_) => Self::NotDelivered,
        }
    }
}

/// The vendor's success body, for a push whose records are all acknowledged.
pub fn stored(account: &Account, now: Timestamp) -> Response<Body> {
    respond(StatusCode::OK, protocol(account.vendor).accepted(account, now))
}

/// The vendor's failure body (rule 2.7). `account` is `None` if no account has that name.
pub fn refused(vendor: Vendor, account: Option<&Account>, now: Timestamp, refusal: Refusal) -> Response<Body> {
    let Row { status, text, .. } = refusal.row();
    let told = courierflow_vendors::Refusal {
        status: status.as_u16(),
        text,
    };
    let mut response = respond(status, protocol(vendor).refused(account, now, told));
    let headers = response.headers_mut();
    match status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(header::ALLOW, ALLOW)),
        // The rest of the body may still arrive, so the connection cannot be used for another request.
        StatusCode::REQUEST_TIMEOUT => drop(headers.insert(header::CONNECTION, HeaderValue::from_static("close"))),
        _ => {}
    }
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Rounded up, and at least one: after the seconds there is room.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}
