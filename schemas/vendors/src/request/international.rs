//! The two ends of an international parcel (S1, S2: `interCom` with departure and destination), in the vendor's codes.

use courierflow_schemas::identifier;
use courierflow_schemas::records::International;

use super::error::{Code, ItemError};
use super::item::{INTERNATIONAL, Members};

/// Longest code of a country or carrier.
const MAX_CODE_LENGTH: usize = 32;

/// `None` if the parcel is not international. An object without members is: the vendor finds out both ends.
pub(super) fn read(members: &Members<'_>) -> Result<Option<International>, ItemError> {
    const CODE: Code = Code::BadInternational;
    let Some(object) = members.object("international", CODE)? else {
        return Ok(None);
    };
    let ends = Members::new(object, &INTERNATIONAL, CODE)?;
    let country = |name| code(&ends, name, is_country);
    let carrier = |name| code(&ends, name, is_carrier);
    Ok(Some(International {
        departure_country: country("departure_country")?,
        departure_carrier: carrier("departure_carrier")?,
        destination_country: country("destination_country")?,
        destination_carrier: carrier("destination_carrier")?,
    }))
}

/// Two capital letters.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What may be a vendor's code of a carrier.
pub(super) fn is_carrier(code: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    code.len() <= MAX_CODE_LENGTH && code.bytes().all(allowed)
}

fn code(ends: &Members<'_>, name: &'static str, is_valid: impl Fn(&str) -> bool) -> Result<Option<String>, ItemError> {
    let Some(text) = ends.text(name, Code::BadInternational)? else {
        return Ok(None);
    };
    let code = identifier::normalised(text);
    if is_valid(&code) {
        return Ok(Some(code.into_owned()));
    }
    let message = if name.ends_with("country") {
        "must be two capital letters, such as CN"
    } else {
        "must be the vendor's code of a carrier"
    };
    Err(Code::BadInternational.says(name, message))
}
