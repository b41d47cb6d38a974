//! Kdniao (快递鸟): a form with `RequestData`, `DataSign` and `RequestType`, or a bare JSON body, with up to ten parcels
//! (a hundred are taken) in `Data`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use courierflow_schemas::records::Signature;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::account::{Account, Unauthorized};
use crate::parse::form;
use crate::parse::json::{self, Cursor, NotJson, text_of};
use crate::push::{
    BadParcel, MAX_PARCELS, MAX_PUSH_FIELD_BYTES, Parcel, Push, Rejection, Unusable, carrier_code, is_json_body,
    md5_hex, push_field, tracking_number, without_mark,
};

/// Members that are sent as JSON texts: the vendor's own table calls `Data` a string (rule 2.2).
pub(super) const TEXT_MEMBERS: &[&str] = &["Data", "data", "Traces", "traces"];

/// Reads a body; the checks are in the order of rule 2.1.
pub(super) fn read(body: &[u8], account: &Account) -> Result<Push, Rejection> {
    let body = without_mark(body);
    if is_json_body(body) {
        let signature = account.authenticate(None, |_, _| false)?;
        return push(signature, body, None);
    }
    if !form::has_pair(body) {
        return Err(Rejection::NotAForm);
    }
    let (mut request_data, mut data_sign, mut request_type) = (None, None, None);
    for (key, value) in form::pairs(body) {
        // Of fields with the same name the first counts.
        if request_data.is_none() && form::is_key(key, "RequestData") {
            request_data = Some(value);
        } else if data_sign.is_none() && form::is_key(key, "DataSign") {
            data_sign = Some(value);
        } else if request_type.is_none() && form::is_key(key, "RequestType") {
            request_type = Some(value);
        }
    }
    let data_sign = data_sign.map(form::decode);
    let data_sign = data_sign.as_deref().map(without_padding);
    let Some(request_data) = request_data else {
        // There is no signed text, so no signature can be valid.
        let signature = account.authenticate(data_sign, |_, _| false)?;
        return Err(Rejection::Unusable(signature, Unusable::MissingField));
    };
    let (signature, text) = authenticate(account, form::decode(request_data), data_sign)?;
    let request_type = request_type.map(form::decode).and_then(|value| {
        let value = std::str::from_utf8(&value).ok()?;
        (!value.is_empty() && value.len() <= MAX_PUSH_FIELD_BYTES).then(|| value.to_owned())
    });
    push(signature, without_mark(&text), request_type)
}

/// `DataSign` = Base64(lower-case hex(MD5(`RequestData` ++ app key))): of the hex text, not of the 16 bytes. The documents
/// disagree whether `RequestData` is encoded once or twice: the once-decoded text is tried, then the twice-decoded one, and the
/// text that verifies is kept (rule 2.5). Without a signature to decide, it is the first of the two that starts an
/// object.
fn authenticate<'a>(
    account: &Account,
    once: Cow<'a, [u8]>,
    data_sign: Option<&[u8]>,
) -> Result<(Signature, Cow<'a, [u8]>), Unauthorized> {
    if account.secrets.is_empty() || data_sign.is_none_or(<[u8]>::is_empty) {
        let signature = account.authenticate(None, |_, _| false)?;
        let text = if is_json_body(without_mark(&once)) {
            once
        } else {
            decoded_again(once)
        };
        return Ok((signature, text));
    }
    if let Ok(signature) = account.authenticate(data_sign, signed(&once)) {
        return Ok((signature, once));
    }
    let twice = Cow::Owned(form::decode(&once).into_owned());
    let signature = account.authenticate(data_sign, signed(&twice))?;
    Ok((signature, twice))
}

/// A check whether a signature was made from `text` and an app key, with or without a byte order mark before the
/// text.
fn signed(text: &[u8]) -> impl Fn(&[u8], &[u8]) -> bool {
    let unmarked = without_mark(text);
    let unmarked = (unmarked.len() < text.len()).then(|| Md5::new_with_prefix(unmarked));
    let text = Md5::new_with_prefix(text);
    move |sign, app_key| {
        let is_made_of = |text: &Md5| {
            let mut expected = [0_u8; 43];
            let written = STANDARD_NO_PAD.encode_slice(md5_hex(text, app_key), &mut expected);
            written == Ok(expected.len()) && bool::from(expected.ct_eq(sign))
        };
        is_made_of(&text) || unmarked.as_ref().is_some_and(is_made_of)
    }
}

/// The text decoded again, if that gives an object.
fn decoded_again(once: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let twice = form::decode(&once).into_owned();
    if is_json_body(without_mark(&twice)) {
        Cow::Owned(twice)
    } else {
        once
    }
}

/// Removes the padding of the Base64 text: it was seen to be lost in transport, and is encoded twice if `RequestData`
/// is.
fn without_padding(data_sign: &[u8]) -> &[u8] {
    let mut sign = data_sign.trim_ascii();
    while let Some(shorter) = sign
        .strip_suffix(b"=")
        .or_else(|| sign.strip_suffix(b"%3D"))
        .or_else(|| sign.strip_suffix(b"%3d"))
    {
        sign = shorter;
    }
    sign
}

fn push(signature: Signature, text: &[u8], request_type: Option<String>) -> Result<Push, Rejection> {
    let unusable = |reason| Rejection::Unusable(signature, reason);
    let text = std::str::from_utf8(text).map_err(|_| unusable(Unusable::NotUtf8))?;
    let text = json::opened(text, TEXT_MEMBERS);
    if json::is_too_deep(&text) {
        return Err(Rejection::TooDeep);
    }
    let data = walk(&text).map_err(|NotJson| unusable(Unusable::NotJson))?;
    if data.count > MAX_PARCELS {
        return Err(Rejection::TooManyParcels);
    }
    let mut parcels = Vec::with_capacity(data.elements.len());
    let mut bad_parcels = Vec::new();
    for (part, element) in (0_u16..).zip(&data.elements) {
        match element.parcel(part) {
            Ok(parcel) => parcels.push(parcel),
            Err(reason) => bad_parcels.push(BadParcel { part, reason }),
        }
    }
    if parcels.is_empty() {
        return Err(unusable(
            bad_parcels.first().map_or(Unusable::NoParcel, |bad| bad.reason),
        ));
    }
    let parts = u16::try_from(data.elements.len()).unwrap_or(u16::MAX);
    let announced = data.announced.and_then(text_of);
    Ok(Push {
        signature,
        parcels,
        parts,
        bad_parcels,
        request_type,
        push_time: push_field(data.push_time),
        business_id: push_field(data.business_id),
        count_mismatch: announced.is_some_and(|count| count.trim().parse() != Ok(parts)),
    })
}

/// The members found in `RequestData`, as slices of its text.
#[derive(Default)]
struct Data<'a> {
    push_time: Option<&'a str>,
    business_id: Option<&'a str>,
    announced: Option<&'a str>,
    /// At most [`MAX_PARCELS`].
    elements: Vec<Element<'a>>,
    /// Number of elements of `Data`, including those beyond [`MAX_PARCELS`].
    count: usize,
}

/// One element of `Data`.
#[derive(Default)]
struct Element<'a> {
    text: &'a str,
    logistic_code: Option<&'a str>,
    shipper_code: Option<&'a str>,
}

impl Element<'_> {
    fn parcel(&self, part: u16) -> Result<Parcel, Unusable> {
        Ok(Parcel {
            part,
            vendor_carrier: carrier_code(self.shipper_code)?,
            tracking_number: tracking_number(self.logistic_code)?,
            payload: self.text.to_owned(),
        })
    }
}

/// Of members with the same name the last counts, as everywhere in JSON; of the two spellings of a name the documented one.
fn walk(text: &str) -> Result<Data<'_>, NotJson> {
    let mut members = Members::default();
    let mut cursor = Cursor::new(text);
    cursor.object(|key, cursor| {
        members.keep(key, &["PushTime", "EBusinessID", "Count", "Data"], cursor.value()?);
        Ok(())
    })?;
    cursor.end()?;
    let mut data = Data {
        push_time: members.get("PushTime"),
        business_id: members.get("EBusinessID"),
        announced: members.get("Count"),
        ..Data::default()
    };
    for element in json::elements(members.get("Data").unwrap_or_default())? {
        data.count += 1;
        if data.count <= MAX_PARCELS {
            data.elements.push(parcel(element)?);
        }
    }
    Ok(data)
}

fn parcel(text: &str) -> Result<Element<'_>, NotJson> {
    if !text.starts_with('{') {
        return Ok(Element::default());
    }
    let mut members = Members::default();
    Cursor::new(text).object(|key, cursor| {
        members.keep(key, &["LogisticCode", "ShipperCode"], cursor.value()?);
        Ok(())
    })?;
    Ok(Element {
        text,
        logistic_code: members.get("LogisticCode"),
        shipper_code: members.get("ShipperCode"),
    })
}

/// Members of an object by their documented names. Some relays write the first letter in lower case (rule 2.2).
#[derive(Default)]
struct Members<'a> {
    /// Name, whether it was written as documented, value.
    found: Vec<(&'static str, bool, &'a str)>,
}

impl<'a> Members<'a> {
    fn keep(&mut self, key: &str, wanted: &[&'static str], value: &'a str) {
        let Some(name) = wanted.iter().find(|name| same_but_for_first_case(name, key)) else {
            return;
        };
        let is_documented = *name == key;
        match self.found.iter_mut().find(|(known, ..)| known == name) {
            Some((_, was_documented, _)) if *was_documented && !is_documented => {}
            Some(known) => *known = (name, is_documented, value),
            None => self.found.push((name, is_documented, value)),
        }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.found
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(.., value)| *value)
    }
}

fn same_but_for_first_case(documented: &str, key: &str) -> bool {
    documented == key
        || (documented.get(1..) == key.get(1..)
            && documented.get(..1).map(str::to_ascii_lowercase).as_deref() == key.get(..1))
}
