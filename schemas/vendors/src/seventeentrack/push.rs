//! A push of 17TRACK: a bare JSON body with one parcel, signed in a header.

use courierflow_schemas::records::Signature;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::event::EventWord;
use crate::account::{Account, Unauthorized};
use crate::parse::json::{self, Cursor, NotJson, text_of};
use crate::push::{Parcel, Push, PushRequest, Rejection, Unusable, carrier_code, is_json_body, tracking_number};

/// Reads a push; the checks are in the order of rule 2.1.
pub(super) fn read(request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection> {
    if !is_json_body(request.body) {
        return Err(Rejection::NotAForm);
    }
    let signature = authenticate(request, account)?;
    let unusable = |reason| Rejection::Unusable(signature, reason);
    let payload = std::str::from_utf8(request.body).map_err(|_| unusable(Unusable::NotUtf8))?;
    if json::is_too_deep(payload) {
        return Err(Rejection::TooDeep);
    }
    let head = head(payload).map_err(|NotJson| unusable(Unusable::NotJson))?;
    let (vendor_carrier, tracking_number) = head.parcel().map_err(unusable)?;
    Ok(Push {
        signature,
        parcels: vec![Parcel {
            part: 0,
            vendor_carrier,
            tracking_number,
            payload: payload.to_owned(),
        }],
        parts: 1,
        bad_parcels: Vec::new(),
        request_type: None,
        push_time: None,
        business_id: None,
        count_mismatch: false,
    })
}

/// `sign` = hex of SHA-256(body `/` API key), over the bytes as received: a live integration that serialized the JSON again
/// refused genuine pushes. The vendor writes lower case; upper case is accepted, too. One of its documents says that a push
/// that stops the tracking is not signed; the setting `unsigned_stopped` of the account accepts those.
fn authenticate(request: PushRequest<'_>, account: &Account) -> Result<Signature, Unauthorized> {
    let sign = request.signature.map(|sign| sign.trim_ascii().to_ascii_lowercase());
    let sign = sign.as_deref().filter(|sign| !sign.is_empty());
    let text = Sha256::new_with_prefix(request.body).chain_update(b"/");
    let signature = account.authenticate(sign, |sign, api_key| {
        hex(&text.clone().chain_update(api_key).finalize()).ct_eq(sign).into()
    });
    match signature {
        Err(Unauthorized) if sign.is_none() && account.unsigned_end && is_stop(request.body) => Ok(Signature::Unsigned),
        signature => signature,
    }
}

fn hex(digest: &[u8]) -> Vec<u8> {
    let mut hex = Vec::with_capacity(digest.len().saturating_mul(2));
    for byte in digest {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
        }
    }
    hex
}

fn is_stop(body: &[u8]) -> bool {
    let head = std::str::from_utf8(body).ok().and_then(|body| head(body).ok());
    head.is_some_and(|head| head.event() == EventWord::Stopped)
}

/// The members of a body that are needed, as slices of its text.
#[derive(Default)]
struct Head<'a> {
    event: Option<&'a str>,
    has_data: bool,
    number: Option<&'a str>,
    carrier: Option<&'a str>,
    /// Whether it has the list of the vendor's first version.
    has_track: bool,
    has_track_info: bool,
}

impl Head<'_> {
    fn event(&self) -> EventWord {
        EventWord::of(self.event.and_then(text_of).as_deref())
    }

    /// Carrier code and tracking number.
    fn parcel(&self) -> Result<(String, String), Unusable> {
        if !self.has_data {
            return Err(Unusable::NoParcel);
        }
        // A push of version 1, which has other fields, other codes, and a signature inside the body.
        if self.has_track && !self.has_track_info {
            return Err(Unusable::MissingField);
        }
        let mut carrier = carrier_code(self.carrier)?;
        // The vendor's number for no carrier.
        if carrier == "0" {
            carrier.clear();
        }
        Ok((carrier, tracking_number(self.number)?))
    }
}

/// Of members with the same name the last counts, as everywhere in JSON.
fn head(text: &str) -> Result<Head<'_>, NotJson> {
    let mut head = Head::default();
    let mut cursor = Cursor::new(text);
    cursor.object(|key, cursor| {
        match key {
            "event" => head.event = Some(cursor.value()?),
            "data" => {
                head = Head {
                    event: head.event,
                    has_data: cursor.peek() == Some(b'{'),
                    ..Head::default()
                };
                if !head.has_data {
                    return cursor.value().map(drop);
                }
                cursor.object(|key, cursor| {
                    let is_object = cursor.peek() == Some(b'{');
                    let value = cursor.value()?;
                    match key {
                        "number" => head.number = Some(value),
                        "carrier" => head.carrier = Some(value),
                        "track" => head.has_track = is_object,
                        "track_info" => head.has_track_info = is_object,
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            _ => drop(cursor.value()?),
        }
        Ok(())
    })?;
    cursor.end()?;
    Ok(head)
}
