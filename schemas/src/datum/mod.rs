//! Avro's binary encoding of our own records, written and read as serde walks through them, without a look at the schema.
//!
//! That works because of what our records have in common: the fields of a type are in the schema's order, a set's members in
//! the order of the enum's symbols, each union is `["null", T]` for an `Option`, and bytes are a `fixed` of 16. Property tests
//! prove it for every record type beside `apache-avro`: the same bytes, the same records. A codec that looks fields and unions
//! up in the schema took a third of derive's own time.

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

use std::fmt;

/// Why a value has no datum, or why bytes are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DatumError(String);

impl serde::ser::Error for DatumError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for DatumError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// For a type of a kind that no record has.
fn none_of_ours<T>(kind: &str) -> Result<T, DatumError> {
    Err(DatumError(format!("no record has {kind}")))
}
