//! What one item means by itself: the vendor's code, else its name, else its text; never a neighbour (rules 8–13, 53).

use courierflow_schemas::records::Status;

use super::text_rules;
use courierflow_vendors::codes::{CodeRow, KUAIDI100_REFUSED, Profile, rank};

/// Meaning of an item before its place in the history is taken into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Canonical status.
    pub(crate) status: Status,
    /// Canonical refinement.
    pub(crate) sub_status: Option<&'static str>,
    /// Counts as an exception.
    pub(crate) is_exception: bool,
    /// Kuaidi100's code 14, which may turn out to be the end of the parcel (rule 13).
    pub(crate) is_refusal_in_doubt: bool,
    /// The vendor sent a code that its table does not have.
    pub(crate) unknown_code: bool,
}

impl Meaning {
    const UNKNOWN: Self = Self {
        status: Status::Unknown,
        sub_status: None,
        is_exception: false,
        is_refusal_in_doubt: false,
        unknown_code: false,
    };

    /// Order of events of the same second (rule 7).
    pub(crate) fn rank(self) -> u8 {
        rank(self.status)
    }
}

/// Reads code, name and text of an item, in this order of evidence.
pub(crate) fn read_item(profile: Profile, code: Option<&str>, name: Option<&str>, text: &str) -> Meaning {
    if let Some(meaning) = code.and_then(|code| read_code(profile, code, text)) {
        return meaning;
    }
    let by_words = match name.and_then(|name| profile.find_name(name)) {
        Some(row) => meaning_of_row(profile, row, text),
        None => read_text(text),
    };
    // A code that even the fallback did not know.
    Meaning {
        unknown_code: code.is_some(),
        ..by_words
    }
}

/// Reads a code alone, with the text that stands beside it; none if neither it nor its fallback is in the table.
pub(crate) fn read_code(profile: Profile, code: &str, text: &str) -> Option<Meaning> {
    if let Some(row) = profile.find(code) {
        return Some(meaning_of_row(profile, row, text));
    }
    let row = profile.find_fallback(code)?;
    Some(Meaning {
        unknown_code: true,
        ..meaning_of_row(profile, row, text)
    })
}

fn meaning_of_row(profile: Profile, row: &CodeRow, text: &str) -> Meaning {
    for guard in profile.guards().iter().filter(|guard| guard.code == row.code) {
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
        is_refusal_in_doubt: profile == Profile::Kuaidi100 && row.code == KUAIDI100_REFUSED,
        unknown_code: false,
    }
}

fn read_text(text: &str) -> Meaning {
    match text_rules::first_match(text) {
        Some(rule) => Meaning {
            status: rule.status,
            sub_status: Some(rule.sub_status),
            is_exception: rule.status == Status::Exception,
            ..Meaning::UNKNOWN
        },
        None => Meaning::UNKNOWN,
    }
}
