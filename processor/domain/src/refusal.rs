//! Why a push event is refused: a class, by which operators count and search, and a description of what was wrong.

use courierflow_schemas::records::{PushEvent, Signature};
use courierflow_schemas::wire::{DecodeError, EncodeError};
use courierflow_vendors::reading::ReadError;

/// Why a push event is refused. The same event is refused again, however often it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The class, for counting and searching.
    pub class: RefusalClass,
    /// What was wrong with this event; without content of the payload.
    pub error: String,
}

/// Classes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalClass {
    /// The record's value is not a push event.
    Undecodable,
    /// The record's key is not the tracking number, so it may be on another partition than the parcel's other records.
    KeyMismatch,
    /// It claims to have been received long after its own record was written (rule 12.4).
    ReceivedInFuture,
    /// The payload contains no parcel.
    Unreadable(ReadError),
    /// The code panicked on this push: a bug.
    Panic,
    /// What was derived does not fit its schema.
    Unencodable,
    /// The derived records are larger than the broker accepts.
    TooLarge,
}

impl RefusalClass {
    /// The stable name in dead letters and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::KeyMismatch => "key_mismatch",
            Self::ReceivedInFuture => "received_in_future",
            Self::Unreadable(error) => error.tag(),
            Self::Panic => "panic",
            Self::Unencodable => "unencodable",
            Self::TooLarge => "too_large",
        }
    }
}

impl Refusal {
    pub(crate) fn new(class: RefusalClass, error: impl Into<String>) -> Self {
        Self {
            class,
            error: error.into(),
        }
    }

    /// True if refusals of many parcels suggest that the program is at fault rather than the pushes: a whole topic must not be
    /// dead-lettered for a bug. What a sender can cause says nothing about the program, or a sender could stop derivation for
    /// everybody: anybody who may push can push too much, and whoever knows the address of an account that takes unsigned pushes can
    /// push whatever breaks something. `event` is the refused push event, if the record is one.
    pub fn may_be_our_fault(&self, event: Option<&PushEvent>) -> bool {
        let is_unsigned = event.is_some_and(|event| event.signature == Signature::Unsigned);
        self.class != RefusalClass::TooLarge && !is_unsigned
    }
}

impl From<&DecodeError> for Refusal {
    fn from(error: &DecodeError) -> Self {
        Self::new(RefusalClass::Undecodable, error.to_string())
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Self::new(RefusalClass::Unreadable(error), error.to_string())
    }
}

impl From<EncodeError> for Refusal {
    fn from(error: EncodeError) -> Self {
        Self::new(RefusalClass::Unencodable, error.to_string())
    }
}

impl From<postcard::Error> for Refusal {
    fn from(error: postcard::Error) -> Self {
        Self::new(RefusalClass::Unencodable, format!("memory of the shipment: {error}"))
    }
}
