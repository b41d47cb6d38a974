//! The result of reading the body of a push: whether it is signed, and its parcels. Pure functions of the body and the
//! account; no trace is interpreted here.

use std::borrow::Cow;

use courierflow_schemas::identifier;
use courierflow_schemas::records::Signature;
use md5::{Digest, Md5};

use crate::account::{Account, Unauthorized};
use crate::parse::json;

/// Most parcels of one push (the vendor documents say 10).
pub const MAX_PARCELS: usize = 100;

/// Longest `RequestType`, `PushTime` or `EBusinessID`, in bytes. They are copied into the event of every parcel of the push,
/// so longer ones are left out: 100 copies of a text of 2 MiB would be too much.
pub const MAX_PUSH_FIELD_BYTES: usize = 64;

/// A push that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Push {
    /// How it was authenticated.
    pub signature: Signature,
    /// The usable parcels, in the vendor's order.
    pub parcels: Vec<Parcel>,
    /// Number of parcels in the push, including unusable ones.
    pub parts: u16,
    /// The unusable parcels.
    pub bad_parcels: Vec<BadParcel>,
    /// Kdniao's `RequestType`.
    pub request_type: Option<String>,
    /// Kdniao's `PushTime`, verbatim.
    pub push_time: Option<String>,
    /// Kdniao's `EBusinessID`, verbatim.
    pub business_id: Option<String>,
    /// Whether Kdniao's `Count` differs from the number of parcels. The array is used, and the difference is counted
    /// in a metric.
    pub count_mismatch: bool,
}

/// One parcel of a push.
#[derive(Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Index in the push.
    pub part: u16,
    /// The vendor's carrier code, normalised (rule 3.4); empty when missing.
    pub vendor_carrier: String,
    /// Normalised (rule 3.4), ASCII upper case.
    pub tracking_number: String,
    /// The vendor's JSON text of this parcel, byte for byte as decoded.
    pub payload: String,
}

/// An unusable parcel in a push that has usable ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadParcel {
    /// Index in the push.
    pub part: u16,
    /// The reason.
    pub reason: Unusable,
}

/// Why a body gives no push event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Neither a form nor JSON.
    NotAForm,
    /// A `multipart/form-data` body.
    Multipart,
    /// No signature, or a wrong one, where one is required.
    Unauthorized,
    /// Nested deeper than [`json::MAX_DEPTH`].
    TooDeep,
    /// More than [`MAX_PARCELS`].
    TooManyParcels,
    /// Authenticated, but without a usable parcel.
    Unusable(Signature, Unusable),
}

/// Why content cannot be used; the `reason` header of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The field that should hold the content is missing.
    MissingField,
    /// The content is not UTF-8.
    NotUtf8,
    /// The content is not a JSON object.
    NotJson,
    /// No parcel: `lastResult` or `Data` is missing, null, of another type, or empty.
    NoParcel,
    /// A parcel without a tracking number.
    NoTrackingNumber,
    /// A flat form that is too large when written as JSON.
    TooLarge,
    /// A tracking number or carrier code that is not an [identifier](identifier::is_identifier).
    BadIdentifier,
}

impl Unusable {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::MissingField,
        Self::NotUtf8,
        Self::NotJson,
        Self::NoParcel,
        Self::NoTrackingNumber,
        Self::BadIdentifier,
        Self::TooLarge,
    ];

    /// Stable name in headers, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingField => "missing_field",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NoParcel => "no_parcel",
            Self::NoTrackingNumber => "no_tracking_number",
            Self::BadIdentifier => "bad_identifier",
            Self::TooLarge => "too_large",
        }
    }
}

impl From<Unauthorized> for Rejection {
    fn from(_: Unauthorized) -> Self {
        Self::Unauthorized
    }
}

/// The parts of an HTTP push that are read.
#[derive(Clone, Copy, Debug)]
pub struct PushRequest<'a> {
    /// The whole body.
    pub body: &'a [u8],
    /// Value of the vendor's [signature header](crate::Protocol::signature_header), if there is one.
    pub signature: Option<&'a [u8]>,
}

/// Reads a push that was sent to `account`.
pub fn read(request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection> {
    if is_multipart(request.body) {
        return Err(Rejection::Multipart);
    }
    crate::protocol(account.vendor).read_push(request, account)
}

/// True for JSON, false for a form. The first byte that is not blank decides, because senders set a wrong
/// Content-Type (rule 2.1).
pub(crate) fn is_json_body(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// MD5 of `text ++ secret` as lower-case hex. Takes the state after `text`, so that a long text is hashed once for all
/// secrets.
pub(crate) fn md5_hex(text: &Md5, secret: &[u8]) -> [u8; 32] {
    let digest = text.clone().chain_update(secret).finalize();
    let mut hex = [0_u8; 32];
    for (digits, byte) in hex.chunks_exact_mut(2).zip(digest) {
        for (digit, nibble) in digits.iter_mut().zip([byte >> 4, byte & 15]) {
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
    }
    hex
}

/// A body without the byte order mark that some relays put before it (rule 2.2).
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

/// True for `multipart/form-data`, which no vendor sends. It has a check of its own because it looks like a form
/// without a signature.
fn is_multipart(body: &[u8]) -> bool {
    let head = body.get(..body.len().min(1024)).unwrap_or_default();
    head.starts_with(b"--")
        && head
            .to_ascii_lowercase()
            .windows(30)
            .any(|part| part == b"content-disposition: form-data")
}

/// A tracking number from its JSON value: normalised (rule 3.4), ASCII upper case (rule 3.1).
pub(crate) fn tracking_number(value: Option<&str>) -> Result<String, Unusable> {
    let mut number = identifier_of(value, identifier::normalised)?;
    if number.is_empty() {
        return Err(Unusable::NoTrackingNumber);
    }
    number.make_ascii_uppercase();
    Ok(number)
}

/// A carrier code from its JSON value, normalised; empty when missing (rule 3.4), null, or neither string nor number.
pub(crate) fn carrier_code(value: Option<&str>) -> Result<String, Unusable> {
    identifier_of(value, identifier::carrier_code)
}

fn identifier_of(value: Option<&str>, normalised: fn(&str) -> Cow<'_, str>) -> Result<String, Unusable> {
    let text = value.and_then(json::text_of).unwrap_or_default();
    let text = normalised(&text);
    if !identifier::is_identifier(&text) {
        return Err(Unusable::BadIdentifier);
    }
    Ok(text.into_owned())
}

/// A field of the whole push as sent; `None` when missing, null, too long, or neither string nor number.
pub(crate) fn push_field(value: Option<&str>) -> Option<String> {
    value
        .and_then(json::text_of)
        .filter(|text| text.len() <= MAX_PUSH_FIELD_BYTES)
        .map(Cow::into_owned)
}
