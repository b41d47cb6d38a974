//! The meaning of a single item: from the vendor's code, else from its name, else from its text; never from
//! neighbouring items (rules 4.7, 6.1–6.6).

use courierflow_schemas::records::Status;

use crate::text;
use courierflow_schemas::meaning::SubStatus;
use courierflow_vendors::codes::{CodeRow, CodeTable};

/// Meaning of an item before its place in the history is taken into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Meaning {
    /// Canonical status.
    pub(crate) status: Status,
    /// Canonical refinement.
    pub(crate) sub_status: Option<SubStatus>,
    /// Whether it counts as an exception.
    pub(crate) is_exception: bool,
    /// Whether it is a refusal that may turn out to be the end of the parcel (rule 6.6).
    pub(crate) ends_in_doubt: bool,
    /// Whether the vendor sent a code that is missing in its table.
    pub(crate) unknown_code: bool,
    /// Whether the text alone decided, because there was neither a usable code nor a known name.
    pub(crate) by_text: bool,
}

impl Meaning {
    const UNKNOWN: Self = Self {
        status: Status::Unknown,
        sub_status: None,
        is_exception: false,
        ends_in_doubt: false,
        unknown_code: false,
        by_text: false,
    };

    /// Orders events of the same second (rule 7.2).
    pub(crate) fn rank(self) -> u8 {
        rank(self.status)
    }
}

/// How far along a status is, to order events of the same second (rule 7.2).
pub const fn rank(status: Status) -> u8 {
    match status {
        Status::Unknown => 0,
        Status::InfoReceived => 10,
        Status::PickedUp => 20,
        Status::InTransit | Status::Customs => 30,
        Status::OutForDelivery => 40,
        Status::Exception => 42,
        Status::AvailableForPickup => 45,
        Status::Delivered => 50,
        Status::Returning => 60,
        Status::Returned => 70,
        Status::Cancelled => 80,
    }
}

/// Reads code, name and text of an item, in this order of evidence.
pub(crate) fn read_item(codes: &CodeTable, code: Option<&str>, name: Option<&str>, text: &str) -> Meaning {
    if let Some(meaning) = code.and_then(|code| read_code(codes, code, text)) {
        return meaning;
    }
    let by_words = match name.and_then(|name| codes.find_name(name)) {
        Some(row) => meaning_of_row(codes, row, text),
        None => Meaning {
            by_text: true,
            ..read_text(text)
        },
    };
    // The code is unknown, even to the fallback.
    Meaning {
        unknown_code: code.is_some(),
        ..by_words
    }
}

/// Reads a code, with the text of its item; `None` if neither the code nor its fallback is in the table.
pub(crate) fn read_code(codes: &CodeTable, code: &str, text: &str) -> Option<Meaning> {
    if let Some(row) = codes.find(code) {
        return Some(meaning_of_row(codes, row, text));
    }
    let row = codes.find_fallback(code)?;
    Some(Meaning {
        unknown_code: true,
        ..meaning_of_row(codes, row, text)
    })
}

fn meaning_of_row(codes: &CodeTable, row: &CodeRow, text: &str) -> Meaning {
    for guard in codes.guards.iter().filter(|guard| guard.code == row.code) {
        let text = text.to_lowercase();
        let found = guard.phrases.iter().any(|phrase| text.contains(phrase));
        if found == guard.applies_if_found {
            return Meaning {
                status: guard.status,
                sub_status: Some(guard.sub_status),
                ..Meaning::UNKNOWN
            };
        }
    }
    Meaning {
        status: row.status,
        sub_status: Some(row.sub_status),
        is_exception: row.is_exception,
        ends_in_doubt: row.ends_in_doubt,
        unknown_code: false,
        by_text: false,
    }
}

fn read_text(text: &str) -> Meaning {
    match text::classify_remembered(text) {
        Some(class) => Meaning {
            status: class.status,
            sub_status: Some(class.sub_status),
            is_exception: class.status == Status::Exception,
            ..Meaning::UNKNOWN
        },
        None => Meaning::UNKNOWN,
    }
}
