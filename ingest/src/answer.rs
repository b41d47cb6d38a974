//! What a vendor is answered: for every outcome its status, its stable name, its text and the two vendors' bodies, byte by
//! byte. Vendors compare keys with case and read the body, not the status.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use courierflow_schemas::records::Vendor;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Serialize;

use crate::publisher::PublishError;
use courierflow_vendors::push::{Rejection, Unusable};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// Seconds after which a 503 may be tried again. The vendors keep to their own 15 and 30 minutes; this is for everybody else.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// `Allow` of a push address.
const ALLOW: HeaderValue = HeaderValue::from_static("POST");

/// Why a push was not taken. The vendor gets its failure body and tries again, or does not, by its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such account of this vendor.
    UnknownAccount,
    /// Not a POST.
    MethodNotAllowed,
    /// The query string of the callback URL is too long to be kept.
    QueryTooLong,
    /// As many requests or bytes in flight as are allowed.
    Busy,
    /// The body is larger than allowed.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body ended before its end, or its framing is wrong.
    BrokenBody,
    /// Neither a form nor JSON.
    NotAForm,
    /// No signature, or a wrong one, where one is required.
    Unauthorized,
    /// JSON nested too deep.
    TooDeep,
    /// Too many parcels.
    TooManyParcels,
    /// An unsigned push without a parcel that could be stored.
    Unusable(Unusable),
    /// Kafka or the schema id are known to be missing.
    NotReady,
    /// The queue to the broker is full.
    QueueFull,
    /// The broker did not acknowledge in time. The push may still be stored; derive recognises the repetition.
    AckTimeout,
    /// The broker refused, or the record could not be made.
    NotDelivered,
}

/// One row of the table of refusals.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// HTTP status.
    pub status: StatusCode,
    /// Name in metrics and logs.
    pub name: &'static str,
    /// What the vendor is told; no quotes, no content of the push.
    pub text: &'static str,
}

impl Refusal {
    /// Every refusal, [`Refusal::Unusable`] once.
    pub const ALL: [Self; 16] = [
        Self::UnknownAccount,
        Self::MethodNotAllowed,
        Self::QueryTooLong,
        Self::Busy,
        Self::TooLarge,
        Self::TooSlow,
        Self::BrokenBody,
        Self::NotAForm,
        Self::Unauthorized,
        Self::TooDeep,
        Self::TooManyParcels,
        Self::Unusable(Unusable::NotJson),
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
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "signature missing or wrong"),
            Self::TooDeep => (StatusCode::BAD_REQUEST, "too_deep", "JSON nested too deep"),
            Self::TooManyParcels => (
                StatusCode::BAD_REQUEST,
                "too_many_parcels",
                "too many parcels in one push",
            ),
            Self::Unusable(_) => (StatusCode::BAD_REQUEST, "unusable", "no parcel in the push"),
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
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotAForm => Self::NotAForm,
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

/// The vendor's success body: every record of the push is acknowledged.
pub fn stored(vendor: Vendor, business_id: &str, now: Timestamp) -> Response<Body> {
    let body = match vendor {
        Vendor::Kuaidi100 => Bytes::from_static(r#"{"result":true,"returnCode":"200","message":"成功"}"#.as_bytes()),
        Vendor::Kdniao => kdniao_body(business_id, now, true, ""),
    };
    respond(StatusCode::OK, body)
}

/// The vendor's failure body (rule 51).
pub fn refused(vendor: Vendor, business_id: &str, now: Timestamp, refusal: Refusal) -> Response<Body> {
    let Row { status, text, .. } = refusal.row();
    let body = match vendor {
        Vendor::Kuaidi100 => kuaidi100_failure(status, text),
        Vendor::Kdniao => kdniao_body(business_id, now, false, text),
    };
    let mut response = respond(status, body);
    let headers = response.headers_mut();
    match status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(header::ALLOW, ALLOW)),
        StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(header::RETRY_AFTER, RETRY_AFTER)),
        // The rest of the body is still to come: this connection is of no further use.
        StatusCode::REQUEST_TIMEOUT => drop(headers.insert(header::CONNECTION, HeaderValue::from_static("close"))),
        _ => {}
    }
    response
}

fn respond(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}

fn kuaidi100_failure(status: StatusCode, message: &str) -> Bytes {
    #[derive(Serialize)]
    struct Failure<'a> {
        result: bool,
        #[serde(rename = "returnCode")]
        return_code: &'a str,
        message: &'a str,
    }
    // The vendor documents 500 as "server error" and leaves the rest to us.
    let return_code = if status == StatusCode::SERVICE_UNAVAILABLE {
        "500"
    } else {
        status.as_str()
    };
    json(&Failure {
        result: false,
        return_code,
        message,
    })
}

fn kdniao_body(business_id: &str, now: Timestamp, success: bool, reason: &str) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        #[serde(rename = "EBusinessID")]
        business_id: &'a str,
        update_time: String,
        success: bool,
        reason: &'a str,
    }
    let china = TimeZone::fixed(Offset::constant(8));
    json(&Answer {
        business_id,
        update_time: now.to_zoned(china).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        success,
        reason,
    })
}

fn json(body: &impl Serialize) -> Bytes {
    // Texts and truth values: writing them cannot fail.
    serde_json::to_vec(body).unwrap_or_default().into()
}
