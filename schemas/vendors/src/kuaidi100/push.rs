//! Kuaidi100 (快递100): a form with `param` and `sign`, a form whose fields are the payload's own, or a bare JSON body. All
//! products (enterprise, cloud marketplace, map track, international) are one of the three.

use std::borrow::Cow;

use courierflow_schemas::records::Signature;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::account::Account;
use crate::parse::form;
use crate::parse::json::{self, Cursor, NotJson};
use crate::push::{
    Parcel, Push, Rejection, Unusable, carrier_code, is_json_body, md5_hex, tracking_number, without_mark,
};

/// Longest payload made from a flat form.
const MAX_FLAT_PAYLOAD_BYTES: usize = 4 * 1024 * 1024;

/// Members that relays send as JSON texts (rule 2.2).
pub(super) const TEXT_MEMBERS: &[&str] = &["lastResult", "destResult", "data"];

/// Reads a body; the checks are in the order of rule 2.1.
pub(super) fn read(body: &[u8], account: &Account) -> Result<Push, Rejection> {
    let body = without_mark(body);
    if is_json_body(body) {
        let signature = account.authenticate(None, |_, _| false)?;
        return push(
            signature,
            String::from_utf8(body.to_vec()).map_err(|_| Unusable::NotUtf8),
        );
    }
    if !form::has_pair(body) {
        return Err(Rejection::NotAForm);
    }
    let (mut param, mut sign) = (None, None);
    for (key, value) in form::pairs(body) {
        // Of fields with the same name the first counts.
        if param.is_none() && form::is_key(key, "param") {
            param = Some(value);
        } else if sign.is_none() && form::is_key(key, "sign") {
            sign = Some(value);
        }
    }
    let Some(param) = param else {
        // The marketplace document lists the payload's fields as fields of the body; such a push has no signature.
        let signature = account.authenticate(None, |_, _| false)?;
        return push(signature, flat_payload(body));
    };
    let param = form::decode(param);
    let unmarked = without_mark(&param);
    // The byte order mark may have been added before or after signing.
    let signature = match authenticate(account, &param, sign) {
        Err(_) if unmarked.len() < param.len() => authenticate(account, unmarked, sign)?,
        signature => signature?,
    };
    let unmarked_bytes = if unmarked.len() < param.len() {
        unmarked.to_vec()
    } else {
        param.into_owned()
    };
    push(
        signature,
        String::from_utf8(unmarked_bytes).map_err(|_| Unusable::NotUtf8),
    )
}

/// `sign` = hex of MD5(`param` ++ salt), over exactly the bytes of the once-decoded `param`: real texts end in blanks, and
/// serializing the JSON again would change them. The vendor sends upper case, which its documents do not say; lower case
/// is accepted, too.
fn authenticate(account: &Account, param: &[u8], sign: Option<&[u8]>) -> Result<Signature, Rejection> {
    let sign = sign
        .map(form::decode)
        .map(|sign| sign.trim_ascii().to_ascii_lowercase())
        .unwrap_or_default();
    if account.secrets.is_empty() || sign.is_empty() {
        return Ok(account.authenticate(None, |_, _| false)?);
    }
    let text = Md5::new_with_prefix(param);
    Ok(account.authenticate(Some(&sign), |sign, salt| md5_hex(&text, salt).ct_eq(sign).into())?)
}

fn push(signature: Signature, payload: Result<String, Unusable>) -> Result<Push, Rejection> {
    let unusable = |reason| Rejection::Unusable(signature, reason);
    let payload = payload.map_err(unusable)?;
    let opened = json::opened(&payload, TEXT_MEMBERS);
    if json::is_too_deep(&opened) {
        return Err(Rejection::TooDeep);
    }
    let (vendor_carrier, tracking_number) = parcel(&opened).map_err(unusable)?;
    Ok(Push {
        signature,
        parcels: vec![Parcel {
            part: 0,
            vendor_carrier,
            tracking_number,
            payload,
        }],
        parts: 1,
        bad_parcels: Vec::new(),
        request_type: None,
        push_time: None,
        business_id: None,
        count_mismatch: false,
    })
}

/// Carrier code and tracking number: `lastResult.com` and `lastResult.nu`. Of members with the same name the last counts, as
/// everywhere in JSON. The codes of a carrier correction become keys later, so they are checked, too.
fn parcel(payload: &str) -> Result<(String, String), Unusable> {
    let (mut nu, mut com) = (None, None);
    let (mut com_old, mut com_new) = (None, None);
    let mut has_result = false;
    let mut walk = || {
        let mut cursor = Cursor::new(payload);
        cursor.object(|key, cursor| {
            match key {
                "lastResult" => {}
                "comOld" => return cursor.value().map(|value| com_old = Some(value)),
                "comNew" => return cursor.value().map(|value| com_new = Some(value)),
                _ => return cursor.value().map(drop),
            }
            (nu, com) = (None, None);
            has_result = cursor.peek() == Some(b'{');
            if !has_result {
                return cursor.value().map(drop);
            }
            cursor.object(|key, cursor| {
                let value = cursor.value()?;
                match key {
                    "nu" => nu = Some(value),
                    "com" => com = Some(value),
                    _ => {}
                }
                Ok(())
            })
        })?;
        cursor.end()
    };
    walk().map_err(|NotJson| Unusable::NotJson)?;
    if !has_result {
        return Err(Unusable::NoParcel);
    }
    carrier_code(com_old)?;
    carrier_code(com_new)?;
    Ok((carrier_code(com)?, tracking_number(nu)?))
}

/// The payload of a flat form: one JSON object with the form's fields in their order, values as strings; `lastResult` and
/// `destResult` are inserted as the JSON they contain, byte for byte. Of fields with the same name the first counts.
fn flat_payload(body: &[u8]) -> Result<String, Unusable> {
    let mut payload = String::with_capacity(body.len());
    let mut seen = std::collections::HashSet::new();
    for (key, value) in form::pairs(body) {
        let (key, value) = (text(key)?, text(value)?);
        if seen.contains(&key) {
            continue;
        }
        payload.push(if payload.is_empty() { '{' } else { ',' });
        push_quoted(&mut payload, &key)?;
        payload.push(':');
        if matches!(&*key, "lastResult" | "destResult") && json::is_json(&value) {
            payload.push_str(&value);
        } else {
            push_quoted(&mut payload, &value)?;
        }
        seen.insert(key);
        // A quoted control character takes six bytes, so here, and only here, a payload can be larger than its body.
        if payload.len() > MAX_FLAT_PAYLOAD_BYTES {
            return Err(Unusable::TooLarge);
        }
    }
    payload.push('}');
    Ok(payload)
}

fn text(encoded: &[u8]) -> Result<Cow<'_, str>, Unusable> {
    match form::decode(encoded) {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| Unusable::NotUtf8),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Unusable::NotUtf8),
    }
}

fn push_quoted(json: &mut String, text: &str) -> Result<(), Unusable> {
    json.push_str(&serde_json::to_string(text).map_err(|_| Unusable::NotJson)?);
    Ok(())
}
